"""Networks, their files, augmentation and training states."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from t2s_offline.device import open_device
from t2s_offline.errors import BadFile, BadInput, UnknownName
from t2s_offline.images.augment import OPS, TABLE_OPS, Augment, affine, beta, looked_up, mix
from t2s_offline.training.networks import WIDTHS, build, extract, halve, linear_head, load_backbone, save_backbone


def pictures(count: int = 6, size: int = 32, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("arch", WIDTHS)
def test_features_of_every_network(arch: str) -> None:
    backbone = build(arch, seed=1)
    feature = extract(backbone, pictures(2))
    assert feature.shape == (2, WIDTHS[arch])
    assert torch.isfinite(feature).all()


def test_weights_come_from_the_seed_alone() -> None:
    before = torch.random.get_rng_state()
    one, two, other = (build("resnet18-narrow", seed=seed) for seed in (3, 3, 2**100))
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(one.trunk.conv1.weight, two.trunk.conv1.weight)
    assert not torch.equal(one.trunk.conv1.weight, other.trunk.conv1.weight)
    with pytest.raises(UnknownName, match="resnet18"):
        build("resnet", seed=0)


def test_features_do_not_depend_on_the_batch() -> None:
    backbone = build("resnet18-narrow", seed=0).train()
    image = pictures(7)
    torch.testing.assert_close(extract(backbone, image, batch=3), extract(backbone, image), rtol=1e-4, atol=1e-5)
    assert backbone.training
    assert extract(backbone, image[:0]).shape == (0, 256)
    half = extract(backbone, image, autocast=True)
    assert half.dtype == torch.float32
    assert torch.nn.functional.cosine_similarity(half, extract(backbone, image)).min() > 0.99


def test_a_backbone_is_read_back_as_it_was(tmp_path: Path) -> None:
    backbone, head = build("resnet18-narrow", seed=0), linear_head(256, 5, seed=1)
    halve(backbone), halve(head)
    path = tmp_path / "deep" / "one.safetensors"
    save_backbone(path, backbone, head, {"seed": 3})
    saved = load_backbone(path)
    assert torch.equal(extract(backbone, pictures()), extract(saved.backbone, pictures()))
    assert saved.head is not None
    assert torch.equal(saved.head.weight, head.weight)
    assert saved.card["seed"] == 3
    parameters = sum(p.numel() for p in backbone.parameters())
    assert path.stat().st_size < 2.2 * parameters
    assert [file.name for file in path.parent.iterdir()] == ["one.safetensors"]
    save_backbone(path, backbone, None, {})
    assert load_backbone(path).head is None


def test_files_that_are_no_backbone(tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    with pytest.raises(BadFile, match="no backbone at"):
        load_backbone(path)
    for content in (b"", b"\x80\x04K\x01.", b"x" * 200):
        path.write_bytes(content)
        with pytest.raises(BadFile, match="is not safetensors"):
            load_backbone(path)
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(BadFile, match="no backbone of this package"):
        load_backbone(path)
    backbone = build("resnet18-narrow", seed=0)
    save_backbone(path, backbone, None, {})
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(BadFile, match="is not safetensors"):
        load_backbone(path)
    path.write_bytes(
        whole.replace(b"resnet18-narrow", b"resnet50       ", 1).replace(b"resnet50       ", b"resnet50-------")
    )
    with pytest.raises(BadFile):
        load_backbone(path)


def test_weights_beyond_half_precision_are_refused(tmp_path: Path) -> None:
    backbone = build("resnet18-narrow", seed=0)
    with torch.no_grad():
        backbone.trunk.conv1.weight[0] = 1e6
    with pytest.raises(BadInput, match=r"conv1\.weight is not finite"):
        save_backbone(tmp_path / "a.safetensors", backbone, None, {})
    (tmp_path / "file").write_text("")
    with pytest.raises(BadFile, match="cannot write"):
        save_backbone(tmp_path / "file" / "a.safetensors", build("resnet18-narrow", seed=0), None, {})


def test_devices() -> None:
    assert open_device("cpu") == torch.device("cpu")
    for name in ("gpu", "cuda:x", "cpu:1"):
        with pytest.raises(BadInput, match="expected auto"):
            open_device(name)
    with pytest.raises(BadInput, match="is not there"):
        open_device("cuda:77")


@pytest.mark.parametrize(
    "augment", [Augment(24, 0.3), Augment(32, 1.0), Augment(32, 0.5, jitter=0.4, randaugment_ops=2)], ids=str
)
def test_augmentation_depends_on_its_generator_alone(augment: Augment) -> None:
    image = pictures(40)
    first, again, other = (augment(image, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (40, 3, augment.size, augment.size)
    assert first.min() >= 0
    assert first.max() <= 255


def test_whole_pictures_are_mirrored_half_the_time() -> None:
    image = pictures(400, size=4)
    x = Augment(4, 1.0, flip=True)(image, torch.Generator().manual_seed(0))
    same = (x == image.float()).flatten(1).all(1)
    mirrored = (x == image.float().flip(3)).flatten(1).all(1)
    assert (same | mirrored).all()
    assert 150 < same.sum() < 250
    assert torch.equal(Augment(4, 1.0, flip=False)(image, torch.Generator()), image.float())


def test_table_operations_do_what_their_names_say() -> None:
    ramp = torch.arange(64, 128).float().view(1, 1, 8, 8).repeat(1, 3, 1, 1)

    def done(name: str, level: float = 0.5, sign: float = 1.0) -> torch.Tensor:
        op, level_1 = torch.tensor([TABLE_OPS.index(name)]), torch.tensor([level])
        return looked_up(ramp, op, level_1, sign * level_1)

    assert torch.equal(done("identity"), ramp)
    assert torch.equal(done("invert"), 255 - ramp)
    assert done("autocontrast").aminmax() == (0, 255)
    assert done("equalize").aminmax() == (0, 255)
    assert len(done("posterize", 1.0).unique()) == 1
    assert torch.equal(done("solarize", 0.7), torch.where(ramp >= 256 * 0.3, 255 - ramp, ramp))
    assert torch.equal(done("solarize_add", 0.1), torch.where(ramp < 128, ramp + 11, ramp))
    assert torch.allclose(done("brightness", 0.5, -1), ramp * 0.55)
    assert done("contrast", 1.0, -1).std() < 0.2 * ramp.std()
    flat = torch.full((1, 3, 8, 8), 7.0)
    for name in ("autocontrast", "equalize"):
        out = looked_up(flat, torch.tensor([TABLE_OPS.index(name)]), torch.ones(1), torch.ones(1))
        assert torch.isfinite(out).all()
    assert len(OPS) == 16
    assert torch.allclose(affine(torch.arange(5), torch.zeros(5)), torch.eye(2, 3).expand(5, 2, 3))


def test_mixing() -> None:
    x = pictures(8).float()
    same, partner, share = mix(x, 0, 0, torch.Generator())
    assert same is x
    assert partner is None
    assert share == 1
    for seed in range(20):
        blended, partner, share = mix(x, 0.8, 0, torch.Generator().manual_seed(seed))
        assert partner is not None
        torch.testing.assert_close(blended, share * x + (1 - share) * x[partner], rtol=1e-4, atol=1e-2)
        cut, partner, share = mix(x, 0, 1.0, torch.Generator().manual_seed(seed))
        assert partner is not None
        own = (cut == x).all(1).float().mean((1, 2))[partner != torch.arange(8)]
        assert torch.allclose(own, torch.full_like(own, share), atol=0.02)
    draws = torch.tensor([beta(0.8, torch.Generator().manual_seed(seed)) for seed in range(500)])
    assert abs(draws.mean() - 0.5) < 0.05
    assert abs(draws.var() - 1 / (4 * 2.6)) < 0.02  # of Beta(a, a): 1 / (4 (2 a + 1))
