"""Proxies, what is observed of them, and recordings in Django's admin. Every change goes through the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.errors import DomainError
from logs.selectors import last_request_at, newest_decision
from proxies.admin_forms import ProxyForm
from proxies.models import DesiredState, Proxy, ProxyRuntime, Recording, SupervisorHeartbeat
from proxies.selectors import Applied, base_url, observe, observe_one, shown_model
from proxies.services import (
    proxy_create,
    proxy_delete,
    proxy_invalidate,
    proxy_kill,
    proxy_reset_faults,
    proxy_start,
    proxy_stop,
    proxy_update,
    recordings_delete,
    wait_applied,
)

_WORDS = {
    Applied.LIVE: "The configuration is live.",
    Applied.APPLYING: "The configuration is being applied; the worker has not taken it up yet.",
}


class ProxyChangeList(ChangeList):
    """Looks up what is observed of all proxies on the page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        proxies = list(self.result_list)
        seen = observe(proxies)
        for proxy in proxies:
            proxy.observation = seen[proxy.pk]
        self.result_list = proxies


class ReadOnlyAdmin(admin.ModelAdmin):
    """To look at, not to change."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Proxy)
class ProxyAdmin(admin.ModelAdmin):
    form = ProxyForm
    list_display = (
        "name",
        "provider",
        "model_name",
        "address",
        "desired_state",
        "state",
        "cache_mode",
        "owner",
        "used",
    )
    list_filter = ("desired_state", "provider", "cache_mode", "owner")
    search_fields = ("name", "description", "model", "upstream", "=port", "owner__email")
    search_help_text = "Part of a name, description, model, upstream or owner's e-mail; a port in full."
    list_select_related = ("owner",)
    ordering = ("name",)
    actions = ("start", "stop", "kill", "invalidate", "reset_faults")
    readonly_fields = (
        *("state", "desired_state", "address", "generation", "cache_epoch", "created_at", "updated_at"),
        *("decisions", "faults_reset_at"),
    )
    fieldsets: ClassVar = (
        (None, {"fields": ("name", "owner", "provider", "model", "description", "tags", "seen_generation")}),
        ("Now", {"fields": ("state", "desired_state", "address", "generation", "created_at", "updated_at")}),
        ("Addresses", {"fields": ("bind", "port", "upstream", "credential", "region")}),
        (
            "Cache",
            {
                "fields": (
                    *("cache_mode", "cache_ttl_s", "cache_temperature"),
                    ("cache_pace", "cache_pace_min_s", "cache_pace_max_s"),
                    *("cache_single_flight", "cache_obeys_upstream", "cache_ignored_pointers", "cache_epoch"),
                )
            },
        ),
        (
            "Emulation",
            {
                "description": "For a proxy whose upstream is emulated; with any other these fields do nothing.",
                "fields": (
                    "emulation_strict",
                    ("emulation_ttft_s", "emulation_tokens_per_s", "emulation_jitter"),
                    "emulation_replies",
                ),
            },
        ),
        (
            "Rate limits",
            {
                "description": "Exact over any 60 seconds.",
                "fields": (
                    ("limits_rpm", "limits_tpm", "limits_per"),
                    ("limits_over_limit", "limits_hold_s"),
                    *("limits_counts_hits", "limits_quota_headers"),
                ),
            },
        ),
        (
            "Faults",
            {
                "description": "Other rules, or another seed, begin a new run: decisions are counted from 1 again.",
                "fields": (
                    *("faults_rules", "faults_seed", "faults_enabled", "faults_per_request"),
                    ("decisions", "faults_reset_at"),
                ),
            },
        ),
        ("Access", {"fields": ("allow", "block")}),
        ("Time-outs", {"fields": ("connect_timeout_s", "silence_timeout_s")}),
    )

    # --- columns

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ProxyChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proxy]:
        proxies: QuerySet[Proxy] = super().get_queryset(request)
        return proxies.annotate(last_request_at=last_request_at("pk"))

    @admin.display(description="model", ordering="model")
    def model_name(self, proxy: Proxy) -> str:
        return shown_model(proxy)

    @admin.display(description="base URL", ordering="port")
    def address(self, proxy: Proxy) -> str:
        return base_url(proxy) if proxy.port else "-"

    @admin.display(description="state")
    def state(self, proxy: Proxy) -> str:
        if proxy.pk is None:
            return "-"
        seen = getattr(proxy, "observation", None) or observe_one(proxy)
        state = seen.state.replace("_", " ")
        return f"{state}: {seen.reason}" if seen.reason else state

    @admin.display(description="decisions so far")
    def decisions(self, proxy: Proxy) -> int:
        return newest_decision(proxy.pk, proxy.faults_reset_at) if proxy.pk else 0

    @admin.display(description="last request", ordering="last_request_at")
    def used(self, proxy: Any) -> Any:
        return proxy.last_request_at

    @admin.display(description="generation shown")
    def seen_generation(self, proxy: Proxy) -> int:
        """In the place of the form's hidden field, for those who may only look."""
        return proxy.generation

    # --- saving

    def get_readonly_fields(self, request: HttpRequest, obj: Proxy | None = None) -> Any:
        # The owner is chosen once: names are unique per owner and logs carry the owner.
        return self.readonly_fields if obj is None else (*self.readonly_fields, "owner")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": request.user.pk, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Proxy, form: Any, change: bool) -> None:
        fields = form.changes()
        if change:
            saved = proxy_update(proxy=obj, changes=fields, may_reference_credentials=True)
        else:
            saved = proxy_create(owner=obj.owner, fields=fields, may_reference_credentials=True)
        for field in Proxy._meta.concrete_fields:
            setattr(obj, field.attname, getattr(saved, field.attname))
        obj._state.adding = False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as error:  # it became invalid between the check and the save
            self.message_user(request, error.message, messages.ERROR)
            return HttpResponseRedirect(request.path)

    def response_change(self, request: HttpRequest, obj: Proxy) -> HttpResponse:
        if obj.desired_state == DesiredState.RUNNING:
            progress = wait_applied(obj)
            level = messages.SUCCESS if progress.applied is Applied.LIVE else messages.WARNING
            words = _WORDS.get(progress.applied, f"The configuration does not serve: {progress.reason}")
            self.message_user(request, words, level)
        return super().response_change(request, obj)

    # --- deleting

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        proxies = list(objs)
        recordings = Recording.objects.filter(proxy__in=proxies).count()
        counts = {"proxies": len(proxies), "recordings": recordings}
        return [str(proxy) for proxy in proxies], counts, set(), []

    def delete_model(self, request: HttpRequest, obj: Proxy) -> None:
        proxy_delete(proxy=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Proxy]) -> None:
        for proxy in queryset:
            proxy_delete(proxy=proxy)

    # --- actions

    @admin.action(description="Start", permissions=["change"])
    def start(self, request: HttpRequest, queryset: QuerySet[Proxy]) -> None:
        self._each(request, queryset, proxy_start, "asked to start")

    @admin.action(description="Stop (requests in flight finish)", permissions=["change"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Proxy]) -> None:
        self._each(request, queryset, proxy_stop, "asked to stop")

    @admin.action(description="Kill (requests in flight are cut)", permissions=["change"])
    def kill(self, request: HttpRequest, queryset: QuerySet[Proxy]) -> None:
        self._each(request, queryset, proxy_kill, "killed")

    @admin.action(description="Invalidate the cache", permissions=["change"])
    def invalidate(self, request: HttpRequest, queryset: QuerySet[Proxy]) -> None:
        self._each(request, queryset, proxy_invalidate, "given an empty cache")

    @admin.action(description="Begin the faults' run again", permissions=["change"])
    def reset_faults(self, request: HttpRequest, queryset: QuerySet[Proxy]) -> None:
        self._each(request, queryset, proxy_reset_faults, "given a new run of faults")

    def _each(self, request: HttpRequest, queryset: QuerySet[Proxy], service: Callable[..., Any], done: str) -> None:
        names = []
        for proxy in queryset:
            try:
                service(proxy=proxy)
            except DomainError as error:
                self.message_user(request, error.message, messages.ERROR)
            else:
                names.append(proxy.name)
        if names:
            self.message_user(request, f"{', '.join(names)}: {done}.", messages.SUCCESS)


