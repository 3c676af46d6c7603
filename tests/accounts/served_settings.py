"""The real settings, with a quick password hash, a mail server that can be away, and Google and GitHub on loopback."""

from __future__ import annotations

import os

from rubberduck.settings import *  # noqa: F403
from rubberduck.settings import SOCIALACCOUNT_PROVIDERS

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "tests.accounts.refusing_mail.EmailBackend"
_PROVIDER = os.environ["PROVIDER_URL"]
SOCIALACCOUNT_PROVIDERS["google"] |= {
    "AUTHORIZE_URL": f"{_PROVIDER}/google/authorize",
    "ACCESS_TOKEN_URL": f"{_PROVIDER}/google/token",
    "CERTS_URL": f"{_PROVIDER}/google/certs",
    "ID_TOKEN_ISSUER": f"{_PROVIDER}/google",
}
SOCIALACCOUNT_PROVIDERS["github"]["GITHUB_URL"] = _PROVIDER
