"""The request line of an access log."""

from __future__ import annotations

import re

_REQUEST = re.compile(r"(?P<method>[A-Z][A-Z\-]*) (?P<target>\S+)(?: (?P<protocol>HTTP/[\d.]+))?")


def read_request(request: str) -> dict[str, object]:
    """Return method, endpoint (the path) and the rest of a request line.

    What is no HTTP request, as scanners send it, stays ``request``.
    """
    found = _REQUEST.fullmatch(request)
    if found is None:
        return {"request": request}
    path, mark, query = found["target"].partition("?")
    fields: dict[str, object] = {"method": found["method"], "endpoint": path}
    if mark:
        fields["query"] = query
    if found["protocol"]:
        fields["protocol"] = found["protocol"]
    return fields
