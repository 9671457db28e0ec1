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
        function = getattr(module, function_name) if function_name else None
    except (ImportError, AttributeError, ValueError) as error:
        return _complain(_USAGE, f"cannot find {target!r}: {error}")
    except Exception as error:  # noqa: BLE001 - the bot's own code
        return _complain(_FAILED, f"importing {module_name!r} failed: {error!r}")
    if inspect.iscoroutinefunction(function):
        text = f"{target!r} is a coroutine function; name the function that sets logging up"
        return _complain(_USAGE, text)
    try:
        if function is not None:
            function()
    except Exception as error:  # noqa: BLE001 - the bot's own code
        return _complain(_FAILED, f"{target!r} failed: {error!r}")
    diagnosis = diagnose()
    sys.stdout.write(f"{diagnosis}\n")
    return _HEALTHY if diagnosis.is_healthy else _TROUBLE


def _complain(exit_code: int, text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return exit_code
