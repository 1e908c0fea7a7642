"""Figures 6 to 8 into the repository: ``python -m tests.bench.figures STORE``

STORE is what sweeps/figure8.toml, figure7.toml and figure6.toml filled, as far as they are (a copy of it while a sweep
runs). Writes tables/figures (its card stays), docs/figure6.png to figure8.png, and the answers in docs/paper.md. Left
to do by hand: the rows of docs/paper.md that speak of the answers.
"""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
from pathlib import Path
from tempfile import TemporaryDirectory

from t2s_offline.report.export import write_figures
from t2s_offline.report.write import Report, size_figures
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.table_folders import ship

ROOT = Path(__file__).parents[2]
TABLE, DOCS = ROOT / "tables" / "figures", ROOT / "docs"
#: tasks of the table that the configuration was chosen on: tables/cpu as it was then, recipe cpu-a0ea692f
CHOSEN_ON = (
    "aid chars74k chestpneumonia covid_xray digits dtd flowers5 grocery isic omniglot pacs_a pacs_c pacs_s rsscn7 usps"
)
BEGIN, END = "<!-- answers: written by tests/bench/figures.py -->\n", "<!-- end of answers -->\n"


def answers(made: Report) -> str:
    """The answers as Markdown, each with its picture."""
    parts = [
        f"{textwrap.fill(figure.summary, 120, break_on_hyphens=False)}\n\n![{figure.title}]({figure.key}.png)\n"
        for figure in made.figures
    ]
    lacking = [textwrap.fill(f"Missing: {line}", 120, break_on_hyphens=False) + "\n" for line in made.missing]
    return "\n".join([*parts, *lacking])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    print(ship(RewardStore(parser.parse_args().store), TABLE))
    made = size_figures(RewardStore(TABLE), chosen_on=CHOSEN_ON.split())
    with TemporaryDirectory() as folder:
        for path in write_figures(made, Path(folder)):
            if path.suffix == ".png":
                shutil.copyfile(path, DOCS / path.name)
    text = (DOCS / "paper.md").read_text()
    new, times = re.subn(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: f"{BEGIN}\n{answers(made)}\n{END}", text,
                         flags=re.DOTALL)  # fmt: skip
    if times != 1:
        raise SystemExit(f"docs/paper.md has {times} places for the answers; expected one")
    (DOCS / "paper.md").write_text(new)
    print(answers(made))


if __name__ == "__main__":
    main()
