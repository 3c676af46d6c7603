"""Credentials known again: the same wherever they stand, different ones apart, nothing of them kept."""

from __future__ import annotations

import pytest

from proxies.dataplane.credential_hash import credential_hash

SECRET = b"s" * 32
AWS = b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/2026%b/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=%b"


def of(query: bytes = b"", **fields: bytes) -> bytes:
    return credential_hash({name.replace("_", "-").encode(): value for name, value in fields.items()}, query, SECRET)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        (of(authorization=b"Bearer sk-1"), of(x_api_key=b"sk-1")),
        (of(authorization=b"bearer sk-1"), of(api_key=b"sk-1")),
        (of(x_goog_api_key=b"AIza1"), of(b"key=AIza1")),
        (of(b"alt=sse&key=AIza1&x=y"), of(b"key=AIza1")),
        (of(authorization=AWS % (b"1121", b"aa")), of(authorization=AWS % (b"1122", b"bb"))),
        (of(authorization=AWS % (b"1121", b"aa")), of(x_aws_access_key=b"AKIDEXAMPLE")),
        (of(b"X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Fus-east-1"), of(x_aws_access_key=b"AKIDEXAMPLE")),
        (of(), of(b"alt=sse&monkey=1", authorization=b"")),
    ],
)
def test_a_credential_is_the_same_wherever_it_stands(one: bytes, same: bytes) -> None:
    assert one == same


def test_different_credentials_stay_apart() -> None:
    made = {
        of(),
        of(authorization=b"Bearer sk-1"),
        of(authorization=b"Bearer sk-2"),
        of(authorization=b"Basic sk-1"),
        of(authorization=AWS % (b"1121", b"aa")),
        of(authorization=b"AWS4-HMAC-SHA256 nonsense"),
        of(b"key=AIza1"),
        of(b"key=AIza2"),
    }
    assert len(made) == 8


def test_none_has_no_hash_and_a_hash_says_nothing_of_the_credential() -> None:
    assert of() == b""
    made = of(authorization=b"Bearer sk-planted-0123456789")
    assert len(made) == 16
    assert b"planted" not in made
    assert made != credential_hash({b"authorization": b"Bearer sk-planted-0123456789"}, b"", b"another process")
