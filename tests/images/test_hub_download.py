"""Downloading from a hub on loopback: resumed, checked, bounded, offline, and one line for what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from t2s_offline.errors import BadInput, UnknownName, WrongHash
from t2s_offline.images import download_limits
from t2s_offline.images.download_limits import bytes_of, check_room, human, most_bytes
from t2s_offline.images.hub_download import fetch
from t2s_offline.images.hub_task import open_record
from t2s_offline.task_places import HubPlace
from tests import hub_repos
from tests.hub_server import Hub, serving

BIRDS = HubPlace("someone/birds")
SHARD = "data/train-00000-of-00002.parquet"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with three datasets, and an empty cache."""
    hub_repos.birds(tmp_path / "hub")
    hub_repos.sketches(tmp_path / "hub")
    hub_repos.leaves(tmp_path / "hub")
    with serving(tmp_path / "hub") as served:
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        for name in ("HF_HUB_OFFLINE", "T2S_MAX_SIZE", "HF_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield served


def got(hub: Hub, name: str = "") -> list[tuple[str, str]]:
    """(path, range) of the files' bytes that were sent, since this was asked last."""
    found = [(path, span) for method, path, span in hub.log if method == "GET" and "/resolve/" in path and name in path]
    hub.log.clear()
    return found


@pytest.mark.parametrize("name", ["birds", "sketches", "leaves"])
def test_every_layout_into_the_cache_and_into_a_folder(hub: Hub, tmp_path: Path, name: str) -> None:
    place = HubPlace(f"someone/{name}")
    folder, record = fetch(place)
    assert folder.is_relative_to(tmp_path / "cache")
    assert record.revision == hub.commit(f"someone/{name}")
    own, again = fetch(place, tmp_path / "own")
    assert (own, again) == (tmp_path / "own", record)
    assert open_record(folder, record).digests() == open_record(own, again).digests()
    assert all(len(sha256) == 64 and size for size, sha256 in record.files.values())
    licences = {"birds": "cc-by-4.0", "sketches": "not stated", "leaves": "other, leaves-1.0"}
    assert record.licence == licences[name]


def test_what_is_there_is_not_downloaded_again(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for into in (None, tmp_path / "own"):
        fetch(BIRDS, into)
        assert got(hub)
        fetch(BIRDS, into)
        assert not got(hub)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "another"))  # from which files would be copied
    reported: list[tuple[int, int]] = []
    fetch(BIRDS, tmp_path / "third", lambda done, total: reported.append((done, total)))
    assert reported[-1][0] == reported[-1][1] > 1000
    assert [done for done, _ in reported] == sorted(done for done, _ in reported)


def test_a_broken_transfer_goes_on_where_it_was(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1024)  # what is written at a time, 10 MB by default
    hub.broken[SHARD] = 16 << 10
    folder, record = fetch(BIRDS)
    assert [span for _, span in got(hub, SHARD)] == ["", "bytes=16384-"]
    assert open_record(folder, record).pictures == {"train": 36, "test": 18}


