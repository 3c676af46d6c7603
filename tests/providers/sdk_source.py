"""Reads the calls an official Python SDK makes out of its source, so that a new one cannot go unnoticed."""

from __future__ import annotations

import ast
import re
from importlib.util import find_spec
from pathlib import Path

_METHODS = {
    "_get": "GET",
    "_post": "POST",
    "_put": "PUT",
    "_patch": "PATCH",
    "_delete": "DELETE",
    "_get_api_list": "GET",
}


def sdk_calls(package: str) -> set[tuple[str, str]]:
    """(method, path) of every call in the package's `resources`, path parameters as `x1`, query left out."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    found = set()
    for file in (Path(spec.origin).parent / "resources").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in _METHODS
                and node.args
            ):
                path = _path(node.args[0])
                if path is not None:
                    found.add((_method(node), re.sub(r"\{\w+\}", "x1", path).partition("?")[0]))
    return found


def _path(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Call) and node.args:
        return _path(node.args[0])
    return None


def _method(node: ast.Call) -> str:
    assert isinstance(node.func, ast.Attribute)
    for keyword in node.keywords:
        if keyword.arg == "method" and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value).upper()
    return _METHODS[node.func.attr]
