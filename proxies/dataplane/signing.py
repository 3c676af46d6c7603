"""AWS signatures (SigV4) and the credentials they are made with. Secrets live in memory only and appear in no repr.

Why botocore and not forty lines of our own: it is AWS's reference, and its canonical form is what AWS itself checks.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import botocore.exceptions
import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from providers.base import CredentialAction, CredentialPlan, Header, Origin
from proxies.dataplane.config import CREDENTIAL_REFERENCE
from proxies.dataplane.errors import ErrorKind, UpstreamError

# botocore carries no types
_SIGV4: Any = SigV4Auth
_AWS_REQUEST: Any = AWSRequest
_SESSION: Any = botocore.session.Session

# What goes into a signature besides the host: fields no hop may touch. User-agent, accept and the like travel unsigned.
_SIGNED_NAMES = frozenset({b"content-type"})
_SIGNED_PREFIXES = (b"x-amz-", b"x-amzn-")
# Replaced by the new signature; `x-aws-*` are the client's secrets for us.
_REPLACED = frozenset(
    {b"authorization", b"x-amz-date", b"x-amz-security-token", b"x-amz-content-sha256", b"date", b"host"}
)


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """A key pair, and the session token of a temporary one ("" for a long-term one)."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


def sign(
    plan: CredentialPlan,
    credentials: AwsCredentials,
    *,
    method: str,
    origin: Origin,
    target: bytes,
    headers: Sequence[Header],
    body: bytes | None,
    now: datetime,
) -> list[Header]:
    """The headers to send, signed for `origin` with the plan's region and service; Host is the sender's to add.

    `target`: path and query as they will be sent; `headers`: as they will be sent otherwise, in any case; `now`: UTC.
    `body` None means it is streamed: Bedrock takes no unsigned payloads, so that raises UpstreamError, as does a target
    that is not ASCII.
    """
    if body is None:
        raise UpstreamError(
            ErrorKind.BODY_TOO_LARGE,
            "This body is too large to be signed for AWS. Raise the proxy's limit for hashed bodies, "
            "or send a request that AWS accepts as it is (a Bedrock API key, or a signature made for the AWS host).",
            is_retryable=False,
            source="client",
        )
    try:
        url = f"{origin.scheme}://{origin.authority}{target.decode('ascii')}"
    except UnicodeDecodeError as error:
        raise UpstreamError(
            ErrorKind.BAD_REQUEST,
            "The path or query holds bytes that are not ASCII; AWS takes no signature over them.",
            is_retryable=False,
            source="client",
        ) from error
    sent: list[Header] = []
    request = _AWS_REQUEST(method=method, url=url, data=body)
    signed = request.headers
    for header in headers:
        name = header[0].lower()
        if name in _REPLACED or name.startswith(b"x-aws-"):
            continue
        sent.append(header)
        if name in _SIGNED_NAMES or name.startswith(_SIGNED_PREFIXES):
            signed.add_header(name.decode("latin-1"), header[1].decode("utf-8", "replace"))
    timestamp = now.strftime("%Y%m%dT%H%M%SZ")
    added = [("X-Amz-Date", timestamp)]
    if credentials.session_token:
        added.append(("X-Amz-Security-Token", credentials.session_token))
    for text_name, value in added:
        signed.add_header(text_name, value)
    request.context["timestamp"] = timestamp
    added.append(("Authorization", _authorization(request, credentials, plan)))
    sent.extend((text_name.encode("ascii"), value.encode("latin-1")) for text_name, value in added)
    return sent


def _authorization(request: Any, credentials: AwsCredentials, plan: CredentialPlan) -> str:
    """botocore's signature at the request's own timestamp; its `add_auth` reads the clock and logs what it signs."""
    signer: Any = _SIGV4(credentials, plan.service, plan.region)
    canonical = signer.canonical_request(request)
    names = canonical.rsplit("\n", 2)[1]
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    return f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, Signature={signature}"


class CredentialSource:
    """Resolves a proxy's credential reference, one of

    - `os.environ/NAME`: the variables NAME_ACCESS_KEY_ID, NAME_SECRET_ACCESS_KEY and, if there is one,
      NAME_SESSION_TOKEN (`os.environ/AWS` is AWS's own three);
    - `profile:NAME`: a profile of the AWS configuration files, refreshed when it expires.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._profiles: dict[str, Any] = {}

    async def resolve(self, plan: CredentialPlan, reference: str) -> AwsCredentials:
        """The credentials to sign one request with: the ones it brought, else the proxy's. Raises UpstreamError.

        A plan that refuses raises what it says.
        """
        if plan.action is CredentialAction.REFUSE:
            raise _refusal(plan.message)
        if plan.access_key:
            return AwsCredentials(plan.access_key, plan.secret_key, plan.session_token)
        if not reference:
            raise _refusal(plan.message or "There are no credentials to sign this request with.")
        match = check_reference(reference)
        if match["prefix"]:
            return from_environment(match["prefix"], self._environ)
        keeper = self._profiles.get(match["profile"])
        if keeper is not None and not _may_block(keeper):
            return _frozen(keeper)
        # Reading a profile touches files and may ask AWS for a session.
        return await asyncio.to_thread(self._from_profile, match["profile"])

    def _from_profile(self, name: str) -> AwsCredentials:
        try:
            keeper = self._profiles.get(name)
            if keeper is None:
                keeper = _SESSION(profile=name).get_credentials()
                if keeper is None:
                    raise _refusal(f"The AWS profile {name!r} holds no credentials.")
                self._profiles[name] = keeper
            return _frozen(keeper)
        except botocore.exceptions.ProfileNotFound as error:
            raise _refusal(f"There is no AWS profile {name!r} on this machine.") from error
        except botocore.exceptions.BotoCoreError as error:
            raise _refusal(f"The AWS profile {name!r} gives no credentials ({type(error).__name__}).") from error


def _may_block(keeper: Any) -> bool:
    """Whether botocore would fetch new credentials first; only temporary ones know how to."""
    refresh_needed = getattr(keeper, "refresh_needed", None)
    return refresh_needed is not None and bool(refresh_needed())


def _frozen(keeper: Any) -> AwsCredentials:
    frozen = keeper.get_frozen_credentials()
    return AwsCredentials(frozen.access_key, frozen.secret_key, frozen.token or "")


def check_reference(reference: str) -> re.Match[str]:
    """Reads a credential reference. Raises UpstreamError with what is accepted when it is none."""
    match = CREDENTIAL_REFERENCE.fullmatch(reference)
    if match is None:
        raise _refusal("The proxy's credential reference must be os.environ/NAME or profile:NAME.")
    return match


def from_environment(prefix: str, environ: Mapping[str, str]) -> AwsCredentials:
    """Credentials from variables that start with `prefix`. Raises UpstreamError naming the one that is missing."""
    values = []
    for suffix in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        value = environ.get(f"{prefix}_{suffix}", "").strip()
        if not value:
            raise _refusal(f"The environment variable {prefix}_{suffix} is not set.")
        values.append(value)
    return AwsCredentials(values[0], values[1], environ.get(f"{prefix}_SESSION_TOKEN", "").strip())


def _refusal(message: str) -> UpstreamError:
    return UpstreamError(ErrorKind.NO_CREDENTIALS, message, is_retryable=False, source="internal")
