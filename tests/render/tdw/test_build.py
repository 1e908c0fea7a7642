"""Builds that never answer, die, hang, stammer or are not there: each ends in one clear line, within its time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from t2s_offline.errors import BadInput, RenderError
from t2s_offline.render.tdw.build import BuildLost, Link, Place, Process, build_command, dialled

stub = pytest.importorskip("tests.render.tdw.stub", reason="TDW is not installed here", exc_type=ImportError)

HELLO = [{"$type": "set_error_handling"}, {"$type": "send_version"}]


@pytest.fixture
def opened() -> Iterator[list[Link]]:
    """Links that are closed at the end, and with them their builds."""
    links: list[Link] = []
    yield links
    for link in links:
        link.close()


def link(opened: list[Link], fault: str = "", patience: float = 20.0, **place: object) -> Link:
    made = Link(Place(port=stub.free_port(), build=stub.command(fault), patience=patience, **place))  # type: ignore[arg-type]
    opened.append(made)
    return made


def alive(text: str) -> list[int]:
    """Processes with this text in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if text in line:
                found.append(int(entry.name))
    return found


def gone(text: str, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while alive(text) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(text)


def test_a_build_is_started_talks_and_ends_with_its_link(opened: list[Link]) -> None:
    made = link(opened)
    made.open()
    (answer,) = made.talk(HELLO)
    assert answer[4:8] == b"vers"
    assert made.talk([{"$type": "do_nothing"}]) == []
    word = f"-port={made.port}"
    assert alive(word)
    made.close()
    assert gone(word)


def test_a_build_that_says_no_hello(opened: list[Link]) -> None:
    made = link(opened, "silent", patience=1.5)
    start = time.monotonic()
    with pytest.raises(BuildLost, match=rf"no hello in 1\.5 s on 127\.0\.0\.1:{made.port}"):
        made.open()
    assert time.monotonic() - start < 5


def test_a_build_that_cannot_even_start(opened: list[Link], tmp_path: Path) -> None:
    program = tmp_path / "TDW.x86_64"
    program.write_text("#!/bin/sh\necho no display >&2\nexit 3\n")
    program.chmod(0o755)
    made = Link(Place(port=stub.free_port(), build=str(program), patience=20.0))
    opened.append(made)
    start = time.monotonic()
    with pytest.raises(BuildLost, match="exit code 3, saying 'no display'"):
        made.open()
    assert time.monotonic() - start < 10, "it is not waited for once it has ended"


def test_nobody_dials() -> None:
    made = Link(Place(port=stub.free_port(), patience=0.5))
    with pytest.raises(BuildLost, match="said no hello"):
        made.open()
    made.close()


def test_two_controllers_on_one_port() -> None:
    place = Place(port=stub.free_port(), patience=0.5)
    first = Link(place)
    with pytest.raises(
        RenderError, match=rf"port {place.port} of 127\.0\.0\.1 is taken by another controller.*--tdw-port"
    ):
        Link(place)
    first.close()
    Link(place).close()


def test_workers_take_the_next_free_ports() -> None:
    base = stub.free_port(3)
    place = Place(port=base, ports=3)
    links = [Link(place) for _ in range(3)]
    assert [made.port for made in links] == [base, base + 1, base + 2]
    with pytest.raises(RenderError, match=f"port {base} to {base + 2}"):
        Link(place)
    for made in links:
        made.close()


def test_listens_on_loopback_unless_told_otherwise() -> None:
    made = Link(Place(port=stub.free_port()))
    hexadecimal = f"0100007F:{made.port:04X}"
    assert any(line.split()[1] == hexadecimal for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    made.close()
    with pytest.raises(RenderError, match=r"cannot listen at 203\.0\.113\.1"):
        Link(Place(address="203.0.113.1", port=stub.free_port()))
    assert dialled("0.0.0.0") == "127.0.0.1"


def test_a_build_that_hangs(opened: list[Link]) -> None:
    made = link(opened, "hang:0", patience=20.0)
    made.open()
    made.talk(HELLO)
    made.place = Place(port=made.port, patience=1.0)
    with pytest.raises(BuildLost, match="gave no answer in 1 s"):
        made.talk([{"$type": "send_images", "frequency": "once"}])


def test_a_build_that_dies(opened: list[Link]) -> None:
    made = link(opened, "dies:0")
    made.open()
    with pytest.raises(BuildLost, match="exit code 9, saying 'stub: out of memory'"):
        made.talk([{"$type": "send_images", "frequency": "once"}])


def test_a_build_that_asks_again_is_told_again(opened: list[Link]) -> None:
    made = link(opened, "ftre:3")
    made.open()
    made.talk([{"$type": "create_avatar", "type": "A_Img_Caps_Kinematic", "id": "a"}])
    (answer,) = made.talk([{"$type": "send_images", "frequency": "once"}])
    assert answer[4:8] == b"imag"


def test_a_build_that_only_ever_asks_again(opened: list[Link]) -> None:
    made = link(opened, "ftre:1000")
    made.open()
    with pytest.raises(BuildLost, match="asked 20 times"):
        made.talk([{"$type": "send_images", "frequency": "once"}])


def test_a_loading_build_is_given_more_time(opened: list[Link]) -> None:
    made = link(opened, "heavy")
    made.open()
    made.place = Place(port=made.port, patience=0.5)
    start = time.monotonic()
    assert made.talk([{"$type": "add_material", "name": "oak", "url": "file:///oak"}]) == []
    assert time.monotonic() - start > 0.9


OWNER = """
import sys
from t2s_offline.render.tdw.build import Place, Process
place = Place(port=int(sys.argv[1]), build=sys.argv[2])
process = Process(place, place.port)
print("started", flush=True)
sys.stdin.read()
"""


def test_a_build_ends_with_a_killed_owner() -> None:
    port = stub.free_port()
    command = [sys.executable, "-c", OWNER, str(port), stub.command("silent")]
    owner = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "started\n"
        assert not gone(f"-port={port}", 0.3)
        os.kill(owner.pid, signal.SIGKILL)
    assert gone(f"-port={port}")


def test_each_port_has_its_display(tmp_path: Path) -> None:
    program = tmp_path / "TDW.x86_64"
    program.write_text(f'#!/bin/sh\necho "$DISPLAY $*" > {tmp_path}/said.$$\nsleep 60\n')
    program.chmod(0o755)
    place = Place(port=6000, ports=3, build=f"{program} -force-glcore42", displays=(":0.0", ":0.1"))
    processes = [Process(place, port) for port in (6000, 6001, 6002)]
    end = time.monotonic() + 10
    while len(said := [p.read_text() for p in tmp_path.glob("said.*")]) < 3 or not all(said):
        assert time.monotonic() < end
        time.sleep(0.05)
    for process in processes:
        process.stop()
    assert sorted(text.strip() for text in said) == [
        ":0.0 -force-glcore42 -port=6000 -address=127.0.0.1",
        ":0.0 -force-glcore42 -port=6002 -address=127.0.0.1",
        ":0.1 -force-glcore42 -port=6001 -address=127.0.0.1",
    ]


def test_places_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ADDRESS": "0.0.0.0",
        "PORT": "1080",
        "PORTS": "4",
        "DISPLAY": ":1,:2",
        "TIMEOUT": "7.5",
    }.items():
        monkeypatch.setenv(f"T2S_TDW_{name}", value)
    monkeypatch.delenv("T2S_TDW_BUILD", raising=False)
    assert Place.from_environment() == Place("0.0.0.0", 1080, 4, "", (":1", ":2"), 7.5)
    assert Place.from_environment(port=9, patience=None).port == 9
    monkeypatch.setenv("T2S_TDW_PORT", "abc")
    with pytest.raises(BadInput, match="T2S_TDW_PORT='abc'"):
        Place.from_environment()
    for bad in ({"port": 0}, {"port": 65535, "ports": 2}, {"patience": 0.0}):
        with pytest.raises(BadInput, match="expected"):
            Place(**bad)  # type: ignore[arg-type]


def test_builds_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no TDW build"):
        build_command(str(tmp_path / "TDW.x86_64"))
    with pytest.raises(BadInput, match="no TDW build"):
        build_command(" ")
    spaced = tmp_path / "a b" / "TDW.x86_64"
    spaced.parent.mkdir()
    spaced.write_text("")
    with pytest.raises(BadInput, match="chmod"):
        build_command(str(spaced))
    spaced.chmod(0o755)
    assert build_command(str(spaced)) == [str(spaced)]
    assert build_command(f"'{spaced}' -flip_images") == [str(spaced), "-flip_images"]
