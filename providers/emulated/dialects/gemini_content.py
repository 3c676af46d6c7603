"""generateContent and streamGenerateContent: answers as candidates, whole or in chunks.

Source: google-genai 3.4.0 `types.py` (GenerateContentResponse) and the captures of the wire sheet: a stream is
`data: {json}` with CRLF and no terminator, or one JSON array; usage comes with every chunk and the last one counts.
"""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from typing import Any

import orjson

from providers.emulated.answer import Answer, Stop, created_at
from providers.emulated.base import EmulatedReply, EmulatedRequest, Frame
from providers.emulated.desk import Desk
from providers.emulated.dialects.gemini_fields import GENERATE_CONTENT
from providers.emulated.dialects.gemini_media import media_part
from providers.emulated.dialects.gemini_question import Asked, ask
from providers.emulated.dialects.google_errors import EVENTS, JSON, headers, is_gemini, is_sse
from providers.emulated.dialects.google_json import read_body
from providers.emulated.dialects.google_times import timestamp
from providers.emulated.question import Question
from providers.emulated.tokens import ATTACHMENT_TOKENS

_FINISH_REASONS = {
    Stop.END: "STOP",
    Stop.SEQUENCE: "STOP",
    Stop.TOOLS: "STOP",
    Stop.LENGTH: "MAX_TOKENS",
    Stop.REFUSAL: "SAFETY",
}
_NO_CONTENT: dict[str, Any] = {"role": "model"}


