"""The page's style sheet: light, dark, narrow and print; nothing is fetched."""

from __future__ import annotations

from t2s_offline.report.theme import FONT, css

RULES = """
*, *::before, *::after { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 1040px; padding: 0 24px 64px; background: var(--surface); color: var(--ink);
  font: 16px/1.55 FONT; overflow-wrap: break-word; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 40px 0 20px; letter-spacing: -0.015em; text-wrap: balance; }
h2 { font-size: 1.35rem; line-height: 1.25; margin: 0 0 8px; letter-spacing: -0.01em; }
h3 { font-size: 1rem; margin: 0 0 2px; }
h4 { font-size: 0.85rem; font-weight: 600; margin: 0 0 2px; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
p { margin: 0 0 12px; max-width: 74ch; }
a { color: var(--accent); text-underline-offset: 2px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
main:focus { outline: none; }
.skip { position: absolute; left: -9999px; }
.skip:focus { left: 12px; top: 12px; background: var(--surface); padding: 8px 14px; z-index: 3; }
.facts { display: flex; flex-wrap: wrap; gap: 0; margin: 0; border: 1px solid var(--line); border-radius: 8px;
  background: var(--raised); overflow: hidden; }
.facts div { padding: 10px 18px 9px; flex: 1 1 auto; box-shadow: -1px -1px 0 var(--line); }
.facts dt { font-size: 0.75rem; color: var(--muted); }
.facts dd { margin: 0; font-weight: 600; font-size: 1.02rem; font-variant-numeric: tabular-nums; }
nav { position: sticky; top: 0; z-index: 2; background: var(--surface); border-bottom: 1px solid var(--line);
  margin: 20px -24px 0; padding: 0 24px; }
nav ul { display: flex; gap: 4px 18px; list-style: none; margin: 0; padding: 10px 0; overflow-x: auto;
  white-space: nowrap; font-size: 0.86rem; scrollbar-width: thin; }
nav a { text-decoration: none; color: var(--muted); }
nav a:hover { color: var(--accent); text-decoration: underline; }
section { padding-top: 56px; scroll-margin-top: 0; }
.lead { color: var(--ink); }
.summary { display: grid; grid-template-columns: 11em 1fr; gap: 0 28px; margin: 14px 0 0;
  border-top: 1px solid var(--line); }
.summary dt, .summary dd { margin: 0; padding: 11px 0; border-bottom: 1px solid var(--line); }
.summary dt { font-weight: 600; }
.summary dd { max-width: 74ch; }
.warning { border-left: 4px solid var(--warn); background: var(--raised); padding: 9px 14px; max-width: 78ch;
  border-radius: 0 6px 6px 0; }
figure { margin: 28px 0 0; }
figcaption { color: var(--muted); font-size: 0.88rem; margin: 0 0 12px; max-width: 84ch; }
.one .chart { width: 100%; min-height: 60px; }
.chart { display: block; width: 100%; }
.chart svg { display: block; max-width: 100%; }
.chart[data-chart="map"] { max-width: 600px; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(220px, 100%), 1fr)); gap: 22px 26px; }
.panel { min-width: 0; }
.keys { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 0 0 14px; padding: 0;
  font-size: 0.86rem; }
.keys svg { width: 12px; height: 12px; margin-right: 7px; vertical-align: -1px; }
details { margin-top: 10px; font-size: 0.88rem; }
summary { cursor: pointer; color: var(--muted); width: fit-content; }
summary:hover { color: var(--accent); }
.scroll { overflow-x: auto; margin: 12px 0 4px; max-width: 100%; }
details .scroll { max-height: 460px; overflow: auto; }
table { border-collapse: collapse; font-size: 0.86rem; font-variant-numeric: tabular-nums; min-width: 50%; }
caption { text-align: left; font-weight: 600; padding-bottom: 6px; }
th, td { padding: 5px 16px 5px 0; text-align: left; border-bottom: 1px solid var(--line); font-weight: 400;
  white-space: nowrap; }
tbody th { white-space: normal; min-width: 10ch; max-width: 34ch; }
thead th { color: var(--muted); font-size: 0.8rem; vertical-align: bottom; background: var(--surface);
  border-bottom-width: 2px; }
details thead th { position: sticky; top: 0; }
.n { text-align: right; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.picture img { display: block; max-width: 100%; height: auto; border-radius: 4px; background: var(--raised); }
.picture figcaption { margin: 8px 0 0; }
footer { margin-top: 64px; border-top: 1px solid var(--line); padding-top: 14px; color: var(--muted);
  font-size: 0.82rem; }
#vg-tooltip-element { visibility: hidden; position: fixed; z-index: 4; pointer-events: none; padding: 7px 10px;
  background: var(--surface); color: var(--ink); border: 1px solid var(--line); border-radius: 6px;
  box-shadow: 0 4px 14px rgb(0 0 0 / 0.18); font: 12.5px/1.4 FONT; max-width: 320px; }
#vg-tooltip-element.visible { visibility: visible; }
#vg-tooltip-element table { min-width: 0; font-size: inherit; }
#vg-tooltip-element td { border: 0; padding: 1px 8px 1px 0; white-space: normal; }
#vg-tooltip-element td.key { width: auto; height: auto; display: table-cell; color: var(--muted); text-align: right;
  border-radius: 0; }
@media (max-width: 560px) {
  body { padding: 0 14px 48px; font-size: 15px; }
  h1 { font-size: 1.5rem; margin-top: 24px; }
  nav { margin: 16px -14px 0; padding: 0 14px; }
  .summary { grid-template-columns: 1fr; }
  .summary dt { border: 0; padding-bottom: 0; }
  .summary dd { padding-top: 2px; }
  .facts div { flex-basis: 42%; padding: 8px 12px; }
  section { padding-top: 40px; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print {
  @page { margin: 14mm; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  nav, .skip, details, noscript { display: none; }
  section { padding-top: 22pt; }
  h2, h3, figcaption { break-after: avoid; }
  .panel, .picture, tr, .warning { break-inside: avoid; }
  figure { break-inside: avoid; }
  figure:has(.panels) { break-inside: auto; }
  .panels { grid-template-columns: repeat(3, 1fr); }
  .chart svg { width: 100%; height: auto; }
  .scroll { overflow: visible; }
  a { color: inherit; text-decoration: none; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
"""


def style() -> str:
    """CSS of the page; on paper it is light whatever the screen is."""
    palettes = (
        f":root {{ color-scheme: light dark; {css(dark=False)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {css(dark=True)} }} }}\n"
    )
    return palettes + RULES.replace("FONT", FONT)
