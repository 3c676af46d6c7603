"""Form fields and forms of the admin."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django import forms
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm
from django.contrib.auth.forms import UserChangeForm as DjangoUserChangeForm

from accounts.errors import Invalid
from accounts.models import SiteSettings, User
from accounts.selectors import effective_site_settings, is_last_staff, staff_needs_password
from accounts.services import LAST_STAFF, LAST_WAY_IN, Asker, site_settings_check, staff_lock
from accounts.site_fields import SITE_FIELDS


class LinesField(forms.Field):
    """A list of texts, one a line. Blank lines between entries are dropped."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 60, "class": "vLargeTextField"})

    def __init__(self, *, required: bool = False, **kwargs: Any) -> None:
        super().__init__(required=required, **kwargs)

    def to_python(self, value: Any) -> list[str]:
        if isinstance(value, list | tuple):
            return list(value)
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial) != self.to_python(data)


class SeenGenerationForm(forms.ModelForm):
    """A form for a row with a generation: does not overwrite what somebody else has changed since the page was made."""

    seen_generation = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "seen_generation" in self.fields:  # not for those who may only look
            self.fields["seen_generation"].initial = self.instance.generation

    def clean_seen_generation(self) -> int | None:
        seen: int | None = self.cleaned_data["seen_generation"]
        if seen is not None and seen != self.instance.generation and not self.instance._state.adding:
            self.add_error(
                None, "Somebody has changed this in the meantime. Load the page again, then make your change."
            )
        return seen


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields: ClassVar = ("email",)

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].strip().lower()
        return email


class UserChangeForm(DjangoUserChangeForm):
    class Meta:
        model = User
        fields = "__all__"

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].strip().lower()
        if EmailAddress.objects.filter(email=email, verified=True).exclude(user=self.instance).exists():
            raise forms.ValidationError("There is an account with this address already.")
        return email

    def clean(self) -> dict[str, Any] | None:
        """Within the transaction that the admin saves in."""
        cleaned = super().clean()
        staff_lock()
        stored = User.objects.get(pk=self.instance.pk)
        for name in ("is_active", "is_staff", "is_superuser"):
            if self.cleaned_data.get(name) is False and is_last_staff(stored):
                self.add_error(name, LAST_STAFF)
        return cleaned


class UserPasswordForm(AdminPasswordChangeForm):
    """Sets a password, or takes it away from who has another way in."""

    def clean(self) -> dict[str, Any] | None:
        cleaned: dict[str, Any] | None = super().clean()
        if not self.cleaned_data["set_usable_password"] and staff_needs_password(self.user):
            self.add_error("usable_password", LAST_WAY_IN)
        return cleaned


class SiteSettingsForm(SeenGenerationForm):
    asker: Asker | None = None
    """Who saves; set by the admin, for every request in a class of its own."""

    allowed_emails = LinesField(help_text="E-mail addresses that may sign up while registration is closed, one a line.")
    allowed_domains = LinesField(help_text="Domains whose addresses may, one a line: example.com")
    global_allow = LinesField(help_text="Client addresses every proxy accepts, one a line; empty: all. 10.1.*.*")
    global_block = LinesField(help_text="Client addresses every proxy refuses, one a line. A block wins over an allow.")
    trusted_proxies = LinesField(help_text="Addresses whose X-Forwarded-For header is believed, one a line.")

    class Meta:
        model = SiteSettings
        fields: ClassVar = list(SITE_FIELDS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        effective = effective_site_settings()
        for name in effective.locked & self.fields.keys():
            self.fields[name].disabled = True
            self.initial[name] = getattr(effective, name)
            self.fields[name].help_text = f"Locked: the environment variable RUBBERDUCK_{name.upper()} decides."

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.errors:
            try:
                site_settings_check(self.changes(), asker=self.asker)
            except Invalid as error:
                self.add_reasons(error)
        return cleaned

    def changes(self) -> dict[str, Any]:
        """What is to be stored: the fields the environment leaves open."""
        return {name: self.cleaned_data[name] for name in SITE_FIELDS if not self.fields[name].disabled}

    def add_reasons(self, error: Invalid) -> None:
        for name, reason in error.fields.items():
            self.add_error(name if name in self.fields else None, reason)
