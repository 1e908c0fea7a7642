"""Tasks downloaded into the folder of tasks: present when whole, recorded, and refused when they are others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from t2s_offline import task_places, tasks
from t2s_offline.errors import BadFile, BadInput
from t2s_offline.images.hub_record import read_record, write_record
from t2s_offline.images.hub_task import _fetched
from t2s_offline.images.task_counts import counts
from t2s_offline.images.task_data import load_task, task_digest
from t2s_offline.images.task_download import download, origin_of, record_of
from t2s_offline.task_places import HubPlace
from t2s_offline.tasks import PAPER_TASKS, Located, locate, present
from tests import hub_repos
from tests.hub_server import Hub, serving


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has PACS, in small: two domains and the seven classes of the registry."""
    count = 280
    names = ["dog", "elephant", "giraffe", "guitar", "horse", "house", "person"]
    hub_repos.write_parquet(
        tmp_path / "hub" / "flwrlabs" / "pacs" / "data" / "train-00000-of-00001.parquet",
        [number % 7 for number in range(count)], names=names,
        extra={"domain": ["cartoon" if number % 4 else "sketch" for number in range(count)]},
    )  # fmt: skip
    hub_repos.write_card(tmp_path / "hub" / "flwrlabs" / "pacs", "license: unknown")
    place = task_places.PLACES["PacsC"]
    assert isinstance(place, HubPlace)
    monkeypatch.setitem(task_places.PLACES, "PacsC", replace(place, revision="main"))
    small = next(replace(task, images=210) for task in PAPER_TASKS if task.name == "PacsC")
    monkeypatch.setitem(tasks._BY_NAME, "PacsC", small)
    _fetched.cache_clear()
    with serving(tmp_path / "hub") as served:
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        for name in ("HF_HUB_OFFLINE", "T2S_MAX_SIZE", "T2S_ANY_VERSION", "T2S_DATA"):
            monkeypatch.delenv(name, raising=False)
        (tmp_path / "data").mkdir()
        yield served


