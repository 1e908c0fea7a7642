"""Rows as a table for people, JSON or CSV for programs.

Comes in: column names and rows of plain values. Goes out: text. Ignores where it is printed; the width is an argument.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

FORMATS = ("table", "json", "csv")
WIDTH = 80
NARROWEST = 6


def render(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], file_format: str = "table", width: int = WIDTH
) -> str:
    """Text in one of FORMATS, without a newline at the end."""
    if file_format == "json":
        return as_json([dict(zip(columns, map(plain, row), strict=True)) for row in rows])
    if file_format == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([["" if value is None else plain(value) for value in row] for row in rows])
        return text.getvalue().rstrip("\n")
    return table(columns, rows, width)


def as_json(value: Any) -> str:
    """Indented JSON; text in any script stays readable."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """A value JSON knows: NaN and infinities become None, dates ISO text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    return str(value)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int = WIDTH) -> str:
    """Columns two spaces apart, numbers to the right; the widest columns give way until a line fits `width`."""
    values = [[row[at] for row in rows] for at in range(len(columns))]
    right = [any(map(_is_number, column)) and all(v is None or _is_number(v) for v in column) for column in values]
    cells = [[cell(value, decimals(column)) for value in column] for column in values]
    widths = [max(len(text) for text in (name, *column)) for name, column in zip(columns, cells, strict=True)]
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1

    def line(parts: Sequence[str]) -> str:
        clipped = [
            part if len(part) <= size else part[: size - 1] + "…" for part, size in zip(parts, widths, strict=True)
        ]
        fitted = [
            part.rjust(size) if to_right else part.ljust(size)
            for part, size, to_right in zip(clipped, widths, right, strict=True)
        ]
        return "  ".join(fitted).rstrip()

    return "\n".join([line(columns), line(["-" * size for size in widths]), *map(line, zip(*cells, strict=True))])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def decimals(values: Sequence[Any]) -> int:
    """Digits after the point for a column: two for percent, three for what stays near or below one."""
    largest = max((abs(value) for value in values if isinstance(value, float) and math.isfinite(value)), default=0.0)
    return 3 if largest < 2 else 2


def cell(value: Any, digits: int = 2) -> str:
    """A value as one line of text."""
    if value is None:
        return ""
    if isinstance(value, float | Decimal):
        return f"{value:.{digits}f}"
    if isinstance(value, list | tuple):
        shown = ", ".join(cell(part, 3) for part in value[:4])
        return f"[{shown}{', …' if len(value) > 4 else ''}]"
    # control characters in a name must not move the cursor
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value))
