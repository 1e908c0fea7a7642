"""Numbers that the documents give for constants of the code are those of the code."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from t2s_offline.api.portfolio import PORTFOLIO
from t2s_offline.api.question import MOST_PICTURES
from t2s_offline.cli.sweep_log import QUIET
from t2s_offline.images.download_limits import MOST
from t2s_offline.render import scene
from t2s_offline.render.builtin import stage
from t2s_offline.render.builtin.backgrounds import COUNT
from t2s_offline.render.builtin.catalogue import CATEGORIES
from t2s_offline.render.builtin.materials import material_rows
from t2s_offline.render.builtin.optics import HALF_VIEW
from t2s_offline.render.tdw import commands
from t2s_offline.render.tdw.build import FETCHES, Place
from t2s_offline.render.tdw.open_tdw import open_renderer
from t2s_offline.render.tdw.renderer import GRACE
from t2s_offline.store.connection import LOCK_WAIT
from t2s_offline.store.query import ROWS, TIMEOUT
from t2s_offline.sweep import leave
from t2s_offline.sweep.lease import LEASE
from t2s_offline.sweep.run import MOST_LOSSES

ROOT = Path(__file__).parents[1]
WORDS = {1: "one", 2: "two", 3: "three", 4: "four", 8: "eight", 10: "ten", 60: "a minute", 1_000_000: "a million"}
TDW = {name: value.default for name, value in inspect.signature(open_renderer).parameters.items()}
VIEW = round(2 * float(np.degrees(np.arctan(float(HALF_VIEW)))))

README = {
    "lease": f"expire ({LEASE:.0f} s without a heartbeat)",
    "losses": f"a unit that lost {WORDS[MOST_LOSSES]} is named",
    "quiet": f"every {QUIET:.0f} s that it goes on",
    "left": f"end the epoch first (exit code {leave.EXIT_CODE})",
    "lock": f"(`T2S_LOCK_WAIT` seconds, {LOCK_WAIT:.0f} by default)",
    "pictures": f"Of a folder of more than {MOST_PICTURES:,} pictures a sample",
    "portfolio": f"{WORDS[PORTFOLIO]} backbones by three metrics",
    "download": f"A download is at most {MOST // 10**9} GB unless",
    "patience": f"in seconds ({Place().patience:.0f}; {WORDS[int(FETCHES)]} times that where it loads a bundle)",
    "restarts": f"after {WORDS[TDW['restarts']]} restarts within {GRACE} pictures",
    "models": f"After {TDW['models_a_build']} models it is started anew",
    "catalogue": f"a catalogue of {len(CATEGORIES)} categories",
    "surfaces": f"{COUNT} backgrounds and {len(material_rows())} materials",
}
PYTHON = {"query": f"at most {WORDS[ROWS]} rows and {WORDS[int(TIMEOUT)]}"}
PARAMETERS = {
    "rotation": f"| ±{scene.ROTATION:.0f}° about each axis of the object",
    "distance": f"| {scene.DISTANCE[0]} to {scene.DISTANCE[1]} of the default distance | the same |",
    "intensity": f"| ±{scene.INTENSITY} around 1: a factor of {1 - scene.INTENSITY} to {1 + scene.INTENSITY},",
    "colour": f"each {scene.COLOUR[0]} to {scene.COLOUR[1]:.0f}; off: white",
    "direction": f"off: yaw {scene.LIGHT[0]:.0f}°, pitch {scene.LIGHT[1]:.0f}°",
    "focus": f"| in {100 * scene.BLUR_PROBABILITY:.0f} % of images: focus distance d (1 ± {scene.FOCUS}), "
    f"f-number {scene.APERTURE[0]} to {scene.APERTURE[1]}, lens radius {scene.LENS} object diameters over the f-number",
    "backgrounds": f"one of {COUNT} painted scenes",
    "zoom": f"zooms {scene.ZOOM[0]} to {scene.ZOOM[1]}",
    "materials": f"every component one of {len(material_rows())} procedural materials",
    "view": f"| {VIEW}° | {commands.FIELD_OF_VIEW:.0f}° |",
    "camera": f"| {stage.DISTANCE} object diameters away, level | {commands.DISTANCE} m away, level |",
    "categories": f"| {len(CATEGORIES)} procedural categories |",
}
SAID = [
    *(("README.md", said) for said in README.values()),
    *(("docs/python.md", said) for said in PYTHON.values()),
    *(("docs/parameters.md", said) for said in PARAMETERS.values()),
]


@pytest.mark.parametrize(("document", "said"), SAID, ids=[*README, *PYTHON, *PARAMETERS])
def test_the_document_says_what_the_code_does(document: str, said: str) -> None:
    text = re.sub(r"\s+", " ", (ROOT / document).read_text("utf-8"))
    assert said in text
