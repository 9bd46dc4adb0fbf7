"""Names from photos, tables and results of others lead to nothing outside of a folder."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer import store
from organizer.arrange import ArrangeMode, FolderTemplate, carry_out, make_plan
from organizer.errors import SettingsError
from organizer.library import Library
from organizer.settings import Settings
from organizer.store import conditions
from tests.arrange_trees import item_of, make, snapshot
from tests.conftest import Run, make_photo

_LEAVING = [
    "..", ".", "../..", "../../outside/photo", "/etc", "~", "~root", "C:\\Windows", "C:", "c:..\\x",
    "\\\\server\\share\\x", "//server/share", "\\\\?\\C:\\x", "..\\..\\outside", "fox/../../out",
    "CON", "nul", "com1.txt", "LPT9", "aux.", "fox.", "fox ", " ..", ".. ", "...", "a:b", "fox::$X",
    "-rf", "$(id)", "%SystemRoot%", "a\0b", "a\nb", "\x1b]0;owned\x07", "\u202egpj.exe", "\u2024",
    "\uff0e\uff0e\uff0fx", "x" * 5_000, "\u00e9" * 200, "<b>", "=cmd|'/C calc'!A0", ".organizer",
]  # fmt: skip
_TEMPLATES = [
    "{cluster_name}/{stem}",
    "{camera}/{deployment}/{stem}",
    "{cluster_name}{camera}/{below}/{stem}",
    "{below}/{camera}",
]


@pytest.mark.parametrize("template", _TEMPLATES)
def test_no_field_of_a_template_leads_out_of_the_folder(tmp_path: Path, template: str) -> None:
    top = tmp_path / "top"
    items = [
        item_of(
            make(tmp_path / "in" / f"{number}.jpg", b"%d" % number),
            below=name.replace("\0", ""),
            cluster_id=number,
            cluster_name=name,
            camera=name,
            deployment=name[::-1],
        )
        for number, name in enumerate(_LEAVING)
    ]
    make(tmp_path / "outside" / "photo" / "0.jpg", b"mine")
    before = snapshot(tmp_path, times=False)
    parsed = FolderTemplate.parse(template)
    plan = make_plan(items, to=top / "sorted", mode=ArrangeMode.COPY, template=parsed)
    for step in plan.steps:
        inside = step.target.relative_to(top / "sorted").parts
        assert ".." not in inside
        assert not any(set(name) & set('\\:*?"<>|\0\n\x1b') for name in inside)
        assert all(len(os.fsencode(name)) <= 255 for name in inside)
    report = carry_out(plan, journal=tmp_path / "journals" / "1")
    assert len(plan.steps) == len(items) - len(plan.left)
    assert report is not None
    after = {
        path: what
        for path, what in snapshot(tmp_path, times=False).items()
        if Path(path).parts[:1] not in {("top",), ("journals",)}
    }
    assert {path for path, what in after.items() if before.get(path) != what} == set()
    assert after.keys() == before.keys()


@pytest.mark.parametrize("mode", ArrangeMode)
def test_a_link_inside_the_folder_leads_no_photo_out(tmp_path: Path, mode: ArrangeMode) -> None:
    file = make(tmp_path / "in" / "a.jpg", b"a")
    (tmp_path / "outside").mkdir()
    (tmp_path / "sorted").mkdir()
    (tmp_path / "sorted" / "fox").symlink_to(tmp_path / "outside")
    before = snapshot(tmp_path)
    plan = make_plan(
        [item_of(file, cluster_name="fox")],
        to=tmp_path / "sorted",
        mode=mode,
        template=FolderTemplate.parse("{cluster_name}/{stem}"),
    )
    with pytest.raises(SettingsError, match="is a link to") as caught:
        carry_out(plan, journal=tmp_path / "journals" / "1")
    assert caught.value.hint
    assert {path for path in snapshot(tmp_path) if "journals" not in path} == before.keys()
    assert not list((tmp_path / "outside").iterdir())
    assert file.read_bytes() == b"a"


@pytest.mark.parametrize("kind", ["detections", "labels"])
def test_paths_in_the_results_of_others_name_photos_of_the_library_or_nothing(
    typed: Run, tmp_path: Path, kind: str
) -> None:
    home = tmp_path / "home"
    make_photo(home / "photos" / "a.jpg", 1)
    make_photo(home / "photos" / "b.jpg", 2)
    secret = make_photo(tmp_path / "outside" / "photo.jpg", 3)
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.recluster(k=2)
    odd = [*_LEAVING, str(secret), "../../outside/photo.jpg", "..\\..\\outside\\photo.jpg"]
    before = snapshot(tmp_path / "outside")
    if kind == "detections":
        box = {"category": "1", "conf": 0.9, "bbox": [0.1, 0.1, 0.5, 0.5]}
        images = [{"file": name, "detections": [box]} for name in ["photos/a.jpg", *odd]]
        results = {
            "info": {"format_version": "1.5"},
            "detection_categories": {"1": "animal"},
            "images": images,
        }
        (home / "odd.json").write_text(json.dumps(results))
        ran = typed("detections", "import", "odd.json", "--json", cwd=home)
        assert ran.code in {0, 3}, ran.err
        assert (ran.json["images"], ran.json["crops"]) == (1, 1)
    else:
        lines = [f'"{name}",fox' for name in ["photos/a.jpg", *odd] if "\n" not in name]
        (home / "odd.csv").write_text("\n".join(["path,label", *lines]), encoding="utf-8")
        ran = typed("report", "--labels", "odd.csv", cwd=home)
    assert "Traceback" not in ran.err
    assert not {c for c in ran.err if not c.isprintable()} - {"\n"}
    assert snapshot(tmp_path / "outside") == before
    assert {path.name for path in home.iterdir()} <= {"photos", ".organizer", "odd.json", "odd.csv"}


# The conditions of the store -----------------------------------------------------------------


@given(st.lists(st.text(max_size=40) | st.from_regex(r"[0-9a-f]{32}", fullmatch=True), min_size=1))
def test_a_condition_is_made_of_ids_or_not_at_all(ids: list[str]) -> None:
    def is_id(text: str) -> bool:
        return bool(text) and not set(text) - set("0123456789abcdef")

    def made() -> str:
        pairs = conditions.one_of_pairs(("a", "b"), [(i, ids[0]) for i in ids])
        return "".join([*conditions.one_of("image_id", ids), *pairs])

    if all(map(is_id, ids)):
        assert "'" in made()
        return
    with pytest.raises(AssertionError, match="is no id"):
        made()
    with pytest.raises(AssertionError, match="is no id"):
        list(conditions.one_of_pairs(("a", "b"), [(i, ids[0]) for i in ids]))


def test_no_condition_of_a_lance_table_is_made_of_other_text() -> None:
    """What is put into one is an id, as `conditions` checks, a whole number, or a constant."""
    found = 0
    for file in sorted(Path(store.__file__).parent.glob("*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for function in functions:
            known = _assigned(function)
            # The one module that passes conditions on.
            given = {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}
            passed_on = given if file.name == "database.py" else set()
            for call in ast.walk(function):
                for condition in _conditions(call):
                    told = f"{file.name}:{call.lineno} {ast.unparse(condition)}"  # type: ignore[attr-defined]
                    assert _is_safe(condition, known, passed_on), told
                    found += 1
    assert found > 10


def _conditions(node: ast.AST) -> list[ast.expr]:
    """What a call gives as a condition."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return []
    name = node.func.attr
    found = [k.value for k in node.keywords if k.arg in {"where", "filter"}]
    if name in {"delete_where", "update_where"}:
        found += node.args[1:2]
    if name == "count" and "database" in ast.unparse(node.func):
        found += node.args[1:2]
    return found


def _assigned(function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    """What each name of a function may be."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
        elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
            found.setdefault(node.target.id, []).append(node.iter)
    return found


def _is_safe(node: ast.expr, known: dict[str, list[ast.expr]], passed_on: set[str]) -> bool:
    """Whether a condition is made of ids, whole numbers and constants alone."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.BoolOp):
        return all(_is_safe(value, known, passed_on) for value in node.values)
    if isinstance(node, ast.Name):
        values = known.get(node.id, [])
        is_made_here = bool(values) and all(_is_safe(v, known, passed_on) for v in values)
        return is_made_here or node.id in passed_on
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func).rpartition(".")[2]
        joins = called == "join" and _is_safe(node.args[0], known, passed_on)
        return called in {"one_of", "one_of_pairs"} or joins
    return isinstance(node, ast.JoinedStr) and all(
        isinstance(part, ast.Constant)
        or (isinstance(part, ast.FormattedValue) and _is_number_or_state(part))
        for part in node.values
    )


def _is_number_or_state(part: ast.FormattedValue) -> bool:
    spec = "" if part.format_spec is None else ast.unparse(part.format_spec).strip("f'\"")
    is_state = isinstance(part.value, ast.Attribute) and part.value.attr == "value"
    return spec == "d" or is_state
