"""Decides which faults happen: numbers the exchanges, counts what rules are for, and rolls the dice.

    number taken -> rules that match -> asked first, in order: scripts, every n-th, first n, no rate   \\
                                     -> one draw, split in order among the rates that replace the reply  > one at most
                                     -> delays and damages, each with a draw of its own                 -> all of them
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from proxies.dataplane.faults.base import Draw, Fault, Stage
from proxies.dataplane.faults.draws import SHARED, amounts, draw
from proxies.dataplane.faults.globs import covers, matcher
from proxies.dataplane.faults.rates import in_window, only_streaming, shares_draw
from proxies.dataplane.faults.rules import FaultConfig, Rule, When

if TYPE_CHECKING:
    from proxies.dataplane.exchange import Clock

_REMEMBERED = 2048  # traits of requests: clients choose them
_LONGEST_REMEMBERED = 1024
_ALWAYS = When()

_Traits = tuple[str, str, bool, str, str]
"""Operation, model and whether it streams; path and client, each "" while no rule asks. What rules are for a request is
remembered by them. Header fields are not among them, for some hold keys, nor is the prompt hash: there are too many."""
_Values = dict[str, str]


class Chosen:
    """A fault that happens, and what its amounts are drawn from."""

    __slots__ = ("draw", "fault")

    def __init__(self, fault: Fault, draw: Draw) -> None:
        self.fault = fault
        self.draw = draw


class Decision:
    """What happens to one exchange. Damages are there only without a replacement; they are in the rules' order."""

    __slots__ = ("damages", "delays", "replacement")

    def __init__(
        self, delays: Sequence[Chosen] = (), replacement: Chosen | None = None, damages: Sequence[Chosen] = ()
    ) -> None:
        self.delays = delays
        self.replacement = replacement
        self.damages = damages if replacement is None else ()


class FaultEngine:
    """One proxy's dice and counts. `number` is that of the last exchange decided, 0 at the beginning of a run.
    `needed_fields`: by operation, model and whether it streams, the header fields of which a request has one at least
    if any rule is for it: one that has none may take its number and be done.
    """

    def __init__(self, config: FaultConfig, clock: Clock) -> None:
        self._clock = clock
        self._config = config
        self._begin(config)

    def swap(self, config: FaultConfig) -> None:
        """Goes on with other settings. Other rules, another seed and another `run` mark begin a new run."""
        old = self._config
        if (config.rules, config.seed, config.run) == (old.rules, old.seed, old.run):
            self._config = config
        else:
            self._begin(config)

    def _begin(self, config: FaultConfig) -> None:
        self._config = config
        self.number = 0
        self._began_at = self._clock.monotonic()
        self._states = [_RuleState(rule) for rule in config.rules]
        matches = [rule.match for rule in config.rules]
        self._asks_path = any(match.path for match in matches)
        self._asks_client = any(match.client is not None for match in matches)
        self._asked_fields = [(name, name.encode()) for name in {name for match in matches for name, _ in match.header}]
        self._remembered: dict[_Traits, Sequence[_RuleState]] = {}
        self.needed_fields: dict[tuple[str, str, bool], frozenset[bytes]] = {}

    def take_number(self) -> int:
        """The number of an exchange whose faults are decided elsewhere: the rules neither see nor count it."""
        self.number += 1
        return self.number

    def amounts(self, rule_id: str) -> Draw:
        """What a fault's amounts are drawn from in the last decision."""
        return amounts(self._config.seed, self.number, rule_id)

    def decide(
        self,
        operation: str,
        model: str,
        is_streaming: bool,
        path: str,
        fields: Mapping[bytes, bytes],
        client: str,
        prompt_hash: str,
    ) -> Decision | None:
        """Decides one exchange, which takes its number whatever comes of it; None when nothing happens to it.

        `path`: raw, without query. `fields`: header fields by lower-case name.
        """
        self.number += 1
        traits = (
            operation,
            model,
            is_streaming,
            path if self._asks_path else "",
            client if self._asks_client else "",
        )
        candidates = self._remembered.get(traits)
        if candidates is None:
            candidates = self._candidates(traits)
        if not candidates:
            return None
        values: _Values = {}
        for name, raw in self._asked_fields:
            if raw in fields:
                values[name] = fields[raw].decode("latin-1")
        delays: list[Chosen] = []
        damages: list[Chosen] = []
        replacement: Chosen | None = None
        sharing: list[_RuleState] = []
        for state in candidates:
            if state.is_for is not None and not state.is_for(values, prompt_hash):
                continue
            state.count += 1
            if state.has_when and not self._is_due(state):
                continue
            fault = state.fault
            if fault is None:
                fault = state.step(self._clock.monotonic())
                if fault is None or (fault.streams is not None and fault.streams is not is_streaming):
                    continue
            elif state.shares_draw:
                sharing.append(state)
                continue
            elif state.rate is not None and draw(self._config.seed, self.number, state.id) >= state.rate:
                continue
            if fault.stage is not Stage.REPLACE:
                (delays if fault.stage is Stage.DELAY else damages).append(Chosen(fault, self.amounts(state.id)))
            elif replacement is None:
                replacement = Chosen(fault, self.amounts(state.id))
        if sharing and replacement is None:
            replacement = self._split(sharing)
        if replacement is None and not delays and not damages:
            return None
        return Decision(delays, replacement, damages)

    def _split(self, sharing: Sequence[_RuleState]) -> Chosen | None:
        """One draw among rates: each gets a part of [0, 1) as wide as it is, in order."""
        drawn = draw(self._config.seed, self.number, SHARED)
        end = 0.0
        for state in sharing:
            end += state.rate or 0.0
            if drawn < end and state.fault is not None:
                return Chosen(state.fault, self.amounts(state.id))
        return None

    def _is_due(self, state: _RuleState) -> bool:
        """Whether all parts of a rule's `when` hold for its latest request."""
        when = state.when
        count = state.count
        if when.every is not None and count % when.every:
            return False
        after = when.after or 0
        if count <= after or (when.first is not None and count > after + when.first):
            return False
        if when.between_s is not None:
            begin, end = when.between_s
            if not begin <= self._clock.monotonic() - self._began_at < end:
                return False
        return when.window is None or in_window(when.window, self._clock.wall() % 86_400)

    def _candidates(self, traits: _Traits) -> Sequence[_RuleState]:
        candidates = tuple(state for state in self._states if _may_be_for(state.rule, *traits))
        _, model, _, path, _ = traits
        if len(model) + len(path) <= _LONGEST_REMEMBERED:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
                self.needed_fields.clear()
            self._remembered[traits] = candidates
            if not self._asks_path and not self._asks_client and all(state.rule.match.header for state in candidates):
                names = [name.encode() for state in candidates for name, _ in state.rule.match.header]
                self.needed_fields[traits[:3]] = frozenset(names)
        return candidates


