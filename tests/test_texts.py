"""Texts and images in one space: a plugin that knows three colours shows what is right."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Run, Site, make_groups
from tests.typed import in_this_process

_COLOURS = '''
import numpy as np

class Colours:
    """Pictures and texts by their shares of red, green and blue."""

    dim = 3
    version = "1"
    logit_scale = 5.0

    def prepare(self, image):
        return image.reshape(-1, 3).mean(axis=0)

    def embed(self, batch):
        return np.asarray(batch, dtype=np.float32).reshape(len(batch), 3)

    def embed_text(self, texts):
        words = ("red", "green", "blue")
        rows = [[1e-3 + (word in text.lower()) for word in words] for text in texts]
        vectors = np.asarray(rows, dtype=np.float32).reshape(len(texts), 3)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
'''


@pytest.fixture
def home(tmp_path: Path, site: Site) -> Path:
    """A library of red, green and blue photos in three clusters, with a plugin that reads."""
    site.install("colour-words", _COLOURS, colours="Colours")
    make_groups(tmp_path / "photos", each=5)
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([tmp_path / "photos"], embedder="channel-mean")
        library.recluster(k=3)
        library.ingest([tmp_path / "photos"], embedder="colours")
    (tmp_path / "labels.txt").write_text("green\n\n red \nblue\nred\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def typed(home: Path) -> Run:
    """The program as typed, in the library."""
    return partial(in_this_process, home)


def _colour(path: str) -> str:
    return Path(path).parent.name


# Search --------------------------------------------------------------------------------------


@pytest.mark.parametrize("colour", ["red", "green", "blue"])
def test_a_text_finds_what_it_says(typed: Run, colour: str) -> None:
    ran = typed("search", "--text", f"something {colour}", "-n", "5", "--json")
    assert (ran.code, ran.err) == (0, "")
    hits = ran.json["hits"]
    assert [_colour(hit["path"]) for hit in hits] == [colour] * 5
    distances = [hit["distance"] for hit in hits]
    assert distances == sorted(distances)


def test_distances_to_a_text_are_cosine_distances(home: Path, typed: Run) -> None:
    hits = typed("search", "--text", "red", "-n", "15", "--json").json["hits"]
    assert len(hits) == 15
    text = np.array([1.001, 0.001, 0.001])
    for hit in hits:
        pixels = np.asarray(Image.open(home / hit["path"])).reshape(-1, 3).mean(axis=0)
        cosine = pixels @ text / np.linalg.norm(pixels) / np.linalg.norm(text)
        assert hit["distance"] == pytest.approx(1 - cosine, abs=2e-3)


def test_the_embedder_that_reads_is_found_or_named(typed: Run) -> None:
    plain = typed("search", "--text", "red", "--json")
    named = typed("search", "--text", "red", "--embedder", "colours", "--json")
    assert plain.out == named.out
    other = typed("search", "--text", "red", "--embedder", "channel-mean")
    assert (other.code, other.out) == (2, "")
    assert "channel-mean has no text network" in other.err


@pytest.mark.parametrize("words", [["--text", ""], ["--text", "  "]])
def test_an_empty_text_is_wrong_use(typed: Run, words: list[str]) -> None:
    ran = typed("search", *words)
    assert (ran.code, ran.out) == (2, "")
    assert "the text is empty" in ran.err


def test_a_photo_or_a_text_not_both_nor_none(home: Path, typed: Run) -> None:
    photo = next((home / "photos").rglob("*.jpg"))
    for words in ([photo, "--text", "red"], []):
        ran = typed("search", *words)
        assert (ran.code, ran.out) == (2, "")
        assert "name a photo, or give a --text" in ran.err


def test_a_library_that_reads_nothing_says_what_to_add(tmp_path: Path, photos: Path) -> None:
    in_this_process(tmp_path, "ingest", photos, "--embedder", "channel-mean")
    ran = in_this_process(tmp_path, "search", "--text", "red")
    assert (ran.code, ran.out) == (2, "")
    assert "no embedder of this library reads texts" in ran.err
    assert "openclip:" in ran.err


# Names ---------------------------------------------------------------------------------------


def _suggested(typed: Run) -> dict[int, dict[str, object]]:
    ran = typed("clusters", "suggest-names", "--labels", "labels.txt", "--json")
    assert (ran.code, ran.err) == (0, "")
    return {row["cluster_id"]: row for row in ran.json["suggestions"]}


def test_each_cluster_is_offered_its_colour(typed: Run) -> None:
    found = _suggested(typed)
    clusters = {c["cluster_id"]: c for c in typed("clusters", "--json").json["clusters"]}
    assert set(found) == set(clusters)
    for cluster_id, row in found.items():
        members = typed("clusters", "show", cluster_id, "--json").json["images"]
        assert {_colour(member["path"]) for member in members} == {row["suggestion"]}
        assert row["images"] == len(members)
        assert row["name"] is None


def test_the_confidence_is_the_mean_share_of_the_softmax(home: Path, typed: Run) -> None:
    found = _suggested(typed)
    texts = np.eye(3) + 1e-3
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    for cluster_id, row in found.items():
        members = typed("clusters", "show", cluster_id, "--json").json["images"]
        files = [home / member["path"] for member in members]
        pixels = np.array([np.asarray(Image.open(f)).reshape(-1, 3).mean(axis=0) for f in files])
        logits = 5 * (pixels / np.linalg.norm(pixels, axis=1, keepdims=True)) @ texts.T
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        first, second = np.sort(shares.mean(axis=0))[:-3:-1]
        assert row["confidence"] == pytest.approx(first, abs=2e-3)
        assert row["second_confidence"] == pytest.approx(second, abs=2e-3)
    order = [row["confidence"] for row in found.values()]
    assert order == sorted(order, reverse=True)  # type: ignore[type-var]


def test_names_are_proposed_and_nothing_is_named(typed: Run) -> None:
    before = typed("clusters", "--json").out
    ran = typed("clusters", "suggest-names", "--labels", "labels.txt")
    assert ran.code == 0
    assert all(colour in ran.out for colour in ("red", "green", "blue"))
    assert typed("clusters", "--json").out == before


def test_a_cluster_keeps_its_name_beside_the_proposal(typed: Run) -> None:
    typed("clusters", "rename", "1", "Mine")
    assert _suggested(typed)[1]["name"] == "Mine"


def test_one_label_is_sure(home: Path, typed: Run) -> None:
    (home / "labels.txt").write_text("anything")
    for row in _suggested(typed).values():
        assert (row["suggestion"], row["confidence"], row["second"]) == ("anything", 1.0, "")


@pytest.mark.parametrize("content", [b"", b"\n \n", None, b"\xff\xfe\x00"])
def test_labels_that_are_none_are_wrong_use(home: Path, typed: Run, content: bytes | None) -> None:
    (home / "labels.txt").unlink()
    if content is not None:
        (home / "labels.txt").write_bytes(content)
    ran = typed("clusters", "suggest-names", "--labels", "labels.txt")
    assert (ran.code, ran.out) == (2, "")
    assert "labels" in ran.err
    assert "Traceback" not in ran.err


def test_without_clusters_there_is_nothing_to_name(
    tmp_path: Path, site: Site, photos: Path
) -> None:
    site.install("colour-words", _COLOURS, colours="Colours")
    (tmp_path / "labels.txt").write_text("red")
    in_this_process(tmp_path, "ingest", photos, "--embedder", "colours")
    ran = in_this_process(tmp_path, "clusters", "suggest-names", "--labels", "labels.txt")
    assert (ran.code, ran.out) == (1, "")
    assert "organizer recluster" in ran.err


def test_models_tell_that_a_plugin_reads_texts(typed: Run) -> None:
    listed = json.loads(typed("models", "--json").out)["models"]
    by_name = {model["name"]: model["text"] for model in listed}
    assert by_name["colours"]
    assert not by_name["channel-mean"]
