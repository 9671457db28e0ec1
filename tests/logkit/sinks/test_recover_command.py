"""``python -m logkit recover`` where several run at once, and where rings are damaged."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import orjson
import pytest

import logkit
from logkit.sinks.destination import Destination
from logkit.sinks.ring import HEAD_WORD, HEADER_BYTES, Owner
from logkit.sinks.ring_files import create, create_file, left_behind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Events = Callable[[], list[dict[str, Any]]]
    Start = Callable[..., subprocess.Popen[bytes]]

CAPACITY = 262_144


def recovery(rings: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "logkit", "recover", "--ring-dir", str(rings), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, told = process.communicate(timeout=30)
    return process.returncode, told


@pytest.fixture
def rings(tmp_path: Path) -> Path:
    """Return a folder for the rings of this test."""
    folder = tmp_path / "rings"
    folder.mkdir()
    return folder


def leave(rings: Path, log_path: Path, count: int = 100) -> Path:
    """Leave a ring with events behind, as a process does that dies before it has written any."""
    owner = Owner("dead", time.time(), Destination("bot", str(log_path)))
    ring_file = create([rings], CAPACITY, owner)
    assert ring_file.path is not None
    for seq in range(count):
        line = orjson.dumps({"event": "counted", "instance": "dead", "seq": seq}) + b"\n"
        ring_file.ring.push(line)
    ring_file.close()
    return ring_file.path


def test_the_log_of_one_bot_is_recovered(rings: Path, tmp_path: Path) -> None:
    """With a path, what other bots have left behind stays for them."""
    left = [leave(rings, tmp_path / name) for name in ("one.log", "other.log")]
    assert finished(recovery(rings, str(tmp_path / "one.log")))[0] == 0
    assert sequence(tmp_path / "one.log") == list(range(100))
    assert [path.exists() for path in left] == [False, True]
    assert not (tmp_path / "other.log").exists()


def sequence(log_path: Path) -> list[int]:
    return [orjson.loads(line)["seq"] for line in log_path.read_bytes().splitlines()]


def test_several_recoveries_and_a_start_at_once_write_each_event_once(
    rings: Path, log_path: Path
) -> None:
    """Whoever comes first has the ring; the others find nothing to do."""
    for _ in range(3):
        leave(rings, log_path)
    running = [recovery(rings) for _ in range(3)]
    logkit.configure("bot", path=log_path, ring_dir=rings)
    assert logkit.flush()
    assert [finished(process)[0] for process in running] == [0, 0, 0]
    assert sorted(sequence(log_path)) == list(range(100))
    logkit.configure("bot", path=log_path.with_name("other.log"), ring_dir=rings)
    assert len(list(rings.iterdir())) == 1


def test_a_ring_of_another_version_is_kept_and_told(rings: Path, log_path: Path) -> None:
    """Neither the command nor a bot that starts deletes what it cannot read, however old."""
    ring = leave(rings, log_path)
    content = bytearray(ring.read_bytes())
    content[:8] = b"logkit99"
    ring.write_bytes(content)
    os.utime(ring, (1, 1))
    logkit.configure("bot", path=log_path, ring_dir=rings)
    assert logkit.flush()
    code, told = finished(recovery(rings))
    assert code == 1
    assert f"cannot read {ring}: another version of logkit has made it" in told
    assert ring.read_bytes() == bytes(content)
    assert log_path.read_bytes() == b""


@pytest.mark.parametrize("damage", ["label", "counts"])
def test_a_damaged_ring_is_kept_and_told(rings: Path, log_path: Path, damage: str) -> None:
    """Other rings are recovered all the same."""
    ring = leave(rings, log_path)
    content = bytearray(ring.read_bytes())
    if damage == "label":
        content[64:128] = b"\xff" * 64
    else:
        content[8 * HEAD_WORD : 8 * HEAD_WORD + 8] = b"\xff" * 8
    ring.write_bytes(content)
    leave(rings, log_path)
    code, told = finished(recovery(rings))
    assert code == 1
    assert f"cannot read {ring}: its {damage}" in told
    assert "recovered 100 events" in told
    assert sequence(log_path) == list(range(100))
    assert list(rings.iterdir()) == [ring]


def test_a_ring_whose_owner_died_while_it_made_it_goes_away(rings: Path, log_path: Path) -> None:
    """Nothing can be in it; a young one is left to whoever may be making it."""
    begun = leave(rings, log_path)
    begun.write_bytes(bytes(HEADER_BYTES + CAPACITY))
    assert finished(recovery(rings)) == (0, "")
    assert begun.exists()
    os.utime(begun, (1, 1))
    assert finished(recovery(rings)) == (0, "")
    assert not begun.exists()


def test_what_is_torn_inside_a_ring_takes_nothing_else_with_it(rings: Path, log_path: Path) -> None:
    """Bytes of a line without an end are no line; those before are written whole."""
    path = leave(rings, log_path, count=0)
    (ring_file,) = left_behind([rings])
    for line in (b'{"seq":0,"instance":"dead"}\n', b'{"seq":1,"instance":"dead"}\n', b'{"seq":2,'):
        ring_file.ring.push(line)
    ring_file.close()
    code, told = finished(recovery(rings))
    assert (code, "recovered 2 events" in told) == (0, True)
    assert sequence(log_path) == [0, 1]
    assert not path.exists()


def test_without_shared_memory_the_ring_is_elsewhere(tmp_path: Path) -> None:
    """The next directory is taken, and one that has no room is left as it was."""
    owner = Owner("bot", time.time(), Destination("bot"))
    made = create([tmp_path / "missing", tmp_path], CAPACITY, owner)
    assert made.path is not None
    assert made.path.parent == tmp_path
    made.put_away()
    with pytest.raises(OSError, match=r"[Nn]o such file"):
        create_file(tmp_path / "missing" / "ring", CAPACITY, owner)


NO_ROOM = """
import resource
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
logkit.configure("bot", path=path, level="debug")
for n in range(500): log.info("counted", n=n)
"""


def test_a_full_ring_directory_costs_a_warning_and_no_event(
    start_bot: Start, read_events: Events, rings: Path
) -> None:
    """The ring is then in memory alone, which is told once."""
    bot = start_bot(NO_ROOM, ring_dir=str(rings))
    _, told = bot.communicate(timeout=60)
    assert bot.returncode == 0
    assert told.decode().count("no room for the ring") == 1
    assert [event["n"] for event in read_events()] == list(range(500))
    assert list(rings.iterdir()) == []


def test_nothing_to_do_says_nothing(rings: Path) -> None:
    """No ring, no word, no trouble; also where the directory does not exist."""
    assert finished(recovery(rings)) == (0, "")
    assert finished(recovery(rings / "missing")) == (0, "")


def test_standard_output_is_recovered_to_standard_output(rings: Path) -> None:
    """What a container's bot has left comes out of the command, each event once."""
    owner = Owner("dead", time.time(), Destination("bot"))
    ring_file = create([rings], CAPACITY, owner)
    for seq in range(1_000):
        ring_file.ring.push(b'{"seq":%d,"instance":"dead"}\n' % seq)
    ring_file.close()
    written, told = recovery(rings).communicate(timeout=30)
    assert [orjson.loads(line)["seq"] for line in written.splitlines()] == list(range(1_000))
    assert "recovered 1000 events of dead into standard output" in told
