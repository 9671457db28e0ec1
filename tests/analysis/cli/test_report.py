"""``logkit report`` on a slow hour whose names are hostile: what it holds, and how it comes."""

from __future__ import annotations

import json
import re
import stat
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from logkit_analysis.cli.failures import run
from logkit_analysis.renderers.escaping import UNSAFE

from tests.e2e.slow_hour import (
    CALLS_PER_MINUTE,
    CHANNEL,
    COMMAND,
    ENDPOINT,
    EVENT,
    GUILD,
    SLOW_FROM,
    SLOW_UNTIL,
    write_slow_hour,
)

if TYPE_CHECKING:
    from pathlib import Path

TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)
SECTIONS = (
    *("summary", "times", "quality", "impact", "differs", "limits", "vitals", "timeline"),
    *("patterns", "traces", "people", "appendix"),
)


class Page(HTMLParser):
    """What a browser would make of a page: its tags, ids, texts and scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.is_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag."""
        self.tags.append(tag)
        self.is_script = tag == "script"
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        (self.scripts if self.is_script else self.texts).append(data)

    def handle_endtag(self, tag: str) -> None:
        """Take note that a script is over."""
        self.is_script = False

    @property
    def data(self) -> Any:
        """The report's own JSON."""
        return json.loads(self.scripts[0])


