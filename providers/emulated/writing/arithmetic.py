"""Sums in words and signs: `2+2`, `12 times 7`, `the square root of 16`."""

from __future__ import annotations

import re
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow

_NUMBER = r"-?\d{1,15}(?:,\d{3})*(?:\.\d{1,15})?"
_SIGN = r"\s*(?:[-+*/x×÷^−]|\*\*|plus|minus|times|multiplied by|divided by|over|mod)\s*"
_SUM = re.compile(rf"\(*\s*{_NUMBER}\s*\)*(?:{_SIGN}\(*\s*{_NUMBER}\s*\)*){{1,20}}", re.IGNORECASE)
_NAMED = re.compile(rf"\b(sum|product|difference) (?:of|between) ({_NUMBER}) and ({_NUMBER})", re.IGNORECASE)
_VERB = re.compile(rf"\b(add|multiply|subtract|divide) ({_NUMBER}) (?:and|to|by|from|with) ({_NUMBER})", re.IGNORECASE)
_ROOT = re.compile(rf"\bsquare root of ({_NUMBER})", re.IGNORECASE)
_SQUARE = re.compile(rf"\b({_NUMBER}) squared", re.IGNORECASE)
_PERCENT = re.compile(rf"\b({_NUMBER}) ?(?:%|percent) of ({_NUMBER})", re.IGNORECASE)
_FRACTION = re.compile(
    rf"\b(?:(\d{{1,6}})/(\d{{1,6}})|(?:an? |one |(two |three ))?(half|thirds?|quarters?|fourths?|fifths?|tenths?)) of"
    rf" ({_NUMBER})(?![\w/]|\.\d)",
    re.IGNORECASE,
)
_PARTS = {"hal": 2, "thi": 3, "qua": 4, "fou": 4, "fif": 5, "ten": 10}
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}/\d{1,2}/\d{2,4}|\+?\d{1,4}-\d{3}-\d{3,4}")
# "1-5", "2010-2011" and "16/9" are sums only where one is asked for.
_RANGE = re.compile(r"\d+ ?[-/] ?\d+")
_SUM_AHEAD = re.compile(
    r"(?:\b(?:what(?:'s| is)|is|calculate|compute|solve|evaluate|work out|does|makes?|sum|result of"
    r"|value of)|[=:(]|^)\s*$",
    re.I,
)
_WORDS = {
    "plus": "+", "minus": "-", "−": "-", "times": "*", "multiplied by": "*", "x": "*", "×": "*", "divided by": "/",
    "over": "/", "÷": "/", "**": "^", "mod": "%",
}  # fmt: skip
_TOKEN = re.compile(
    r"\d+(?:,\d{3})*(?:\.\d+)?|\*\*|[-+*/x×÷^()−]|plus|minus|times|multiplied by|divided by|over|mod", re.IGNORECASE
)
_CONTEXT = Context(prec=28, traps=[InvalidOperation, DivisionByZero, Overflow])
_MAX_POWER = 64


def find_sum(text: str) -> tuple[str, str] | None:
    """A sum that a text asks for and what it comes to, or None: ("12 times 7", "84")."""
    try:
        return _find_named(text) or _find_written(text)
    except (ArithmeticError, SyntaxError):
        return None


def expression(text: str) -> str | None:
    """The sum a text holds in signs a calculator takes, or None."""
    found = find_sum(text)
    if found is None:
        return None
    signs = _signs(found[0])
    return " ".join(["**" if sign == "^" else sign for sign in signs]) if len(signs) > 2 else None


def _find_named(text: str) -> tuple[str, str] | None:
    if found := _NAMED.search(text):
        left, right = _number(found[2]), _number(found[3])
        word = found[1].lower()
        value = left + right if word == "sum" else left * right if word == "product" else left - right
        sign = "+" if word == "sum" else "*" if word == "product" else "-"
        return f"{found[2]} {sign} {found[3]}", _written(value)
    if found := _VERB.search(text):
        left, right = _number(found[2]), _number(found[3])
        word = found[1].lower()
        if word == "subtract":
            return f"{found[3]} - {found[2]}", _written(right - left)
        sign = {"add": "+", "multiply": "*", "divide": "/"}[word]
        return f"{found[2]} {sign} {found[3]}", _written(_apply(sign, left, right))
    if found := _ROOT.search(text):
        return found[0], _written(_CONTEXT.sqrt(_number(found[1])))
    if found := _SQUARE.search(text):
        return found[0], _written(_CONTEXT.power(_number(found[1]), 2))
    if found := _FRACTION.search(text):
        above = int(found[1] or {"two": 2, "three": 3}.get((found[3] or "").strip().lower(), 1))
        below = int(found[2]) if found[2] else _PARTS[found[4][:3].lower()]
        whole = _number(found[5])
        return f"{above}/{below} * {found[5]}", _written(
            _CONTEXT.divide(_CONTEXT.multiply(Decimal(above), whole), Decimal(below))
        )
    if found := _PERCENT.search(text):
        return found[0], _written(
            _CONTEXT.divide(_CONTEXT.multiply(_number(found[1]), _number(found[2])), Decimal(100))
        )
    return None


def _find_written(text: str) -> tuple[str, str] | None:
    found = _SUM.search(text)
    if found is None or _DATE.search(found[0]):
        return None
    written = found[0].strip()
    if _RANGE.fullmatch(written) and not _SUM_AHEAD.search(text[max(0, found.start() - 24) : found.start()]):
        return None
    tokens = _signs(written)
    while tokens and tokens.count(")") > tokens.count("(") and tokens[-1] == ")":
        tokens.pop()
        written = written[: written.rfind(")")].rstrip()
    value, rest = _terms(tokens)
    return None if rest else (written, _written(value))


def _signs(written: str) -> list[str]:
    return [_WORDS.get(token.lower(), token).replace(",", "") for token in _TOKEN.findall(written)]


def _terms(tokens: list[str], strength: int = 0) -> tuple[Decimal, list[str]]:
    """The value of the longest beginning that binds at least as strongly, and what follows it."""
    if not tokens:
        raise SyntaxError("a number is missing")
    if tokens[0] == "-":
        value, tokens = _terms(tokens[1:], 3)
        value = -value
    elif tokens[0] == "(":
        value, tokens = _terms(tokens[1:])
        if not tokens or tokens[0] != ")":
            raise SyntaxError("a parenthesis is missing")
        tokens = tokens[1:]
    else:
        value, tokens = _number(tokens[0]), tokens[1:]
    strengths = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 4}
    while tokens and strengths.get(tokens[0], -1) > strength:
        sign = tokens[0]
        right, tokens = _terms(tokens[1:], strengths[sign] - (sign == "^"))
        value = _apply(sign, value, right)
    return value, tokens


def _apply(sign: str, left: Decimal, right: Decimal) -> Decimal:
    if sign == "+":
        return _CONTEXT.add(left, right)
    if sign == "-":
        return _CONTEXT.subtract(left, right)
    if sign == "*":
        return _CONTEXT.multiply(left, right)
    if sign == "/":
        return _CONTEXT.divide(left, right)
    if sign == "%":
        return _CONTEXT.remainder(left, right)
    if abs(right) > _MAX_POWER:
        raise ArithmeticError("too large")
    return _CONTEXT.power(left, right)


def _number(text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation as error:
        raise SyntaxError(text) from error


def _written(value: Decimal) -> str:
    if value == value.to_integral_value() and abs(value) < Decimal(10) ** 28:
        return str(int(value))
    return f"{_CONTEXT.quantize(value, Decimal('1e-10')) if abs(value) < 10**15 else value:f}".rstrip("0").rstrip(".")
