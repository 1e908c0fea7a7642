"""Make the pictures anew: after an edit that is meant to change them, with a new version in `render/pixels.py`."""

from __future__ import annotations

from PIL import Image

from t2s_offline.sweep.worker import processor
from tests.golden import HERE, MADE_ON, strips

for name, picture in strips():
    Image.fromarray(picture).save(HERE / name, optimize=True)
MADE_ON.write_text(processor() + "\n")
