"""httpx and httpx2: each request that a client sends, redirects and retries one by one."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from logkit.instrumentation.calls import Call, Request, begin, current_call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from logkit.instrumentation.hooks import Hooks

RETRY_HEADER = "x-stainless-retry-count"
"""Where the clients of openai and anthropic tell the number of the attempt."""


def install(hooks: Hooks, module: str) -> None:
    """Place hooks into the clients of *module*, ``httpx`` or ``httpx2``.

    Raises:
        ImportError: It is not installed.
    """
    library = import_module(module)
    tee, async_tee = _tees(library)

    def make(original: Any) -> Any:
        def send(client: Any, request: Any) -> Any:
            call = _begin(hooks, request)
            if call is None:
                return original(client, request)
            token = current_call.set(call)
            try:
                response = original(client, request)
            except BaseException as error:
                call.finish(error)
                raise
            finally:
                current_call.reset(token)
            _watch(call, response, tee)
            return response

        return send

    def make_async(original: Any) -> Any:
        async def send(client: Any, request: Any) -> Any:
            call = _begin(hooks, request)
            if call is None:
                return await original(client, request)
            token = current_call.set(call)
            try:
                response = await original(client, request)
            except BaseException as error:
                call.finish(error)
                raise
            finally:
                current_call.reset(token)
            _watch(call, response, async_tee)
            return response

        return send

    hooks.place(library.Client, "_send_single_request", make)
    hooks.place(library.AsyncClient, "_send_single_request", make_async)


def _begin(hooks: Hooks, request: Any) -> Call | None:
    call = begin(hooks, lambda: _described(request))
    if call is not None and hooks.injects:
        call.inject(request.headers)
    return call


def _described(request: Any) -> Request:
    told = request.headers.get(RETRY_HEADER, "")
    return Request(
        method=request.method,
        host=request.url.host,
        path=request.url.raw_path.decode("ascii", "replace"),
        # A body that is a stream has not been read, and must not be for this.
        body=getattr(request, "_content", None),
        attempt=int(told) if told.isdecimal() and len(told) < 5 else None,
    )


def _watch(call: Call, response: Any, tee: Any) -> None:
    call.answered(response.status_code, response.headers)
    if response.is_closed or response.status_code == 101:
        call.finish(body=getattr(response, "_content", None))
    else:
        response.stream = tee(response.stream, call, response.headers)


def _tees(library: Any) -> tuple[type, type]:
    """Return the streams that pass a body on to its reader and note how it ends."""

    def decoder(headers: Any) -> Any:
        coding = headers.get("content-encoding", "identity")

        def decode(body: bytes) -> bytes:
            decoded = library.Response(200, headers={"content-encoding": coding}, content=body)
            content: bytes = decoded.content
            return content

        return decode

    class Tee(library.SyncByteStream):  # type: ignore[misc]
        def __init__(self, stream: Any, call: Call, headers: Any) -> None:
            self._stream, self._call, self._decode = stream, call, decoder(headers)

        def __iter__(self) -> Iterator[bytes]:
            try:
                for chunk in self._stream:
                    self._call.received(chunk)
                    yield chunk
            except GeneratorExit:  # the reader has had enough
                raise
            except BaseException as error:
                self._call.finish(error, decode=self._decode)
                raise

        def close(self) -> None:
            try:
                self._stream.close()
            finally:
                self._call.finish(decode=self._decode)

    class AsyncTee(library.AsyncByteStream):  # type: ignore[misc]
        def __init__(self, stream: Any, call: Call, headers: Any) -> None:
            self._stream, self._call, self._decode = stream, call, decoder(headers)

        async def __aiter__(self) -> AsyncIterator[bytes]:
            try:
                async for chunk in self._stream:
                    self._call.received(chunk)
                    yield chunk
            except GeneratorExit:
                raise
            except BaseException as error:
                self._call.finish(error, decode=self._decode)
                raise

        async def aclose(self) -> None:
            try:
                await self._stream.aclose()
            finally:
                self._call.finish(decode=self._decode)

    return Tee, AsyncTee
