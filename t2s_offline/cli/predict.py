"""predict: the configuration to pre-train with, for one task."""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from t2s_offline.api.table import Table
from t2s_offline.cli.options import (
    Bar,
    any_version_option,
    data_option,
    device_option,
    format_option,
    metric_option,
    note,
    print_rows,
    recipe_option,
    store_option,
    tasks_stored,
)
from t2s_offline.cli.place_options import place_options
from t2s_offline.errors import BadInput
from t2s_offline.recipe import ACCURACY_METRICS
from t2s_offline.store.reward_store import RewardStore

if TYPE_CHECKING:
    from t2s_offline.learners.predict import Prediction


@click.command()
@click.argument("target", required=False, metavar="[TASK|FOLDER|PLACE]", shell_complete=tasks_stored)
@click.option("--task", "named", help="The same as the argument.")
@click.option("--policy", "folder", type=click.Path(path_type=Path), help="Folder made by learn.  [default: none]")
@store_option
@recipe_option
@metric_option
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="Configurations to list.")
@click.option("--measure", type=click.IntRange(0), help="Backbones to measure; 0 guesses.  [default: see above]")
@click.option("--budget", metavar="TIME", help="Measure and train what pays most for so long: 90s, 5m, 1h.")
@click.option("--on-miss", type=click.Choice(["live", "skip"]), help="Train backbones that are not at hand, or not.")
@click.option("--backbones", metavar="FOLDER|URL", help="Where more backbones lie: a folder, or https://...")
@click.option("--probe", "probe_path", metavar="FILE", help="Probe to embed a folder with.  [default: the table's]")
@click.option("--samples", type=click.IntRange(2), help="Pictures drawn to embed a folder.  [default: the table's]")
@data_option
@any_version_option
@place_options
@device_option
@click.option("--render", "images", type=click.IntRange(1), metavar="N", help="Also render N images a class to --out.")
@click.option("--pretrain", is_flag=True, help="Also hand over the backbone, to --out.")
@click.option("--features", is_flag=True, help="With --pretrain: also features of the task's pictures, as Parquet.")
@click.option("--classifier", is_flag=True, help="With --pretrain: also a classifier of the task, for classify.")
@click.option("--any-pixels", is_flag=True, help="Render for both with today's pixels where the recipe's were others.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of what is handed over.")
@click.option(
    "--report", "page", metavar="FILE.html", type=click.Path(path_type=Path), help="Also write a page about it."
)
@format_option("table", "json")
def predict(
    target: str | None, named: str | None, folder: Path | None, store_path: Path, recipe: str | None, metric: str,
    top: int, measure: int | None, budget: str | None, on_miss: str | None, backbones: str | None,
    probe_path: str | None, samples: int | None, data: Path | None, device: str, images: int | None, pretrain: bool,
    features: bool, classifier: bool, any_pixels: bool, out: Path | None, page: Path | None,
    file_format: str,
) -> None:  # fmt: skip
    """Predict the configuration to pre-train with: for an embedded task, or a folder of class folders.

    A name is a task of the store; a path such as ./digits is pictures. What the store holds of a task of that name is
    used for them only when it is about the same pictures. A place is hf:OWNER/NAME[@REVISION][:CONFIG], a dataset of
    the Hugging Face hub, or torchvision:NAME.

    Pictures are measured where backbones are at hand (those that a table ships, and those a sweep kept): eight that
    together serve the table's tasks best, by every metric the table has. The answer is the surrogate's, given what was
    measured; it says what accuracy to expect and what is gained. Without backbones, --policy answers, or without one
    the surrogate by similar tasks alone.

    With --measure K, a surrogate fitted to the other tasks picks K backbones one after another, those at hand first,
    and answers with the best; of a task of the store the rewards are replayed. With --on-miss live those that are not
    at hand are rendered and trained under the table's recipe and kept in the cache (T2S_CACHE) for the next time. With
    --budget 5m it measures and trains what is expected to gain most a second until the time is over.

    \b
    Examples:
      t2s-offline predict photos/ --store tables/cpu
      t2s-offline predict CUB --policy policy --store rewards.duckdb
      t2s-offline predict CUB --policy policy --store rewards.duckdb --measure 8
      t2s-offline predict photos/ --store tables/cpu --backbones backbones/ --pretrain --out mine
      t2s-offline predict photos/ --store tables/cpu --budget 5m --out mine
    """
    from t2s_offline.api.backbones import check_wanted, hand_over, implied
    from t2s_offline.api.folder_report import check_page, write_page
    from t2s_offline.api.learn import load_policy
    from t2s_offline.api.predict import answer
    from t2s_offline.api.question import ask

    task = target or named
    if task is None or (target and named and target != named):
        raise BadInput("name one task, as in: t2s-offline predict CUB, or a folder: t2s-offline predict photos/")
    if page is not None:
        check_page(page)
    pretrain = implied(out, budget, render=images or 0, pretrain=pretrain)
    check_wanted(out, render=images or 0, pretrain=pretrain, features=features, classifier=classifier)
    with ExitStack() as bars:

        def stages(label: str, unit: str) -> Bar:
            return bars.enter_context(closing(Bar(label, unit)))

        question = ask(
            load_policy(folder) if folder else None, Table(RewardStore(store_path)), task, recipe=recipe, metric=metric,
            measure=measure, render=images or 0, pretrain=pretrain, data=data, device=device, any_pixels=any_pixels,
            backbones=backbones, budget=budget, on_miss=on_miss, confirm=agreed if asking() else None, told=note,
            stages=stages,
        )  # fmt: skip
        found = answer(question, top=top, measure=measure, probe=probe_path, samples=samples)
        show(found, metric, file_format)
        if page is not None:
            write_page(question, found, page)
        if out is not None:
            hand_over(
                question, found, out, render=images or 0, pretrain=pretrain, features=features, classifier=classifier
            )


