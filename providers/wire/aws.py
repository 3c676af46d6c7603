"""What an AWS request says about itself: its region and the DNS name of that, its signature, its bearer token."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

# Source: botocore/data/partitions.json (1.44.5), read November 2026. The last line lets newer regions in.
_PARTITIONS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"cn-[a-z]+-\d+"), "amazonaws.com.cn"),
    (re.compile(r"eusc-de-[a-z]+-\d+"), "amazonaws.eu"),
    (re.compile(r"us-iso-[a-z]+-\d+"), "c2s.ic.gov"),
    (re.compile(r"us-isob-[a-z]+-\d+"), "sc2s.sgov.gov"),
    (re.compile(r"eu-isoe-[a-z]+-\d+"), "cloud.adc-e.uk"),
    (re.compile(r"us-isof-[a-z]+-\d+"), "csp.hci.ic.gov"),
    (re.compile(r"us-gov-[a-z]+-\d+"), "amazonaws.com"),
    (re.compile(r"[a-z]{2}-[a-z]+-\d+"), "amazonaws.com"),
)
_DUAL_STACK_SUFFIX = "api.aws"
_AWS_SUFFIXES = tuple("." + suffix for suffix in {suffix for _, suffix in _PARTITIONS} | {_DUAL_STACK_SUFFIX})

# Source: AWS "Signature Version 4 signing process", Authorization header; AWS4-ECDSA-... is SigV4a.
_SIGNATURE = re.compile(
    rb"AWS4-[A-Z0-9-]+ +Credential=[^/\s,]+/(?P<scope>[^\s,]+) *, *"
    rb"SignedHeaders=(?P<signed>[^\s,]+) *, *Signature=[0-9a-fA-F]+"
)
_BEARER = re.compile(rb"bearer +(?P<token>\S+)", re.IGNORECASE)
# Source: aws-bedrock-token-generator: a short-term key is this prefix and a presigned URL in base64.
_SHORT_TERM_KEY = b"bedrock-api-key-"
_PRESIGNED_SCOPE = re.compile(r"X-Amz-Credential=(?P<credential>[^&]+)")


@lru_cache(maxsize=256)
def dns_suffix(region: str) -> str | None:
    """The domain AWS puts behind a region's hosts, None for a word that is no region's name."""
    for pattern, suffix in _PARTITIONS:
        if pattern.fullmatch(region):
            return suffix
    return None


def is_aws_host(host: str) -> bool:
    """Whether a host (lower case, no port) is under one of AWS's own domains."""
    return host.endswith(_AWS_SUFFIXES)


def region_in_host(host: str) -> str | None:
    """The region among the labels of an AWS host."""
    for label in host.split("."):
        if dns_suffix(label) is not None:
            return label
    return None


@dataclass(frozen=True, slots=True)
class Signature:
    """What a SigV4 Authorization header claims. `region` and `service` are "" when its scope names none (SigV4a)."""

    region: str
    service: str
    signed: frozenset[bytes]  # lower-case header names


def read_signature(authorization: bytes) -> Signature | None:
    """The claims of an Authorization value, None if it is not an AWS signature."""
    if not authorization.startswith(b"AWS4-"):
        return None
    match = _SIGNATURE.fullmatch(authorization.rstrip())
    if match is None:
        return None
    scope = match["scope"].decode("latin-1").split("/")  # date/region/service/aws4_request
    is_plain = len(scope) == 4 and dns_suffix(scope[1]) is not None
    region, service = (scope[1], scope[2]) if is_plain else ("", "")
    return Signature(region, service, frozenset(match["signed"].lower().split(b";")))


def bearer_token(authorization: bytes) -> bytes | None:
    """The token of a bearer Authorization value, else None."""
    match = _BEARER.fullmatch(authorization.strip())
    return match["token"] if match else None


def region_in_token(token: bytes) -> str | None:
    """The region a short-term Bedrock API key was made for; a long-term one does not say."""
    if not token.startswith(_SHORT_TERM_KEY):
        return None
    encoded = token[len(_SHORT_TERM_KEY) :]
    try:
        presigned = b64decode(encoded + b"=" * (-len(encoded) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    match = _PRESIGNED_SCOPE.search(presigned)
    scope = unquote(match["credential"]).split("/") if match else []  # key/date/region/service/aws4_request
    return scope[2] if len(scope) == 5 and dns_suffix(scope[2]) else None


def region_in_arn(name: str) -> str | None:
    """The region of an ARN, None for anything else."""
    parts = name.split(":", 5)
    return parts[3] if len(parts) == 6 and parts[0] == "arn" and dns_suffix(parts[3]) else None
