"""sql, rejects, export, config, and how the command line itself behaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from logkit_analysis.cli.app import app
from logkit_analysis.store.database import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = [sys.executable, "-m", "logkit_analysis"]
HEAVY = {"duckdb", "jinja2", "numpy", "pyarrow", "pydantic", "rich", "structlog", "textual"}


@contextmanager
def start(*arguments: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command in a process of its own, which a test that fails does not leave behind."""
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    ) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("insert into quarantine select * from quarantine", id="insert"),
        pytest.param("delete from events", id="delete"),
        pytest.param("create table t (x int)", id="create"),
        pytest.param("drop table events", id="drop"),
        pytest.param("copy events to 'out.csv'", id="copy_to"),
        pytest.param("copy quarantine from 'logkit.duckdb'", id="copy_from"),
        pytest.param("export database 'out'", id="export"),
        pytest.param("attach 'other.duckdb'", id="attach"),
        pytest.param("select * from read_text('/etc/passwd')", id="read_text"),
        pytest.param("from '/etc/passwd'", id="replacement_scan"),
        pytest.param("set enable_external_access = true", id="setting"),
        pytest.param("install httpfs", id="install"),
        pytest.param("update extensions", id="update"),
    ],
)
@pytest.mark.usefixtures("store")
def test_sql_changes_and_reads_nothing_else(cli: Any, store: Path, statement: str) -> None:
    """No statement writes, and none reaches another file."""
    before = store.read_bytes()
    answer = cli("sql", statement)
    assert (answer.code, answer.stdout) == (1, b"")
    assert 1 <= len(answer.stderr.splitlines()) <= 2
    assert store.read_bytes() == before
    assert not any(Path(name).exists() for name in ("out.csv", "out", "other.duckdb"))


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("copy events to '{}/out.csv'", id="copy"),
        pytest.param("explain analyze copy events to '{}/out.csv'", id="explain"),
        pytest.param("prepare p as copy events to '{}/out.csv'; execute p", id="prepare"),
        pytest.param("export database '{}/out'", id="export"),
    ],
)
def test_sql_writes_nothing_where_large_queries_spill(
    cli: Any, store: Path, statement: str
) -> None:
    """The one folder that DuckDB itself may write to is none for statements."""
    spill = Path(f"{store}.tmp")
    spill.mkdir()
    answer = cli("sql", statement.format(spill))
    assert (answer.code, answer.stdout) == (1, b"")
    assert "--output" in answer.stderr
    assert not list(spill.iterdir())


@pytest.mark.usefixtures("store")
def test_only_statements_that_ask_for_rows_answer(cli: Any) -> None:
    """A variable or temporary table before the query adds nothing to the JSON."""
    steps = "set variable v = 1; create temp table t as select getvariable('v') as x; from t"
    assert cli("sql", steps, "--format", "json").rows == [{"x": 1}]
    assert cli("sql", steps, "--output", "x.json").code == 0
    pivot = "pivot (select 'a' as k, 2 as n) on k using sum(n)"
    assert cli("sql", pivot, "--format", "json").rows == [{"a": 2}]


@pytest.mark.usefixtures("store")
def test_sql_comes_from_text_file_or_stdin(cli: Any) -> None:
    """The statements come as an argument, from a file, or through a pipe."""
    Path("q.sql").write_text("select 1 as a; select 2 as a;")
    assert cli("sql", "-f", "q.sql", "--format", "csv").text == "a\n1\na\n2\n"
    assert cli("sql", "select 3 as a", "--format", "csv").text == "a\n3\n"
    piped = subprocess.run(
        [*COMMAND, "sql", "--format", "csv"],
        input=b"select 4 as a",
        capture_output=True,
        check=True,
    )
    assert piped.stdout == b"a\n4\n"
    assert cli("sql", "select 1", "-f", "q.sql").code == 2
    assert cli("sql", "-f", "q.sql", "--output", "out.csv").code == 2
    assert not Path("out.csv").exists()


@pytest.mark.usefixtures("store")
def test_sql_errors_say_what_is_wrong(cli: Any) -> None:
    """Bad SQL is told in two lines, with exit code 1."""
    answer = cli("sql", "select durration_ms from events")
    assert answer.code == 1
    assert 'no column "durration_ms"; similar are "duration_ms"' in answer.stderr
    assert len(answer.stderr.splitlines()) == 2


