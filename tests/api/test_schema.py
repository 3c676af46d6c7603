"""The server keeps what its schema promises, whoever asks and whatever is sent: no crash, no other shape, no leak."""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection, positive_data_acceptance

from tests.api.serving import MARKER, WHO, ApiServer

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text())
EXAMPLES = int(os.environ.get("API_EXAMPLES", "4"))
"""Of what fits the schema, and as many of what does not, for each operation. What must pass before a change goes in
(.ci/run) asks for more."""
# Source: twisted/web/http.py, HTTPChannel.totalHeadersSize: more than 16 KiB before the body end the connection.
LONGEST_URL = 15_000
NOBODYS = 10**6
_NUMBERS = itertools.count()


class Asking:
    """Sends what is generated as one of WHO, to things that are there."""

    def __init__(self, server: ApiServer, who: str) -> None:
        self._server = server
        self._who = who
        self._session = requests.Session()
        self.statuses: Counter[int] = Counter()
        fields = {"provider": "openai", "description": MARKER, "tags": [MARKER], "upstream": "emulated"}
        # What the owner asks for is changed by it; what the others ask for must stay hidden.
        names = {"owner": "asked", "reader": "read"}
        self._proxy_id = self._made(f"{names.get(who, MARKER)}", fields)
        self._fields = fields
        user = {"email": f"{next(_NUMBERS)}@example.com", "password": "correct horse battery staple"}
        reply = server.ask("staff", "POST", "/users", user)
        assert reply.status_code == 201, reply.text
        self._user_id = reply.json()["id"]

    def send(self, case: schemathesis.Case) -> None:
        """Raises when the reply breaks a promise."""
        # Of what is wrong, only bodies and queries are sent as they were made: who asks, and for what, is chosen here.
        wrong = {place for place, part in case.meta.components.items() if part.mode is GenerationMode.NEGATIVE}
        is_sent = ParameterLocation.BODY in wrong or wrong == {ParameterLocation.QUERY}
        parameters: dict[str, Any] = case.path_parameters or {}
        known = {"proxy_id": self._proxy_id, "user_id": self._user_id, "token_id": NOBODYS}
        for name in known.keys() & parameters.keys():
            parameters[name] = known[name]
        if self._who == "owner" and case.method == "DELETE" and case.path.endswith("{proxy_id}"):
            parameters["proxy_id"] = self._made("to be deleted", self._fields)
        try:
            response = case.call_and_validate(
                base_url=self._server.base_url,
                headers=self._server.headers(self._who),
                session=self._session,
                # The schema cannot tell that a name is taken.
                excluded_checks=[
                    positive_data_acceptance,
                    ignored_auth,
                    *([] if is_sent else [negative_data_rejection]),
                ],
            )
        except requests.ConnectionError as error:
            if error.request is None or len(error.request.url or "") < LONGEST_URL:
                raise
            return
        self._session.cookies.clear()
        self.statuses[response.status_code] += 1
        if self._who in ("other", "staff", "anonymous"):
            assert MARKER not in response.text
        for token in self._server.tokens.values():
            assert token not in response.text

    def close(self) -> None:
        self._session.close()

    def _made(self, name: str, fields: dict[str, Any]) -> int:
        reply = self._server.ask("owner", "PUT", f"/proxies/by-name/{name}", fields)
        assert reply.status_code in (200, 201), reply.text
        found: int = reply.json()["id"]
        return found


def operations() -> Iterator[Any]:
    for result in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations():
        yield result.ok()


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"])
def test_the_server_keeps_the_promises_of_its_schema(server: ApiServer, who: str, mode: GenerationMode) -> None:
    asking = Asking(server, who)
    failures: list[str] = []
    asked = 0
    for operation in operations():
        send = given(operation.as_strategy(generation_mode=mode))(lambda case: asking.send(case))
        send = settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        )(send)
        try:
            send()
            asked += 1
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE  # an operation that takes nothing cannot be sent something wrong
        except BaseExceptionGroup as group:
            failures += [f"{operation.method.upper()} {operation.path}: {error}" for error in group.exceptions]
        except AssertionError as error:
            failures.append(f"{operation.method.upper()} {operation.path}: {error}")
    asking.close()
    assert failures == [], "\n\n".join(failures) + "\n\n" + server.log[-2000:]
    assert asked >= len(DOCUMENT["paths"]) / 2
    expected = {"owner": {200, 201, 204}, "reader": {200, 403}, "anonymous": {401}}.get(who, {200, 404})
    assert mode is GenerationMode.NEGATIVE or expected <= asking.statuses.keys()


def test_every_change_of_a_proxy_says_how_far_it_has_come() -> None:
    """What makes, changes, starts and stops says `generation`, `applied` and `reason`, in the same words everywhere."""
    schemas = DOCUMENT["components"]["schemas"]
    without = []
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            if not path.startswith("/api/v1/proxies") or method == "get" or path.endswith("/upstream-check"):
                continue
            for status, reply in operation["responses"].items():
                if status.startswith("2") and status != "204":
                    said = schemas[reply["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]
                    said = said["properties"]
                    if "items" in said:
                        said = schemas[said["items"]["items"]["$ref"].rpartition("/")[2]]["properties"]
                    is_told = said.get("applied") == {"$ref": "#/components/schemas/Applied"}
                    if not (is_told and {"generation", "reason"} <= said.keys()):
                        without.append(f"{method} {path}")
    assert without == []
    assert schemas["Applied"]["enum"] == ["live", "applying", "stopped", "draining", "failed"]
    assert set(schemas["SettingsApplied"]["properties"]["applied"]["enum"]) <= set(schemas["Applied"]["enum"])
