"""What the API reads and says about accounts, tokens and site settings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field

from accounts.models import TokenScope
from accounts.services import MAX_EMAIL, MAX_NAME, MAX_TOKEN_NAME
from accounts.site_fields import MAX_ADDRESSES, MAX_RETENTION_DAYS, MAX_SIGN_UP_ENTRIES

MAX_PASSWORD = 1024


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def _unchanged(**rules: Any) -> Any:
    """A field that may be left out, which changes nothing; null is no value of it."""
    return Field(default=None, json_schema_extra=_without_default, **rules)


class _In(Schema):
    """Fields that do not exist are refused."""

    model_config = ConfigDict(extra="forbid")


class SocialOut(Schema):
    id: str
    name: str


class AuthOptionsOut(Schema):
    """The ways to sign in that are on. `registration`: open to all, to listed addresses and domains, or to nobody."""

    password: bool
    social: list[SocialOut]
    registration: Literal["open", "listed", "closed"]
    setup_needed: bool


class SetupOut(Schema):
    """`needed`: there is no account yet. `code_needed`: the code on the console of the web process must be sent."""

    needed: bool
    code_needed: bool


class SetupIn(_In):
    email: str = Field(max_length=MAX_EMAIL)
    password: str = Field(max_length=MAX_PASSWORD)
    name: str = Field(default="", max_length=MAX_NAME)
    code: str = Field(default="", max_length=100)


class UserOut(Schema):
    id: int
    email: str
    name: str
    is_staff: bool
    is_active: bool
    date_joined: datetime
    last_login: datetime | None


class MeOut(UserOut):
    """`has_password`: whether the account can sign in by one."""

    has_password: bool


class MeIn(_In):
    name: str = _unchanged(max_length=MAX_NAME)


class UserIn(_In):
    """`password` null: the person sets one by the code that "forgot password" sends."""

    email: str = Field(max_length=MAX_EMAIL)
    name: str = Field(default="", max_length=MAX_NAME)
    password: Annotated[str, Field(max_length=MAX_PASSWORD)] | None = None
    is_staff: bool = False


class UserPatch(_In):
    name: str = _unchanged(max_length=MAX_NAME)
    is_active: bool = _unchanged()
    is_staff: bool = _unchanged()


class UsersOut(Schema):
    """`next`: what to send as `after` for the following page; null on the last."""

    users: list[UserOut]
    next: int | None


class TokenOut(Schema):
    """`hint` is the token's beginning. `last_used_at` is at most a minute behind."""

    id: int
    name: str
    scope: TokenScope
    hint: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class TokenMade(TokenOut):
    """`token` is shown this once."""

    token: str


class TokenIn(_In):
    name: str = Field(min_length=1, max_length=MAX_TOKEN_NAME)
    scope: TokenScope = TokenScope.WRITE
    expires_at: AwareDatetime | None = None


class SettingsFields(Schema):
    allow_registration: bool
    allow_social_login: bool
    allow_password_login: bool
    allowed_emails: list[str]
    allowed_domains: list[str]
    global_allow: list[str]
    global_block: list[str]
    trusted_proxies: list[str]
    allow_private_upstreams: bool
    retention_days: int | None


class SettingsOut(SettingsFields):
    """What holds. `locked`: field -> the environment variable that decides it. `generation` rises with every change."""

    locked: dict[str, str]
    generation: int


class SettingsApplied(SettingsOut):
    """`applied`: "live", "applying" while running proxies have not taken the change up, "stopped" while none runs."""

    applied: Literal["live", "applying", "stopped"]


class SettingsPatch(_In):
    """What is left out stays as it is."""

    allow_registration: bool = _unchanged()
    allow_social_login: bool = _unchanged()
    allow_password_login: bool = _unchanged()
    allowed_emails: list[str] = _unchanged(max_length=MAX_SIGN_UP_ENTRIES)
    allowed_domains: list[str] = _unchanged(max_length=MAX_SIGN_UP_ENTRIES)
    global_allow: list[str] = _unchanged(max_length=MAX_ADDRESSES)
    global_block: list[str] = _unchanged(max_length=MAX_ADDRESSES)
    trusted_proxies: list[str] = _unchanged(max_length=MAX_ADDRESSES)
    allow_private_upstreams: bool = _unchanged()
    retention_days: Annotated[int, Field(ge=1, le=MAX_RETENTION_DAYS)] | None = _unchanged()
