"""Load from wrk: 1.2 KB chat requests over 32 connections, equal ones or each different."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass

from bench.processes import BenchError, on_core

CONNECTIONS = 32
PADDING = "word " * 212
# As the official Python client sends them.
HEADERS = {
    "content-type": "application/json",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "authorization": "Bearer sk-benchmark-0123456789",
    "user-agent": "OpenAI/Python 3.54.0",
    "x-stainless-lang": "python",
    "x-stainless-package-version": "3.54.0",
    "x-stainless-os": "Linux",
    "x-stainless-arch": "x64",
    "x-stainless-runtime": "CPython",
    "x-stainless-runtime-version": "3.11.2",
    "x-stainless-async": "false",
    "x-stainless-retry-count": "0",
    "x-stainless-read-timeout": "600",
}
_BODY = (
    '{"model": "gpt-4o-mini", "messages": [{"role": "system", "content": "You are helpful."}, '
    '{"role": "user", "content": "%s %s"}], "temperature": 0.5%s}'
)
_SCRIPT = """
wrk.method = "POST"
%s
local number = 0
local head, tail = '%s', '%s'
request = function()
    number = number + 1
    return wrk.format(nil, nil, nil, head .. %s .. tail)
end
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format("RESULT %%d %%d %%d\\n", summary.requests, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout))
end
"""


def body(mark: str, *, is_streaming: bool = False) -> bytes:
    """A 1.2 KB chat request; another mark makes another prompt."""
    return (_BODY % (mark, PADDING, ', "stream": true' if is_streaming else "")).encode()


def fresh_mark() -> str:
    """A word no request has held before; without digits, because long numbers are compared exactly, which costs
    more."""
    return f"{time.time_ns():x}".translate(str.maketrans("0123456789", "ghijklmnop"))


@dataclass(frozen=True, slots=True)
class Result:
    answered: int
    seconds: float


def run_wrk(
    port: int,
    seconds: float,
    core: int,
    *,
    is_unique: bool,
    is_streaming: bool = False,
    connections: int = CONNECTIONS,
    path: str = "/v1/chat/completions",
) -> Result:
    """Raises BenchError when a reply is not a 2xx or a connection fails."""
    program = shutil.which("wrk")
    if program is None:
        raise BenchError("wrk is missing; it comes with `scripts/programs wrk`")
    head, tail = body("MARK", is_streaming=is_streaming).decode().split("MARK")
    number = f'"{fresh_mark()} " .. number' if is_unique else '"the same"'
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in HEADERS.items())
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT % (headers, head, tail, number))
        script.flush()
        command = [
            program, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s",
            "-s", script.name, f"http://127.0.0.1:{port}{path}",
        ]  # fmt: skip
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, preexec_fn=on_core(core))
        took = time.monotonic() - began
    if done.returncode or "RESULT" not in done.stdout:
        raise BenchError(f"wrk failed: {done.stdout[-500:]} {done.stderr[-500:]}")
    answered, refused, failed = map(int, done.stdout.split("RESULT ")[1].split()[:3])
    if refused or failed or not answered:
        raise BenchError(f"{port}: {answered} replies, {refused} of them no success, {failed} failed connections")
    return Result(answered, took)
