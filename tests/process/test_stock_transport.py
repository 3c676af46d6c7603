"""RUBBERDUCK_TRANSPORT=httpx through a real proxy: the same rules about addresses, names and certificates."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.process.deployment import Deployment, http_get
from tests.process.upstream import Upstream
from tests.proxies.dataplane.test_transport import tls_upstream


def message(port: int) -> str:
    """What the proxy says of its upstream."""
    text: str = json.loads(http_get(port, "/v1/models"))["error"]["message"]
    return text


async def test_the_stock_transport_obeys_the_address_policy(deployment: Deployment, upstream: Upstream) -> None:
    deployment.environment["RUBBERDUCK_TRANSPORT"] = "httpx"

    def scenario() -> None:
        proxy_id, port = deployment.start(upstream.port)
        assert http_get(port) == "one"
        metadata, own, moved = (deployment.create_proxy(upstream_port=1, cache_mode="off") for _ in range(3))
        code = """
from proxies.models import Proxy
from proxies.wakeup import wake_supervisor
from django.db.models import F
for pk, url in urls.items():
    Proxy.objects.filter(pk=pk).update(upstream=url, generation=F("generation") + 1)
wake_supervisor()
result = None
"""
        # As rows from elsewhere: the services would refuse the first two.
        urls = {metadata[0]: "http://169.254.169.254", own[0]: f"http://localhost:{own[1]}"}
        deployment.ask(code, urls=urls)
        for refused in (metadata, own, moved):
            deployment.wait_state(refused[0], "running")
            assert deployment.update(refused[0], description="seen") == "live"
        assert "link-local" in message(metadata[1])
        assert "this proxy itself" in message(own[1])
        assert "connection refused" in message(moved[1])
        switch = """
from accounts.services import site_settings_update
site_settings_update({"allow_private_upstreams": False})
result = None
"""
        deployment.ask(switch)
        assert deployment.update(proxy_id, description="later") == "live"
        assert "private upstreams are switched off" in message(port)
        assert upstream.requests == 1

    await asyncio.to_thread(scenario)


async def test_the_stock_transport_verifies_the_name_wherever_it_is_led(deployment: Deployment, tmp_path: Path) -> None:
    async with tls_upstream("api.example") as upstream:
        file = tmp_path / "ca.pem"
        upstream.authority.cert_pem.write_to_path(str(file))
        here = f"127.0.0.1:{upstream.port}"
        deployment.environment |= {
            "RUBBERDUCK_TRANSPORT": "httpx",
            "RUBBERDUCK_UPSTREAM_CA_FILE": str(file),
            "RUBBERDUCK_TESTING": "1",
            "RUBBERDUCK_CONNECT_TO": f"api.example:443:{here},other.example:443:{here}",
        }

        def scenario() -> None:
            proxy_id, port = deployment.start(1)
            assert deployment.update(proxy_id, upstream="https://api.example") == "live"
            assert http_get(port) == "api.example"
            assert deployment.update(proxy_id, upstream="https://other.example") == "live"
            assert "certificate verify failed" in message(port)

        await asyncio.to_thread(scenario)