@pytest.fixture(scope="module")
def slow_hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database of the slow hour."""
    folder = tmp_path_factory.mktemp("slow_hour")
    write_slow_hour(folder / "bot.log")
    database = folder / "logkit.duckdb"
    assert run(["ingest", str(folder / "bot.log"), "--db", str(database)]) == 0
    return database


@pytest.fixture(scope="module")
def written(slow_hour: Path) -> tuple[str, str]:
    """Return one report as HTML and as Markdown."""
    texts = []
    for suffix in ("html", "md"):
        path = slow_hour.with_name(f"report.{suffix}")
        assert run(["report", "--db", str(slow_hour), "--output", str(path)]) == 0
        texts.append(path.read_text(encoding="utf-8"))
    return texts[0], texts[1]


def test_the_slow_hour_is_the_incident(written: tuple[str, str]) -> None:
    """Without options the report is about what was broken, from its onset to its end."""
    data = Page(written[0]).data
    assert data["title"] == f"POST {ENDPOINT} answered slowly"
    onset, end = (data["figures"]["incident"][key] for key in ("started_at", "ended_at"))
    assert onset.startswith(f"{SLOW_FROM:%Y-%m-%dT%H:%M}")
    assert f"{SLOW_UNTIL - timedelta(minutes=1):%Y-%m-%dT%H:%M}" < end
    minutes = (SLOW_UNTIL - SLOW_FROM) // timedelta(minutes=1)
    assert data["figures"]["errors"] == minutes * CALLS_PER_MINUTE // 10


def test_every_section_is_there(written: tuple[str, str]) -> None:
    """No section is left out, and each one can be linked to."""
    ids = [value for name, value in Page(written[0]).attributes if name == "id"]
    assert [one for one in ids if one in SECTIONS] == list(SECTIONS)
    assert len(ids) == len(set(ids))
    assert written[1].count("\n## ") == len(SECTIONS)


def test_both_formats_hold_the_same_numbers(written: tuple[str, str]) -> None:
    """Each number in the text of the HTML, and each row of its tables, stands in the Markdown.

    The labels of a chart's axes are left out: Markdown has no charts.
    """
    plain = re.sub(r"\\(.)", r"\1", written[1])
    left_out = r'<style>.*?</style>|<div class="drawing">.*?</div>|<wbr>'
    made = re.escape(Page(written[0]).data["facts"]["Made"])
    page = re.sub(rf"{left_out}|{made}", "", written[0], flags=re.DOTALL)
    text = " ".join(Page(page).texts)
    numbers = set(re.findall(r"[0-9][0-9,.:]*[0-9]|[0-9]", text))
    assert {one for one in numbers if one not in plain} == set()
    for table in Page(written[0]).data["tables"]:
        for row in table["rows"]:
            assert f"| {' | '.join(row)} |" in plain


@pytest.mark.parametrize("kind", [0, 1], ids=["html", "markdown"])
def test_log_content_is_text_and_never_markup(written: tuple[str, str], kind: int) -> None:
    """Names that are markup, control characters and reordering marks are shown, not obeyed."""
    text = re.sub(r"```sql.*?```", "", written[kind], flags=re.DOTALL)
    assert not UNSAFE.search(text.replace("\n", ""))
    for markup in ("<script>window", "<img src=x", "</script><script>", "1.0<b>"):
        assert not re.search(rf"(?<!\\){re.escape(markup)}", text)
    assert r"\x1b[31mnow\x07" in text.replace(r"\\", "\\").replace(r"\[", "[")
    assert EVENT[:201] not in text
    assert f"(+{len(EVENT) - 80:,} characters)" in text


def test_a_page_has_no_script_but_its_own(written: tuple[str, str]) -> None:
    """One block of data and one script are all, and nothing is loaded from elsewhere."""
    page = Page(written[0])
    assert len(page.scripts) == 2
    assert page.tags.count("script") == 2
    assert not {"img", "link", "iframe", "object", "base", "form"} & set(page.tags)
    loaded = [
        value or "" for name, value in page.attributes if name in ("src", "href", "action", "style")
    ]
    assert all(value.startswith(("#", "data:text/csv")) for value in loaded)
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_every_number_names_its_query(written: tuple[str, str]) -> None:
    """The links to SQL lead somewhere, and the appendix says what was bound and how much came."""
    page = Page(written[0])
    ids = {value for name, value in page.attributes if name == "id"}
    links = [
        value[1:] for name, value in page.attributes if name == "href" and value and "#q" in value
    ]
    assert links
    assert set(links) <= ids
    assert "logkit query latency_over_time" in written[0]
    assert "2026-03-01T09:10:00.000Z" in written[0]


def test_a_report_is_private_and_appears_whole(cli: Any, slow_hour: Path, tmp_path: Path) -> None:
    """The file is readable for its owner alone; its path is what stdout gets; no rest stays."""
    (tmp_path / "incident.html").write_text("old")
    (tmp_path / "incident.html").chmod(0o644)
    answer = cli("report", "--db", str(slow_hour))
    assert (answer.code, answer.text, answer.stderr) == (0, "incident.html\n", "")
    assert stat.S_IMODE((tmp_path / "incident.html").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["incident.html"]


def test_a_report_can_go_to_stdout(cli: Any, slow_hour: Path) -> None:
    """A dash is stdout, and nothing else is written there."""
    answer = cli("report", "--db", str(slow_hour), "--format", "markdown", "--output", "-")
    assert answer.text.startswith("# POST /x/")
    assert answer.stderr == ""


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--incident", "7"], 2, "there is no incident 7"),
        (["--note", "rolled back"], 2, 'write "14:40 rolled back"'),
        (["--output", "nowhere/incident.html"], 1, "no such directory"),
        (["--db", "none.duckdb"], 1, "no database"),
    ],
    ids=["incident", "note", "folder", "database"],
)
def test_what_cannot_be_done_is_said(
    cli: Any, slow_hour: Path, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    """One clear line, the right exit code, and no file."""
    answer = cli("report", "--db", str(slow_hour), *words)
    assert answer.code == code
    assert said in answer.stderr
    assert answer.text == ""
    assert not list(tmp_path.glob("*incident*"))


def test_notes_join_the_timeline(cli: Any, slow_hour: Path, tmp_path: Path) -> None:
    """Notes of the command line and of a file come at their time, in the zone that is asked for."""
    (tmp_path / "notes.txt").write_text("# by hand\n\n- 12:05 restarted the <b>worker</b>\n")
    answer = cli(
        *("report", "--db", str(slow_hour), "--tz", "Europe/Berlin", "--output", "-"),
        *("--format", "markdown", "--note", "11:50 rolled back", "--notes", "notes.txt"),
    )
    assert "- 11:50:00 note: rolled back" in answer.text
    assert r"- 12:05:00 note: restarted the \<b\>worker\</b\>" in answer.text
    assert "| Local time | 2026-03-01 10:" in answer.text


def test_a_quiet_time_has_no_incident(cli: Any, slow_hour: Path) -> None:
    """Where nothing was broken the report says so, and counts all the same."""
    answer = cli(
        *("report", "--db", str(slow_hour), "--format", "markdown", "--output", "-"),
        *("--since", "2026-03-01T09:10", "--until", "2026-03-01T09:50"),
    )
    assert answer.text.startswith("# No incident was found")
    assert f"of {40 * CALLS_PER_MINUTE:,}; 429s apart" in answer.text


@pytest.mark.parametrize(
    "words",
    [("--since", "2027-01-01", "--until", "2027-01-02"), ("--around", "2026-02-27T10:00")],
    ids=["since", "around"],
)
def test_a_silent_time_is_no_quiet_time(cli: Any, slow_hour: Path, words: tuple[str, ...]) -> None:
    """Where the log holds nothing the report says that it knows nothing, and stderr warns."""
    answer = cli(
        *("report", "--db", str(slow_hour), "--format", "markdown", "--output", "-", *words)
    )
    assert answer.code == 0
    assert answer.text.startswith("# The log is silent in this time")
    assert "| Severity | unknown: there are no events to judge by |" in answer.text
    assert "nothing got worse" not in answer.text
    assert "warning: no events in this window" in answer.stderr


def test_a_time_far_longer_than_the_log_is_drawn_in_few_bins(cli: Any, slow_hour: Path) -> None:
    """A century costs no more than a day: bins are as long as it takes."""
    answer = cli("report", "--db", str(slow_hour), "--output", "-", "--since", "1926-01-01")
    assert len(answer.text) < 450_000
    facts = Page(answer.text).data["facts"]
    assert facts["Stored"].startswith("2026-03-01 09:")


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            {"event": "call", "status_code": 500, "endpoint": "/x", "duration_ms": 5},
            (
                "# No incident was found, yet 100 % of requests failed",
                "critical: 100 % of requests failed or were refused",
            ),
        ),
        (
            {"event": "said", "level": "error"},
            (
                "nothing got worse of what the log measures.",
                "The log tells of no requests in this time",
                "It holds 400 events at level error or worse.",
                "**Lines of log per 2 seconds**: At most 2, at 10:00:00.",
            ),
        ),
    ],
    ids=["all_fail", "no_requests"],
)
def test_no_change_is_not_called_well(
    cli: Any, tmp_path: Path, event: dict[str, Any], told: tuple[str, ...]
) -> None:
    """What always failed, and what the log does not measure, is said where nothing changed."""
    lines = [
        {"timestamp": f"2026-03-01T10:{n // 60:02}:{n % 60:02}Z", "level": "info", "service": "a"}
        | event
        for n in range(400)
    ]
    (tmp_path / "a.log").write_text("\n".join(map(json.dumps, lines)) + "\n")
    cli("ingest", "a.log")
    answer = cli("report", "--output", "-", "--format", "markdown")
    for text in told:
        assert text in answer.text


def called(second: int, status: int = 200, **fields: Any) -> dict[str, Any]:
    """Return a call so many seconds after ten o'clock."""
    return {
        "timestamp": f"{TEN + timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}",
        "level": "info",
        "service": "bot",
        "event": "call",
        "endpoint": "/x",
        "status_code": status,
        "duration_ms": 5 + second % 3,
        "user_id": f"user-{second % 9}",
        **fields,
    }


