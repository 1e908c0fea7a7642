"""Backbones of a table: which there are, where their files lie, and fetching them when they are wanted.

A file is named RECIPE-CONFIGURATION-SEED.safetensors. It is looked for where a sweep of the store left it, in the table
folder's backbones/, in a folder that a person names and in the user's cache; then it is downloaded from an https
address that a person names (an address in a table is never followed). Last, one that was trained here for an earlier
prediction (`trained_files.py`) is taken. What the table says of a file's size and SHA-256
must be true of it. Nothing here loads a network.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, TYPE_CHECKING

from t2s_offline.errors import BadFile, BadInput, WrongHash
from t2s_offline.files import cache_folder, digest, write_with
from t2s_offline.store.trained_files import checked, trained

if TYPE_CHECKING:
    from t2s_offline.store.reward_store import RewardStore

FOLDER = "backbones"
#: Bytes. A file whose size the table does not say may be as large as this; ResNet-50 in half precision has 47 MB.
LARGEST = 1 << 30
TIMEOUT = 60  # seconds without a byte


def backbone_name(recipe: str, configuration: str, seed: int) -> str:
    """Name of a backbone's file without its ending: recipe and configuration as they are, or a hash where such a text
    could be more than a name."""
    if not re.fullmatch(r"[A-Za-z0-9_]{1,64}", configuration):
        configuration = "real-" + hashlib.sha256(configuration.encode()).hexdigest()[:8]
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}", recipe):
        recipe = "recipe-" + hashlib.sha256(recipe.encode()).hexdigest()[:16]
    return f"{recipe}-{configuration}-{seed}"


@dataclass(frozen=True)
class BackboneFile:
    """What a table says of a backbone. sha256, bytes: of its file, None where the table does not say; seconds: what
    rendering and training it took."""

    configuration: str
    seed: int
    sha256: str | None
    bytes: int | None
    seconds: float | None


@dataclass(frozen=True)
class BackboneFiles:
    """The backbones of one recipe. folders: where files may lie; address: https address of a folder of files."""

    recipe: str
    known: dict[tuple[str, int], BackboneFile]
    folders: tuple[Path, ...]
    address: str | None = None

    def at_hand(self, seed: int = 0) -> list[str]:
        """Configurations whose file lies here; it is checked when it is opened."""
        there = {path.name for folder in self.folders if folder.is_dir() for path in folder.iterdir()}
        names = {configuration for configuration, of in self.known if of == seed}
        found = {name for name in names if self._name(name, seed) in there or self._cached(name, seed)}
        return sorted(found.union(trained(self.recipe, seed)))

    def within_reach(self, seed: int = 0) -> list[str]:
        """Those, and the ones that can be downloaded."""
        if self.address is None:
            return self.at_hand(seed)
        hashed = {name for (name, of), file in self.known.items() if of == seed and file.sha256}
        return sorted({*self.at_hand(seed), *hashed})

    def path(self, configuration: str, seed: int = 0) -> Path:
        """The checked file of a backbone, downloaded where it does not lie here.

        WrongHash when a file is not the one that the table is about; BadFile when it is nowhere or cannot be fetched.
        """
        name, file = self._name(configuration, seed), self.known.get((configuration, seed))
        for folder in self.folders:
            if (folder / name).is_file():
                if file is not None:
                    check(folder / name, file)
                return folder / name
        if cached := self._cached(configuration, seed):
            return cached
        if self.address is None or file is None or file.sha256 is None:
            if (made := checked(backbone_name(self.recipe, configuration, seed))) is not None:
                return made
            places = ", ".join(map(str, self.folders))
            raise BadFile(f"backbone {name} is not in {places}; name its folder or https address with --backbones")
        return download(f"{self.address}/{urllib.parse.quote(name)}", file, self._cache(file))

    def _name(self, configuration: str, seed: int) -> str:
        return f"{backbone_name(self.recipe, configuration, seed)}.safetensors"

    def _cache(self, file: BackboneFile) -> Path:
        return cache_folder() / FOLDER / f"{file.sha256}.safetensors"

    def _cached(self, configuration: str, seed: int) -> Path | None:
        """The file of that content in the user's cache; a damaged one goes."""
        file = self.known.get((configuration, seed))
        if file is None or file.sha256 is None or not (path := self._cache(file)).is_file():
            return None
        try:
            check(path, file)
        except WrongHash:
            path.unlink(missing_ok=True)
            return None
        return path


