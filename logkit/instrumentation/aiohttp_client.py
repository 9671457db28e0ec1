"""aiohttp's client, and with it discord.py and its forks, aiogram and slack_sdk's async client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logkit.instrumentation.calls import Call, Request, begin, current_call
from logkit.plain import attribute_of

if TYPE_CHECKING:
    from logkit.instrumentation.hooks import Hooks

_CALL = "_logkit_call"


def install(hooks: Hooks) -> None:
    """Place hooks into every client session.

    Raises:
        ImportError: aiohttp is not installed.
    """
    import aiohttp

    def make_request(original: Any) -> Any:
        async def request(session: Any, method: str, url: Any, **options: Any) -> Any:
            call = begin(hooks, lambda: _described(session, method, url, options))
            if call is None:
                return await original(session, method, url, **options)
            if hooks.injects:
                options["headers"] = _with_correlation(call, session, options.get("headers"))
            token = current_call.set(call)
            try:
                response = await original(session, method, url, **options)
            except BaseException as error:
                _finish_refused(call, error)
                raise
            finally:
                current_call.reset(token)
            _watch(call, response)
            return response

        return request

    hooks.place(aiohttp.ClientSession, "_request", make_request)
    hooks.place(aiohttp.ClientResponse, "read", _make_read)
    hooks.place(aiohttp.ClientResponse, "release", _make_end)
    hooks.place(aiohttp.ClientResponse, "close", _make_end)


def _described(session: Any, method: str, url: Any, options: dict[str, Any]) -> Request:
    full_url = session._build_url(url)
    data = options.get("data")
    return Request(
        method=method.upper(),
        host=full_url.host or "",
        path=full_url.raw_path,
        body=data if isinstance(data, str | bytes) else None,
    )


def _with_correlation(call: Call, session: Any, given: Any) -> Any:
    from multidict import CIMultiDict

    headers = CIMultiDict(given or {})
    for name, value in call.inject({}).items():
        if name not in headers and name not in session.headers:
            headers[name] = value
    return headers


def _finish_refused(call: Call, error: BaseException) -> None:
    """Log an attempt that raised; ``raise_for_status`` has the answer inside its exception."""
    status, headers = attribute_of(error, "status"), attribute_of(error, "headers")
    if isinstance(status, int) and status >= 400 and headers is not None:
        call.answered(status, headers)
    call.finish(error)


def _watch(call: Call, response: Any) -> None:
    call.answered(response.status, response.headers)
    if response.status == 101:  # a websocket, which lives on as something else than a call
        call.finish()
    else:
        vars(response)[_CALL] = call


def _make_read(original: Any) -> Any:
    async def read(response: Any) -> Any:
        # Taken away meanwhile: on an error aiohttp closes the response before it raises.
        call = vars(response).pop(_CALL, None)
        try:
            body = await original(response)
        except BaseException as error:
            if call is not None:
                call.finish(error)
            raise
        if call is not None:
            call.finish(body=body)
        return body

    return read


def _make_end(original: Any) -> Any:
    def end(response: Any) -> Any:
        call = vars(response).pop(_CALL, None)
        if call is not None:
            content = getattr(response, "content", None)
            call.finish(content.exception() if content is not None else None)
        return original(response)

    return end
