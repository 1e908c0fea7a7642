"""The probe of the authors' vectors is read from torchvision's file or safetensors; other files are refused."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from t2s_offline.errors import BadFile
from t2s_offline.tasks import PAPER_PROBE
from t2s_offline.training import imagenet_probe
from t2s_offline.training.task2vec import IMAGENET, made_by, open_probe, probe_name


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in for torchvision's file: the same names and shapes, other numbers."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / imagenet_probe.FILE
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), path)
    return path


def test_both_kinds_of_file_give_the_same_probe(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = torch.load(weights, weights_only=True)
    save_file(state, tmp_path / "model.safetensors")
    probes = [open_probe(str(path)) for path in (weights, tmp_path / "model.safetensors")]
    assert probes[0].name == probes[1].name
    assert probes[0].name.startswith(f"{IMAGENET}-")  # not torchvision's own file, and its name says so
    assert (probes[0].size, probes[0].resize) == (224, 256 / 224)
    assert torch.equal(probes[0].backbone.trunk.conv1.weight, state["conv1.weight"])  # type: ignore[union-attr,arg-type]
    monkeypatch.setattr(imagenet_probe, "DIGEST", hashlib.sha256(weights.read_bytes()).hexdigest()[:8])
    assert open_probe(str(weights)).name == IMAGENET


class Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("code ran",)


def test_anything_else_is_refused_without_running_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], weights: Path
) -> None:
    (tmp_path / "code.pth").write_bytes(pickle.dumps(Code()))
    torch.save({"conv1.weight": torch.zeros(2)}, tmp_path / "small.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    (tmp_path / "cut.pth").write_bytes(weights.read_bytes()[:1000])
    torch.save(torchvision.models.resnet34(weights=None).state_dict(), tmp_path / "resnet34.pth")
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(BadFile, match=imagenet_probe.FILE):
            open_probe(str(path))
    assert "code ran" not in capsys.readouterr().out


def test_without_a_network_the_message_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", offline)
    with pytest.raises(BadFile, match=rf"no route to host; bring .*{imagenet_probe.FILE}.* --probe FILE"):
        open_probe(IMAGENET)


def test_a_name_says_how_embeddings_were_made(weights: Path) -> None:
    theirs = made_by(PAPER_PROBE)
    assert (theirs.probe, theirs.size, theirs.estimator, theirs.samples) == (IMAGENET, 224, "batch", 10_000)
    probe = open_probe(str(weights))
    for estimator, samples in (("sample", 1000), ("batch", 10_000), ("batch", 77), ("variational", 10_000)):
        made = made_by(probe_name(probe, 64, estimator, samples))
        assert (made.probe, made.size, made.estimator, made.samples) == (probe.name, 64, estimator, samples)
