"""Finds every fault there is: the modules of this package that declare one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from proxies.dataplane import faults
from proxies.dataplane.faults.base import Fault, Stage
from proxies.dataplane.faults.conditions import ELSEWHERE
from proxies.dataplane.faults.settings import describe

PASS = "pass"
"""What scripts and the header say for no fault."""
RESERVED = frozenset({"fault", *ELSEWHERE, "match", "when", "id"})
"""Words of the grammar: no setting may have one of them for its name."""

_METHODS = {Stage.DELAY: "wait_s", Stage.REPLACE: "replace", Stage.DAMAGE: "damage"}


@cache
def all_faults() -> Mapping[str, type[Fault]]:
    """Every fault by its kind: delays, replacements, damages, each in the order of the alphabet. Raises whatever a
    broken module raises, RuntimeError for two of one kind, TypeError for a fault that is not one."""
    names = sorted(module.name for module in pkgutil.iter_modules(faults.__path__))
    return MappingProxyType(collect(importlib.import_module(f"{faults.__name__}.{name}") for name in names))


def collect(modules: Iterable[object]) -> dict[str, type[Fault]]:
    """The faults these modules declare. A class without a kind of its own is a base of others, and none."""
    found: dict[str, type[Fault]] = {}
    for module in modules:
        for value in vars(module).values():
            if not isinstance(value, type) or not issubclass(value, Fault) or "kind" not in vars(value):
                continue
            if value.__module__ != getattr(module, "__name__", ""):
                continue  # imported there, not declared
            if value.kind in found:
                raise RuntimeError(f"two faults of kind {value.kind!r}: {found[value.kind]} and {value}")
            _check(value)
            found[value.kind] = value
    stages = list(Stage)
    return dict(sorted(found.items(), key=lambda item: (stages.index(item[1].stage), item[0])))


def _check(cls: type[Fault]) -> None:
    if "__dataclass_params__" not in vars(cls):
        raise TypeError(f"{cls} must be a dataclass")
    if not cls.kind.replace("_", "").isalpha() or not cls.kind.islower() or cls.kind == PASS:
        raise TypeError(f"{cls}: {cls.kind!r} is no word for a fault")
    method = _METHODS[cls.stage]
    if getattr(cls, method) is getattr(Fault, method):
        raise TypeError(f"{cls} must have a method {method!r}, as its stage is {cls.stage}")
    if not cls.title or not cls.summary:
        raise TypeError(f"{cls} must have a title and a summary")
    settings = describe(cls)
    if taken := RESERVED & {setting.name for setting in settings}:
        raise TypeError(f"{cls}: {min(taken)} is a word of the grammar")
    cls()  # every setting can be left out; whether that makes sense is `check`'s to say
