"""Laws that hold for every tree of files and every order of ingests, reclusters and undos."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from organizer.errors import ClusteringError, SettingsError
from organizer.library import Library
from organizer.library.ingest.report import IngestReport
from organizer.settings import Settings
from organizer.types import FileState, LineageReport, Outcome
from tests.conftest import examples

COLOUR = "channel-mean"
BROKEN = -1

# Few paths and few contents, so that copies, moves and changes come up often.
_PATHS = [f"{folder}{name}.png" for folder in ("", "a/", "a/b/", "c/") for name in "xyz"]
_contents = st.integers(0, 7)
_trees = st.dictionaries(
    st.sampled_from(_PATHS), _contents | st.just(BROKEN), min_size=1, max_size=9
)
_sound_trees = st.dictionaries(st.sampled_from(_PATHS), _contents, min_size=3, max_size=9)
Tree = dict[str, int]

law = settings(
    max_examples=examples(4, soak=20),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@functools.cache
def content(number: int) -> bytes:
    """A picture of its own for each number; eight of them are of four colours."""
    if number == BROKEN:
        return b"no picture"
    colours = [(220, 30, 30), (30, 220, 30), (30, 30, 220), (220, 220, 30)]
    draw = np.random.default_rng(number)
    pixels = np.clip(colours[number % 4] + draw.normal(0, 9, (8, 8, 3)), 0, 255)
    data = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(data, "PNG")
    return data.getvalue()


@dataclass
class Photos:
    """A folder that is made to hold a tree; every file that is written gets a date of its own."""

    folder: Path
    date: int = 1_000_000
    holds: Tree = field(default_factory=dict)

    def become(self, tree: Tree) -> None:
        for path in set(self.holds) - set(tree):
            (self.folder / path).unlink()
        for path, number in tree.items():
            if self.holds.get(path) != number:
                self.write(path, number)
        self.holds = dict(tree)

    def write(self, path: str, number: int) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content(number))
        self.date += 1
        os.utime(file, (self.date, self.date))

    def touch(self) -> None:
        """Give every file another date."""
        for path, number in self.holds.items():
            self.write(path, number)


@contextmanager
def fresh(chosen: Settings | None = None) -> Iterator[tuple[Library, Photos]]:
    """An empty library beside an empty folder of photos."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        (folder / "photos").mkdir()
        with Library.open_or_create(folder, chosen or Settings()) as library:
            yield library, Photos(folder / "photos")


def ingest(library: Library, photos: Photos, tree: Tree) -> IngestReport:
    photos.become(tree)
    return library.ingest([photos.folder], embedder=COLOUR)


def contents(library: Library, folder: Path) -> dict[str, object]:
    """All that the library knows of photos, in no order and without dates."""
    photos = library.store.photos
    rows = [row for files in photos.files_of().values() for row in files]
    images = [tuple(r.values()) for r in photos._database.read("images").to_pylist()]
    vectors = {}
    for spec in library.store.vectors.specs():
        ids, found = library.store.vectors.read(spec)
        assert len(set(ids)) == len(ids)
        vectors[spec.to_json()] = {i: row.tobytes() for i, row in zip(ids, found, strict=True)}
    return {
        "files": sorted(
            (str(row.file.relative_to(folder)), row.image_id, row.state) for row in rows
        ),
        "images": sorted(images, key=repr),
        "problems": [(str(p.relative_to(folder)), o, why) for p, o, why in photos.problems()],
        "vectors": vectors,
        "members": sorted(members(library).items()),
    }


def members(library: Library) -> dict[str, tuple[object, ...]]:
    """The members of the current clustering, with every bit."""
    current = library.store.clusterings.current()
    if current is None:
        return {}
    m = library.store.clusterings.assignments(current.clustering_id)
    assert len(set(m.image_ids)) == len(m)
    columns = (m.cluster_ids, m.distances, m.margins)
    return {
        image_id: (*(column[row].tobytes() for column in columns), m.states[row])
        for row, image_id in enumerate(m.image_ids)
    }


def counts(report: IngestReport) -> dict[str, int]:
    return {outcome.value: count for outcome, count in report.counts.items() if count}


def recluster(library: Library, k: int) -> LineageReport | None:
    """None where there are too few different images for that k."""
    try:
        return library.recluster(k=k).lineage
    except SettingsError:
        return None


# Ingest -------------------------------------------------------------------------------------


@law
@given(trees=st.lists(_trees, min_size=1, max_size=4), ended=st.booleans())
def test_ingest_twice_is_ingest_once(trees: list[Tree], *, ended: bool) -> None:
    with fresh() as (library, photos):
        for tree in trees:
            ingest(library, photos, tree)
            if ended:
                recluster(library, 2)
        before = contents(library, photos.folder)
        again = ingest(library, photos, trees[-1])
        broken = sum(number == BROKEN for number in trees[-1].values())
        expected = {"unchanged": len(trees[-1]) - broken, "broken": broken}
        assert counts(again) == {name: count for name, count in expected.items() if count}
        assert contents(library, photos.folder) == before


