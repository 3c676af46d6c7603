"""A model that declines to answer."""

from __future__ import annotations

from dataclasses import dataclass

from providers.faults.base import Edit
from proxies.dataplane.faults.base import setting
from proxies.dataplane.faults.editing import Editing


@dataclass(frozen=True)
class Refusal(Editing):
    """The answer becomes a refusal, in the provider's own form."""

    kind = "refusal"
    title = "Refusal"
    summary = "The model declines to answer, successfully and in the form its provider has for that."
    edit = Edit.REFUSAL

    text: str | None = setting(
        None, "What it says.", max_length=2000, example="I'm sorry, but I can't help with that request."
    )

    @property
    def words(self) -> str | None:
        return self.text
