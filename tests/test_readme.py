"""The README: its queries run, its commands and options exist, its views and columns are the store's."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from t2s_offline.cli import cli
from t2s_offline.store import schema
from t2s_offline.store.query import query
from t2s_offline.store.reward_store import RewardStore

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text("utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [
    line.partition("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith("t2s-offline ")
]


def test_there_is_something_to_test() -> None:
    assert len(QUERIES) >= 6
    assert len(COMMANDS) >= 4


@pytest.mark.parametrize("sql", QUERIES)
def test_every_query_answers(sql: str, tiny_store: RewardStore) -> None:
    columns, rows = query(tiny_store, sql)
    assert columns
    assert rows


@pytest.mark.parametrize("sql", QUERIES)
def test_every_query_answers_on_the_published_table(sql: str, published_store: RewardStore) -> None:
    _columns, rows = query(published_store, sql)
    assert 1 < len(rows) <= 256
    assert all(value is not None for row in rows for value in row)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_and_option_exists(line: str) -> None:
    words = shlex.split(line)[1:]
    context = click.Context(cli)
    command = cli.get_command(context, words[0])
    assert command is not None
    command.make_context(words[0], words[1:], parent=context, resilient_parsing=False)


def test_views_and_columns_are_the_stores() -> None:
    views = TEXT.partition("| view |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", views, re.MULTILINE) == list(schema.VIEWS)
    for table in (schema.REWARDS, schema.EMBEDDINGS):
        assert all(f"`{column.name}`" in TEXT for column in table.columns)


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"`make (\w+)`", TEXT):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
