"""The documentation does what it says: its commands, sessions and Python are run as they stand."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import organizer
from docs import example_pictures, make_commands, make_json, make_licences
from organizer.settings import Settings
from organizer.store.journal_schema import CREATE
from organizer.store.schemas import ARRAYS, ASSIGNMENTS, TABLES, vectors_schema
from tests.conftest import Ran, Run, make_photo
from tests.docs_pages import (
    PAGES,
    READMES,
    ROOT,
    Block,
    Shown,
    blocks,
    masked,
    missing_lines,
    organizer_calls,
    page_text,
    parse_call,
    session_of,
    shown_commands,
)
from tests.typed import in_this_process

_DOCS = ROOT / "docs"
_API = sorted((_DOCS / "python").glob("*.md"))
_KINDS = {"fox": (200, 40, 40), "lynx": (40, 200, 40), "owl": (40, 40, 200)}
_IDENTIFIER = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)[^)]*\)")
_PATH = re.compile(r"`((?:organizer|tests|docs|plugins|benchmarks)/[\w./-]*)`")
_OBJECTS = (
    "images", "clusters", "corrections", "review", "reports", "exports", "folders", "deployments",
    "detections", "suggestions",
)  # fmt: skip


def _id(file: Path) -> str:
    return str(file.relative_to(ROOT))


def _runs_something(file: Path) -> bool:
    text = page_text(file)
    return session_of(text) == "photos" and any(
        block.is_run and block.kind in {"sh", "console", "python"} for block in blocks(text)
    )


# What is run -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 24 photos of three kinds, embedded by colour and in three clusters."""
    folder = tmp_path_factory.mktemp("ready")
    for place, (kind, colour) in enumerate(_KINDS.items()):
        for number in range(8):
            file = folder / "photos" / kind / f"{number:03}.jpg"
            make_photo(file, 100 * place + number, colour=colour)
    with organizer.open(folder) as library:
        library.ingest(folder / "photos", embedder="channel-mean")
        library.recluster(k=3)
    return folder


