"""The authors' files: read, checked, and refused when they differ."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from t2s_offline.errors import BadFile, BadInput, WrongHash
from t2s_offline.space import TASK2SIM
from t2s_offline.store import fetch_published, schema
from t2s_offline.store.reward_store import RewardStore


def their_key(configuration: str) -> str:
    """The authors' key of a configuration, written out by hand from their alphabetical order."""
    rotation, distance, intensity, colour, direction, blur, background, materials = configuration
    return "_".join([background, blur, colour, direction, intensity, "13"[int(materials)], "0", rotation, distance])


def test_keys_of_every_configuration() -> None:
    assert fetch_published.configuration_of("0_0_0_0_0_3_0_0_0") == "00000001"
    assert [fetch_published.configuration_of(their_key(ours)) for ours in TASK2SIM] == list(TASK2SIM)


@pytest.mark.parametrize(
    "key", ["0_0_0_0_0_3_0_0", "0_0_0_0_0_2_0_0_0", "0_0_0_0_0_1_1_0_0", "2_0_0_0_0_1_0_0_0", "", "0_0_0_0_0_1_0_0_0_0"]
)
def test_keys_that_cannot_be(key: str) -> None:
    with pytest.raises(BadInput, match="expected"):
        fetch_published.configuration_of(key)


def whole_table() -> dict[str, dict[str, object]]:
    return {"CUB": {their_key(configuration): 1.0 for configuration in TASK2SIM}}


def test_a_whole_table_is_read() -> None:
    assert len(fetch_published.parse_rewards(json.dumps(whole_table()).encode())["CUB"]) == 256


@pytest.mark.parametrize("value", [float("nan"), -1, 100.5, "3", None, True, [1]])
def test_rewards_that_cannot_be(value: object) -> None:
    table = whole_table()
    table["CUB"][their_key("00000000")] = value
    with pytest.raises(BadInput, match="expected percent"):
        fetch_published.parse_rewards(json.dumps(table).encode())


def test_a_missing_configuration_is_named() -> None:
    table = whole_table()
    del table["CUB"][their_key("01010101")]
    with pytest.raises(BadInput, match="CUB lacks 1 of 256 configurations, first 01010101"):
        fetch_published.parse_rewards(json.dumps(table).encode())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"CUB": 3}', b"\xff\xfe"])
def test_files_that_are_no_table(content: bytes) -> None:
    with pytest.raises(BadInput, match=r"reward_db\.json"):
        fetch_published.parse_rewards(content)


def test_no_code_of_an_embedding_file_is_run(tmp_path: Path) -> None:
    path = tmp_path / "evil.pt"
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    with pytest.raises(BadFile, match=r"evil\.pt"):
        fetch_published.parse_embeddings(path)
    assert not (tmp_path / "ran").exists()


def test_the_published_table(published_store: RewardStore) -> None:
    matrix, embeddings = published_store.matrix(), published_store.embeddings()
    assert matrix.reward_TC.shape == (20, 256)
    assert matrix.measured_C.all()
    assert embeddings.vector_TD.shape == (20, 9600)
    assert sorted(published_store.tasks().values()) == ["seen"] * 12 + ["unseen"] * 8
    assert published_store.recipes() == {"task2sim-cvpr2022": TASK2SIM}


def test_fetching_twice_changes_nothing(published_store: RewardStore, task2sim_folder: Path) -> None:
    before = {name: published_store.frame(name) for name in schema.TABLES}
    assert set(fetch_published.fetch_task2sim(published_store, task2sim_folder).values()) == {0}
    assert all(published_store.frame(name).equals(frame) for name, frame in before.items())


def test_a_wrong_hash_writes_nothing(task2sim_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(task2sim_folder, folder)
    rewards = folder / fetch_published.REWARDS.name
    rewards.chmod(0o644)
    rewards.write_bytes(rewards.read_bytes() + b" ")
    with pytest.raises(WrongHash, match=r"reward_db\.json has sha256"):
        fetch_published.fetch_task2sim(RewardStore(tmp_path / "s.duckdb"), folder)
    assert not (tmp_path / "s.duckdb").exists()


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"reward_db\.json"):
        fetch_published.fetch_task2sim(RewardStore(tmp_path / "s.duckdb"), tmp_path)


def test_without_a_network_the_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_published, "URL", "http://127.0.0.1:9/task2sim")  # the discard port: nobody listens
    with pytest.raises(BadFile, match="--from DIR"):
        fetch_published.fetch_task2sim(RewardStore(tmp_path / "s.duckdb"))
