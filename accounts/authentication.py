"""Who asks the API: the holder of a token, else who has signed in."""

from __future__ import annotations

from datetime import timedelta

from allauth.headless.tokens.strategies.jwt.internal import validate_access_token
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer
from ninja.security.session import SessionAuth as NinjaSessionAuth

from accounts.errors import NotAllowed, NotSignedIn
from accounts.models import ApiToken, TokenScope, User
from accounts.tokens import PREFIX, token_digest

READING = frozenset({"GET", "HEAD", "OPTIONS"})
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class TokenAuth(HttpBearer):
    """`Authorization: Bearer rdk_...`, or the access token that allauth gives to its app client.

    Raises NotSignedIn for a token that is not accepted, so that a cookie beside it never answers in its place, and
    NotAllowed for a change by a token that may only read.
    """

    def authenticate(self, request: HttpRequest, token: str) -> User:
        if not token.startswith(PREFIX):
            return _app_client_user(request, token)
        row = ApiToken.objects.select_related("user").filter(digest=token_digest(token.strip())).first()
        if row is None or not row.user.is_active:
            raise NotSignedIn("This token is not known, or has been revoked.")
        now = timezone.now()
        if row.expires_at is not None and row.expires_at <= now:
            raise NotSignedIn("This token has expired.")
        if row.scope == TokenScope.READ and request.method not in READING:
            raise NotAllowed("This token may only read.")
        _note_use(row)
        request.user = row.user
        request.api_token = row  # type: ignore[attr-defined]
        return row.user


class SessionAuth(NinjaSessionAuth):
    """The cookie of a browser. Who has none is told to sign in; ninja's own would speak of CSRF first."""

    def __call__(self, request: HttpRequest) -> User | None:
        if not isinstance(request.user, User):
            return None
        super().__call__(request)  # the CSRF check
        return request.user


def token_of(request: HttpRequest) -> ApiToken | None:
    """The token that the request was made with; None: a session."""
    return getattr(request, "api_token", None)


def _app_client_user(request: HttpRequest, token: str) -> User:
    found = validate_access_token(token)
    if found is None or not isinstance(found[0], User) or not found[0].is_active:
        raise NotSignedIn("This token is not known, has expired, or its session has ended.")
    request.user = found[0]
    return found[0]


def _note_use(row: ApiToken) -> None:
    now = timezone.now()
    stale = now - USE_IS_NOTED_EVERY
    if row.last_used_at is None or row.last_used_at < stale:
        fresh = ApiToken.objects.filter(Q(last_used_at__isnull=True) | Q(last_used_at__lt=stale), pk=row.pk)
        fresh.update(last_used_at=now)


session_auth = SessionAuth()
api_auth = [TokenAuth(), session_auth]
