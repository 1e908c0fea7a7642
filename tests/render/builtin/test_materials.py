"""The table of materials."""

from __future__ import annotations

import numpy as np
import pytest

from t2s_offline.render.builtin.materials import COLUMNS, MATERIALS, PATTERNS, material_rows
from t2s_offline.render.builtin.srgb import encoded, linear


def test_enough_named_materials_in_groups() -> None:
    names = [material.name for material in MATERIALS]
    assert len(names) == len(set(names)) >= 140
    assert len({material.group for material in MATERIALS}) >= 10
    assert {material.pattern for material in MATERIALS} == set(PATTERNS)


def test_rows_are_what_a_surface_can_be() -> None:
    rows = material_rows()
    assert rows.shape == (len(MATERIALS), len(COLUMNS))
    assert rows.dtype == np.float32
    assert ((rows[:, :8] >= 0) & (rows[:, :8] <= 1)).all()
    assert (rows[:, 6] > 0.05).all()
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_half_of_the_list_holds_every_group() -> None:
    groups = {material.group for material in MATERIALS}
    assert {material.group for material in MATERIALS[: len(MATERIALS) // 2]} == groups


def test_linear_light() -> None:
    assert linear([0.0, 0.5, 1.0]).tolist() == pytest.approx([0, 0.21404, 1], abs=1e-4)
    assert encoded(linear([0.0, 0.03, 0.5, 1.0])) == pytest.approx([0, 0.03, 0.5, 1], abs=1e-6)
