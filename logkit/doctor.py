"""``python -m logkit doctor module:function``: sets logging up as the bot does, and looks at it."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from pathlib import Path

from logkit.diagnosis import diagnose

_HEALTHY, _FAILED, _USAGE, _TROUBLE = 0, 1, 2, 10


def examine(target: str) -> int:
    """Run *target*, print the diagnosis, and return an exit code.

    Args:
        target: ``module``, or ``module:function`` for what sets logging up: a call without
            arguments that returns.

    Returns:
        0, or 10 if something will be lost or written twice, 1 if the target failed, 2 if there is
        none of that name.
    """
    module_name, _, function_name = target.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        module = import_module(module_name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the bot's own code
        is_absent = isinstance(error, ModuleNotFoundError) and error.name in _packages(module_name)
        if is_absent or not module_name:
            return _complain(_USAGE, f"there is no module {module_name!r} in {Path.cwd()}")
        return _complain(_FAILED, f"importing {module_name!r} failed: {error!r}")
    function = getattr(module, function_name, None) if function_name else None
    if function_name and not callable(function):
        return _complain(_USAGE, f"{module_name!r} has no function {function_name!r}")
    if inspect.iscoroutinefunction(function):
        text = f"{target!r} is a coroutine function; name the function that sets logging up"
        return _complain(_USAGE, text)
    try:
        if function is not None:
            function()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the bot's own code
        return _complain(_FAILED, f"{target!r} failed: {error!r}")
    diagnosis = diagnose()
    sys.stdout.write(f"{diagnosis}\n")
    return _HEALTHY if diagnosis.is_healthy else _TROUBLE


def _packages(module_name: str) -> list[str]:
    """Return the module and the packages that it lies in."""
    parts = module_name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _complain(exit_code: int, text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return exit_code
