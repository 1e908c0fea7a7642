"""Which files of a dataset become which part: by a card, by names, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from t2s_offline.errors import BadInput, UnknownName
from t2s_offline.images.hub_layout import card_names, layout, licence
from t2s_offline.task_places import HubPlace

PLACE = HubPlace("a/b")


def parts(paths: list[str], place: HubPlace = PLACE, card: dict[str, Any] | None = None) -> dict[str, tuple[str, ...]]:
    return layout(paths, card or {}, place).parts


def card(**configs: dict[str, str]) -> dict[str, Any]:
    return {
        "configs": [
            {"config_name": name, "data_files": [{"split": s, "path": p} for s, p in splits.items()]}
            for name, splits in configs.items()
        ]
    }


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["data/train-00000-of-00001.parquet"], {"train": 1}),
        (["d/train-00000-of-00002-9c.parquet", "d/train-00001-of-00002-9c.parquet", "d/validation-0.parquet"],
         {"train": 2, "val": 1}),
        (["default/train/0.parquet", "default/test/0.parquet", "default/test/1.parquet"], {"train": 1, "test": 2}),
        (["test/0.tar", "test/1.tar", "classnames.txt", "test/nshards.txt"], {"train": 2}),
        (["train.parquet", "dev.parquet", "test.parquet"], {"train": 1, "val": 1, "test": 1}),
        (["cat/1.jpg", "dog/1.JPG", "README.md"], {"train": 2}),
        (["train/cat/1.jpg", "train/dog/2.png", "test/cat/3.jpg", "logo.png"], {"train": 2, "test": 1}),
        (["data/train-0.parquet", "data/extra-0.parquet"], {"train": 1}),
        (["all.parquet", "test.py", ".gitattributes"], {"train": 1}),
        (["attest/contest.parquet"], {"train": 1}),  # words within words
    ],
)  # fmt: skip
def test_splits_by_the_names_of_files(paths: list[str], expected: dict[str, int]) -> None:
    assert {part: len(files) for part, files in parts(paths).items()} == expected
    assert next(iter(parts(paths))) == "train"


def test_a_card_says_which_files_are_which() -> None:
    paths = ["one/a.parquet", "one/b.parquet", "two/a.parquet"]
    listed = card(small={"train": "one/a*", "test": "one/b*"}, large={"train": "two/*"})
    assert parts(paths, HubPlace("a/b", config="small"), listed) == {
        "train": ("one/a.parquet",),
        "test": ("one/b.parquet",),
    }
    assert parts(paths, HubPlace("a/b", config="large"), listed) == {"train": ("two/a.parquet",)}
    with pytest.raises(BadInput, match="has the configurations small, large; name one: hf:a/b:NAME"):
        parts(paths, PLACE, listed)
    with pytest.raises(UnknownName, match="did you mean small"):
        parts(paths, HubPlace("a/b", config="smal"), listed)
    listed["configs"][1]["default"] = True
    assert parts(paths, PLACE, listed) == {"train": ("two/a.parquet",)}
    listed = {"configs": [{"config_name": "default", "data_files": "one/*"}]}
    assert len(parts(paths, PLACE, listed)["train"]) == 2


@pytest.mark.parametrize("strange", [{}, {"configs": "x"}, {"configs": [1]}, {"configs": [{"config_name": "default"}]}])
def test_a_card_that_says_nothing_is_passed_over(strange: dict[str, Any]) -> None:
    assert parts(["data/train-0.parquet"], PLACE, strange) == {"train": ("data/train-0.parquet",)}


def test_a_configuration_is_also_a_folder() -> None:
    paths = ["x/train-0.parquet", "y/train-0.parquet", "y/test-0.parquet"]
    assert parts(paths, HubPlace("a/b", config="y")) == {"train": ("y/train-0.parquet",), "test": ("y/test-0.parquet",)}
    with pytest.raises(UnknownName, match="known: x, y"):
        parts(paths, HubPlace("a/b", config="zzz"))


def test_splits_that_a_person_names() -> None:
    paths = ["validation-0.parquet", "test-0.parquet"]
    with pytest.raises(BadInput, match=r"has the splits validation, test and none named train; choose: --split train="):
        parts(paths)
    chosen = HubPlace("a/b", splits=(("train", "test"), ("val", "validation")))
    assert parts(paths, chosen) == {"train": ("test-0.parquet",), "val": ("validation-0.parquet",)}
    listed = card(default={"few_shot": "few/*", "train": "many/*"})
    chosen = HubPlace("a/b", splits=(("train", "few_shot"),))
    assert parts(["few/0.parquet", "many/0.parquet"], chosen, listed) == {"train": ("few/0.parquet",)}
    with pytest.raises(UnknownName, match=r"split of hf:a/b 'zzz'; known: few_shot, train"):
        parts(["few/0.parquet", "many/0.parquet"], HubPlace("a/b", splits=(("train", "zzz"),)), listed)


def test_what_has_no_data_says_so() -> None:
    with pytest.raises(
        BadInput, match=r"loading script and no data files; scripts are never run; .*@refs/convert/parquet"
    ):
        parts(["birds.py", "README.md"])
    with pytest.raises(BadInput, match=r"has files of \.zip; expected Parquet"):
        parts(["data.zip"])
    with pytest.raises(BadInput, match="no files"):
        parts([])


def test_a_script_beside_data_is_never_chosen() -> None:
    found = layout(["b.py", "data/train-0.parquet", "data/load.py"], {}, PLACE)
    assert found.files == ("data/train-0.parquet",)


def test_paths_stay_inside_and_visible() -> None:
    found = parts(
        ["train-0.parquet", "../train-1.parquet", "/train-2.parquet", ".hidden/train-3.parquet", "a\\train.parquet"]
    )
    assert found == {"train": ("train-0.parquet",)}


def test_a_missing_shard_is_seen() -> None:
    with pytest.raises(BadInput, match="1 of 3 files of a split"):
        parts(["data/train-00001-of-00003.parquet", "data/test-00000-of-00001.parquet"])


def test_patterns_of_a_place_come_first() -> None:
    place = HubPlace("a/b", files=("data/*.parquet",))
    assert parts(["data/train-0.parquet", "old/train-0.parquet"], place) == {"train": ("data/train-0.parquet",)}


def test_classes_and_licences_of_cards() -> None:
    label = {"name": "label", "dtype": {"class_label": {"names": {"10": "k", "0": "a", "1": "b"}}}}
    info = {"features": [{"name": "image", "dtype": "image"}, label]}
    assert card_names({"dataset_info": info}, PLACE) == {"label": ("a", "b", "k")}
    assert card_names({"dataset_info": [info]}, PLACE) == {"label": ("a", "b", "k")}
    assert card_names({"dataset_info": "x"}, PLACE) == card_names({}, PLACE) == {}
    assert licence({"license": "cc-by-4.0"}) == "cc-by-4.0"
    assert licence({"license": ["mit", "unknown"]}) == "mit, unknown"
    assert (
        licence({"license": "other", "license_name": "own-1", "license_link": "https://x"}) == "other, own-1, https://x"
    )
    assert licence({}) == ""