class _RuleState:
    """A rule with its globs compiled and its counts in the present run."""

    __slots__ = (
        "_step", "_step_began_at", "_step_count", "count", "fault", "has_when", "id", "is_for", "rate", "rule",
        "shares_draw", "when",
    )  # fmt: skip

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.is_for = _closer(rule)
        self.id = rule.id
        self.fault = rule.fault
        self.rate = rule.rate
        self.when = rule.when
        self.has_when = rule.when != _ALWAYS
        self.shares_draw = shares_draw(rule)
        self.count = 0  # matching requests so far
        self._step = 0  # of the script: past its last one, it is over
        self._step_count = 0
        self._step_began_at: float | None = None

    def step(self, now: float) -> Fault | None:
        """What the script says to one more request; None: let it pass."""
        script = self.rule.script
        for _ in range(len(script) + 1):  # steps may be over by time, one after the other; then one begins
            if self._step == len(script):
                if not self.rule.repeats:
                    return None
                self._step = 0
            step = script[self._step]
            if self._step_began_at is None:
                self._step_began_at = now
            is_over = (step.times is not None and self._step_count >= step.times) or (
                step.for_s is not None and now - self._step_began_at >= step.for_s
            )
            if not is_over:
                self._step_count += 1
                return step.fault
            self._step += 1
            self._step_count = 0
            self._step_began_at = None
        return None


def _may_be_for(rule: Rule, operation: str, model: str, is_streaming: bool, path: str, client: str) -> bool:
    match = rule.match
    streaming = only_streaming(rule)
    return (
        (streaming is None or streaming is is_streaming)
        and (not match.operation or covers(match.operation, operation))
        and (not match.model or covers(match.model, model))
        and (not match.path or covers(match.path, path))
        and (match.client is None or match.client.matches(client))
    )


def _closer(rule: Rule) -> Callable[[_Values, str], bool] | None:
    """Whether a rule is for a request, as far as header fields and prompt hash tell; None: always."""
    if not rule.match.header and not rule.match.prompt_hash:
        return None
    asked = [(name, matcher(globs)) for name, globs in rule.match.header]
    of_hash = matcher(rule.match.prompt_hash) if rule.match.prompt_hash else None

    def is_for(values: _Values, prompt_hash: str) -> bool:
        if of_hash is not None and not of_hash(prompt_hash):
            return False
        for name, covers_value in asked:
            value = values.get(name)
            if value is None or not covers_value(value):
                return False
        return True

    return is_for
