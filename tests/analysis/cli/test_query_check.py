"""``logkit query --check``: the user's own query files are told what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from logkit_analysis.resources import queries_directory

TITLE = "-- @title    Slow users\n"
GOOD = (
    TITLE
    + "-- @param    least_ms double  shortest duration\n"
    + "-- @column   user_id  user\n-- @column   calls  calls\n"
    + "select user_id, count(*) as calls from events\n"
    + "where timestamp >= $since and duration_ms >= $least_ms group by user_id order by user_id\n"
)


def verdicts(answer: Any) -> dict[str, str]:
    """Return what is said of each file."""
    return {Path(row["file"]).name: row["verdict"] for row in answer.rows}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(GOOD, "fine", id="good"),
        pytest.param("select 1\n", "no -- @title: no query", id="script"),
        pytest.param(TITLE + "-- @colour red\nselect 1\n", "unknown tag @colour", id="tag"),
        pytest.param(TITLE + "-- @window soon\nselect $until\n", "@window DURATION", id="window"),
        pytest.param(TITLE + "-- @window 5m\nselect $since\n", "$since", id="window_and_since"),
        pytest.param(GOOD.replace("$least_ms", "5"), "least_ms is not used", id="unused"),
        pytest.param(GOOD.replace("-- @param", "-- @method"), "not declared", id="undeclared"),
        pytest.param(GOOD.replace("from events", "from evnts"), "no table evnts", id="sql"),
        pytest.param(GOOD.replace("calls  calls", "uses  uses"), "its header says", id="columns"),
        pytest.param(
            TITLE + "select * from '/etc/passwd'\n", "no table /etc/passwd", id="other_files"
        ),
    ],
)
def test_each_file_gets_a_verdict(cli: Any, tmp_path: Path, text: str, said: str) -> None:
    """Header, parameters, columns and the run itself are checked, without a database."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "slow_users.sql").write_text(text)
    answer = cli("query", "--check", "--queries", str(folder), "--format", "json")
    verdict = verdicts(answer)["slow_users.sql"]
    assert said in verdict
    is_sound = verdict in {"fine", "no -- @title: no query"}
    assert answer.code == (0 if is_sound else 1)
    assert ("1 of 1 query files have a problem" in answer.stderr) == (not is_sound)


def test_a_name_of_ours_is_a_problem_in_the_usual_folder(cli: Any, tmp_path: Path) -> None:
    """In ./queries a file named like one of ours would never run."""
    Path("queries").mkdir()
    Path("queries/error_rate.sql").write_text(GOOD)
    answer = cli("query", "--check", "--format", "json")
    assert "hides it" in verdicts(answer)["error_rate.sql"]
    assert cli("query", "--check", "--queries", "queries").code == 0


def test_our_own_are_sound(cli: Any) -> None:
    """What holds for users holds for us."""
    answer = cli("query", "--check", "--queries", str(queries_directory()), "--format", "json")
    assert answer.code == 0
    assert set(verdicts(answer).values()) == {"fine"}


def test_a_folder_without_queries_is_a_misuse(cli: Any) -> None:
    """Nothing to check is said, not passed over."""
    answer = cli("query", "--check")
    assert (answer.code, answer.stdout) == (2, b"")
    assert "--queries DIR" in answer.stderr
