"""The REST API of accounts: how to sign in, the first account, me, my tokens; for staff, site settings and users."""

from __future__ import annotations

from typing import Annotated, Any

from allauth.account.internal.flows.login import record_authentication
from django.contrib.auth import login
from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Query, Router, Status
from ninja.utils import check_csrf

from accounts.authentication import api_auth, token_of
from accounts.errors import NotAllowed
from accounts.models import ApiToken, User
from accounts.schemas import (
    AuthOptionsOut,
    MeIn,
    MeOut,
    SettingsApplied,
    SettingsOut,
    SettingsPatch,
    SetupIn,
    SetupOut,
    TokenIn,
    TokenMade,
    TokenOut,
    UserIn,
    UserOut,
    UserPatch,
    UsersOut,
)
from accounts.selectors import (
    effective_site_settings,
    setup_is_needed,
    social_providers,
    tokens_of,
    user_by_id,
    users_page,
)
from accounts.services import (
    Asker,
    site_settings_update,
    token_create,
    token_delete,
    user_create,
    user_rename,
    user_update,
)
from accounts.setup import first_account_create, setup_check_code, setup_needs_code, setup_offer_code
from accounts.signals import site_settings_awaited
from accounts.site_fields import SITE_FIELDS

router = Router(tags=["accounts"], auth=api_auth)
_PASSWORD_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


# --- before anybody has signed in


@router.get("/auth-options", auth=None, response=AuthOptionsOut, summary="The ways to sign in that are on")
def auth_options(request: HttpRequest) -> dict[str, Any]:
    """For everybody: what a sign-in page shows. Who is on the lists of sign-up is not told."""
    site = effective_site_settings()
    is_listed = bool(site.allowed_emails or site.allowed_domains)
    providers = social_providers() if site.allow_social_login else {}
    return {
        "password": site.allow_password_login,
        "social": [{"id": name, "name": label} for name, label in providers.items()],
        "registration": "open" if site.allow_registration else "listed" if is_listed else "closed",
        "setup_needed": setup_is_needed(),
    }


@router.get("/setup", auth=None, response=SetupOut, summary="Whether the first account is still to be made")
def setup_show(request: HttpRequest) -> dict[str, bool]:
    """Plants the CSRF cookie that the POST needs. A code that is needed stands on the console of the web process."""
    get_token(request)
    return setup_state(request)


@router.post(
    "/setup",
    auth=None,
    response={201: MeOut, 403: None, 409: None, 429: None},
    summary="Make the first account, and sign in with it",
)
def setup_perform(request: HttpRequest, body: SetupIn) -> Status[dict[str, Any]]:
    """Staff, no mail to be answered; proxies without an owner are theirs. Works once: of two at the same time one gets
    a 409. Needs the CSRF cookie and its header, as everything does that a browser changes."""
    if check_csrf(request):
        raise NotAllowed("The CSRF cookie or its header X-CSRFToken is missing. GET /api/v1/setup first.")
    return Status(
        201, _me(setup_with(request, email=body.email, password=body.password, name=body.name, code=body.code))
    )


def setup_state(request: HttpRequest) -> dict[str, bool]:
    """Whether set-up is needed, and a code for it; then one stands on the console."""
    if not setup_is_needed():
        return {"needed": False, "code_needed": False}
    needs_code = setup_needs_code(
        peer=request.META.get("REMOTE_ADDR", ""),
        headers=request.headers,
        http_version=getattr(request, "scope", {}).get("http_version", "1.1"),
    )
    if needs_code:
        setup_offer_code()
    return {"needed": True, "code_needed": needs_code}


def setup_with(request: HttpRequest, *, email: str, password: str, name: str, code: str) -> User:
    """Makes the first account and signs the session in. Raises what `first_account_create`, `setup_check_code` do."""
    if setup_state(request)["code_needed"]:
        setup_check_code(code)
    user = first_account_create(email=email, password=password, name=name)
    login(request, user, backend=_PASSWORD_BACKEND)
    record_authentication(request, user, method="password", email=user.email)
    return user


# --- me


@router.get("/me", response=MeOut, summary="Who I am")
def me_show(request: HttpRequest) -> dict[str, Any]:
    return _me(_user(request))


@router.patch("/me", response=MeOut, summary="Change my name")
def me_update(request: HttpRequest, body: MeIn) -> dict[str, Any]:
    """Address, password and second factor are changed through `/_allauth/`, which asks for the password again."""
    user = _user(request)
    given = body.model_dump(exclude_unset=True)
    return _me(user_rename(user=user, **given) if given else user)


def _me(user: User) -> dict[str, Any]:
    return {**{name: getattr(user, name) for name in UserOut.model_fields}, "has_password": user.has_usable_password()}


