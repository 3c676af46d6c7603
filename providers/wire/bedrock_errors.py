"""What Bedrock calls its errors: types and usual words by status, and the header that names the type.

Source: bedrock-runtime service-2.json (botocore 1.44.5) for types and statuses; the wordings and the header as users
quote them in public issue reports; read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

USUAL: Mapping[int, tuple[str, str]] = {
    400: ("ValidationException", "The provided request is not valid"),
    401: ("UnrecognizedClientException", "The security token included in the request is invalid."),
    403: ("AccessDeniedException", "You don't have access to the model with the specified model ID."),
    404: (
        "ResourceNotFoundException",
        "Could not resolve the foundation model from the provided model identifier.",
    ),
    408: ("ModelTimeoutException", "Model has timed out in processing the request. Try your request again."),
    409: ("ConflictException", "The request conflicts with the state of the resource."),
    413: ("RequestEntityTooLargeException", "The request body is too large."),
    424: ("ModelErrorException", "The model returned an unexpected error. Try your request again."),
    429: ("ThrottlingException", "Too many requests, please wait before trying again."),
    500: (
        "InternalServerException",
        "The system encountered an unexpected error during processing. Try your request again.",
    ),
    503: ("ServiceUnavailableException", "Bedrock is unable to process your request."),
}
"""The type and the words of each status that has a type of its own."""

WORDS: Mapping[str, str] = {
    **dict(USUAL.values()),
    "ExpiredTokenException": "The security token included in the request is expired",
    "InvalidSignatureException": "The request signature we calculated does not match the signature you provided. Check "
    "your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    "MissingAuthenticationTokenException": "Missing Authentication Token",
    "ModelNotReadyException": "The model is not ready for inference. Try your request again.",
    "ModelStreamErrorException": "An error occurred while streaming the response. Retry your request.",
    "ServiceQuotaExceededException": "Your request exceeds the service quota for your account.",
}
"""The usual words of each type."""

# What refuses before the service itself is asked; it writes another name behind the type.
_OF_THE_DOOR = frozenset(
    {
        "ExpiredTokenException", "IncompleteSignatureException", "InvalidSignatureException",
        "MissingAuthenticationTokenException", "UnrecognizedClientException",
    }
)  # fmt: skip
_SERVICE = "http://internal.amazon.com/coral/com.amazon.bedrock/"
_DOOR = "http://internal.amazon.com/coral/com.amazon.coral.service/"


def error_type(type: str, *, is_of_the_door: bool = False) -> bytes:
    """The value of `x-amzn-errortype` as the genuine service sends it: `ThrottlingException:http://...`; SDKs take what
    stands before the colon. `is_of_the_door`: a check of credentials refused, whatever the type."""
    namespace = _DOOR if is_of_the_door or type in _OF_THE_DOOR else _SERVICE
    return f"{''.join(filter(_is_plain, type))}:{namespace}".encode("ascii")


def _is_plain(character: str) -> bool:
    """What people name in a rule may hold anything, a header may not."""
    return "!" <= character <= "~"
