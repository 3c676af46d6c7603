"""Converse requests: read into questions, refused as Bedrock refuses them. Nova's own bodies hold the same parts.

Source: bedrock-runtime service-2.json (botocore 1.44.5), ConverseRequest; the wordings as users quote them in public
issue reports; read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from providers.emulated.base import digest_of
from providers.emulated.dialects.bedrock_blocks import BlockReader, guarded_text, is_cache_point
from providers.emulated.dialects.bedrock_errors import Refusal, constraint, is_deep, wrong_format
from providers.emulated.question import AUTO, OutputFormat, Question, Tool, ToolChoice, Turn
from providers.wire.json_body import mapping

# What decides how a reply is carried, not what it says.
_NO_CHOICE_OF_ANSWER = frozenset(
    {"additionalModelResponseFieldPaths", "guardrailConfig", "performanceConfig", "requestMetadata", "serviceTier"}
)
_MAX_PATHS = 10
_LEAST_BUDGET = 1024
_NOTHING: dict[str, Any] = {}


def read_converse(body: dict[str, Any], *, operation: str, model: str) -> Question:
    """The question of a Converse body, or of Nova's for InvokeModel. Raises Refusal."""
    config = _object(body.get("inferenceConfig"), "inferenceConfig")
    more = _object(body.get("additionalModelRequestFields"), "additionalModelRequestFields")
    caches: list[int] = []
    turns: list[Turn] = []
    tools, choice, has_tools = _read_tools(body.get("toolConfig"), caches)
    _read_system(body.get("system"), turns, caches)
    messages = body.get("messages")
    if messages is None and ":prompt/" in model:
        turns.append(Turn("user", _variables(body.get("promptVariables"))))
    else:
        BlockReader(turns, caches, has_tools=has_tools).read(messages)
    max_tokens = config.get("maxTokens")
    if max_tokens is None:
        max_tokens = config.get("max_new_tokens")  # Nova's InvokeModel bodies know both
    if max_tokens is not None:
        _check_integer(max_tokens, "inferenceConfig.maxTokens")
    temperature = config.get("temperature")
    if temperature is not None:
        _check_share(temperature, "inferenceConfig.temperature")
    if config.get("topP") is not None:
        _check_share(config["topP"], "inferenceConfig.topP")
    question = Question(
        operation,
        model,
        digest_of(body, model, without=_NO_CHOICE_OF_ANSWER),
        turns,
        tools,
        choice,
        max_tokens=max_tokens,
        stops=_stops(config.get("stopSequences")),
        temperature=temperature,
        caches=tuple(sorted(set(caches))),
    )
    if more:
        _read_more(more, question)
    elif "reasoningConfig" in body:
        _read_thinking(body["reasoningConfig"], question, "reasoningConfig")
    if "outputConfig" in body:
        _read_output(body["outputConfig"], question)
    if "additionalModelResponseFieldPaths" in body:
        _check_paths(body["additionalModelResponseFieldPaths"])
    return question


def _object(value: Any, path: str) -> dict[str, Any]:
    if value is None:
        return _NOTHING
    if type(value) is not dict:
        raise wrong_format(path, "a json object")
    return value


def _read_system(value: Any, turns: list[Turn], caches: list[int]) -> None:
    """One turn for the blocks up to each cache point."""
    if value is None:
        return
    if type(value) is not list:
        raise wrong_format("system", "a list")
    texts: list[str] = []
    for number, block in enumerate(value):
        text = block.get("text") if type(block) is dict else None
        if type(text) is str:
            if not text.strip():
                raise Refusal(
                    f"The text field in the SystemContentBlock object at system.{number} is blank. "
                    "Add text to the text field, and try again."
                )
            texts.append(text)
        elif type(block) is dict and type(block.get("guardContent")) is dict:
            texts.append(guarded_text(block["guardContent"]))
        elif is_cache_point(block):
            if texts:
                turns.append(Turn("system", "\n".join(texts)))
                texts = []
            caches.append(len(turns))
        else:
            raise Refusal(
                f"The SystemContentBlock object at system.{number} must set one of the following keys: "
                "text, guardContent, cachePoint."
            )
    if texts:
        turns.append(Turn("system", "\n".join(texts)))


