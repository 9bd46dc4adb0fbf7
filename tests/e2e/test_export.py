"""``organizer export`` as typed: where it writes, what it prints, what it leaves alone."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from organizer import registry
from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Run, make_groups
from tests.typed import in_this_process

_MARK = b"\xef\xbb\xbf"
_FORMATS = {
    "csv": "organizer.csv",
    "parquet": "organizer.parquet",
    "megadetector-json": "organizer-megadetector.json",
    "fiftyone": "organizer-fiftyone",
    "embedding-atlas": "organizer-atlas.parquet",
    "xlsx": "organizer.xlsx",
}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 24 photos in three clusters, one of which has a name. Nothing changes it."""
    home = tmp_path_factory.mktemp("export")
    make_groups(home / "photos")
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.recluster(k=3)
        red = next(s.cluster_id for s in library.clusters.summaries() if "red" in str(s.medoid))
        library.corrections.rename(red, "Red ones")
    return home


@pytest.fixture
def typed(made: Path, tmp_path: Path) -> Run:
    """The program as typed, in an empty folder; the library is named by the environment."""
    return partial(in_this_process, tmp_path, env={"ORGANIZER_LIBRARY": str(made)})


def _names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_help_names_every_format(typed: Run) -> None:
    ran = typed("export", "--help")
    assert ran.code == 0
    assert all(name in ran.out for name in _FORMATS)
    assert set(_FORMATS) <= set(registry.part_names("organizer.exporters"))


@pytest.mark.parametrize(("name", "file"), _FORMATS.items())
def test_a_format_lands_in_the_current_folder_once(
    typed: Run, tmp_path: Path, name: str, file: str
) -> None:
    before = _names(tmp_path)
    ran = typed("export", name, "--json")
    assert ran.code == 0, ran.err
    assert ran.json == {
        "format": name,
        "to": str(tmp_path / file),
        "images": 24,
        "skipped": {"missing": 0, "without_vector": 0, "people": 0, "incomplete": {}, "videos": 0},
        "clustered": True,
        "embedder": "channel-mean" if name == "embedding-atlas" else None,
        "open_with": ran.json["open_with"],
    }
    assert _names(tmp_path) - before == {file}
    again = typed("export", name)
    assert again.code == 2
    assert "is there already" in again.err
    assert "--force" in again.err
    assert again.out == ""
    forced = typed("export", name, "--force")
    assert forced.code == 0, forced.err
    assert forced.out == f"24 images: {file}\n"
    assert _names(tmp_path) - before == {file}


def test_a_pipe_has_the_csv_and_nothing_else(made: Path, run: Run, tmp_path: Path) -> None:
    ran = run("export", "csv", "--to", "-", "--library", made)
    assert ran.code == 0
    assert ran.err == ""
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert len(rows) == 24
    assert {row["cluster"] for row in rows} == {"Red ones", ""}
    assert "organizer.csv" not in _names(tmp_path)
    assert not ran.out.startswith(_MARK.decode())


def test_a_format_that_needs_a_file_refuses_a_pipe(made: Path, run: Run) -> None:
    ran = run("export", "parquet", "--to", "-", "--library", made)
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be written to a pipe" in ran.err


