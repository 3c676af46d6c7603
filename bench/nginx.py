"""nginx as the fast upstream, and as the peer: a canned reply, a keep-alive proxy, a cache."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from bench.processes import BenchError, accepts, children, end, free_ports, on_core, wait_until
from bench.stub import REPLY_BODY, REPLY_HEADERS

_CONFIG = """
{user}worker_processes 1; daemon off; pid {directory}/pid; error_log {directory}/errors;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 100000000; keepalive_timeout 300s; server_tokens off; tcp_nodelay on;
    client_body_buffer_size 64k; client_max_body_size 64m;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxied;
    fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
    {servers}
}}
"""
_CANNED = """
    server {{ listen 127.0.0.1:{canned}; default_type application/json; {headers}
        location / {{ return 200 '{body}'; }} }}
"""
_PEERS = """
    proxy_cache_path {directory}/cache keys_zone=replies:10m;
    proxy_http_version 1.1; proxy_set_header Connection "";
    upstream canned {{ server 127.0.0.1:{canned}; keepalive 64; keepalive_requests 100000000; }}
    upstream paced {{ server 127.0.0.1:{paced}; keepalive 64; keepalive_requests 100000000; }}
    server {{ listen 127.0.0.1:{proxy}; location / {{ proxy_pass http://canned; }} }}
    server {{ listen 127.0.0.1:{cache}; location / {{
        proxy_pass http://canned; proxy_cache replies; proxy_cache_methods POST; proxy_cache_valid 200 1h;
        proxy_cache_key "$request_uri|$request_body"; }} }}
    server {{ listen 127.0.0.1:{stream}; location / {{ proxy_pass http://paced; proxy_buffering off; }} }}
"""


class Nginx:
    """One nginx with one worker process on one core."""

    def __init__(self, directory: Path, servers: str, core: int, ports: list[int]) -> None:
        program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
        if program is None:
            raise BenchError("nginx is missing; it comes with `scripts/programs nginx`")
        directory.mkdir()
        config = directory / "nginx.conf"
        # Root's nginx would hand its workers to a user who may not look into our directory.
        user = "user root root; " if os.geteuid() == 0 else ""
        config.write_text(_CONFIG.format(user=user, directory=directory, servers=servers))
        command = [program, "-c", str(config), "-e", str(directory / "errors")]
        self._process = subprocess.Popen(command, preexec_fn=on_core(core))
        errors = directory / "errors"
        wait_until(
            lambda: all(map(accepts, ports)) or self._process.poll() is not None,
            "nginx starts",
        )
        if self._process.poll() is not None:
            raise BenchError(f"nginx does not start: {errors.read_text() if errors.exists() else ''}")

    def pids(self) -> list[int]:
        return children(self._process.pid)

    def stop(self) -> None:
        end(self._process)


def start_upstream(directory: Path, core: int) -> tuple[Nginx, int]:
    """A canned reply on a port."""
    port = free_ports(1)[0]
    return Nginx(directory, _canned(port), core, [port]), port


class Peer(Nginx):
    """The peer under test. `canned_port`, `proxy_port`, `cache_port` and `stream_port` are what it serves."""

    def __init__(self, directory: Path, *, upstream_port: int, stub_port: int, core: int) -> None:
        self.canned_port, self.proxy_port, self.cache_port, self.stream_port = ports = free_ports(4)
        servers = _canned(self.canned_port) + _PEERS.format(
            directory=directory,
            canned=upstream_port,
            paced=stub_port,
            proxy=self.proxy_port,
            cache=self.cache_port,
            stream=self.stream_port,
        )
        super().__init__(directory, servers, core, ports)


def _canned(port: int) -> str:
    headers = "".join(
        f"add_header {name} '{value}'; "
        for name, _, value in (line.partition(": ") for line in REPLY_HEADERS.decode().splitlines())
        if name.lower() not in ("content-type", "server")
    )
    return _CANNED.format(canned=port, headers=headers, body=REPLY_BODY.decode())
