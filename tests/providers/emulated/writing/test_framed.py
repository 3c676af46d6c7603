"""Labels to choose from, a context to answer from, and an agent's transcript."""

from __future__ import annotations

import pytest

from providers.emulated.question import Turn
from providers.emulated.writing.framed import asked_at_the_end
from tests.providers.emulated.conversations import say

TOWER = "The Eiffel Tower was built in 1889. It is 330 metres tall.\nThe Louvre is a museum in Paris."
REACT = """Answer the following questions as best you can. You have access to the following tools:

Search: useful for current events
Calculator: useful for sums

Use the following format:

Question: the input question you must answer
Thought: you should always think about what to do
Action: the action to take, should be one of [Search, Calculator]
Action Input: the input to the action
Observation: the result of the action
Final Answer: the final answer to the original input question

Begin!

Question: {question}
Thought:"""


@pytest.mark.parametrize(
    ("prompt", "label"),
    [
        ("Classify the sentiment as positive, negative or neutral: I loved this movie!", "positive"),
        ("Classify as Positive, Negative, or Neutral.\n\nText: it broke, terrible\nLabel:", "Negative"),
        ("Categories: billing, technical, account. Ticket: I can't log in to my account. Respond with only the "
         "category.", "account"),
        ("Choose one of the following: apple, banana, cherry. I like banana.", "banana"),
        ("Label the topic (sports, politics, tech) of: The politics of ducks", "politics"),
        ("Options: A, B, C. Which is right? The answer is B, a friend says", "B"),
        ("Classify this into one of: SPAM, HAM.\n\nText: is this spam or what?", "SPAM"),
    ],
)  # fmt: skip
def test_one_of_the_labels_is_the_whole_answer(prompt: str, label: str) -> None:
    assert say(prompt) == label


def test_one_of_two_verdicts_is_given_whatever_sum_is_judged() -> None:
    assert say("Grade it. Question: 2+2? Answer: 5. Reply with CORRECT or INCORRECT.") in {"CORRECT", "INCORRECT"}


@pytest.mark.parametrize(
    "prompt",
    [
        "Do you like tea or coffee?",
        "I went with Bob or Ann",
        "Is it this or that?",
        "What is the difference between tea or coffee?",
        "Answer the phone or the door",
        "categories of animals or plants",
    ],
)
def test_an_or_alone_offers_no_labels(prompt: str) -> None:
    assert len(say(prompt).split()) > 5


def test_a_question_after_its_context_is_answered_from_it() -> None:
    prompt = f"Use the following context to answer.\n\n{TOWER}\n\nQuestion: How tall is the tower?\nAnswer:"
    assert "tower" in say(prompt).lower() or "330" in say(prompt)
    assert say(prompt) in TOWER
    asked = f"Use the context. If you don't know, say so.\n\n{TOWER}\n\nQuestion: Where do ducks sleep?\nAnswer:"
    assert say(asked) == "I don't know."


def test_a_question_is_answered_from_the_context_of_the_system_message() -> None:
    system = f"Answer only from this context:\n\n{TOWER}\n\nBe brief and do not make anything up, whatever is asked."
    said = say(Turn("system", system), Turn("user", "What is the Louvre?"))
    assert said == "The Louvre is a museum in Paris."


def test_the_last_question_of_many_is_the_one_that_is_asked() -> None:
    assert asked_at_the_end("Question: one?\nAnswer: 1\n\nQuestion: two?\nAnswer:") == "two?"
    assert asked_at_the_end("<context>x</context><question>\nthree?\n</question>") == "three?"
    assert asked_at_the_end("no such thing") == ""


def test_a_follow_up_question_is_said_again() -> None:
    prompt = "Rephrase it.\nChat history: Human: hi\nFollow up question: when was she born?\nStandalone question:"
    assert say(prompt) == "when was she born?"


def test_an_agent_that_writes_a_transcript_comes_to_its_end() -> None:
    asked = REACT.replace("{question}", "Who won the cup?")
    step = say(asked)
    assert "Action: Search\nAction Input: Who won the cup?" in step
    end = say(f"{asked}{step}\nObservation: the ducks\nThought:")
    assert end.endswith("Final Answer: the ducks")
    assert "Action:" not in end


def test_an_agent_calculates_with_its_calculator() -> None:
    assert say(REACT.replace("{question}", "What is 12 * 7?")).endswith("Action: Calculator\nAction Input: 12 * 7")


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("Extract all email addresses from: contact bob@example.com or ann@test.org", "bob@example.com\nann@test.org"),
        ("Extract the date: It was on May 5, 2024", "2024-05-05"),
        ("Extract the names: Ann met Bob in Oslo", "Ann\nBob\nOslo"),
    ],
)
def test_what_is_to_be_extracted_is_the_answer(prompt: str, said: str) -> None:
    assert say(prompt) == said


def test_a_question_under_a_heading_is_one() -> None:
    said = say(f"# Context\n{TOWER} It opened to visitors in the same year.\n\n# Question\nWhat is the Louvre?")
    assert said == "The Louvre is a museum in Paris."
