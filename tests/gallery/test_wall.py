"""The wall: clusters named, merged and split with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

from tests.gallery.made import COLOURS
from tests.gallery.opened import Gallery

Open = Callable[..., Gallery]


def _cards(gallery: Gallery) -> list[int]:
    ids = gallery.evaluate("[...document.querySelectorAll('.card')].map(c => +c.dataset.cluster)")
    return [int(found) for found in ids]


def test_the_wall_shows_every_cluster_the_largest_first(gallery: Gallery) -> None:
    found = gallery.get("/clusters")["clusters"]
    assert len(found) == len(COLOURS)
    assert _cards(gallery) == [cluster["id"] for cluster in found]
    assert gallery.text(".wall-progress") == "0 of 8 clusters named"
    gallery.until(lambda: gallery.evaluate("document.querySelector('.medoid').naturalWidth > 0"))
    assert gallery.focused == f"Cluster {found[0]['id']}, {found[0]['size']} images"


def test_names_are_typed_one_after_the_other_with_one_key_between(gallery: Gallery) -> None:
    gallery.press("n")
    for name in COLOURS:
        gallery.type(name)
        gallery.press("Enter")
    gallery.until(lambda: gallery.text(".wall-progress") == "8 of 8 clusters named")
    gallery.until(lambda: None not in gallery.names.values())
    assert gallery.presses == 1 + len(COLOURS)
    assert [gallery.names[cluster] for cluster in _cards(gallery)] == list(COLOURS)
    gallery.press("Control+z", "Control+z")
    gallery.until(lambda: gallery.text(".wall-progress") == "6 of 8 clusters named")
    gallery.press("Control+Shift+z")
    gallery.until(lambda: gallery.text(".wall-progress") == "7 of 8 clusters named")


def test_a_name_that_another_has_asks_and_says_what_it_touches(gallery: Gallery) -> None:
    first, second = _cards(gallery)[:2]
    sizes = [gallery.size(first), gallery.size(second)]
    gallery.press("n")
    gallery.type("Fox")
    gallery.press("Enter")
    gallery.type("fox")
    gallery.press("Enter")
    question = f"Fox has {sizes[0]} images already. Merge these {sizes[1]} into it?"
    gallery.until(lambda: question in gallery.text(".merge-question"))
    gallery.press("Escape")
    gallery.until(lambda: gallery.focused == f"Name of Cluster {second}")
    assert second in gallery.names
    gallery.type("fox")
    gallery.press("Enter", "Enter")
    gallery.until(lambda: second not in gallery.names)
    assert gallery.size(first) == sum(sizes)
    gallery.press("Escape", "Control+z")
    gallery.until(lambda: gallery.names.get(second, "gone") is None)
    gallery.until(lambda: second in _cards(gallery))


def test_a_name_is_saved_when_another_is_begun_and_a_taken_one_is_asked_first(
    gallery: Gallery,
) -> None:
    first, second, third = _cards(gallery)[:3]
    naming = gallery.page.locator
    gallery.press("n")
    gallery.type("Fox")
    naming(f"[data-cluster='{second}'] .card-name").click()
    gallery.until(lambda: gallery.names[first] == "Fox")
    gallery.until(lambda: gallery.focused == f"Name of Cluster {second}")
    gallery.type("fox")
    naming(f"[data-cluster='{third}'] .card-name").click()
    gallery.until(lambda: "Fox has" in gallery.text(f"[data-cluster='{second}'] .merge-question"))
    assert naming(f"[data-cluster='{third}'] input").count() == 0
    gallery.page.get_by_role("button", name="No esc").click()
    field = naming(f"[data-cluster='{second}'] input")
    field.wait_for()
    assert field.input_value() == "fox"
    gallery.press("Escape")
    gallery.until(lambda: field.count() == 0)
    assert gallery.names[second] is None


def test_the_last_names_are_at_hand_by_their_number(gallery: Gallery) -> None:
    gallery.press("n")
    gallery.type("Fox")
    gallery.press("Enter")
    gallery.until(lambda: "1 Fox" in gallery.text(".quick"))
    gallery.press("1")
    gallery.until(lambda: "Fox has" in gallery.text(".merge-question"))


def test_clusters_are_selected_and_merged_after_a_question(gallery: Gallery) -> None:
    first, second, third = _cards(gallery)[:3]
    gallery.decide({"kind": "rename", "cluster": second, "name": "Fox"})
    gallery.until(lambda: "Fox" in gallery.text(".cards"))
    gallery.press("Space", "ArrowRight", "Space", "ArrowRight", "Space", "g")
    gallery.page.wait_for_selector("dialog")
    text = gallery.text("dialog")
    for cluster in (first, third):
        assert f"Cluster {cluster} ({gallery.size(cluster)} images)" in text
    assert f"will be part of Fox ({gallery.size(second)} images)" in text
    gallery.press("Enter")
    gallery.until(lambda: len(gallery.names) == len(COLOURS) - 2)
    assert gallery.names[second] == "Fox"


def test_a_cluster_is_split_and_put_together_again(gallery: Gallery) -> None:
    gallery.press("s", "3")
    gallery.until(lambda: len(_cards(gallery)) == len(COLOURS) + 2)
    assert "is split" in gallery.says
    gallery.press("Control+z")
    gallery.until(lambda: len(_cards(gallery)) == len(COLOURS))


def test_it_is_filtered_by_name_and_by_whether_there_is_one(gallery: Gallery) -> None:
    first, second = _cards(gallery)[:2]
    gallery.decide({"kind": "rename", "cluster": first, "name": "Red fox"})
    gallery.decide({"kind": "rename", "cluster": second, "name": "Crow"})
    gallery.until(lambda: "Crow" in gallery.text(".cards"))
    gallery.press("f")
    gallery.type("FOX")
    gallery.until(lambda: _cards(gallery) == [first])
    gallery.press("Escape")
    gallery.until(lambda: len(_cards(gallery)) == len(COLOURS))
    gallery.page.get_by_role("button", name="Without a name").click()
    gallery.until(lambda: len(_cards(gallery)) == len(COLOURS) - 2)
    gallery.page.get_by_label("Order of the clusters").select_option("name")
    gallery.page.get_by_role("button", name="Named", exact=True).click()
    gallery.until(lambda: _cards(gallery) == [second, first])


def test_who_is_here_first_is_shown_around_in_four_sentences(open_page: Open) -> None:
    gallery = open_page(tour=True)
    sentences = set()
    for step in ("Next", "Next", "Next", "Begin"):
        sentences.add(gallery.text(".tour p"))
        gallery.page.get_by_role("button", name=step).click()
    assert len(sentences) == 4
    gallery.page.wait_for_selector(".tour", state="detached")
    gallery.page.reload()
    gallery.page.wait_for_selector(".card")
    assert gallery.page.locator(".tour").count() == 0
