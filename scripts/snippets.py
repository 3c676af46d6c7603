"""Writes the README's examples for every official SDK, as the providers give them to the web page and the API."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- examples: written by `make snippets` -->", "<!-- end of examples -->"
BASE_URL = "http://127.0.0.1:8001"


def examples() -> str:
    """Markdown: one foldable part per provider."""
    sys.path.insert(0, str(ROOT))
    from providers.registry import all_providers

    parts = []
    for provider in all_providers().values():
        blocks = [
            f"{snippet.label}:\n\n```{snippet.language}\n{snippet.code.rstrip()}\n```"
            for snippet in provider.snippets(BASE_URL, provider.example_model)
        ]
        body = "\n\n".join(blocks)
        parts.append(f"<details><summary>{provider.label}</summary>\n\n{body}\n\n</details>")
    return "\n\n".join(parts)


def renewed(text: str) -> str:
    """A README's text with its examples written anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{examples()}\n\n{END}{after}"


if __name__ == "__main__":
    README.write_text(renewed(README.read_text()))
