"""What only shows on a terminal: the bar, Ctrl-C, the start-up time, odd file names."""

from __future__ import annotations

import json
import os
import pty
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from organizer.library import Library
from organizer.settings import Settings
from tests.cards import blobs, fill, ids_of
from tests.conftest import Run, make_groups, make_photo

_PROGRAM = [sys.executable, "-m", "organizer"]
_HEAVY = (
    *("torch", "torchvision", "faiss", "lance", "lancedb", "pyarrow", "sklearn", "scipy"),
    *("numpy", "rich", "typer.rich_utils"),
)


class OnTerminal:
    """The program with stderr, and if asked stdout, on a terminal of its own."""

    def __init__(self, *words: object, cwd: Path, stdout: bool = False) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [*_PROGRAM, *map(str, words)],
            cwd=cwd,
            env={**os.environ, "TERM": "xterm"},
            stdin=subprocess.DEVNULL,
            stdout=slave if stdout else subprocess.PIPE,
            stderr=slave,
        )
        os.close(slave)
        self.seen = self.out = b""

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Read until a text was shown."""
        end = time.monotonic() + seconds
        while text.encode() not in self.seen:
            assert time.monotonic() < end, self.text
            assert self._read(0.2), self.text

    def finish(self) -> int:
        """Read to the end; the exit code."""
        try:
            while self._read(60):
                pass
            if self.process.stdout is not None:
                self.out = self.process.stdout.read()
            return self.process.wait(60)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            if self.process.stdout is not None:
                self.process.stdout.close()
            os.close(self._master)

    @property
    def text(self) -> str:
        return self.seen.decode(errors="replace")

    def _read(self, seconds: float) -> bool:
        """Read what is there; False at the end."""
        if not select.select([self._master], [], [], seconds)[0]:
            return self.process.poll() is None
        try:
            got = os.read(self._master, 65_536)
        except OSError:  # Linux says so when the last writer has closed the terminal
            return False
        self.seen += got
        return bool(got)


def _many_photos(folder: Path, n: int) -> Path:
    """Different pictures that are quickly made, and take a while to read."""
    folder.mkdir()
    make_photo(folder / "0.jpg", 1)
    with Image.open(folder / "0.jpg") as small:
        large = small.resize((800, 900))
    for i in range(n):
        large.paste((3 * i, 0, 0), (0, 0, 16, 16))
        large.save(folder / f"{i}.jpg", quality=90)
    return folder


# The bar -------------------------------------------------------------------------------------


def test_a_terminal_shows_a_bar_and_stdout_stays_clean(tmp_path: Path) -> None:
    make_groups(tmp_path / "photos", each=4)
    shown = OnTerminal("ingest", "photos", "--embedder", "channel-mean", "--json", cwd=tmp_path)
    assert shown.finish() == 0
    assert json.loads(shown.out)["added"] == 12
    assert "embedding with channel-mean" in shown.text
    assert "/12" in shown.text
    assert "left" in shown.text
    # The bar goes away; the cursor it hid comes back.
    assert shown.text.count("\x1b[?25l") == shown.text.count("\x1b[?25h") > 0


def test_a_pipe_shows_no_bar(run: Run, photos: Path) -> None:
    ran = run("ingest", photos, "--embedder", "channel-mean")
    assert ran.code == 0
    assert "embedding with" not in ran.err
    assert "\x1b" not in ran.err + ran.out
    assert "\r" not in ran.err + ran.out


# Ctrl-C --------------------------------------------------------------------------------------


def test_an_interrupted_ingest_continues(typed: Run, tmp_path: Path) -> None:
    photos = _many_photos(tmp_path / "photos", 80)
    words = ("ingest", "photos", "--embedder", "channel-mean", "--batch-size", 8, "--json")
    shown = OnTerminal(*words, cwd=tmp_path)
    shown.wait_for("embedding with")
    time.sleep(0.2)
    shown.process.send_signal(signal.SIGINT)
    assert shown.finish() == 130
    assert "Traceback" not in shown.text
    assert "run the same command again" in shown.text
    first = json.loads(shown.out)
    assert first["interrupted"] is True
    assert 0 < first["images"] < 80
    again = typed("ingest", photos, "--json")
    assert (again.code, again.json["images"]) == (0, 80)
    assert again.json["added"] == 80 - first["images"]
    assert again.json["unchanged"] == first["images"]


@pytest.mark.slow
def test_a_second_ctrl_c_does_not_wait(typed: Run, tmp_path: Path) -> None:
    photos = _many_photos(tmp_path / "photos", 80)
    # A batch that takes all files: the orderly end would be the end of all the work.
    words = ("ingest", "photos", "--embedder", "channel-mean", "--batch-size", 80)
    shown = OnTerminal(*words, cwd=tmp_path)
    shown.wait_for("embedding with")
    shown.process.send_signal(signal.SIGINT)
    shown.wait_for("again to stop at once")
    shown.process.send_signal(signal.SIGINT)
    assert shown.finish() == 130
    assert "Traceback" not in shown.text
    again = typed("ingest", photos, "--embedder", "channel-mean", "--json")
    assert (again.code, again.json["images"]) == (0, 80)


@pytest.mark.slow
def test_an_interrupted_recluster_changes_nothing(typed: Run, tmp_path: Path) -> None:
    with Library.open_or_create(tmp_path, Settings()) as library:
        fill(library, ids_of(range(1_200)), blobs([400, 400, 400]))
    assert typed("recluster", "--k", 3).code == 0
    before = typed("status", "--json").json
    shown = OnTerminal("recluster", cwd=tmp_path)
    shown.wait_for("choosing k")
    shown.process.send_signal(signal.SIGINT)
    assert shown.finish() == 130
    assert "Traceback" not in shown.text
    assert typed("status", "--json").json == before
    assert typed("recluster", "--k", 3).code == 0


# Start-up ------------------------------------------------------------------------------------


def test_the_help_is_shown_at_once(tmp_path: Path) -> None:
    # As installed: with its bytecode, which may be turned off for a check on a clean copy.
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)

    def seconds() -> float:
        """Of the processor: other tests run beside this one, and the wall clock counts them too."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*_PROGRAM, "--help"], env=env, capture_output=True, timeout=60, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    assert min(seconds() for _ in range(5)) < 0.3