def report_on(cli: Any, folder: Path, rows: list[dict[str, Any]], *words: str) -> str:
    """Return the report on a log of *rows* as Markdown, without its escapes."""
    (folder / "a.log").write_text("\n".join(map(json.dumps, rows)) + "\n")
    assert cli("ingest", "a.log").code == 0
    answer = cli("report", "--output", "-", "--format", "markdown", *words)
    assert answer.code == 0
    return re.sub(r"\\(.)", r"\1", answer.text)


def test_a_storm_is_told_by_its_429s(cli: Any, tmp_path: Path) -> None:
    """First and last 429 are its ends, all count for the ban, and the traces are refused calls."""
    rows = [called(n, platform="discord", correlation_id=f"calm-{n}") for n in range(3600)]
    rows += [
        called(2400 + n, 429, platform="discord", correlation_id=f"hit-{n}") for n in range(60)
    ]
    text = report_on(cli, tmp_path, rows)
    assert "60 calls to /x (bot) met the answer 429, too many requests." in text
    assert "60 of 120 requests were refused with 429; none failed otherwise.\n" in text
    assert "| Users touched | 0 | of 9: 0 % |" in text
    assert "| Onset | 10:40:00 | – | first 429 |" in text
    assert "| Recovered | 10:40:59 | 59 s | last 429 |" in text
    assert "at most 60 of 10,000 invalid requests" in text
    assert len(re.findall(r"\*\*hit-\d+\*\*", text)) == 5
    assert "**calm-" not in text


