"""The log in Django's admin: to look at, not to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import localtime

from logs.models import RequestLog
from providers.registry import all_providers
from proxies.dataplane.records import CacheResult, Outcome


class FixedFilter(admin.SimpleListFilter):
    """A filter whose values are known beforehand: asking a large table for its distinct values takes a full scan."""

    values: ClassVar[Sequence[str]] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value) for value in self.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RequestLog]) -> QuerySet[RequestLog]:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class OutcomeFilter(FixedFilter):
    title = parameter_name = "outcome"
    values = tuple(Outcome)


class CacheFilter(FixedFilter):
    title = parameter_name = "cache"
    values = tuple(CacheResult)


class ProviderFilter(FixedFilter):
    title = parameter_name = "provider"
    values = tuple(all_providers())


@admin.register(RequestLog)
class RequestLogAdmin(admin.ModelAdmin):
    list_display = (
        "time",
        "proxy_name",
        "operation",
        "model",
        "status",
        "outcome",
        "cache",
        "latency",
        "input_tokens",
        "output_tokens",
        "cost_usd",
        "client_ip",
    )
    list_filter = (OutcomeFilter, CacheFilter, ProviderFilter, "is_streaming", "started_at")
    search_fields = ("=proxy_name", "=prompt_hash", "=client_ip", "model", "path", "operation", "error")
    search_help_text = "Proxy, prompt hash or client address in full; part of a model, path, operation or error."
    ordering = ("-seq",)
    list_per_page = 50
    show_full_result_count = False  # counting a large table takes longer than showing a page of it
    fieldsets: ClassVar = (
        (None, {"fields": ("id", "seq", "started_at", "outcome", "status", "error_kind", "error")}),
        ("Proxy", {"fields": ("proxy_name", "proxy_id", "owner_id", "provider", "endpoint", "attempts")}),
        (
            "Request",
            {
                "fields": (
                    *("client_ip", "method", "path", "operation", "model"),
                    *("prompt_hash", "is_streaming", "request_bytes", "reply_bytes"),
                )
            },
        ),
        ("Times", {"fields": ("latency_ms", "first_byte_ms", "upstream_ms")}),
        ("Stages", {"fields": ("access", "access_list", "rate_limit", "fault", "cache")}),
        (
            "Usage",
            {
                "fields": (
                    *("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens"),
                    *("cost_usd", "cost_avoided_usd"),
                )
            },
        ),
    )

    @admin.display(description="time", ordering="seq")
    def time(self, row: RequestLog) -> str:
        return f"{localtime(row.started_at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description="latency", ordering="latency_ms")
    def latency(self, row: RequestLog) -> str:
        return f"{row.latency_ms:,.1f} ms"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: RequestLog | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: RequestLog | None = None) -> bool:
        return False
