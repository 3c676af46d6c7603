"""The access stage: who may use the proxy, told from the head of the request alone."""

from __future__ import annotations

from providers.base import Condition
from proxies.dataplane.access import client_address
from proxies.dataplane.delivery import Reply, refusal
from proxies.dataplane.exchange import Exchange
from proxies.dataplane.records import Outcome

_GLOBAL_REFUSAL = b"403 Forbidden\n"


def check_access(exchange: Exchange) -> Reply | None:
    """Settles the client's address and refuses what the access lists refuse: the global one plainly, the proxy's own
    in the provider's shape."""
    config = exchange.runtime.config
    record = exchange.record
    if config.trusted_proxies.allow:
        forwarded_for = b",".join([value for name, value in exchange.headers if name == b"x-forwarded-for"])
        record.client_ip = client_address(record.client_ip, forwarded_for.decode("latin-1"), config.trusted_proxies)
    decided = config.global_access.check(record.client_ip)
    if decided is not None:
        record.outcome, record.access, record.access_list = Outcome.BLOCKED, "blocked", f"global: {decided}"
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(_GLOBAL_REFUSAL))]
        return Reply(403, headers, _GLOBAL_REFUSAL)
    decided = config.access.check(record.client_ip)
    if decided is not None:
        record.outcome, record.access, record.access_list = Outcome.BLOCKED, "blocked", f"proxy: {decided}"
        return refusal(exchange, Condition.BLOCKED, f"This proxy does not accept requests from {record.client_ip}.")
    return None
