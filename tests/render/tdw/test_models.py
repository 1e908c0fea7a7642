"""Model sets, lists and local bundles: what is chosen, and what is named and left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from t2s_offline.errors import BadFile, BadInput, UnknownName
from t2s_offline.render.tdw import models as tdw_models
from t2s_offline.render.tdw.models import choose_materials, choose_models, choose_skyboxes, read_library, summary

PUBLIC = "https://tdw-public.s3.amazonaws.com/models/linux/"
SECRET = "https://tdw-private.s3.amazonaws.com/models/linux/"


def record(name: str, wnid: str, url: str = PUBLIC, side: float = 2.0, **more: Any) -> dict[str, Any]:
    """A record of TDW's form: a box of 1 x `side` x 0.5 that stands on its pivot."""
    bounds = {"right": (0.5, 0, 0), "left": (-0.5, 0, 0), "top": (0, side, 0), "bottom": (0, 0, 0)}
    bounds |= {"front": (0, 0, 0.25), "back": (0, 0, -0.25), "center": (0, side / 2, 0)}
    urls = dict.fromkeys(("Linux", "Darwin", "Windows"), url + name)
    return {
        "name": name, "wnid": wnid, "wcategory": f"kind {wnid}", "scale_factor": 1, "do_not_use": False,
        "canonical_rotation": {"x": 0, "y": 90, "z": 0}, "urls": urls,
        "bounds": {key: dict(zip("xyz", value, strict=True)) for key, value in bounds.items()},
        "substructure": [{"name": "a", "materials": ["m", "n"]}, {"name": "b", "materials": ["m"]}], **more,
    }  # fmt: skip


LIBRARY = {
    "cup": record("cup", "n1"),
    "mug": record("mug", "n1", side=0.1),
    "broken": record("broken", "n1", do_not_use=True),
    "chair": record("chair", "n2"),
    "secret": record("secret", "n2", SECRET),
    "dot": record("dot", "n3", side=0.0, bounds={**record("", "")["bounds"], "right": {"x": -0.5, "y": 0, "z": 0}}),
}


def flat() -> dict[str, Any]:
    """A model whose record has no size at all."""
    bounds = {key: {"x": 0.0, "y": 0.0, "z": 0.0} for key in record("", "")["bounds"]}
    return record("dot", "n3", bounds=bounds)


def test_a_model_is_read_from_its_record() -> None:
    found = choose_models({"cup": LIBRARY["cup"]}, Path("/nowhere"))
    (model,) = found.models
    assert model.extents == (1.0, 2.0, 0.5)
    assert (model.centre, model.canonical) == ((0.0, 1.0, 0.0), (0.0, 90.0, 0.0))
    assert model.unit_scale == 0.5
    assert model.slots == (("a", 0), ("a", 1), ("b", 0))
    assert (found.classes, found.class_of, found.counts) == (("n1",), (0,), [1])


def test_what_cannot_be_shown_is_named_and_counted() -> None:
    found = choose_models(LIBRARY | {"dot": flat()}, Path("/nowhere"))
    assert found.classes == ("n1", "n2")
    assert [model.name for model in found.models] == ["cup", "mug", "chair"]
    why = {(item.kind, item.name): item.why for item in found.skipped}
    assert set(why) == {("model", "secret"), ("model", "dot"), ("class", "n3")}
    assert "private" in why["model", "secret"]
    assert "size" in why["model", "dot"]
    lines = summary([*found.skipped, tdw_models.Skipped("model", "other", why["model", "secret"])])
    assert any(line.startswith("left out 2, model is private") and line.endswith("secret, other") for line in lines)


def test_a_users_list_keeps_its_order_and_its_wishes() -> None:
    wanted = {"n2": ["chair", "throne", "secret"], "n1": ["broken", "cup", "cup"]}
    found = choose_models(LIBRARY, Path("/nowhere"), wanted=wanted)
    assert found.classes == ("n2", "n1")
    assert [model.name for model in found.models] == ["chair", "broken", "cup"], "advised against, but asked for"
    assert [item.name for item in found.skipped] == ["throne", "secret"]
    assert "not in the library" in found.skipped[0].why


def test_classes_by_number_and_name() -> None:
    assert choose_models(LIBRARY, Path("/"), classes=1).classes == ("n1",), "the one with the most models"
    assert choose_models(LIBRARY, Path("/"), classes=["n2", "kind n1"]).classes == ("n2", "n1")
    assert [m.name for m in choose_models(LIBRARY, Path("/"), objects=1).models] == ["cup", "chair", "dot"]
    with pytest.raises(UnknownName, match="n2"):
        choose_models(LIBRARY, Path("/"), classes=["n22"])
    for bad in (0, 4, ["n1", "n1"]):
        with pytest.raises(BadInput, match="expected"):
            choose_models(LIBRARY, Path("/"), classes=bad)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="no model is left"):
        choose_models(LIBRARY, Path("/"), wanted={"n1": ["saucer"]})