@pytest.mark.usefixtures("store")
def test_sql_errors_about_a_name_are_no_ctrl_c(cli: Any) -> None:
    """A table that is missing is told whatever it is called."""
    answer = cli("sql", "select * from interrupted")
    assert (answer.code, answer.stderr.count("no table interrupted")) == (1, 1)


@pytest.mark.usefixtures("store")
def test_sql_sees_the_zone(cli: Any) -> None:
    """Times in SQL text are read in --tz."""
    count = "select count(*) as n from events where timestamp < '2026-01-31 10:05'"
    assert cli("sql", count, "--tz", "Europe/Berlin", "--format", "csv").text == "n\n5\n"


@pytest.mark.usefixtures("store")
def test_rejects_are_shown_and_recovered(cli: Any) -> None:
    """Rejected lines are listed harmlessly, and come back byte for byte."""
    rows = cli("rejects", "--format", "json").rows
    assert [(row["source_file"], row["source_offset"], row["reason"]) for row in rows] == [
        ("bot.log", 0, "invalid_json"),
        ("bot.log", 1, "invalid_json"),
        ("bot.log", 2, "invalid_json"),
    ]
    assert "\x1b" not in cli("rejects").text
    assert cli("rejects", "--raw").stdout == b'\xff\xfe\n{\x1b[31m\n{"cut": "o\n'
    assert cli("rejects", "--raw", "--output", "bad.jsonl").code == 0
    assert Path("bad.jsonl").read_bytes() == b'\xff\xfe\n{\x1b[31m\n{"cut": "o\n'
    assert cli("rejects", "--reason", "not_an", "--format", "json").rows == []


@pytest.mark.usefixtures("store")
def test_export_writes_events(cli: Any) -> None:
    """Events of a window, or all of them, go out as Parquet, CSV or JSON lines."""
    assert "10 events exported" in cli("export", "--output", "all.parquet").stderr
    table = pq.read_table("all.parquet")
    assert table.num_rows == 10
    assert table["guild_id"][0].as_py() == "9007199254740993"
    answer = cli("export", "--last", "1m", "--format", "jsonl")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["status_code"] for line in lines] == [200, 500]
    assert lines[0]["fields"] == {"big": 9223372036854775807}
    assert cli("export").code == 2


def test_settings_win_in_order(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags win over the environment, that over ./logkit.toml, that over the user's file."""
    own = Path(os.environ["XDG_CONFIG_HOME"]) / "logkit"
    own.mkdir(parents=True)
    (own / "config.toml").write_text('db = "own.duckdb"\ntz = "Asia/Tokyo"\nformat = "json"\n')

    def shown(*flags: str) -> dict[str, tuple[str, str]]:
        rows = cli("config", "show", "--format", "json", *flags).rows
        return {r["setting"]: (r["value"], r["source"]) for r in rows if r["command"] is None}

    assert shown()["db"] == ("own.duckdb", str(own / "config.toml"))
    Path("logkit.toml").write_text('db = "here.duckdb"\n')
    assert shown()["db"] == ("here.duckdb", "./logkit.toml")
    monkeypatch.setenv("LOGKIT_DB", "env.duckdb")
    assert shown()["db"] == ("env.duckdb", "LOGKIT_DB")
    assert shown("--db", "flag.duckdb")["db"] == ("flag.duckdb", "--db")
    assert shown()["tz"] == ("Asia/Tokyo", str(own / "config.toml"))
    assert shown()["queries"][1] == "default"


def test_unknown_settings_are_named(cli: Any) -> None:
    """A misspelt key is told with its file and the nearest one, and hinders nothing."""
    Path("logkit.toml").write_text('fromat = "x"\n[query]\nlasst = "1h"\n')
    answer = cli("config", "show")
    assert answer.code == 0
    assert "./logkit.toml: unknown setting 'fromat'; did you mean 'format'?" in answer.stderr
    assert "unknown setting 'lasst'; did you mean 'last'?" in answer.stderr


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        pytest.param("tz", "Mars/X", "no time zone named 'Mars/X'", id="tz"),
        pytest.param("format", "xlsx", "'xlsx' is not one of 'table'", id="format"),
    ],
)
@pytest.mark.usefixtures("store")
def test_a_wrong_setting_is_blamed_on_its_place(
    cli: Any, monkeypatch: pytest.MonkeyPatch, key: str, value: str, said: str
) -> None:
    """A file's or a variable's wrong value is told with that place, and still listed."""
    Path("logkit.toml").write_text(f'{key} = "{value}"\n')
    answer = cli("sql", "select 1")
    assert answer.code == 2
    assert answer.stderr.startswith(f"logkit: ./logkit.toml: {key}: {said}")
    listed = cli("config", "show")
    assert (listed.code, f"{value} " in listed.text) == (0, True)
    monkeypatch.setenv(f"LOGKIT_{key.upper()}", value)
    assert cli("sql", "select 1").stderr.startswith(f"logkit: LOGKIT_{key.upper()}: {said}")
    assert f"LOGKIT_{key.upper()}" in cli("config", "show").text
    assert said in cli("sql", "select 1", f"--{key}", value).stderr


