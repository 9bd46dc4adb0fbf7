from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from organizer.discover import Walk, resolve_start
from organizer.errors import SettingsError
from organizer.file_kinds import IMAGE_SUFFIXES
from organizer.types import ImageRef, Outcome

_posix = pytest.mark.skipif(os.name != "posix", reason="needs links as POSIX has them")
_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs names of any bytes")


def _touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode())


def _walk(root: Path) -> tuple[list[str], Walk]:
    walk = Walk(root, root)
    return [ref.path for ref in walk], walk


def test_files_are_found_at_any_depth(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg", "x/b.png", "x/y/z/c.webp")
    assert _walk(tmp_path)[0] == ["a.jpg", "x/b.png", "x/y/z/c.webp"]


def test_a_ref_tells_root_size_and_time(tmp_path: Path) -> None:
    file = tmp_path / "x" / "a.jpg"
    file.parent.mkdir()
    file.write_bytes(b"12345")
    os.utime(file, ns=(1, 1_234_567_890_123_456_789))
    (ref,) = Walk(tmp_path, tmp_path)
    status = file.stat()
    assert ref == ImageRef(tmp_path, "x/a.jpg", 5, status.st_mtime_ns)
    assert ref.file == file


def test_an_empty_folder_has_nothing_and_no_problem(tmp_path: Path) -> None:
    found, walk = _walk(tmp_path)
    assert (found, walk.problems, dict(walk.other_suffixes)) == ([], [], {})


def test_every_suffix_is_found_in_any_case(tmp_path: Path) -> None:
    names = {f"low_{suffix[1:]}{suffix}" for suffix in IMAGE_SUFFIXES}
    names |= {f"UP_{suffix[1:]}{suffix.upper()}" for suffix in IMAGE_SUFFIXES}
    names |= {"mixed.JpG", "two.dots.pNg"}
    _touch(tmp_path, *names)
    assert set(_walk(tmp_path)[0]) == names


@pytest.mark.parametrize(
    "path",
    [
        ".hidden.jpg",
        "._resource.jpg",
        ".git/a.jpg",
        ".thumbnails/large/a.png",
        "x/@eaDir/a.jpg",
        "@EADIR/a.jpg",
        "__MACOSX/a.jpg",
        "$RECYCLE.BIN/a.jpg",
        "System Volume Information/a.jpg",
        "lost+found/a.jpg",
    ],
)
def test_hidden_things_and_what_systems_leave_are_passed_over(tmp_path: Path, path: str) -> None:
    _touch(tmp_path, path, "seen.jpg")
    found, walk = _walk(tmp_path)
    assert found == ["seen.jpg"]
    assert not walk.problems
    assert not walk.other_suffixes


def test_other_kinds_are_counted_by_their_suffix(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg", "a.xmp", "a.CR2", "c.xmp", "x/b.XMP", "c.FLV", "README")
    _touch(tmp_path, "Thumbs.db", "x/thumbs.DB")
    found, walk = _walk(tmp_path)
    assert found == ["a.jpg"]
    assert walk.other_suffixes == {".xmp": 2, ".flv": 1, "": 1}
    assert walk.companions == 2
    assert [ref.path for ref in walk.beside] == ["a.CR2"]


def test_a_folder_named_like_a_picture_is_a_folder(tmp_path: Path) -> None:
    _touch(tmp_path, "album.jpg/a.png")
    assert _walk(tmp_path)[0] == ["album.jpg/a.png"]


@given(order=st.permutations(["b.jpg", "a.jpg", "b/c.jpg", "b/a/z.jpg", "a/a.jpg", "B/x.jpg"]))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_is_that_of_the_names_however_files_came_there(
    tmp_path_factory: pytest.TempPathFactory, order: list[str]
) -> None:
    root = tmp_path_factory.mktemp("order")
    _touch(root, *order)
    expected = []
    for folder, below, names in os.walk(root):
        below.sort()
        expected += [(Path(folder) / name).relative_to(root).as_posix() for name in sorted(names)]
    assert _walk(root)[0] == expected


def test_many_files_come_in_the_same_order_each_time(tmp_path: Path) -> None:
    names = [f"{i * 37 % 7}/{i * 37 % 100:03}.jpg" for i in range(100)]
    _touch(tmp_path, *names[::-1])
    first, second = _walk(tmp_path)[0], _walk(tmp_path)[0]
    assert first == second == sorted(names)


def test_a_single_file_is_a_walk_of_one(tmp_path: Path) -> None:
    _touch(tmp_path, "x/a.jpg", "x/b.jpg")
    refs = list(Walk(tmp_path, tmp_path / "x" / "a.jpg"))
    assert [(ref.path, ref.size) for ref in refs] == [("x/a.jpg", len("x/a.jpg"))]


def test_a_walk_may_begin_below_its_root(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg", "x/b.jpg", "x/y/c.jpg", "xx/d.jpg")
    assert [ref.path for ref in Walk(tmp_path, tmp_path / "x")] == ["x/b.jpg", "x/y/c.jpg"]


@_posix
def test_a_link_to_the_parent_ends(tmp_path: Path) -> None:
    _touch(tmp_path, "x/a.jpg")
    (tmp_path / "x" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "x" / "here").symlink_to(".", target_is_directory=True)
    found, walk = _walk(tmp_path)
    assert found == ["x/a.jpg"]
    assert not walk.problems


@_posix
def test_two_folders_that_link_to_each_other_end(tmp_path: Path) -> None:
    _touch(tmp_path, "x/a.jpg", "y/b.jpg")
    (tmp_path / "x" / "other").symlink_to(tmp_path / "y", target_is_directory=True)
    (tmp_path / "y" / "other").symlink_to(tmp_path / "x", target_is_directory=True)
    assert _walk(tmp_path)[0] == ["x/a.jpg", "y/b.jpg"]


@_posix
def test_a_linked_folder_is_visited_once_and_under_its_real_path(tmp_path: Path) -> None:
    _touch(tmp_path, "real/deep/a.jpg", "z/b.jpg")
    # Both names come before "real": without care the files would be found through them.
    (tmp_path / "a-link").symlink_to("real", target_is_directory=True)
    (tmp_path / "b-link").symlink_to("real/deep", target_is_directory=True)
    assert _walk(tmp_path)[0] == ["real/deep/a.jpg", "z/b.jpg"]


@_posix
def test_a_linked_folder_elsewhere_is_visited_once(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    _touch(root, "z/b.jpg")
    _touch(elsewhere, "a.jpg", "deep/c.jpg")
    (root / "link").symlink_to(elsewhere, target_is_directory=True)
    (root / "z" / "link").symlink_to(elsewhere, target_is_directory=True)
    assert _walk(root)[0] == ["z/b.jpg", "link/a.jpg", "link/deep/c.jpg"]


@_posix
def test_a_link_that_leads_nowhere_is_a_problem(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg", "z.jpg")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "never-was.jpg")
    found, walk = _walk(tmp_path)
    assert found == ["a.jpg", "z.jpg"]
    (problem,) = walk.problems
    assert problem.ref.path == "gone.jpg"
    assert problem.outcome is Outcome.BROKEN
    assert not problem.lasting


@_posix
def test_a_link_to_itself_is_a_problem(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    found, walk = _walk(tmp_path)
    assert found == ["a.jpg"]
    assert [problem.ref.path for problem in walk.problems] == ["loop.jpg"]


def test_a_folder_that_goes_during_the_walk_is_a_problem(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg", "z/b.jpg")
    (tmp_path / "gone").mkdir()
    walk = Walk(tmp_path, tmp_path)
    found = iter(walk)
    paths = [next(found).path]
    (tmp_path / "gone").rmdir()
    paths += [ref.path for ref in found]
    assert paths == ["a.jpg", "z/b.jpg"]
    (problem,) = walk.problems
    assert problem.ref.path == "gone"
    assert not problem.lasting
    assert "cannot be read" in problem.reason


@_posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read all")
def test_a_folder_that_may_not_be_read_is_a_problem(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg", "secret/b.jpg")
    (tmp_path / "secret").chmod(0)
    try:
        found, walk = _walk(tmp_path)
    finally:
        (tmp_path / "secret").chmod(0o700)
    assert found == ["a.jpg"]
    assert [problem.ref.path for problem in walk.problems] == ["secret"]


@_posix
@pytest.mark.timeout(20)
def test_what_is_no_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _touch(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.jpg")
        assert _walk(tmp_path)[0] == ["a.jpg"]


@_linux
def test_a_name_that_is_no_text_is_a_problem_that_can_be_shown(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg")
    root = os.fsencode(tmp_path)
    Path(os.fsdecode(root + b"/caf\xe9.jpg")).write_bytes(b"x")
    Path(os.fsdecode(root + b"/d\xff")).mkdir()
    Path(os.fsdecode(root + b"/d\xff/b.jpg")).write_bytes(b"x")
    found, walk = _walk(tmp_path)
    assert found == ["a.jpg"]
    assert len(walk.problems) == 2
    for problem in walk.problems:
        problem.ref.path.encode()
        assert "UTF-8" in problem.reason
        assert not problem.lasting
    assert {problem.ref.path[:3] for problem in walk.problems} == {"caf", "d\\u"}


@_linux
def test_a_single_file_whose_name_is_no_text_is_a_problem_too(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))
    file.write_bytes(b"x")
    walk = Walk(tmp_path, file)
    assert not list(walk)
    assert len(walk.problems) == 1
    walk.problems[0].ref.path.encode()


@pytest.mark.parametrize("name", ["café.jpg", "写真.jpg", "a b.jpg", "tab\there.jpg", "\u202e.jpg"])
def test_any_text_may_be_a_name(tmp_path: Path, name: str) -> None:
    _touch(tmp_path, f"{name}/{name}")
    found, walk = _walk(tmp_path)
    assert found == [f"{name}/{name}"]
    assert not walk.problems


def test_a_start_is_absolute_and_free_of_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _touch(tmp_path, "real/a.jpg")
    monkeypatch.chdir(tmp_path)
    assert resolve_start(Path("real")) == tmp_path.resolve() / "real"
    assert resolve_start(Path("real/../real/a.jpg")) == tmp_path.resolve() / "real" / "a.jpg"


@_posix
def test_a_start_may_be_a_link_and_below_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _touch(tmp_path, "real/a.jpg")
    (tmp_path / "link").symlink_to("real", target_is_directory=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve_start(Path("~/link")) == tmp_path.resolve() / "real"


@_posix
@pytest.mark.parametrize("name", ["nothing", "dangling", "loop", "pipe", "file.jpg/below"])
def test_a_start_that_is_no_folder_and_no_file_is_wrong_use(tmp_path: Path, name: str) -> None:
    _touch(tmp_path, "file.jpg")
    (tmp_path / "dangling").symlink_to("never-was")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingsError) as caught:
        resolve_start(tmp_path / name)
    assert name in caught.value.message
    assert caught.value.exit_code == 2