def test_a_leak_is_told_in_the_zone_that_is_asked_for(cli: Any, tmp_path: Path) -> None:
    """The forecast is to the minute, and in the report's own zone everywhere."""
    rows = [
        called(n, rss_bytes=2**28 + n * 2**15, rss_limit_bytes=2**30) for n in range(0, 14_400, 15)
    ]
    text = report_on(cli, tmp_path, rows, "--tz", "Europe/Berlin")
    assert text.startswith("# The memory of bot grows\n")
    summary, *_ = text.partition("## Where every number comes from")
    told = re.findall(r"full at (\S+ \S+ \S+?)[ .)]", summary)
    assert len(told) >= 3
    assert set(told) == {"2026-03-01 17:50 CET"}
    assert "None of the 960 requests failed." in text


def test_a_single_line_is_told_without_plurals(cli: Any, tmp_path: Path) -> None:
    """A log of one event is no proof that all was well."""
    text = report_on(cli, tmp_path, [called(0)])
    assert "At 2026-03-01 10:00:00 UTC nothing got worse" in text
    assert "The only request did not fail.\n\nSo few requests tell little" in text
    assert "| Data | 1 event, digest" in text
    assert "**Each endpoint** (SQL" in text


def test_times_and_lengths_of_gaps_are_readable(cli: Any, tmp_path: Path) -> None:
    """What was found in the log itself is told in the report's zone, in hours and minutes."""
    rows = [called(n * 10 + (7200 if n > 200 else 0), service=None) for n in range(400)]
    text = report_on(cli, tmp_path, rows, "--tz", "Asia/Kolkata")
    assert "| gap | (no name) | – | 1 | longest 2 h 00 min from 16:03:20 |" in text
    assert "(no name) fell silent in between." in text


def test_the_digest_is_that_of_the_events(cli: Any, tmp_path: Path) -> None:
    """The same events have one digest in whatever files they lie; another duration changes it."""
    event = {"timestamp": "2026-03-01T10:00:00Z", "level": "info", "service": "a", "event": "x"}
    lines = [json.dumps(event | {"seq": n, "duration_ms": n}) + "\n" for n in range(3)]
    lines.append(json.dumps(event | {"duration_ms": 1e300}) + "\n")
    changed = [*lines[:3], json.dumps(event | {"duration_ms": 7}) + "\n"]
    digests = []
    for number, parts in enumerate(([lines], [lines[2:], lines[:2]], [changed])):
        names = [f"{number}-{place}.log" for place in range(len(parts))]
        for name, part in zip(names, parts, strict=True):
            (tmp_path / name).write_text("".join(part))
        cli("ingest", "--db", f"{number}.duckdb", *names)
        answer = cli("report", "--db", f"{number}.duckdb", "--output", "-")
        digests.append(Page(answer.text).data["facts"]["Data"])
    assert digests[0].startswith("4 events, digest ")
    assert digests[0] == digests[1] != digests[2]


def test_an_incident_that_goes_on_is_open(cli: Any, slow_hour: Path) -> None:
    """Up to the end of the window it is not over: no recovery is made up."""
    until = f"{SLOW_UNTIL - timedelta(minutes=10):%Y-%m-%dT%H:%M}"
    answer = cli(
        *("report", "--db", str(slow_hour), "--format", "markdown", "--output", "-"),
        *("--since", "2026-03-01T09:10", "--until", until),
    )
    assert "still at the end" in answer.text
    assert "| Recovered | not yet |" in answer.text


def test_pseudonyms_are_everywhere_and_the_same(cli: Any, slow_hour: Path) -> None:
    """No id is left, not in messages either; one id has one name in every report."""
    words = ("report", "--db", str(slow_hour), "--redact", "--output", "-")
    texts = [cli(*words, "--format", kind).text for kind in ("html", "markdown")]
    plain = cli(*words[:3], "--format", "markdown", "--output", "-").text
    for text in texts:
        assert not re.search(r"(?<!\d)9000000000000\d{4}(?!\d)", text)
        assert GUILD not in text
        assert CHANNEL not in text
    assert re.search(r"9000000000000\d{4}", plain)
    names = [set(re.findall(r"(?:user|guild)-[0-9a-f]{8}", text)) for text in texts]
    assert names[0] == names[1] != set()
    key = slow_hour.with_name(f"{slow_hour.name}.pseudonyms")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_commands_are_named_as_they_are(written: tuple[str, str]) -> None:
    """A name that is markup arrives whole in the data for programs."""
    assert COMMAND in written[0].replace("&lt;", "<").replace("&gt;", ">")
