from __future__ import annotations

import errno
import os
import pty
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import orjson
import pytest

import logkit
from logkit.sinks.backups import compress_backups
from logkit.sinks.destination import Destination
from logkit.sinks.files import RotatingFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Events = Callable[[], list[dict[str, Any]]]

WRITER = """
import sys, logkit
logkit.configure(
    "bot", path=sys.argv[1], max_bytes=200_000, backups=99, compress=sys.argv[3] == "True"
)
log = logkit.get_logger("bot")
for number in range(5_000):
    log.info("counted", number=number, worker=sys.argv[2])
"""


def finish_compression() -> None:
    for thread in threading.enumerate():
        if thread.name == "logkit-compress":
            thread.join()


def test_a_file_is_rotated_before_it_exceeds_the_size(log_path: Path) -> None:
    """No file is larger than max_bytes, ``path.1`` is the newest backup, and no more are kept."""
    logkit.configure("bot", path=log_path, max_bytes=2_000, backups=3)
    for number in range(100):
        logkit.get_logger("bot").info("counted", number=number)
    assert logkit.flush()
    files = sorted(file.name for file in log_path.parent.iterdir())
    assert files == ["bot.log", "bot.log.1", "bot.log.2", "bot.log.3", "bot.log.lock"]
    assert all(file.stat().st_size <= 2_000 for file in log_path.parent.iterdir())
    ordered = [log_path.with_name(f"bot.log.{n}") for n in (3, 2, 1)] + [log_path]
    numbers = [
        orjson.loads(line)["number"] for file in ordered for line in file.read_bytes().splitlines()
    ]
    assert numbers == list(range(numbers[0], 100))


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compressed"])
def test_processes_share_a_rotating_file_without_loss(
    log_path: Path, read_events: Events, *, compress: bool
) -> None:
    """Four processes write 5,000 lines each and rotate: every line is there, whole, once."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(log_path), str(worker), str(compress)])
        for worker in range(4)
    ]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    events = read_events()
    assert sorted((int(event["worker"]), event["number"]) for event in events) == [
        (worker, number) for worker in range(4) for number in range(5_000)
    ]
    assert log_path.with_name("bot.log.1").exists() or compress


def test_backups_are_compressed_when_asked(log_path: Path, read_events: Events) -> None:
    """Rotated files become ``path.1.gz`` and so on, mode 0640, and their number is kept."""
    logkit.configure("bot", path=log_path, max_bytes=2_000, backups=3, compress=True)
    for number in range(100):
        logkit.get_logger("bot").info("counted", number=number)
        if number % 10 == 0:
            assert logkit.flush()
            finish_compression()
    assert logkit.flush()
    finish_compression()
    backups = sorted(log_path.parent.glob("bot.log.*[0-9]*"))
    assert [file.name for file in backups] == ["bot.log.1.gz", "bot.log.2.gz", "bot.log.3.gz"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in backups} == {0o640}
    numbers = [event["number"] for event in read_events()]
    assert sorted(numbers) == list(range(100 - len(numbers), 100))


def test_several_compressors_spoil_nothing(log_path: Path, read_events: Events) -> None:
    """Processes that rotate one path compress its backups at the same time."""
    for number in range(1, 40):
        line = orjson.dumps({"number": number}) + b"\n"
        log_path.with_name(f"bot.log.{number}").write_bytes(line * 100)
    log_path.touch()
    threads = [threading.Thread(target=compress_backups, args=(log_path,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    compress_backups(log_path)
    assert sorted(event["number"] for event in read_events()) == sorted([*range(1, 40)] * 100)
    assert all(file.suffix == ".gz" for file in log_path.parent.glob("bot.log.[0-9]*"))


def test_a_directory_that_turns_read_only_only_stops_rotation(log_path: Path) -> None:
    """Where a rename is refused, lines go on into the same file, and the failures are counted."""
    log_path.parent.joinpath("bot.log.1").mkdir()
    log_path.parent.joinpath("bot.log.1", "in_the_way").touch()
    errors_before = logkit.stats()["write_errors"]
    logkit.configure("bot", path=log_path, max_bytes=2_000, backups=1)
    for number in range(100):
        logkit.get_logger("bot").info("counted", number=number)
    assert logkit.flush()
    lines = [orjson.loads(line) for line in log_path.read_bytes().splitlines()]
    assert [event["number"] for event in lines if "number" in event] == list(range(100))
    assert logkit.stats()["write_errors"] > errors_before


@pytest.mark.parametrize("how", ["renamed", "deleted", "directory_deleted"])
def test_a_file_that_somebody_else_moves_is_opened_again(
    events: Events, log_path: Path, how: str
) -> None:
    """Logrotate needs no signal: the next event goes to a new file at the path."""
    logkit.get_logger("bot").info("before")
    assert logkit.flush()
    if how == "renamed":
        log_path.rename(log_path.with_name("moved"))
    else:
        log_path.unlink()
    if how == "directory_deleted":
        log_path.with_name("bot.log.lock").unlink()
        log_path.parent.rmdir()
    logkit.get_logger("bot").info("after")
    assert [event["event"] for event in events()] == ["after"]


def test_a_torn_last_line_does_not_swallow_the_next(log_path: Path) -> None:
    """After a crash in the middle of a line, new events start on a line of their own."""
    log_path.write_bytes(b'{"event":"who')
    logkit.configure("bot", path=log_path)
    logkit.get_logger("bot").info("started")
    assert logkit.flush()
    torn, whole = log_path.read_bytes().splitlines()
    assert torn == b'{"event":"who'
    assert orjson.loads(whole)["event"] == "started"


def test_what_a_full_disk_has_half_taken_is_written_again_whole(
    log_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk fills up in the middle of a line, no half of it stays."""
    output = RotatingFile(log_path)
    output.append(b"first\n")
    real_write, calls = os.write, []

    def tearing_write(descriptor: int, data: bytes) -> int:
        calls.append(data)
        if len(calls) == 1:
            return real_write(descriptor, data[:9])
        raise OSError(errno.ENOSPC, "disk full")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", tearing_write)
        assert output.append(b"second\nthird\n") == len(b"second\n")
        with pytest.raises(OSError, match="disk full"):
            output.append(b"third\n")
    output.append(b"third\n")
    output.close()
    assert log_path.read_bytes() == b"first\nsecond\nthird\n"


