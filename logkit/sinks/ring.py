"""Lines in memory that outlives the process: a preallocated byte ring, usually in shared memory.

Layout of the file: 64 bytes of 8-byte words (magic, head, tail), the owner as JSON up to byte
8,192, then the ring. Head and tail count all bytes that were ever put in and taken out; the
bytes between them are whole lines. Whoever puts a line in copies it first and moves the head
afterwards, so whatever moment the process dies at, the ring holds whole lines only.
"""

from __future__ import annotations

import json
import mmap
import os
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

from logkit.schema import MAX_LINE_BYTES
from logkit.sinks.destination import Destination

HEADER_BYTES = 8_192
HEAD_WORD, TAIL_WORD = 1, 2
_MAGIC_WORD = 0
_WORD_BYTES, _WORDS_BYTES = 8, 64
_MAGIC = int.from_bytes(b"logkit01", "little")


class UnreadableRingError(Exception):
    """A file looks like a ring and cannot be read; what it holds is left alone."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who filled a ring, and where its lines belong.

    Attributes:
        instance: Instance of the process; each of its lines carries it.
        created_at: When the ring was made, in seconds since 1970.
        destination: Where the lines go.
        secret_variables: Environment variables whose values the lines may hold.
        registered_secrets: How many other secrets they may hold.
    """

    instance: str
    created_at: float
    destination: Destination
    secret_variables: list[str] = field(default_factory=list)
    registered_secrets: int = 0

    def to_bytes(self) -> bytes:
        """Return the owner as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False).encode("utf-8", "surrogatepass")

    @classmethod
    def from_bytes(cls, label: bytes) -> Owner:
        """Return the owner that ``to_bytes`` has written.

        Raises:
            TypeError, ValueError: It has not.
        """
        fields = json.loads(label.decode("utf-8", "surrogatepass"))
        destination = Destination(**fields.pop("destination", {}))
        return cls(**fields, destination=destination)


class Ring:
    """The ring in one mapped file. One thread may put in while another takes out.

    Attributes:
        capacity: Bytes that fit.
        memory: The mapped file.
        words: The 8-byte words at its beginning.
        owner: Who filled it.
    """

    __slots__ = ("capacity", "memory", "owner", "words")

    def __init__(self, memory: mmap.mmap, capacity: int, owner: Owner) -> None:
        self.memory = memory
        self.words = memoryview(memory)[:_WORDS_BYTES].cast("Q")
        self.capacity = capacity
        self.owner = owner

    @classmethod
    def create(cls, descriptor: int, capacity: int, owner: Owner) -> Ring:
        """Lay out a new ring in an empty file, or in memory alone if *descriptor* is -1.

        Raises:
            OSError: There is no room.
        """
        size = HEADER_BYTES + capacity
        if descriptor >= 0:
            _allocate(descriptor, size)
        ring = cls(_map(descriptor, size), capacity, owner)
        label = owner.to_bytes()
        ring.memory[_WORDS_BYTES : _WORDS_BYTES + len(label)] = label
        ring.words[_MAGIC_WORD] = _MAGIC
        return ring

    @classmethod
    def load(cls, descriptor: int) -> Ring | None:
        """Return the ring in a file, or ``None`` if its owner died before it was laid out.

        Raises:
            UnreadableRingError: It is damaged, or that of another version of logkit.
        """
        size = os.fstat(descriptor).st_size
        if size <= HEADER_BYTES:
            return None
        memory = mmap.mmap(descriptor, size)
        magic = int.from_bytes(memory[:_WORD_BYTES], sys.byteorder)
        label = memory[_WORDS_BYTES:HEADER_BYTES].rstrip(b"\0")
        try:
            if not magic:
                return None
            if magic != _MAGIC:
                raise UnreadableRingError("another version of logkit has made it")
            ring = cls(memory, size - HEADER_BYTES, Owner.from_bytes(label))
        except (TypeError, ValueError) as error:
            raise UnreadableRingError("its label is damaged") from error
        if 0 <= ring.used <= ring.capacity:
            return ring
        ring.close()
        raise UnreadableRingError("its counts are damaged")

    @property
    def head(self) -> int:
        """Return the bytes that were ever put in."""
        return self.words[HEAD_WORD]

    @property
    def tail(self) -> int:
        """Return the bytes that were ever taken out."""
        return self.words[TAIL_WORD]

    @property
    def used(self) -> int:
        """Return the bytes that were put in and not yet taken out."""
        return self.words[HEAD_WORD] - self.words[TAIL_WORD]

    def push(self, line: bytes) -> None:
        """Put a line in, also across the end of the memory; the caller knows that it fits."""
        head = self.words[HEAD_WORD]
        at = head % self.capacity
        first = line[: self.capacity - at]
        self.memory[HEADER_BYTES + at : HEADER_BYTES + at + len(first)] = first
        rest = line[len(first) :]
        self.memory[HEADER_BYTES : HEADER_BYTES + len(rest)] = rest
        self.words[HEAD_WORD] = head + len(line)

    def peek(self, max_bytes: int) -> bytes:
        """Return the oldest lines: up to *max_bytes*, but at least one if there is one."""
        used = self.used
        lines = self._read(min(used, max_bytes))
        whole = lines.rfind(b"\n") + 1
        if not whole and used:
            lines = self._read(min(used, MAX_LINE_BYTES))
            whole = (lines.find(b"\n") + 1) or len(lines)
        return lines if whole == len(lines) else lines[:whole]

    def advance(self, size: int) -> None:
        """Take the oldest *size* bytes out."""
        self.words[TAIL_WORD] += size

    def close(self) -> None:
        """Unmap the memory; the file stays."""
        self.words.release()
        self.memory.close()

    def _read(self, size: int) -> bytes:
        at = self.words[TAIL_WORD] % self.capacity
        lines = self.memory[HEADER_BYTES + at : HEADER_BYTES + min(at + size, self.capacity)]
        if len(lines) < size:
            lines += self.memory[HEADER_BYTES : HEADER_BYTES + size - len(lines)]
        return lines


def _map(descriptor: int, size: int) -> mmap.mmap:
    if sys.platform != "linux":
        return mmap.mmap(descriptor, size)
    # All pages at once take 1 ms; one by one, log calls would pay 4 us for every tenth line.
    flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
    return mmap.mmap(descriptor, size, flags if descriptor >= 0 else flags | mmap.MAP_ANONYMOUS)


def _allocate(descriptor: int, size: int) -> None:
    # Without room set aside, the first write to a page beyond a full tmpfs kills the process.
    allocate: Any = getattr(os, "posix_fallocate", None)
    if allocate is not None:
        allocate(descriptor, 0, size)
        return
    for _ in range(0, size, 65_536):
        os.write(descriptor, bytes(65_536))
    os.ftruncate(descriptor, size)
