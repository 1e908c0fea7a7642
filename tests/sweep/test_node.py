"""Cores and GPUs of a node: what the process may use, not what the machine has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from t2s_offline.sweep import node


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "250000 100000"}, 2.5),
        ({"job/step/cpu.max": "max 100000", "job/cpu.max": "300000 100000"}, 3.0),
        ({"job/step/cpu.max": "100000 100000", "job/cpu.max": "300000 100000"}, 1.0),
        ({"cpu.max": "nonsense"}, None),
        ({}, None),
    ],
)
def test_the_quota_of_version_2(tmp_path: Path, groups: dict[str, str], expected: float | None) -> None:
    own = written(tmp_path, {"own": "0::/job/step\n"}) / "own"
    assert node.cpu_quota(written(tmp_path / "groups", groups or {"x": ""}), own) == expected


@pytest.mark.parametrize(("quota", "expected"), [("-1", None), ("400000", 4.0)])
def test_the_quota_of_version_1(tmp_path: Path, quota: str, expected: float | None) -> None:
    own = written(tmp_path, {"own": "4:memory:/m\n3:cpu,cpuacct:/docker/abc\n0::/\n"}) / "own"
    files = {"docker/abc/cpu.cfs_quota_us": quota, "docker/abc/cpu.cfs_period_us": "100000"}
    groups = written(tmp_path / "groups" / "cpu,cpuacct", files).parent
    assert node.cpu_quota(groups, own) == expected


def test_cores_are_those_of_the_affinity_and_the_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)))
    for quota, cores in ((None, 6), (2.5, 2), (0.5, 1), (64.0, 6)):
        monkeypatch.setattr(node, "cpu_quota", lambda quota=quota: quota)
        assert node.cores() == cores
    monkeypatch.setattr(node, "gpus", list)
    assert node.default_workers("auto") == node.default_workers("cpu") == 6
    assert node.default_workers("cuda:1") == 1


LISTED = """GPU 0: NVIDIA A100 (UUID: GPU-aa)
  MIG 3g.20gb     Device  0: (UUID: MIG-one)
  MIG 3g.20gb     Device  1: (UUID: MIG-two)
GPU 1: NVIDIA A100 (UUID: GPU-bb)
"""


def test_gpus_are_found_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(node.VISIBLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(node, "GPUS", tmp_path / "gpus")
    assert node.gpus() == []
    written(tmp_path / "gpus", {"0000:01:00.0/x": "", "0000:02:00.0/x": ""})
    assert node.gpus() == ["0", "1"]
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho '{LISTED}'\n")
    program.chmod(0o755)
    assert node.gpus() == ["MIG-one", "MIG-two", "1"]
    program.write_text("#!/bin/sh\nexit 9\n")
    assert node.gpus() == ["0", "1"]
    for given, names in (("", []), ("1,3", ["1", "3"]), ("-1", []), ("0,-1,2", ["0"])):
        monkeypatch.setenv(node.VISIBLE, given)
        assert node.gpus() == names


def test_every_worker_has_a_gpu_and_its_share_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(node.VISIBLE, "4,5")
    monkeypatch.setattr(node, "cores", lambda: 8)
    for name in node.THREADS:
        monkeypatch.delenv(name, raising=False)
    found = node.environments("auto", 2)
    assert [one[node.VISIBLE] for one in found] == ["4", "5"]
    assert {one["OMP_NUM_THREADS"] for one in found} == {"4"}
    assert [one[node.VISIBLE] for one in node.environments("cuda", 3)] == ["4", "5", "4"]
    assert all(node.VISIBLE not in one for one in node.environments("cpu", 2))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert node.environments("cpu", 2)[0]["OMP_NUM_THREADS"] == "1", "what the person set stays"
