"""Frameworks that set logging up after ``configure()`` was called: celery and gunicorn.

celery takes the root logger's handlers away when a worker starts, unless somebody listens to its
signal; gunicorn gives its loggers handlers of their own, again at each reload.
"""

from __future__ import annotations

import sys
from functools import wraps
from importlib.abc import MetaPathFinder
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_is_watching = False


def watch(take_over: Callable[[], None]) -> None:
    """Call *take_over* whenever one of the frameworks has set logging up, or would have.

    A framework that is not loaded yet is waited for: loading celery's signals for nothing would
    cost a bot 300 ms. Only the first call does something.
    """
    global _is_watching
    if _is_watching:
        return
    _is_watching = True
    _when_loaded("celery.signals", lambda module: _listen(module, take_over))
    _when_loaded("gunicorn.glogging", lambda module: _follow_setup(module, take_over))


def _listen(signals: Any, take_over: Callable[[], None]) -> None:
    # While there is a receiver, celery leaves all of logging to it.
    signals.setup_logging.connect(lambda **_: take_over(), weak=False, dispatch_uid="logkit")


def _follow_setup(glogging: Any, take_over: Callable[[], None]) -> None:
    set_up = glogging.Logger.setup

    @wraps(set_up)
    def set_up_and_take_over(self: Any, cfg: Any) -> None:
        set_up(self, cfg)
        take_over()

    glogging.Logger.setup = set_up_and_take_over


def _when_loaded(name: str, act: Callable[[ModuleType], None]) -> None:
    module = sys.modules.get(name)
    if module is not None:
        act(module)
    else:
        sys.meta_path.insert(0, _Waiting(name, act))


class _Waiting(MetaPathFinder):
    """Finds nothing itself, but sees the one module that it waits for being loaded."""

    def __init__(self, name: str, act: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._act = act

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - part of the protocol
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            self._follow(spec.loader)
        return spec

    def _follow(self, loader: Any) -> None:
        execute = loader.exec_module

        def execute_and_act(module: ModuleType) -> None:
            execute(module)
            self._act(module)

        loader.exec_module = execute_and_act
