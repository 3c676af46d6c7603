"""A request of OpenAI's Responses API as a question: its own input, after the conversation it goes on with.

Source: openai-python 3.54.0 `types/responses/response_create_params.py`, and refusals of the API quoted in public issue
reports and test suites, read November 2026.
"""

from __future__ import annotations

from typing import Any

from providers.emulated.desk import Desk
from providers.emulated.dialects.openai_errors import Invalid, digest
from providers.emulated.dialects.openai_responses_body import check_body, read_output_format, thinks
from providers.emulated.dialects.openai_responses_input import InputReader, Item, wrong_prefix
from providers.emulated.dialects.openai_responses_output import conversation_id
from providers.emulated.dialects.openai_responses_state import (
    StoredConversation,
    StoredResponse,
    find_item,
    find_response,
    require_conversation,
)
from providers.emulated.dialects.openai_responses_tools import read_tool_choice, read_tools
from providers.emulated.question import Question, Turn


class Asked:
    """What a request for an answer says, read and checked. `turns`: the conversation before it, and its own.

    Raises Invalid.
    """

    def __init__(self, body: dict[str, Any], model: str, desk: Desk, *, is_lenient: bool) -> None:
        check_body(body, is_lenient=is_lenient)
        self.body = body
        self.model = model
        given: Any = body.get("input")
        reader = InputReader(lambda item_id: find_item(desk, item_id))
        own = reader.read([] if given is None else given)
        self.given = reader.resolve([] if given is None else given)
        self.conversation: StoredConversation | None = None
        self.previous: StoredResponse | None = None
        self.earlier: list[Item] = []
        self._find_state(desk)
        self.turns: list[Turn] = own
        if self.conversation is not None:
            self.earlier = list(self.conversation.items.values())
            before = InputReader(lambda item_id: find_item(desk, item_id)).read(self.earlier)
            self.turns = before + own
        elif self.previous is not None:
            self.turns = self.previous.turns + own

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to answer."""
        return not self.given and self.previous is None and self.conversation is None

    def _find_state(self, desk: Desk) -> None:
        body = self.body
        conversation = body.get("conversation")
        previous = body.get("previous_response_id")
        if conversation is not None:
            if previous is not None:
                raise Invalid(
                    "Mutually exclusive parameters: ''. Ensure you are only providing one of: 'pre..._id' or "
                    "'conversation'.",
                    None,
                    "mutually_exclusive_parameters",
                )
            self.conversation = require_conversation(desk, conversation_id(conversation))
        if body.get("prompt") is not None:
            raise Invalid(f"Prompt with id '{body['prompt']['id']}' not found.", status=404)
        if previous is not None:
            if not previous.startswith("resp"):
                raise wrong_prefix("previous_response_id", previous, "resp")
            self.previous = find_response(desk, previous)
            if self.previous is None:
                raise Invalid(
                    f"Previous response with id '{previous}' not found.",
                    "previous_response_id",
                    "previous_response_not_found",
                )

    def digest(self) -> bytes:
        """Decides the answer. A conversation may have grown since it was last asked the same."""
        if self.conversation is None:
            return digest(self.body)
        return digest(self.body, str(len(self.earlier)), self.earlier[-1]["id"] if self.earlier else "")

    def question(self, operation: str, made: bytes) -> Question:
        """What is asked of a model. Raises Invalid for tools and forms that contradict each other."""
        body = self.body
        instructions = body.get("instructions")
        turns = [Turn("system", instructions), *self.turns] if instructions else self.turns
        tools, self.plain_tools = read_tools(body)
        choice = read_tool_choice(body, tools)
        output = read_output_format(body)
        if output is not None and output.schema is None:
            self._require_the_word_json()
        temperature = body.get("temperature")
        self.thinks = thinks(body, self.model)
        return Question(
            operation,
            self.model,
            made,
            turns,
            tools,
            choice,
            body.get("parallel_tool_calls") is not False,
            output,
            body.get("max_output_tokens"),
            temperature=None if temperature is None else float(temperature),
            thinks=self.thinks,
        )

    def _require_the_word_json(self) -> None:
        if not any("json" in turn.text.lower() for turn in self.turns):
            raise Invalid(
                "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
                "'json_object'.",
                "input",
            )