@pytest.mark.parametrize("words", [["--help"], ["ingest", "--help"], ["--version"]], ids=" ".join)
def test_heavy_libraries_are_left_alone_until_needed(words: list[str]) -> None:
    script = (
        "import sys\n"
        "from organizer.cli import main\n"
        f"sys.argv = ['organizer', *{words!r}]\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        f"print([name for name in {_HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == "[]\n"


# File names ----------------------------------------------------------------------------------

_EVIL = "\x1b[31m\x1b]0;owned\x07e\rv\ni\u202el"


@pytest.fixture
def evil(typed: Run, tmp_path: Path) -> Path:
    """A library in which folder, photos and a problem have control characters in their names."""
    folder = tmp_path / f"folder{_EVIL}"
    for i in range(4):
        make_photo(folder / f"{i}{_EVIL}.jpg", i)
    (folder / f"broken{_EVIL}.jpg").write_bytes(b"no picture")
    ran = typed("ingest", folder, "--embedder", "channel-mean")
    assert ran.code == 3
    _is_harmless(ran.out + ran.err)
    assert typed("recluster", "--k", 2).code == 0
    return folder


def _is_harmless(text: str) -> None:
    """Nothing but printable text and line ends."""
    raw = {character for line in text.split("\n") for character in line} - set("·")
    assert not {character for character in raw if not character.isprintable()}, repr(text)


@pytest.mark.parametrize(
    "words",
    [
        "status",
        "problems",
        "clusters",
        "clusters show 1",
        "search {photo}",
        "browse {photo}",
        "report --labels folders",
        "search {photo}-lost",
        "search {folder}",
        "ingest {photo}-lost",
        "report --labels {photo}-lost",
        "report --labels {photo}",
        "status --library {photo}-lost",
    ],
)
def test_odd_names_do_not_reach_the_terminal_raw(typed: Run, evil: Path, words: str) -> None:
    filled = [word.format(photo=evil / f"0{_EVIL}.jpg", folder=evil) for word in words.split()]
    ran = typed(*filled)
    assert "Traceback" not in ran.err
    _is_harmless(ran.out + ran.err)
    if ran.code:
        assert [line.split(":")[0] for line in ran.err.splitlines()] in (
            ["error"],
            ["error", "hint"],
        )


def test_an_odd_name_of_a_cluster_does_not_reach_the_terminal_raw(typed: Run, evil: Path) -> None:
    assert evil.is_dir()
    for words in (
        ["clusters", "rename", "1", f"fox{_EVIL}"],
        ["clusters"],
        ["clusters", "show", "1"],
        ["recluster", "--k", "2"],
        ["clusters", "rename", "2", f"fox{_EVIL}"],
    ):
        ran = typed(*words)
        assert "Traceback" not in ran.err
        _is_harmless(ran.out + ran.err)


@pytest.mark.parametrize(
    "name",
    [
        "two words",
        "caf\u00e9 \u5bb6",
        "100%",
        "a%20b",
        "#1",
        "who?",
        "a&b=c",
        "[x]",
        "'\"",
    ],
)
def test_a_library_lies_in_a_folder_of_any_name(
    typed: Run, photos: Path, tmp_path: Path, name: str
) -> None:
    home = tmp_path / name
    ran = typed("ingest", photos, "--embedder", "channel-mean", "--library", home)
    assert ran.code == 0
    assert "new library: " in ran.err
    _is_harmless(ran.out + ran.err)
    assert typed("recluster", "--k", 3, "--library", home).code == 0
    hits = typed("search", photos / "red" / "000.jpg", "--library", home, "--json").json["hits"]
    assert len(hits) == 10


@pytest.mark.parametrize("name", ["a\tb", "a\nb", "a\rb", "a\x1b[31mb"])
def test_a_library_is_not_called_damaged_for_the_name_of_its_folder(
    typed: Run, photos: Path, tmp_path: Path, name: str
) -> None:
    home = tmp_path / name
    ran = typed("ingest", photos, "--embedder", "channel-mean", "--library", home)
    assert "damaged" not in ran.err
    _is_harmless(ran.out + ran.err)
    if ran.code == 0:
        assert typed("recluster", "--k", 3, "--library", home).code == 0
    else:
        assert (ran.code, ran.err.count("error: ")) == (2, 1)


def test_paths_in_a_pipe_are_exact_but_on_a_terminal_they_are_harmless(
    run: Run, evil: Path, tmp_path: Path
) -> None:
    words = ("search", evil / f"0{_EVIL}.jpg", "-n", 3, "--filepath-only")
    piped = run(*words).out
    wanted = [f"{evil / f'{i}{_EVIL}.jpg'}\n" for i in (1, 2, 3)]
    # The fixture reads text, in which every end of a line is the same.
    assert all(path.replace("\r", "\n") in piped for path in wanted)
    shown = OnTerminal(*words, cwd=tmp_path, stdout=True)
    assert shown.finish() == 0
    assert "\x1b]0;" not in shown.text
    assert "\x07" not in shown.text


def test_odd_names_survive_in_json(typed: Run, evil: Path) -> None:
    hits = typed("search", evil / f"0{_EVIL}.jpg", "--json").json["hits"]
    assert {hit["path"] for hit in hits} == {str(evil / f"{i}{_EVIL}.jpg") for i in (1, 2, 3)}


def test_a_name_that_is_no_text_is_a_problem_and_the_rest_is_ingested(
    run: Run, typed: Run, photos: Path
) -> None:
    (photos / "red" / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"anything")
    ran = run("ingest", photos, "--embedder", "channel-mean", "--json")
    assert (ran.code, ran.json["added"], ran.json["broken"]) == (3, 24, 1)
    (problem,) = typed("problems", "--json").json["problems"]
    assert "caf" in problem["path"]
    assert "UTF-8" in problem["reason"]
    # The same bytes as an argument.
    lost = typed("search", os.fsdecode(b"caf\xe9.jpg"))
    assert (lost.code, lost.out) == (2, "")
    assert "Traceback" not in lost.err
