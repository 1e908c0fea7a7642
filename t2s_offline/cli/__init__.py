"""The command line: parse, call, print. A module a command; each is imported when it is called.

Nothing here computes. Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 a check found
something missing, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import warnings
from importlib import import_module
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from t2s_offline import __version__
from t2s_offline.errors import T2SError, UnknownName

#: command -> (module:function, what --help says of it), in the order of --help
COMMANDS = {
    "fetch": ("fetch:fetch", "Fetch the authors' published reward table."),
    "import": ("import_files:import_command", "Add rewards or embeddings from Parquet or CSV."),
    "export": ("export:export_command", "Write every table to a folder."),
    "query": ("query:query_command", "Ask SQL of a store."),
    "learn": ("learn:learn", "Learn a policy by Algorithm 1."),
    "predict": ("predict:predict", "Predict the configuration for a task."),
    "classify": ("classify:classify_command", "Name new pictures by what predict handed over."),
    "render": ("render:render", "Render a dataset, or pictures of the catalogue."),
    "tasks": ("tasks:tasks_command", "Downstream tasks, and which are at hand."),
    "embed": ("embed:embed_command", "Task2Vec vectors of tasks."),
    "pretrain": ("pretrain:pretrain_command", "Pre-train one backbone."),
    "evaluate": ("evaluate:evaluate_command", "Measure one backbone on tasks."),
    "sweep": ("sweep:sweep", "Render, pre-train and measure configurations."),
    "status": ("status:status", "How far a sweep is."),
    "merge": ("merge:merge", "Take the work of other nodes into a store."),
    "tables": ("tables:tables_command", "Tables that ship, listed and checked."),
    "compare": ("compare:compare", "Compare learners with the baselines."),
    "effects": ("effects:effects", "What each parameter does: Walsh/ANOVA of a table."),
    "report": ("report:report", "Write pictures and numbers as one HTML page."),
    "doctor": ("doctor:doctor", "What is missing here, and what to do about it."),
}


#: Packages that rendering and training need, and what pip calls them: tables are read, and learned from, without them.
INSTALLED_BY = {
    "torch": "torch torchvision",
    "torchvision": "torch torchvision",
    "warp": "warp-lang",
    "trimesh": "trimesh",
    "manifold3d": "manifold3d",
}


class LazyGroup(click.Group):
    """Knows the commands by name and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            raise click.UsageError(f"{UnknownName('command', cmd_name, COMMANDS)}", ctx)
        module, _, function = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"t2s_offline.cli.{module}"), function)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands by their summaries, without importing them."""
        commands = [
            CompletionItem(name, help=summary) for name, (_, summary) in COMMANDS.items() if name.startswith(incomplete)
        ]
        return commands or click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="t2s-offline")
def cli() -> None:
    """Task2Sim as a precomputed reward table with an offline bandit learner.

    \b
    A reward table holds the accuracy of a backbone on each task, for each
    configuration of the simulator it was pre-trained on. Start with:
      t2s-offline predict photos/ --store tables/cpu
      t2s-offline fetch task2sim --store rewards.duckdb
      t2s-offline learn --store rewards.duckdb --out policy
      t2s-offline predict CUB --policy policy --store rewards.duckdb
      t2s-offline report --store rewards.duckdb --policy policy --out report.html
    \b
    Exit codes: 0 done, 1 a check found something missing, 2 bad input,
    130 interrupted. NO_COLOR=1 turns colours off. Completion, for bash
    (zsh and fish alike): eval "$(_T2S_OFFLINE_COMPLETE=bash_source t2s-offline)"
    """


def main() -> NoReturn:
    """Entry point: errors of the family become one line and exit code 2."""
    # threads that wait for each other sleep: spinning takes the core from those that work on a busy machine
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # what Pillow warns of is either harmless (EXIF) or named by `pictures.py`; set once, before any thread
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        done = cli.main(prog_name="t2s-offline", standalone_mode=False)
        code = done if isinstance(done, int) else 0
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        code = 130
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "t2s-offline"
        _fail(f"{error.format_message()} See {command} --help.")
    except (T2SError, ModuleNotFoundError) as error:
        if package := missing_package(error):
            _fail(f"this needs {package}, which is not installed; pip install {INSTALLED_BY[package]}")
        if not isinstance(error, T2SError):
            raise
        _fail(str(error))
    sys.exit(code)  # here: the frames of an interruption would keep DuckDB, which tells of that at the end


def missing_package(error: BaseException | None) -> str:
    """The package of INSTALLED_BY whose absence caused an error; empty where it was something else."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and (name := (error.name or "").partition(".")[0]) in INSTALLED_BY:
            return name
        error = error.__cause__
    return ""


def _fail(message: str) -> NoReturn:
    """One line to stderr and exit code 2."""
    from t2s_offline.cli.options import coloured
    from t2s_offline.text_tables import one_line

    word = click.style("error:", fg="red", bold=True) if coloured(sys.stderr) else "error:"
    click.echo(f"{word} {one_line(message)}", err=True)
    sys.exit(2)