@admin.register(ProxyRuntime)
class ProxyRuntimeAdmin(ReadOnlyAdmin):
    list_display = ("proxy", "host", "state", "reason", "bind", "port", "pid", "in_flight", "restarts", "updated_at")
    list_filter = ("state", "host")
    search_fields = ("proxy__name", "reason", "=port", "=pid")
    list_select_related = ("proxy",)
    ordering = ("proxy__name", "host")


@admin.register(SupervisorHeartbeat)
class SupervisorHeartbeatAdmin(ReadOnlyAdmin):
    list_display = (
        *("host", "pid", "started_at", "heartbeat_at"),
        *("spool_bytes", "dropped_records", "quarantined_records"),
    )


@admin.register(Recording)
class RecordingAdmin(ReadOnlyAdmin):
    """Bodies are not shown: they may be large, and they are somebody's conversation."""

    list_display = ("recorded_at", "proxy", "operation", "model", "status", "is_streaming", "size_bytes", "prompt_hash")
    list_filter = ("is_streaming", "proxy")
    search_fields = ("=prompt_hash", "=key", "model", "operation", "proxy__name")
    search_help_text = "A prompt hash or cache key in full; part of a model, operation or proxy name."
    list_select_related = ("proxy",)
    ordering = ("-recorded_at",)
    show_full_result_count = False
    fields = (
        *("proxy", "recorded_at", "expires_at", "operation", "model", "status", "is_streaming", "size_bytes"),
        *("prompt_hash", "key", "epoch", "usage"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recording]:
        return super().get_queryset(request).defer("body", "headers", "frame_sizes", "delays_ms", "digests")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def delete_model(self, request: HttpRequest, obj: Recording) -> None:
        recordings_delete(ids=[obj.pk])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Recording]) -> None:
        recordings_delete(ids=queryset.values_list("pk", flat=True))
