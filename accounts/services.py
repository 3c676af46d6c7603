"""Changes site settings, users and API tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.errors import Invalid, LastStaff, NotFound, NotSignedIn
from accounts.models import ApiToken, SiteSettings, TokenScope, User
from accounts.selectors import EffectiveSiteSettings, effective_site_settings, is_last_staff, staff_can_sign_in
from accounts.signals import site_settings_changed
from accounts.site_fields import SITE_FIELDS, site_field_clean
from accounts.tokens import token_digest, token_hint, token_make
from proxies.dataplane.access import AccessList, client_address


@dataclass(frozen=True, slots=True)
class Asker:
    """Who changes the site settings, and from where: so that they are not locked out by what they ask for.

    `peer` is the address that has connected; `forwarded_for` the X-Forwarded-For header, "" without one.
    """

    user: User
    peer: str
    forwarded_for: str


def site_settings_update(changes: Mapping[str, Any], *, asker: Asker | None = None) -> SiteSettings:
    """Stores the given fields; the generation rises when something changed. `asker` None: somebody at this machine.

    Raises Invalid, naming field, line and reason, and LastStaff when nobody of the staff could sign in any more.
    """
    clean = _clean(changes)
    with transaction.atomic():
        row, _ = SiteSettings.objects.select_for_update().get_or_create(pk=1)
        _refuse_to_lock_out(clean, asker)
        changed = [name for name, value in clean.items() if getattr(row, name) != value]
        if changed:
            for name in changed:
                setattr(row, name, clean[name])
            row.generation += 1
            row.save()
            transaction.on_commit(partial(site_settings_changed.send, sender=SiteSettings))
    return row


def site_settings_check(changes: Mapping[str, Any], *, asker: Asker | None = None) -> None:
    """What `site_settings_update` would say of these fields, without storing them."""
    _refuse_to_lock_out(_clean(changes), asker)


def _clean(changes: Mapping[str, Any]) -> dict[str, Any]:
    clean: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, value in changes.items():
        if name not in SITE_FIELDS:
            errors[name] = "There is no such setting."
        elif name in settings.SITE_OVERRIDES:
            errors[name] = f"The environment decides this: RUBBERDUCK_{name.upper()} is set."
        else:
            try:
                clean[name] = site_field_clean(name, value)
            except ValueError as error:
                errors[name] = str(error)
    if errors:
        raise Invalid(fields=errors)
    return clean


def _refuse_to_lock_out(clean: Mapping[str, Any], asker: Asker | None) -> None:
    now = effective_site_settings()
    then = now.changed(clean)
    if lost := [name for name in _SIGN_IN if getattr(now, name) and not getattr(then, name)]:
        user = asker.user if asker else None
        if not staff_can_sign_in(then, user):
            raise LastStaff(fields=dict.fromkeys(lost, _WAYS[user is None]))
    if asker is None:
        return
    for name in ("global_block", "global_allow", "trusted_proxies"):
        if name in clean and (verdict := _verdict(then, asker)) is not None and _verdict(now, asker) is None:
            raise LastStaff(fields={name: f"Your own address would be refused: {verdict}."})


def _verdict(site: EffectiveSiteSettings, asker: Asker) -> str | None:
    """Why the site's lists would refuse who asks, with the address; None when they do not."""
    address = client_address(asker.peer, asker.forwarded_for, AccessList.parse(site.trusted_proxies))
    decided = AccessList.parse(site.global_allow, site.global_block).check(address)
    return None if decided is None else f"{address}, {decided}"


# --- users


def user_create(*, email: str, password: str | None = None, name: str = "", is_staff: bool = False) -> User:
    """Makes an account whose address counts as verified: whoever makes it vouches for it. Staff may do everything.

    `password` None: the person sets one by the code that "forgot password" sends. Raises Invalid, naming fields.
    """
    address = email.strip().lower()
    user = User(email=address, name=name.strip(), is_staff=is_staff, is_superuser=is_staff)
    errors = _user_errors(user, password)
    if "email" not in errors and User.objects.filter(email=address).exists():
        errors["email"] = "There is an account with this address already."
    if errors:
        raise Invalid(fields=errors)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            email_mark_verified(user=user)
    except IntegrityError:
        raise Invalid(fields={"email": "There is an account with this address already."}) from None
    return user


def user_update(
    *, user: User, name: str | None = None, is_active: bool | None = None, is_staff: bool | None = None
) -> User:
    """Changes what is not None. Who is deactivated loses their tokens and sessions for good, that of a sign-in that was
    on its way as well: they are looked for again when the account is activated.

    Raises Invalid, and LastStaff when nobody of the staff would be left.
    """
    with transaction.atomic():
        staff_lock()
        current = User.objects.filter(pk=user.pk).first()
        if current is None:
            raise NotFound("There is no such account any more.")
        if is_active is False or is_staff is False:
            refuse_last_staff(current, "is_active" if is_active is False else "is_staff")
        if name is not None:
            current.name = name.strip()
        was_active = current.is_active
        if is_active is not None:
            current.is_active = is_active
        if is_staff is not None and is_staff != current.is_staff:
            current.is_staff = current.is_superuser = is_staff
        if errors := _user_errors(current, None):
            raise Invalid(fields=errors)
        current.save(update_fields=["name", "is_active", "is_staff", "is_superuser"])
        if not (was_active and current.is_active):
            access_revoke(user=current)
    return current


