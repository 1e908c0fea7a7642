"""Rows as a table for people, JSON or CSV for programs.

Made from column names and rows of plain values. Nothing is printed here; the width is an argument.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

FORMATS = ("table", "json", "csv")
WIDTH = 80
NARROWEST = 6
EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")

REPLACED = "\N{REPLACEMENT CHARACTER}"
#: Characters that are replaced: controls but tab and newline, which command a terminal; bidirectional marks, which
#: reorder text; halves of surrogate pairs, which cannot be encoded.
COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

#: Colours a line of text, or leaves it as it is.
Paint = Callable[[str], str]


def render(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    file_format: str = "table",
    width: int = WIDTH,
    *,
    heading: Paint = str,
    body: Paint = str,
) -> str:
    """Text in one of FORMATS, without a newline at the end. `heading`, `body`: colour the lines of a table."""
    if file_format != "table":
        parts: list[str] = []
        write_rows(columns, [rows], file_format, parts.append)
        return "".join(parts).rstrip("\n")
    above, below = table_lines(columns, rows, width)
    return "\n".join([*map(heading, above), *map(body, below)])


def write_rows(
    columns: Sequence[str],
    chunks: Iterable[Sequence[Sequence[Any]]],
    file_format: str,
    write: Callable[[str], object],
    *,
    limit: int | None = None,
    size: int | None = None,
) -> str:
    """Write rows as JSON or CSV while they come, at most `limit` of them and `size` bytes.

    Returns the limit at which it stopped, such as "10 rows", and an empty text when all rows were written. Lines are
    complete and JSON is closed also when it stops early, or when reading a chunk raises.
    """
    written, count = 0, 0
    if file_format == "csv":
        write(_csv_line(columns))
    else:
        write("[")
    try:
        for chunk in chunks:
            texts: list[str] = []
            for row in chunk:
                if count == limit:
                    write("".join(texts))
                    return f"{count:,} rows"
                if file_format == "csv":
                    text = _csv_line(["" if value is None else plain(value) for value in row])
                else:
                    item = as_json([dict(zip(columns, map(plain, row), strict=True))])[1:-2]
                    text = f",{item}" if count else item
                written += len(text.encode())
                if size is not None and written > size:
                    write("".join(texts))
                    return f"{size >> 20} MB"
                texts.append(text)
                count += 1
            write("".join(texts))
    finally:
        if file_format == "json":
            write("\n]\n" if count else "]\n")
    return ""


def _csv_line(values: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([
        COMMANDS.sub(REPLACED, value) if isinstance(value, str) else value for value in values
    ])  # fmt: skip
    return text.getvalue()


def as_json(value: Any) -> str:
    """Indented JSON; text in any script stays readable, and COMMANDS are escaped."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    return COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: str, most: int = 2000) -> str:
    """Text as one line of printable characters, cut after `most` of them."""
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    return text if text.isprintable() else "".join(char if char.isprintable() else REPLACED for char in text)


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
    """The table of `table_lines` as one text."""
    return "\n".join(line for part in table_lines(columns, rows, width) for line in part)


def table_lines(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int = WIDTH
) -> tuple[list[str], list[str]]:
    """Heading and body of a table: columns two spaces apart, numbers to the right.

    Where a line would be wider than `width`, headings are broken at underscores, then cut to the width of their cells,
    and then the widest columns are cut.
    """
    values = [[row[at] for row in rows] for at in range(len(columns))]
    right = [any(map(_is_number, column)) and all(v is None or _is_number(v) for v in column) for column in values]
    cells = [[cell(value, decimals(column)) for value in column] for column in values]
    heads = [[name] for name in columns]
    under = [max((len(text) for text in column), default=0) for column in cells]
    widths = _widths(heads, under)
    if _total(widths) > width:
        heads = [_broken(name, size) for name, size in zip(columns, under, strict=True)]
        widths = _widths(heads, under)
    for narrowest in (NARROWEST, NARROWEST // 2):
        while _total(widths) > width and max(widths) > narrowest:
            spare = [size if size > max(data, narrowest) else 0 for size, data in zip(widths, under, strict=True)]
            chosen = spare if any(spare) else widths
            widths[chosen.index(max(chosen))] -= 1

    def line(parts: Sequence[str]) -> str:
        clipped = [
            part if len(part) <= size else part[: size - 1] + "…" for part, size in zip(parts, widths, strict=True)
        ]
        fitted = [
            part.rjust(size) if to_right else part.ljust(size)
            for part, size, to_right in zip(clipped, widths, right, strict=True)
        ]
        return "  ".join(fitted).rstrip()

    tall = max(map(len, heads), default=1)
    stacked = [[""] * (tall - len(head)) + head for head in heads]
    above = [line([head[at] for head in stacked]) for at in range(tall)]
    ruler = line([("-" if name else " ") * size for name, size in zip(columns, widths, strict=True)])
    return [*above, ruler], [line(row) for row in zip(*cells, strict=True)]


def _widths(heads: Sequence[Sequence[str]], under: Sequence[int]) -> list[int]:
    return [max(size, *map(len, head)) for head, size in zip(heads, under, strict=True)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def _broken(name: str, size: int) -> list[str]:
    """A heading on several lines, broken at underscores, where that makes it narrower than its column's cells."""
    words = [f"{word}_" for word in name.split("_")[:-1]] + [name.split("_")[-1]]
    room, lines = max(size, *map(len, words)), [""]
    for word in words:
        if lines[-1] and len(lines[-1] + word) > room:
            lines.append("")
        lines[-1] += word
    return lines


def bar(value: float | None, top: float, width: int = 10) -> str:
    """`value` as a bar of blocks, `width` characters long at `top`, to an eighth of a character; negative to the left
    of a line in the middle, when `top` is negative. Empty for what is not known."""
    if value is None or not math.isfinite(value) or not top:
        return ""
    if top < 0:  # both signs: half of the room for each
        half = width // 2
        length = min(round(abs(value) / -top * half), half)
        left, right = (length, 0) if value < 0 else (0, length)
        return f"{'█' * left:>{half}}│{'█' * right}"
    eighths = max(0, min(round(value / top * width * 8), width * 8))
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8]


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
    return one_line(str(value))
