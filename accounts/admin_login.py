"""The admin's sign-in form: the same switches, rate limits and second factor as everywhere else."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.models import User


class AdminLoginForm(AdminAuthenticationForm):
    """E-mail, password, and in the same step the code of an authenticator app or a recovery code."""

    code = forms.CharField(
        required=False,
        max_length=32,
        label="Code",
        help_text="From your authenticator app, or a recovery code, if you have set these up.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )

    request: HttpRequest

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password:
            user = self._authenticated(email, password)
            if self._passes_second_factor(user):
                record_authentication(self.request, user, method="password", email=email)
                self.user_cache = user
        return self.cleaned_data

    def _authenticated(self, email: str, password: str) -> User:
        adapter = get_adapter()
        if not ratelimit.consume(self.request, action="login"):
            raise adapter.validation_error("too_many_login_attempts")
        user = adapter.authenticate(self.request, email=email, password=password)
        if not isinstance(user, User):
            raise self.get_invalid_login_error()
        self.confirm_login_allowed(user)
        if not EmailAddress.objects.filter(user=user, verified=True).exists():
            raise ValidationError("Verify your e-mail address first.", code="unverified_email")
        return user

    def _passes_second_factor(self, user: User) -> bool:
        if not is_mfa_enabled(user):
            return True
        form = AuthenticateForm(data={"code": self.cleaned_data.get("code", "")}, user=user)
        if not form.is_valid():
            self.add_error("code", form.errors["code"].as_data())
            return False
        form.save()
        return True
