"""What a report is made of: figures with the numbers behind them, sections, and what is missing.

Plain values: `page.py` turns them into HTML and `export.py` into files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Sequence[Any]


@dataclass(frozen=True)
class ShownTable:
    """Numbers as columns and rows of plain values; `titles`: shorter column names for people."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    titles: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], titles: Mapping[str, str] | None = None) -> ShownTable:
        """Rows with the same keys; the keys are the columns."""
        columns = tuple(rows[0]) if rows else ()
        return cls(columns, tuple(tuple(row[name] for name in columns) for row in rows), titles or {})

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        at = self.columns.index(name)
        return [row[at] for row in self.rows]


@dataclass(frozen=True)
class Panel:
    """One chart: a Vega-Lite specification, and a heading where a figure has several."""

    spec: Mapping[str, Any]
    heading: str = ""


@dataclass(frozen=True)
class Key:
    """What a mark means: a text, a CSS colour, and one of theme.SHAPES."""

    text: str
    colour: str
    shape: str = "circle"


@dataclass(frozen=True)
class Figure:
    """One figure. key: its anchor and file name; summary: what it shows in words, which is also its text alternative;
    table: the numbers behind it; keys: what colours and shapes mean."""

    key: str
    title: str
    summary: str
    panels: tuple[Panel, ...]
    table: ShownTable
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Picture:
    """An image: JPEG bytes, pixels, the text that stands for it, and a caption."""

    jpeg: bytes
    width: int
    height: int
    alt: str
    caption: str


@dataclass(frozen=True)
class Section:
    """A part of the report. short: its title in the list of sections; text: paragraphs; warning: what a reader must
    not overlook; tables: (caption, numbers)."""

    key: str
    short: str
    title: str
    text: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[tuple[str, ShownTable], ...] = ()
    pictures: tuple[Picture, ...] = ()
    warning: str = ""


@dataclass(frozen=True)
class Report:
    """The whole. facts: names and values at the head; summary: (what it is about, sentences); missing: what the store
    lacks, and what to do about it; note: what its accuracies are of."""

    title: str
    facts: tuple[tuple[str, str], ...]
    summary: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    missing: tuple[str, ...]
    note: str = "Accuracies are percent of test pictures."

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures in the order of the page."""
        return tuple(figure for section in self.sections for figure in section.figures)

    def figure(self, key: str) -> Figure:
        """One figure by its key; KeyError when the report has none."""
        return {figure.key: figure for figure in self.figures}[key]
