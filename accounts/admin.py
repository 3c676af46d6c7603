"""Accounts and site settings in Django's admin."""

from __future__ import annotations

from typing import Any

import allauth.account.admin  # registers what is taken back below
import allauth.mfa.admin  # likewise
import allauth.socialaccount.admin  # likewise
import allauth.usersessions.admin  # noqa: F401  likewise
import django_q.admin  # noqa: F401  likewise
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import CASCADE, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_q.models import Failure, OrmQ, Schedule, Success

from accounts.admin_login import AdminLoginForm
from accounts.api import asker_of
from accounts.forms import SiteSettingsForm, UserChangeForm, UserCreationForm, UserPasswordForm
from accounts.models import ApiToken, SiteSettings, User
from accounts.selectors import is_last_staff, staff_needs_connection
from accounts.services import access_revoke, email_mark_verified, site_settings_update, staff_lock

admin.site.site_header = "Rubberduck"
admin.site.site_title = "Rubberduck"
admin.site.index_title = "Administration"
admin.site.site_url = "/"
admin.site.login_form = AdminLoginForm
# Secrets of sign-in providers come from the environment; a table is no place for them.
admin.site.unregister([SocialApp, SocialToken])
# A schedule names a function of Python and what to call it with: who may write one may run what they like.
admin.site.unregister([Failure, OrmQ, Schedule, Success])


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    ordering = ("email",)
    list_display = ("email", "name", "is_staff", "is_active", "date_joined", "last_login")
    list_filter = ("is_staff", "is_active", "is_superuser")
    search_fields = ("email", "name")
    readonly_fields = ("date_joined", "last_login")
    add_form = UserCreationForm
    form = UserChangeForm
    change_password_form = UserPasswordForm
    fieldsets = (
        (None, {"fields": ("email", "password", "name")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2", "is_staff")}),
    )

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change or "email" in form.changed_data:
            # Whoever writes an address here vouches for it.
            email_mark_verified(user=obj)
        if not obj.is_active or "is_active" in form.changed_data:  # as `user_update` does
            access_revoke(user=obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Who has limited rights cannot give more, to themselves least of all."""
        rights = () if _has_all_rights(request) else ("is_staff", "is_superuser", "groups", "user_permissions")
        return (*self.readonly_fields, *rights)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nor may they change those who have more, by their password for example."""
        return super().has_change_permission(request, obj) and (
            obj is None or not obj.is_staff or obj == request.user or _has_all_rights(request)
        )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and (is_last_staff(obj) or (obj.is_staff and not _has_all_rights(request))):
            return False
        return super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """One account at a time: of several, the last of the staff could be one."""
        return {}

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        staff_lock()
        if not self.has_delete_permission(request, obj):
            raise PermissionDenied
        super().delete_model(request, obj)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Counts what goes with the users. The admin's own way would load every recording of every proxy, and would
        ask for the right to delete what nobody deletes by hand."""
        users = list(objs)
        counts = {"users": len(users)}
        missing = set()
        for relation in User._meta.related_objects:
            model: Any = relation.related_model
            if relation.on_delete is not CASCADE:
                continue
            if number := model._default_manager.filter(**{f"{relation.field.name}__in": users}).count():
                counts[str(model._meta.verbose_name_plural)] = number
                keeper = self.admin_site._registry.get(model)
                if keeper is not None and not keeper.has_delete_permission(request):
                    missing.add(str(model._meta.verbose_name))
        return [str(user) for user in users], counts, missing, []


def _has_all_rights(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """To see and to take away. Tokens are made by those they belong to, who alone see them."""

    list_display = ("name", "hint", "user", "scope", "created_at", "expires_at", "last_used_at")
    list_filter = ("scope",)
    search_fields = ("name", "user__email")
    fields = readonly_fields = ("user", *(name for name in list_display if name != "user"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False


# allauth's own admin of these shows secrets (encrypted), searches by a field we do not have, and lets them be edited:
# who writes an address or the account of a provider into somebody's account can sign in to it.
admin.site.unregister([Authenticator, EmailAddress, SocialAccount, UserSession])


@admin.register(EmailAddress)
class EmailAddressAdmin(admin.ModelAdmin):
    """To see, and to vouch for when no mail arrives. An address is changed with its user."""

    list_display = ("email", "user", "verified")
    list_filter = ("verified",)
    search_fields = ("email",)
    fields = readonly_fields = list_display
    actions = ("make_verified",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: EmailAddress | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: EmailAddress | None = None) -> bool:
        """None by itself; with its user it is."""
        return obj is None and super().has_delete_permission(request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def has_verify_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and request.user.has_perm("account.change_emailaddress")

    @admin.action(description="Mark selected addresses as verified", permissions=["verify"])
    def make_verified(self, request: HttpRequest, queryset: QuerySet[EmailAddress]) -> None:
        for address in queryset:
            if not address.set_verified():
                self.message_user(request, f"{address} is the verified address of another account.", messages.ERROR)


@admin.register(SocialAccount)
class SocialAccountAdmin(admin.ModelAdmin):
    """To see and to take away. Connections are made by those they belong to."""

    list_display = ("user", "provider", "uid", "date_joined", "last_login")
    list_filter = ("provider",)
    search_fields = ("user__email", "uid")
    fields = readonly_fields = list_display

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SocialAccount | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SocialAccount | None = None) -> bool:
        if obj is not None and (staff_needs_connection(obj) or (obj.user.is_staff and not _has_all_rights(request))):
            return False
        return super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """One at a time: of several, the last way in of the staff could be one."""
        return {}

    def delete_model(self, request: HttpRequest, obj: SocialAccount) -> None:
        staff_lock()
        if not self.has_delete_permission(request, obj):
            raise PermissionDenied
        super().delete_model(request, obj)


@admin.register(Authenticator)
class AuthenticatorAdmin(admin.ModelAdmin):
    """To take away from somebody who has lost it."""

    list_display = ("user", "type", "created_at", "last_used_at")
    search_fields = ("user__email",)
    fields = readonly_fields = list_display

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Authenticator | None = None) -> bool:
        return False


@admin.register(UserSession)
class UserSessionAdmin(admin.ModelAdmin):
    """To see and to end."""

    list_display = ("user", "ip", "user_agent", "created_at")
    search_fields = ("user__email", "ip")
    fields = readonly_fields = list_display

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: UserSession | None = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: UserSession) -> None:
        obj.end()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        for session in queryset:
            session.end()


@admin.register(SiteSettings)
class SiteSettingsAdmin(admin.ModelAdmin):
    """One row: the list leads straight to it."""

    form = SiteSettingsForm
    readonly_fields = ("generation", "updated_at")

    @admin.display(description="generation shown")
    def seen_generation(self, row: SiteSettings) -> int:
        """In the place of the form's hidden field, for those who may only look."""
        return row.generation

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SiteSettings | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        row = SiteSettings.load()
        return redirect(reverse("admin:accounts_sitesettings_change", args=[row.pk]))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        assert isinstance(request.user, User)  # or the admin would have refused
        return type(form.__name__, (form,), {"asker": asker_of(request, request.user)})

    def save_model(self, request: HttpRequest, obj: SiteSettings, form: Any, change: bool) -> None:
        saved = site_settings_update(form.changes(), asker=form.asker)
        obj.generation, obj.updated_at = saved.generation, saved.updated_at
