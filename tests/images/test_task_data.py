"""Loading tasks: parts, formats, and damaged files."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from t2s_offline.errors import BadFile, BadInput, UnknownName
from t2s_offline.images.image_files import as_array, fit, read_files
from t2s_offline.images.task_data import carve, check_same_pictures, load_task, task_digest
from t2s_offline.images.task_download import download
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.tasks import present


@pytest.fixture(autouse=True)
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("T2S_DATA", raising=False)


def picture(seed: int, size: tuple[int, int] = (20, 16)) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def fill(folder: Path, classes: int = 3, images: int = 10) -> Path:
    for label in range(classes):
        (folder / f"class{label}").mkdir(parents=True)
        for number in range(images):
            picture(100 * label + number).save(folder / f"class{label}" / f"{number:03}.png")
    return folder


def npz(path: Path, **changes: object) -> Path:
    rng = np.random.default_rng(0)
    arrays: dict[str, object] = {
        "x_train": rng.integers(0, 256, (20, 12, 12, 3), dtype=np.uint8),
        "y_train": np.arange(20) % 4,
        "x_test": rng.integers(0, 256, (8, 12, 12, 3), dtype=np.uint8),
        "y_test": np.arange(8) % 4,
    }
    np.savez(path, **{key: value for key, value in (arrays | changes).items() if value is not None})  # type: ignore[arg-type]
    return path


def test_digits_need_no_file_and_are_always_the_same() -> None:
    first, again = load_task("digits", 16), load_task("digits", 16)
    assert first.classes == tuple("0123456789")
    assert {name: len(part) for name, part in first.parts.items()} == {"train": 1151, "val": 287, "test": 359}
    assert first["train"].image_NCHW.shape == (1151, 3, 16, 16)
    assert first["train"].image_NCHW.dtype == np.uint8
    for part in first.parts:
        np.testing.assert_array_equal(first[part].image_NCHW, again[part].image_NCHW)
    assert len(first.bank) == 1438
    small = first.limited(100)
    assert all(len(part) <= 110 for part in small.parts.values())
    assert set(small["val"].label_N.tolist()) == set(range(10))


def test_carving_is_stratified_and_depends_on_the_name() -> None:
    label_N = np.repeat(np.arange(5), [20, 10, 3, 2, 1])
    taken = carve(label_N, 0.2, "one", "val")
    assert np.bincount(label_N[taken], minlength=5).tolist() == [4, 2, 1, 1, 0]
    assert set(carve(label_N, 0.2, "one", "val")) == set(taken)
    assert set(carve(label_N, 0.2, "two", "val")) != set(taken)


def test_a_folder_of_class_folders(tmp_path: Path) -> None:
    task = load_task(fill(tmp_path / "mine"), 8)
    assert task.classes == ("class0", "class1", "class2")
    assert {name: len(part) for name, part in task.parts.items()} == {"train": 18, "val": 6, "test": 6}
    pictures = np.concatenate([task[part].image_NCHW for part in task.parts]).reshape(30, -1)
    assert len(np.unique(pictures, axis=0)) == 30


def test_a_folder_with_parts(tmp_path: Path) -> None:
    for part, images in (("train", 5), ("valid", 2), ("test", 3)):
        fill(tmp_path / "mine" / part, images=images)
    task = load_task(tmp_path / "mine", 8)
    assert {name: len(part) for name, part in task.parts.items()} == {"train": 15, "val": 6, "test": 9}
    (tmp_path / "mine" / "test" / "clas2").mkdir()
    with pytest.raises(UnknownName, match="did you mean class2"):
        load_task(tmp_path / "mine", 8)


def test_an_npz_with_and_without_test_part(tmp_path: Path) -> None:
    task = load_task(npz(tmp_path / "a.npz", class_names=np.array(list("abcd"))), 8)
    assert task.classes == tuple("abcd")
    assert {name: len(part) for name, part in task.parts.items()} == {"train": 16, "val": 4, "test": 8}
    grey = np.random.default_rng(1).integers(0, 256, (20, 12, 12), dtype=np.uint8)
    task = load_task(npz(tmp_path / "b.npz", x_train=grey, x_test=None, y_test=None), 12)
    assert sum(map(len, task.parts.values())) == 20
    channels = np.ascontiguousarray(np.repeat(grey[:, None], 3, axis=1))
    other = load_task(npz(tmp_path / "b.npz", x_train=channels, x_test=None, y_test=None), 12)
    np.testing.assert_array_equal(task["train"].image_NCHW, other["train"].image_NCHW)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"x_train": np.array([{}] * 20, dtype=object)}, "object arrays"),
        ({"x_train": np.zeros((20, 12, 12, 3))}, "float64"),
        ({"x_train": np.zeros((20, 12, 12, 4), dtype=np.uint8)}, "expected uint8"),
        ({"y_train": np.arange(19)}, "20 pictures and 19 labels"),
        ({"y_train": np.arange(20) - 1}, "expected integers from 0"),
        ({"y_train": np.arange(20) / 4}, "expected integers from 0"),
        ({"y_train": None}, "expected x_train and y_train"),
        ({"class_names": np.array(["a", "b"])}, "label 3 and 2 class names"),
    ],
)
def test_an_npz_that_is_not_one(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        load_task(npz(tmp_path / "bad.npz", **changes), 8)


def test_a_file_that_is_no_npz(tmp_path: Path) -> None:
    for content in (b"", b"PK\x03\x04 cut", npz(tmp_path / "whole.npz").read_bytes()[:900]):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(BadFile, match="cannot read"):
            load_task(tmp_path / "bad.npz", 8)


def test_bad_files_are_named_and_counted(tmp_path: Path) -> None:
    folder = fill(tmp_path / "mine", classes=2, images=60)
    whole = (folder / "class0" / "000.png").read_bytes()
    (folder / "class0" / "000.png").write_bytes(whole[: len(whole) // 2])
    task = load_task(folder, 8)
    assert len(task.bad) == 1
    assert "000.png" in task.bad[0]
    assert sum(map(len, task.parts.values())) == 119
    (folder / "class1" / "readme.txt").write_text("no picture")
    (folder / "class1" / "empty.jpg").write_bytes(b"")
    assert len(load_task(folder, 8).bad) == 3
    for number in range(3):
        (folder / "class1" / f"more{number}.txt").write_text("no picture")
    with pytest.raises(BadFile, match=r"6 of 125 files are no pictures .*: .*000.png"):
        load_task(folder, 8)


def test_tasks_that_cannot_be_judged(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="1 class; expected 2"):
        load_task(fill(tmp_path / "single", classes=1), 8)
    fill(tmp_path / "empty", classes=2)
    (tmp_path / "empty" / "class9").mkdir()
    with pytest.raises(BadFile, match="class9 has no pictures"):
        load_task(tmp_path / "empty", 8)
    (tmp_path / "bare").mkdir()
    with pytest.raises(BadFile, match="no class folders"):
        load_task(tmp_path / "bare", 8)
    with pytest.raises(BadInput, match=r"no (test|val) pictures"):
        load_task(fill(tmp_path / "few", classes=2, images=1), 8)
    with pytest.raises(BadInput, match="size 4"):
        load_task("digits", 4)


def test_a_class_without_val_pictures_is_still_taught(tmp_path: Path) -> None:
    folder = fill(tmp_path / "mine", classes=2)
    (folder / "rare").mkdir()
    picture(7).save(folder / "rare" / "one.png")
    task = load_task(folder, 8)
    assert 2 in task["train"].label_N
    assert 2 not in task["val"].label_N


def test_a_registered_task_must_have_its_classes(tmp_path: Path) -> None:
    fill(tmp_path / "FMD")
    with pytest.raises(BadInput, match=r"FMD has 3 classes and .* expected 10 classes"):
        load_task("FMD", 8, data=tmp_path)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1", "I;16", "F"])
def test_every_mode_becomes_rgb(mode: str, tmp_path: Path) -> None:
    if mode == "I;16":
        image = Image.fromarray((np.arange(320, dtype=np.uint16) * 200).reshape(16, 20))
    elif mode == "F":
        image = Image.fromarray(np.linspace(0, 255, 320, dtype=np.float32).reshape(16, 20))
    else:
        image = picture(3).convert(mode)
    array = as_array(image, 8)
    assert array.shape == (3, 8, 8)
    assert array.std() > 5


def test_the_centre_is_kept() -> None:
    wide = Image.fromarray(np.tile(np.arange(60, dtype=np.uint8), (20, 1)))
    columns = np.asarray(fit(wide, 10))[0]
    assert 20 <= columns.min() <= columns.max() < 40
    assert np.ptp(np.asarray(fit(wide, 10, 2.0))[0]) < np.ptp(columns)
    with pytest.raises(BadInput, match="resize"):
        fit(wide, 10, 0.5)


def test_a_decompression_bomb_is_a_bad_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    content = io.BytesIO()
    picture(0).save(content, "PNG")
    (tmp_path / "bomb.png").write_bytes(content.getvalue())
    with pytest.raises(BadFile, match=r"bomb\.png"):
        read_files([(tmp_path / "bomb.png", 0)], ("one",), 8, 1.0, "here")


def rewritten(folder: Path, file: str, content: bytes | None) -> str:
    """The digest after a file was written (removed when None); the folder is then as before."""
    path = folder / file
    before = path.read_bytes() if path.exists() else None
    path.write_bytes(content) if content is not None else path.unlink()
    found = task_digest(folder)
    path.write_bytes(before) if before is not None else path.unlink()
    return found


def test_a_digest_is_of_pictures_and_labels_alone(tmp_path: Path) -> None:
    folder = fill(tmp_path / "mine")
    task = load_task(folder, 8)
    assert len(task.digest) == 32
    assert {task.digest, task.limited(5).digest, load_task(folder, 12, resize=1.2).digest} == {task.digest}
    fill(tmp_path / "elsewhere" / "named otherwise")
    again = tmp_path / "elsewhere" / "named otherwise"
    for number in range(10):  # another order of the files
        (again / "class1" / f"{number:03}.png").rename(again / "class1" / f"x{9 - number}.png")
    assert load_task(again, 8).digest == task.digest
    other = picture(5000)
    content = io.BytesIO()
    other.save(content, "PNG")
    whole = (folder / "class0" / "000.png").read_bytes()
    changed = {
        "another picture": rewritten(folder, "class0/000.png", content.getvalue()),
        "one more": rewritten(folder, "class0/new.png", content.getvalue()),
        "one twice": rewritten(folder, "class0/new.png", whole),
        "one less": rewritten(folder, "class0/000.png", None),
        "under another class": rewritten(folder, "class1/000.png", whole),
    }
    assert len({*changed.values(), task.digest}) == 6
    (folder / "class2").rename(folder / "class3")
    assert load_task(folder, 8).digest not in {*changed.values(), task.digest}


def test_the_digest_of_arrays(tmp_path: Path) -> None:
    task = load_task(npz(tmp_path / "a.npz"), 8)
    with np.load(tmp_path / "a.npz") as file:
        arrays = {key: file[key] for key in file.files}
    order = np.random.default_rng(1).permutation(20)
    moved = {"x_train": arrays["x_train"][order], "y_train": arrays["y_train"][order]}
    assert load_task(npz(tmp_path / "b.npz", **moved), 16).digest == task.digest
    labels = arrays["y_train"].copy()
    labels[[0, 1]] = labels[[1, 0]]
    pixels = arrays["x_train"].copy()
    pixels[3, 4, 5, 0] ^= 1
    swapped = {"x_train": arrays["x_test"], "y_train": arrays["y_test"]}
    swapped |= {"x_test": arrays["x_train"], "y_test": arrays["y_train"]}
    others: list[dict[str, object]] = [
        {"y_train": labels}, {"x_train": pixels}, dict(swapped), {"class_names": np.array(list("abcd"))},
        {"x_train": np.ascontiguousarray(arrays["x_train"].transpose(0, 3, 1, 2))},
    ]  # fmt: skip
    found = {load_task(npz(tmp_path / "c.npz", **change), 8).digest for change in others}
    assert len(found | {task.digest}) == 6


def test_the_digest_alone_is_that_of_the_task(tmp_path: Path) -> None:
    folder = fill(tmp_path / "mine", classes=2, images=60)
    whole = (folder / "class0" / "000.png").read_bytes()
    (folder / "class0" / "000.png").write_bytes(whole[: len(whole) // 2])
    (folder / "class1" / "gone.png").symlink_to(tmp_path / "mine" / "class1" / "000.png")
    for part in ("train", "test"):
        fill(tmp_path / "parts" / part)
    shapes = ("mine", "parts")
    assert [task_digest(tmp_path / name) for name in shapes] == [
        load_task(tmp_path / name, 8).digest for name in shapes
    ]
    assert task_digest(npz(tmp_path / "a.npz")) == load_task(tmp_path / "a.npz", 8).digest
    assert task_digest("digits") == load_task("digits", 8).digest == "9c8f15a3e6edf27e997a4f0ad9844625"


def test_other_pictures_under_a_name_are_refused(tmp_path: Path) -> None:
    task = load_task(npz(tmp_path / "mine.npz"), 8)
    for unknown in (None, "", task.digest):
        check_same_pictures(unknown, task)
    with pytest.raises(BadInput, match=r"task mine: .*mine\.npz holds other pictures"):
        check_same_pictures("0" * 32, task)


@pytest.mark.parametrize(("name", "tasks"), [("cpu", 47), ("tiny", 15)])
def test_shipped_tables_know_their_pictures(name: str, tasks: int) -> None:
    known = RewardStore(Path(__file__).parents[2] / "tables" / name).digests()
    assert len(known) == tasks
    assert all(digest and len(digest) == 32 for digest in known.values())
    assert known["digits"] == task_digest("digits")
    if folder := os.environ.get("T2S_DATASETS"):
        assert known == {task: task_digest(task, Path(folder)) for task in known}


def test_the_tasks_at_hand_load(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.environ.get("T2S_DATASETS")
    if not folder:
        pytest.skip("T2S_DATASETS names no folder of real tasks")
    for located in present(Path(folder)):
        task = load_task(located, 16)
        assert len(task.classes) > 1
        assert not task.bad
        assert task_digest(located) == task.digest


def test_the_share_that_is_tested_is_the_callers_choice(tmp_path: Path) -> None:
    """Seven tenths and three of each class, as the authors split; one digest; a fifth lies within three tenths."""
    x = np.random.default_rng(0).integers(0, 256, (60, 16, 16), dtype=np.uint8)
    np.savez(tmp_path / "mine.npz", x=x, y=np.repeat([0, 1, 2], [30, 20, 10]))
    usual, theirs = load_task("mine", 16, data=tmp_path), load_task("mine", 16, data=tmp_path, test_share=0.3)
    assert np.bincount(usual["test"].label_N).tolist() == [6, 4, 2]
    assert np.bincount(theirs["test"].label_N).tolist() == [9, 6, 3]
    assert len(theirs.bank.label_N) == 42
    assert usual.digest == theirs.digest == task_digest("mine", tmp_path)
    smaller, larger = ({image.tobytes() for image in one["test"].image_NCHW} for one in (usual, theirs))
    assert smaller < larger


def test_a_test_part_that_is_there_is_kept_whatever_the_share(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (40, 16, 16), dtype=np.uint8)
    y = np.arange(40) % 2
    np.savez(tmp_path / "mine.npz", x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])
    assert len(load_task("mine", 16, data=tmp_path, test_share=0.3)["test"]) == 10


def test_the_authors_half_of_omniglot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The evaluation half alone is downloaded and read; the background half too where it lies there already."""
    from torchvision import datasets

    opened: list[bool] = []

    class Omniglot(list[tuple[Image.Image, int]]):
        def __init__(self, root: str, *, download: bool, background: bool) -> None:
            opened.append(background)
            super().__init__((Image.new("L", (16, 16), number), number // 4) for number in range(16))

    monkeypatch.setattr(datasets, "Omniglot", Omniglot)
    monkeypatch.setenv("T2S_ANY_VERSION", "1")
    download("Omniglot", tmp_path, print)
    made = load_task("Omniglot", 8, data=tmp_path)
    assert (opened, len(made.classes), made.version) == ([False, False], 4, "unknown: 4 classes and 16 pictures")
    (tmp_path / "Omniglot" / "omniglot-py").mkdir()
    (tmp_path / "Omniglot" / "omniglot-py" / "images_background.zip").touch()
    opened.clear()
    assert len(load_task("Omniglot", 16, data=tmp_path).classes) == 8
    assert opened == [True, False]
