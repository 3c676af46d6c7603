"""What a fault is: a frozen dataclass whose fields are its settings, and what it does to one exchange.

    rule fires -> Injection(fault, exchange, draws) -> delay:   wait, then go on
                                                    -> replace: a Reply of its own, or a cut connection
                                                    -> damage:  the Reply on its way, spoilt for this client alone

A fault never calls `random` and never decides whether it happens: the engine rolls the dice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from providers.faults.base import Asked, ProviderFaults
from providers.faults.registry import get_faults

if TYPE_CHECKING:  # a configuration holds faults, and an exchange a configuration
    from proxies.dataplane.delivery import Reply
    from proxies.dataplane.exchange import Exchange

Draw = Callable[[str], float]
"""A number in [0, 1), the same for the same seed, decision, rule and name: what a fault's amounts are drawn from."""


class Stage(StrEnum):
    """When a fault acts."""

    DELAY = "delay"  # before everything else; several add up
    REPLACE = "replace"  # in the place of the reply; one at most
    DAMAGE = "damage"  # on the reply's way to the client


class Cut(Exception):
    """The connection to the client is to be cut here: closed, or reset. The record says fault."""

    def __init__(self, *, is_reset: bool = False) -> None:
        super().__init__()
        self.is_reset = is_reset


def setting(
    default: Any,
    help: str,
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    max_length: int | None = None,
    example: Any = None,
) -> Any:
    """A field of a fault: what it means, for people, and its range. Its type is the field's annotation: bool, int,
    float, str or a StrEnum, or one of them or None."""
    metadata = {"help": help, "ge": ge, "gt": gt, "le": le, "max_length": max_length, "example": example}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Fault:
    """One way to fail, with its settings. One module in this package holds one subclass per fault, each with
    `@dataclass(frozen=True)` and fields made by `setting`. Discovered by its `kind`.

    A subclass overrides the one of `wait_s`, `replace` and `damage` that is its stage's. It keeps nothing between
    exchanges.
    """

    kind: ClassVar[str]  # "error"; the word in rules, logs and docs
    title: ClassVar[str]  # "Error reply"
    summary: ClassVar[str]  # one or two sentences, for people
    stage: ClassVar[Stage]
    order: ClassVar[int] = 0  # of damages: lower ones act first, nearer to the upstream
    drops_upstream: ClassVar[bool] = False  # a damage that ends the upstream's reply early: nothing is recorded
    streams: ClassVar[bool | None] = None  # a damage for streams only (True), for whole replies only (False), for both

    def check(self) -> str | None:
        """What is wrong with the settings together, as "field: reason"; None when nothing is. Ranges are checked
        before."""
        return None

    def wait_s(self, draw: Draw) -> float:
        """How many seconds to wait, of a delay."""
        raise NotImplementedError

    async def replace(self, injection: Injection) -> Reply:
        """The reply in the place of the real one. Raises Cut for none at all."""
        raise NotImplementedError

    def damage(self, reply: Reply, injection: Injection) -> Reply | None:
        """The reply this client gets: `reply` changed in place or another one; None when there is nothing in it to
        damage.

        `reply` is a success, its body free of content-encoding, its hop-by-hop headers gone. A fault that takes over
        the body closes it (`aclose`) when it is done with it. Calls `injection.note` as soon as something was in fact
        damaged. A body may raise Cut.
        """
        raise NotImplementedError


class Injection:
    """One fault on one exchange."""

    __slots__ = ("draw", "exchange", "fault", "has_happened", "now")

    def __init__(self, fault: Fault, exchange: Exchange, draw: Draw, now: float) -> None:
        self.fault = fault
        self.exchange = exchange
        self.draw = draw
        self.now = now  # seconds since the epoch
        self.has_happened = False

    def note(self) -> None:
        """The client's reply is no longer what it was."""
        self.has_happened = True

    @property
    def dialect(self) -> ProviderFaults:
        """How the proxy's provider fails."""
        return get_faults(self.exchange.runtime.provider.id)

    @property
    def asked(self) -> Asked:
        """The request, as the provider's faults want it."""
        exchange = self.exchange
        return Asked(
            call=exchange.call,
            request_id=exchange.record.id,
            now=self.now,
            model=exchange.record.model,
            is_streaming=exchange.facts.is_streaming,
            query=exchange.query,
            headers=exchange.fields,
        )
