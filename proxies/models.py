"""A proxy as the database knows it: what is wanted, what is observed, and what was recorded."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Lower

from proxies.dataplane.config import CacheMode, LimitScope, OverLimit, PaceKind, TemperatureRule

MAX_SEED = 2**63 - 1


class DesiredState(models.TextChoices):
    RUNNING = "running"
    STOPPED = "stopped"
    KILLED = "killed"


class ObservedState(models.TextChoices):
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"
    BACKING_OFF = "backing_off"
    FAILED = "failed"


def _choices(enum: type[CacheMode | TemperatureRule | PaceKind | LimitScope | OverLimit]) -> list[tuple[str, str]]:
    return [(member.value, member.value.replace("_", " ")) for member in enum]


class OrderedJSONField(models.TextField):  # type: ignore[type-arg]  # at run time it takes none
    """JSON kept as text. PostgreSQL's own type would sort the members of objects, and refuse a NUL in a text; what a
    user wants sent is sent as it was written."""

    def from_db_value(self, value: str | None, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        return None if value is None else json.loads(value)

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value)

    def to_python(self, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    def value_to_string(self, obj: models.Model) -> str:
        return json.dumps(self.value_from_object(obj))


class Proxy(models.Model):
    """What a user creates: a named listener on a port, with its settings. Written by `services` only."""

    name = models.CharField(max_length=100)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="proxies"
    )
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=200, blank=True, help_text="Shown only; empty: the provider's example.")
    description = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True)
    bind = models.CharField(max_length=64, blank=True, help_text="Address to listen on; empty: the default one.")
    port = models.PositiveIntegerField(
        unique=True, validators=[MinValueValidator(1), MaxValueValidator(65535)], help_text="Port to listen on."
    )
    upstream = models.CharField(max_length=500, blank=True, help_text="URL, or emulated; empty: the provider's own.")
    credential = models.CharField(
        max_length=200, blank=True, help_text="Reference: os.environ/NAME or profile:NAME; never a secret. Staff only."
    )
    region = models.CharField(
        max_length=40, blank=True, help_text="Region to use when a request names none (AWS, Google)."
    )

    cache_mode = models.CharField(max_length=10, choices=_choices(CacheMode), default=CacheMode.ON.value)
    cache_ttl_s = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0.001)])
    cache_temperature = models.CharField(
        max_length=20, choices=_choices(TemperatureRule), default=TemperatureRule.ALWAYS.value
    )
    cache_pace = models.CharField(max_length=10, choices=_choices(PaceKind), default=PaceKind.IMMEDIATE.value)
    cache_pace_min_s = models.FloatField(default=0, validators=[MinValueValidator(0), MaxValueValidator(3600)])
    cache_pace_max_s = models.FloatField(default=0, validators=[MinValueValidator(0), MaxValueValidator(3600)])
    cache_single_flight = models.BooleanField(default=True)
    cache_obeys_upstream = models.BooleanField(default=False)
    cache_ignored_pointers = models.JSONField(default=list, blank=True)
    cache_epoch = models.PositiveBigIntegerField(default=0, editable=False)

    emulation_strict = models.BooleanField(default=False)
    emulation_ttft_s = models.FloatField(default=0, validators=[MinValueValidator(0), MaxValueValidator(600)])
    emulation_tokens_per_s = models.FloatField(default=0, validators=[MinValueValidator(0), MaxValueValidator(1e6)])
    emulation_jitter = models.FloatField(default=0, validators=[MinValueValidator(0), MaxValueValidator(1)])
    emulation_replies = OrderedJSONField(default=list, blank=True)

    limits_rpm = models.PositiveIntegerField(
        "requests per minute",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text="Over any 60 seconds; empty: no limit.",
    )
    limits_tpm = models.PositiveIntegerField(
        "tokens per minute",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000_000)],
        help_text="Input and output together, over any 60 seconds; empty: no limit.",
    )
    limits_per = models.CharField(
        "limits per",
        max_length=10,
        choices=_choices(LimitScope),
        default=LimitScope.PROXY.value,
        help_text="Whose requests are counted together: everybody's, one address's, or one key's.",
    )
    limits_over_limit = models.CharField(
        "over the limit",
        max_length=6,
        choices=_choices(OverLimit),
        default=OverLimit.REJECT.value,
        help_text="Reject: the provider's 429. Hold: the request waits for its turn, and is rejected after that.",
    )
    limits_hold_s = models.FloatField(
        "hold for seconds",
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(3600)],
        help_text="The longest a request is held.",
    )
    limits_counts_hits = models.BooleanField(
        "hits count",
        default=True,
        help_text="Whether answers from the cache count. Off: the limit is asked after a miss, and after the faults.",
    )
    limits_quota_headers = models.BooleanField(
        "quota headers",
        default=False,
        help_text="Whether successful replies carry the provider's rate limit headers with these numbers.",
    )

    faults_rules = OrderedJSONField("fault rules", default=list, blank=True)
    faults_seed = models.PositiveBigIntegerField(
        "seed", default=0, validators=[MaxValueValidator(MAX_SEED)], help_text="The same seed, the same faults."
    )
    faults_enabled = models.BooleanField("faults enabled", default=True, help_text="Off: the rules do nothing.")
    faults_per_request = models.BooleanField(
        "faults per request", default=False, help_text="Whether the header x-rubberduck-fault of a request is obeyed."
    )
    faults_reset_at = models.DateTimeField(null=True, blank=True, editable=False)  # when the present run was begun

    allow = models.JSONField(default=list, blank=True, help_text="Client addresses accepted; empty: all.")
    block = models.JSONField(default=list, blank=True, help_text="Client addresses refused.")

    connect_timeout_s = models.FloatField(default=10, validators=[MinValueValidator(0.01), MaxValueValidator(600)])
    silence_timeout_s = models.FloatField(default=600, validators=[MinValueValidator(0.01), MaxValueValidator(86400)])

    desired_state = models.CharField(max_length=10, choices=DesiredState.choices, default=DesiredState.STOPPED)
    generation = models.PositiveBigIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "proxies"
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("name"), "owner", name="proxy_name_is_unique_per_owner"),
            models.UniqueConstraint(
                Lower("name"), condition=models.Q(owner__isnull=True), name="proxy_name_is_unique_without_owner"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ProxyRuntime(models.Model):
    """What is really so, one row per proxy and host. Written by the supervisor only."""

    proxy = models.ForeignKey(Proxy, on_delete=models.CASCADE, related_name="runtimes")
    host = models.CharField(max_length=255)
    state = models.CharField(max_length=12, choices=ObservedState.choices, default=ObservedState.STOPPED)
    reason_code = models.CharField(max_length=40, blank=True)  # port_taken, crash_loop, ...
    reason = models.TextField(blank=True)  # in words
    pid = models.PositiveIntegerField(null=True, blank=True)
    pid_started = models.CharField(max_length=40, blank=True)  # clock ticks since boot: tells a reused pid apart
    bind = models.CharField(max_length=64, blank=True)
    port = models.PositiveIntegerField(null=True, blank=True)
    applied_generation = models.PositiveBigIntegerField(default=0)
    applied_site_generation = models.PositiveBigIntegerField(default=0)
    in_flight = models.PositiveIntegerField(default=0)
    restarts = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["proxy", "host"], name="one_runtime_per_proxy_and_host")
        ]

    def __str__(self) -> str:
        return f"{self.proxy_id} on {self.host}: {self.state}"


class SupervisorHeartbeat(models.Model):
    """One row per host: the supervisor that last ran there, and what its log writer has to report."""

    host = models.CharField(max_length=255, unique=True)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    spool_bytes = models.PositiveBigIntegerField(default=0)  # not yet in the log
    dropped_records = models.PositiveBigIntegerField(default=0)  # past the spool's size cap
    quarantined_records = models.PositiveBigIntegerField(default=0)  # rows the database refused

    def __str__(self) -> str:
        return f"supervisor {self.pid} on {self.host}"


class WrittenJSONField(models.JSONField):
    """JSON that only our own encoder writes: SQLite does not parse every value again to check it, which would cost a
    recording more than all else the database does for it."""

    def db_check(self, connection: BaseDatabaseWrapper) -> None:
        return None


class Recording(models.Model):
    """One stored upstream reply; see `proxies.dataplane.stores.base.Recording` for the fields' shapes."""

    # Without an index of its own: the unique constraint's begins with the proxy.
    proxy = models.ForeignKey(Proxy, on_delete=models.CASCADE, related_name="recordings", db_index=False)
    epoch = models.PositiveBigIntegerField()
    key = models.CharField(max_length=64)  # the cache key, hexadecimal
    status = models.PositiveSmallIntegerField()
    operation = models.CharField(max_length=80, blank=True)
    model = models.CharField(max_length=300, blank=True)
    prompt_hash = models.CharField(max_length=64, blank=True)
    headers = WrittenJSONField()  # [name, value, name, value, ...] as latin-1 text
    body = models.BinaryField()
    frame_sizes = WrittenJSONField()
    delays_ms = WrittenJSONField()
    usage = WrittenJSONField(default=dict)
    digests = WrittenJSONField(default=dict)
    is_streaming = models.BooleanField(default=False)
    size_bytes = models.PositiveBigIntegerField()
    recorded_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["proxy", "key"], name="one_recording_per_proxy_and_key")
        ]
        indexes: ClassVar = [
            models.Index(fields=["proxy", "epoch", "recorded_at"], name="recording_by_age"),
            models.Index(
                fields=["expires_at"], condition=models.Q(expires_at__isnull=False), name="recording_by_expiry"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation or self.status} {self.key[:12]}"
