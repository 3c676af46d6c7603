"""The demonstration: one emulated proxy per provider, on the first ports of the range, to try things without a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts.selectors import only_staff_user
from providers.base import Provider
from providers.registry import get_provider
from proxies.errors import DomainError
from proxies.models import ObservedState, Proxy
from proxies.ports import can_be_bound
from proxies.selectors import Observation, base_url, live_supervisor, observe_one, proxy_summary
from proxies.services import proxy_create, proxy_delete, proxy_start, wait_running

PROVIDERS = ("openai", "anthropic", "azure_openai", "bedrock", "vertex_ai")
"""In the order of their ports."""
TAG = "demo"
_DESCRIPTION = "Answers by itself, with no key and no network."


@dataclass(slots=True)
class DemoProxy:
    """One of them. `proxy` None: it could not be made; `problem` says why, or why it does not run."""

    provider: Provider
    name: str
    port: int
    proxy: Proxy | None = None
    problem: str = ""

    @property
    def base_url(self) -> str:
        return base_url(self.proxy or Proxy(port=self.port))

    def summary(self) -> dict[str, Any]:
        """What `--json` prints."""
        proxy = self.proxy or Proxy(name=self.name, provider=self.provider.id, port=self.port)
        seen = observe_one(proxy) if self.proxy else Observation(ObservedState.FAILED)
        return {**proxy_summary(proxy, seen), "reason": self.problem or seen.reason}


def demo_create() -> list[DemoProxy]:
    """Makes those that are missing and wants all of them running; done twice it is as done once. Blocks until they run
    or say why not, if there is a supervisor; else they start together with one."""
    made = [_make(number, provider_id) for number, provider_id in enumerate(PROVIDERS)]
    for demo in made:
        if demo.proxy is not None:
            demo.proxy = proxy_start(proxy=demo.proxy)
    if live_supervisor() is not None:
        for demo in made:
            if demo.proxy is not None:
                demo.problem = wait_running(demo.proxy) or ""
    return made


def demo_remove() -> list[str]:
    """Removes them with their recordings; the names of those there were."""
    found = [proxy for provider_id in PROVIDERS if (proxy := _find(provider_id)) is not None]
    for proxy in found:
        proxy_delete(proxy=proxy)
    return [proxy.name for proxy in found]


def _name(provider_id: str) -> str:
    return f"{TAG}-{provider_id}"


def _find(provider_id: str) -> Proxy | None:
    """The one of an earlier time, whoever owns it by now; not a proxy that only shares the name."""
    named = Proxy.objects.filter(name=_name(provider_id), provider=provider_id).order_by("pk")
    return next((proxy for proxy in named if TAG in proxy.tags), None)


def _make(number: int, provider_id: str) -> DemoProxy:
    low, high = settings.PROXY_PORTS
    demo = DemoProxy(get_provider(provider_id), _name(provider_id), low + number, _find(provider_id))
    if demo.proxy is not None:
        demo.port = demo.proxy.port
    elif demo.port > high:
        demo.problem = f"Port {demo.port} lies beyond RUBBERDUCK_PROXY_PORTS, which end at {high}."
    elif not Proxy.objects.filter(port=demo.port).exists() and not can_be_bound(settings.PROXY_BIND, demo.port):
        demo.problem = f"Port {demo.port} is in use by another program."
    else:
        fields = {
            "name": demo.name,
            "provider": provider_id,
            "port": demo.port,
            "upstream": "emulated",
            "tags": [TAG],
            "description": _DESCRIPTION,
        }
        try:
            demo.proxy = proxy_create(owner=only_staff_user(), fields=fields)
        except DomainError as error:
            demo.problem = " ".join(error.fields.values()) or error.message
    return demo
