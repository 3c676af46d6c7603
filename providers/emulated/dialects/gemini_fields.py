"""The messages a generateContent request is made of, and the fields each may have: Vertex AI's and the Gemini API's.

Source: google-genai 3.4.0 `types.py` (what its newest clients send) and the REST references of both services, read
November 2026. What a field holds is checked only as far as an answer depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.emulated.dialects.google_json import (
    Message,
    Problem,
    Read,
    Wrong,
    anything,
    boolean,
    choice,
    decimal,
    integer,
    many,
    octets,
    string,
    struct,
)


def _fields(names: str, read: Read = anything) -> Mapping[str, Read]:
    return dict.fromkeys(names.split(), read)


_TYPES = ("TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")
_TYPE = choice("Type", *_TYPES)


def schema(value: Any) -> dict[str, Any]:
    """A Schema. Only the names of types are checked; several of them are taken, as clients write JSON Schema too."""
    found = struct(value)
    problems: list[Problem] = []
    waiting: list[tuple[str, Any]] = [("", found)]
    while waiting:
        path, part = waiting.pop()
        if not isinstance(part, dict):
            continue
        joint = f"{path}." if path else ""
        given = part.get("type")
        if given is not None and type(given) is not list:
            try:
                _TYPE(given)
            except Wrong as wrong:
                problems += [problem.under(f"{joint}type") for problem in wrong.problems]
        properties = part.get("properties")
        if isinstance(properties, dict):
            waiting += [(f"{joint}properties[{place}].value", one) for place, one in enumerate(properties.values())]
        waiting.append((f"{joint}items", part.get("items")))
        alternatives = part.get("anyOf", part.get("any_of"))
        if isinstance(alternatives, list):
            waiting += [(f"{joint}any_of[{place}]", one) for place, one in enumerate(alternatives)]
    if problems:
        raise Wrong(sorted(problems))
    return found


BLOB = Message("Blob", {"mimeType": string, "data": octets, "displayName": string})
FILE_DATA = Message("FileData", {"mimeType": string, "fileUri": string, "displayName": string})
FUNCTION_CALL = Message(
    "FunctionCall",
    {"id": string, "name": string, "args": struct, "partialArgs": anything, "willContinue": boolean},
)
FUNCTION_RESPONSE = Message(
    "FunctionResponse",
    {
        "id": string,
        "name": string,
        "response": struct,
        "parts": anything,
        "willContinue": boolean,
        "scheduling": anything,
    },
)
PART = Message(
    "Part",
    {
        "text": string,
        "thought": boolean,
        "thoughtSignature": octets,
        "inlineData": BLOB,
        "fileData": FILE_DATA,
        "functionCall": FUNCTION_CALL,
        "functionResponse": FUNCTION_RESPONSE,
        "executableCode": struct,
        "codeExecutionResult": struct,
        **_fields(
            "videoMetadata mediaResolution toolCall toolResponse partMetadata audioTranscription mediaProcessing "
            "speechMetadata documentMetadata spreadsheetMetadata audioMetadata"
        ),
    },
)


def _role(value: Any) -> str:
    return string(value).lower()


CONTENT = Message("Content", {"role": _role, "parts": many(PART)})

FUNCTION_DECLARATION = Message(
    "FunctionDeclaration",
    {
        "name": string,
        "description": string,
        "parameters": schema,
        "parametersJsonSchema": anything,
        **_fields("response responseJsonSchema behavior"),
    },
)
TOOL = Message(
    "Tool",
    {
        "functionDeclarations": many(FUNCTION_DECLARATION),
        **_fields(
            "retrieval computerUse fileSearch googleSearch googleMaps codeExecution enterpriseWebSearch "
            "googleSearchRetrieval parallelAiSearch urlContext mcpServers exaAiSearch"
        ),
    },
)
FUNCTION_CALLING_CONFIG = Message(
    "FunctionCallingConfig",
    {
        "mode": choice("FunctionCallingConfig.Mode", "MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"),
        "allowedFunctionNames": many(string),
        "streamFunctionCallArguments": boolean,
    },
)
TOOL_CONFIG = Message(
    "ToolConfig",
    {
        "functionCallingConfig": FUNCTION_CALLING_CONFIG,
        **_fields("retrievalConfig includeServerSideToolInvocations"),
    },
)

_LEVELS = ("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")
THINKING_CONFIG = Message(
    "GenerationConfig.ThinkingConfig",
    {
        "includeThoughts": boolean,
        "thinkingBudget": integer,
        "thinkingLevel": choice("GenerationConfig.ThinkingConfig.ThinkingLevel", *_LEVELS),
    },
)
_RESPONSE_FORMAT = Message(
    "ResponseFormat",
    {
        "text": Message("TextResponseFormat", {"mimeType": string, "schema": anything}),
        **_fields("image audio video"),
    },
)
GENERATION_CONFIG = Message(
    "GenerationConfig",
    {
        "temperature": decimal,
        "topP": decimal,
        "topK": decimal,
        "candidateCount": integer,
        "maxOutputTokens": integer,
        "stopSequences": many(string),
        "presencePenalty": decimal,
        "frequencyPenalty": decimal,
        "seed": integer,
        "responseMimeType": string,
        "responseSchema": schema,
        "responseJsonSchema": anything,
        "_responseJsonSchema": anything,
        "responseFormat": many(_RESPONSE_FORMAT),
        "responseLogprobs": boolean,
        "logprobs": integer,
        "responseModalities": many(
            choice("GenerationConfig.Modality", "MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO")
        ),
        "speechConfig": struct,
        "imageConfig": struct,
        "thinkingConfig": THINKING_CONFIG,
        **_fields(
            "mediaResolution audioTimestamp routingConfig modelConfig modelSelectionConfig "
            "enableAffectiveDialog enableEnhancedCivicAnswers audioTranscriptionConfig translationConfig outputConfig"
        ),
    },
)
_THRESHOLDS = (
    "HARM_BLOCK_THRESHOLD_UNSPECIFIED BLOCK_LOW_AND_ABOVE BLOCK_MEDIUM_AND_ABOVE BLOCK_ONLY_HIGH BLOCK_NONE OFF"
)
_CATEGORIES = (
    "UNSPECIFIED DEROGATORY TOXICITY VIOLENCE SEXUAL MEDICAL DANGEROUS HARASSMENT HATE_SPEECH SEXUALLY_EXPLICIT "
    "DANGEROUS_CONTENT CIVIC_INTEGRITY JAILBREAK IMAGE_HATE IMAGE_DANGEROUS_CONTENT IMAGE_HARASSMENT "
    "IMAGE_SEXUALLY_EXPLICIT"
)
SAFETY_SETTING = Message(
    "SafetySetting",
    {
        "category": choice("HarmCategory", *[f"HARM_CATEGORY_{name}" for name in _CATEGORIES.split()]),
        "threshold": choice("SafetySetting.HarmBlockThreshold", *_THRESHOLDS.split()),
        "method": anything,
    },
)
GENERATE_CONTENT = Message(
    "GenerateContentRequest",
    {
        "model": string,
        "contents": many(CONTENT),
        "systemInstruction": CONTENT,
        "tools": many(TOOL),
        "toolConfig": TOOL_CONFIG,
        "generationConfig": GENERATION_CONFIG,
        "safetySettings": many(SAFETY_SETTING),
        "cachedContent": string,
        **_fields("labels serviceTier store continuationToken modelArmorConfig outputConfig"),
    },
)
COUNT_TOKENS = Message(
    "CountTokensRequest",
    {
        "model": string,
        "contents": many(CONTENT),
        "systemInstruction": CONTENT,
        "tools": many(TOOL),
        "generationConfig": GENERATION_CONFIG,
        "generateContentRequest": GENERATE_CONTENT,
        "instances": anything,
    },
)
CACHED_CONTENT = Message(
    "CachedContent",
    {
        "name": string,
        "displayName": string,
        "model": string,
        "contents": many(CONTENT),
        "systemInstruction": CONTENT,
        "tools": many(TOOL),
        "toolConfig": TOOL_CONFIG,
        "ttl": string,
        "expireTime": string,
        **_fields("createTime updateTime usageMetadata encryptionSpec kmsKeyName"),
    },
)
_EMBED_CONFIG = Message(
    "EmbedContentConfig",
    {
        "taskType": string,
        "title": string,
        "outputDimensionality": integer,
        **_fields("autoTruncate documentOcr audioTrackExtraction mimeType"),
    },
)
EMBED_CONTENT = Message(
    "EmbedContentRequest",
    {
        "model": string,
        "content": CONTENT,
        "taskType": string,
        "title": string,
        "outputDimensionality": integer,
        "embedContentConfig": _EMBED_CONFIG,
        "autoTruncate": boolean,
    },
)
BATCH_EMBED_CONTENTS = Message("BatchEmbedContentsRequest", {"model": string, "requests": many(EMBED_CONTENT)})
PREDICT = Message(
    "PredictRequest",
    {"instances": many(anything), "parameters": struct, "endpoint": string, "labels": anything},
)
CREATE_FILE = Message(
    "CreateFileRequest",
    {
        "file": Message(
            "File",
            {
                "name": string,
                "displayName": string,
                "mimeType": string,
                **_fields(
                    "sizeBytes createTime updateTime expirationTime sha256Hash uri downloadUri state source "
                    "videoMetadata error"
                ),
            },
        )
    },
)
