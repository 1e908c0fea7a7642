"""Recipes that differ in one number alone: of classes, of objects or of pictures (the paper's Figures 6 to 8).

A ladder is such recipes in the order of that number. Recipes are told apart by their contents, so one content under two
names is one step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from t2s_offline.recipe import Recipe

CLASSES, OBJECTS, IMAGES = "classes", "objects", "images"


@dataclass(frozen=True)
class Ladder:
    """Recipes that differ in one number. field: which; counts: its values, ascending; recipes: the stored recipes of
    each value (several where one content has several names); pictures: of the whole training set at each value."""

    field: str
    counts: tuple[int, ...]
    recipes: tuple[tuple[str, ...], ...]
    pictures: tuple[int, ...]


def ladders(recipes: Mapping[str, Recipe], spaces: Mapping[str, object] | None = None) -> list[Ladder]:
    """Every set of two recipes or more that differ in one number alone; recipes by name, and their spaces.

    Classes and images: nothing else differs. Objects: pictures are in proportion to them, as in the paper.
    """
    found = []
    for field in (CLASSES, OBJECTS, IMAGES):
        alike: dict[tuple[Recipe, str], dict[str, Recipe]] = {}
        for name, recipe in recipes.items():
            key = (_rest(recipe, field), str(spaces[name]) if spaces else "")
            alike.setdefault(key, {})[name] = recipe
        for group in alike.values():
            for part in _in_proportion(group) if field == OBJECTS else [group]:
                if ladder := _ladder(field, part):
                    found.append(ladder)
    return found


def _rest(recipe: Recipe, field: str) -> Recipe:
    """The recipe with what may differ along a ladder set to one value."""
    if field == CLASSES:
        return replace(recipe, classes=2)
    return replace(recipe, images=1) if field == IMAGES else replace(recipe, objects=1, images=1)


def _in_proportion(group: Mapping[str, Recipe]) -> list[dict[str, Recipe]]:
    """Parts of a group whose images are in proportion to their objects, but for rounding; a recipe is in one."""
    left = dict(sorted(group.items(), key=lambda item: -item[1].objects))
    parts = []
    while left:
        most = next(iter(left.values()))
        share = most.images / most.objects
        part = {name: recipe for name, recipe in left.items() if abs(recipe.objects * share - recipe.images) <= 1}
        left = {name: recipe for name, recipe in left.items() if name not in part}
        parts.append(part)
    return parts


def _ladder(field: str, group: Mapping[str, Recipe]) -> Ladder | None:
    """The recipes in the order of their number; None with fewer than two values of it."""
    by_count: dict[int, list[str]] = {}
    for name, recipe in sorted(group.items()):
        by_count.setdefault(getattr(recipe, field), []).append(name)
    if len(by_count) < 2:
        return None
    counts = tuple(sorted(by_count))
    firsts = [group[by_count[count][0]] for count in counts]
    pictures = tuple(recipe.classes * recipe.images for recipe in firsts)
    return Ladder(field, counts, tuple(tuple(by_count[count]) for count in counts), pictures)