def user_rename(*, user: User, name: str) -> User:
    """What people may change of their own account here. Raises Invalid."""
    return user_update(user=user, name=name)


def access_revoke(*, user: User) -> None:
    """Ends all sessions of the user and deletes their tokens."""
    ApiToken.objects.filter(user=user).delete()
    for session in UserSession.objects.filter(user=user):
        session.end()


def email_mark_verified(*, user: User) -> None:
    """The user's address counts as verified and is the one mail goes to; what it was before counts no more."""
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


def staff_lock() -> None:
    """Whoever takes staff rights away does it one after the other, within a transaction."""
    SiteSettings.load()
    SiteSettings.objects.select_for_update().get(pk=1)


def refuse_last_staff(user: User, field: str) -> None:
    """Raises LastStaff when nobody but this user could change site settings."""
    if is_last_staff(user):
        raise LastStaff(fields={field: LAST_STAFF})


def _user_errors(user: User, password: str | None) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not user.email:
        errors["email"] = "An e-mail address is required."
    else:
        try:
            validate_email(user.email)
            if len(user.email) > MAX_EMAIL:
                raise ValidationError(f"Use at most {MAX_EMAIL} characters.")
        except ValidationError as error:
            errors["email"] = " ".join(error.messages)
    if len(user.name) > MAX_NAME or "\x00" in user.name:
        errors["name"] = f"Use at most {MAX_NAME} characters, and no NUL."
    if password is not None:
        try:
            validate_password(password, user)
        except ValidationError as error:
            errors["password"] = " ".join(error.messages)
    return errors


# --- API tokens


def token_create(
    *,
    user: User,
    name: str,
    scope: str = TokenScope.WRITE,
    expires_at: datetime | None = None,
    parent: ApiToken | None = None,
) -> tuple[ApiToken, str]:
    """Makes a token; the row, and the token itself, which is known to nobody afterwards.

    `parent`: the token it is made with. It goes when that goes, and may not outlive it. Raises Invalid, and NotSignedIn
    when the user has been deactivated, or the parent revoked, since the request began.
    """
    with transaction.atomic():
        _refuse_who_left(user, parent)
        return _token_create(user, name, scope, expires_at, parent)


def _refuse_who_left(user: User, parent: ApiToken | None) -> None:
    """Locks both, so that neither goes before the new token is there to go with them."""
    is_here = User.objects.select_for_update().filter(pk=user.pk, is_active=True).exists()
    if parent is not None:
        is_here = is_here and ApiToken.objects.select_for_update().filter(pk=parent.pk).exists()
    if not is_here:
        raise NotSignedIn("This token is not known, or has been revoked.")


def _token_create(
    user: User, name: str, scope: str, expires_at: datetime | None, parent: ApiToken | None
) -> tuple[ApiToken, str]:
    errors: dict[str, str] = {}
    label = name.strip()
    if not label or len(label) > MAX_TOKEN_NAME or "\x00" in label:
        errors["name"] = f"Give the token a name of at most {MAX_TOKEN_NAME} characters, to know it by."
    if scope not in TokenScope.values:
        errors["scope"] = f"Use one of {', '.join(TokenScope.values)}."
    now = timezone.now()
    if expires_at is not None and not now < expires_at <= now + MAX_TOKEN_LIFE:
        errors["expires_at"] = f"Use a time that is still to come, at most {MAX_TOKEN_LIFE.days} days away."
    if parent is not None and parent.expires_at is not None and (expires_at is None or expires_at > parent.expires_at):
        errors["expires_at"] = f"The token used to make it expires at {parent.expires_at:%Y-%m-%dT%H:%M:%SZ}."
    if ApiToken.objects.filter(user=user).count() >= MAX_TOKENS:
        errors["name"] = f"You have {MAX_TOKENS} tokens; delete one first."
    if errors:
        raise Invalid(fields=errors)
    token = token_make()
    row = ApiToken.objects.create(
        user=user,
        name=label,
        scope=scope,
        hint=token_hint(token),
        digest=token_digest(token),
        expires_at=expires_at,
        parent=parent,
    )
    return row, token


def token_delete(*, user: User, token_id: int) -> None:
    """The token ends at once, and with it those that were made with it. Raises NotFound for another user's."""
    if not ApiToken.objects.filter(user=user, pk=token_id).delete()[0]:
        raise NotFound("There is no such token.")


MAX_TOKENS = 200  # of one user
MAX_TOKEN_NAME = 100
MAX_TOKEN_LIFE = timedelta(days=3650)
MAX_NAME = 150
MAX_EMAIL = 254
LAST_STAFF = "This is the last staff account that can sign in; make another one first."
LAST_WAY_IN = "This is the only way in of the last staff account that can sign in; make another one first."
_SIGN_IN = ("allow_password_login", "allow_social_login")
_WAYS = {
    False: "You could not sign in any more: without it you need another way in, a password or an account of a "
    "configured provider (Google, GitHub) that is connected with yours.",
    True: "Nobody of the staff could sign in any more: without it some staff account needs another way in, a password "
    "or a connected account of a configured provider (Google, GitHub).",
}
