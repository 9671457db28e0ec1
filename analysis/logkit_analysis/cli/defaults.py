"""Settings become the defaults of the flags of the same name."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logkit_analysis.cli import notes
from logkit_analysis.settings import Layer, load_layers

if TYPE_CHECKING:
    import typer


# Tables that are no settings of a command.
_TABLES = {"formats"}


@dataclass(frozen=True, slots=True)
class Place:
    """A setting's value and the name of the place that gave it."""

    value: object
    origin: str


@dataclass(slots=True)
class Origins:
    """Where defaults come from.

    Attributes:
        places: Which place gave which default, by command path and flag.
        choices: The words that some command takes for a flag.
    """

    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    choices: dict[str | None, frozenset[str]] = field(default_factory=dict)


def apply_settings(context: typer.Context) -> None:
    """Make the settings of all layers the defaults of *context*'s commands.

    A key that no flag has is named on stderr with its file.

    Raises:
        SettingsFileError: A settings file is there and is no TOML.
    """
    origins = Origins(choices=_all_choices(context.command))
    defaults: dict[str, Any] = {}
    for layer in reversed(load_layers(os.environ, Path.cwd())):
        known = _fill(context.command, "", layer, layer.values, defaults, origins)
        if layer.origin != "environment":
            _name_unknown(layer, known | _TABLES)
    context.default_map = defaults
    context.obj = origins


def origin_of(context: typer.Context, parameter_name: str, flag: str) -> str | None:
    """Return the place in the settings that gave a parameter of *context*'s command its value."""
    source = context.get_parameter_source(parameter_name)
    origins = context.find_root().obj
    if source is None or source.name != "DEFAULT_MAP" or not isinstance(origins, Origins):
        return None
    _, _, path = context.command_path.partition(" ")
    place = origins.places.get((path, flag))
    return place.origin if place else None


def settings_problem(error: typer.TyperException) -> str | None:
    """Return what a setting's place and key are told for *error*, ``None`` if a flag was wrong."""
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    flag = None if parameter is None else _flag(parameter)
    if context is None or parameter is None or flag is None:
        return None
    origin = origin_of(context, parameter.name, flag)
    key = "" if origin and origin.startswith("LOGKIT_") else f" {flag}:"
    reason = str(getattr(error, "message", error)).removeprefix("Value error, ")
    return f"{origin}:{key} {reason}" if origin else None


def _fill(
    command: Any,
    path: str,
    layer: Layer,
    values: Any,
    defaults: dict[str, Any],
    origins: Origins,
) -> set[str]:
    """Put the values that *command* and its subcommands take into *defaults*; return their keys."""
    known: set[str] = set()
    for name, child in getattr(command, "commands", {}).items():
        key = name.replace("-", "_")
        child_defaults = defaults.setdefault(name, {})
        own = values.get(key)
        child_path = f"{path} {name}".strip()
        known |= _fill(child, child_path, layer, values, child_defaults, origins)
        if isinstance(own, dict):
            used = _fill(child, child_path, layer, own, child_defaults, origins)
            _name_unknown(Layer(f"{layer.origin} [{key}]", own), used)
            known.add(key)
    for parameter in command.params:
        flag = _flag(parameter)
        if flag is None or parameter.is_eager:
            continue
        known.add(flag)
        if flag in values and not isinstance(values[flag], dict):
            value = values[flag]
            if values is layer.values and _is_for_others(parameter, value, origins.choices[flag]):
                continue
            is_list = parameter.multiple and not isinstance(value, list)
            defaults[parameter.name] = [value] if is_list else value
            origins.places[path, flag] = Place(value, _origin(layer, flag))
    return known


def _all_choices(command: Any) -> dict[str | None, frozenset[str]]:
    found: dict[str | None, frozenset[str]] = {}
    parts = [_all_choices(child) for child in getattr(command, "commands", {}).values()]
    parts += [{_flag(parameter): _choices(parameter)} for parameter in command.params]
    for part in parts:
        for flag, words in part.items():
            found[flag] = found.get(flag, frozenset()) | words
    return found


def _choices(parameter: Any) -> frozenset[str]:
    """Return the words that *parameter* takes; none where it takes any."""
    kind = parameter.type_descriptor.annotation
    return frozenset(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else frozenset()


def _is_for_others(parameter: Any, value: object, somewhere: frozenset[str]) -> bool:
    """Return whether a setting for all commands is a word that only other commands take."""
    own = _choices(parameter)
    return bool(own) and value not in own and value in somewhere


def _flag(parameter: Any) -> str | None:
    longest = [option for option in parameter.opts if option.startswith("--")]
    return longest[0][2:].replace("-", "_") if longest else None


def _origin(layer: Layer, flag: str) -> str:
    return f"LOGKIT_{flag.upper()}" if layer.origin == "environment" else layer.origin


def _name_unknown(layer: Layer, known: set[str]) -> None:
    for key in layer.values:
        if key not in known:
            near = get_close_matches(key, sorted(known), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            notes.note(f"logkit: {layer.origin}: unknown setting {key!r}{hint}")
