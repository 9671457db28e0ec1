"""Where settings come from: the environment, ./logkit.toml and the user's own config.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from logkit_analysis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "LOGKIT_"

# The bot reads these; a bot's environment must not filter what an operator looks at.
_BOT_SIDE = frozenset({"service", "path", "level", "env", "version", "signals_port"})


class SettingsFileError(UsageError):
    """A settings file is not what it should be."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The settings of one place.

    Attributes:
        origin: Name of the place for people, e.g. ``./logkit.toml``.
        values: Flag name without dashes in front (``-`` written as ``_``) to value; a mapping
            holds the settings of one command.
    """

    origin: str
    values: Mapping[str, object]


def load_layers(environ: Mapping[str, str], directory: Path) -> list[Layer]:
    """Return the layers below the flags, the strongest first.

    Args:
        environ: Environment variables.
        directory: Where ``logkit.toml`` is looked for.

    Raises:
        SettingsFileError: A file is there and is no TOML.
        OSError: A file is there and cannot be read.
    """
    home = environ.get("XDG_CONFIG_HOME") or "~/.config"
    files = [("./logkit.toml", directory / "logkit.toml")]
    own = Path(home).expanduser() / "logkit" / "config.toml"
    files.append((str(own), own))
    layers = [_environment(environ)]
    layers += [Layer(origin, _read(path)) for origin, path in files if path.is_file()]
    return layers


def _environment(environ: Mapping[str, str]) -> Layer:
    values = {
        name.removeprefix(_PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(_PREFIX) and value
    }
    return Layer("environment", {k: v for k, v in values.items() if k not in _BOT_SIDE})


def _read(path: Path) -> dict[str, object]:
    import tomllib

    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsFileError(f"{path} is no valid TOML: {error}") from error
    return _with_underscores(found)


def _with_underscores(table: Mapping[str, object]) -> dict[str, object]:
    return {
        key.replace("-", "_"): _with_underscores(value) if isinstance(value, dict) else value
        for key, value in table.items()
    }
