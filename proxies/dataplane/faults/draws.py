"""The dice: numbers in [0, 1) that depend on nothing but seed, decision, rule and name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import blake2b

from proxies.dataplane.faults.base import Draw

SHARED = ""
"""The rule id of the one draw that is split among rate rules; no rule is called so."""


def draw(seed: int, number: int, rule_id: str, name: str = "") -> float:
    """Uniform and independent for every other number, rule or name; always the same for the same ones.

    `name`: "" for whether a rule fires, else which of the fault's amounts.
    """
    what = f"{seed}\0{number}\0{rule_id}\0{name}".encode("utf-8", "surrogatepass")
    return (int.from_bytes(blake2b(what, digest_size=8).digest(), "big") >> 11) * 2.0**-53


def amounts(seed: int, number: int, rule_id: str) -> Draw:
    """What a fault of that rule draws its amounts from, in that decision."""
    of_name: Callable[[str], float] = partial(draw, seed, number, rule_id)
    return of_name
