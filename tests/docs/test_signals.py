"""The page about signals: its code runs as it stands, in one bot."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "signals.md").read_text()
CODE = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

# What the page takes for granted: a database, a Redis client, a queue and an HTTP client.
BOT = """
import ast, asyncio, inspect, json, sys, time
from urllib.error import HTTPError
from urllib.request import urlopen

import httpx

class Reachable:
    async def ping(self): return True

def get(url):
    try:
        with urlopen(url, timeout=30) as answer: return answer.read().decode()
    except HTTPError as error: return error.read().decode()

async def main(blocks, port):
    base = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=base) as client:
        names = dict(database=Reachable(), redis=Reachable(), songs=asyncio.Queue(),
                     client=client, endpoint="/channels/1/messages", body={})
        for block in blocks:
            code = compile(block, "signals.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            done = eval(code, names)
            if inspect.isawaitable(done): await done
    await names["send"]("1", "hello")
    until = time.monotonic() + 60
    while time.monotonic() < until:
        ready = await asyncio.to_thread(get, base + "/readyz")
        if "pending" not in ready: break
        await asyncio.sleep(0.05)
    print(json.dumps([ready, await asyncio.to_thread(get, base + "/metrics")]))

blocks, port = json.loads(sys.argv[1])
asyncio.run(main(blocks, port))
"""


def test_the_code_of_the_page_runs(tmp_path: Path) -> None:
    """One bot serves, checks, samples and breaks as the page tells; only addresses differ."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = f"http://127.0.0.1:{port}/healthz"
    blocks = [
        re.sub(r"https://discord\.com[^\"]*", own, code).replace("9464", str(port)) for code in CODE
    ]
    done = subprocess.run(
        [sys.executable, "-c", BOT, json.dumps([blocks, port])],
        cwd=tmp_path,
        env={**os.environ, "LOGKIT_RING_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ready, metrics = json.loads(done.stdout)
    told = {name: check["status"] for name, check in json.loads(ready)["checks"].items()}
    assert told == dict.fromkeys(("database", "redis", "discord", "disk"), "ok")
    assert 'bot_queue_depth{queue="songs"} 0.0' in metrics
    assert "bot_memory_bytes" in metrics
