"""What no log can tell, left open for people."""

from __future__ import annotations

from logkit_analysis.reports.document import Prompts, Question, Section

_QUESTIONS = (
    Question("Trigger", "What set it off?"),
    Question("Root cause", "Why could it happen, and why did it get that far?"),
    Question("What went well", "What kept it from getting worse?"),
    Question("What went badly", "What was slow, missing or luck?"),
    Question("Actions", "So that it does not come again.", ("What", "Owner", "Until")),
)


def people() -> Section:
    """Return the open questions."""
    return Section("people", "For you to fill in", (Prompts(_QUESTIONS),))