def _read_tools(value: Any, caches: list[int]) -> tuple[list[Tool], ToolChoice, bool]:
    """The tools on offer, the choice among them, and whether there is a toolConfig at all."""
    config = _object(value, "toolConfig")
    if not config:
        return [], AUTO, False
    listed = config.get("tools")
    if listed is None:
        raise constraint("toolConfig.tools", None, "Member must not be null")
    if type(listed) is not list:
        raise wrong_format("toolConfig.tools", "a list")
    if not listed:
        raise constraint("toolConfig.tools", listed, "Member must have length greater than or equal to 1")
    tools: list[Tool] = []
    for number, entry in enumerate(listed):
        spec = entry.get("toolSpec") if type(entry) is dict else None
        if type(spec) is dict:
            tools.append(_read_tool(spec, f"toolConfig.tools.{number}.toolSpec"))
        elif is_cache_point(entry):
            caches.append(0)
        elif type(entry) is not dict or type(entry.get("systemTool")) is not dict:  # those are for the service to run
            raise Refusal(
                f"The Tool object at toolConfig.tools.{number} must set one of the following keys: "
                "toolSpec, systemTool, cachePoint."
            )
    names = {tool.name for tool in tools}
    if len(names) != len(tools):
        raise Refusal("The model returned the following errors: tools: Tool names must be unique.")
    return tools, _read_choice(config.get("toolChoice"), names), True


def _read_tool(spec: dict[str, Any], path: str) -> Tool:
    name = spec.get("name")
    if name is None:
        raise constraint(f"{path}.name", None, "Member must not be null")
    if type(name) is not str:
        raise wrong_format(f"{path}.name", "a string")
    if not 1 <= len(name) <= 64:
        rule = "less than or equal to 64" if name else "greater than or equal to 1"
        raise constraint(f"{path}.name", name, f"Member must have length {rule}")
    if not name.replace("_", "a").replace("-", "a").isalnum() or not name.isascii():
        raise constraint(f"{path}.name", name, "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+")
    description = spec.get("description")
    if description is not None and type(description) is not str:
        raise wrong_format(f"{path}.description", "a string")
    schema = spec.get("inputSchema")
    if schema is None:
        raise constraint(f"{path}.inputSchema", None, "Member must not be null")
    schema = schema.get("json") if type(schema) is dict else None
    if type(schema) is not dict:
        raise wrong_format(f"{path}.inputSchema.json", "a json object")
    if schema.get("type") != "object":
        raise Refusal(f"The value at {path}.inputSchema.json.type must be one of the following: object.")
    return Tool(name, description or "", schema)


def _read_choice(value: Any, names: set[str]) -> ToolChoice:
    choice = _object(value, "toolConfig.toolChoice")
    if not choice or "auto" in choice:
        return AUTO
    if "any" in choice:
        return ToolChoice("any")
    named = choice.get("tool")
    if type(named) is not dict:
        raise Refusal(
            "The ToolChoice object at toolConfig.toolChoice must set one of the following keys: auto, any, tool."
        )
    name = named.get("name")
    if name is None:
        raise constraint("toolConfig.toolChoice.tool.name", None, "Member must not be null")
    if type(name) is not str:
        raise wrong_format("toolConfig.toolChoice.tool.name", "a string")
    if name not in names:
        raise Refusal(f"The model returned the following errors: Tool '{name}' not found in provided tools")
    return ToolChoice("named", (name,))


def _check_integer(value: Any, path: str) -> None:
    if type(value) is not int:
        raise wrong_format(path, "an integer")
    if value < 1:
        raise constraint(path, value, "Member must have value greater than or equal to 1")
    if value > 2**31 - 1:
        raise constraint(path, value, "Member must have value less than or equal to 2147483647")


def _check_share(value: Any, path: str) -> None:
    if type(value) not in (int, float):
        raise wrong_format(path, "a number")
    if not 0 <= value <= 1:
        limit = "greater than or equal to 0" if value < 0 else "less than or equal to 1"
        raise constraint(path, value, f"Member must have value {limit}")


