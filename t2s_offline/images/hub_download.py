"""Download the data files of a dataset of the Hugging Face hub, and nothing that could run.

`huggingface_hub` moves the bytes: a transfer that breaks goes on where it was, a file is written whole or not at all,
and a further run gets the files that are not whole. It obeys HF_ENDPOINT (a mirror), HF_TOKEN and HF_HUB_OFFLINE. Here
files are chosen, sizes and free disk checked first, and hashes compared afterwards.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2s_offline.errors import BadFile, BadInput, T2SError, WrongHash, brief
from t2s_offline.files import digest
from t2s_offline.images.download_limits import check_room
from t2s_offline.images.hub_layout import CARD, Layout, is_inside, layout, licence
from t2s_offline.images.hub_record import Record
from t2s_offline.images.image_files import Progress
from t2s_offline.task_places import NOT_STATED, HubPlace

AT_ONCE = 8
PATIENCE = 30.0  # seconds to wait for a listing
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Remote:
    """A file of a dataset. bytes: None where not known; sha256: of its contents where it is large, else blob: its git
    object's name; both empty where not known."""

    path: str
    bytes: int | None
    sha256: str = ""
    blob: str = ""


def fetch(place: HubPlace, into: Path | None = None, progress: Progress | None = None) -> tuple[Path, Record]:
    """The data files of a dataset, and what is known of them. into: folder for them, else the cache of the hub.

    What is there already is not downloaded again. Raises BadInput (no network,
    no such dataset, gated, too large, no room, columns or splits that cannot be told) or WrongHash.
    """
    hub = _hub()
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    try:
        commit, listed = _cached(place, hub) if offline else _listing(place, hub)
        get = _Getter(place, hub, commit, into, offline, progress)
        by_path = {one.path: one for one in listed if is_inside(one.path)}
        card_file = get.file(by_path[CARD]) if CARD in by_path else None
        card = _card(card_file, hub)
        found = layout(list(by_path), card, place)
        wanted = [by_path[path] for path in found.files]
        missing = [one for one in wanted if not get.there(one)]
        check_room(sum(one.bytes or 0 for one in missing), into or get.cache, str(place))
        get.all(wanted)
        folder = into or _above(get.file(wanted[0]), wanted[0].path)
    except T2SError:
        raise
    except Exception as error:  # httpx and huggingface_hub raise many kinds
        raise _said(error, place, hub) from error
    return folder, _record(place, commit, card, found, wanted, folder)


def _record(
    place: HubPlace, commit: str, card: Mapping[str, Any], found: Layout, wanted: Sequence[Remote], folder: Path
) -> Record:
    sizes = {one.path: one.bytes or (folder / one.path).stat().st_size for one in wanted}
    # what has no hash in the listing is small
    files = {one.path: (sizes[one.path], one.sha256 or digest(folder / one.path)) for one in wanted}
    stated = licence(card) or NOT_STATED
    return Record(place, commit, stated, found.form, found.parts, found.beside, files, found.names or {})


def _hub() -> Any:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import huggingface_hub
    except ImportError as error:
        raise BadInput(
            f"datasets of the hub need the package huggingface_hub ({brief(error, 60)}); "
            "run: pip install 't2s-offline[hub]'"
        ) from error
    return huggingface_hub


