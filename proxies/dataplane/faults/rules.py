"""A proxy's fault rules, frozen: which requests they are for, when they fire, and which faults they bring.

The grammar people write them in is `grammar`; `engine` decides by them.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxies.dataplane.access import AccessList
from proxies.dataplane.faults.base import Fault

MAX_RULES = 200
MAX_STEPS = 100  # of one script


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a rule is for: all of its parts must hold. An empty part holds for every request.

    Texts are globs (`gpt-4*`, `*` and `?`, case counts), several of one part are alternatives. `header`: lower-case
    name and globs of its value. `client`: addresses as access lists write them.
    """

    operation: tuple[str, ...] = ()
    path: tuple[str, ...] = ()  # against the raw path as the client sent it, without query
    model: tuple[str, ...] = ()
    streaming: bool | None = None
    header: tuple[tuple[str, tuple[str, ...]], ...] = ()
    client: AccessList | None = None
    prompt_hash: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class When:
    """When a rule fires for the requests it is for: all of its parts must hold. Counts are of the rule's own matching
    requests, from 1, in the present run."""

    every: int | None = None  # the n-th, the 2n-th, ...
    first: int | None = None  # the first n (after `after`)
    after: int | None = None  # not the first n
    between_s: tuple[float, float] | None = None  # seconds since the run began: from, until
    window: tuple[int, int] | None = None  # seconds of the day in UTC: from, until; over midnight if until is less


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a script. `fault` None: let it pass. Of `times` and `for_s` at most one is given; neither: for
    ever."""

    fault: Fault | None
    times: int | None = None  # matching requests
    for_s: float | None = None  # seconds since the first matching request of this step


@dataclass(frozen=True, slots=True)
class Rule:
    """One fault or one script, with its match and its moments.

    `id` is what draws are made with: the rule's own name, else its place in the list. `rate` None: whenever `when`
    holds.
    """

    id: str
    fault: Fault | None = None  # None: `script`
    script: tuple[Step, ...] = ()
    repeats: bool = False  # the script begins again after its last step
    rate: float | None = None
    match: Match = Match()
    when: When = When()


@dataclass(frozen=True, slots=True)
class FaultConfig:
    """What a proxy is to simulate. A change of rules, seed or `run` starts a new run: all counts begin again."""

    rules: tuple[Rule, ...] = ()
    seed: int = 0
    is_on: bool = True
    allows_header: bool = False  # whether `x-rubberduck-fault` counts
    run: str = ""  # changes when the run is started anew on purpose

    @property
    def may_act(self) -> bool:
        """Whether any exchange can meet a fault: those that can are numbered."""
        return self.is_on and (bool(self.rules) or self.allows_header)