@pytest.fixture
def here(ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the current folder."""
    folder = tmp_path / "here"
    shutil.copytree(ready, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("file", [file for file in PAGES if _runs_something(file)], ids=_id)
def test_what_a_page_shows_runs_in_the_order_in_which_it_stands(
    file: Path, here: Path, run: Run
) -> None:
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page_text(file)):
        if block.is_run and block.kind == "python":
            exec(compile(block.text, f"{_id(file)}", "exec"), namespace)  # noqa: S102
        elif block.is_run:
            _run_commands(block, partial(in_this_process, here), run)


def test_the_tutorial_prints_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "ann")  # the tutorial's user
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page_text(_DOCS / "tutorials" / "photos.md")):
        if block.kind == "python":
            exec(compile(block.text, "photos.md", "exec"), namespace)  # noqa: S102
        elif block.is_run:
            _run_commands(block, partial(in_this_process, tmp_path), run)


def _run_commands(block: Block, run: Run, run_as_typed: Run) -> None:
    """Run the commands of a block; compare what they print with what is shown.

    Args:
        block: The block.
        run: Runs the program in this process.
        run_as_typed: Runs it in a process of its own: for a pipe.
    """
    for shown in shown_commands(block):
        if shown.line.startswith("python docs/example_pictures.py"):
            _draw(shown.line.split()[2:])
        for words in organizer_calls(shown.line):
            done: Ran = run_as_typed(*words, cwd=Path.cwd()) if "-" in words else run(*words)
            assert done.code == 0, f"$ {shown.line}\n{done.out}\n{done.err}"
            missing = missing_lines(shown.output, done.out)
            assert not missing, f"$ {shown.line}\nprints\n{done.out}\nbut not\n" + "\n".join(
                missing
            )


def _draw(words: list[str]) -> None:
    counts, after = (
        (example_pictures.CARD, example_pictures.FIRST)
        if "--card" in words
        else (example_pictures.FIRST, {})
    )
    example_pictures.draw_pictures(Path(words[0]), counts, after=after)


def test_the_session_of_the_readme_is_that_of_the_tutorial() -> None:
    def session(file: Path) -> list[Shown]:
        return [s for b in blocks(page_text(file)) if b.is_run for s in shown_commands(b)]

    tutorial = session(_DOCS / "tutorials" / "photos.md")
    for shown in session(READMES[0]):
        printed = ["\n".join(s.output) for s in tutorial if s.line == shown.line]
        assert printed, f"{shown.line} is not in the tutorial"
        assert any(not missing_lines(shown.output, text) for text in printed), shown.line


def test_the_python_of_the_readme_runs(here: Path) -> None:
    assert here == Path.cwd()
    for block in blocks(page_text(READMES[0])):
        if block.kind == "python":
            exec(compile(block.text, "README.md", "exec"), {"__name__": "page"})  # noqa: S102


@pytest.mark.parametrize("file", [*PAGES, *READMES], ids=_id)
def test_every_command_that_is_shown_can_be_typed(file: Path) -> None:
    for block in blocks(page_text(file)):
        for shown in shown_commands(block):
            for words in organizer_calls(shown.line):
                try:
                    parse_call(words)
                except Exception as error:
                    raise AssertionError(f"{shown.line}: {error}") from error


# What is documented ----------------------------------------------------------------------------


def test_the_reference_of_commands_is_what_the_program_says() -> None:
    _, _, written = make_commands.PAGE.read_text(encoding="utf-8").partition(make_commands.MARKER)
    assert written.strip() == make_commands.reference().strip(), (
        "not current: python docs/make_commands.py"
    )


def test_the_types_of_the_json_are_those_of_the_program() -> None:
    _, _, written = make_json.PAGE.read_text(encoding="utf-8").partition(make_json.MARKER)
    assert written.strip() == make_json.tables().strip(), "not current: python docs/make_json.py"
    schema = make_json.SCHEMA.read_text(encoding="utf-8")
    assert schema == make_json.schema(), "not current: python docs/make_json.py"


def test_every_command_is_shown_on_a_page_that_somebody_wrote() -> None:
    shown = {
        parse_call(words)
        for file in [*PAGES, *READMES]
        if file != make_commands.PAGE
        for block in blocks(page_text(file))
        for line in shown_commands(block)
        for words in organizer_calls(line.line)
    }
    written = " ".join(page_text(file) for file in PAGES if file != make_commands.PAGE)
    for name, _ in make_commands.commands():
        assert name in shown or name in written, f"{name} is shown nowhere"


def test_every_field_of_the_json_is_documented(here: Path) -> None:
    page = (_DOCS / "reference" / "json.md").read_text(encoding="utf-8")
    known = set(re.findall(r"`([a-z_0-9]+)`", page))
    fox = here / "photos" / "fox" / "000.jpg"
    for line in (
        "ingest photos", "recluster --k 2:4", "recluster --k 3 --dry-run", "clusters",
        "clusters show 1", "clusters show unsure", "clusters rename 1 Fox", "clusters history",
        "clusters rename 2 Lynx", "suggest --ask 3", "suggest", "suggest --accept all",
        f"search {fox}", "status", "problems", "report --labels folders --html page.html",
        "review --sample 5 --out r.csv", "review --in r.csv", "review --sample 2",
        "compare --embedders channel-mean --k 3 --repeats 1 --labels folders",
        "compare --recipe list", "export csv", "export embedding-atlas --options",
        "arrange --to sorted", "arrange --read-back sorted --dry-run", "arrange --undo", "undo",
        "redo", "models where", "models list torchvision", "deployments", "detections",
    ):  # fmt: skip
        done = in_this_process(here, *line.split(), "--json")
        assert done.code == 0, f"{line}: {done.err}"
        fields = set(_fields(json.loads(done.out))) - _FREE
        assert fields <= known, f"{line}: {sorted(fields - known)}"


_FREE = {"fox", "lynx", "owl"}
"""Keys that are no fields."""
_MAPPINGS = {
    "other_suffixes", "groups", "results", "left", "incomplete", "mean", "deviation", "scores",
    "crops_embedded", "detectors", "published", "read",
}  # fmt: skip
"""Fields whose keys are data, or are those of another field."""


def _fields(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield name
            if name not in _MAPPINGS and depth < 2:
                yield from _fields(below, depth + 1)
    elif isinstance(value, list):
        for below in value[:1]:
            yield from _fields(below, depth)


def test_every_setting_is_documented() -> None:
    page = (_DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"| `{name}` | `ORGANIZER_{name.upper()}` |" in page


def test_every_table_and_column_is_documented() -> None:
    page = (_DOCS / "reference" / "library-on-disk.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL))
    tables = {name: schema.names for name, schema in TABLES.items()}
    tables |= {"assignments_N": ASSIGNMENTS.names, "arrays_N": ARRAYS.names}
    tables |= dict.fromkeys(("points_N", "vectors_FINGERPRINT"), vectors_schema(1).names)
    for table, columns in {**tables, **_journal_tables()}.items():
        written = re.findall(r"^\| `(\w+)` \|", sections.pop(table), re.MULTILINE)
        assert written == columns, table
    assert not sections


def _journal_tables() -> dict[str, list[str]]:
    """The columns of each table of an empty journal."""
    with closing(sqlite3.connect(":memory:")) as journal:
        for statement in CREATE:
            journal.execute(statement)
        names = journal.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        columns = "SELECT name FROM pragma_table_info(?) ORDER BY cid"
        return {name: [c for (c,) in journal.execute(columns, [name])] for (name,) in names}


def test_the_members_that_the_page_reads_from_the_disk_are_those_of_the_library(here: Path) -> None:
    with organizer.open(here) as library:
        library.corrections.move(["photos/fox/000.jpg", "photos/owl/001.jpg"], 2)
        library.corrections.exclude("photos/lynx/003.jpg", 2)
        members = library.assignments()
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page_text(_DOCS / "reference" / "library-on-disk.md")):
        exec(compile(block.text, "library-on-disk.md", "exec"), namespace)  # noqa: S102
    found = {i: None if c < 0 else c for i, c in namespace["cluster_of"].items()}
    ids, clusters = members["image_id"].to_pylist(), members["cluster_id"].to_pylist()
    assert found == dict(zip(ids, clusters, strict=True))


# The Python API --------------------------------------------------------------------------------


def _identifiers() -> list[str]:
    return [name for file in _API for name in _IDENTIFIER.findall(page_text(file))]


def _resolved(identifier: str) -> Any:
    parts = identifier.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            found = getattr(found, name)
        return found
    raise AssertionError(identifier)


@pytest.mark.parametrize("identifier", _identifiers())
def test_what_an_api_page_names_is_there_and_says_what_it_is(identifier: str) -> None:
    assert inspect.getdoc(_resolved(identifier)), f"{identifier} has no docstring"


def test_every_public_name_is_on_an_api_page() -> None:
    shown = [_resolved(identifier) for identifier in _identifiers()]
    modules = [found for found in shown if inspect.ismodule(found)]
    for name in organizer.__all__:
        found = getattr(organizer, name)
        in_module = any(getattr(module, name, None) is found for module in modules)
        assert in_module or any(found is other for other in shown), name


@pytest.mark.parametrize("name", ["Library", "Cluster", *_OBJECTS])
def test_every_public_method_is_on_an_api_page_and_has_a_docstring(name: str, here: Path) -> None:
    if name in _OBJECTS:
        with organizer.open(here) as library:
            kind = type(getattr(library, name))
    else:
        kind = getattr(organizer, name)
    assert any(_resolved(identifier) is kind for identifier in _identifiers()), kind
    for member, found in inspect.getmembers(kind):
        if not member.startswith("_"):
            assert inspect.getdoc(found), f"{kind.__name__}.{member} has no docstring"


# The files -------------------------------------------------------------------------------------


def test_the_readme_is_short_and_keeps_its_two_commands() -> None:
    text = READMES[0].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert re.search(r"<!-- tests -->\n\n    \S[^\n]*pytest[^\n]*\n\n<!-- end -->", text)
    assert "    python3 -m venv .venv && .venv/bin/pip install -q '.[cpu]'" in text


@pytest.mark.parametrize(
    "file", [*READMES, *(ROOT / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md"))], ids=_id
)
def test_links_lead_somewhere(file: Path) -> None:
    for link in _LINK.findall(file.read_text(encoding="utf-8")):
        assert (file.parent / link).exists(), link


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_files_that_are_named_are_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for path in re.findall(r"`((?:organizer|tests|docs|plugins|benchmarks)/[\w./-]*)`", text):
        assert (ROOT / path).exists(), path


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    assert {str(file.relative_to(_DOCS)) for file in PAGES} == listed


def test_masks_hide_what_differs_from_run_to_run() -> None:
    assert masked("embedded 96 images (OpenVINO 2026.4.1, float32) in 2.5 s") == masked(
        "embedded 7 images  (torch 2.9) in 11.25 s"
    )
    assert missing_lines(["a 1", "...", "b"], "a 2\nx\nb\n") == []
    assert missing_lines(["b", "a 1"], "a 2\nb\n") == ["a 1"]


# Licences ------------------------------------------------------------------------------------


def test_the_licence_of_all_that_is_needed_is_told() -> None:
    written = make_licences.PAGE.read_text("utf-8").partition(make_licences.MARKER)[2]
    told = {
        (cells[1].strip(), cells[2].strip(" `[]")): cells[3].strip()
        for line in written.splitlines()
        if len(cells := line.split("|")) == 5
    }
    for extra, names in make_licences.requirements().items():
        for name in names:
            licence = told.get((name, extra or "always"))
            assert licence, f"{name} is not told of: python docs/make_licences.py"
            now = make_licences.licence_of(name)
            assert not now or now[:3] == licence[:3], f"{name} has another licence now: {now}"


def test_no_licence_of_what_is_always_needed_binds_a_program_that_uses_it() -> None:
    for name in make_licences.requirements()[""]:
        assert not re.search(r"(?<!L)GPL", make_licences.licence_of(name)), name
