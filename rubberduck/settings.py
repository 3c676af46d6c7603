"""Django settings: the only module that reads the environment. `.env.example` explains every variable."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from rubberduck.caches import caches
from rubberduck.database import database
from rubberduck.env import Environment, InvalidVariable, read_env_file
from rubberduck.mail import mail
from rubberduck.secret_key import secret_key

VERSION = "0.1.0"
BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment(os.environ)
# An empty RUBBERDUCK_ENV_FILE is an answer (no file), so this one variable is not read by `text`.
env.asked.add("RUBBERDUCK_ENV_FILE")
_env_file = os.environ.get("RUBBERDUCK_ENV_FILE", str(BASE_DIR / ".env"))
if _env_file:
    # The references `os.environ/NAME` of endpoint credentials are looked up in os.environ, so the file joins it.
    for _name, _value in read_env_file(Path(_env_file)).items():
        os.environ.setdefault(_name, _value)

# --- this installation

DATA_DIR = env.path("RUBBERDUCK_DATA_DIR", BASE_DIR / "data")
try:
    # The database holds what was said to models and how people sign in: for this user's eyes only.
    DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    SECRET_KEY = env.secret("RUBBERDUCK_SECRET_KEY") or secret_key(DATA_DIR / "secret_key")
except OSError as _error:
    raise InvalidVariable(
        "RUBBERDUCK_DATA_DIR", str(DATA_DIR), f"the directory cannot be used ({_error.strerror})"
    ) from None
DEBUG = env.boolean("RUBBERDUCK_DEBUG", False)
DATABASES = {"default": database(env.secret("DATABASE_URL"), DATA_DIR)}
WEB_BIND = env.listen_address("RUBBERDUCK_WEB_BIND", "127.0.0.1:8000")
EXTRA_HOSTS = env.names("RUBBERDUCK_ALLOWED_HOSTS") or []
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *EXTRA_HOSTS]
if WEB_BIND[0] not in ("0.0.0.0", "::"):
    ALLOWED_HOSTS.append(f"[{WEB_BIND[0]}]" if ":" in WEB_BIND[0] else WEB_BIND[0])
_IS_LOCAL = WEB_BIND[0] == "localhost" or ip_address(WEB_BIND[0]).is_loopback
# Whether browsers reach the web by https only. Nothing here speaks TLS: something in front does, and says so.
HTTPS = env.boolean("RUBBERDUCK_HTTPS", not _IS_LOCAL)
IMPLIED_HTTPS = HTTPS and not env.is_set("RUBBERDUCK_HTTPS")
# Behind something that ends TLS, the browser's origin is https.
CSRF_TRUSTED_ORIGINS = [f"https://{'*' * host.startswith('.')}{host}" for host in EXTRA_HOSTS if host != "*"]

# --- proxies

PROXY_BIND = env.ip("RUBBERDUCK_PROXY_BIND", "127.0.0.1")
PROXY_PORTS = env.port_range("RUBBERDUCK_PROXY_PORTS", "8001-8999")
TRANSPORT = env.choice("RUBBERDUCK_TRANSPORT", "own", ("own", "httpx"))
UPSTREAM_CA_FILE = env.existing_file("RUBBERDUCK_UPSTREAM_CA_FILE")
TESTING = env.boolean("RUBBERDUCK_TESTING", False)
CONNECT_TO = env.connect_to("RUBBERDUCK_CONNECT_TO") if TESTING else {}
IGNORED_CONNECT_TO = not TESTING and env.is_set("RUBBERDUCK_CONNECT_TO")

CONNECT_S = env.seconds("RUBBERDUCK_CONNECT_S", 10.0, maximum=600)
SILENCE_S = env.seconds("RUBBERDUCK_SILENCE_S", 600.0)
DRAIN_S = env.seconds("RUBBERDUCK_DRAIN_S", 30.0)
HEAD_BYTES = env.size("RUBBERDUCK_HEAD_BYTES", 64 * 1024, minimum=1024)
HEAD_S = env.seconds("RUBBERDUCK_HEAD_S", 10.0)
BODY_IDLE_S = env.seconds("RUBBERDUCK_BODY_IDLE_S", 60.0)
KEEP_ALIVE_S = env.seconds("RUBBERDUCK_KEEP_ALIVE_S", 75.0)
HASH_BYTES = env.size("RUBBERDUCK_HASH_BYTES", 32 * 1024**2)
MAX_BODY_BYTES = env.size("RUBBERDUCK_MAX_BODY_BYTES", 1024**3)
RECORDING_BYTES = env.size("RUBBERDUCK_RECORDING_BYTES", 32 * 1024**2)
UNWRITTEN_RECORDINGS_BYTES = env.size("RUBBERDUCK_UNWRITTEN_RECORDINGS_BYTES", 64 * 1024**2)
MEMORY_CACHE_BYTES = env.size("RUBBERDUCK_MEMORY_CACHE_BYTES", 64 * 1024**2, minimum=0)
SPOOL_MAX_BYTES = env.size("RUBBERDUCK_SPOOL_MAX_BYTES", 1024**3)

# --- site settings that the environment decides: what is absent here is decided by the SiteSettings row

SITE_OVERRIDES: dict[str, Any] = {}
for _field in ("global_allow", "global_block", "trusted_proxies", "allowed_emails", "allowed_domains"):
    if (_entries := env.names(f"RUBBERDUCK_{_field.upper()}")) is not None:
        # Users' addresses are stored in lower case; addresses of machines may be written either way.
        SITE_OVERRIDES[_field] = [_entry.lower() for _entry in _entries]
for _field in ("allow_registration", "allow_social_login", "allow_password_login", "allow_private_upstreams"):
    if env.is_set(f"RUBBERDUCK_{_field.upper()}"):
        SITE_OVERRIDES[_field] = env.boolean(f"RUBBERDUCK_{_field.upper()}", True)
if env.is_set("RUBBERDUCK_RETENTION_DAYS"):
    SITE_OVERRIDES["retention_days"] = env.days("RUBBERDUCK_RETENTION_DAYS")

# --- Django. daphne is never an installed app: it would give every forked worker the same epoll descriptor.

INSTALLED_APPS = [
    "accounts",
    "proxies",
    "logs",
    "rubberduck",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",
    "allauth.socialaccount.providers.google",
    "allauth.headless",
    "allauth.mfa",
    "allauth.usersessions",
    "channels",
    "csp",
    "django_q",
    "ninja",
]
MIDDLEWARE = [
    "rubberduck.access.GlobalAccessMiddleware",
    "rubberduck.api_errors.ApiErrorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.headless.WellFormedTextMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "rubberduck.urls"
ASGI_APPLICATION = "rubberduck.asgi.application"
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
# The ORM broker; polling every 2 s costs 0.13% of a core, every 0.2 s ten times that.
Q_CLUSTER = {
    "name": "rubberduck",
    "orm": "default",
    "workers": 1,
    "poll": 2,
    "timeout": 600,
    "retry": 900,
    "max_attempts": 5,
    "save_limit": 100,
    "label": "Tasks",
    "catch_up": False,
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # It announces every task, also on the terminal of whoever types `manage.py proxy invalidate`.
    # Strangers choose the Host header; who sends a foreign one is told, and the console is spared a traceback for each.
    "loggers": {"django-q": {"level": "WARNING"}, "django.security.DisallowedHost": {"level": "CRITICAL"}},
}

# --- who may come in

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# Codes, not links: a mail scanner that follows links can use none of them up.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_CHANGE_EMAIL = True  # one address per account; a new one takes the old one's place once it is verified
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("browser", "app")
# Signed with the secret key and looked up in the session they come from: who ends the session ends them.
HEADLESS_TOKEN_STRATEGY = "allauth.headless.tokens.strategies.jwt.JWTTokenStrategy"
HEADLESS_JWT_ALGORITHM = "HS256"
HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED = True
# allauth asks for these; no mail names one of them.
HEADLESS_FRONTEND_URLS = {
    "account_signup": "/signup",
    "account_reset_password": "/forgot-password",
    "socialaccount_login_error": "/auth/callback",
}
MFA_ADAPTER = "accounts.second_factor.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Rubberduck"
SOCIALACCOUNT_ADAPTER = "accounts.adapters.SocialAccountAdapter"
SOCIALACCOUNT_QUERY_EMAIL = True
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, Any]] = {}
_SIGN_IN_PAGES = {"google": "https://accounts.google.com", "github": "https://github.com"}
for _provider in _SIGN_IN_PAGES:
    _id, _secret = (env.secret(f"RUBBERDUCK_{_provider.upper()}_CLIENT_{_part}") for _part in ("ID", "SECRET"))
    if bool(_id) != bool(_secret):
        _missing = f"RUBBERDUCK_{_provider.upper()}_CLIENT_{'SECRET' if _id else 'ID'}"
        raise ImproperlyConfigured(f"{_missing} is missing: a client has an id and a secret.")
    if _id:
        SOCIALACCOUNT_PROVIDERS[_provider] = {
            "APPS": [{"client_id": _id, "secret": _secret}],
            "OAUTH_PKCE_ENABLED": True,
        }
CACHES = caches(env.secret("REDIS_URL"))

# --- mail

globals().update(mail(env.secret("EMAIL_URL"), env.secret("SENDGRID_API_KEY")))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("RUBBERDUCK_MAIL_FROM", "Rubberduck <rubberduck@localhost>")

# --- what browsers are told
# Cookies do not know ports: the name keeps several copies on one machine from signing each other out.

SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_NAME = f"rubberduck_session_{WEB_BIND[1]}"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]  # load balancers ask without TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
# Other hosts below the name, and the lists built into browsers, are for the owner of the domain to decide on.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Browsers hold the redirect that follows a form to this, too.
        "form-action": [SELF, *(_SIGN_IN_PAGES[_provider] for _provider in SOCIALACCOUNT_PROVIDERS)],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# --- static files: WhiteNoise serves the apps' own and the built frontend from where they lie; nothing is collected

FRONTEND_DIST = BASE_DIR / "frontend" / "dist"
STATIC_URL = "/static/"
STATICFILES_DIRS = [FRONTEND_DIST] if FRONTEND_DIST.is_dir() else []
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_IMMUTABLE_FILE_TEST = r"/assets/.+-[0-9A-Za-z_-]{8,}\.[0-9a-z]+$"  # Vite: assets/<name>-<hash>.<ext>
WHITENOISE_ALLOW_ALL_ORIGINS = False