@pytest.mark.parametrize(
    ("key", "said"),
    [
        pytest.param("since", "'soon' is no time", id="since"),
        pytest.param("until", "'soon' is no time", id="until"),
        pytest.param("last", "'soon' is no duration", id="last"),
    ],
)
@pytest.mark.usefixtures("store")
def test_a_wrong_time_in_a_settings_file_is_blamed_on_it(cli: Any, key: str, said: str) -> None:
    """The file and the key are told, so that nobody looks for the mistake on the command line."""
    Path("logkit.toml").write_text(f'{key} = "soon"\n')
    answer = cli("query", "error_rate")
    assert answer.code == 2
    assert answer.stderr.startswith(f"logkit: ./logkit.toml: {key}: {said}")


@pytest.mark.parametrize("text", [b"db = ", b"\xff"], ids=["no_toml", "no_utf8"])
def test_a_broken_settings_file_is_refused(cli: Any, text: bytes) -> None:
    """A settings file that cannot be read as TOML is an error, in one line."""
    Path("logkit.toml").write_bytes(text)
    answer = cli("config", "show")
    assert answer.code == 2
    assert "logkit.toml" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.usefixtures("store")
def test_settings_of_one_command(cli: Any) -> None:
    """A table in the file holds the settings of one command."""
    Path("logkit.toml").write_text('[query]\nformat = "csv"\n')
    assert cli("query", "throughput").text.startswith("bucket_at,")
    assert not cli("sql", "select 1 as x, 2 as y").text.startswith("x,y")


