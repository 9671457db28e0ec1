"""Users, guilds, channels and chats under other names, the same ones wherever they are met.

A pseudonym is a keyed hash (HMAC-SHA256, RFC 2104) of the id. Without the key, which stays beside
the database, nobody can try all ids to find whose it is.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from logkit_analysis import engine
from logkit_analysis.reports.document import Query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

    from logkit_analysis.reports.document import Document

_T = TypeVar("_T")
_KINDS = {"user_id": "user", "guild_id": "guild", "channel_id": "channel", "chat_id": "chat"}
_KEY_BYTES = 32
_SHOWN_DIGITS = 8
# So long an id is no word by chance: it is replaced within other words too.
_TELLING = 8
_LEAST_PLAIN, _LEAST = 5, 3
_PLAIN = re.compile(r"[A-Za-z0-9]*")
_ALONE = (r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])")
_WORD_START = re.compile(rf"{_ALONE[0]}(?=\S)")
# Ids that no event names in a field of its own, as in <@80351110224678912>.
_SNOWFLAKE = re.compile(
    rf"(?<![0-9.])[0-9]{{17,20}}(?![0-9])|(?<![A-Za-z0-9.])[0-9]{{15,16}}{_ALONE[1]}"
)


def redacted(document: Document, connection: duckdb.DuckDBPyConnection, key: bytes) -> Document:
    """Return *document* with pseudonyms in place of ids, in texts and parameters too.

    An id is what some event of the database has as user_id, guild_id, channel_id or chat_id and
    is five characters or longer, or three with one that is no ASCII letter or digit; or else any
    number of 15 to 20 digits. From eight characters on it is found within other words too.
    """
    known_ids = _known(connection, set(_texts(document)))
    names = {value: _name(kind, value, key) for value, kind in known_ids.items()}
    known = re.compile("|".join(map(_pattern, sorted(names, key=len, reverse=True))))

    def replaced(text: str) -> str:
        if names:
            text = known.sub(lambda match: names[match[0]], text)
        return _SNOWFLAKE.sub(lambda match: _name("id", match[0], key), text)

    hidden = _mapped(document, replaced)
    told = "users, guilds, channels and chats have pseudonyms"
    return replace(hidden, facts=(*hidden.facts, ("Redacted", told)))


def pseudonym_key(database: Path) -> bytes:
    """Return the key of *database*, which lies beside it and is made when there is none.

    Where it cannot be kept, the key is a new one each time.
    """
    path = database.with_name(f"{database.name}.pseudonyms")
    with suppress(OSError):
        key = path.read_bytes()
        if len(key) == _KEY_BYTES:
            return key
    key = secrets.token_bytes(_KEY_BYTES)
    with suppress(OSError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key)
    return key


def _known(connection: duckdb.DuckDBPyConnection, texts: set[str]) -> dict[str, str]:
    """Return the ids that stand in *texts*, and of what kind they are."""
    whole = "\n".join(texts)
    ends = sorted({end for text in texts for end in _ends(text)})
    kinds: dict[str, str] = {}
    for column, kind in _KINDS.items():
        sql = f"""
            select distinct {column} from events
            where length({column}) >= {_LEAST}
                and right({column}, {_TELLING}) in (select unnest($ends))
        """  # noqa: S608 our own names and numbers
        for row in engine.run_sql(connection, sql, {"ends": ends}).rows:
            value = str(row[0])
            if value in whole and (len(value) >= _LEAST_PLAIN or not _PLAIN.fullmatch(value)):
                kinds.setdefault(value, kind)
    return kinds


def _ends(text: str) -> Iterator[str]:
    """Yield what the last characters of an id in *text* may be; millions of ids are looked up."""
    for start in range(len(text) - _TELLING + 1):
        yield text[start : start + _TELLING]
    for match in _WORD_START.finditer(text):
        for length in range(_LEAST, _TELLING):
            yield text[match.start() : match.start() + length]


def _pattern(id_: str) -> str:
    pattern = re.escape(id_)
    return pattern if len(id_) >= _TELLING else pattern.join(_ALONE)


def _name(kind: str, value: str, key: bytes) -> str:
    digest = hmac.new(key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()
    return f"{kind}-{digest[:_SHOWN_DIGITS]}"


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list() | tuple():
            for item in value:
                yield from _texts(item)
        case _ if is_dataclass(value):
            for field in fields(value):
                yield from _texts(getattr(value, field.name))


def _mapped(value: _T, change: Any) -> _T:
    """Return *value* with every text in it changed; statements are ours and stay."""
    changed: Any = value
    match value:
        case str():
            changed = change(value)
        case dict():
            changed = {name: _mapped(item, change) for name, item in value.items()}
        case list() | tuple():
            changed = type(value)(_mapped(item, change) for item in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            parts = {
                field.name: _mapped(getattr(value, field.name), change)
                for field in fields(value)
                if not (isinstance(value, Query) and field.name == "sql")
            }
            changed = replace(value, **parts)
    result: _T = changed
    return result
