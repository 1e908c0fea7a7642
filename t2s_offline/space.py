"""Simulation parameters and configurations such as ``01100100``.

A configuration has one digit a parameter, in the order of the space; the digits are the database key, the folder name
and the command-line argument. Read as a mixed-radix number, the first parameter most significant, they are the array
index (base 2 for the paper's space). Only this module says which digit stands for which parameter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadInput, UnknownName

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
MAX_CONFIGURATIONS = 1 << 20

#: Backbones that stand beside those of configurations: random initialisation, pre-training on pictures of a renderer
#: without simulation parameters, and on real pictures under a name. None can be digits of a space: levels enough for
#: the letters of "scratch" or "fractals" would pass MAX_CONFIGURATIONS.
SCRATCH = "scratch"
PROCEDURAL = ("fractals", "dead_leaves")
REAL = "real:"


def real_name(configuration: str) -> str | None:
    """The name in ``real:NAME``; None for anything else. A table may hold any text there: use it as a label."""
    return configuration.removeprefix(REAL) if configuration.startswith(REAL) else None


def is_reference(configuration: str) -> bool:
    """Whether it is ``scratch``, one of PROCEDURAL or ``real:NAME``: a backbone of no configuration."""
    return configuration == SCRATCH or configuration in PROCEDURAL or bool(real_name(configuration))


@dataclass(frozen=True)
class SimParam:
    """One simulation parameter with `levels` levels; level 0 is off (constant over a dataset)."""

    name: str
    levels: int = 2

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise BadInput(f"parameter name {self.name!r}: expected letters, digits and underscores")
        if not 2 <= self.levels <= len(DIGITS):
            raise BadInput(f"parameter {self.name}: {self.levels} levels; expected 2 to {len(DIGITS)}")


@dataclass(frozen=True)
class SimSpace:
    """The ordered simulation parameters: P parameters, C configurations. BadInput when there are too many, or none."""

    params: tuple[SimParam, ...]

    def __post_init__(self) -> None:
        names = [param.name for param in self.params]
        if not names:
            raise BadInput("a space needs at least one parameter")
        if len(set(names)) != len(names):
            raise BadInput(f"parameter names repeat: {', '.join(names)}")
        if len(self) > MAX_CONFIGURATIONS:
            raise BadInput(f"the space has {len(self)} configurations; at most {MAX_CONFIGURATIONS} can be tabled")

    @classmethod
    def parse(cls, text: str) -> SimSpace:
        """Read ``name:levels,name:levels`` (levels default to 2), as written by `str(space)`."""
        params = []
        for part in text.split(","):
            name, _, levels = part.strip().partition(":")
            if levels and not (levels.isdecimal() and len(levels) < 10):
                raise BadInput(f"space {text!r}: expected name:levels, not {part.strip()!r}")
            params.append(SimParam(name, int(levels or 2)))
        return cls(tuple(params))

    def __str__(self) -> str:
        return ",".join(f"{param.name}:{param.levels}" for param in self.params)

    def __len__(self) -> int:
        size = 1
        for param in self.params:
            size *= param.levels
        return size

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(param.name for param in self.params)

    @cached_property
    def levels_P(self) -> npt.NDArray[np.int64]:
        """Levels of each parameter, shape (P,)."""
        return np.array([param.levels for param in self.params], dtype=np.int64)

    @cached_property
    def stride_P(self) -> npt.NDArray[np.int64]:
        """Array-index step of each parameter, shape (P,): index = digits @ stride."""
        return np.cumprod(np.r_[1, self.levels_P[:0:-1]])[::-1].copy()

    @cached_property
    def digits_CP(self) -> npt.NDArray[np.int64]:
        """Digits of every configuration in index order, shape (C, P)."""
        return np.arange(len(self))[:, None] // self.stride_P % self.levels_P

    @cached_property
    def configurations(self) -> tuple[str, ...]:
        """Every configuration in index order."""
        return tuple("".join(digits) for digits in product(*(DIGITS[: p.levels] for p in self.params)))

    def __iter__(self) -> Iterator[str]:
        return iter(self.configurations)

    def digits(self, configuration: str) -> tuple[int, ...]:
        """Levels of a configuration, one a parameter; BadInput when it does not belong to the space."""
        if len(configuration) != len(self.params):
            raise BadInput(
                f"configuration {configuration!r} has {len(configuration)} digits; "
                f"expected {len(self.params)}: {', '.join(self.names)}"
            )
        levels = []
        for char, param in zip(configuration, self.params, strict=True):
            level = DIGITS.find(char)
            if not 0 <= level < param.levels:
                raise BadInput(
                    f"configuration {configuration!r}: {char!r} for {param.name}; "
                    f"expected a digit from 0 to {DIGITS[param.levels - 1]}"
                )
            levels.append(level)
        return tuple(levels)

    def index(self, configuration: str) -> int:
        """Array index of a configuration."""
        return int(np.dot(self.digits(configuration), self.stride_P))

    def configuration(self, digits: Sequence[int]) -> str:
        """The configuration with these levels, one a parameter."""
        text = "".join(DIGITS[level] for level in digits)
        self.digits(text)
        return text

    def position(self, parameter: str) -> int:
        """Place of a parameter in the digits, from 0; UnknownName when there is none of that name."""
        if parameter not in self.names:
            raise UnknownName("parameter", parameter, self.names)
        return self.names.index(parameter)

    @cached_property
    def domain_randomization(self) -> str:
        """Everything varies as much as the space allows: ``11111111`` in the paper's."""
        return "".join(DIGITS[param.levels - 1] for param in self.params)

    @cached_property
    def all_off(self) -> str:
        """Nothing varies: ``00000000`` in the paper's space."""
        return "0" * len(self.params)


#: The paper's eight binary parameters in the paper's order (section 4.1); 1 means that it varies over a dataset.
TASK2SIM = SimSpace(
    tuple(
        SimParam(name)
        for name in (
            "object_rotation",
            "object_distance",
            "light_intensity",
            "light_colour",
            "light_direction",
            "focus_blur",
            "background",
            "materials",
        )
    )
)
