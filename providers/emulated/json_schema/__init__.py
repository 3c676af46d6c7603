"""Valid, plausible JSON for any JSON Schema."""

from providers.emulated.json_schema.document import Unsatisfiable
from providers.emulated.json_schema.generation import generate, values_for

__all__ = ["Unsatisfiable", "generate", "values_for"]
