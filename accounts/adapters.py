"""The sign-in policy, as allauth asks for it: who may sign up, which ways are open, who is asking, what mails say.

Every answer is read from the site settings that hold now, so a switch works at once.
"""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context as allauth_context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless.internal.restkit.response import APIResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.base.provider import Provider
from anymail.exceptions import AnymailError
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest

from accounts.mail import mail_render
from accounts.models import User
from accounts.selectors import effective_site_settings, setup_is_needed, social_providers
from proxies.dataplane.access import AccessList, client_address

logger = logging.getLogger(__name__)

# Asked for a provider at these places, allauth needs it for connections that exist, or for a login that is already on
# its way and is answered by `pre_social_login`.
_PROVIDER_IS_KNOWN_AT = frozenset({"manage_providers", "google_callback", "github_callback"})


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {  # noqa: RUF012  as allauth declares it
        **DefaultAccountAdapter.error_messages,
        "email_not_allowed": "This address may not sign up here. Ask the people who run this installation.",
        "password_login_off": "Signing in by password is switched off here.",
        "mail_not_sent": "The mail could not be sent. Try again later.",
    }

    # --- who may come in

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """By password. The first account is made by the set-up page or the command line, never by a sign-up."""
        site = effective_site_settings()
        is_open = site.allow_registration or bool(site.allowed_emails or site.allowed_domains)
        return site.allow_password_login and is_open and not setup_is_needed()

    def clean_email(self, email: str) -> str:
        """The address of a new account. Whoever has an account may change to any address."""
        request, place = allauth_context.request, _place()
        site = effective_site_settings()
        if place == "request_password_reset":
            if not site.allow_password_login:
                raise self.validation_error("password_login_off")
        elif place == "signup" and not self.is_open_for_signup(request):
            pass  # the view says so
        elif not request.user.is_authenticated and not site.may_sign_up(email):
            raise self.validation_error("email_not_allowed")
        return email

    def clean_password(self, password: str, user: Any = None) -> str:
        if not effective_site_settings().allow_password_login:
            raise self.validation_error("password_login_off")
        cleaned: str = super().clean_password(password, user)
        return cleaned

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Who is signed in may still prove by password that it is really them."""
        if _place() != "reauthenticate" and not effective_site_settings().allow_password_login:
            raise self.validation_error("password_login_off")
        super().pre_authenticate(request, **credentials)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """An account that is switched off is answered like one that is not there."""
        user = super().authenticate(request, **credentials)
        return user if isinstance(user, User) and user.is_active else None

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Asks again at the end of a sign-in: its way may have been closed since it began."""
        records = [record["method"] for record in get_authentication_records(request, user)]
        ways = [method for method in records if method in ("password", "socialaccount")]
        if ways and ways[-1] == "socialaccount":
            _refuse_when_off()
        elif not effective_site_settings().allow_password_login:
            reason = {"code": "password_login_off", "message": self.error_messages["password_login_off"]}
            raise ImmediateHttpResponse(APIResponse(request, errors=[reason], status=400))
        super().login(request, user)

    # --- who is asking

    def get_client_ip(self, request: HttpRequest) -> str:
        """As the access lists see it: X-Forwarded-For counts only from trusted proxies."""
        trusted = AccessList.parse(effective_site_settings().trusted_proxies)
        peer = request.META.get("REMOTE_ADDR", "")
        if not peer:
            raise PermissionDenied("The address of the client is not known.")
        return client_address(peer, request.META.get("HTTP_X_FORWARDED_FOR", ""), trusted)

    # --- mails

    def render_mail(
        self, template_prefix: str, email: str | list[str], context: dict[str, Any], headers: Any = None
    ) -> EmailMultiAlternatives:
        to = [email] if isinstance(email, str) else email
        return mail_render(template_prefix, to, context, sender=self.get_from_email(), headers=headers)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Raises ImmediateHttpResponse, a 503, when the mail could not be handed over; to somebody who comes back from
        a provider, ValidationError, which becomes the `error` they arrive with."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, AnymailError) as error:  # SMTP's own errors are OSErrors
            # The text of the error may hold addresses and what the mail server was told.
            logger.error("A mail (%s) could not be sent: %s.", template_prefix, type(error).__name__)
            request = allauth_context.request
            if not hasattr(request.allauth, "headless"):
                raise self.validation_error("mail_not_sent") from None
            reason = {"code": "mail_not_sent", "message": self.error_messages["mail_not_sent"]}
            request.allauth.unsent_mail = APIResponse(request, errors=[reason], status=503)
            raise ImmediateHttpResponse(request.allauth.unsent_mail) from None

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Tells the owner of an account what has been done to it; it stays done when the mail cannot be sent."""
        try:
            super().send_notification_mail(*args, **kwargs)
        except (ImmediateHttpResponse, ValidationError):
            pass  # logged


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    def list_providers(self, request: HttpRequest) -> list[Provider]:
        if not effective_site_settings().allow_social_login:
            return []
        found: list[Provider] = super().list_providers(request)
        return found

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Provider:
        """Raises PermissionDenied while social log-in is off."""
        if _place() not in _PROVIDER_IS_KNOWN_AT:
            _refuse_when_off()
        found: Provider = super().get_provider(request, provider, client_id)
        return found

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """A new account gets one address of the several a provider may name: one that may sign up if there is one,
        verified rather than not, the provider's primary rather than another."""
        _refuse_when_off()
        if sociallogin.is_existing or sociallogin.state.get("process") == AuthProcess.CONNECT:
            return
        if sociallogin.email_addresses:
            site = effective_site_settings()
            best = max(
                sociallogin.email_addresses,
                key=lambda one: (one.verified and site.may_sign_up(one.email), one.verified, one.primary),
            )
            best.primary = True
            sociallogin.email_addresses = [best]
            assert isinstance(sociallogin.user, User)
            sociallogin.user.email = best.email

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        first_and_last = f"{data.get('first_name') or ''} {data.get('last_name') or ''}"
        user.name = (data.get("name") or first_and_last).strip()[: User._meta.get_field("name").max_length]
        return user

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """While registration is closed, an address that the provider has verified must be on the list."""
        site = effective_site_settings()
        is_listed = any(one.verified and site.may_sign_up(one.email) for one in sociallogin.email_addresses)
        return site.allow_social_login and (site.allow_registration or is_listed) and not setup_is_needed()

    def validate_disconnect(self, account: SocialAccount, accounts: Any) -> None:
        """While passwords are off, the last connection by which its owner can sign in stays."""
        others = accounts.exclude(pk=account.pk).filter(provider__in=social_providers())
        if not effective_site_settings().allow_password_login and not others.exists():
            raise self.validation_error("disconnect_last")


def _place() -> str:
    """The name of the route that is being served."""
    match = allauth_context.request.resolver_match
    return (match and match.url_name) or ""


def _refuse_when_off() -> None:
    if not effective_site_settings().allow_social_login:
        raise PermissionDenied("Signing in by other services is switched off here.")
