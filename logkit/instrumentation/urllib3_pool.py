"""urllib3, and with it requests: each attempt of a pool, those of its ``Retry`` one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from logkit.instrumentation.calls import Call, Request, begin, current_call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logkit.instrumentation.hooks import Hooks


def install(hooks: Hooks) -> None:
    """Place hooks into every connection pool.

    Raises:
        ImportError: urllib3 is not installed.
    """
    import urllib3

    def make(original: Any) -> Any:
        def make_request(
            pool: Any, connection: Any, method: str, url: str, *rest: Any, **options: Any
        ) -> Any:
            call = begin(hooks, lambda: _described(pool, method, url, options))
            if call is None:
                return original(pool, connection, method, url, *rest, **options)
            if hooks.injects and options.get("headers") is not None:
                options["headers"] = call.inject(options["headers"].copy())
            token = current_call.set(call)
            try:
                response = original(pool, connection, method, url, *rest, **options)
            except BaseException as error:
                call.finish(error)
                raise
            finally:
                current_call.reset(token)
            _watch(call, response)
            return response

        return make_request

    hooks.place(urllib3.connectionpool.HTTPConnectionPool, "_make_request", make)


def _described(pool: Any, method: str, url: str, options: dict[str, Any]) -> Request:
    target = urlsplit(url)  # a proxy is asked for the whole URL
    body, retries = options.get("body"), options.get("retries")
    failures = [past for past in getattr(retries, "history", ()) if past.redirect_location is None]
    return Request(
        method=method.upper(),
        host=target.hostname or pool.host,
        path=target.path,
        body=body if isinstance(body, str | bytes) else None,
        attempt=len(failures) or None,
    )


def _watch(call: Call, response: Any) -> None:
    call.answered(response.status, response.headers)
    if response.closed:  # its body was read at once
        call.finish(body=response.data)
    else:
        _watch_body(call, response)


def _watch_body(call: Call, response: Any) -> None:
    """Follow the body through the methods of this one response by which it can be read."""
    read, read_chunked = response.read, response.read_chunked
    drain, close = response.drain_conn, response.close

    def watched_read(*arguments: Any, **options: Any) -> Any:
        try:
            data = read(*arguments, **options)
        except BaseException as error:
            call.finish(error)
            raise
        call.received(data)
        if response.closed:
            call.finish()
        return data

    def watched_read_chunked(*arguments: Any, **options: Any) -> Iterator[Any]:
        try:
            for chunk in read_chunked(*arguments, **options):
                call.received(chunk)
                yield chunk
        except GeneratorExit:
            raise
        except BaseException as error:
            call.finish(error)
            raise
        call.finish()

    def ended(end: Any) -> Any:
        def watched_end() -> None:
            try:
                end()
            finally:
                call.finish()

        return watched_end

    response.read, response.read_chunked = watched_read, watched_read_chunked
    response.drain_conn, response.close = ended(drain), ended(close)
