"""What no log can tell, left open for people."""

from __future__ import annotations

from logkit_analysis.reports.document import Prompts, Section

_QUESTIONS = (
    ("Trigger", "What set it off?"),
    ("Root cause", "Why could it happen, and why did it get that far?"),
    ("What went well", "What kept it from getting worse?"),
    ("What went badly", "What was slow, missing or luck?"),
    ("Actions", "What, who, until when: one a line."),
)


def people() -> Section:
    """Return the open questions."""
    return Section("people", "For you to fill in", (Prompts(_QUESTIONS),))
