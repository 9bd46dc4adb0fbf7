"""MegaDetector's results are read as they are written, and mistakes are told by where they are."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.errors import SettingsError
from organizer.types import Detected
from organizer_camera_trap import json_stream
from organizer_camera_trap.json_stream import JsonElements, json_members
from organizer_camera_trap.megadetector import read_results

_CATEGORIES = {"1": "animal", "2": "person", "3": "vehicle"}
_BOX = {"category": "1", "conf": 0.93, "bbox": [0.1, 0.2, 0.3, 0.4]}


def _file(tmp_path: Path, *images: Any, **more: Any) -> Path:
    whole = {"images": list(images), "detection_categories": _CATEGORIES, **more}
    file = tmp_path / "md.json"
    file.write_text(json.dumps(whole), encoding="utf-8")
    return file


def _read(file: Path) -> list[Any]:
    results = read_results(file)
    ids = {path: f"{number:032x}" for number, path in enumerate(results.paths)}
    return list(results.detections(ids))


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6"])
def test_every_version_is_read(tmp_path: Path, version: str) -> None:
    found = {"file": "a/1.JPG", "detections": [_BOX], "max_detection_conf": 0.93}
    info = {
        "format_version": version,
        "detector": "md_v5a.0.0.pt",
        "detector_metadata": {"typical_detection_threshold": 0.15},
    }
    file = _file(tmp_path, found, {"file": "2.JPG", "detections": []}, info=info)
    results = read_results(file)
    assert (results.version, results.detector) == (version, "md_v5a.0.0.pt")
    assert results.usual_threshold == 0.15
    assert results.paths == ["a/1.JPG", "2.JPG"]
    assert not results.notes
    one, empty = _read(file)
    assert (one.outcome, empty.outcome) == (Detected.FOUND, Detected.EMPTY)
    (box,) = one.detections
    assert (box.category, box.confidence) == ("animal", 0.93)
    assert (box.x, box.y, box.width, box.height) == (0.1, 0.2, 0.3, 0.4)
    assert one.extra == {"max_detection_conf": 0.93}
    assert one.detector == "md_v5a.0.0.pt"


def test_what_failed_is_told_with_its_reason(tmp_path: Path) -> None:
    file = _file(
        tmp_path,
        {"file": "1.JPG", "detections": None, "failure": "image access failure"},
        {"file": "2.JPG", "failure": "inference failure"},
        {"file": "3.JPG"},
    )
    found = _read(file)
    assert {one.outcome for one in found} == {Detected.FAILED}
    assert [one.failure for one in found] == [
        "image access failure", "inference failure", "the results have no detections of it",
    ]  # fmt: skip


def test_classifications_are_kept_by_name(tmp_path: Path) -> None:
    box = {**_BOX, "classifications": [["0", 0.8], ["7", 0.1]]}
    file = _file(tmp_path, {"file": "1.JPG", "detections": [box]},
                 classification_categories={"0": "lynx"})  # fmt: skip
    (one,) = _read(file)
    assert json.loads(one.extra["classifications"]) == {"0": [["lynx", 0.8], ["7", 0.1]]}


def test_people_are_people_by_any_name_and_empty_boxes_are_none(tmp_path: Path) -> None:
    named = {"1": "Human", "2": "empty", "3": "Bird"}
    boxes = [{**_BOX, "category": number} for number in named]
    nothing = {"category": "3", "conf": 0.5, "bbox": [0.5, 0.5, 0, 0]}
    file = _file(
        tmp_path,
        {"file": "1.JPG", "detections": [*boxes, nothing]},
        detection_categories=named,
    )
    (one,) = _read(file)
    assert [box.category for box in one.detections] == ["person", "bird"]


def test_a_box_that_stands_out_by_rounding_is_drawn_in(tmp_path: Path) -> None:
    box = {"category": "1", "conf": 1.0, "bbox": [0.7, -0.001, 0.3003, 1.0]}
    (one,) = _read(_file(tmp_path, {"file": "1.JPG", "detections": [box]}))
    (found,) = one.detections
    assert found.y == 0
    assert found.x + found.width <= 1


def test_what_only_carries_a_classification_was_seen_by_nobody(tmp_path: Path) -> None:
    carrier = {"category": "4", "conf": 1.0, "bbox": [0.0, 0.0, 1.0, 1.0]}
    file = _file(
        tmp_path,
        {"file": "1.JPG", "detections": [carrier]},
        {"file": "2.JPG", "detections": [carrier, _BOX]},
        {"file": "3.JPG", "detections": []},
        detection_categories={**_CATEGORIES, "4": "whole_image_classification"},
    )
    found = {one.image_id[-1]: one for one in _read(file)}
    assert set(found) == {"1", "2"}
    assert [box.category for box in found["1"].detections] == ["animal"]
    assert found["2"].outcome is Detected.EMPTY


def test_half_a_character_is_no_text_that_can_be_stored(tmp_path: Path) -> None:
    half = "gr\ud800n"
    box = {**_BOX, "category": "4", "classifications": [["0", 0.8]]}
    file = _file(
        tmp_path,
        {"file": "1.JPG", "detections": [box], half: half},
        {"file": "2.JPG", "detections": None, "failure": half},
        info={"detector": half},
        detection_categories={"4": half},
        classification_categories={"0": half},
    )
    one, failed = _read(file)
    said = [one.detector, one.detections[0].category, failed.failure, *one.extra.items()]
    assert "gr?n" in str(said)
    assert json.loads(one.extra["classifications"]) == {"0": [["gr?n", 0.8]]}
    str(said).encode()


def _with(**more: Any) -> dict[str, Any]:
    return {"file": "2.JPG", "detections": [{**_BOX, **more}]}


_GOOD = {"file": "1.JPG", "detections": [_BOX]}


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (_with(category="9"), "the category '9' is not in detection_categories"),
        (_with(category=None), "the category 'None' is not in detection_categories"),
        (_with(category=[1]), "the category '[1]' is not in detection_categories"),
        (_with(conf="high"), "the confidence 'high' is not a number"),
        (_with(conf=True), "the confidence 'True' is not a number"),
        (_with(conf=None), "the confidence 'None' is not a number"),
        (_with(conf=93), "the confidence 93 is not between 0 and 1"),
        (_with(conf=-0.5), "the confidence -0.5 is not between 0 and 1"),
        (_with(conf=10**400), "the confidence inf is not a number"),
        (_with(conf=float("nan")), "the confidence nan is not a number"),
        (_with(conf=float("inf")), "the confidence inf is not a number"),
        (_with(bbox=None), "bbox is not four numbers"),
        (_with(bbox=[0.1, 0.2, 0.3]), "bbox is not four numbers"),
        (_with(bbox=[0.1, 0.2, 0.3, "0.4"]), "bbox '0.4' is not a number"),
        (_with(bbox=[0.1, 0.2, 0.3, float("nan")]), "bbox nan is not a number"),
        (_with(bbox=[float("-inf"), 0.2, 0.3, 0.4]), "bbox -inf is not a number"),
        (_with(bbox=[100, 20, 30, 40]), "bbox 100 is not a share of the picture"),
        (_with(bbox=[0.1, 0.2, 0, 0.4]), "bbox has no area"),
        (_with(bbox=[0.1, 0.2, -0.1, 0.4]), "bbox has no area"),
        (_with(bbox=[1.2, 0.2, 0.3, 0.4]), "bbox is outside the picture"),
        ({"file": "2.JPG", "detections": [3]}, "is not an object"),
        ({"file": "2.JPG", "detections": [None]}, "is not an object"),
    ],
)
@pytest.mark.parametrize("others", [0, 1])
def test_a_box_that_cannot_be_read_is_left_out_and_counted(
    tmp_path: Path, image: dict[str, Any], why: str, others: int
) -> None:
    """A photo that has no other box failed: nobody knows that it is empty."""
    image = {**image, "detections": [*image["detections"], *[_BOX] * others]}
    file = _file(tmp_path, _GOOD, image)
    odd = read_results(file).odd
    assert (odd.boxes, odd.images, odd.clipped) == (1, 0, 0)
    assert odd.lines() == [f"left out: 1 box; the first: images[1].detections[0]: {why}"]
    first, second = _read(file)
    assert len(first.detections) == 1
    assert len(second.detections) == others
    assert second.outcome is (Detected.FOUND if others else Detected.FAILED)
    assert (why in second.failure) is not bool(others)


def test_a_box_whose_object_has_a_name_twice_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "md.json"
    box = json.dumps(_BOX)
    twice = box[:-1] + ', "conf": 0.1}'
    same = box[:-1] + ', "conf": 0.93}'
    file.write_text(
        f'{{"images": [{{"file": "1.JPG", "detections": [{twice}, {same}]}},'
        f'{{"file": "2.JPG", "detections": [], "detections": [{box}]}}],'
        f'"detection_categories": {json.dumps(_CATEGORIES)}}}'
    )
    one, other = _read(file)
    assert len(one.detections) == 1
    assert (other.outcome, other.detections) == (Detected.FAILED, ())
    odd = read_results(file).odd
    assert (odd.boxes, odd.images) == (1, 1)
    assert "images[0].detections[0]: has two values of one name" in odd.lines()[0]


@pytest.mark.parametrize(
    ("bbox", "clipped"),
    [
        ([0.7, 0.7, 0.31, 0.2], (0.7, 0.7, 0.3, 0.2)),
        ([-0.1, 0.2, 0.3, 0.4], (0.0, 0.2, 0.2, 0.4)),
        ([-0.5, -0.5, 2, 2], (0.0, 0.0, 1.0, 1.0)),
    ],
)
def test_a_box_over_the_edge_is_clipped_and_counted(
    tmp_path: Path, bbox: list[float], clipped: tuple[float, ...]
) -> None:
    file = _file(tmp_path, _GOOD, _with(bbox=bbox))
    (box,) = _read(file)[1].detections
    assert (box.x, box.y, box.width, box.height) == pytest.approx(clipped)
    odd = read_results(file).odd
    assert (odd.clipped, odd.boxes) == (1, 0)
    told = "1 box reaches over the edge and is clipped: images[1].detections[0]"
    assert odd.lines() == [told]


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("text", "images[1] is not an object"),
        (None, "images[1] is not an object"),
        ({"detections": []}, "images[1] has no path of its file"),
        ({"file": " "}, "images[1] has no path of its file"),
        ({"file": 7, "detections": [_BOX]}, "images[1] has no path of its file"),
        ({"file": "1.JPG"}, "images[1] 1.JPG is also in images[0], which counts"),
    ],
)
def test_an_image_that_names_no_file_is_left_out_and_counted(
    tmp_path: Path, image: Any, why: str
) -> None:
    file = _file(tmp_path, _GOOD, image)
    results = read_results(file)
    assert results.paths == ["1.JPG"]
    assert results.odd.lines() == [f"left out: 1 image; the first: {why}"]
    assert [one.outcome for one in _read(file)] == [Detected.FOUND]


_ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
_NUMBERS = st.floats(-0.2, 1.2) | st.floats() | st.integers(-1, 2)
_ANY_BOX = _ODD | st.fixed_dictionaries(
    {},
    optional={
        "category": st.sampled_from(["1", "2", 3, "9"]) | _ODD,
        "conf": _NUMBERS | _ODD,
        "bbox": st.lists(_NUMBERS, min_size=4, max_size=4) | _ODD,
        "classifications": _ODD,
    },
)
_ANY_IMAGE = _ODD | st.fixed_dictionaries(
    {},
    optional={
        "file": st.sampled_from(["1.JPG", "2.JPG", "3.JPG"]) | _ODD,
        "detections": st.lists(_ANY_BOX, max_size=3) | _ODD,
        "failure": _ODD,
        "more": _ODD,
    },
)


@given(st.lists(_ANY_IMAGE, max_size=4), _ODD)
def test_whatever_an_image_holds_the_others_are_read(
    tmp_path_factory: pytest.TempPathFactory, images: list[Any], info: Any
) -> None:
    """Every box lies in its picture, and a photo is empty only where a list says so."""
    file = tmp_path_factory.mktemp("any") / "md.json"
    good = {"file": "good.JPG", "detections": [_BOX]}
    nothing = {"file": "nothing.JPG", "detections": []}
    whole = {"info": info, "images": [good, *images, nothing], "detection_categories": _CATEGORIES}
    file.write_text(json.dumps(whole), encoding="utf-8")
    try:
        results = read_results(file)
    except SettingsError as error:
        assert "format_version" in error.message  # noqa: PT017
        return
    found = {one.image_id: one for one in results.detections({p: p for p in results.paths})}
    assert len(found["good.JPG"].detections) == 1
    assert found["nothing.JPG"].outcome is Detected.EMPTY
    assert len(results.paths) + results.odd.images >= len(images) + 2
    for one in found.values():
        for box in one.detections:
            assert 0 <= box.confidence <= 1
            assert box.width > 0
            assert box.height > 0
            assert min(box.x, box.y) >= 0
            assert max(box.x + box.width, box.y + box.height) <= 1 + 1e-9
        json.dumps(dict(one.extra), allow_nan=False)
        if one.outcome is Detected.EMPTY and one.image_id != "nothing.JPG":
            (image,) = [i for i in images if isinstance(i, dict) and i.get("file") == one.image_id][
                :1
            ]
            assert image["detections"] == []


def test_detections_that_are_no_list_are_not_nothing(tmp_path: Path) -> None:
    file = _file(tmp_path, _GOOD, {"file": "2.JPG", "detections": {}})
    assert [one.outcome for one in _read(file)] == [Detected.FOUND, Detected.FAILED]
    assert read_results(file).odd.images == 1


def test_odd_values_beside_the_boxes_harm_none_of_them(tmp_path: Path) -> None:
    box = {**_BOX, "classifications": [1, ["0", float("nan")], ["0", 0.5], ["0"]]}
    image = {"file": "1.JPG", "detections": [box], "failure": 3, "score": float("inf")}
    file = _file(
        tmp_path,
        image,
        info={"format_version": "1.4", "detector": 5,
              "detector_metadata": {"typical_detection_threshold": 2}},
        classification_categories={"0": "lynx", "1": None},
    )  # fmt: skip
    results = read_results(file)
    assert results.usual_threshold is None
    assert len(results.notes) == 2
    (one,) = _read(file)
    assert json.loads(one.extra["classifications"]) == {"0": [["lynx", 0.5]]}
    assert "score" not in one.extra
    assert one.failure == "3"


def test_what_speciesnet_writes_is_read(tmp_path: Path) -> None:
    """As in the output format of its documentation."""
    box = {"category": "1", "label": "animal", "conf": 0.97, "bbox": [0.1, 0.2, 0.3, 0.4]}
    whole = {
        "predictions": [
            {
                "filepath": "a/1.JPG",
                "classifications": {"classes": ["x;felidae;lynx"], "scores": [0.9]},
                "detections": [box, {**box, "category": "2", "label": "human"}],
                "prediction": "x;felidae;lynx",
                "prediction_score": 0.9,
                "prediction_source": "classifier",
                "model_version": "4.0.1a",
            },
            {"filepath": "a/2.JPG", "failures": ["DETECTOR", "CLASSIFIER"]},
            {"filepath": "a/3.JPG", "detections": []},
        ]
    }
    file = tmp_path / "predictions.json"
    file.write_text(json.dumps(whole))
    assert read_results(file).paths == ["a/1.JPG", "a/2.JPG", "a/3.JPG"]
    one, failed, empty = _read(file)
    assert [box.category for box in one.detections] == ["animal", "person"]
    assert one.extra["prediction"] == "x;felidae;lynx"
    assert (failed.outcome, empty.outcome) == (Detected.FAILED, Detected.EMPTY)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("\n  ", "'{' is missing"),
        ("[]", "line 1, column 1: not JSON: '{' is missing"),
        ('{"info": {}}', "has no list of images"),
        ('{"images": {}}', "images: is not a list"),
        ('{"images": [3, {"file_name": "1.JPG"}]}', "has no list of images"),
        ('{"images": [], "annotations": []}', "holds 'annotations'"),
        ('{"images": [],\n "info": {"format_version": "2.0"}}', "info.format_version: '2.0'"),
        ('{"images": [], "detection_categories": ["animal"]}', "detection_categories"),
        ('{"images": [\n  {"file": "1.JPG"},\n  {"file" "2.JPG"}]}', "line 3, column 11"),
        ('{"images": [{"file": "1.JPG"}', "line 1, column 30"),
        ('{"images": []} {}', "something after its end"),
        ('{"images": [], 3: 4}', "a name in quotes is missing"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "md.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_results(file)
    assert told in caught.value.message
    assert caught.value.hint


def test_files_that_are_not_there_or_no_text_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_results(tmp_path / "none.json")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_results(tmp_path)
    (tmp_path / "picture.json").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    with pytest.raises(SettingsError, match="not JSON"):
        read_results(tmp_path / "picture.json")
    (tmp_path / "latin.json").write_bytes(b'{"images": [{"file": "f\xe4.JPG"}]}')
    assert read_results(tmp_path / "latin.json").paths == ["f\udce4.JPG"]
    for encoding in ("utf-16", "utf-16-le"):
        wide = tmp_path / f"{encoding}.json"
        wide.write_bytes('{"images": [{"file": "f\u00e4.JPG"}]}'.encode(encoding))
        assert read_results(wide).paths == ["f\u00e4.JPG"]
    marked = tmp_path / "marked.json"
    marked.write_bytes(b"\xef\xbb\xbf" + b'{"images": [{"file": "1.JPG"}]}')
    assert read_results(marked).paths == ["1.JPG"]


def test_a_newer_version_is_read_with_a_note(tmp_path: Path) -> None:
    file = _file(tmp_path, {"file": "1.JPG", "detections": []}, info={"format_version": "1.9"})
    assert "1.9" in read_results(file).notes[0]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.lists(_JSON, max_size=5), st.dictionaries(st.text(), _JSON, max_size=3),
       st.integers(1, 40), st.sampled_from([None, 1]))  # fmt: skip
def test_what_is_streamed_is_what_json_reads(
    tmp_path_factory: pytest.TempPathFactory,
    listed: list[Any],
    others: dict[str, Any],
    chunk: int,
    indent: int | None,
) -> None:
    whole = {**others, "images": listed, "last": 1.5}
    file = tmp_path_factory.mktemp("json") / "x.json"
    file.write_text(json.dumps(whole, indent=indent), encoding="utf-8", errors="surrogatepass")
    text = file.read_bytes()
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_CHUNK", chunk)
        found = {
            name: list(value) if isinstance(value, JsonElements) else value
            for name, value in json_members(file, listed=["images"])
        }
    assert found == whole


def test_a_large_file_is_not_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", 1 << 15)
    images = 5_000
    file = tmp_path / "md.json"
    with file.open("w") as to:
        to.write('{"images": [')
        for number in range(images):
            image = {"file": f"{number:06}.JPG", "detections": [_BOX] * 6}
            to.write(("," if number else "") + json.dumps(image))
        to.write(f'], "detection_categories": {json.dumps(_CATEGORIES)}}}')
    assert file.stat().st_size > 2_000_000
    results = read_results(file)
    wanted = {results.paths[-1]: "ab" * 16}
    tracemalloc.start()
    (last,) = results.detections(wanted)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(last.detections) == 6
    assert peak < 600_000
