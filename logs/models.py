"""What happened: one row per exchange."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class RequestLog(models.Model):
    """One exchange. Rows outlive their proxy, so the proxy and its owner are plain numbers and the name is kept.

    `seq` is assigned by the database on insert: it orders and resumes. `id` (UUIDv7) was made by the worker and
    identifies. None means unknown or not applicable, never 0.
    """

    seq = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True)
    started_at = models.DateTimeField(db_index=True)
    proxy_id = models.BigIntegerField()
    proxy_name = models.CharField(max_length=100)
    owner_id = models.BigIntegerField(null=True, blank=True)
    provider = models.CharField(max_length=40)
    client_ip = models.CharField(max_length=45)
    method = models.CharField(max_length=20)
    path = models.CharField(max_length=2000)
    operation = models.CharField(max_length=80, blank=True)
    model = models.CharField(max_length=300, blank=True)
    prompt_hash = models.CharField(max_length=64, blank=True, db_index=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=12)
    latency_ms = models.FloatField()
    first_byte_ms = models.FloatField(null=True, blank=True)
    upstream_ms = models.FloatField(null=True, blank=True)
    is_streaming = models.BooleanField(default=False)
    cache = models.CharField(max_length=8)
    rate_limit = models.CharField(max_length=8)
    is_estimated = models.BooleanField(default=False)
    access = models.CharField(max_length=8)
    access_list = models.CharField(max_length=200, blank=True)
    fault = models.CharField(max_length=200, blank=True)
    decision = models.BigIntegerField(null=True, blank=True)
    client_attempt = models.PositiveSmallIntegerField(null=True, blank=True)
    retry_after_ms = models.BigIntegerField(null=True, blank=True)
    endpoint = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    input_tokens = models.BigIntegerField(null=True, blank=True)
    output_tokens = models.BigIntegerField(null=True, blank=True)
    cached_tokens = models.BigIntegerField(null=True, blank=True)
    cache_write_tokens = models.BigIntegerField(null=True, blank=True)
    reasoning_tokens = models.BigIntegerField(null=True, blank=True)
    cost_usd = models.DecimalField(max_digits=20, decimal_places=10, null=True, blank=True)
    cost_avoided_usd = models.DecimalField(max_digits=20, decimal_places=10, null=True, blank=True)
    error_kind = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=500, blank=True)
    request_bytes = models.BigIntegerField(default=0)
    reply_bytes = models.BigIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["proxy_id", "-seq"], name="log_by_proxy"),
            models.Index(fields=["owner_id", "-seq"], name="log_by_owner"),
            models.Index(fields=["outcome", "-seq"], name="log_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status or '-'} {self.outcome}"