def test_a_registered_task_by_name(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, told = tmp_path / "data", list[str]()
    download("PacsC", data, told.append)
    assert "7 classes, pictures: train 210" in told[-1]
    assert "licence unknown" in told[-1]
    located = locate("PacsC", data)
    assert (located.kind, located.path) == ("hub", data / "PacsC")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub.log.clear()
    task = load_task(located, 16)
    assert (task.version, len(task.classes)) == ("as published", 7)
    assert {part: len(one) for part, one in task.parts.items()} == {"train": 133, "val": 35, "test": 42}
    assert task.digest == task_digest("PacsC", data)
    assert not hub.log
    assert counts(located) == (7, 210)
    assert sorted(path.name for path in (data / "PacsC").iterdir()) == ["README.md", "data", "source.json"]
    download("PacsC", data, told.append)
    assert "is there already" in told[-1]


def test_what_was_downloaded_is_recorded(hub: Hub, tmp_path: Path) -> None:
    data = tmp_path / "data"
    download("PacsC", data, lambda line: None)
    located = locate("PacsC", data)
    record = record_of(located)
    assert record is not None
    assert record.revision == hub.commit("flwrlabs/pacs")
    said = json.loads(origin_of(located))
    assert said["place"] == "hf:flwrlabs/pacs"
    assert said["pictures"] == {"train": 210}
    assert set(said["carved"]) == {"val", "test"}
    assert [len(sha256) for sha256 in said["files"].values()] == [64]
    assert load_task(located, 8).origin == origin_of(located)
    assert origin_of(Located("digits", "embedded")) == "embedded"


def test_an_unfinished_download_is_no_task(hub: Hub, tmp_path: Path) -> None:
    data = tmp_path / "data"
    file = "data/train-00000-of-00001.parquet"
    hub.forged.add(file)
    with pytest.raises(BadFile, match="has hash"):
        download("PacsC", data, lambda line: None)
    assert [located.name for located in present(data)] == ["digits"]
    hub.forged.clear()
    download("PacsC", data, lambda line: None)
    assert [located.name for located in present(data)] == ["digits", "PacsC"]


def test_other_pictures_than_the_papers_are_refused(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    monkeypatch.setitem(tasks._BY_NAME, "PacsC", replace(tasks._BY_NAME["PacsC"], images=2344))
    with pytest.raises(BadInput, match=r"PacsC has 7 classes and 210 pictures; expected 7 classes and 2344"):
        download("PacsC", data, lambda line: None)
    assert [located.name for located in present(data)] == ["digits"]
    monkeypatch.setenv("T2S_ANY_VERSION", "1")
    hub.log.clear()
    download("PacsC", data, lambda line: None)  # what was downloaded is not downloaded again
    assert not [path for method, path, _ in hub.log if method == "GET" and path.endswith(".parquet")]
    assert locate("PacsC", data).kind == "hub"


def test_columns_that_changed_are_one_line(hub: Hub, tmp_path: Path) -> None:
    hub_repos.write_parquet(
        tmp_path / "hub" / "flwrlabs" / "pacs" / "data" / "train-00000-of-00001.parquet", [0, 1], names=("a", "b")
    )
    with pytest.raises(BadFile, match=r"has the columns image, label; expected domain; the dataset has changed since"):
        download("PacsC", tmp_path / "data", lambda line: None)


def test_what_a_person_has_to_do_is_said(tmp_path: Path) -> None:
    for name, words in (("CactusAerial", "Kaggle"), ("Kaokore", "run download.py of github.com/rois-codh/kaokore")):
        with pytest.raises(BadInput, match=f"{name} cannot be downloaded by itself: .*{words}"):
            download(name, tmp_path, lambda line: None)
    with pytest.raises(BadInput, match="digits needs no download"):
        download("digits", tmp_path, lambda line: None)


def test_a_folder_of_tasks_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("T2S_DATA", raising=False)
    with pytest.raises(BadInput, match="no folder to download PacsC to; set T2S_DATA to one, or give --data DIR"):
        download("PacsC", None, lambda line: None)


@pytest.mark.parametrize(
    "change",
    [
        {"record": 9}, {"parts": {"train": ["../../secret.parquet"]}}, {"parts": {"train": ["/etc/passwd"]}},
        {"parts": {"rest": []}}, {"place": {"kind": "x"}}, {"form": "script"}, {"files": 3}, {"beside": ["a/../../b"]},
    ],
)  # fmt: skip
def test_a_record_of_others_names_no_file_elsewhere(hub: Hub, tmp_path: Path, change: dict[str, object]) -> None:
    data = tmp_path / "data"
    download("PacsC", data, lambda line: None)
    path = data / "PacsC" / "source.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BadFile, match=r"source\.json|names no place"):
        load_task("PacsC", 8, data=data)
    path.write_text("{")
    with pytest.raises(BadFile, match="is no record of a download"):
        read_record(data / "PacsC")


def test_a_record_is_written_and_read_again(hub: Hub, tmp_path: Path) -> None:
    data = tmp_path / "data"
    download("PacsC", data, lambda line: None)
    record = read_record(data / "PacsC")
    (tmp_path / "again").mkdir()
    write_record(tmp_path / "again", record)
    assert read_record(tmp_path / "again") == record
    many = replace(record, files={f"{number}.png": (1, "0" * 64) for number in range(50)})
    assert json.loads(many.text)["files"]["count"] == 50


def test_a_place_is_a_task_by_its_own_name(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T2S_LABEL_COLUMN", "domain")
    task = load_task(locate("hf:flwrlabs/pacs", paths=True), 8)
    assert (task.name, task.classes) == ("flwrlabs--pacs", ("cartoon", "sketch"))
    told: list[str] = []
    download("hf:flwrlabs/pacs", None, told.append)
    assert "2 classes, pictures: train 280" in told[-1]


def test_a_dataset_of_torchvision_is_recorded_and_named_by_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image
    from torchvision import datasets

    asked: list[bool] = []

    class USPS(list[tuple[Image.Image, int]]):
        def __init__(self, root: str, *, download: bool, train: bool) -> None:
            asked.append(download)
            if download:
                (Path(root) / f"usps-{train}.bz2").write_bytes(b"archive")
            super().__init__(
                (Image.new("L", (16, 16), 8 * number), number % 10) for number in range(60 if train else 20)
            )

    monkeypatch.setattr(datasets, "USPS", USPS)
    monkeypatch.setenv("T2S_ANY_VERSION", "1")
    monkeypatch.setenv("T2S_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("T2S_DATA", raising=False)
    download("USPS", tmp_path, print)
    located = locate("USPS", tmp_path)
    assert (located.kind, counts(located)) == ("torchvision", (10, 80))
    said = json.loads(origin_of(located))
    assert (said["place"], said["pictures"], len(said["files"])) == ("torchvision:USPS", {"train": 60, "test": 20}, 2)
    asked.clear()
    assert load_task(located, 8).digest
    assert asked == [False, False]
    task = load_task(locate("torchvision:USPS", paths=True), 8)  # without a folder of tasks: in the user's cache
    assert (task.name, task.source) == ("USPS", str(tmp_path / "cache" / "torchvision" / "USPS"))
    asked.clear()
    load_task(locate("torchvision:USPS", paths=True), 8)
    assert asked == [False, False]
    monkeypatch.setenv("T2S_MAX_SIZE", "1MB")
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(BadInput, match="torchvision:USPS is 9 MB; at most 1 MB"):
        download("torchvision:USPS", other, print)