def answer_generate(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """generateContent. Raises Refused, CannedFailure."""
    asked = ask(request, read_body(request, GENERATE_CONTENT), desk)
    answers = [desk.answer(asked.question, index) for index in range(asked.candidates)]
    candidates = []
    for index, answer in enumerate(answers):
        parts = _parts(request, asked, answer)
        candidate: dict[str, Any] = {
            "content": {"parts": parts, "role": "model"} if parts else _NO_CONTENT,
            "finishReason": _FINISH_REASONS[answer.stop],
            "index": index,
        }
        candidate.update(_extras(request, asked, answer))
        candidates.append(candidate)
    body = {"candidates": candidates, "usageMetadata": usage(request, asked, answers), **_closing(request, asked)}
    first = answers[0]
    return EmulatedReply(
        200,
        headers(request),
        orjson.dumps(body, option=orjson.OPT_INDENT_2),
        tokens=sum(answer.output_tokens for answer in answers),
        delay_s=first.whole_delay_s,
        is_repeatable=first.is_repeatable and asked.is_repeatable,
        make_headers=headers,
    )


def answer_stream(request: EmulatedRequest, desk: Desk) -> EmulatedReply:
    """streamGenerateContent: server-sent events with `alt=sse`, else a JSON array. Raises Refused, CannedFailure."""
    asked = ask(request, read_body(request, GENERATE_CONTENT), desk)
    answers = [desk.answer(asked.question, index) for index in range(asked.candidates)]
    final = usage(request, asked, answers)
    begun = {name: count for name, count in final.items() if name in _KNOWN_FROM_THE_START}
    begun["totalTokenCount"] = begun["promptTokenCount"]
    closing = orjson.dumps(_closing(request, asked))[1:]
    lead, trail, first_lead, end = (b"data: ", b"\r\n\r\n", b"data: ", b"")
    if not is_sse(request.query):
        lead, trail, first_lead, end = (b",\r\n", b"", b"[", b"]")
    middle_tail = b'],"usageMetadata":' + orjson.dumps(begun) + b"," + closing + trail
    last_tail = b'],"usageMetadata":' + orjson.dumps(final) + b"," + closing + trail
    frames: list[Frame] = []
    for index, answer in enumerate(answers):
        tail = last_tail if index == len(answers) - 1 else middle_tail
        _add_frames(frames, request, asked, answer, index, lead, middle_tail, tail)
    frames[0].data = first_lead + frames[0].data[len(lead) :]
    if end:
        frames.append(Frame(end))
    first = answers[0]
    make_headers = partial(headers, content_type=JSON if end else EVENTS)
    return EmulatedReply(
        200,
        make_headers(request),
        frames,
        delay_s=first.delay_s,
        is_repeatable=first.is_repeatable and asked.is_repeatable,
        make_headers=make_headers,
    )


_KNOWN_FROM_THE_START = frozenset(
    {"promptTokenCount", "cachedContentTokenCount", "promptTokensDetails", "cacheTokensDetails", "trafficType"}
)


def usage(request: EmulatedRequest, asked: Asked, answers: list[Answer]) -> dict[str, Any]:
    """`usageMetadata`: thoughts are counted outside the candidates, counts of 0 are left out."""
    prompt = answers[0].input_tokens
    thoughts = sum(answer.reasoning_tokens for answer in answers)
    written = sum(answer.output_tokens for answer in answers) - thoughts
    cached = min(prompt, max(answers[0].cached_tokens, asked.cached_tokens))
    counts: dict[str, Any] = {"promptTokenCount": prompt}
    if written:
        counts["candidatesTokenCount"] = written
    counts["totalTokenCount"] = prompt + written + thoughts
    if cached:
        counts["cachedContentTokenCount"] = cached
    counts["promptTokensDetails"] = by_modality(asked.question, prompt)
    if cached:
        counts["cacheTokensDetails"] = [{"modality": "TEXT", "tokenCount": cached}]
    if thoughts:
        counts["thoughtsTokenCount"] = thoughts
    if not is_gemini(request.call.path):
        if written:
            modality = "TEXT"
            if asked.modalities and "TEXT" not in asked.modalities:
                modality = asked.modalities[0]
            counts["candidatesTokensDetails"] = [{"modality": modality, "tokenCount": written}]
        counts["trafficType"] = "ON_DEMAND"
    return counts


def by_modality(question: Question, total: int) -> list[dict[str, Any]]:
    """The prompt's tokens as Google breaks them down: what attachments count for, and the rest as text."""
    held = [kind for turn in question.turns for kind in turn.attachments]
    counts: dict[str, int] = {}
    for kind in held:
        name = kind.upper()
        counts[name] = counts.get(name, 0) + ATTACHMENT_TOKENS.get(kind, 0)
    details = [{"modality": "TEXT", "tokenCount": max(0, total - sum(counts.values()))}]
    details += [{"modality": name, "tokenCount": count} for name, count in counts.items()]
    return details


def text_of(asked: Asked, answer: Answer) -> str:
    """The text as the request wants it: of an enumeration the bare value, not its JSON."""
    text = answer.text
    if asked.is_enum and text.startswith('"'):
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return text.strip('"')
        return value if isinstance(value, str) else text
    return text


def signature(digest: bytes) -> str:
    """An opaque base64 text such as comes with thoughts."""
    return base64.b64encode(hashlib.sha512(b"thought" + digest).digest()[:48]).decode()


def _parts(request: EmulatedRequest, asked: Asked, answer: Answer) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    if answer.thinking_pieces:
        parts.append({"text": answer.thinking, "thought": True})
    if answer.pieces and _wants_text(asked):
        parts.append({"text": text_of(asked, answer)})
    parts += media_part(asked, answer)
    parts += _calls(request, asked, answer)
    _sign(asked, answer, parts)
    return parts


def _wants_text(asked: Asked) -> bool:
    return "TEXT" in asked.modalities or not {"IMAGE", "AUDIO"}.intersection(asked.modalities)


def _calls(request: EmulatedRequest, asked: Asked, answer: Answer) -> list[dict[str, Any]]:
    """Function calls; Gemini 3 gives them ids."""
    has_ids = asked.question.model.startswith("gemini-3")
    calls = []
    for use in answer.tool_uses:
        call: dict[str, Any] = {"name": use.name, "args": _arguments(use.arguments)}
        if has_ids:
            call["id"] = use.id[:8]
        calls.append({"functionCall": call})
    return calls


def _arguments(text: str) -> dict[str, Any]:
    """The arguments as an object; what is not one (a canned reply's slip) goes under one name."""
    try:
        arguments = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {"arguments": text}
    return arguments if isinstance(arguments, dict) else {"arguments": arguments}


def _sign(asked: Asked, answer: Answer, parts: list[dict[str, Any]]) -> None:
    """A signature on the first call, else on the last text, from models that think."""
    if not answer.reasoning_tokens and not asked.question.model.startswith("gemini-3"):
        return
    first_call = next((part for part in parts if "functionCall" in part), None)
    signed = first_call or (parts[-1] if parts else None)
    if signed is not None and not signed.get("thought"):
        signed["thoughtSignature"] = signature(answer.digest)


def _extras(request: EmulatedRequest, asked: Asked, answer: Answer) -> dict[str, Any]:
    """What a candidate has beside its content, in the last chunk of a stream."""
    extras: dict[str, Any] = {}
    if answer.stop is Stop.REFUSAL:
        extras["safetyRatings"] = [
            {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
        ]
    if asked.logprobs is None and is_gemini(request.call.path):
        return extras
    if asked.logprobs is None:
        extras["avgLogprobs"] = _log_probability(answer.digest, 0)
        return extras
    chosen = [_log_probability(answer.digest, place) for place in range(len(answer.pieces))]
    if chosen:
        extras["avgLogprobs"] = round(sum(chosen) / len(chosen), 6)
    extras["logprobsResult"] = _logprobs(asked.logprobs, answer, chosen)
    return extras


def _log_probability(digest: bytes, place: int) -> float:
    return -0.001 * (1 + digest[place % 32])


def _logprobs(alternatives: int, answer: Answer, chosen: list[float]) -> dict[str, Any]:
    tokens = [piece.text for piece in answer.pieces]
    found: dict[str, Any] = {
        "chosenCandidates": [
            {"token": token, "tokenId": place + 1, "logProbability": value}
            for place, (token, value) in enumerate(zip(tokens, chosen, strict=True))
        ]
    }
    if alternatives:
        found["topCandidates"] = [
            {
                "candidates": [candidate]
                + [
                    {
                        "token": other,
                        "tokenId": len(tokens) + rank,
                        "logProbability": candidate["logProbability"] - rank,
                    }
                    for rank, other in enumerate(_OTHERS[: alternatives - 1], 1)
                ]
            }
            for candidate in found["chosenCandidates"]
        ]
    return found


_OTHERS = (
    *(" the", " a", " an", " and", " of", " to", " in", " is", " it", " on"),
    *(" as", " at", " by", " or", " so", " we", " be", " if", " no", " up"),
)


def _closing(request: EmulatedRequest, asked: Asked) -> dict[str, Any]:
    """What every chunk ends with."""
    digest = asked.question.digest
    shape: dict[str, Any] = {"modelVersion": asked.question.model}
    if not is_gemini(request.call.path):
        shape["createTime"] = timestamp(created_at(digest) + digest[8] / 256)
    shape["responseId"] = base64.urlsafe_b64encode(digest[8:24])[:22].decode()
    return shape


def _add_frames(
    frames: list[Frame],
    request: EmulatedRequest,
    asked: Asked,
    answer: Answer,
    index: int,
    lead: bytes,
    middle_tail: bytes,
    last_tail: bytes,
) -> None:
    """One candidate's chunks: each piece of text by itself, each other part by itself, the reason to stop in the last.

    A chunk is `before`, its part and `after`.
    """
    before = lead + b'{"candidates":[{"content":{"parts":['
    after = b'],"role":"model"},"index":%d}' % index + middle_tail
    dumps = orjson.dumps
    begins = len(frames)
    thought_before = before + b'{"thought":true,"text":'
    for piece in answer.thinking_pieces:
        frames.append(Frame(thought_before + dumps(piece) + b"}" + after, 1))
    texts: list[tuple[str, float]] = []
    if _wants_text(asked):
        texts = [(piece.text, piece.delay_s) for piece in answer.pieces]
        if asked.is_enum and texts:
            texts = [(text_of(asked, answer), texts[0][1])]
    others = media_part(asked, answer) + _calls(request, asked, answer)
    text_before = before + b'{"text":'
    for text, delay_s in texts:
        frames.append(Frame(text_before + dumps(text) + b"}" + after, 1, delay_s))
    if others:
        _sign(asked, answer, others)
        rest = answer.output_tokens - len(answer.pieces) - answer.reasoning_tokens
        for other in others:
            frames.append(Frame(before + dumps(other) + after, max(1, rest // len(others))))
    # The last chunk says why the candidate ends: it is made anew.
    end: dict[str, Any] = {"finishReason": _FINISH_REASONS[answer.stop], "index": index}
    end.update(_extras(request, asked, answer))
    ending = dumps(end)[1:] + last_tail
    if len(frames) == begins:
        frames.append(Frame(lead + b'{"candidates":[{"content":{"role":"model"},' + ending))
        return
    last = frames[-1].data[len(before) : -len(after)]
    if texts and not others:
        part = {"text": texts[-1][0]}
        _sign(asked, answer, [part])
        last = dumps(part)
    frames[-1].data = before + last + b'],"role":"model"},' + ending
