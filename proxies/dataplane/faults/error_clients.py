"""What the official SDKs raise for every error people know by name, and how often they try: data for the documents,
held by tests/faults/test_error_table.py.

Source: each SDK against an emulated proxy with the fault, with the retries it comes with, November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from providers.faults.base import Reason
from proxies.dataplane.faults.clients import (
    ANTHROPIC_JAVASCRIPT,
    ANTHROPIC_PYTHON,
    AWS_JAVASCRIPT,
    BOTO3,
    GENAI_JAVASCRIPT,
    GENAI_PYTHON,
    OPENAI_JAVASCRIPT,
    OPENAI_PYTHON,
)

AZURE_PYTHON = "AzureOpenAI Python"
AZURE_JAVASCRIPT = "AzureOpenAI JavaScript"
ANTHROPIC_BEDROCK_PYTHON = "AnthropicBedrock Python"
ANTHROPIC_BEDROCK_JAVASCRIPT = "AnthropicBedrock JavaScript"
ANTHROPIC_VERTEX_PYTHON = "AnthropicVertex Python"


class Raised(NamedTuple):
    """`status`: of the reply. `name`: the class raised. `attempts`: requests until then, 1 when nothing is retried."""

    status: int
    name: str
    attempts: int


# What several clients do; one in another language that calls some classes otherwise has its own names besides.
_ANTHROPIC: Mapping[Reason, Raised] = {
    Reason.RATE_LIMIT: Raised(429, "RateLimitError", 3),
    Reason.TOKEN_LIMIT: Raised(429, "RateLimitError", 3),
    Reason.THROTTLING: Raised(429, "RateLimitError", 3),
    Reason.QUOTA: Raised(429, "EnforcedSpendLimitReachedError", 1),
    Reason.OVERLOADED: Raised(529, "OverloadedError", 3),
    Reason.SERVER_ERROR: Raised(500, "InternalServerError", 3),
    Reason.UNAVAILABLE: Raised(503, "ServiceUnavailableError", 3),
    Reason.TIMEOUT: Raised(504, "GatewayTimeoutError", 3),
    Reason.INVALID_KEY: Raised(401, "AuthenticationError", 1),
    Reason.PERMISSION_DENIED: Raised(403, "PermissionDeniedError", 1),
    Reason.MODEL_NOT_FOUND: Raised(404, "NotFoundError", 1),
    Reason.CONTEXT_LENGTH: Raised(400, "BadRequestError", 1),
    Reason.CONTENT_FILTER: Raised(400, "BadRequestError", 1),
    Reason.INVALID_REQUEST: Raised(400, "BadRequestError", 1),
    Reason.REQUEST_TOO_LARGE: Raised(413, "ContentTooLargeError", 1),
}
_ANTHROPIC_BEDROCK: Mapping[Reason, Raised] = {
    Reason.RATE_LIMIT: Raised(429, "RateLimitError", 3),
    Reason.TOKEN_LIMIT: Raised(429, "RateLimitError", 3),
    Reason.THROTTLING: Raised(429, "RateLimitError", 3),
    Reason.QUOTA: Raised(400, "BadRequestError", 1),
    Reason.OVERLOADED: Raised(503, "ServiceUnavailableError", 3),
    Reason.SERVER_ERROR: Raised(500, "InternalServerError", 3),
    Reason.UNAVAILABLE: Raised(503, "ServiceUnavailableError", 3),
    Reason.TIMEOUT: Raised(408, "RequestTimeoutError", 3),
    Reason.INVALID_KEY: Raised(403, "PermissionDeniedError", 1),
    Reason.PERMISSION_DENIED: Raised(403, "PermissionDeniedError", 1),
    Reason.MODEL_NOT_FOUND: Raised(400, "BadRequestError", 1),
    Reason.CONTEXT_LENGTH: Raised(400, "BadRequestError", 1),
    Reason.CONTENT_FILTER: Raised(400, "BadRequestError", 1),
    Reason.INVALID_REQUEST: Raised(400, "BadRequestError", 1),
    Reason.REQUEST_TOO_LARGE: Raised(413, "ContentTooLargeError", 1),
}
_OPENAI: Mapping[Reason, Raised] = {
    Reason.RATE_LIMIT: Raised(429, "RateLimitError", 3),
    Reason.TOKEN_LIMIT: Raised(429, "RateLimitError", 3),
    Reason.THROTTLING: Raised(429, "RateLimitError", 3),
    Reason.QUOTA: Raised(429, "RateLimitError", 3),
    Reason.OVERLOADED: Raised(503, "InternalServerError", 3),
    Reason.SERVER_ERROR: Raised(500, "InternalServerError", 3),
    Reason.UNAVAILABLE: Raised(503, "InternalServerError", 3),
    Reason.TIMEOUT: Raised(408, "APIStatusError", 3),
    Reason.INVALID_KEY: Raised(401, "AuthenticationError", 1),
    Reason.PERMISSION_DENIED: Raised(403, "PermissionDeniedError", 1),
    Reason.MODEL_NOT_FOUND: Raised(404, "NotFoundError", 1),
    Reason.CONTEXT_LENGTH: Raised(400, "BadRequestError", 1),
    Reason.CONTENT_FILTER: Raised(400, "BadRequestError", 1),
    Reason.INVALID_REQUEST: Raised(400, "BadRequestError", 1),
    Reason.REQUEST_TOO_LARGE: Raised(413, "APIStatusError", 1),
}
_AZURE: Mapping[Reason, Raised] = {
    Reason.RATE_LIMIT: Raised(429, "RateLimitError", 3),
    Reason.TOKEN_LIMIT: Raised(429, "RateLimitError", 3),
    Reason.THROTTLING: Raised(429, "RateLimitError", 3),
    Reason.QUOTA: Raised(403, "PermissionDeniedError", 1),
    Reason.OVERLOADED: Raised(503, "InternalServerError", 3),
    Reason.SERVER_ERROR: Raised(500, "InternalServerError", 3),
    Reason.UNAVAILABLE: Raised(503, "InternalServerError", 3),
    Reason.TIMEOUT: Raised(408, "APIStatusError", 3),
    Reason.INVALID_KEY: Raised(401, "AuthenticationError", 1),
    Reason.PERMISSION_DENIED: Raised(401, "AuthenticationError", 1),
    Reason.MODEL_NOT_FOUND: Raised(404, "NotFoundError", 1),
    Reason.CONTEXT_LENGTH: Raised(400, "BadRequestError", 1),
    Reason.CONTENT_FILTER: Raised(400, "BadRequestError", 1),
    Reason.INVALID_REQUEST: Raised(400, "BadRequestError", 1),
    Reason.REQUEST_TOO_LARGE: Raised(413, "APIStatusError", 1),
}
_AWS: Mapping[Reason, Raised] = {
    Reason.RATE_LIMIT: Raised(429, "ThrottlingException", 3),
    Reason.TOKEN_LIMIT: Raised(429, "ThrottlingException", 3),
    Reason.THROTTLING: Raised(429, "ThrottlingException", 3),
    Reason.QUOTA: Raised(400, "ServiceQuotaExceededException", 1),
    Reason.OVERLOADED: Raised(503, "ServiceUnavailableException", 3),
    Reason.SERVER_ERROR: Raised(500, "InternalServerException", 3),
    Reason.UNAVAILABLE: Raised(503, "ServiceUnavailableException", 3),
    Reason.TIMEOUT: Raised(408, "ModelTimeoutException", 1),
    Reason.INVALID_KEY: Raised(403, "ClientError", 1),
    Reason.PERMISSION_DENIED: Raised(403, "AccessDeniedException", 1),
    Reason.MODEL_NOT_FOUND: Raised(400, "ValidationException", 1),
    Reason.CONTEXT_LENGTH: Raised(400, "ValidationException", 1),
    Reason.CONTENT_FILTER: Raised(400, "ValidationException", 1),
    Reason.INVALID_REQUEST: Raised(400, "ValidationException", 1),
    Reason.REQUEST_TOO_LARGE: Raised(413, "ClientError", 1),
}
_GENAI: Mapping[Reason, Raised] = {
    Reason.RATE_LIMIT: Raised(429, "ClientError", 1),
    Reason.TOKEN_LIMIT: Raised(429, "ClientError", 1),
    Reason.THROTTLING: Raised(429, "ClientError", 1),
    Reason.QUOTA: Raised(429, "ClientError", 1),
    Reason.OVERLOADED: Raised(503, "ServerError", 1),
    Reason.SERVER_ERROR: Raised(500, "ServerError", 1),
    Reason.UNAVAILABLE: Raised(503, "ServerError", 1),
    Reason.TIMEOUT: Raised(504, "ServerError", 1),
    Reason.INVALID_KEY: Raised(400, "ClientError", 1),
    Reason.PERMISSION_DENIED: Raised(403, "ClientError", 1),
    Reason.MODEL_NOT_FOUND: Raised(404, "ClientError", 1),
    Reason.CONTEXT_LENGTH: Raised(400, "ClientError", 1),
    Reason.CONTENT_FILTER: Raised(400, "ClientError", 1),
    Reason.INVALID_REQUEST: Raised(400, "ClientError", 1),
    Reason.REQUEST_TOO_LARGE: Raised(400, "ClientError", 1),
}


def _renamed(raises: Mapping[Reason, Raised], names: Mapping[str, str]) -> Mapping[Reason, Raised]:
    return {reason: raised._replace(name=names.get(raised.name, raised.name)) for reason, raised in raises.items()}


RAISES: Mapping[str, Mapping[str, Mapping[Reason, Raised]]] = {
    "openai": {
        OPENAI_PYTHON: _OPENAI,
        OPENAI_JAVASCRIPT: _renamed(_OPENAI, {"APIStatusError": "APIError"}),
    },
    "azure_openai": {
        AZURE_PYTHON: _AZURE,
        AZURE_JAVASCRIPT: _renamed(_AZURE, {"APIStatusError": "APIError"}),
    },
    "anthropic": {
        ANTHROPIC_PYTHON: _ANTHROPIC,
        ANTHROPIC_JAVASCRIPT: _ANTHROPIC,
    },
    "bedrock": {
        BOTO3: _AWS,
        AWS_JAVASCRIPT: _renamed(_AWS, {"ClientError": "BedrockRuntimeServiceException"}),
        ANTHROPIC_BEDROCK_PYTHON: _ANTHROPIC_BEDROCK,
        ANTHROPIC_BEDROCK_JAVASCRIPT: _ANTHROPIC_BEDROCK,
    },
    "vertex_ai": {
        GENAI_PYTHON: _GENAI,
        GENAI_JAVASCRIPT: _renamed(_GENAI, {"ClientError": "ApiError", "ServerError": "ApiError"}),
        ANTHROPIC_VERTEX_PYTHON: {
            Reason.RATE_LIMIT: Raised(429, "RateLimitError", 3),
            Reason.TOKEN_LIMIT: Raised(429, "RateLimitError", 3),
            Reason.THROTTLING: Raised(429, "RateLimitError", 3),
            Reason.QUOTA: Raised(403, "PermissionDeniedError", 1),
            Reason.OVERLOADED: Raised(529, "OverloadedError", 3),
            Reason.SERVER_ERROR: Raised(500, "InternalServerError", 3),
            Reason.UNAVAILABLE: Raised(503, "ServiceUnavailableError", 3),
            Reason.TIMEOUT: Raised(504, "GatewayTimeoutError", 3),
            Reason.INVALID_KEY: Raised(401, "AuthenticationError", 1),
            Reason.PERMISSION_DENIED: Raised(403, "PermissionDeniedError", 1),
            Reason.MODEL_NOT_FOUND: Raised(404, "NotFoundError", 1),
            Reason.CONTEXT_LENGTH: Raised(413, "ContentTooLargeError", 1),
            Reason.CONTENT_FILTER: Raised(400, "BadRequestError", 1),
            Reason.INVALID_REQUEST: Raised(400, "BadRequestError", 1),
            Reason.REQUEST_TOO_LARGE: Raised(400, "BadRequestError", 1),
        },
    },
}
"""Provider -> client -> reason -> what the client makes of the provider's reply."""