def test_the_bots_environment_is_not_ours(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of the bot's side change nothing here."""
    monkeypatch.setenv("LOGKIT_PATH", "/var/log/bot.log")
    monkeypatch.setenv("LOGKIT_SERVICE", "bot")
    assert cli("config", "show").stderr == ""


def _commands(group: Any, *path: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        found.append((*path, name))
        if hasattr(command, "commands"):
            found += _commands(command, *path, name)
    return found


def _click_app() -> Any:
    import typer.main

    return typer.main.get_command(app)


@pytest.mark.parametrize("path", _commands(_click_app()), ids=" ".join)
def test_every_command_has_help_with_examples(cli: Any, path: tuple[str, ...]) -> None:
    """--help of each command says what it does and shows how."""
    answer = cli(*path, "--help")
    assert answer.code == 0
    assert f"Usage: logkit {' '.join(path)}" in answer.text
    assert f"  logkit {path[0]}" in answer.text


@pytest.mark.parametrize("path", [(), *_commands(_click_app())], ids=" ".join)
def test_help_fits_on_a_terminal(cli: Any, path: tuple[str, ...]) -> None:
    """Help has at most 80 columns, and no summary of a command is cut short."""
    lines = cli(*path, "--help").text.splitlines()[1:]
    assert [line for line in lines if len(line) > 80 or line.endswith(("...", "…"))] == []


def test_help_loads_nothing_heavy() -> None:
    """``logkit --help`` needs none of the libraries that commands work with."""
    code = (
        "import sys; from logkit_analysis.cli.app import app; app(standalone_mode=False); "
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, check=True)
    assert b"Usage: " in done.stdout
    assert HEAVY.isdisjoint(done.stderr.decode().split())


def test_version(cli: Any) -> None:
    """--version names the program and its version."""
    name, version = cli("--version").text.split()
    assert name == "logkit"
    assert version[0].isdigit()


def test_a_number_that_is_none_is_told_in_plain_words(cli: Any) -> None:
    """The words of a library mean nothing to who mistyped."""
    for value, said in (("x", "this is no integer"), ("0", "it must be at least 1")):
        done = cli("follow", "bot.log", "--threads", value)
        assert done.code == 2
        assert said in done.stderr


def test_unknown_command_is_a_usage_error(cli: Any) -> None:
    """A command that there is not ends with exit code 2."""
    assert cli("qery").code == 2


@pytest.mark.usefixtures("store")
def test_a_closed_pipe_is_quiet() -> None:
    """``logkit ... | head -1`` ends without a word."""
    with start("sql", "select * from range(3000000)", "--format", "csv") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"range\n"
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.usefixtures("store")
def test_a_full_disk_is_one_line() -> None:
    """When the output cannot be written, one line says why and the exit code is 1."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "sql", "select 1"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    assert done.stderr == b"logkit: cannot write: No space left on device\n"


@pytest.mark.parametrize("stream", [1, 2], ids=["stdout", "stderr"])
def test_a_closed_stream_hinders_nothing(store: Path, stream: int) -> None:
    """With stdout or stderr closed a command works, and the database keeps its bytes."""
    command = f"{sys.executable} -m logkit_analysis query error_rate --db {store} {stream}>&-"
    before = store.read_bytes()
    assert subprocess.run(["sh", "-c", command], check=False).returncode == 0
    assert store.read_bytes() == before


@pytest.mark.usefixtures("store")
def test_ctrl_c_stops_a_statement() -> None:
    """Ctrl-C ends a long statement at once, quietly, with exit code 130."""
    endless = "select x from range(1000000000000) t(x) where hash(x) = 3"
    with start("sql", endless, "--format", "csv") as process:
        while not _has_thread_in_query(process.pid):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, b"")


def _has_thread_in_query(pid: int) -> bool:
    spent = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(spent[11]) + int(spent[12]) > 100


@pytest.mark.usefixtures("store")
def test_debug_shows_the_traceback(cli: Any) -> None:
    """--debug, anywhere, adds the traceback that is otherwise kept back."""
    assert "Traceback" not in cli("sql", "selec").stderr
    assert "Traceback" in cli("sql", "selec", "--debug").stderr
    assert "Traceback" in cli("--debug", "sql", "selec").stderr


def test_without_the_extra_the_command_says_what_to_install(tmp_path: Path) -> None:
    """A base install's ``logkit`` names the extra, in one line, with exit code 1."""
    (tmp_path / "typer.py").write_text("raise ModuleNotFoundError('No typer', name='typer')")
    done = subprocess.run(
        [*COMMAND, "query"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"pip install 'botlogkit[analysis]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["query", "throughput"],
        ["ingest", "bot.log"],
        ["prune", "--older-than", "1d"],
        ["sql", "from events"],
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize(
    ("database", "said"),
    [
        pytest.param("bot.log", "bot.log as a database: it is another kind of file", id="log"),
        pytest.param("folder", "folder as a database: it is a folder", id="folder"),
        pytest.param("no/x.duckdb", "no", id="no_folder"),
    ],
)
def test_what_is_no_database_is_left_alone(
    cli: Any, words: list[str], database: str, said: str
) -> None:
    """A wrong --db is one line of plain words, and leaves nothing behind."""
    Path("bot.log").write_text('{"level":"info"}\n' * 99)
    Path("folder").mkdir()
    answer = cli(*words, "--db", database)
    assert (answer.code, answer.stdout) == (1, b"")
    assert said in answer.stderr
    assert ".lock" not in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert sorted(path.name for path in Path().iterdir()) == ["bot.log", "folder"]


@pytest.mark.usefixtures("store")
def test_sql_text_that_is_none(cli: Any) -> None:
    """A file's name given as text hints at -f, and an empty text is a misuse."""
    Path("report.sql").write_text("select 1")
    assert "logkit sql -f report.sql" in cli("sql", "report.sql").stderr
    assert [cli("sql", text).code for text in ("report.sql", "", " ; ")] == [2, 2, 2]


@pytest.mark.usefixtures("store")
def test_sigterm_leaves_no_half_file() -> None:
    """A command that is stopped while it writes a file leaves neither it nor a part of it."""
    before = sorted(Path().iterdir())
    endless = "select x, repeat('x', 99) from range(1000000000) t(x)"
    with start("sql", endless, "--output", "big.csv") as process:
        while not any(path.stat().st_size for path in Path().glob(".big.csv*")):
            time.sleep(0.01)
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (-signal.SIGTERM, b"")
    assert not set(Path().iterdir()) - {*before, *Path().glob("*.lock")}


def test_usage_of_an_empty_database_says_why(cli: Any) -> None:
    """Two empty tables explain nothing; stderr does."""
    with writing(Path("logkit.duckdb")):
        pass
    assert "no events are stored yet: logkit ingest PATH" in cli("usage").stderr
