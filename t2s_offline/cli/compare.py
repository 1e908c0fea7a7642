"""compare: what learners are worth, beside the baselines."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from t2s_offline.api.table import Table
from t2s_offline.cli.learn import names_in
from t2s_offline.cli.options import (
    Bar,
    format_option,
    jobs_option,
    metric_option,
    note,
    print_rows,
    probe_option,
    recipe_option,
    store_option,
)
from t2s_offline.errors import BadInput
from t2s_offline.store.reward_store import RewardStore

TITLES = {"normalised_regret": "normalised", "ci_low": "low", "ci_high": "high", "cross_regret": "cross"}


@click.command()
@store_option
@recipe_option
@metric_option
@probe_option
@click.option("--leave-one-out", is_flag=True, help="Leave each task and its relatives out in turn.")
@click.option("--alone", is_flag=True, help="Leave tasks out without their relatives.")
@click.option("--learners", metavar="NAMES", help="Only these, with commas.  [default: all]")
@click.option("--runs", metavar="COUNTS", help="Learn from fractions of so many configurations, such as 16,64.")
@click.option("--measure", metavar="COUNTS", help="Also measure so many backbones first, such as 0,1,2,4,8,16,32.")
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, help="Seeds of a learner; means are shown."
)
@jobs_option
@format_option("table", "json", "csv")
def compare(
    store_path: Path, recipe: str | None, metric: str, probe: str | None, leave_one_out: bool, alone: bool,
    learners: str | None, runs: str | None, measure: str | None, seeds: int, jobs: int, file_format: str,
) -> None:  # fmt: skip
    """Compare learners with the baselines.

    Reward and regret are percent, means over tasks (and seeds); normalised regret is regret over (best - mean of all
    configurations), with its 95 % interval over tasks, and over seeds where there are several.

    \b
    Examples:
      t2s-offline compare --store rewards.duckdb --seeds 8
      t2s-offline compare --store rewards.duckdb --leave-one-out
      t2s-offline compare --leave-one-out --learners surrogate --measure 0,4,16
    """
    from t2s_offline.api.compare import compare as compared

    lines: list[str] = []  # for below the table
    with closing(Bar("compare", "fit")) as bar:
        frame = compared(
            Table(RewardStore(store_path)), recipe=recipe, metric=metric, probe=probe, leave_one_out=leave_one_out,
            alone=alone, learners=names_in(learners) if learners else None, runs=numbers("--runs", runs),
            measure=numbers("--measure", measure), seeds=seeds, jobs=jobs, told=lines.append, progress=bar,
        )  # fmt: skip
    show(frame.to_dicts(), file_format)
    for line in lines:
        note(line)


def show(rows: list[dict[str, Any]], file_format: str) -> None:
    """All columns for programs; for people a table a split, so that a line stays under 80 characters."""
    from t2s_offline.learners.compare import FURTHER

    columns = list(rows[0])
    if file_format != "table":
        print_rows(columns, [list(row.values()) for row in rows], file_format)
        return
    several, hours = len({row["runs"] for row in rows}) > 1, rows[0]["hours"]
    hidden = {"split", "tasks", "hours" if hours is None or not several else "", "" if several else "runs"}
    hidden |= set() if any(row["measured"] for row in rows) else {"measured"}
    hidden |= {*FURTHER} - {"cross_regret"}
    shown = [name for name in columns if name not in hidden]
    for number, split in enumerate(dict.fromkeys(row["split"] for row in rows)):
        own = [row for row in rows if row["split"] == split]
        cost = "" if several or hours is None else f" that took {hours:.1f} h"
        seen = "" if several else f", {own[0]['runs']} configurations{cost}"
        click.echo(f"{chr(10) if number else ''}{split.replace('_', ' ')}, {own[0]['tasks']} tasks{seen}")
        full = max(1.0, *(row["normalised_regret"] for row in own))
        print_rows(
            shown, [[row[name] for name in shown] for row in own], "table", TITLES, bars=("normalised_regret", full)
        )
        apart([row for row in own if row.get("rank_low") is not None])


def apart(rows: list[dict[str, Any]]) -> None:
    """Tables of what can be told apart: learners, then strategies that measure."""
    from t2s_offline.learners.judged import STRATEGIES

    for measuring in (False, True):
        own = [row for row in rows if (row["learner"] in STRATEGIES.values()) == measuring]
        if not own:
            continue
        shown: dict[str, list[Any]] = {"learner": [row["learner"] for row in own]}
        if measuring:
            shown["K"] = [row["measured"] for row in own]
        shown["minus best fixed"] = [span(row, "vs_fixed") for row in own]
        if measuring:
            shown["minus portfolio"] = [span(row, "vs_portfolio") for row in own]
        shown["rank"] = [f"{row['rank_low']}-{row['rank_high']}" for row in own]
        if not measuring:
            shown |= {
                "group": [row.get("tie_group") or 0 for row in own],
                "best": [row.get("p_best") or 0.0 for row in own],
            }
        click.echo(f"\n{'measured: ' if measuring else ''}normalised regret minus that of others, and ranks")
        print_rows(list(shown), [list(values) for values in zip(*shown.values(), strict=True)], "table")


def span(row: dict[str, Any], name: str) -> str:
    """A difference with its interval; empty where the row has none."""
    mean, low, high = (row.get(f"{name}{end}") for end in ("", "_low", "_high"))
    return "" if mean is None else f"{mean:+.2f} ({low:+.2f} to {high:+.2f})"


def numbers(option: str, text: str | None) -> list[int]:
    parts = text.split(",") if text else []
    if not all(part.strip().isdecimal() for part in parts):
        raise BadInput(f"{option} {text}: expected whole numbers with commas, such as 4,8,16")
    return sorted({int(part) for part in parts})
