from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import hadamard

from t2s_offline.analysis import walsh
from t2s_offline.analysis.walsh import DiffusionKernel
from t2s_offline.errors import BadInput
from tests.planted import space_of


@pytest.mark.parametrize("levels", [(2, 2, 2), (3,), (2, 3, 4), (5, 2)])
def test_transform_is_orthonormal_and_its_inverse_inverts(levels: tuple[int, ...]) -> None:
    space = space_of(*levels)
    matrix = walsh.transform(np.eye(len(space)), space)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(space)), atol=1e-12)
    value = np.random.default_rng(0).normal(size=(3, 2, len(space)))
    np.testing.assert_allclose(walsh.inverse(walsh.transform(value, space), space), value, atol=1e-12)


def test_binary_is_walsh_hadamard() -> None:
    space = space_of(2, 2, 2, 2)
    np.testing.assert_allclose(walsh.transform(np.eye(16), space).T, hadamard(16) / 4, atol=1e-12)


def test_degree_counts_parameters() -> None:
    np.testing.assert_array_equal(walsh.degree_C(space_of(2, 3)), [0, 1, 1, 1, 2, 2])


def test_a_main_effect_has_one_coefficient() -> None:
    space = space_of(2, 2, 2)
    coefficient_C = walsh.transform(7.0 + 3.0 * space.digits_CP[:, 1], space)
    np.testing.assert_array_equal(np.flatnonzero(np.abs(coefficient_C) > 1e-9), [0, 2])


@pytest.mark.parametrize("levels", [(2, 2, 2), (2, 3, 4)])
def test_kernel_is_diagonal_in_the_basis(levels: tuple[int, ...]) -> None:
    space = space_of(*levels)
    kernel = DiffusionKernel(space, 2.0, np.array([0.9, 0.3, 0.05]), 0.1)
    every = np.arange(len(space))
    block = kernel.block(every, every)
    in_basis = walsh.transform(walsh.transform(block, space).T, space)
    np.testing.assert_allclose(in_basis, np.diag(kernel.spectrum_C()), atol=1e-12)
    np.testing.assert_allclose(np.diag(block), kernel.variance())


def test_wrong_length_is_refused() -> None:
    with pytest.raises(BadInput, match="expected 8 configurations"):
        walsh.transform(np.zeros(7), space_of(2, 2, 2))
