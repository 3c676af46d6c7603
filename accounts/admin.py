"""Accounts and site settings in Django's admin."""

from __future__ import annotations

from typing import Any

import allauth.socialaccount.admin  # noqa: F401  registers what is taken back below
from allauth.socialaccount.models import SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import CASCADE
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.forms import SiteSettingsForm, UserCreationForm
from accounts.models import SiteSettings, User
from accounts.services import email_mark_verified, site_settings_update

admin.site.site_header = "Rubberduck"
admin.site.site_title = "Rubberduck"
admin.site.index_title = "Administration"
admin.site.site_url = "/"
# Secrets of sign-in providers come from the environment; a table is no place for them.
admin.site.unregister([SocialApp, SocialToken])


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    ordering = ("email",)
    list_display = ("email", "name", "is_staff", "is_active", "date_joined", "last_login")
    list_filter = ("is_staff", "is_active", "is_superuser")
    search_fields = ("email", "name")
    readonly_fields = ("date_joined", "last_login")
    add_form = UserCreationForm
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
        if not change:
            # Whoever adds an account here vouches for the address.
            email_mark_verified(user=obj)

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

    def save_model(self, request: HttpRequest, obj: SiteSettings, form: Any, change: bool) -> None:
        saved = site_settings_update(form.changes())
        obj.generation, obj.updated_at = saved.generation, saved.updated_at
