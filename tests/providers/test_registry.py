"""Discovery of providers, and what holds for every one of them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import providers
from providers import registry
from providers.base import Condition, Provider
from providers.registry import all_providers, get_provider

DOCS = Path(__file__).resolve().parents[2] / "docs" / "providers.md"


def test_every_provider_is_found() -> None:
    assert list(all_providers()) == ["anthropic", "azure_openai", "bedrock", "openai", "vertex_ai"]
    assert all(provider_id == provider.id for provider_id, provider in all_providers().items())


def test_an_unknown_provider_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        get_provider("nobody")


@pytest.mark.parametrize(
    ("source", "failure"),
    [
        ("import no_such_module_anywhere", ModuleNotFoundError),
        ("x = 1", AttributeError),
        ("from providers.openai import PROVIDER", RuntimeError),
    ],
)
def test_a_broken_provider_module_is_loud(
    source: str, failure: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zz_broken.py").write_text(source)
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "providers.zz_broken", raising=False)
    try:
        with pytest.raises(failure):
            registry.all_providers.__wrapped__()
    finally:
        sys.modules.pop("providers.zz_broken", None)


@pytest.mark.parametrize("provider", all_providers().values(), ids=lambda provider: provider.id)
class TestEveryProvider:
    def test_its_operations_have_distinct_targets(self, provider: Provider) -> None:
        targets = [(operation.method, operation.pattern.pattern) for operation in provider.operations]
        assert len(targets) == len(set(targets))

    def test_only_lists_of_models_and_posts_are_cached(self, provider: Provider) -> None:
        for operation in provider.operations:
            if operation.is_cacheable and operation.method != "POST":
                assert operation.method == "GET"
                assert "models" in operation.name or "profiles" in operation.name
                assert operation.name.endswith("list")

    def test_header_names_are_lower_case(self, provider: Provider) -> None:
        names = provider.key_headers | provider.unsafe_reply_headers | provider.rewritten_reply_headers
        assert names == {name.lower() for name in names}

    def test_every_condition_has_a_reply(self, provider: Provider) -> None:
        call = provider.match("POST", b"/somewhere/unknown")
        for condition in Condition:
            reply = provider.error(condition, "why it happened", request_id="0197", call=call, retry_after_s=1.0)
            assert reply.status == condition.status
            assert b"why it happened" in reply.body
            assert dict(reply.headers)[b"content-type"].startswith(b"application/json")
            assert b"content-length" not in dict(reply.headers)

    def test_a_message_with_odd_text_still_makes_a_body(self, provider: Provider) -> None:
        call = provider.match("POST", b"/somewhere/unknown")
        reply = provider.error(Condition.BAD_REQUEST, 'quote " newline \n ünïcode', request_id="0197", call=call)
        assert b"\n" not in reply.body

    def test_its_snippets_have_distinct_names_and_no_gaps(self, provider: Provider) -> None:
        snippets = provider.snippets("http://127.0.0.1:8001", provider.example_model)
        assert len({snippet.id for snippet in snippets}) == len(snippets) >= 3
        assert {"python", "javascript", "shell"} <= {snippet.language for snippet in snippets}
        assert not any(re.search(r"%\(|\{base_url\}|\{model\}", snippet.code) for snippet in snippets)

    def test_the_documentation_mentions_it(self, provider: Provider) -> None:
        text = DOCS.read_text()
        assert f"`{provider.id}`" in text
        assert provider.label in text