@law
@given(trees=st.lists(_trees, min_size=1, max_size=5))
def test_the_library_is_always_what_the_trees_were(trees: list[Tree]) -> None:
    """A model in three lines: contents stay for ever, paths hold what they hold now."""
    ever: set[int] = set()
    with fresh() as (library, photos):
        for tree in trees:
            report = ingest(library, photos, tree)
            usable = {path: number for path, number in tree.items() if number != BROKEN}
            added = len(set(usable.values()) - ever)
            ever |= set(usable.values())
            assert report.counts[Outcome.ADDED] == added
            assert report.counts[Outcome.BROKEN] == len(tree) - len(usable)
            assert report.images == len(ever) == library.status().images
            looked_at = sum(report.counts.values()) - report.counts[Outcome.MISSING]
            assert looked_at == len(tree)
            assert min(report.counts.values()) >= 0
            assert _present(library, photos) == usable
            assert {p.name for p, _, _ in library.problems()} == {
                Path(path).name for path in set(tree) - set(usable)
            }
            _assert_whole(library)


@law
@given(first=_sound_trees, later=st.lists(_trees, min_size=1, max_size=4), k=st.integers(2, 3))
def test_ingest_moves_no_image(first: Tree, later: list[Tree], k: int) -> None:
    with fresh() as (library, photos):
        ingest(library, photos, first)
        recluster(library, k)
        before = members(library)
        for tree in later:
            ingest(library, photos, tree)
            photos.touch()
            ingest(library, photos, tree)
            now = members(library)
            assert {image_id: now[image_id] for image_id in before} == before
            before = now
        if before:
            assert len(before) == library.status().images, "and every image is in a cluster"


@law
@given(
    trees=st.lists(_trees, min_size=1, max_size=3),
    batch_size=st.integers(1, 5),
    commit_images=st.integers(1, 6),
    threads=st.integers(1, 4),
)
def test_sizes_and_threads_decide_nothing(
    trees: list[Tree], batch_size: int, commit_images: int, threads: int
) -> None:
    other = Settings(batch_size=batch_size, commit_images=commit_images, threads=threads)
    outcomes = []
    for chosen in (Settings(), other):
        with fresh(chosen) as (library, photos):
            reports = []
            for i, tree in enumerate(trees):
                reports.append(counts(ingest(library, photos, tree)))
                if i == 0:
                    recluster(library, 2)
            outcomes.append((reports, contents(library, photos.folder)))
    assert outcomes[0] == outcomes[1]


def test_rotating_the_contents_of_many_files_is_the_same_in_small_and_large_commits() -> None:
    """What the law above tells, with enough known files that a commit ends between them."""
    before = {f"{i:02}.png": i % 20 for i in range(20)}
    after = {f"{i:02}.png": (i + 1) % 20 for i in range(20)}
    outcomes = []
    for chosen in (Settings(), Settings(batch_size=1, commit_images=1)):
        with fresh(chosen) as (library, photos):
            reports = [counts(ingest(library, photos, tree)) for tree in (before, after)]
            outcomes.append((reports, contents(library, photos.folder)))
    assert outcomes[0] == outcomes[1]


@pytest.mark.slow
@law
@given(tree=_trees, order=st.permutations(["", "a", "a/b", "c"]))
def test_the_order_in_which_sub_folders_are_ingested_decides_nothing(
    tree: Tree, order: list[str]
) -> None:
    with fresh() as (library, photos):
        ingest(library, photos, tree)
        at_once = contents(library, photos.folder)
    with fresh() as (library, photos):
        photos.become(tree)
        for part in order:
            with contextlib.suppress(SettingsError):  # it may be empty, or not there
                library.ingest([photos.folder / part], embedder=COLOUR)
        assert contents(library, photos.folder) == at_once


# Clusters -----------------------------------------------------------------------------------

_step = st.one_of(
    st.tuples(st.just("ingest"), _sound_trees),
    st.tuples(st.just("recluster"), st.integers(2, 5)),
    st.tuples(st.just("undo"), st.none()),
)


@settings(law, max_examples=5)
@given(first=_sound_trees, steps=st.lists(_step, min_size=2, max_size=8))
def test_ids_are_never_used_again_and_lineage_accounts_for_each(
    first: Tree, steps: list[tuple[str, object]]
) -> None:
    ever: set[int] = set()
    with fresh() as (library, photos):
        ingest(library, photos, first)
        for step, with_what in [("recluster", 2), *steps]:
            old = _cluster_ids(library)
            if step == "ingest" and isinstance(with_what, dict):
                ingest(library, photos, with_what)
            elif step == "undo":
                with contextlib.suppress(ClusteringError):
                    library.undo()
                    assert _cluster_ids(library) <= ever
            elif isinstance(with_what, int):
                lineage = recluster(library, with_what)
                if lineage is not None:
                    _assert_accounted(lineage, old, _cluster_ids(library), ever)
                    ever |= _cluster_ids(library)
            _assert_whole(library)


