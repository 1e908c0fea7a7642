"""The registry of places, and places as a person writes them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from t2s_offline.errors import BadFile, BadInput, UnknownName
from t2s_offline.task_places import (
    PLACES,
    TORCHVISION_PARTS,
    HubPlace,
    ManualPlace,
    TorchvisionPlace,
    as_json,
    from_json,
    place_of,
    splits_of,
)
from t2s_offline.tasks import PAPER_TASKS


@pytest.fixture(autouse=True)
def no_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("T2S_IMAGE_COLUMN", "T2S_LABEL_COLUMN", "T2S_SPLITS"):
        monkeypatch.delenv(name, raising=False)


def test_eighteen_of_twenty_need_no_person() -> None:
    assert list(PLACES) == [one.name for one in PAPER_TASKS]
    kinds = [type(place) for place in PLACES.values()]
    assert [kinds.count(kind) for kind in (TorchvisionPlace, HubPlace, ManualPlace)] == [6, 12, 2]
    manual = {name: place for name, place in PLACES.items() if isinstance(place, ManualPlace)}
    assert set(manual) == {"CactusAerial", "Kaokore"}
    assert all(place.step and place.why and f"DATA/{name}" in place.step for name, place in manual.items())


def test_every_place_says_which_layout_it_expects() -> None:
    for name, place in PLACES.items():
        assert place.licence, name
        if isinstance(place, TorchvisionPlace):
            assert place.name == name
            assert TORCHVISION_PARTS[name]
        elif isinstance(place, HubPlace):
            assert place_of(str(place)).repo == place.repo
            assert place.revision == "main" or len(place.revision) == 40
            # where columns are not declared, what is known says that they were not seen
            assert (place.image and place.label) or "columns" not in place.known, name
            assert place.known
    assert {place.where for name, place in PLACES.items() if isinstance(place, HubPlace) and "Pacs" in name} == {
        ("domain", ("cartoon",)), ("domain", ("sketch",)),
    }  # fmt: skip


def test_what_torchvision_opens_is_there() -> None:
    from torchvision import datasets

    assert all(hasattr(datasets, name) for name in TORCHVISION_PARTS)


def test_a_place_as_text() -> None:
    assert place_of("hf:a/b") == HubPlace("a/b")
    assert place_of("hf:a/b@refs/convert/parquet:x-y") == HubPlace("a/b", "refs/convert/parquet", "x-y")
    for text in ("hf:a/b", "hf:a/b@v1", "hf:a/b:small", "hf:a/b@v1:small"):
        assert str(place_of(text)) == text
    assert place_of("torchvision:SVHN") == PLACES["SVHN"]
    assert place_of("torchvision:MNIST") == TorchvisionPlace("MNIST")
    for text in ("hf:", "hf:birds", "hf:a/b/c", "hf:../b", "hf:a/..", "hf:a/b@", "hf:a/b:", "hf:a b/c", "hf:-a/b"):
        with pytest.raises(BadInput, match=r"expected hf:OWNER/NAME\[@REVISION\]"):
            place_of(text)
    with pytest.raises(UnknownName, match="did you mean USPS"):
        place_of("torchvision:USP")


def test_columns_and_splits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T2S_IMAGE_COLUMN", "img")
    monkeypatch.setenv("T2S_LABEL_COLUMN", "fine_label")
    monkeypatch.setenv("T2S_SPLITS", "train=train, test=few_shot")
    wanted = HubPlace("a/b", image="img", label="fine_label", splits=(("train", "train"), ("test", "few_shot")))
    assert place_of("hf:a/b") == wanted
    for text in ("test=x", "train", "train=", "train=a,train=b", "rest=a", "train=a,"):
        with pytest.raises(BadInput, match="splits"):
            splits_of(text)


def test_a_place_is_recorded_and_read_again() -> None:
    for place in PLACES.values():
        if not isinstance(place, ManualPlace):
            assert from_json(json.loads(json.dumps(as_json(place))), "record") == place
    good = as_json(HubPlace("a/b"))
    assert from_json({**good, "further": 1}, "record") == HubPlace("a/b")
    for bad in ([], {}, {**good, "kind": "x"}, {"kind": "hf"}, {**good, "repo": 1}, {**good, "drop": {"a": 1}}):
        with pytest.raises(BadFile, match="record names no place"):
            from_json(bad, "record")


def test_the_two_of_pacs_are_one_dataset() -> None:
    cartoon, sketch = PLACES["PacsC"], PLACES["PacsS"]
    assert isinstance(cartoon, HubPlace)
    assert replace(cartoon, where=("domain", ("sketch",))) == sketch
