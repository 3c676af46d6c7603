"""InvokeModel for Command R: a message, its history, tools by their parameters' definitions.

Source: AWS "Cohere Command R and Command R+ models", read November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from providers.emulated.answer import Answer, Stop, hexadecimal
from providers.emulated.base import digest_of
from providers.emulated.dialects.bedrock_converse_reply import tool_input
from providers.emulated.dialects.bedrock_schema import Event, Family, Member, check, malformed, strings
from providers.emulated.question import Question, Role, Tool, ToolResult, Turn
from providers.wire.json_body import mapping

_MEMBERS = (
    Member("message", "String", is_required=True),
    Member("chat_history", "JSONArray"),
    Member("documents", "JSONArray"),
    Member("search_queries_only", "Boolean"),
    Member("preamble", "String"),
    Member("max_tokens", "Integer", least=1),
    Member("temperature", "Number", least=0, most=1),
    Member("p", "Number", least=0, most=1),
    Member("k", "Number", least=0, most=500),
    Member("prompt_truncation", "String"),
    Member("frequency_penalty", "Number", least=0, most=1),
    Member("presence_penalty", "Number", least=0, most=1),
    Member("seed", "Integer"),
    Member("return_prompt", "Boolean"),
    Member("tools", "JSONArray"),
    Member("tool_results", "JSONArray"),
    Member("stop_sequences", "JSONArray"),
    Member("raw_prompting", "Boolean"),
)
_ROLES: Mapping[str, Role] = {"USER": "user", "CHATBOT": "assistant", "SYSTEM": "system"}
_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "dict": "object"}
_REASONS = {Stop.LENGTH: "MAX_TOKENS", Stop.REFUSAL: "ERROR_TOXIC"}


def _read(body: dict[str, Any], operation: str, model: str) -> Question:
    check(body, _MEMBERS, is_closed=True)
    turns = [Turn("system", body["preamble"])] if body.get("preamble") else []
    turns += [_turn(entry, number) for number, entry in enumerate(body.get("chat_history", ()))]
    turns.append(Turn("user", body["message"], ("document",) if body.get("documents") else ()))
    results = tuple([_result(entry, number) for number, entry in enumerate(body.get("tool_results", ()))])
    if results:
        turns.append(Turn("tool", tool_results=results))
    return Question(
        operation,
        model,
        digest_of(body, model),
        turns,
        [_tool(entry, number) for number, entry in enumerate(body.get("tools", ()))],
        max_tokens=body.get("max_tokens"),
        stops=strings(body.get("stop_sequences"), "#/stop_sequences"),
        temperature=body.get("temperature"),
        seed=body.get("seed"),
        caches=(),
    )


def _turn(entry: Any, number: int) -> Turn:
    at = f"#/chat_history/{number}"
    if type(entry) is not dict:
        raise malformed(f"{at}: expected type: JSONObject")
    check(entry, (Member("role", "String", is_required=True), Member("message", "String", is_required=True)), at)
    role = _ROLES.get(entry["role"])
    if role is None:
        raise malformed(f"{at}/role: {entry['role']} is not a valid enum value")
    return Turn(role, entry["message"])


def _result(entry: Any, number: int) -> ToolResult:
    at = f"#/tool_results/{number}"
    if type(entry) is not dict:
        raise malformed(f"{at}: expected type: JSONObject")
    check(entry, (Member("call", "JSONObject", is_required=True), Member("outputs", "JSONArray", is_required=True)), at)
    name = entry["call"].get("name")
    outputs = entry["outputs"][0] if len(entry["outputs"]) == 1 else entry["outputs"]
    return ToolResult(f"call_{number}", name if type(name) is str else "", orjson.dumps(outputs).decode())


def _tool(entry: Any, number: int) -> Tool:
    at = f"#/tools/{number}"
    if type(entry) is not dict:
        raise malformed(f"{at}: expected type: JSONObject")
    check(
        entry,
        (Member("name", "String", is_required=True), Member("description", "String", is_required=True),
         Member("parameter_definitions", "JSONObject")),
        at,
    )  # fmt: skip
    properties: dict[str, Any] = {}
    required = []
    for name, definition in (entry.get("parameter_definitions") or {}).items():
        kind = mapping(definition).get("type")
        word = kind.partition("[")[0].lower() if type(kind) is str else ""
        properties[name] = {"type": _TYPES.get(word, "string")}
        if mapping(definition).get("required") is True:
            required.append(name)
    schema = {"type": "object", "properties": properties, "required": required}
    return Tool(entry["name"], entry["description"], schema)


def _reply(body: dict[str, Any], model: str, answer: Answer) -> dict[str, Any]:
    history = [entry for entry in body.get("chat_history", ()) if type(entry) is dict]
    history.append({"role": "USER", "message": body["message"]})
    said: dict[str, Any] = {"role": "CHATBOT", "message": answer.text}
    reply: dict[str, Any] = {
        "response_id": _uuid(answer, "response"),
        "text": answer.text,
        "generation_id": _uuid(answer, "generation"),
        "chat_history": [*history, said],
        "finish_reason": _REASONS.get(answer.stop, "COMPLETE"),
    }
    calls = _calls(answer)
    if calls:
        reply["tool_calls"] = said["tool_calls"] = calls
    return reply


def _events(body: dict[str, Any], model: str, answer: Answer) -> Iterator[Event]:
    for piece in answer.pieces:
        text = orjson.dumps(piece.text)
        yield b'{"is_finished":false,"event_type":"text-generation","text":%b}' % text, 1, piece.delay_s
    calls = _calls(answer)
    if calls:
        event = {"is_finished": False, "event_type": "tool-calls-generation", "tool_calls": calls}
        yield orjson.dumps(event), len(calls), 0.0
    reply = _reply(body, model, answer)
    end = {
        "is_finished": True,
        "event_type": "stream-end",
        "finish_reason": reply["finish_reason"],
        "response": reply,
    }
    yield orjson.dumps(end), 0, 0.0


def _calls(answer: Answer) -> list[dict[str, Any]]:
    return [{"name": use.name, "parameters": tool_input(use)} for use in answer.tool_uses]


def _uuid(answer: Answer, label: str) -> str:
    digits = hexadecimal(answer.digest, label, 32)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


COMMAND_R = Family(_read, _reply, _events)
