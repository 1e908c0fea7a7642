"""Labels as datasets give them, as indices of one list of classes."""

from __future__ import annotations

import numpy as np
import pytest

from t2s_offline.errors import BadFile
from t2s_offline.images.raw_labels import LEFT_OUT, resolve
from t2s_offline.task_places import PLACES, HubPlace

PLACE = HubPlace("a/b")


def test_integers_and_names() -> None:
    classes, labels = resolve({"train": [0, 2, 1], "test": [np.int64(2)]}, ("x", "y", "z"), PLACE)
    assert (classes, labels["train"].tolist(), labels["test"].tolist()) == (("x", "y", "z"), [0, 2, 1], [2])
    assert resolve({"train": [0, 1, 2]}, (), PLACE)[0] == ("0", "1", "2")
    classes, labels = resolve({"train": ["owl", "ant"], "test": ["bee"]}, (), PLACE)
    assert (classes, labels["train"].tolist(), labels["test"].tolist()) == (("ant", "bee", "owl"), [2, 0], [1])
    assert resolve({"train": ["owl", "ant"]}, ("owl", "ant"), PLACE)[1]["train"].tolist() == [0, 1]


def test_a_class_without_pictures_is_none() -> None:
    classes, labels = resolve({"train": [0, 3], "test": [3]}, ("a", "b", "c", "d"), PLACE)
    assert (classes, labels["train"].tolist(), labels["test"].tolist()) == (("a", "d"), [0, 1], [1])


def test_names_that_come_twice_are_told_apart() -> None:
    assert resolve({"train": [0, 1, 2]}, ("crane", "owl", "crane"), PLACE)[0] == ("crane", "owl", "crane (2)")


@pytest.mark.parametrize(
    ("labels", "names", "reason"),
    [
        ([0.5, 1.0], (), r"a label in train is 0\.5; expected an integer or the name of a class"),
        ([None, 1], (), "a label in train is nothing"),
        ([True, False], (), "is True"),
        ([{"a": 1}], (), "expected an integer"),
        ([0, -1], (), r"is -1: pictures without a label; leave the part out with --split"),
        ([0, 5], ("a", "b"), "label 5 and 2 classes"),
        ([0, 10**9], (), "label 1000000000 and 100001 classes"),
        (["a", "x"], ("a", "b"), "label 'x' is no class"),
        ([0, "a"], (), "some labels are integers, some are text"),
        ([[0], [1]], ("a", "b"), "several labels"),
        ([LEFT_OUT], (), "no picture that counts"),
    ],
)
def test_labels_that_are_none(labels: list[object], names: tuple[str, ...], reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        resolve({"train": labels}, names, PLACE)


def test_one_finding_of_seven_counts() -> None:
    """The rule of BSCD-FSL for ChestX."""
    place = PLACES["ChestX"]
    assert isinstance(place, HubPlace)
    raw = [["Mass"], [], ["Mass", "Nodule"], ["Hernia"], ["Nodule"], ["Atelectasis"]]
    classes, labels = resolve({"train": raw}, (), place)
    assert classes == ("Atelectasis", "Mass", "Nodule")
    assert labels["train"].tolist() == [1, -1, -1, -1, 2, 0]


def test_the_classes_of_ham10000_out_of_isic_2019() -> None:
    place = PLACES["ISIC"]
    assert isinstance(place, HubPlace)
    raw = [0, 1, 2, 3, 4, 5, 6, 7, LEFT_OUT]
    classes, labels = resolve({"train": raw}, tuple("01234567"), place)
    assert classes == ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC")
    assert labels["train"].tolist() == [0, 1, 2, 3, 4, 5, 6, 3, -1]


def test_the_background_of_plant_village_is_left_out() -> None:
    place = PLACES["CropDisease"]
    assert isinstance(place, HubPlace)
    classes, labels = resolve({"train": [0, 1, 2]}, ("Apple", "Background_without_leaves", "Corn"), place)
    assert (classes, labels["train"].tolist()) == (("Apple", "Corn"), [0, -1, 1])