def _stops(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if type(value) is not list:
        raise wrong_format("inferenceConfig.stopSequences", "a list")
    for number, stop in enumerate(value):
        path = f"inferenceConfig.stopSequences.{number}"
        if type(stop) is not str:
            raise wrong_format(path, "a string")
        if not stop:
            raise constraint(path, stop, "Member must have length greater than or equal to 1")
    return tuple(value)


def _variables(value: Any) -> str:
    """What a prompt of the prompt management is filled with: all that is known of it here."""
    filled = [mapping(entry).get("text") for entry in _object(value, "promptVariables").values()]
    return "\n".join([text for text in filled if type(text) is str])


def _check_paths(value: Any) -> None:
    path = "additionalModelResponseFieldPaths"
    if type(value) is not list:
        raise wrong_format(path, "a list")
    if len(value) > _MAX_PATHS:
        raise constraint(path, value, f"Member must have length less than or equal to {_MAX_PATHS}")
    for number, pointer in enumerate(value):
        if type(pointer) is not str:
            raise wrong_format(f"{path}.{number}", "a string")
        if not pointer.startswith("/"):
            raise Refusal(f"The value at {path}.{number} is not a valid JSON Pointer. Correct it and try again.")


def _read_more(more: Mapping[str, Any], question: Question) -> None:
    """The fields of the models' own that change what is answered; the rest is for models alone."""
    for name in ("thinking", "reasoning_config", "reasoningConfig"):
        if name in more:
            _read_thinking(more[name], question, name)
    if more.get("reasoning_effort") in ("low", "medium", "high"):
        question.thinks = True
    if mapping(more, "tool_choice").get("disable_parallel_tool_use") is True:
        question.may_call_many = False
    if type(more.get("seed")) is int:
        question.seed = more["seed"]
    for holder in (mapping(more, "output_config", "format"), mapping(more, "output_format"), more):
        if holder.get("type") == "json_schema" and type(holder.get("schema")) is dict:
            question.output = OutputFormat(holder["schema"])
    wanted = mapping(more, "response_format")
    if wanted.get("type") == "json_object":
        question.output = OutputFormat()
    elif wanted.get("type") == "json_schema":
        schema = mapping(wanted, "json_schema").get("schema")
        question.output = OutputFormat(schema if type(schema) is dict else None)


def _read_thinking(value: Any, question: Question, name: str) -> None:
    asked = mapping(value)
    kind = asked.get("type")
    if kind not in ("enabled", "adaptive"):
        return
    question.thinks = True
    if name == "reasoningConfig":  # Nova's: it has an effort and no budget
        return
    failed = "The model returned the following errors: "
    budget = asked.get("budget_tokens")
    if budget is None:
        if kind == "enabled":
            raise Refusal(f"{failed}{name}.enabled.budget_tokens: Field required")
    elif type(budget) is not int:
        raise Refusal(f"{failed}{name}.{kind}.budget_tokens: Input should be a valid integer")
    elif budget < _LEAST_BUDGET:
        raise Refusal(f"{failed}{name}.{kind}.budget_tokens: Input should be greater than or equal to {_LEAST_BUDGET}")
    elif question.max_tokens is not None and budget >= question.max_tokens:
        raise Refusal(f"{failed}`max_tokens` must be greater than `thinking.budget_tokens`.")
    if question.tool_choice.mode in ("any", "named"):
        raise Refusal(f"{failed}Thinking may not be enabled when tool_choice forces tool use.")
    if question.temperature not in (None, 1):
        raise Refusal(f"{failed}`temperature` may only be set to 1 when thinking is enabled.")
    question.thinking_tokens = budget


def _read_output(value: Any, question: Question) -> None:
    config = _object(value, "outputConfig")
    wanted = _object(config.get("textFormat"), "outputConfig.textFormat")
    if not wanted:
        return
    path = "outputConfig.textFormat"
    if wanted.get("type") is None:
        raise constraint(f"{path}.type", None, "Member must not be null")
    if wanted["type"] != "json_schema":
        raise constraint(f"{path}.type", wanted["type"], "Member must satisfy enum value set: [json_schema]")
    text = mapping(wanted, "structure", "jsonSchema").get("schema")
    if text is None:
        raise constraint(f"{path}.structure.jsonSchema.schema", None, "Member must not be null")
    try:
        schema = orjson.loads(text) if type(text) is str else None
    except orjson.JSONDecodeError:
        schema = None
    if type(schema) is not dict or is_deep(text.encode(), schema):
        raise wrong_format(f"{path}.structure.jsonSchema.schema", "a json object")
    question.output = OutputFormat(schema)
