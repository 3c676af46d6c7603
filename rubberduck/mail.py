"""EMAIL_URL and SENDGRID_API_KEY as Django's settings for mail."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TIMEOUT_S = 10  # somebody waits for the page that sends the mail
_SMTP_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def mail(url: str, sendgrid_api_key: str) -> dict[str, Any]:
    """Settings by name. SendGrid when there is a key, else what the URL says; "" prints mails on the console.

    `smtp://HOST:25` sends without encryption, `smtp+tls://USER:PASSWORD@HOST:587` with STARTTLS,
    `smtps://USER:PASSWORD@HOST:465` with TLS from the first byte; `file:///DIRECTORY` writes every mail to a file.
    Errors name the part of the URL that is wrong and never repeat it: it may hold a password.
    """
    if sendgrid_api_key:
        return {
            "EMAIL_BACKEND": "anymail.backends.sendgrid.EmailBackend",
            "ANYMAIL": {"SENDGRID_API_KEY": sendgrid_api_key, "REQUESTS_TIMEOUT": TIMEOUT_S},
        }
    if not url:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # whose text may repeat a part of the password
        raise ImproperlyConfigured(
            "EMAIL_URL: host and port: use HOST:PORT; in a password write / as %2F, @ as %40, # as %23, ? as %3F."
        ) from None
    if parts.scheme == "file":
        if parts.netloc or not parts.path.strip("/"):
            raise ImproperlyConfigured("EMAIL_URL: path: use file:///DIRECTORY.")
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": unquote(parts.path),
        }
    if parts.scheme not in _SMTP_PORTS:
        raise ImproperlyConfigured(
            "EMAIL_URL: scheme: use smtp+tls://USER:PASSWORD@HOST:587, smtps://USER:PASSWORD@HOST:465, "
            "smtp://HOST:25 or file:///DIRECTORY."
        )
    if not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL: host: the name of the mail server is missing.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ImproperlyConfigured(
            "EMAIL_URL: nothing may follow the port; in a password write / as %2F, @ as %40, # as %23, ? as %3F."
        )
    if parts.scheme == "smtp" and parts.password and not _is_loopback(parts.hostname):
        raise ImproperlyConfigured(
            "EMAIL_URL: scheme: smtp:// would send the password in the clear; use smtp+tls:// or smtps://."
        )
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or _SMTP_PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": TIMEOUT_S,
    }


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