def test_a_reader_that_closes_the_pipe_ends_the_export(made: Path) -> None:
    words = [sys.executable, "-m", "organizer", "export", "csv", "--to", "-"]
    words += ["--library", str(made)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "words", [("export", "csv", "--to", "-"), ("report",), ("clusters",), ("status", "--json")]
)
def test_a_full_stdout_is_an_error_and_a_hint(made: Path, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "organizer", *words, "--library", str(made)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ran.returncode == 1
    error, hint = ran.stderr.splitlines()
    assert error == "error: cannot write to stdout: No space left on device"
    assert hint.startswith("hint: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("no-such",), "there is no exporter 'no-such'"),
        (("csv", "--to", "-", "--json"), "both write to stdout"),
        (("csv", "--vectors"), "holds no vectors"),
        (("csv", "--thumbnails", "3"), "csv has no thumbnails"),
        (("embedding-atlas", "--thumbnails", "5000"), "5000"),
        (("embedding-atlas", "--set", "thumbnails=5000"), "5000"),
        (("embedding-atlas", "--set", "thumbnails=many"), "thumbnails cannot be 'many'"),
        (("embedding-atlas", "--set", "colour=red"), "embedding-atlas has no colour"),
        (("embedding-atlas", "--set", "colour"), "--set colour sets nothing"),
        (
            ("embedding-atlas", "--thumbnails", "5", "--set", "thumbnails=5"),
            "thumbnails is set twice",
        ),
        (("no-such", "--options"), "there is no exporter 'no-such'"),
        (("csv", "--to", "a.parquet"), "ends in .csv"),
        (("csv", "--to", "none/a.csv"), "there is no folder"),
        (("csv", "--to", "."), "is a folder"),
        (("csv", "--to", "~nobody-here/a.csv"), "there is no folder"),
        (("csv", "--to", "x" * 252 + ".csv"), "is too long for a file"),
        (("csv", "--to", "x" * 256 + "/a.csv"), "is too long for a file"),
        (("csv", "--cluster", "Blue ones"), "no cluster is called 'Blue ones'"),
        (("csv", "--relative-to", "none"), "there is no folder"),
        (("parquet", "--vectors", "--embedder", "hog"), "no vectors"),
    ],
)
def test_wrong_use_is_an_error_and_a_hint(
    typed: Run, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    before = _names(tmp_path)
    ran = typed("export", *words)
    assert ran.code == 2, ran.err
    assert said in ran.err
    assert [line.partition(":")[0] for line in ran.err.splitlines()] == ["error", "hint"]
    assert _names(tmp_path) == before


def test_a_cluster_and_a_folder_limit_what_comes(typed: Run, made: Path) -> None:
    words = ("--cluster", "Red ones", "--relative-to", made / "photos")
    assert typed("export", "parquet", *words).code == 0
    rows = pq.read_table(_here(typed) / "organizer.parquet").to_pylist()
    assert {row["path"] for row in rows} == {f"red/{i:03}.jpg" for i in range(8)}


def test_vectors_come_when_asked_for(typed: Run) -> None:
    assert typed("export", "parquet").code == 0
    assert typed("export", "parquet", "--vectors", "-o", "v.parquet").code == 0
    assert typed("export", "embedding-atlas", "--no-vectors", "--thumbnails", 0).code == 0
    has = {
        name: "vector" in pq.read_schema(_here(typed) / name).names
        for name in ("organizer.parquet", "v.parquet", "organizer-atlas.parquet")
    }
    assert has == {
        "organizer.parquet": False,
        "v.parquet": True,
        "organizer-atlas.parquet": False,
    }


def _here(typed: Any) -> Path:
    here: Path = typed.args[0]
    return here


def test_the_atlas_gives_the_command_that_opens_it(typed: Run) -> None:
    ran = typed("export", "embedding-atlas")
    assert "embedding-atlas " in ran.err
    assert "--vector vector --image image" in ran.err


def test_the_options_of_a_format_are_listed(typed: Run) -> None:
    ran = typed("export", "embedding-atlas", "--options")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("--set thumbnails=96\n")
    (option,) = typed("export", "embedding-atlas", "--options", "--json").json["options"]
    assert (option["name"], option["example"], option["needed"]) == ("thumbnails", "96", False)
    none = typed("export", "parquet", "--options")
    assert (none.code, none.out) == (0, "")
    assert "has no options" in none.err


def test_without_clusters_it_exports_with_a_note(run: Run, tmp_path: Path) -> None:
    make_groups(tmp_path / "photos", each=2)
    assert run("ingest", "photos", "--embedder", "channel-mean").code == 0
    ran = in_this_process(tmp_path, "export", "csv")
    assert (ran.code, ran.out) == (0, "6 images: organizer.csv\n")
    assert "there are no clusters yet" in ran.err
    (tmp_path / "photos" / "red" / "000.jpg").unlink()
    assert in_this_process(tmp_path, "ingest").code == 0
    ran = in_this_process(tmp_path, "export", "csv", "--force")
    assert ran.out.startswith("5 images")
    assert "files are missing: 1" in ran.err


def test_its_csv_is_what_report_takes_as_labels(typed: Run, tmp_path: Path) -> None:
    """What was exported comes back: the path column leads to the photo."""
    assert typed("export", "csv", "--cluster", "Red ones").code == 0
    lines = (tmp_path / "organizer.csv").read_text("utf-8-sig").splitlines()
    labelled = [lines[0].replace(",cluster,", ",label,"), *lines[1:]]
    (tmp_path / "labels.csv").write_text("\n".join(labelled), encoding="utf-8")
    truth = typed("report", "--labels", "labels.csv", "--json").json
    assert "Red ones" in json.dumps(truth)


def test_a_picture_of_no_library_is_not_replaced_through_a_link(typed: Run, tmp_path: Path) -> None:
    (tmp_path / "fox.jpg").write_bytes(b"a photo")
    (tmp_path / "out.csv").symlink_to("fox.jpg")
    ran = typed("export", "csv", "--to", "out.csv", "--force")
    assert ran.code == 2
    assert "out.csv is a link to" in ran.err
    assert (tmp_path / "fox.jpg").read_bytes() == b"a photo"


_WORKER = """
import sys, time
from pathlib import Path
from organizer.library import Library
from organizer.library.exports import source
from organizer.library.progress import NoProgress
from organizer.settings import Settings

class Slow(NoProgress):
    def advance(self, steps=1):
        print("written", flush=True)
        time.sleep(600)

source.ROWS = 10
home, name, to, force = sys.argv[1:]
with Library.open(Path(home), Settings()) as library:
    library.exports.write(name, Path(to), force=bool(force), progress=Slow())
"""


@pytest.mark.parametrize(("name", "to"), [("parquet", "x.parquet"), ("fiftyone", "x")])
@pytest.mark.parametrize("force", ["", "yes"])
def test_a_kill_leaves_nothing_at_the_target(
    typed: Run, made: Path, tmp_path: Path, name: str, to: str, force: str
) -> None:
    if force:
        assert typed("export", name, "--to", to).code == 0
    before = _content(tmp_path / to)
    words = [sys.executable, "-c", _WORKER, str(made), name, str(tmp_path / to), force]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.kill()
    assert process.returncode != 0
    assert _content(tmp_path / to) == before
    assert any(left.endswith(".partial") for left in _names(tmp_path)), "the kill came in the work"
    assert typed("export", name, "--to", to, *(["--force"] if force else [])).code == 0
    assert _content(tmp_path / to)


def _content(place: Path) -> dict[str, bytes]:
    files = list(place.iterdir()) if place.is_dir() else [place] if place.exists() else []
    return {file.name: file.read_bytes() for file in files}
