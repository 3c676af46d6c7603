"""Writes docs/openapi.json, or another file: the schema of the REST API, as the code declares it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "openapi.json"


def document() -> str:
    """The schema as text. Django must be set up."""
    from ninja.responses import NinjaJSONEncoder

    from rubberduck.api import api

    return json.dumps(api.get_openapi_schema(), cls=NinjaJSONEncoder, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith("RUBBERDUCK_")]:
        del os.environ[name]  # the schema names the session cookie, which names the port
    os.environ |= {"RUBBERDUCK_ENV_FILE": "", "DJANGO_SETTINGS_MODULE": "rubberduck.settings"}
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENT
    target.write_text(document())
