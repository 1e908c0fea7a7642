"""A small hub on loopback: repositories are folders on disk, served in the form that huggingface_hub expects.

Range requests are answered. A server can be told to break a transfer off, to send wrong bytes, or to guard a dataset.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

LARGE = (".parquet", ".tar", ".png", ".jpg")  # kept by LFS: the listing has their SHA-256
_API = re.compile(r"/api/datasets/([^/]+/[^/]+)(?:/revision/(.+))?$")
_FILE = re.compile(r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)$")


@dataclass
class Hub:
    """root: OWNER/NAME/files; log: (method, path, range) of every request; broken: file -> bytes after which the next
    transfer breaks off; forged: files whose bytes are not what the listing says; gated: guarded datasets; commits: of
    datasets, where they are not computed."""

    root: Path
    address: str = ""
    log: list[tuple[str, str, str]] = field(default_factory=list)
    broken: dict[str, int] = field(default_factory=dict)
    forged: set[str] = field(default_factory=set)
    gated: set[str] = field(default_factory=set)
    commits: dict[str, str] = field(default_factory=dict)

    def commit(self, repo: str) -> str:
        if repo in self.commits:
            return self.commits[repo]
        names = sorted(path.relative_to(self.root).as_posix() for path in (self.root / repo).rglob("*"))
        return hashlib.sha1("\n".join(names).encode()).hexdigest()

    def listing(self, repo: str) -> dict[str, object]:
        siblings = []
        for path in sorted(path for path in (self.root / repo).rglob("*") if path.is_file()):
            content = path.read_bytes()
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            one: dict[str, object] = {"rfilename": path.relative_to(self.root / repo).as_posix(), "size": len(content)}
            one["blobId"] = blob
            if path.suffix in LARGE:
                sha256 = hashlib.sha256(content).hexdigest()
                one["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
            siblings.append(one)
        return {"id": repo, "sha": self.commit(repo), "siblings": siblings, "gated": False, "private": False}


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(head=True)

        def do_GET(self) -> None:
            self.answer(head=False)

        def refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def answer(self, head: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            wanted = self.headers.get("Range", "")
            hub.log.append((self.command, path, wanted))
            if found := _API.match(path):
                repo, revision = found[1], found[2] or "main"
                if not (hub.root / repo).is_dir():
                    return self.refuse(401, "RepoNotFound")
                if revision not in ("main", "v1", hub.commit(repo)):
                    return self.refuse(404, "RevisionNotFound")
                return self.send(json.dumps(hub.listing(repo)).encode(), {"Content-Type": "application/json"}, "", head)
            if not (found := _FILE.match(path)):
                return self.refuse(404, "EntryNotFound")
            repo, revision, name = found.groups()
            file = hub.root / repo / name
            if repo in hub.gated:
                return self.refuse(403, "GatedRepo")
            if not file.is_file():
                return self.refuse(404, "EntryNotFound")
            content = file.read_bytes()
            large = file.suffix in LARGE
            tag = hashlib.sha256(content).hexdigest() if large else hashlib.sha1(content).hexdigest()
            headers = {"ETag": f'"{tag}"', "X-Repo-Commit": hub.commit(repo), "Accept-Ranges": "bytes"}
            if name in hub.forged:
                content = content[:-4] + b"????"
            self.send(content, headers, wanted, head, hub.broken.pop(name, None) if not head else None)
            return None

        def send(
            self, content: bytes, headers: dict[str, str], wanted: str, head: bool, most: int | None = None
        ) -> None:
            first = int(found[1]) if (found := re.match(r"bytes=(\d+)-", wanted)) else 0
            self.send_response(206 if first else 200)
            for name, value in headers.items():
                self.send_header(name, value)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - first))
            self.end_headers()
            if head:
                return
            sent = content[first:]
            self.wfile.write(sent if most is None else sent[:most])
            if most is not None:
                self.wfile.flush()
                self.close_connection = True

    return Handler


@contextmanager
def serving(root: Path) -> Iterator[Hub]:
    """Serve a folder of repositories."""
    hub = Hub(root)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