def asking() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(line: str) -> bool:
    """Ask on stderr."""
    return click.confirm(f"{line}. Do it?", err=True)


def show(found: Prediction, metric: str, file_format: str) -> None:
    from t2s_offline.text_tables import as_json, cell

    if file_format == "json":
        click.echo(as_json(found.as_dict()))
        return
    word, digits = ("reward", 2) if metric in ACCURACY_METRICS else (f"{metric} score", 3)
    click.echo(f"task           {cell(found.task)}")
    click.echo(f"configuration  {found.configuration}")
    if found.reward is not None:
        about = f"best {found.best:.{digits}f}, regret {found.regret:.{digits}f}"
        click.echo(f"{word:<14} {found.reward:.{digits}f} ({about})")
    if found.worth is not None:
        show_worth(found.configuration, found.worth, digits, "%" if metric in ACCURACY_METRICS else "")
    if found.measured:
        click.echo()
        hidden = {"answer", "pictures"} if found.worth is not None else set()
        columns = [name for name in found.measured[0] if name not in hidden]
        print_rows(columns, [[step[name] for name in columns] for step in found.measured], "table")
        if found.worth is not None:
            click.echo()
            print_rows(["nearest task", "similarity"], [list(row.values()) for row in found.nearest], "table")
        return
    click.echo()
    heads = found.probabilities.items()
    rows = [[name, digit, *levels] for (name, levels), digit in zip(heads, found.configuration, strict=True)]
    most = max(len(row) for row in rows)
    columns = ["parameter", "chosen", *(f"P({level})" for level in range(most - 2))]
    bars = (columns[-1], 1.0) if most == 4 else None  # with two levels the last column says it all
    print_rows(columns, [[*row, *[None] * (most - len(row))] for row in rows], "table", bars=bars)
    click.echo()
    titles = ["configuration", "probability", word, *(["expected"] if found.worth else [])]
    print_rows(titles, [list(row.values()) for row in found.top], "table")
    click.echo()
    print_rows(["nearest task", "similarity"], [list(row.values()) for row in found.nearest], "table")


def show_worth(configuration: str, worth: dict[str, Any], digits: int, unit: str) -> None:
    """What the answer is worth, in a few lines."""
    expected, low, high = (f"{worth[name]:.{digits}f}" for name in ("expected", "low", "high"))
    click.echo(f"expected       {expected} {unit} ({low} to {high})")
    for gain in worth["gains"]:
        if gain["over"].endswith(configuration):
            click.echo(f"gain           none over the {gain['over']}: it is the answer")
            continue
        span = f"{gain['low']:+.{digits}f} to {gain['high']:+.{digits}f}"
        click.echo(f"gain           {gain['gain']:+.{digits}f} ({span}) over {gain['over']}")
    tied = worth["tied"]
    some = f": {', '.join(tied[:3])}{' ...' if len(tied) > 3 else ''}" if tied else ""
    click.echo(f"tied           {len(tied)} others cannot be told from it{some}")
    click.echo(f"best of all    with probability {worth['p_best']:.2f}")
