"""Makes proxies from a whole description: by name, as often as one likes, and as copies of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from accounts.models import User
from proxies.errors import Invalid, NotFound
from proxies.models import Proxy
from proxies.schemas import COLUMNS, Name, fields_of, flatten, validate_one
from proxies.selectors import proxies_of
from proxies.services import proxy_create, proxy_update

MAX_NAME = 100
_KEPT: Final = frozenset({"name", "port", "credential"})
_TRIES = 10


def proxy_put(
    *, owner: User, name: str, fields: Mapping[str, Any], may_reference_credentials: bool = False
) -> tuple[Proxy, bool]:
    """The owner's proxy of that name as `fields` describe it, made if there is none; whether it was made.

    A field left out has its default, but for the port, which is then assigned once, and the credential, which stays as
    it is. The same twice changes nothing; two at the same time end as one after the other. Raises Invalid and
    NotAllowed.
    """
    name = validate_one(Name, name, "name")
    given = {**flatten(fields), "name": name}
    if given.get("port") is None:  # else each time would assign another
        given.pop("port", None)
    changes = {**{field: None for field in COLUMNS if field not in _KEPT}, **given}
    tried = 0
    while True:
        tried += 1
        current = proxies_of(owner).filter(name__iexact=name).first()
        try:
            if current is None:
                made = proxy_create(owner=owner, fields=given, may_reference_credentials=may_reference_credentials)
                return made, True
            changed = proxy_update(proxy=current, changes=changes, may_reference_credentials=may_reference_credentials)
            return changed, False
        except NotFound:  # deleted in between
            if tried == _TRIES:
                raise
        except Invalid:
            # Somebody else has made it in between: then it is there to be changed. The error may be about their port.
            if tried == _TRIES or current is not None or not proxies_of(owner).filter(name__iexact=name).exists():
                raise


def proxy_clone(
    *, proxy: Proxy, owner: User, changes: Mapping[str, Any], may_reference_credentials: bool = False
) -> Proxy:
    """A stopped copy with another name and port, `changes` on top (None: back to the default). Recordings stay behind.

    Raises Invalid and NotAllowed.
    """
    copied = {name: value for name, value in fields_of(proxy).items() if name not in ("name", "port")}
    fields = {**copied, "name": _name_of_copy(proxy, owner), **flatten(changes)}
    return proxy_create(owner=owner, fields=fields, may_reference_credentials=may_reference_credentials)


def _name_of_copy(proxy: Proxy, owner: User) -> str:
    taken = {name.casefold() for name in proxies_of(owner).values_list("name", flat=True)}
    number = 1
    while True:
        ending = " copy" if number == 1 else f" copy {number}"
        name = f"{proxy.name[: MAX_NAME - len(ending)].rstrip()}{ending}"
        if name.casefold() not in taken:
            return name
        number += 1