def test_a_run_that_was_killed_goes_on_with_the_files_that_are_not_whole(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.file_download as module

    def gone(seconds: float) -> None:
        raise KeyboardInterrupt

    hub.broken[SHARD] = 8 << 10
    with monkeypatch.context() as patched:
        patched.setattr(module.time, "sleep", gone)  # between a broken transfer and its next try
        with pytest.raises(KeyboardInterrupt):
            fetch(BIRDS, tmp_path / "own")
    whole = {path.name for path in (tmp_path / "own").rglob("*.parquet")}
    assert Path(SHARD).name not in whole
    got(hub)
    fetch(BIRDS, tmp_path / "own")
    again = {Path(path).name for path, _ in got(hub, ".parquet")}
    assert Path(SHARD).name in again
    assert not whole & again
    assert (tmp_path / "own" / SHARD).read_bytes() == (hub.root / "someone/birds" / SHARD).read_bytes()


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("name", [SHARD, "README.md"])
def test_a_wrong_hash_is_refused_and_removed(hub: Hub, tmp_path: Path, cached: bool, name: str) -> None:
    hub.forged.add(name)
    into = None if cached else tmp_path / "own"
    with pytest.raises(WrongHash, match=rf"hf:someone/birds: {name} has hash .*; expected .*; it was removed"):
        fetch(BIRDS, into)
    assert not list((tmp_path / "cache" if cached else tmp_path / "own").rglob(Path(name).name))
    hub.forged.clear()
    folder, record = fetch(BIRDS, into)
    assert open_record(folder, record).pictures == {"train": 36, "test": 18}


def test_offline_it_uses_the_cache(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, record = fetch(BIRDS)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub.log.clear()
    assert fetch(BIRDS) == (folder, record)
    assert fetch(HubPlace("someone/birds", record.revision))[0] == folder
    assert not hub.log
    (folder / SHARD).unlink()
    with pytest.raises(BadInput, match="1 of 2 files of a split are there; download it again with a network"):
        fetch(BIRDS)
    for strange in (HubPlace("someone/sketches"), HubPlace("someone/birds", "v9")):
        with pytest.raises(BadInput, match=r"is not in the hub's cache .*, and HF_HUB_OFFLINE is set; download"):
            fetch(strange)


def test_one_line_for_what_the_hub_refuses(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.gated.add("someone/birds")
    with pytest.raises(BadInput, match=r"is gated: accept its terms at http://127.*/datasets/someone/birds, then"):
        fetch(BIRDS)
    with pytest.raises(BadInput, match=r"has no dataset someone/fish, or it is private"):
        fetch(HubPlace("someone/fish"))
    with pytest.raises(BadInput, match="no revision 'v9' of it"):
        fetch(HubPlace("someone/leaves", "v9"))
    with pytest.raises(UnknownName, match="configuration of someone/leaves"):
        fetch(HubPlace("someone/leaves", config="small"))


def test_no_network_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        BadInput, match=r"cannot download hf:someone/birds from http://127.0.0.1:9: .*HF_HUB_OFFLINE=1"
    ) as e:
        fetch(BIRDS)
    assert "\n" not in str(e.value)


def test_a_download_is_bounded_before_it_starts(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("T2S_MAX_SIZE", "5 kB")
    with pytest.raises(BadInput, match=r"hf:someone/birds is \d+ kB; at most 5 kB is downloaded; .* --max-size"):
        fetch(BIRDS)
    assert [path for path, _ in got(hub) if "data/" in path] == []
    monkeypatch.setenv("T2S_MAX_SIZE", "1GB")
    monkeypatch.setattr(download_limits, "SPARE", 10**18)
    with pytest.raises(BadInput, match=r"needs .* GB at .*, which has .* GB free; make room there"):
        fetch(BIRDS, tmp_path / "own")
    assert [path for path, _ in got(hub) if "data/" in path] == []
    monkeypatch.undo()


def test_sizes() -> None:
    assert [bytes_of(text) for text in ("10", "1kB", "2.5 MB", "3GB", "1T")] == [10, 1000, 2500000, 3 * 10**9, 10**12]
    assert [human(size) for size in (5, 1500, 2.5e6, 3e9)] == ["5 B", "2 kB", "2 MB", "3.0 GB"]
    for text in ("", "x", "-1", "1 XB", "1e9"):
        with pytest.raises(BadInput, match="expected a number of bytes"):
            bytes_of(text)
    check_room(0, Path("/nowhere/at/all"), "nothing")


def test_the_largest_download_is_ten_gigabytes_unless_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("T2S_MAX_SIZE", raising=False)
    assert most_bytes() == 10**10
    monkeypatch.setenv("T2S_MAX_SIZE", "20GB")
    assert most_bytes() == 2 * 10**10


def test_nothing_that_could_run_is_downloaded(hub: Hub, tmp_path: Path) -> None:
    (hub.root / "someone/birds/birds.py").write_text("raise SystemExit")
    (hub.root / "someone/birds/data/model.pkl").write_bytes(b"x")
    folder, record = fetch(BIRDS, tmp_path / "own")
    names = {path.name for path in folder.rglob("*") if path.is_file() and ".cache" not in path.parts}
    assert names == {"README.md", *(path.rpartition("/")[2] for path in record.files)}
    assert np.all([name.endswith((".md", ".parquet")) for name in names])
