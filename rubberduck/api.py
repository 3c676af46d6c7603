"""The REST API under /api/v1, with its interactive documentation at /api/v1/docs."""

from __future__ import annotations

from csp.decorators import csp_update
from django.conf import settings
from ninja import NinjaAPI

from proxies.api import router as proxies_router

api = NinjaAPI(
    title="Rubberduck",
    version=settings.VERSION,
    urls_namespace="api-1",
    # Swagger UI draws its arrows from data: images in its style sheet.
    docs_decorator=csp_update({"img-src": ["data:"]}),
)
api.add_router("", proxies_router)
