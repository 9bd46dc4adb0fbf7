"""Tables on a terminal of 80 columns, in a library of long names and long paths."""

from __future__ import annotations

from pathlib import Path

import pytest
from wcwidth import wcswidth

from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import make_photo
from tests.typed import in_this_process

_WIDTH = 80
_FOLDER = "Kameraaufnahmen des Sommers am Fluss/赤狐と大きな梟の写真が入っている長い名前の場所"
_COLOURS = {"赤": (200, 40, 40), "grün": (40, 200, 40), "blue": (40, 40, 200)}
_NAMES = (
    "Rotfuchs mit Jungen am Bau und auf der Wiese hinter dem alten Haus",
    "夜の森を静かに飛ぶ大きなフクロウとその子どもたちの群れ",
)

TABLES = (
    "clusters",
    "clusters show 1",
    "clusters show unsure",
    "clusters history",
    "clusters history --all",
    "search {photo}",
    "problems",
    "status",
    "models",
    "report",
    "report --labels folders",
    "review --sample 6",
    "review --doubtful 6",
    "review",
    "suggest",
    "suggest --name {name}",
    "suggest --ask 5",
    "recluster --dry-run --evidence",
    "compare --embedders channel-mean --k 2,3 --repeats 2 --labels folders",
    "compare --embedders channel-mean --k 2,3 --repeats 2 --labels folders --all-scores",
    "compare --embedders channel-mean --k 2,3 --repeats 2 --reduce smooth,none",
    "deployments",
    "detections",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of long names; it is only read."""
    home = tmp_path_factory.mktemp("wide")
    folder = home / "photos" / _FOLDER
    for place, (kind, colour) in enumerate(_COLOURS.items()):
        for i in range(6):
            shade = tuple(max(0, c - 3 * i * (place == 0)) for c in colour)
            make_photo(folder / kind / f"{kind}-{'長い' * 8}-{i:03}.jpg", 60 * place + i,
                       colour=(shade[0], shade[1], shade[2]))  # fmt: skip
    (folder / f"kaputt-{'x' * 60}.jpg").write_bytes(b"\xff\xd8\xff no picture")
    with Library.open_or_create(home, Settings(user="Ännchen-Magdalena 田中さん")) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.recluster(k=4)
        ids = [cluster.id for cluster in library.clusters]
        for cluster_id, name in zip(ids, _NAMES, strict=False):
            library.corrections.rename(cluster_id, name)
        library.corrections.pin(ids[2])
        library.corrections.undo()
        items = library.review.sample(6)
        library.review.answer([item.answer(belongs=place > 0) for place, item in enumerate(items)])
        library.deployments.set_template("{site}/{camera}/...")
    return home


@pytest.mark.parametrize("words", TABLES)
def test_a_table_is_no_wider_than_the_terminal(home: Path, words: str) -> None:
    photo = next((home / "photos").rglob("*-003.jpg"))
    typed = [word.format(photo=photo, name=_NAMES[0]) for word in words.split()]
    ran = in_this_process(home, *typed, columns=_WIDTH)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert len(lines) > 1 or words.startswith(("clusters show unsure", "suggest", "review --d"))
    wide = {line: wcswidth(line) for line in lines if wcswidth(line) > _WIDTH}
    assert not wide


def test_a_terminal_shortens_paths_in_the_middle_and_a_pipe_has_them_whole(home: Path) -> None:
    photo = next((home / "photos").rglob("*-003.jpg"))
    words = ("search", photo, "--limit", 3)
    on_terminal = in_this_process(home, *words, columns=_WIDTH).out
    in_pipe = in_this_process(home, *words).out
    found = in_this_process(home, *words, "--json").json["hits"]
    for hit in found:
        path = str(Path(hit["path"]).relative_to(home))
        (line,) = (line for line in in_pipe.splitlines() if line.endswith(path))
        assert f"{hit['distance']:.3f}" in line
        assert path not in on_terminal
        end = hit["path"][-7:]
        assert any(row.endswith(end) and "…" in row for row in on_terminal.splitlines())


def test_a_wider_terminal_is_used(home: Path) -> None:
    narrow, wide = (
        max(map(wcswidth, in_this_process(home, "clusters", columns=n).out.splitlines()))
        for n in (_WIDTH, 160)
    )
    assert narrow <= _WIDTH < wide <= 160
