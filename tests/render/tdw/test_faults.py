"""TDW builds that misbehave: a dataset goes on where it was, is corrected, or ends with one clear line."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from t2s_offline.errors import RenderError
from t2s_offline.render.tdw.commands import CENTRE

stub = pytest.importorskip("tests.render.tdw.stub", reason="TDW is not installed here", exc_type=ImportError)
images, sent = stub.images, stub.sent

ALL = "1" * 8


@pytest.fixture
def opened() -> Iterator[Any]:
    stubs = stub.Opened()
    yield stubs
    stubs.close()


def test_few_models_stay_loaded(opened: Any, tmp_path: Path) -> None:
    log = tmp_path / "wire"
    renderer = opened(log=log, classes=2, objects=3)
    expected = images(renderer, "10000001", 6, 32)
    other = opened(log=log, classes=2, objects=3)
    other.session.kept = 1
    assert np.array_equal(expected, images(other, "10000001", 6, 32))
    destroyed = sum(command["$type"] == "destroy_object" for message in sent(log) for command in message)
    assert destroyed == 5


def test_a_build_is_renewed_after_so_many_models(opened: Any, tmp_path: Path) -> None:
    log = tmp_path / "wire"
    expected = images(opened(classes=3, objects=2), ALL, 4, 32)
    renderer = opened(log=log, models_a_build=2)
    assert np.array_equal(expected, images(renderer, ALL, 4, 32))
    assert sum(message[0]["$type"] == "set_error_handling" for message in sent(log)) == 3


def test_memory_of_a_foreign_build_is_given_back(opened: Any, tmp_path: Path) -> None:
    """A build that others started is not ended: its models are unloaded."""
    log, port = tmp_path / "wire", stub.free_port()
    command = [*shlex.split(stub.command(log=log)), f"-port={port}"]
    with subprocess.Popen(command) as build:
        try:
            renderer = opened(build="", port=port, models_a_build=2)
            expected = images(renderer, ALL, 4, 32)
            renderer.close()
            assert build.poll() is None
        finally:
            build.kill()
    kinds = [command["$type"] for message in sent(log) for command in message]
    assert (kinds.count("unload_asset_bundles"), kinds.count("load_scene")) == (2, 1)
    assert np.array_equal(expected, images(opened(), ALL, 4, 32))


def test_bounds_are_checked(opened: Any) -> None:
    """A model twice the size of its record is brought to unit size and to the middle all the same."""
    right, big = opened(classes=2, objects=1), opened("big", classes=2, objects=1)
    assert np.array_equal(images(right, "10000000", 4), images(big, "10000000", 4))
    entry = next(iter(big.session.loaded.values()))
    model = big.models.models[0]
    assert entry.placement.scale == pytest.approx(model.unit_scale / 2, rel=1e-5)
    assert np.array(entry.placement.centre) == pytest.approx(2 * np.array(model.centre), abs=1e-5)
    assert CENTRE[1] > 1


def test_light_is_measured_and_corrected(opened: Any) -> None:
    """A build whose sun is brighter than it was told is brought to the absolute intensity."""
    right, bright = opened(classes=2, objects=1), opened("dim", classes=2, objects=1)
    assert np.array_equal(images(right, "00100010", 6), images(bright, "00100010", 6))
    careless = opened("dim", classes=2, objects=1, settle=0)
    assert not np.array_equal(images(right, "00100010", 6), images(careless, "00100010", 6))


@pytest.mark.parametrize("fault", ["dies:7", "quits:7", "errors:7", "truncated:7", "ftre:2"])
def test_a_dataset_goes_on_after_a_fault(opened: Any, fault: str) -> None:
    renderer = opened(fault, classes=3, objects=2, restarts=3)
    assert np.array_equal(images(renderer, ALL, 6, 32), images(opened(), ALL, 6, 32))


def test_a_hung_build_is_started_again(opened: Any) -> None:
    renderer = opened("hang:10", classes=2, objects=1, restarts=2, patience=2.5)
    assert np.array_equal(images(renderer, "10000000", 8, 32), images(opened(classes=2, objects=1), "10000000", 8, 32))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("dies:0", "exit code 9, saying 'stub: out of memory'; given up after 2 restarts"),
        ("quits:0", "quit: the stub has had enough; given up"),
        ("errors:0", "reports an error: a bundle could not be loaded; given up"),
        ("no-picture", "sent no picture of .*; given up"),
    ],
)
def test_a_build_that_fails_again_and_again(opened: Any, fault: str, expected: str) -> None:
    renderer = opened(fault, classes=2, objects=1, restarts=2)
    with pytest.raises(RenderError, match=expected) as caught:
        images(renderer, ALL, 2, 32)
    assert "\n" not in str(caught.value)
    assert "Player.log" in str(caught.value)
    assert renderer.session.link is None


def test_a_silent_build_is_given_up_in_time(opened: Any) -> None:
    with pytest.raises(RenderError, match=r"no hello in 0\.5 s .* given up after 1 restarts"):
        images(opened("silent", restarts=1, patience=0.5), ALL, 1, 32)


def test_a_wrong_size_and_a_wrong_version(opened: Any) -> None:
    with pytest.raises(RenderError, match="sends 640x640 pixels; expected 32x32"):
        images(opened("size"), ALL, 1, 32)
    with pytest.raises(RenderError, match=r"build is version 1\.12\.4, the package 1\.13\.0; get build 1\.13\.0"):
        images(opened("version"), ALL, 1, 32)


def test_two_renderers_on_one_port(opened: Any) -> None:
    first = opened(classes=2, objects=1)
    images(first, ALL, 1, 32)
    with pytest.raises(RenderError, match="taken by another controller"):
        images(opened(classes=2, objects=1, port=first.session.link.port), ALL, 1, 32)
    assert images(first, ALL, 1, 32).shape == (2, 3, 32, 32), "the first is not disturbed"