def backbone_files(
    store: RewardStore, recipe: str, *, work: Sequence[Path] = (), named: str | Path | None = None
) -> BackboneFiles:
    """The backbones of a store's recipe. work: folders that a sweep keeps them in; named: a folder or an https address
    that a person gave. BadInput for another kind of address, or a folder that is not there."""
    with store.reader() as con:
        rows = con.execute(
            "SELECT configuration, seed, arg_max(sha256, attempt), arg_max(bytes, attempt), "
            "avg(render_seconds + train_seconds) FROM backbones WHERE recipe = $1 AND status = 'done' GROUP BY ALL",
            [recipe],
        ).fetchall()
    known = {(row[0], row[1]): BackboneFile(*row) for row in rows}
    folders = [*work, *([store.path / FOLDER] if store.path.is_dir() else [])]
    if named is None:
        return BackboneFiles(recipe, known, tuple(folders))
    if "://" in str(named):
        return BackboneFiles(recipe, known, tuple(folders), https(str(named)))
    if not Path(named).is_dir():
        raise BadInput(f"--backbones {named} is no folder; expected a folder of backbones or an https address")
    return BackboneFiles(recipe, known, (Path(named), *folders))


def https(address: str) -> str:
    """The address without its last slash; BadInput when it is not https."""
    try:
        parts = urllib.parse.urlsplit(address)
        wrong = parts.scheme != "https" or not parts.hostname
    except ValueError:
        wrong = True
    if wrong:
        raise BadInput(f"--backbones {address}: expected a folder, or an address that begins with https://")
    return address.rstrip("/")


def check(path: Path, file: BackboneFile) -> None:
    """WrongHash when a file is not what the table says; says nothing where the table has no SHA-256."""
    if file.sha256 is None:
        return
    size = path.stat().st_size
    if file.bytes is not None and size != file.bytes:
        raise WrongHash(f"{path} has {size} bytes; the table's backbone has {file.bytes}; get the file again")
    if (found := digest(path)) != file.sha256:
        raise WrongHash(f"{path} has SHA-256 {found[:12]}…; the table's is {file.sha256[:12]}…; get the file again")


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirections to https alone."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: object, newurl: str
    ) -> urllib.request.Request | None:
        if not newurl.startswith("https://"):
            fp.close()
            raise BadFile(f"{req.full_url} leads to {newurl[:100]}; expected an address that begins with https://")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def download(address: str, file: BackboneFile, to: Path) -> Path:
    """Fetch a backbone into the cache, whole and checked, or not at all."""
    limit = file.bytes or LARGEST
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(to.parent).free
        if free < limit + (1 << 20) and file.bytes:
            raise BadFile(f"{to.parent} has {free >> 20} MB free, a backbone takes {limit >> 20}: set T2S_CACHE")

        def fetch(partial: Path) -> None:
            opener = urllib.request.build_opener(_HttpsOnly)
            with opener.open(address, timeout=TIMEOUT) as answer, partial.open("wb") as out:
                taken = 0
                while block := answer.read(1 << 16):
                    taken += len(block)
                    if taken > limit:
                        raise BadFile(f"{address} is larger than {limit} bytes, what the table says; not taken")
                    out.write(block)
            check(partial, file)

        write_with(to, fetch)
    except urllib.error.HTTPError as error:
        error.close()
        raise BadFile(f"cannot download {address}: {error}; bring the file and name its folder") from error
    except (urllib.error.URLError, HTTPException, TimeoutError) as error:
        reason = getattr(error, "reason", error)
        raise BadFile(f"cannot download {address}: {reason}; bring the file and name its folder") from error
    except OSError as error:
        raise BadFile(f"cannot keep {address} in {to.parent}: {error.strerror or error}; set T2S_CACHE") from error
    return to
