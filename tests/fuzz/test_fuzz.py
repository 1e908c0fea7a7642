"""Five hundred cases of `cases.py`, the same at every run; `make soak` has 20,000 others."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.cases import Corpus, edited, fuzz


def test_changed_files_end_in_success_or_one_line(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    failures = fuzz(corpus, 500)
    assert not failures
    assert corpus.ran >= 500


def test_a_reader_that_fails_is_found(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    kind = corpus.kinds["json"]
    kind.read = lambda path: path.read_bytes().decode()  # UnicodeDecodeError where an edit is no UTF-8
    corpus.kinds = {"json": kind}
    assert any("UnicodeDecodeError" in wrong for wrong in fuzz(corpus, 100))
    kind.read = lambda path: (tmp_path.parent / "elsewhere").write_text("x")
    assert "written" in corpus.run("json", b"")


def test_seeds_of_failures(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    # columns that match no table were named with their line breaks
    assert not corpus.run("csv", b'"\x1b]0;owned\x07\xe2\x80\xaey\r\nz",acc\n1,2\n')


def test_edits() -> None:
    assert edited(b"abcd", [("put", 0.5, 1, b"x"), ("cut", 0, 2, b""), ("double", 0, 1, b"")]) == b"xxcd"
