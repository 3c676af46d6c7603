"""An answer that stops short."""

from __future__ import annotations

from dataclasses import dataclass

from providers.faults.base import Edit
from proxies.dataplane.faults.editing import Editing


@dataclass(frozen=True)
class LengthStop(Editing):
    """Half of the text, and the stop reason of a reached token limit."""

    kind = "length_stop"
    title = "Stopped by length"
    summary = "The answer ends half way, with the stop reason its provider gives when the token limit is reached."
    edit = Edit.LENGTH
