"""Seeds that derive from names and numbers, so that neither the order nor the number of workers changes a result."""

from __future__ import annotations

import hashlib

import numpy as np


def derive_seed(*parts: str | int) -> int:
    """A 128-bit seed from what it is for, such as ("reinforce", recipe, 3)."""
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")


def derive_rng(*parts: str | int) -> np.random.Generator:
    """A generator of its own for what the parts name."""
    return np.random.default_rng(derive_seed(*parts))
