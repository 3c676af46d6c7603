"""A successful answer with nothing in it."""

from __future__ import annotations

from dataclasses import dataclass

from providers.faults.base import Edit
from proxies.dataplane.faults.editing import Editing


@dataclass(frozen=True)
class EmptyContent(Editing):
    """Nothing is left of the answer but its frame."""

    kind = "empty_content"
    title = "Empty answer"
    summary = "The reply is a success and well-formed, but the model has written nothing."
    edit = Edit.EMPTY_CONTENT
