"""The table the benchmark prints: figures beside what they must and should be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measure. `must` None: no goal, for comparison only. A goal is met at or below it, or at or above it when
    `is_minimum`."""

    name: str
    value: float
    unit: str = ""
    must: float | None = None
    aim: float | None = None
    is_minimum: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.must is None:
            return ""
        if not self._meets(self.must):
            return "NOT MET"
        return "met" if self.aim is None or not self._meets(self.aim) else "met, and the aim"

    def _meets(self, goal: float) -> bool:
        return self.value >= goal if self.is_minimum else self.value <= goal


def table(rows: list[Row]) -> str:
    """As Markdown, which reads well enough in a terminal."""
    lines = [("measure", "figure", "must", "aim", "verdict", "note")]
    lines += [
        (
            row.name,
            number(row.value, row.unit),
            goal(row.must, row),
            goal(row.aim, row),
            row.verdict,
            row.note,
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    printed = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    printed.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(printed)


def number(value: float, unit: str) -> str:
    digits = 0 if value == int(value) and abs(value) < 1e6 else 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}{' ' if unit and unit not in 'x%' else ''}{unit}"


def goal(value: float | None, row: Row) -> str:
    return "" if value is None else ("≥ " if row.is_minimum else "≤ ") + number(value, row.unit)


def missed(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.verdict == "NOT MET"]
