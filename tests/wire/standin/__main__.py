"""The stand-in as a program: `python -m tests.wire.standin --directory D` prints its ports, lives until stdin ends."""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import sys
from pathlib import Path

import trustme

from tests.wire.standin.http1 import Http1Connection
from tests.wire.standin.stage import Stage

# The names the certificate is good for. Regions beyond these are not spoken for, which is a test of its own.
HOSTS = (
    "api.openai.com",
    "api.anthropic.com",
    "*.openai.azure.com",
    "*.us-east-1.amazonaws.com",
    "*.us-west-2.amazonaws.com",
    "*.eu-west-1.amazonaws.com",
    "*.eu-central-1.amazonaws.com",
    "*.googleapis.com",
    "aiplatform.us.rep.googleapis.com",
    "aiplatform.eu.rep.googleapis.com",
    "localhost",
    "127.0.0.1",
)


def _tls(directory: Path) -> tuple[ssl.SSLContext, Path]:
    authority = trustme.CA()
    ca_file = directory / "standin-ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOSTS).configure_cert(context)
    context.set_alpn_protocols(["http/1.1"])
    context.sni_callback = lambda ssl_object, name, _context: setattr(ssl_object, "sni", name)
    return context, ca_file


async def _main(directory: Path, http_port: int, tls_port: int) -> None:
    loop = asyncio.get_running_loop()
    stage = Stage()
    context, ca_file = _tls(directory)
    plain = await loop.create_server(lambda: Http1Connection(stage), "127.0.0.1", http_port, backlog=1024)
    secure = await loop.create_server(lambda: Http1Connection(stage), "127.0.0.1", tls_port, ssl=context, backlog=1024)
    ports = {name: server.sockets[0].getsockname()[1] for name, server in (("http_port", plain), ("tls_port", secure))}
    print(json.dumps({**ports, "ca_file": str(ca_file)}), flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="where the CA file is written")
    parser.add_argument("--http-port", type=int, default=0)
    parser.add_argument("--tls-port", type=int, default=0)
    arguments = parser.parse_args()
    asyncio.run(_main(arguments.directory, arguments.http_port, arguments.tls_port))
