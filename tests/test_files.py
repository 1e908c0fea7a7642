"""Files and folders appear whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from t2s_offline.files import cache_folder, digest, write_npz, write_whole, write_with


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    for content in (b"one", b"two"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert names(path.parent) == ["file"]
    assert digest(path) == "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"old")

    def full(partial: Path) -> None:
        partial.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    def half(partial: Path) -> None:
        partial.mkdir()
        full(partial / "within")

    for name, write in (("file", full), ("folder", half)):
        with pytest.raises(OSError, match="No space"):
            write_with(tmp_path / name, write)
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_folder_appears_with_all_that_is_in_it(tmp_path: Path) -> None:
    def fill(partial: Path) -> None:
        assert not (tmp_path / "folder").exists()
        for name in ("a", "b"):
            write_whole(partial / name, name.encode())

    write_with(tmp_path / "folder", fill)
    assert names(tmp_path) == ["folder"]
    assert names(tmp_path / "folder") == ["a", "b"]


def test_a_file_that_is_there_stays_where_it_may_not_be_replaced(tmp_path: Path) -> None:
    write_with(tmp_path / "file", lambda partial: partial.write_bytes(b"first"), replace=False)
    with pytest.raises(FileExistsError):
        write_with(tmp_path / "file", lambda partial: partial.write_bytes(b"second"), replace=False)
    assert (tmp_path / "file").read_bytes() == b"first"
    assert names(tmp_path) == ["file"]


def test_two_writers_of_one_process_number_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines with one process number write one file of a shared disk."""
    monkeypatch.setattr(os, "getpid", lambda: 7)

    def outer(partial: Path) -> None:
        partial.write_bytes(b"outer")
        write_whole(tmp_path / "file", b"inner")

    write_with(tmp_path / "file", outer)
    assert (tmp_path / "file").read_bytes() == b"outer"


def test_arrays_and_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T2S_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    write_npz(tmp_path / "kept.npz", {"x": np.arange(3)})
    with np.load(tmp_path / "kept.npz", allow_pickle=False) as kept:
        assert kept["x"].tolist() == [0, 1, 2]
    monkeypatch.delenv("T2S_CACHE")
    assert (cache_folder().name, cache_folder().parent.name) == ("t2s-offline", ".cache")
