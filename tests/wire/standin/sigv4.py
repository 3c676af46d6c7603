"""Verification of AWS Signature Version 4 as the Bedrock front end does it, by botocore's own arithmetic."""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from tests.wire.standin.messages import Request

# Key pairs the stand-in knows; fake, in the form AWS documents its examples with.
KEY_PAIRS = {"AKIASTANDIN000000001": "standin-secret-key-number-one", "ASIASTANDIN000000002": "standin-secret-key-two"}
SESSION_TOKENS = {"ASIASTANDIN000000002": "standin-session-token"}

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<signed>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_REAL_HOST = re.compile(r"bedrock(?:-runtime)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$")
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
_CLOCK_SKEW = timedelta(minutes=5)

Refusal = tuple[int, str, str]


class _Verifier(SigV4Auth):
    def __init__(self, credentials: Credentials, region: str, signed: list[str]) -> None:
        super().__init__(credentials, "bedrock", region)
        self._signed = signed

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        chosen = HTTPHeaders()
        for name in self._signed:
            for value in request.headers.get_all(name) or []:
                chosen[name] = value
        return chosen


def refusal(request: Request) -> Refusal | None:
    """None when the request is properly signed for the host it arrived at, else (status, error type, message).

    Source of types and messages: IAM user guide, "Troubleshoot signed requests for AWS APIs", read November 2026.
    """
    authorization = request.header("authorization")
    if authorization is None:
        return 403, "MissingAuthenticationTokenException", "Missing Authentication Token"
    found = _AUTHORIZATION.fullmatch(authorization)
    date = request.header("x-amz-date")
    if found is None or date is None:
        return 403, "IncompleteSignatureException", "Authorization header requires existence of 'x-amz-date'."
    signed = found["signed"].split(";")
    if "host" not in signed and ":authority" not in signed:
        return (
            403,
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        )
    if ":authority" in signed and request.version != "2":
        return 403, "InvalidSignatureException", _MISMATCH
    secret = KEY_PAIRS.get(found["key"])
    token = request.header("x-amz-security-token")
    if secret is None or token != SESSION_TOKENS.get(found["key"]):
        return 403, "UnrecognizedClientException", "The security token included in the request is invalid."
    real = _REAL_HOST.match(request.host)
    if found["service"] != "bedrock" or (real and real[1] != found["region"]):
        return 403, "InvalidSignatureException", "Credential should be scoped to a valid region."
    signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if abs(datetime.now(UTC) - signed_at) > _CLOCK_SKEW or not date.startswith(found["day"]):
        return 403, "InvalidSignatureException", f"Signature expired: {date} is now earlier than the allowed time."
    content_sha256 = request.header("x-amz-content-sha256")
    if content_sha256 is not None and content_sha256 != sha256(request.body).hexdigest():
        return 403, "InvalidSignatureException", _MISMATCH
    if not hmac.compare_digest(_signature(request, found, date, secret, signed), found["signature"]):
        return 403, "InvalidSignatureException", _MISMATCH
    return None


def _signature(request: Request, found: re.Match[str], date: str, secret: str, signed: list[str]) -> str:
    headers = HTTPHeaders()
    for name, value in request.headers:
        headers[name] = value
    aws_request = AWSRequest(
        method=request.method, url=f"http://{request.host}{request.target}", headers=headers, data=request.body
    )
    aws_request.context["timestamp"] = date
    verifier = _Verifier(Credentials(found["key"], secret), found["region"], signed)
    to_sign = verifier.string_to_sign(aws_request, verifier.canonical_request(aws_request))
    return verifier.signature(to_sign, aws_request)
