"""What a request asked for, as its span says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logkit.endpoints import endpoint_of

if TYPE_CHECKING:
    from logkit.propagation import extract


def describe(request: extract, method: object, path: object) -> None:
    """Name the span of *request* by method and endpoint, if spans are recorded at all."""
    if request.is_recorded and isinstance(method, str) and isinstance(path, str):
        endpoint = endpoint_of("", path)
        request.rename(f"{method} {endpoint}")
        request.add(method=method, endpoint=endpoint)
