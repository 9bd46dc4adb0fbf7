"""Every registered part keeps its contract: installing a plugin adds it to these tests."""

from __future__ import annotations

import importlib.util
import inspect
import io
import socket
import weakref
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from organizer import decode, metadata, registry
from organizer.cluster.limits import limits_of, require_within
from organizer.discover import Walk
from organizer.errors import ClusteringError, ImageError, PluginError, WeightsError
from organizer.identity import picture_hash
from organizer.library.clustering.fit import trains
from organizer.library.exports.format_options import format_options
from organizer.library.exports.format_options import make_exporter as made_exporter
from organizer.protocols import (
    GROUPS,
    Embedder,
    Exporter,
    FolderExporter,
    LoadedEmbedder,
    MetadataReader,
    NeedyExporter,
    Openable,
    ReducedInput,
    StreamExporter,
)
from organizer.types import (
    DecodedImage,
    ExportBatch,
    Identity,
    ImageRef,
    KnownImage,
    PartSpec,
    VectorUse,
)
from tests.batches import about, unclustered
from tests.batches import batch as images
from tests.conftest import make_photo

_LIGHT_NETWORKS = ("mobilenet_v2", "resnet18")
_BY_GRAMMAR = ("hog+hsv", "resnet18@layer3", "resnet18+raw")


def _embedders() -> list[str]:
    """All of them; of torchvision's networks, which are one class, the light ones."""
    points = entry_points(group="organizer.embedders")
    large = {p.name for p in points if p.module == "organizer.embed.torchvision"}
    names = set(registry.part_names("organizer.embedders")) - large | set(_LIGHT_NETWORKS)
    return [*sorted(names), *_BY_GRAMMAR]


embedders = pytest.mark.parametrize("name", _embedders())
clusterers = pytest.mark.parametrize(
    # Those that train take minutes and pictures; tests/deep_clustering holds them to the same.
    "name",
    [name for name in registry.part_names("organizer.clusterers") if not trains(name)],
)
_slow_umap = pytest.param("umap", marks=pytest.mark.slow)  # numba compiles it for half a minute
reducers = pytest.mark.parametrize(
    "name",
    [_slow_umap if name == "umap" else name for name in registry.part_names("organizer.reducers")],
)
executors = pytest.mark.parametrize("name", registry.part_names("organizer.executors"))
exporters = pytest.mark.parametrize("name", registry.part_names("organizer.exporters"))
readers = pytest.mark.parametrize("name", registry.part_names("organizer.metadata_readers"))


@pytest.mark.parametrize("group", list(GROUPS))
def test_every_group_has_a_part(group: str) -> None:
    assert registry.part_names(group)


# --- embedders ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the networks whose files are not too large."""
    import torch
    from torchvision.models import get_model

    folder = tmp_path_factory.mktemp("random-weights")
    torch.manual_seed(3)
    for name in _LIGHT_NETWORKS:
        torch.save(get_model(name, weights=None).state_dict(), folder / f"{name}.pth")
    return folder


@pytest.fixture(scope="module")
def made(weights: Path) -> dict[str, Embedder | str]:
    """What was made already, by name; a text says why it cannot be."""
    del weights
    return {}


@pytest.fixture
def embedder(
    name: str, weights: Path, made: dict[str, Embedder | str], monkeypatch: pytest.MonkeyPatch
) -> Embedder:
    if name not in made:
        _cut_off(monkeypatch)
        try:
            spec, part = registry.create_part(
                "organizer.embedders", PartSpec(name), options={"weights": weights, "device": "cpu"}
            )
        except WeightsError as error:
            made[name] = error.message
        else:
            assert registry.create_part(
                "organizer.embedders", spec, options={"weights": weights, "device": "cpu"}
            ), "the spec makes the part again"
            made[name] = part
    found = made[name]
    if isinstance(found, str):
        pytest.skip(f"NOT TESTED: {name}: {found}")
    return found


