"""A process with Django set up that runs the code it is sent: one JSON object per line in, one out."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

import django


def main() -> None:
    django.setup()
    for line in sys.stdin:
        request = json.loads(line)
        scope: dict[str, Any] = dict(request["values"])
        try:
            exec(request["code"], scope)
            answer = {"result": scope["result"]}
        except Exception:  # noqa: BLE001  shown by the test that sent it
            answer = {"error": traceback.format_exc()}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
