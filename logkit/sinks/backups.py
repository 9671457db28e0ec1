"""Rotated files: ``path.1`` is the newest, ``path.1.gz`` its compressed form."""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from logkit.sinks.locks import PathLock, try_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FILE_MODE = 0o640
_FORMS = ("", ".gz")
_CHUNK_BYTES = 262_144
_CLOSE_ON_EXEC = getattr(os, "O_CLOEXEC", 0)
_GZIP_FORMAT = 31
_COMPRESSION_LEVEL = 6


def lock_path(path: Path) -> Path:
    """Return the side file whose lock guards writing and rotation of *path*."""
    return path.with_name(f"{path.name}.lock")


def backup_path(path: Path, number: int, form: str = "") -> Path:
    """Return the name of backup *number* (1 is the newest); *form* is empty or ``.gz``."""
    return path.with_name(f"{path.name}.{number}{form}")


def backup_files(path: Path) -> Iterator[Path]:
    """Yield the backups of *path* that exist, newest first."""
    number = 1
    while present := [p for p in (backup_path(path, number, f) for f in _FORMS) if p.exists()]:
        yield from present
        number += 1


def rotate(path: Path, backups: int) -> None:
    """Make *path* its newest backup and keep *backups* of them; the caller holds the lock.

    Raises:
        OSError: The directory cannot be changed.
    """
    for form in _FORMS:
        backup_path(path, backups, form).unlink(missing_ok=True)
    for number in range(backups - 1, 0, -1):
        for form in _FORMS:
            with suppress(FileNotFoundError):
                backup_path(path, number, form).replace(backup_path(path, number + 1, form))
    path.replace(backup_path(path, 1))


def compress_backups(path: Path) -> None:
    """Compress every plain backup of *path*, unless another process is doing so."""
    with suppress(OSError):
        while _compress_oldest(path):
            pass


def _compress_oldest(path: Path) -> bool:
    plain = [file for file in backup_files(path) if file.suffix != ".gz"]
    if not plain:
        return False
    # Named like a lock, because it is one until it is complete, and readers leave locks alone.
    unfinished = path.with_name(f"{path.name}.gz.lock")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | _CLOSE_ON_EXEC, _FILE_MODE)
    try:
        if not try_lock(descriptor):
            return False
        # Whoever had the lock before may have moved the file into place as a backup.
        if _is_at(unfinished, descriptor):
            os.ftruncate(descriptor, 0)
            _put_in_place(path, unfinished, _compress(plain[-1], descriptor))
    finally:
        os.close(descriptor)
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    return path.exists() and os.path.samestat(os.fstat(descriptor), path.stat())


def _compress(source_path: Path, descriptor: int) -> int:
    """Write the compressed form, and return the inode of what was compressed."""
    compressor = zlib.compressobj(_COMPRESSION_LEVEL, wbits=_GZIP_FORMAT)
    with source_path.open("rb") as source:
        file_id = os.fstat(source.fileno()).st_ino
        while chunk := source.read(_CHUNK_BYTES):
            _write_all(descriptor, compressor.compress(chunk))
    _write_all(descriptor, compressor.flush())
    os.fsync(descriptor)
    return file_id


def _put_in_place(path: Path, compressed: Path, file_id: int) -> None:
    """Replace the backup whose inode is *file_id*, which may have moved on by now."""
    with PathLock(lock_path(path)):
        for plain in backup_files(path):
            if plain.stat().st_ino == file_id:
                compressed.replace(plain.with_name(f"{plain.name}.gz"))
                plain.unlink()
                return
        compressed.unlink()


def drop_compressed_originals(path: Path) -> None:
    """Remove each backup whose compressed form stands beside it; the caller holds the lock.

    A death between the two steps of putting that in place leaves both, and lines would count twice.
    """
    for plain in list(backup_files(path)):
        if plain.suffix != ".gz" and plain.with_name(f"{plain.name}.gz").exists():
            plain.unlink()


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