def test_local_bundles(tmp_path: Path) -> None:
    """A library beside its bundles, with relative and absolute addresses; a bundle that is gone is left out."""
    (tmp_path / "models").mkdir()
    for name in ("cup", "secret"):
        (tmp_path / "models" / name).write_bytes(b"bundle")
    records = {
        "cup": record("cup", "n1", "models/"),
        "secret": record("secret", "n2", f"file:///{str(tmp_path).lstrip('/')}/models/"),
        "gone": record("gone", "n2", "models/"),
    }
    (tmp_path / "models.json").write_text(json.dumps({"description": "", "records": records}))
    found = choose_models(read_library(tmp_path / "models.json"), tmp_path)
    assert {m.name: m.url for m in found.models} == {
        name: f"file:///{str(tmp_path).lstrip('/')}/models/{name}" for name in ("cup", "secret")
    }
    assert [item.name for item in found.skipped] == ["gone"]


def test_skyboxes_are_outdoors_by_day() -> None:
    def sky(location: str, elevation: float) -> dict[str, Any]:
        shown = {"exposure": 1, "initial_skybox_rotation": 90, "urls": dict.fromkeys(("Linux", "Darwin"), PUBLIC)}
        return {"location": location, "sun_elevation": elevation, **shown}

    library = {"b": sky("exterior", 140), "a": sky("exterior", 120)}
    library |= {"room": sky("interior", 150), "dusk": sky("exterior", 90)}
    found, skipped = choose_skyboxes(library, Path("/"))
    assert ([box.name for box in found], skipped) == (["a", "b"], [])
    assert found[0].turn == 90.0
    with pytest.raises(BadInput, match="no skybox"):
        choose_skyboxes({"room": library["room"]}, Path("/"))


def test_materials_by_name() -> None:
    urls = {"Linux": PUBLIC + "x", "Darwin": PUBLIC, "Windows": PUBLIC}
    library = {"oak": {"urls": urls}, "brass": {"urls": urls}}
    assert [m.name for m in choose_materials(library, Path("/"))[0]] == ["brass", "oak"]
    found, skipped = choose_materials(library, Path("/"), ["oak", "pine"])
    assert ([m.name for m in found], [item.name for item in skipped]) == (["oak"], ["pine"])


def test_lists_are_read_and_checked(tmp_path: Path) -> None:
    good = tmp_path / "objects.json"
    good.write_text('{"n1": ["cup"]}')
    assert tdw_models.read_models(good) == {"n1": ["cup"]}
    (tmp_path / "materials.txt").write_text("oak\n\nbrass \noak\n")
    assert tdw_models.read_materials(tmp_path / "materials.txt") == ["oak", "brass"]
    assert tdw_models.file_digest(good) != tdw_models.file_digest(tmp_path / "materials.txt")
    for text in ("[]", "{}", '{"n1": "cup"}', '{"n1": []}', '{"n1": [1]}', "{"):
        good.write_text(text)
        with pytest.raises(BadFile, match="expected"):
            tdw_models.read_models(good)
    for reader in (tdw_models.read_models, tdw_models.read_materials, tdw_models.read_library, tdw_models.file_digest):
        with pytest.raises(BadFile, match="expected"):
            reader(tmp_path / "none")
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(BadFile, match="empty"):
        tdw_models.read_materials(tmp_path / "empty.txt")
    good.write_text('{"records": {}}')
    with pytest.raises(BadFile, match="no records"):
        read_library(good)


def test_the_packages_libraries() -> None:
    """The figures that a user is told: the public core library and Task2Sim's outdoor skyboxes."""
    pytest.importorskip("tdw", reason="TDW is not installed here")
    from t2s_offline.render.tdw.open_tdw import LIBRARIES

    core = choose_models(read_library(LIBRARIES / "models_core.json"), LIBRARIES, objects=1000)
    assert (len(core.models), len(core.classes), core.skipped) == (588, 118, ())
    full = choose_models(read_library(LIBRARIES / "models_full.json"), LIBRARIES, objects=1000)
    assert len(full.models) + sum(item.kind == "model" for item in full.skipped) == 2298
    assert {model.name for model in core.models} <= {model.name for model in full.models}
    skyboxes, _ = choose_skyboxes(read_library(LIBRARIES / "hdri_skyboxes.json"), LIBRARIES)
    assert len(skyboxes) == 43
    materials, _ = choose_materials(read_library(LIBRARIES / "materials_low.json"), LIBRARIES)
    assert len(materials) == 583


def test_task2sims_lists(task2sim_folder: Path) -> None:
    pytest.importorskip("tdw", reason="TDW is not installed here")
    from t2s_offline.render.tdw.open_tdw import LIBRARIES

    objects, materials = task2sim_folder / "tdw_simple_objs_100.json", task2sim_folder / "material_subset.txt"
    if not objects.exists():
        pytest.skip("T2S_TASK2SIM has no lists of objects and materials")
    library = read_library(LIBRARIES / "models_full.json")
    wanted = tdw_models.read_models(objects)
    found = choose_models(library, LIBRARIES, wanted=wanted, objects=1000)
    private = [item for item in found.skipped if item.kind == "model"]
    assert len(found.models) + len(private) == 787
    assert all("private" in item.why for item in private)
    names = tdw_models.read_materials(materials)
    assert len(choose_materials(read_library(LIBRARIES / "materials_low.json"), LIBRARIES, names)[0]) == len(names)
