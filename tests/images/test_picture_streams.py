"""Pictures from Parquet, tars and tables: parts, columns, damaged ones, digests and memory."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from t2s_offline.errors import BadFile
from t2s_offline.images.hub_layout import layout
from t2s_offline.images.hub_record import Record
from t2s_offline.images.hub_task import Opened, open_record
from t2s_offline.images.image_files import files_digest
from t2s_offline.images.parquet_pictures import columns_of
from t2s_offline.images.picture_streams import TarStream
from t2s_offline.images.task_data import load_task, task_digest
from t2s_offline.task_places import HubPlace
from t2s_offline.tasks import Located, locate
from tests import hub_repos
from tests.hub_repos import encoded, write_parquet

PLACE = HubPlace("a/b")


def opened(folder: Path, place: HubPlace = PLACE) -> Opened:
    """A folder of files as if it were downloaded."""
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    found = layout(paths, {}, place)
    return open_record(folder, Record(place, form=found.form, parts=found.parts, beside=found.beside))


def test_parquet_of_the_hub(tmp_path: Path) -> None:
    found = opened(hub_repos.birds(tmp_path))
    assert found.classes == ("finch", "owl", "tit")
    assert found.pictures == {"train": 36, "test": 18}
    read = found.read(20, 1.0)
    assert read["train"].image_NCHW.shape == (36, 3, 20, 20)
    for label, number in ((0, 0), (1, 1), (2, 35)):
        place = number
        expected = np.asarray(hub_repos.picture(label, number)).transpose(2, 0, 1)
        np.testing.assert_array_equal(read["train"].image_NCHW[place], expected)
    assert {part: one.digest for part, one in read.items()} == found.digests()


def test_the_same_files_have_one_digest_as_parquet_and_in_folders(tmp_path: Path) -> None:
    labels = [number % 2 for number in range(10)]
    write_parquet(tmp_path / "p" / "train-0.parquet", labels, names=("ant", "bee"))
    files = []
    for number, label in enumerate(labels):
        path = tmp_path / "f" / ("ant", "bee")[label] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(label, number))
        files.append((path, label))
    assert opened(tmp_path / "p").digests()["train"] == files_digest(files, ("ant", "bee"))
    assert opened(tmp_path / "f").digests()["train"] == files_digest(files, ("ant", "bee"))


@pytest.mark.parametrize("rows", [1, 5, 1000])
def test_rows_that_count_are_read_across_row_groups(tmp_path: Path, rows: int) -> None:
    """PACS by domain: rows of one domain alone, whatever the row groups and batches are."""
    labels = [number % 3 for number in range(60)]
    domains = [("cartoon", "sketch", "photo")[number % 5 % 3] for number in range(60)]
    write_parquet(tmp_path / "train-0.parquet", labels[:50], extra={"domain": domains[:50]}, rows=rows)
    write_parquet(tmp_path / "train-1.parquet", labels[50:], extra={"domain": domains[50:]}, first=50, rows=rows)
    place = HubPlace("a/b", where=("domain", ("sketch",)))
    read = opened(tmp_path, place).read(20, 1.0)["train"]
    counted = [number for number in range(60) if domains[number] == "sketch"]
    assert read.label_N.tolist() == [labels[number] for number in counted]
    found = {image.tobytes() for image in read.image_NCHW}
    shown = {n: np.asarray(hub_repos.picture(labels[n], n)).transpose(2, 0, 1).tobytes() for n in counted}
    # a second file counts classes anew in the order in which they come
    assert sum(one in found for n, one in shown.items() if n < 50) == sum(n < 50 for n in counted)
    assert len(read) == len(counted)


def test_columns_are_found_or_named(tmp_path: Path) -> None:
    def columns(place: HubPlace = PLACE, **options: object) -> tuple[str, str]:
        path = write_parquet(tmp_path / "x.parquet", [0, 1], **options)  # type: ignore[arg-type]
        found = columns_of(path, place)
        return found.image, found.label

    assert columns(names=("a", "b")) == ("image", "label")
    assert columns(image="scan", label="kind", names=("a", "b")) == ("scan", "kind")
    assert columns(image="scan", label="label", described=False) == ("scan", "label")
    assert columns(image="img", label="fine_label", described=False) == ("img", "fine_label")
    extra = {"other": [1, 2]}
    assert columns(HubPlace("a/b", label="other"), extra=extra, names=("a", "b")) == ("image", "other")
    with pytest.raises(BadFile, match=r"has the columns image, kind, other; expected one .*: --label-column NAME"):
        columns(label="kind", extra=extra, described=False)
    with pytest.raises(BadFile, match=r"expected picture; name the column of pictures: --image-column NAME"):
        columns(HubPlace("a/b", image="picture"))
    with pytest.raises(BadFile, match="column label is int64; expected the bytes of pictures"):
        columns(HubPlace("a/b", image="label", label="image"))


def test_columns_that_changed_are_named(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train-0.parquet", [0, 1], names=("a", "b"))
    write_parquet(tmp_path / "train-1.parquet", [0, 1], label="other", names=("a", "b"))
    with pytest.raises(
        BadFile, match=r"train-1\.parquet has the columns image, other; expected label; the dataset has ch"
    ):
        opened(tmp_path)
    with pytest.raises(BadFile, match=r"has the columns image, label; expected domain"):
        opened(tmp_path, HubPlace("a/b", where=("domain", ("x",))))


@pytest.mark.parametrize(
    "content",
    [b"", b"PAR1 and no more", bytes(1000)],
)
def test_a_file_that_is_no_parquet(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "train.parquet").write_bytes(content)
    with pytest.raises(BadFile, match=r"cannot read .*train\.parquet: .*; expected Parquet"):
        opened(tmp_path)


def test_pictures_that_are_none_are_named_and_left_out(tmp_path: Path) -> None:
    pictures = [{"bytes": encoded(number % 2, number)} for number in range(300)]
    pictures[7]["bytes"] = pictures[7]["bytes"][:60]
    table = pa.table({"image": pictures, "label": [number % 2 for number in range(300)]})
    pq.write_table(table, tmp_path / "train.parquet")
    read = opened(tmp_path).read(20, 1.0)["train"]
    assert len(read) == 299
    assert "train.parquet row 7" in read.bad[0]
    np.testing.assert_array_equal(read.image_NCHW[7], np.asarray(hub_repos.picture(0, 8)).transpose(2, 0, 1))
    assert read.digest == opened(tmp_path).digests()["train"]
    for number in (9, 11, 15, 17):
        pictures[number]["bytes"] = b""
    pictures[13]["bytes"] = None  # type: ignore[assignment]
    pq.write_table(pa.table({"image": pictures, "label": table["label"]}), tmp_path / "train.parquet")
    with pytest.raises(BadFile, match=r"6 of 300 files are no pictures.*row 7"):
        opened(tmp_path).read(20, 1.0)


def test_a_picture_that_unpacks_to_too_many_pixels_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(tmp_path / "train.parquet", [0, 1])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(BadFile, match=r"400 pixels. exceeds limit"):
        opened(tmp_path).read(20, 1.0)


def test_webdataset(tmp_path: Path) -> None:
    found = opened(hub_repos.sketches(tmp_path))
    assert (found.classes, found.pictures) == (("axe", "bow", "cup"), {"train": 30})
    read = found.read(20, 1.0)["train"]
    assert read.label_N.tolist() == [number % 3 for number in range(30)]
    assert read.digest == found.digests()["train"]


def tar(path: Path, *members: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w") as file:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path


def test_labels_in_json_and_in_text(tmp_path: Path) -> None:
    one, two = encoded(0, 0), encoded(1, 1)
    texts = b'{"label": 3, "kind": "owl"}', b'{"label": 4, "kind": "ant"}'
    members = [("x/1.png", one), ("x/1.json", texts[0]), ("x/2.json", texts[1]), ("x/2.png", two)]
    file = tar(tmp_path / "a.tar", *members)
    assert TarStream([file]).labels() == [3, 4]
    assert TarStream([file], label="json.kind").labels() == ["owl", "ant"]
    stream = TarStream([file], image="png")
    stream.labels()
    assert [content for _, content in stream.pictures(np.array([1]))] == [two]
    file = tar(tmp_path / "b.tar", ("1.png", one), ("1.txt", b"owl\n"), ("2.txt", b"a text without a picture"))
    assert TarStream([file], label="txt").labels() == ["owl"]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([("1.png", b"x")], r"label of 1\.png is not there; expected a member \.json, found png"),
        ([("1.png", b"x"), ("1.json", b"{")], "not in its JSON"),
        ([("1.png", b"x"), ("1.json", b"[1]")], "not in its JSON"),
        ([("1.png", b"x"), ("1.cls", b"\xff\xfe")], "no text"),
        ([("1.txt", b"x")], "has no picture"),
    ],
)
def test_tars_without_labels(tmp_path: Path, members: list[tuple[str, bytes]], reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        TarStream([tar(tmp_path / "a.tar", *members)]).labels()


def test_a_tar_writes_nothing_and_follows_nothing(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        link = tarfile.TarInfo("1.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(link)
        for name, content in (("../../2.png", encoded(0, 0)), ("../../2.cls", b"0")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    stream = TarStream([tmp_path / "a.tar"])
    assert stream.labels() == [0]
    assert [content for _, content in stream.pictures(np.array([0]))] == [encoded(0, 0)]
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]
    (tmp_path / "b.tar").write_bytes(b"no tar at all" * 100)
    with pytest.raises(BadFile, match="expected WebDataset's tar"):
        TarStream([tmp_path / "b.tar"]).labels()


def test_files_with_a_table_and_in_class_folders(tmp_path: Path) -> None:
    found = opened(hub_repos.leaves(tmp_path))
    assert (found.classes, found.pictures) == (("ash", "oak"), {"train": 16, "val": 6, "test": 6})
    for part, name, number in (("train", "cat", 0), ("train", "dog", 1), ("test", "dog", 2)):
        path = tmp_path / "plain" / "data" / part / name / f"{number}.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(encoded(number, number))
    (tmp_path / "plain" / "logo.png").write_bytes(encoded(5, 5))
    found = opened(tmp_path / "plain")
    assert (found.classes, found.pictures) == (("cat", "dog"), {"train": 2, "test": 1})
    (tmp_path / "plain" / "data" / "train" / "stray.png").write_bytes(encoded(5, 5))
    with pytest.raises(BadFile, match=r"data/train/stray\.png is in no folder of a class"):
        opened(tmp_path / "plain")


def table_task(
    folder: Path, rows: list[str], header: str = "file_name,label,split", name: str = "metadata.csv"
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(12):
        (folder / f"{number}.png").write_bytes(encoded(number % 2, number))
    (folder / name).write_text("\n".join([header, *rows]) + "\n")
    return folder


def test_a_table_beside_pictures_is_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"{number}.png,{('owl', 'ant')[number % 2]},{'test' if number > 7 else 'train'}" for number in range(12)]
    folder = table_task(tmp_path / "mine", rows)
    task = load_task(folder, 8)
    assert (task.classes, {part: len(one) for part, one in task.parts.items()}) == (
        ("ant", "owl"), {"train": 6, "val": 2, "test": 4},
    )  # fmt: skip
    assert task.digest == task_digest(folder)
    assert locate("mine", tmp_path).kind == "table"
    lines = [f'{{"file_name": "{number}.png", "class": {number % 2}}}' for number in range(12)]
    (folder / "metadata.csv").unlink()
    (folder / "train").mkdir()
    record = Record(
        PLACE, form="files", parts={"train": tuple(f"{n}.png" for n in range(12))}, beside=("metadata.jsonl",)
    )
    (folder / "metadata.jsonl").write_text("\n".join(lines))
    assert open_record(folder, record).pictures == {"train": 12}


def test_kaokore_as_its_authors_publish_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T2S_ANY_VERSION", "1")
    rows = [f"{n}.png,{n % 3},{n % 2},{('train', 'dev', 'test')[n % 4 % 3]}" for n in range(12)]
    folder = table_task(tmp_path / "Kaokore" / "images_256", [])
    (folder / "metadata.csv").unlink()
    table_task(tmp_path / "Kaokore", rows, "image,gender,status,set", "labels.csv")
    located = locate("Kaokore", tmp_path)
    assert located.kind == "table"
    task = load_task(located, 8)
    assert (task.classes, {part: len(one) for part, one in task.parts.items()}) == (
        ("0", "1"), {"train": 6, "val": 3, "test": 3},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "header", "reason"),
    [
        (["../x.png,a,"], "file_name,label,split", r"names the file '\.\./x\.png'; expected a path within the folder"),
        (["0.png,a"], "file_name,kind", "has the columns file_name, kind; expected label"),
        (["0.png,a"], "path,label", "expected file_name"),
        ([",a,"], "file_name,label,split", "names the file ''"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, rows: list[str], header: str, reason: str) -> None:
    folder = table_task(tmp_path / "mine", rows, header)
    with pytest.raises(BadFile, match=reason):
        load_task(Located("mine", "table", folder), 8)


def test_memory_beside_the_result_is_a_few_pictures(tmp_path: Path) -> None:
    """A further 500 pictures of 256 px, 95 MB of files, take less than half of that beside the result."""
    rng = np.random.default_rng(0)
    contents = []
    for _ in range(8):
        out = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)).save(out, "PNG", compress_level=1)
        contents.append(out.getvalue())
    for name, count in (("few", 40), ("all", 540)):
        images = [{"bytes": contents[number % 8]} for number in range(count)]
        table = pa.table({"image": images, "label": [number % 4 for number in range(count)]})
        (tmp_path / name).mkdir()
        pq.write_table(table, tmp_path / name / "train.parquet", row_group_size=20, use_dictionary=False)
    code = (
        "import sys; from pathlib import Path; from tests.bench.parquet import most_memory\n"
        "from tests.images.test_picture_streams import opened\n"
        "few = opened(Path(sys.argv[1]) / 'few').read(32, 1.0)['train']\n"
        "first = most_memory()\n"
        "every = opened(Path(sys.argv[1]) / 'all').read(32, 1.0)['train']\n"
        "print(most_memory() - first - every.image_NCHW.nbytes)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 45e6
