"""tasks: the downstream tasks, which pictures are at hand, and how to get the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from t2s_offline.cli.options import Bar, any_version_option, data_option, format_option, note, print_rows
from t2s_offline.cli.place_options import place_options
from t2s_offline.errors import BadInput, T2SError

if TYPE_CHECKING:
    from t2s_offline.tasks import Located

PAPER = "paper"  # stands for the paper's twenty
SHEET, COLUMNS, MOST_ROWS = 64, 10, 40  # of a sheet: pixels of a picture, pictures a class, classes
#: The columns of the two tables that people see; JSON and CSV have all in one.
FIRST = ("task", "group", "split", "classes", "images", "found", "state")
SECOND = ("task", "source", "licence", "megabytes")
TITLES = {"images": "pictures", "source": "place", "megabytes": "MB"}


@click.command("tasks")
@click.argument("names", nargs=-1, metavar="[TASK|FOLDER|PLACE]...")
@data_option
@any_version_option
@place_options
@click.option("--present", "only_present", is_flag=True, help="Only those whose pictures are at hand.")
@click.option("--check", is_flag=True, help="Read every picture; count classes, pictures and files left out.")
@click.option("--download", "getting", is_flag=True, help="First download the tasks named; `paper`: the twenty.")
@click.option(
    "--sheet", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.png",
    help="Draw examples of each class of the task named.",
)  # fmt: skip
@click.option(
    "--relate",
    type=click.Path(path_type=Path),
    metavar="STORE",
    help="Write into this store which tasks are relatives, as tasks.csv in the folder says.",
)
@format_option("table", "json", "csv")
def tasks_command(
    names: tuple[str, ...], data: Path | None, only_present: bool, check: bool, getting: bool, sheet: Path | None,
    relate: Path | None, file_format: str,
) -> None:  # fmt: skip
    """List the downstream tasks: the paper's twenty, the embedded digits, and what lies in T2S_DATA.

    18 of the twenty can be downloaded, by torchvision or from the Hugging Face hub; the others say what to do. A PLACE
    is any dataset of pictures and labels: hf:OWNER/NAME[@REVISION][:CONFIG] or torchvision:NAME.

    \b
    Examples:
      t2s-offline tasks --present
      t2s-offline tasks --download PacsC DTD
      t2s-offline tasks --download paper --max-size 25GB
      t2s-offline tasks PacsC --sheet pacs.png
      t2s-offline tasks --check --format json
    """
    if relate is not None:
        from t2s_offline.store.reward_store import RewardStore
        from t2s_offline.tasks import data_folder, relatives

        count = RewardStore(relate).relate(relatives(data_folder(data)))
        click.echo(f"{relate}: relatives of {count} tasks are set")
        return
    if getting:
        names = download_all(names, data)
    if sheet is not None:
        draw(names, sheet, data)
        return
    listed = listing(data, only_present or (check and not names), names)
    rows = [checked(*one, data) if check else row_of(*one, data) for one in listed]
    if check or file_format != "table":
        print_rows(list(rows[0]), [list(row.values()) for row in rows], file_format)
        return
    print_tables(rows)


def print_tables(rows: Sequence[dict[str, Any]]) -> None:
    """What is expected and what is there, then where it comes from, for people."""
    hand = [row for row in rows if row["state"] == "by hand"]
    shown = []
    for row in rows:
        expected, found = row["classes"], row["found_classes"]
        both = f"{found} of {expected}" if None not in (expected, found) and expected != found else found or expected
        # of a commit, eight digits are enough for people
        source = re.sub(r"@([0-9a-f]{8})[0-9a-f]{32}", r"@\1", row["source"] or row["place"] or "")
        shown.append({**row, "classes": both, "source": "by hand, see below" if row in hand else source})
    print_rows(FIRST, [[row[name] for name in FIRST] for row in shown], "table", TITLES)
    click.echo()
    print_rows(SECOND, [[row[name] for name in SECOND] for row in shown], "table", TITLES)
    for row in hand:
        click.echo(f"\n{row['task']}: {row['source']}")


def download_all(names: Sequence[str], data: Path | None) -> tuple[str, ...]:
    """Download tasks one after another; one that fails is told and the others go on. Returns their names."""
    from t2s_offline.images.task_download import download
    from t2s_offline.task_places import ManualPlace
    from t2s_offline.tasks import PAPER_TASKS

    if not names:
        raise BadInput(
            "no task to download; name some, a place such as hf:OWNER/NAME, or `paper` for the paper's twenty"
        )
    every: list[str] = []
    for name in names:
        every += [task.name for task in PAPER_TASKS] if name == PAPER else [name]
    by_hand = {task.name for task in PAPER_TASKS if isinstance(task.source, ManualPlace)} if PAPER in names else set()
    failed = []
    for name in dict.fromkeys(every):
        with closing(Bar(name, "MB")) as bar:
            try:
                download(name, data, note, lambda done, total, bar=bar: bar(done >> 20, total >> 20))  # type: ignore[misc]
            except T2SError as error:
                if name in by_hand and name not in names:
                    note(str(error))
                elif len(every) == 1:
                    raise
                else:
                    note(f"warning: {error}")
                    failed.append(name)
    if failed:
        raise BadInput(f"{len(failed)} of {len(every)} tasks were not downloaded: {', '.join(failed)}; see above")
    return tuple(dict.fromkeys(every))


def draw(names: Sequence[str], sheet: Path, data: Path | None) -> None:
    """Examples of each class of one task as a PNG."""
    from t2s_offline.images.task_counts import examples
    from t2s_offline.images.task_data import load_task
    from t2s_offline.render.sheet import save, tile
    from t2s_offline.tasks import locate

    if len(names) != 1:
        raise BadInput(f"{len(names)} tasks for one sheet; name one")
    task = load_task(locate(names[0], data, paths=True), SHEET)
    pictures, classes = examples(task, COLUMNS, MOST_ROWS)
    save(tile(pictures, COLUMNS, [name[:40] for name in classes], side="row"), sheet)
    shown = f"{len(classes)} of {len(task.classes)}" if len(classes) < len(task.classes) else "all"
    note(f"{sheet}: up to {COLUMNS} train pictures of {shown} classes of {task.name}")


def listing(data: Path | None, only_present: bool, names: Sequence[str]) -> list[tuple[str, Located | None]]:
    """Names of tasks and where they are: registered ones in the paper's order, then others by name; or those named."""
    from t2s_offline.tasks import DIGITS, PAPER_TASKS, locate, present

    here = {located.name: located for located in present(data)}
    known = {task.name: task for task in (*PAPER_TASKS, DIGITS)}
    if not names:
        listed = [*known, *(name for name in here if name not in known)]
        return [(name, here.get(name)) for name in listed if name in here or not only_present]
    rows = []
    for name in names:
        located = here.get(name) if name in known else locate(name, data, paths=True)
        rows.append((located.name if located else name, located))
    return rows


