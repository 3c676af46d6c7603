"""Who may come in: users (the e-mail is the login) and the one row of site settings."""

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


class SiteSettings(models.Model):
    """What holds for the whole installation. One row, with the primary key 1; `generation` rises with every change."""

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
