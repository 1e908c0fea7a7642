"""The authors' published reward table: its name, where it comes from, and what must be said wherever it is shown.

Comes in: a store and a recipe. Goes out: whether its rewards are theirs, and the lines for a reader. Ignores how
the files are fetched (`fetch.py`). docs/published-table.md has the evidence and its commands.
"""

from __future__ import annotations

from t2s_offline.store.reward_store import RewardStore

COMMIT = "1712475"
RECIPE = "task2sim-cvpr2022"
REPOSITORY = "github.com/samarth4149/task2sim"
SOURCE = f"{REPOSITORY}@{COMMIT}"

#: Two lines on the table as a whole.
CAVEATS = (
    "The authors measured 5-NN with the network in training mode: batch norms used the batch at hand, often of one "
    "class; with our probe that takes 7 to 25 points from a task (docs/published-table.md).",
    "There is one seed a cell and no val part, and the paper's Domain Randomization row (19.42 and 45.06) is below the "
    "mean of every configuration here: it does not come from this table.",
)

#: What stands beside figures of left-out tasks of this table.
FORM_CHOSEN = (
    "no fit sees the task it is reported on, but the surrogate's form and its rule of measuring were chosen on the 20 "
    "tasks of this table (docs/learners.md has every variant): its figures here flatter it"
)


def is_published(store: RewardStore, recipe: str) -> bool:
    """By what `fetch task2sim` stores: the recipe's name, or the repository that its row came from."""
    if recipe == RECIPE:
        return True
    rows = store.frame("recipes").rows_by_key("recipe", named=True, unique=True)
    return str(rows.get(recipe, {}).get("source") or "").startswith(REPOSITORY)