def row_of(name: str, located: Located | None, data: Path | None) -> dict[str, Any]:
    """What is expected of a task, and what is there; the pictures are not read."""
    from t2s_offline.images.task_counts import counts
    from t2s_offline.images.task_download import record_of
    from t2s_offline.task_places import HubPlace, ManualPlace, TorchvisionPlace
    from t2s_offline.tasks import DIGITS, PAPER_TASKS, data_folder

    task = next((one for one in (*PAPER_TASKS, DIGITS) if one.name == name), None)
    source = (located.place if located else None) or (task.source if task else None)
    row: dict[str, Any] = {
        "task": name, "group": task.group if task else None, "split": task.split if task else None,
        "classes": task.classes if task else None, "images": task.images if task else None, "present": None,
        "place": str(source or (task.place if task else "")), "source": str(source) if source else None,
        "found_classes": None, "found": None,
        "licence": source.licence if task and source else None, "megabytes": None, "state": "absent",
        "known": source.known if task and isinstance(source, HubPlace) else None,
    }  # fmt: skip
    if isinstance(source, HubPlace | TorchvisionPlace):
        row |= {"megabytes": source.megabytes, "state": "download"}
        folder = data_folder(data)
        if folder is not None and (folder / f".{name}.download").is_dir():
            row["state"] = "partly there"
    elif isinstance(source, ManualPlace):
        row["state"] = "by hand"
    if located is None or (located.place is not None and (located.path is None or not located.path.is_dir())):
        return row
    row |= {"present": located.kind, "place": str(located.path or located.kind), "state": "present"}
    try:
        row["found_classes"], row["found"] = counts(located)
        record = record_of(located)
    except T2SError:
        return row | {"state": "damaged"}
    if record is not None:
        row |= {"licence": record.licence, "megabytes": round(record.bytes / 1e6)}
    return row


def checked(name: str, located: Located | None, data: Path | None) -> dict[str, Any]:
    """The task with its version, its classes and the pictures of each part, or what is wrong with it."""
    from t2s_offline.images.task_data import load_task

    counts: dict[str, Any] = {"version": None, "classes": None, "train": None, "val": None, "test": None}
    counts |= {"left_out": None}
    result = {"task": name, **counts, "problem": None}
    try:
        loaded = load_task(located or name, 32, data=data)
    except T2SError as error:
        return result | {"problem": str(error)}
    parts = {name: len(part) for name, part in loaded.parts.items()}
    counted = {"version": loaded.version or None, "classes": len(loaded.classes), "left_out": len(loaded.bad)}
    return result | counted | parts
