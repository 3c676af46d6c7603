"""A tool call nobody can execute."""

from __future__ import annotations

from dataclasses import dataclass

from providers.faults.base import Edit
from proxies.dataplane.faults.editing import Editing


@dataclass(frozen=True)
class InvalidToolArguments(Editing):
    """The arguments of tool calls are spoilt; answers without tool calls stay as they are."""

    kind = "invalid_tool_arguments"
    title = "Invalid tool arguments"
    summary = (
        "The arguments of the answer's tool calls are not what was asked for: no JSON where they are text, the wrong "
        "members where they are an object. An answer without tool calls stays as it is."
    )
    edit = Edit.INVALID_TOOL_ARGUMENTS
