"""A report as one self-contained HTML page.

The charts' library, their specifications and every number are inlined; nothing is fetched, and the page's content
security policy forbids it. Everything that came from a store is escaped, in text and in JSON. The page can be read
without JavaScript: every figure has its summary and a table.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any

from t2s_offline import __version__
from t2s_offline.report import theme
from t2s_offline.report.model import Figure, Picture, Report, Section, ShownTable
from t2s_offline.report.style import style
from t2s_offline.text_tables import cell, decimals, plain

#: Draws every chart; says so on the root element when all are drawn, for those who wait (tests, printing).
DRAW = """
const specs = JSON.parse(document.getElementById("t2s-charts").textContent);
const options = {renderer: "svg", actions: false, ast: true, defaultStyle: false,
  config: specs.config, tooltip: {disableDefaultStyle: true, theme: "custom"}};
(async () => {
  for (const node of document.querySelectorAll("[data-chart]")) {
    await vegaEmbed(node, specs.charts[node.dataset.chart], options);
  }
  document.documentElement.dataset.drawn = "all";
})();
"""


#: Rows of a table that is shown without being asked for.
LONG = 12


@cache
def library() -> str:
    """The charts' JavaScript with DRAW at its end, as one script (Vega, Vega-Lite, Vega-Embed; BSD-3-Clause)."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle(DRAW)
    return bundle.replace("</script", "<\\/script")


def page(report: Report) -> str:
    """The report as HTML."""
    specs: dict[str, Any] = {}
    body = "".join(_section(section, specs) for section in report.sections)
    script = f"\n{library()}\n" if specs else "\n"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    links = "".join(f'<li><a href="#{s.key}">{escape(s.short)}</a></li>' for s in report.sections)
    missing = "".join(f"<li>{escape(line)}</li>" for line in report.missing)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'">
<meta name="generator" content="t2s-offline {__version__}">
<link rel="icon" href="data:,">
<title>{escape(report.title)}</title>
<style>{style()}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<header>
<h1>{escape(report.title)}</h1>
<dl class="facts">{"".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in report.facts)}</dl>
</header>
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main id="main" tabindex="-1">
<section id="summary" aria-labelledby="summary-title">
<h2 id="summary-title">Summary</h2>
<dl class="summary">{"".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in report.summary)}</dl>
<noscript><p class="warning">Charts need JavaScript; every number of theirs is in the table under it.</p></noscript>
</section>
{body}
<section id="missing" aria-labelledby="missing-title">
<h2 id="missing-title">What is missing</h2>
{f"<ul>{missing}</ul>" if missing else "<p>Nothing: all that this report looks for is there.</p>"}
</section>
</main>
<footer><p>Made by t2s-offline {__version__}. {escape(report.note)} Charts by Vega-Lite \
(BSD-3-Clause).</p></footer>
<script type="application/json" id="t2s-charts">{_json({"config": theme.config(), "charts": specs})}</script>
<script type="module">{script}</script>
</body>
</html>
"""


def _json(value: Any) -> str:
    """JSON that no text within can end: `<` is written as an escape."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _section(section: Section, specs: dict[str, Any]) -> str:
    title = f"{section.key}-title"
    parts = [
        f'<section id="{section.key}" aria-labelledby="{title}">',
        f'<h2 id="{title}">{escape(section.title)}</h2>',
    ]
    parts += [f'<p class="lead">{escape(line)}</p>' for line in section.text]
    if section.warning:
        parts.append(f'<p class="warning" role="note">{escape(section.warning[:1].upper() + section.warning[1:])}.</p>')
    parts += [_figure(figure, specs) for figure in section.figures]
    parts += [
        _table(caption, table) if len(table.rows) <= LONG else _folded(caption, table)
        for caption, table in section.tables
    ]
    parts += [_picture(picture) for picture in section.pictures]
    return "\n".join([*parts, "</section>\n"])


def _figure(figure: Figure, specs: dict[str, Any]) -> str:
    several = len(figure.panels) > 1
    drawn = []
    for at, panel in enumerate(figure.panels):
        name = f"{figure.key}-{at}" if several else figure.key
        specs[name] = panel.spec
        heading = f"<h4>{escape(panel.heading)}</h4>" if panel.heading else ""
        drawn.append(f'<div class="panel">{heading}<div class="chart" data-chart="{name}"></div></div>')
    keys = "".join(
        f'<li><svg viewBox="0 0 12 12" aria-hidden="true"><path d="{theme.SHAPES[key.shape]}" '
        f'fill="{key.colour}"/></svg>'
        f"{escape(key.text)}</li>"
        for key in figure.keys
    )
    return f"""<figure id="figure-{figure.key}" aria-labelledby="figure-{figure.key}-title">
<h3 id="figure-{figure.key}-title">{escape(figure.title)}</h3>
<figcaption>{escape(figure.summary)}</figcaption>
{f'<ul class="keys">{keys}</ul>' if keys else ""}
<div class="{"panels" if several else "one"}">{"".join(drawn)}</div>
{_folded(f"Numbers: {figure.title}", figure.table)}
</figure>"""


def _folded(caption: str, table: ShownTable) -> str:
    """A table that is unfolded on demand."""
    return f"<details><summary>{escape(caption)}</summary>{_table(caption, table, hidden=True)}</details>"


def _table(caption: str, table: ShownTable, *, hidden: bool = False) -> str:
    """A table that scrolls sideways by itself where the page is narrow."""
    if not table.rows:
        return f"<p>{escape(caption)}: no rows.</p>"
    values = [[plain(row[at]) for row in table.rows] for at in range(len(table.columns))]
    number = [any(isinstance(v, int | float) for v in column) for column in values]
    places = [decimals(column) for column in values]
    heads = "".join(
        f'<th scope="col"{_numeric(is_number)}>{escape(str(table.titles.get(name, name)).replace("_", " "))}</th>'
        for name, is_number in zip(table.columns, number, strict=True)
    )
    lines = "".join(f"<tr>{_cells(row, number, places)}</tr>" for row in zip(*values, strict=True))
    shown = ' class="sr"' if hidden else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}, table">'
        f"<table><caption{shown}>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _cells(row: Sequence[Any], number: Sequence[bool], places: Sequence[int]) -> str:
    first, *rest = (
        (escape(cell(value, digits)), _numeric(is_number))
        for value, is_number, digits in zip(row, number, places, strict=True)
    )
    return f'<th scope="row"{first[1]}>{first[0]}</th>' + "".join(f"<td{kind}>{text}</td>" for text, kind in rest)


def _numeric(is_number: bool) -> str:
    return ' class="n"' if is_number else ""


def _picture(picture: Picture) -> str:
    data = base64.b64encode(picture.jpeg).decode()
    return (
        f'<figure class="picture"><img src="data:image/jpeg;base64,{data}" alt="{escape(picture.alt)}" '
        f'width="{picture.width}" height="{picture.height}" decoding="async">'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
    )