def test_a_fifo_is_written_as_it_is(log_path: Path) -> None:
    """The path may be a FIFO; opening it does not wait for a reader."""
    os.mkfifo(log_path)
    logkit.configure("bot", path=log_path)
    logkit.get_logger("bot").info("piped")
    with log_path.open("rb") as reader:
        assert orjson.loads(reader.readline())["event"] == "piped"


def test_threads_write_whole_lines(events: Events) -> None:
    """Lines of several threads do not mix, and each has its own number."""

    def work(worker: int) -> None:
        for number in range(200):
            logkit.get_logger("bot").info("counted", worker=worker, number=number)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = events()
    numbers = sorted(event["seq"] for event in written)
    assert numbers == list(range(numbers[0], numbers[0] + 800))


def test_standard_output_gets_json_when_it_is_no_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Without a path events go to standard output, one JSON object a line."""
    logkit.configure("bot")
    logkit.get_logger("bot").info("started")
    assert logkit.flush()
    assert orjson.loads(capfd.readouterr().out)["service"] == "bot"


@pytest.mark.parametrize("no_color", ["", "1"], ids=["colours", "NO_COLOR"])
def test_a_terminal_gets_a_readable_form(no_color: str) -> None:
    """On a terminal: time, level, event, message, fields, stack; no control characters of data."""
    code = (
        "import logkit; logkit.configure('bot'); log = logkit.get_logger('bot.api')\n"
        "log.warning('Slow call of %s', 'x', note='a\\x1b[2Jb', text='two words', n=3)\n"
        "try: 1/0\n"
        "except ZeroDivisionError: log.exception('command_failed')\n"
    )
    leader, follower = pty.openpty()
    environment = {**os.environ, "NO_COLOR": no_color}
    subprocess.run([sys.executable, "-c", code], stdout=follower, check=True, env=environment)
    os.close(follower)
    shown = os.read(leader, 65_536).decode()
    os.close(leader)
    assert ("\x1b[33m" in shown) == (not no_color)
    assert "\x1b[2J" not in shown
    for part in ("slow_call_of", "Slow call of x", "a\\x1b[2Jb", '"two words"', "bot.api"):
        assert part in shown
    assert "\n    <string>:3 <module>" in shown.replace("\r", "")


def test_events_written_before_exit_are_in_the_file(log_path: Path) -> None:
    """At a normal exit nothing is lost, without flush() or close()."""
    code = (
        f"import logkit; logkit.configure('bot', path={str(log_path)!r})\n"
        "for n in range(1000): logkit.get_logger('bot').info('counted', n=n)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert len(log_path.read_bytes().splitlines()) == 1_000


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors have names on Linux")
@pytest.mark.parametrize("path", ["/dev/fd/1", "/proc/self/fd/1"])
def test_a_descriptor_is_no_file_to_rotate(tmp_path: Path, path: str) -> None:
    """What a shell has redirected gets all lines after those of others, and stays where it is."""
    code = f"""
import logkit, sys
print("before", flush=True)
logkit.configure("bot", path={path!r}, max_bytes=500)
for number in range(20):
    logkit.get_logger("bot").info("tick", number=number)
logkit.flush()
print(logkit.stats()["write_errors"], flush=True)
"""
    target = tmp_path / "redirected"
    with target.open("wb") as output:
        subprocess.run([sys.executable, "-c", code], stdout=output, check=True)
    first, *lines, last = target.read_text().splitlines()
    assert (first, last) == ("before", "0")
    assert [orjson.loads(line)["number"] for line in lines] == list(range(20))
    assert list(tmp_path.iterdir()) == [target]


def test_standard_streams_have_keys_by_service() -> None:
    """What one bot has left behind is not written to another's standard error."""
    keys = {Destination(service, "/dev/stderr").key for service in ("a", "b")}
    assert len(keys) == 2
    assert Destination("a", "/x/bot.log").key == Destination("b", "/x/bot.log").key