def _cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test fetches half a gigabyte: all ways out lead to a port where nobody answers."""
    import urllib.request

    monkeypatch.setattr(urllib.request, "_opener", None)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, nobody)


def _picture(seed: int, height: int = 120, width: int = 180) -> NDArray[np.uint8]:
    draw = np.random.default_rng(seed).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    return np.array(Image.fromarray(draw).resize((width, height), Image.Resampling.BICUBIC))


def _embed(embedder: Embedder, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    return embedder.embed([embedder.prepare(picture) for picture in pictures])


def _assert_equal(one: NDArray[Any], other: NDArray[Any]) -> None:
    """What `prepare` gave twice; a combination gives an array of arrays."""
    if one.dtype != object:
        np.testing.assert_array_equal(one, other)
        return
    for mine, yours in zip(one, other, strict=True):
        _assert_equal(mine, yours)


@embedders
def test_a_vector_is_as_long_as_described(embedder: Embedder) -> None:
    vectors = _embed(embedder, [_picture(0), _picture(1, 90, 70)])
    assert vectors.shape == (2, embedder.dim)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()


@embedders
def test_no_pictures_give_no_rows(embedder: Embedder) -> None:
    vectors = embedder.embed([])
    assert vectors.shape == (0, embedder.dim)
    assert vectors.dtype == np.float32


@embedders
def test_row_i_is_picture_i(embedder: Embedder) -> None:
    pictures = [_picture(seed) for seed in range(5)]
    together = _embed(embedder, pictures)
    scale = np.abs(together).max()
    for row, picture in zip(together, pictures, strict=True):
        assert np.abs(_embed(embedder, [picture])[0] - row).max() < 1e-4 * scale
    assert len({row.tobytes() for row in together}) == 5


@embedders
def test_the_same_pictures_give_the_same_vectors(embedder: Embedder) -> None:
    pictures = [_picture(seed) for seed in range(3)]
    np.testing.assert_array_equal(_embed(embedder, pictures), _embed(embedder, pictures))


@embedders
def test_preparing_leaves_the_picture_as_it_is(embedder: Embedder) -> None:
    picture = _picture(2)
    before = picture.copy()
    prepared = embedder.prepare(picture)
    np.testing.assert_array_equal(picture, before)
    embedder.embed([prepared])
    np.testing.assert_array_equal(picture, before)


@embedders
def test_a_picture_that_may_not_be_written_to_is_prepared(embedder: Embedder) -> None:
    picture = _picture(2)
    locked = picture.copy()
    locked.flags.writeable = False
    _assert_equal(embedder.prepare(locked), embedder.prepare(picture))


@embedders
def test_a_picture_that_lies_otherwise_in_memory_is_the_same(embedder: Embedder) -> None:
    picture = _picture(2)
    turned = np.ascontiguousarray(picture.swapaxes(0, 1)).swapaxes(0, 1)
    _assert_equal(embedder.prepare(turned), embedder.prepare(picture))


@embedders
@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (1, 7), (2, 2)])
def test_odd_sizes_are_pictures(embedder: Embedder, shape: tuple[int, int]) -> None:
    vectors = _embed(embedder, [_picture(1, *shape), _picture(0)])
    assert vectors.shape == (2, embedder.dim)
    assert np.isfinite(vectors).all()


@embedders
@pytest.mark.parametrize("value", [0, 255])
def test_a_picture_of_one_colour_has_a_finite_vector(embedder: Embedder, value: int) -> None:
    vectors = _embed(embedder, [np.full((50, 60, 3), value, np.uint8)])
    assert np.isfinite(vectors).all()


@embedders
def test_threads_prepare_what_one_prepares(embedder: Embedder) -> None:
    pictures = [_picture(seed, 100 + seed, 150) for seed in range(12)]
    alone = [embedder.prepare(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(embedder.prepare, pictures))
    for one, other in zip(alone, together, strict=True):
        _assert_equal(one, other)


@embedders
def test_a_smaller_picture_does_where_the_embedder_says_so(embedder: Embedder) -> None:
    if not isinstance(embedder, ReducedInput):
        pytest.skip(f"{type(embedder).__name__} wants the whole picture")
    side = embedder.min_side
    large = np.repeat(np.repeat(_picture(1, side, side), 2, axis=0), 2, axis=1)
    whole, reduced = _embed(embedder, [large, _picture(1, side, side)])
    assert np.dot(whole, reduced) > 0.99 * np.linalg.norm(whole) * np.linalg.norm(reduced)


@embedders
def test_what_it_tells_of_itself_is_true(name: str, embedder: Embedder, weights: Path) -> None:
    factory: Any = registry.part_factory("organizer.embedders", name)
    if not hasattr(factory, "describe"):
        pytest.skip(f"{name} tells nothing of itself")
    info = factory.describe(weights=weights)
    assert info.name == name
    assert info.dim in {embedder.dim, 0}, "0 is: not known before it is made"
    assert info.weights in {"none needed", "here"}
    assert info.licence


def test_the_mean_of_a_large_picture_is_exact() -> None:
    # A sum of three million values in float32 would be off by a hundredth.
    large = np.full((1500, 2000, 3), (200, 131, 255), np.uint8)
    _, part = registry.create_part("organizer.embedders", PartSpec("channel-mean"))
    expected = [200 / 255, 131 / 255, 1, 0, 0, 0]
    np.testing.assert_allclose(_embed(part, [large])[0], expected, atol=1e-4)


# --- clusterers and reducers --------------------------------------------------------------------


@cache
def _groups(n: int = 90, dim: int = 24) -> NDArray[np.float32]:
    """Unit vectors around three directions; vector i is of group i % 3."""
    draw = np.random.default_rng(5)
    vectors = np.eye(dim)[np.arange(n) % 3] + draw.normal(0, 0.05, (n, dim))
    units: NDArray[np.float32] = vectors.astype(np.float32)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    units.flags.writeable = False
    return units


def _make(group: str, name: str, **params: Any) -> Any:
    try:
        return registry.create_part(group, PartSpec(name, params))[1]
    except PluginError as error:
        if error.hint.startswith("pip install"):
            pytest.skip(f"NOT TESTED: {name}: {error.message}")
        raise


def _seeded(group: str, name: str) -> Any:
    parameters = inspect.signature(registry.part_factory(group, name)).parameters
    wanted = {"random_state": 11, "n_clusters": 3, "n_components": 4}
    return _make(group, name, **{key: wanted[key] for key in wanted if key in parameters})


@clusterers
def test_each_vector_has_a_label(name: str) -> None:
    labels = _seeded("organizer.clusterers", name).fit_predict(_groups())
    assert labels.shape == (90,)
    assert np.issubdtype(labels.dtype, np.integer)
    assert labels.min() >= -1


@clusterers
def test_groups_that_lie_apart_are_not_mixed(name: str) -> None:
    labels = _seeded("organizer.clusterers", name).fit_predict(_groups())
    together = [set(labels[start::3].tolist()) - {-1} for start in range(3)]
    assert all(together), "each group has a cluster"
    assert len(set.union(*together)) == sum(len(found) for found in together)
    assert np.count_nonzero(labels == -1) < 30, "most of them are no noise"


@clusterers
def test_asked_for_three_clusters_it_finds_three_groups(name: str) -> None:
    if (
        "n_clusters"
        not in inspect.signature(registry.part_factory("organizer.clusterers", name)).parameters
    ):
        pytest.skip(f"{name} finds its own number")
    labels = _seeded("organizer.clusterers", name).fit_predict(_groups())
    together = [set(labels[start::3].tolist()) for start in range(3)]
    assert sorted(together, key=min) == [{0}, {1}, {2}]


@clusterers
def test_vectors_that_may_not_be_written_to_are_clustered(name: str) -> None:
    labels = _seeded("organizer.clusterers", name).fit_predict(_groups())
    again = _seeded("organizer.clusterers", name).fit_predict(_groups().copy())
    np.testing.assert_array_equal(labels, again)


@clusterers
@pytest.mark.parametrize("n", [3, 4, 7])
def test_a_few_vectors_have_labels(name: str, n: int) -> None:
    labels = _seeded("organizer.clusterers", name).fit_predict(_groups()[:n].copy())
    assert labels.shape == (n,)
    assert set(labels.tolist()) <= {-1, 0, 1, 2}


@clusterers
def test_vectors_that_are_the_same_are_together(name: str) -> None:
    copies = np.repeat(_groups()[:9], 6, axis=0)
    labels = _seeded("organizer.clusterers", name).fit_predict(copies).reshape(9, 6)
    np.testing.assert_array_equal(labels, labels[:, :1].repeat(6, axis=1))


@clusterers
def test_more_than_it_takes_is_refused_with_what_to_use_instead(name: str) -> None:
    factory = registry.part_factory("organizer.clusterers", name)
    limits = limits_of(factory)
    require_within(factory, name, 1)
    if limits is None or limits.max_images is None:
        require_within(factory, name, 10**9)
        return
    require_within(factory, name, limits.max_images)
    with pytest.raises(ClusteringError) as caught:
        require_within(factory, name, limits.max_images + 1)
    message = caught.value.message
    assert message.startswith(f"{name} takes at most {limits.max_images:,} images")
    assert f"{limits.max_images + 1:,}" in message
    assert limits.reason in message
    assert caught.value.hint == f"use {limits.instead}"
    assert any(
        other in limits.instead
        for other in registry.part_names("organizer.clusterers")
        if other != name
    )


@clusterers
def test_the_same_seed_gives_the_same_labels(name: str) -> None:
    noise = np.random.default_rng(1).normal(size=(80, 16)).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    first = _seeded("organizer.clusterers", name).fit_predict(noise.copy())
    second = _seeded("organizer.clusterers", name).fit_predict(noise.copy())
    np.testing.assert_array_equal(first, second)


@clusterers
def test_clustering_leaves_the_vectors_as_they_are(name: str) -> None:
    vectors = _groups().copy()
    _seeded("organizer.clusterers", name).fit_predict(vectors)
    np.testing.assert_array_equal(vectors, _groups())


_umap_speaks = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ImportWarning"),
]


def _reduced(name: str) -> tuple[Any, NDArray[Any]]:
    reducer = _seeded("organizer.reducers", name)
    return reducer, reducer.fit_transform(_groups())


class TestReducers:
    pytestmark = _umap_speaks

    @reducers
    def test_there_are_as_many_vectors_and_as_many_dimensions_as_asked_for(self, name: str) -> None:
        reducer, few = _reduced(name)
        kept = _groups().shape[1] if name == "none" else 4
        assert few.shape == (90, kept)
        assert few.dtype == np.float32
        assert np.isfinite(few).all()
        further = reducer.transform(_groups()[:7].copy())
        assert further.shape == (7, kept)
        assert np.isfinite(further).all()

    @reducers
    def test_the_same_seed_gives_the_same_vectors(self, name: str) -> None:
        np.testing.assert_array_equal(_reduced(name)[1], _reduced(name)[1])

    @pytest.mark.parametrize("name", ["pca", _slow_umap])
    def test_groups_stay_apart(self, name: str) -> None:
        _, few = _reduced(name)
        centres = np.stack([few[start::3].mean(axis=0) for start in range(3)])
        nearest = np.linalg.norm(few[:, None] - centres, axis=2).argmin(axis=1)
        np.testing.assert_array_equal(nearest, np.arange(90) % 3)


def test_pca_is_that_of_linear_algebra() -> None:
    vectors = _groups().astype(np.float64)
    centred = vectors - vectors.mean(axis=0)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    few = _make("organizer.reducers", "pca", n_components=4).fit_transform(_groups())
    np.testing.assert_allclose(np.abs(few), np.abs(centred @ axes[:4].T), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(few, axis=0), values[:4], rtol=1e-4)


@pytest.mark.parametrize("shape", [(3, 24), (90, 2), (2, 5)])
def test_pca_of_little_gives_what_there_is(shape: tuple[int, int]) -> None:
    vectors = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    few = _make("organizer.reducers", "pca", n_components=64).fit_transform(vectors)
    assert few.shape == (shape[0], min(shape))
    assert np.isfinite(few).all()


@pytest.mark.skipif(importlib.util.find_spec("umap") is not None, reason="UMAP is installed")
def test_umap_that_is_not_installed_says_how_to_install_it() -> None:
    with pytest.raises(PluginError, match="not installed") as caught:
        registry.create_part("organizer.reducers", PartSpec("umap"))
    assert "organizer-photos[umap]" in caught.value.hint


# --- executors ----------------------------------------------------------------------------------


@pytest.fixture
def refs(tmp_path: Path) -> list[ImageRef]:
    """30 photos, 3 copies of the first next to one another and far apart, 3 that are broken."""
    folder = tmp_path / "executed"
    for seed in range(30):
        make_photo(folder / f"{seed:02}.jpg", seed)
    first = (folder / "00.jpg").read_bytes()
    for copy in ("00-copy.jpg", "15-copy.jpg", "99-copy.jpg"):
        (folder / copy).write_bytes(first)
    for broken in ("01-cut.jpg", "20-cut.jpg"):
        (folder / broken).write_bytes(first[:700])
    (folder / "10-empty.jpg").touch()
    return list(Walk(folder, folder))


@pytest.fixture(scope="module")
def means() -> LoadedEmbedder:
    return LoadedEmbedder(*registry.create_part("organizer.embedders", PartSpec("channel-mean")))


def _executor(name: str) -> Any:
    options = {"threads": 2, "batch_size": 4, "max_file_bytes": 10**9}
    return registry.create_part("organizer.executors", PartSpec(name), options=options)[1]


def _unknown(_: Identity) -> KnownImage | None:
    return None


@executors
def test_files_keep_their_order(name: str, refs: list[ImageRef], means: LoadedEmbedder) -> None:
    batches = list(_executor(name).run(refs, means, find=_unknown))
    assert [file.ref for batch in batches for file in batch.files] == refs


@executors
def test_what_comes_twice_is_embedded_once(
    name: str, refs: list[ImageRef], means: LoadedEmbedder
) -> None:
    batches = list(_executor(name).run(refs, means, find=_unknown))
    embedded = [image_id for batch in batches for image_id in batch.embeddings.image_ids]
    assert len(embedded) == len(set(embedded)) == 30


@executors
def test_what_is_known_is_not_embedded(
    name: str, refs: list[ImageRef], means: LoadedEmbedder
) -> None:
    known = {picture_hash(ref.file.read_bytes()) for ref in refs[::2]}

    def find(found: Identity) -> KnownImage | None:
        return KnownImage(found.picture) if found.picture in known else None

    batches = list(_executor(name).run(refs, means, find=find))
    embedded = {image_id for batch in batches for image_id in batch.embeddings.image_ids}
    assert not embedded & known
    files = [file for batch in batches for file in batch.files]
    assert [file.ref for file in files] == refs
    assert known & {file.image_id for file in files}


@executors
def test_broken_files_become_problems(
    name: str, refs: list[ImageRef], means: LoadedEmbedder
) -> None:
    batches = _executor(name).run(refs, means, find=_unknown)
    broken = [file.ref.path for batch in batches for file in batch.files if file.problem]
    assert broken == ["01-cut.jpg", "10-empty.jpg", "20-cut.jpg"]


@executors
def test_vectors_belong_to_their_files(
    name: str, refs: list[ImageRef], means: LoadedEmbedder
) -> None:
    vectors: dict[str, NDArray[np.float32]] = {}
    for batch in _executor(name).run(refs, means, find=_unknown):
        rows = zip(batch.embeddings.image_ids, batch.embeddings.vectors, strict=True)
        vectors.update(rows)
    for ref in refs:
        image_id = picture_hash(ref.file.read_bytes())
        if image_id in vectors:
            with Image.open(ref.file) as image:
                alone = _embed(means.part, [np.asarray(image)])[0]
            np.testing.assert_allclose(vectors[image_id], alone, atol=1e-6)
    assert len(vectors) == 30


@executors
def test_files_are_taken_only_a_bounded_way_ahead(
    name: str, refs: list[ImageRef], means: LoadedEmbedder
) -> None:
    taken = 0

    def endless() -> Iterator[ImageRef]:
        nonlocal taken
        while True:
            yield refs[taken % len(refs)]
            taken += 1

    run = _executor(name).run(endless(), means, find=_unknown)
    given = sum(len(next(run).files) for _ in range(10))
    run.close()
    assert taken - given < 200


# --- exporters ----------------------------------------------------------------------------------


def _exporter(name: str) -> Exporter:
    """Made with the examples of its options."""
    examples = {
        option: said.example for option, said in format_options(name).items() if said.example
    }
    return made_exporter(name, examples)


def _exported(name: str, to: Path, batches: Iterable[ExportBatch], *, dim: int = 0) -> int:
    part = _exporter(name)
    if isinstance(part, FolderExporter):
        to.mkdir()
    given = (_complete(part, batch) for batch in batches)
    return part.export(given, to, about=about(dim=dim))


def _complete(part: Exporter, batch: ExportBatch) -> ExportBatch:
    """With all that the format needs to know."""
    if not isinstance(part, NeedyExporter):
        return batch
    known = {"taken_at": "2024-05-01T06:07:30", "deployments": "A1", "events": 0}
    filled: dict[str, Any] = {
        name: tuple(known[name] if value is None else value for value in getattr(batch, name))
        for name in [*part.needs, "events"]
    }
    return replace(batch, **filled)


def _content(to: Path) -> bytes:
    files = sorted(to.iterdir()) if to.is_dir() else [to]
    return b"".join(map(_unpacked, files))


def _unpacked(file: Path) -> bytes:
    """The content of a file, of a workbook the content of all that is packed in it."""
    if not zipfile.is_zipfile(file):
        return file.read_bytes()
    with zipfile.ZipFile(file) as packed:
        return b"".join(packed.read(name) for name in packed.namelist())


@exporters
def test_an_export_counts_what_it_writes(name: str, tmp_path: Path) -> None:
    assert _exported(name, tmp_path / "some", [images(5), images(2, seed=1)]) == 7
    assert _exported(name, tmp_path / "none", []) == 0
    assert len(_content(tmp_path / "some")) > len(_content(tmp_path / "none")) > 0


@exporters
def test_an_export_says_what_it_is_called_and_holds(name: str, tmp_path: Path) -> None:
    part = _exporter(name)
    assert part.file_name.endswith(part.suffix)
    assert part.file_name == Path(part.file_name).name
    assert part.vectors in list(VectorUse)
    _exported(name, tmp_path / "out", [images(3)])
    assert (tmp_path / "out").is_dir() == isinstance(part, FolderExporter) == (part.suffix == "")
    if isinstance(part, FolderExporter):
        assert {file.name for file in (tmp_path / "out").iterdir()} <= part.holds
    if isinstance(part, Openable):
        opened_with = part.opened_with(tmp_path / "out", about=about())
        assert opened_with
        assert "\n" not in opened_with


@exporters
def test_the_same_images_give_the_same_export(name: str, tmp_path: Path) -> None:
    for place in ("one", "other"):
        _exported(name, tmp_path / place, [images(5), images(2, seed=1)])
    assert _content(tmp_path / "one") == _content(tmp_path / "other")


@exporters
def test_a_name_a_path_and_an_id_are_in_an_export(name: str, tmp_path: Path) -> None:
    fox = images(1, paths=("/photos/fähe 🦊.jpg",), cluster_names=("Fuchs äöü",))
    _exported(name, tmp_path / "out", [fox])
    content = _content(tmp_path / "out")
    for text in ("fähe 🦊.jpg", "Fuchs äöü", fox.image_ids[0]):
        assert text.encode() in content


@exporters
def test_images_without_clusters_metadata_and_files_are_exported(name: str, tmp_path: Path) -> None:
    nothing = (None,) * 3
    known = ("taken_at", "cameras", "latitudes", "longitudes", "brightness", "chroma")
    unknown: dict[str, Any] = dict.fromkeys(known, nothing)
    bare = images(3, **unknown, missing=(True,) * 3)
    assert _exported(name, tmp_path / "bare", [bare]) == 3
    assert _exported(name, tmp_path / "before", [unclustered(3)]) == 3


@exporters
def test_vectors_are_in_an_export_that_takes_them(name: str, tmp_path: Path) -> None:
    if _exporter(name).vectors is VectorUse.NEVER:
        pytest.skip(f"{name} holds no vectors")
    with_vectors, without = tmp_path / "with", tmp_path / "without"
    assert _exported(name, with_vectors, [images(50, dim=64)], dim=64) == 50
    assert _exported(name, without, [images(50)]) == 50
    more = len(_content(with_vectors)) - len(_content(without))
    assert more > 50 * 64 * 3, "noise of four bytes a number cannot be made much smaller"


@exporters
def test_only_some_batches_are_held_at_once(name: str, tmp_path: Path) -> None:
    """Of a library of millions only some thousands of images are in memory."""
    dim, count = 4_096, 12
    held: list[weakref.ref[NDArray[np.float32]]] = []
    most = 0

    def batches() -> Iterator[ExportBatch]:
        nonlocal most
        for seed in range(count):
            vectors = np.zeros((1_000, dim), dtype=np.float32)
            held.append(weakref.ref(vectors))
            yield images(1_000, seed=seed, vectors=vectors)
            del vectors
            most = max(most, sum(ref() is not None for ref in held))

    takes_vectors = _exporter(name).vectors is not VectorUse.NEVER
    _exported(name, tmp_path / "out", batches(), dim=dim if takes_vectors else 0)
    assert most <= count // 2


@exporters
def test_a_pipe_has_what_a_file_has(name: str, tmp_path: Path) -> None:
    part = _exporter(name)
    if not isinstance(part, StreamExporter):
        pytest.skip(f"{name} is not written to a pipe")
    stream = io.BytesIO()
    assert part.write([images(3)], stream, about=about()) == 3
    assert not stream.closed
    _exported(name, tmp_path / "out", [images(3)])
    assert _content(tmp_path / "out").endswith(stream.getvalue())


# --- metadata readers ---------------------------------------------------------------------------


def _reader(name: str) -> MetadataReader:
    spec, part = registry.create_part("organizer.metadata_readers", PartSpec(name))
    assert registry.create_part("organizer.metadata_readers", spec)
    reader: MetadataReader = part
    return reader


def _contents(data: bytes) -> Iterator[tuple[bytes, DecodedImage]]:
    """What the ingest would have in hand of a file; nothing where it is no picture."""
    try:
        yield data, decode.decode_image(ImageRef(Path("nowhere"), "a.jpg", len(data), 0), data)
    except ImageError:
        return


def _with_note(note: bytes, make: str) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = make
    exif.get_ifd(0x8769)[0x927C] = note
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6)).save(buffer, "JPEG", exif=exif.tobytes())
    return buffer.getvalue()


def _notes() -> list[bytes]:
    draw = np.random.default_rng(8)
    begins = [b"", b"\x01\xf1\x03\0", b"RECONYXH2\0", b"Nikon\0\x02", b"Apple iOS\0", b"II*\0"]
    return [b + draw.bytes(int(n)) for b in begins for n in draw.integers(0, 400, 8)]


def _asked(name: str, contents: Iterable[tuple[bytes, DecodedImage]]) -> int:
    """Ask a reader of all; it fails where the reader does, or gives what cannot be kept."""
    reader, asked = _reader(name), 0
    for data, image in contents:
        found = metadata.read_extra(image, data, {name: reader})
        assert not found.failures
        assert found == metadata.read_extra(image, data, {name: reader}), "the same file, the same"
        asked += 1
    return asked


@readers
def test_a_reader_finds_nothing_in_a_plain_photo_and_survives_any_note(name: str) -> None:
    plain = next(_contents(_with_note(b"", "")))
    assert metadata.read_extra(plain[1], plain[0], {name: _reader(name)}).found == {}
    made = [c for note in _notes() for c in _contents(_with_note(note, "RECONYX"))]
    assert _asked(name, made) == len(_notes())


@readers
def test_a_reader_is_asked_on_several_threads(name: str) -> None:
    reader = _reader(name)
    made = [c for note in _notes() for c in _contents(_with_note(note, "RECONYX"))]

    def ask(content: tuple[bytes, DecodedImage]) -> object:
        return metadata.read_extra(content[1], content[0], {name: reader})

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, made * 4)) == [ask(content) for content in made] * 4


@readers
def test_a_reader_survives_the_files_of_every_camera(name: str, hostile: Path) -> None:
    files = [f for f in sorted((hostile / "exif-samples").rglob("*")) if f.is_file()]
    assert _asked(name, (c for f in files for c in _contents(f.read_bytes()))) > 25