# --- my API tokens


@router.get("/tokens", response=list[TokenOut], summary="My API tokens, the newest first")
def token_list(request: HttpRequest) -> Any:
    return tokens_of(_user(request))


@router.post("/tokens", response={201: TokenMade}, summary="Make an API token, shown this once")
def token_make(request: HttpRequest, body: TokenIn) -> Status[dict[str, Any]]:
    """`read` may GET, `write` may all that its user may. A token made with a token ends with it."""
    row, token = token_create(
        user=_user(request), name=body.name, scope=body.scope, expires_at=body.expires_at, parent=token_of(request)
    )
    return Status(201, {**_token(row), "token": token})


@router.delete("/tokens/{int:token_id}", response={204: None}, summary="Revoke an API token")
def token_revoke(request: HttpRequest, token_id: int) -> Status[None]:
    """It ends at once, and with it those that were made with it."""
    token_delete(user=_user(request), token_id=token_id)
    return Status(204, None)


def _token(row: ApiToken) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TokenOut.model_fields}


# --- for staff: site settings


@router.get("/settings", response=SettingsOut, tags=["staff"], summary="The site settings")
def settings_show(request: HttpRequest) -> dict[str, Any]:
    """What holds, and which of it the environment decides."""
    _staff(request, "accounts.view_sitesettings")
    return _settings()


@router.patch(
    "/settings",
    response=SettingsApplied,
    tags=["staff"],
    summary="Change site settings",
)
def settings_update(request: HttpRequest, body: SettingsPatch) -> dict[str, Any]:
    """Holds at once in the web; answers when running proxies have taken it up, or says that they are still at it.
    Refuses what would lock out who asks, or the last of the staff."""
    user = _staff(request, "accounts.change_sitesettings")
    row = site_settings_update(body.model_dump(exclude_unset=True), asker=asker_of(request, user))
    answers = [answer for _, answer in site_settings_awaited.send(sender=type(row), generation=row.generation)]
    return {**_settings(), "applied": next(iter(answers), "live")}


def asker_of(request: HttpRequest, user: User) -> Asker:
    """Who asks, and from where, as far as the connection tells."""
    return Asker(user, request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))


def _settings() -> dict[str, Any]:
    site = effective_site_settings()
    return {
        **{name: getattr(site, name) for name in SITE_FIELDS},
        "locked": {name: f"RUBBERDUCK_{name.upper()}" for name in sorted(site.locked)},
        "generation": site.generation,
    }


# --- for staff: users


@router.get("/users", response=UsersOut, tags=["staff"], summary="All accounts")
def user_list(
    request: HttpRequest,
    search: Annotated[str, Query(max_length=200, description="A part of the address or name.")] = "",
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="`next` of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """In the order they were made."""
    _staff(request, "accounts.view_user")
    users = users_page(search=search, after=after, limit=limit)
    return {"users": users[:limit], "next": users[limit - 1].pk if len(users) > limit else None}


@router.get("/users/{int:user_id}", response=UserOut, tags=["staff"], summary="An account")
def user_show(request: HttpRequest, user_id: int) -> User:
    _staff(request, "accounts.view_user")
    return user_by_id(user_id)


@router.post("/users", response={201: UserOut}, tags=["staff"], summary="Make an account")
def user_make(request: HttpRequest, body: UserIn) -> Status[User]:
    """The address counts as verified. Staff may do everything here and in the admin."""
    _staff(request, "accounts.add_user", needs_all=body.is_staff)
    return Status(201, user_create(**body.model_dump()))


@router.patch(
    "/users/{int:user_id}",
    response=UserOut,
    tags=["staff"],
    summary="Change an account",
)
def user_change(request: HttpRequest, user_id: int, body: UserPatch) -> User:
    """Who is deactivated loses sessions and tokens for good; their proxies stay. Not the last of the staff."""
    given = body.model_dump(exclude_unset=True)
    user = _staff(request, "accounts.change_user")
    changed = user_by_id(user_id)
    if "is_staff" in given or changed.is_staff:
        _staff(request, "accounts.change_user", needs_all=user.pk != changed.pk or "is_staff" in given)
    return user_update(user=changed, **given)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # or the authentication would have refused
    return request.user


def _staff(request: HttpRequest, right: str, *, needs_all: bool = False) -> User:
    """Who asks, if they are of the staff and have this right in the admin, or all of them. Raises NotAllowed."""
    user = _user(request)
    if not (user.is_staff and user.has_perm(right) and (user.is_superuser or not needs_all)):
        raise NotAllowed("This is for staff.")
    return user
