"""Parts of pictures as views of one array: the same as copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from t2s_offline.images.image_files import Pictures


@pytest.mark.parametrize("seed", range(4))
def test_parts_are_views_of_one_array_and_hold_what_copies_hold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 60))
    image = rng.integers(0, 256, (count, 3, 4, 4), dtype=np.uint8)
    whole = Pictures(
        image.copy(), np.arange(count) % 3, ("a", "b", "c"), ("bad",), paths=tuple(map(Path, map(str, range(count))))
    )
    cuts = np.sort(rng.integers(0, count + 1, 2))
    order = rng.permutation(count)
    places = {name: np.sort(own) for name, own in zip("xyz", np.split(order, cuts), strict=True)}
    expected = {name: whole.take(own) for name, own in places.items()}
    array = whole.image_NCHW
    divided = whole.divided(places)
    for name, part in divided.items():
        np.testing.assert_array_equal(part.image_NCHW, expected[name].image_NCHW)
        np.testing.assert_array_equal(part.image_NCHW, image[places[name]])
        np.testing.assert_array_equal(part.label_N, expected[name].label_N)
        assert (part.classes, part.bad, part.paths) == (whole.classes, whole.bad, expected[name].paths)
        assert not len(part) or np.shares_memory(part.image_NCHW, array)
