"""Files of backbones: found where they may lie, never taken when they are others, downloaded by https alone."""

from __future__ import annotations

import hashlib
import http.server
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from t2s_offline.errors import BadFile, BadInput, WrongHash
from t2s_offline.space import TASK2SIM
from t2s_offline.store import schema
from t2s_offline.store.backbone_files import BackboneFiles, backbone_files, backbone_name
from t2s_offline.store.import_export import export_store
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed

CONTENT = b"not a network, but what its hash says" * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()
NAME = f"{backbone_name('tiny', '00000000', 0)}.safetensors"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RewardStore:
    """A table folder that knows two backbones, one with its hash."""
    monkeypatch.setenv("T2S_CACHE", str(tmp_path / "cache"))
    row = {"recipe": "tiny", "seed": 0, "status": "done", "render_seconds": 1.0, "train_seconds": 9.0}
    rows = [
        row | {"configuration": "00000000", "attempt": "a", "sha256": SHA, "bytes": len(CONTENT)},
        row | {"configuration": "11111111", "attempt": "b", "sha256": None, "bytes": None},
    ]
    made = RewardStore(tmp_path / "made.duckdb")
    reward = {"recipe": "tiny", "task": "t", "configuration": "00000000", "accuracy": 1.0}
    recipe = pl.DataFrame([{"recipe": "tiny", "space": str(TASK2SIM)}])
    made.add({
        "recipes": typed(recipe, schema.RECIPES, "x"),
        "rewards": typed(pl.DataFrame([reward]), schema.REWARDS, "x"),
        "backbones": typed(pl.DataFrame(rows), schema.BACKBONES, "x"),
    })  # fmt: skip
    export_store(made, tmp_path / "table")
    return RewardStore(tmp_path / "table")


def test_a_file_in_the_table_folder_is_found_and_checked(store: RewardStore) -> None:
    files = backbone_files(store, "tiny")
    assert files.at_hand() == files.within_reach() == []
    folder = store.path / "backbones"
    folder.mkdir()
    (folder / NAME).write_bytes(CONTENT)
    assert files.at_hand() == ["00000000"]
    assert files.path("00000000") == folder / NAME
    assert files.known["00000000", 0].seconds == 10.0
    with pytest.raises(BadFile, match="--backbones"):
        files.path("11111111")
    for wrong in (CONTENT[:-1], CONTENT[:-1] + b"!"):
        (folder / NAME).write_bytes(wrong)
        with pytest.raises(WrongHash, match="get the file again"):
            files.path("00000000")


def test_a_folder_that_a_person_names_comes_first(store: RewardStore, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / NAME).write_bytes(CONTENT)
    assert backbone_files(store, "tiny", named=tmp_path / "mine").path("00000000").parent == tmp_path / "mine"
    assert backbone_files(store, "tiny", work=[tmp_path / "mine"]).at_hand() == ["00000000"]
    with pytest.raises(BadInput, match="no folder"):
        backbone_files(store, "tiny", named=tmp_path / "none")


@pytest.mark.parametrize("address", ["http://example.org/b", "file:///etc", "https://", "ftp://x", "https://[::1"])
def test_other_addresses_are_refused(address: str, store: RewardStore) -> None:
    with pytest.raises(BadInput, match="https://"):
        backbone_files(store, "tiny", named=address)


class Served(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:9/x")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False  # closing waits for them, so that no socket stays open

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what one test is about."""


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An https server on loopback that serves tmp_path/served, with a certificate made now."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the program openssl")
    (tmp_path / "served").mkdir()
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def handler(*given: object) -> Served:
        return Served(*given, directory=str(tmp_path / "served"))  # type: ignore[arg-type]

    server = Server(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_download_is_checked_and_kept(
    store: RewardStore, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, cache = tmp_path / "served" / NAME, tmp_path / "cache" / "backbones"
    files = backbone_files(store, "tiny", named=f"{address}/")
    assert files.within_reach() == ["00000000"]

    def refused(message: str, given: BackboneFiles = files) -> None:
        with pytest.raises(BadFile, match=message):
            given.path("00000000")
        assert not list(cache.glob("*")), "nothing half-fetched stays"

    refused("404")
    served.write_bytes(b"x" * len(CONTENT))
    refused("SHA-256")
    served.write_bytes(CONTENT + b"more")
    refused("larger than")
    served.write_bytes(CONTENT)
    refused("expected an address that begins with https://", backbone_files(store, "tiny", named=f"{address}/away"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 10))  # type: ignore[attr-defined]
    refused("set T2S_CACHE")
    monkeypatch.undo()
    monkeypatch.setenv("T2S_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    kept = files.path("00000000")
    assert kept.read_bytes() == CONTENT
    assert kept.parent == cache
    served.unlink()
    assert backbone_files(store, "tiny").path("00000000") == kept, "the cache needs no address"
    kept.write_bytes(b"damaged")
    assert backbone_files(store, "tiny").at_hand() == []


def test_nothing_is_downloaded_without_a_hash(store: RewardStore, address: str) -> None:
    with pytest.raises(BadFile, match="is not in"):
        backbone_files(store, "tiny", named=address).path("11111111")