def endpoint() -> str | None:
    """The hub's address where it is another one: HF_ENDPOINT."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def _listing(place: HubPlace, hub: Any) -> tuple[str, list[Remote]]:
    """The commit of a revision, and its files."""
    api = hub.HfApi(endpoint=endpoint())
    info = api.dataset_info(place.repo, revision=place.revision, files_metadata=True, timeout=PATIENCE)
    if not info.sha or not _COMMIT.fullmatch(info.sha):
        raise BadInput(f"{place}: the hub names no commit of it; expected 40 hex digits; try another mirror")
    listed = []
    for one in info.siblings or ():
        sha256 = str(getattr(one.lfs, "sha256", None) or "") if one.lfs else ""
        listed.append(Remote(one.rfilename, one.size, sha256, "" if sha256 else str(one.blob_id or "")))
    return info.sha, listed


def _cached(place: HubPlace, hub: Any) -> tuple[str, list[Remote]]:
    """The same of what lies in the cache of the hub: for work without a network."""
    home = _cache(hub) / f"datasets--{place.repo.replace('/', '--')}"
    reference = home / "refs" / place.revision
    commit = place.revision if _COMMIT.fullmatch(place.revision) else ""
    if not commit and ".." not in place.revision and reference.is_file():
        commit = reference.read_text("utf-8").strip()
    folder = home / "snapshots" / commit
    if not _COMMIT.fullmatch(commit) or not folder.is_dir():
        raise BadInput(
            f"{place} is not in the hub's cache ({_cache(hub)}), and HF_HUB_OFFLINE is set; download it once with a "
            "network"
        )
    listed = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        blob = path.resolve().name  # where the cache keeps the contents, under their hash
        known = blob if _SHA256.fullmatch(blob) else ""
        listed.append(Remote(path.relative_to(folder).as_posix(), path.stat().st_size, known))
    return commit, listed


def _cache(hub: Any) -> Path:
    return Path(os.environ.get("HF_HUB_CACHE") or hub.constants.HF_HUB_CACHE)


class _Getter:
    """Gets files of one commit, and checks those that were not there before."""

    def __init__(
        self, place: HubPlace, hub: Any, commit: str, into: Path | None, offline: bool, progress: Progress | None
    ) -> None:
        self.place, self.hub, self.commit, self.into, self.offline = place, hub, commit, into, offline
        self.cache = _cache(hub)
        self.progress, self.total, self.done = progress, 0, 0
        self.lock = threading.Lock()

    def there(self, one: Remote) -> bool:
        """Whether a file is there whole."""
        if self.offline:
            return True
        if self.into is not None:  # written under another name until it is whole
            path = self.into / one.path
            return path.is_file() and one.bytes in (None, path.stat().st_size)
        found = self.hub.try_to_load_from_cache(
            self.place.repo, one.path, cache_dir=self.cache, revision=self.commit, repo_type="dataset"
        )
        return isinstance(found, str)

    def all(self, wanted: Sequence[Remote]) -> None:
        """Get all files, several at once."""
        missing = [one for one in wanted if not self.there(one)]
        self.total = sum(one.bytes or 0 for one in missing)
        if missing and self.into is None and not _COMMIT.fullmatch(self.place.revision):
            self.file(missing[0], self.place.revision)  # so that the cache knows the revision by its name
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            list(pool.map(self.file, missing))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def file(self, one: Remote, revision: str = "") -> Path:
        """The path of a file; downloaded and checked if it was not there."""
        there = self.there(one)
        path = Path(
            self.hub.hf_hub_download(
                self.place.repo, one.path, repo_type="dataset", revision=revision or self.commit, endpoint=endpoint(),
                library_name="t2s-offline", local_files_only=self.offline, tqdm_class=self._tally(),
                cache_dir=self.cache, local_dir=self.into,
            )
        )  # fmt: skip
        if not there:
            self._check(one, path)
        return path

    def _check(self, one: Remote, path: Path) -> None:
        """WrongHash when a file is not what the listing says; it is then removed, so that the next try gets it anew."""
        if one.sha256:
            expected, found = one.sha256, digest(path)
        elif one.blob:
            content = path.read_bytes()
            expected, found = one.blob, hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        else:
            return
        if found == expected:
            return
        with suppress(OSError):
            path.resolve().unlink(missing_ok=True)
            path.unlink(missing_ok=True)
        raise WrongHash(
            f"{self.place}: {one.path} has hash {found[:12]}…; expected {expected[:12]}…; it was removed; download it "
            "again, or from another mirror (HF_ENDPOINT)"
        )

    def _tally(self) -> Any:
        """A class of progress bars that draws nothing and adds up the bytes of all files."""
        from tqdm import tqdm

        def add(count: float | None) -> None:
            with self.lock:
                self.done = max(self.done + int(count or 0), 0)
                if self.progress is not None and self.total:
                    self.progress(min(self.done, self.total), self.total)

        class Tally(tqdm):
            def __init__(self, *args: Any, **options: Any) -> None:
                add(options.get("initial"))
                options.pop("name", None)
                super().__init__(*args, **{**options, "disable": True})

            def update(self, n: float | None = 1) -> bool | None:
                add(n)
                return None

        return Tally


def _card(path: Path | None, hub: Any) -> Mapping[str, Any]:
    """The metadata of a README.md; empty when it has none that can be read."""
    if path is None:
        return {}
    try:
        found = hub.metadata_load(path)
    except Exception:  # YAML of others
        return {}
    return found if isinstance(found, dict) else {}


def _above(path: Path, relative: str) -> Path:
    """The folder in which a file lies at a relative path."""
    for _ in Path(relative).parts:
        path = path.parent
    return path


def _said(error: Exception, place: HubPlace, hub: Any) -> BadInput:
    """One line for what the hub or the network said."""
    errors = hub.errors
    site = endpoint() or hub.constants.ENDPOINT
    if isinstance(error, errors.GatedRepoError):
        return BadInput(
            f"{place} is gated: accept its terms at {site}/datasets/{place.repo}, then set HF_TOKEN to a token of yours"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return BadInput(
            f"{place}: {site} has no revision {place.revision!r} of it; leave @REVISION out, or name another"
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return BadInput(f"{site} has no dataset {place.repo}, or it is private; check the name, or set HF_TOKEN")
    if isinstance(error, errors.OfflineModeIsEnabled | errors.LocalEntryNotFoundError | errors.EntryNotFoundError):
        return BadInput(f"{place}: a file of it cannot be had ({brief(error, 80)}); try again with a network")
    if isinstance(error, errors.HfHubHTTPError):
        status = getattr(getattr(error, "response", None), "status_code", "?")
        return BadInput(f"{place}: {site} answered {status} ({brief(error, 80)}); try again later")
    if isinstance(error, OSError) and error.errno is not None and error.filename is not None:
        return BadFile(f"cannot write {error.filename}: {error.strerror}")
    return BadInput(
        f"cannot download {place} from {site}: {brief(error, 100)}; try again (whole files are kept); for a mirror "
        "set HF_ENDPOINT, to use what was downloaded before HF_HUB_OFFLINE=1"
    )
