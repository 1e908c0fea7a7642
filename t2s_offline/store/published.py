"""The authors' published reward table: its recipe, its source, and the caveats that are shown with its figures.

docs/published-table.md has the evidence for them. `fetch_published.py` fetches the files.
"""

from __future__ import annotations

from t2s_offline.store.reward_store import RewardStore

COMMIT = "1712475"
RECIPE = "task2sim-cvpr2022"
REPOSITORY = "github.com/samarth4149/task2sim"
SOURCE = f"{REPOSITORY}@{COMMIT}"

#: Caveats of the table as a whole.
CAVEATS = (
    "The authors measured 5-NN with the network in training mode: batch norms used the batch at hand, often of one "
    "class; with our probe that takes 7 to 25 points from a task (docs/published-table.md).",
    "There is one seed a cell and no val part, and the paper's Domain Randomization row (19.42 and 45.06) is below the "
    "mean of every configuration here: it does not come from this table.",
)

#: Caveat of figures of left-out tasks of this table.
FORM_CHOSEN = (
    "no fit sees the task it is reported on, but the surrogate's form and its rule of measuring were chosen on the 20 "
    "tasks of this table (docs/learners.md has every variant): its figures here flatter it"
)


def is_published(store: RewardStore, recipe: str) -> bool:
    """Whether rewards of a recipe are the authors': by the recipe's name, or by the source that `fetch` stored."""
    if recipe == RECIPE:
        return True
    rows = store.frame("recipes").rows_by_key("recipe", named=True, unique=True)
    return str(rows.get(recipe, {}).get("source") or "").startswith(REPOSITORY)
