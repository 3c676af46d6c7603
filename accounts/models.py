"""Who may come in: users (the e-mail is the login), their API tokens, and the one row of site settings."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils import timezone


class UserManager(BaseUserManager["User"]):
    """Makes users. E-mail addresses are stored lower-cased, so a login never depends on how somebody typed it."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Raises ValueError for an empty e-mail. `password` None: the account cannot log in by password."""
        if not email:
            raise ValueError("email: an e-mail address is required")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Makes a member of staff whose address counts as verified: whoever has this machine's shell vouches for it."""
        user = self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})
        EmailAddress.objects.using(self._db).update_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account."""

    email = models.EmailField("e-mail address", unique=True)
    name = models.CharField(max_length=150, blank=True)
    is_active = models.BooleanField(default=True, help_text="Off: the account cannot sign in.")
    is_staff = models.BooleanField(default=False, help_text="May use this admin and change site settings.")
    date_joined = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower()


class TokenScope(models.TextChoices):
    """What a token may do of what its user may do."""

    READ = "read", "read"
    WRITE = "write", "read and write"


class ApiToken(models.Model):
    """A key to the API for scripts. Only its SHA-256 is stored; `hint` is its beginning, to tell tokens apart."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=5, choices=TokenScope, default=TokenScope.WRITE)
    hint = models.CharField(max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    last_used_at = models.DateTimeField(null=True, editable=False)
    parent = models.ForeignKey(
        "self", null=True, editable=False, on_delete=models.CASCADE, help_text="The token this one was made with."
    )

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"


class SiteSettings(models.Model):
    """What holds for the whole installation. One row, with the primary key 1; `generation` rises with every change."""

    allow_registration = models.BooleanField(
        default=False, help_text="Whether anybody may sign up. Off: only the e-mail addresses and domains below."
    )
    allow_social_login = models.BooleanField(
        default=True, help_text="Whether people may sign in by Google or GitHub, where these are configured."
    )
    allow_password_login = models.BooleanField(
        default=True, help_text="Whether people may sign in by e-mail and password."
    )
    allowed_emails = models.JSONField(
        default=list, blank=True, help_text="E-mail addresses that may sign up while registration is closed."
    )
    allowed_domains = models.JSONField(
        default=list, blank=True, help_text="Domains whose addresses may sign up while registration is closed."
    )
    global_allow = models.JSONField(
        default=list, blank=True, help_text="Client addresses every proxy accepts; empty: all. Exact, CIDR or 10.1.*.*"
    )
    global_block = models.JSONField(default=list, blank=True, help_text="Client addresses every proxy refuses.")
    trusted_proxies = models.JSONField(
        default=list, blank=True, help_text="Addresses whose X-Forwarded-For header is believed."
    )
    allow_private_upstreams = models.BooleanField(
        default=True, help_text="Whether upstreams may be loopback or private addresses."
    )
    retention_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Days after which log records are deleted; empty: they are kept."
    )
    generation = models.PositiveBigIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "site settings"
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(pk=1), name="site_settings_is_one_row")]

    def __str__(self) -> str:
        return "Site settings"

    @classmethod
    def load(cls) -> SiteSettings:
        """The one row, made with its defaults when there is none yet."""
        return cls.objects.get_or_create(pk=1)[0]
