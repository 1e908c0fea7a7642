"""classify: the classes of new pictures."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from t2s_offline.cli.options import Bar, device_option, format_option, note, print_rows


@click.command("classify")
@click.argument("pictures", nargs=-1, required=True, metavar="DIR|FILES...", type=click.Path(path_type=Path))
@click.option(
    "--with", "model", required=True, metavar="DIR", type=click.Path(path_type=Path),
    help="Folder made by predict --pretrain --classifier --out DIR.",
)  # fmt: skip
@click.option("--top", type=click.IntRange(1), default=3, show_default=True, help="Classes of a picture.")
@device_option
@format_option("table", "json", "csv")
def classify_command(pictures: tuple[Path, ...], model: Path, top: int, device: str, file_format: str) -> None:
    """Name new pictures: files, or all pictures under folders.

    Files that are no pictures are named and skipped. Probabilities are those of the linear probe that was fitted to the
    classes of the folder.

    \b
    Example:
      t2s-offline predict photos/ --policy policy --pretrain --classifier --out mine
      t2s-offline classify new/ --with mine --format csv
    """
    from t2s_offline.api.classify import classify

    with closing(Bar("classify", "picture")) as bar:
        found = classify(pictures, model, top=top, device=device, told=note, progress=bar)
    print_rows(found.columns, found.rows(), file_format)
