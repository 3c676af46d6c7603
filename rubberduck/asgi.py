"""The web as an ASGI application: HTTP by Django, websockets by channels."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rubberduck.settings")
try:
    http = get_asgi_application()
except ImproperlyConfigured as error:
    sys.exit(str(error))

# These need Django to be set up.
from channels.routing import ProtocolTypeRouter
from channels.security.websocket import AllowedHostsOriginValidator

from rubberduck.access import GlobalAccessForWebsockets
from rubberduck.checks import serious_findings
from rubberduck.web_requests import bound_requests

if findings := serious_findings():
    sys.exit("\n".join(findings))
bound_requests()


async def refuse_websocket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Closes a websocket that asks for a path nobody serves."""
    await receive()
    await send({"type": "websocket.close", "code": 4404})


websockets = GlobalAccessForWebsockets(AllowedHostsOriginValidator(refuse_websocket))
application = ProtocolTypeRouter({"http": http, "websocket": websockets})
