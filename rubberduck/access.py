"""The global access lists on the web port: whom they refuse gets a plain 403 before anything else is looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from accounts.selectors import effective_site_settings, site_settings_version
from proxies.dataplane.access import AccessList, client_address

_NAMES = ("global_allow", "global_block", "trusted_proxies")
REFUSAL = "403 Forbidden\n"  # as the ports of proxies say it
# These answer in time while the database hangs, and see to the lists themselves.
_HEALTH = frozenset({"/healthz", "/readyz"})


@dataclass(frozen=True, slots=True)
class _Lists:
    version: object  # of the stored settings
    access: AccessList
    trusted: AccessList

    def refuse(self, peer: str, forwarded_for: str) -> bool:
        return self.access.check(client_address(peer, forwarded_for, self.trusted)) is not None


class GlobalAccess:
    """The lists that hold now, read and compiled once for as long as they stay the same.

    A database that cannot be asked changes nothing: the lists that were known last hold on, or the environment's.
    """

    def __init__(self) -> None:
        self._known: _Lists | None = None

    def refuses(self, peer: str, forwarded_for: str) -> bool:
        """Whether who calls is refused. One small query; blocks."""
        return self._read().refuse(peer, forwarded_for)

    def refuses_as_known(self, peer: str, forwarded_for: str) -> bool:
        """The same by the lists that were read last, else by those of the environment, without asking the database."""
        return (self._known or _of_environment()).refuse(peer, forwarded_for)

    def refresh(self) -> None:
        """Reads the lists if they have changed. Blocks."""
        self._read()

    def _read(self) -> _Lists:
        overrides = settings.SITE_OVERRIDES
        try:
            version = (site_settings_version(), overrides)
            if self._known is None or self._known.version != version:
                site = effective_site_settings()
                self._known = _compiled(version, site.global_allow, site.global_block, site.trusted_proxies)
        except AnyDatabaseError:
            if self._known is None:
                return _of_environment()
        return self._known


def _of_environment() -> _Lists:
    return _compiled(None, *(settings.SITE_OVERRIDES.get(name, ()) for name in _NAMES))


def _compiled(version: object, allow: Sequence[str], block: Sequence[str], trusted: Sequence[str]) -> _Lists:
    return _Lists(version, AccessList.parse(allow, block), AccessList.parse(trusted))


global_access = GlobalAccess()


class GlobalAccessMiddleware:
    """For HTTP; the first of all, so that not even a static file is sent to whom the lists refuse."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info in _HEALTH:
            return self._get_response(request)
        peer, forwarded_for = request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")
        if global_access.refuses(peer, forwarded_for):
            return HttpResponse(REFUSAL, status=403, content_type="text/plain; charset=utf-8")
        return self._get_response(request)


class GlobalAccessForWebsockets:
    """For websockets: whom the lists refuse is refused in the handshake, with a 403."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        peer = (scope.get("client") or ("", 0))[0]
        forwarded_for = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        if await database_sync_to_async(global_access.refuses)(peer, forwarded_for.decode("latin-1")):
            await receive()
            await send({"type": "websocket.close"})
            return
        await self._app(scope, receive, send)