def _assert_accounted(lineage: LineageReport, old: set[int], new: set[int], ever: set[int]) -> None:
    kept, novel, retired = set(lineage.kept), set(lineage.new), set(lineage.retired)
    assert kept | retired == old
    assert kept | novel == new
    assert not kept & retired
    assert not kept & novel
    assert not novel & ever, "a new cluster has an id that was used before"
    for split in lineage.split:
        assert split.cluster_id in old
        assert set(split.into) <= new
    for merge in lineage.merged:
        assert merge.cluster_id in new
        assert set(merge.sources) <= old


@pytest.mark.slow
@law
@given(tree=_sound_trees, later=_sound_trees, ks=st.lists(st.integers(2, 5), max_size=3))
def test_undo_is_the_inverse_of_recluster(tree: Tree, later: Tree, ks: list[int]) -> None:
    with fresh() as (library, photos):
        ingest(library, photos, tree)
        recluster(library, 2)
        for k in ks:
            before = members(library)
            if recluster(library, k) is None or not before:
                continue
            if k % 2:
                ingest(library, photos, {**tree, **later})
            library.undo()
            now = members(library)
            assert {image_id: now[image_id] for image_id in before} == before
            assert len(now) == library.status().images


@law
@given(
    sizes=st.tuples(*[st.integers(4, 9)] * 3),
    new=st.integers(4, 9),
    named=st.integers(0, 2),
    seed=st.integers(0, 1000),
)
def test_a_name_follows_its_images_past_an_unseen_colour(
    sizes: tuple[int, int, int], new: int, named: int, seed: int
) -> None:
    groups = [(230, 40, 40), (40, 230, 40), (40, 40, 230), (128, 128, 128)]
    with fresh() as (library, photos):
        for place, (colour, size) in enumerate(zip(groups, (*sizes, 0), strict=True)):
            _fill(photos.folder / str(place), colour, size, seed)
        library.ingest([photos.folder], embedder=COLOUR)
        library.recluster(k=3)
        (own,) = _clusters_of(library, photos.folder / str(named))
        library.corrections.rename(own, "Mine")
        _fill(photos.folder / "3", groups[3], new, seed)
        library.ingest([photos.folder])
        report = library.recluster(k=4)
        (later,) = _clusters_of(library, photos.folder / str(named))
        assert (later, library.clusters.name_of(later)) == (own, "Mine")
        assert [i for i, name, _ in report.clusters if name == "Mine"] == [own]
        assert _cluster_ids(library) == {1, 2, 3, 4}, "one is new, by the ingest or by this"


def _fill(folder: Path, colour: tuple[int, int, int], count: int, seed: int) -> None:
    folder.mkdir(exist_ok=True)
    for i in range(count):
        draw = np.random.default_rng([seed, sum(colour), colour[0], i])
        pixels = np.clip(colour + draw.normal(0, 6, (8, 8, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")


# What is looked at --------------------------------------------------------------------------


def _present(library: Library, photos: Photos) -> Tree:
    """The tree as the library has it: paths by the number of their content."""
    from organizer.identity import picture_hash

    number_of = {picture_hash(content(number)): number for number in range(8)}
    found: Tree = {}
    for files in library.store.photos.files_of().values():
        for row in files:
            if row.state is FileState.PRESENT:
                path = row.file.relative_to(photos.folder).as_posix()
                assert path not in found, "a path holds two contents at once"
                found[path] = number_of[row.image_id]
    return found


def _assert_whole(library: Library) -> None:
    """Every image has one row, a file, one vector and, with clusters, one cluster."""
    ids = library.store.photos._database.read("images")["image_id"].to_pylist()
    assert len(ids) == len(set(ids))
    assert set(library.store.photos.files_of()) == set(ids)
    for spec in library.store.vectors.specs():
        assert sorted(library.store.vectors.read(spec)[0]) == sorted(ids)
    if library.store.clusterings.current() is not None:
        assert set(members(library)) == set(ids)


def _cluster_ids(library: Library) -> set[int]:
    current = library.store.clusterings.current()
    if current is None:
        return set()
    return set(library.store.clusterings.models(current.clustering_id).cluster_ids.tolist())


def _clusters_of(library: Library, folder: Path) -> set[int]:
    rows = library.store.photos.files_of()
    mine = {i for i, files in rows.items() if any(row.file.parent == folder for row in files)}
    current = library.store.clusterings.current()
    assert current is not None
    return set(library.store.clusterings.clusters_of(current.clustering_id, list(mine)).values())
