"""Options for datasets at a place of a network; each sets a variable of the environment, where workers find it too."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from t2s_offline.task_places import IMAGE_VARIABLE, LABEL_VARIABLE, SPLITS_VARIABLE, splits_of

Command = TypeVar("Command", bound=Callable[..., Any])
SIZE_VARIABLE = "T2S_MAX_SIZE"


def _setting(variable: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def put(_context: click.Context, _parameter: click.Parameter, given: Any) -> None:
        text = ",".join(given) if isinstance(given, tuple) else given
        if not text:
            return
        if variable == SPLITS_VARIABLE:
            splits_of(text)
        if variable == SIZE_VARIABLE:
            from t2s_offline.images.download_limits import bytes_of

            bytes_of(text)
        os.environ[variable] = text

    return put


def place_options(command: Command) -> Command:
    """--image-column, --label-column, --split and --max-size."""
    options = (
        click.option("--image-column", metavar="NAME", expose_value=False, callback=_setting(IMAGE_VARIABLE),
                     help="Column of pictures of an hf: dataset.  [default: found]"),
        click.option("--label-column", metavar="NAME", expose_value=False, callback=_setting(LABEL_VARIABLE),
                     help="Column of labels of an hf: dataset.  [default: found]"),
        click.option("--split", metavar="PART=SPLIT", multiple=True, expose_value=False,
                     callback=_setting(SPLITS_VARIABLE),
                     help="Which split of an hf: dataset is train, val or test; repeatable.  [default: by name]"),
        click.option("--max-size", metavar="SIZE", expose_value=False, callback=_setting(SIZE_VARIABLE),
                     help="Largest download of a task, as 25GB.  [default: T2S_MAX_SIZE, else 10 GB]"),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command
