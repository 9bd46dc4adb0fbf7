"""The page as text: what is on it, that it is sound HTML, that nothing on it can do harm."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from organizer.report import charts, palette, wording
from organizer.report.contents import MapPicture, ReportContents, ReportPicture
from organizer.report.page import render
from organizer.report.points import NO_CLUSTER, map_data
from organizer.report.tables import classes_of, cluster_names, matrix_of
from organizer.types import NOISE, Candidate
from tests.pages import HOSTILE, bare, contents, picture, without

_VOID = {"meta", "link", "img", "input", "br"}


class Page(HTMLParser):
    """A page taken apart; it fails where the elements are not properly nested."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.said: list[str] = []
        self.code: dict[str, str] = {}
        self._open: list[tuple[str, dict[str, str]]] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        assert len(found) == len(attrs), f"an attribute twice: {tag} {attrs}"
        self.elements.append((tag, found))
        if tag not in _VOID:
            self._open.append((tag, found))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        tag, attrs = self._open[-1] if self._open else ("", {})
        if tag in {"script", "style"}:
            self.code[attrs.get("type", tag)] = data
        else:
            self.said.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.said).split())

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs in self.elements if tag in tags]

    @property
    def ids(self) -> list[str]:
        return [attrs["id"] for _, attrs in self.elements if "id" in attrs]

    @property
    def map(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.code["application/json"])
        return found


@pytest.fixture(scope="module")
def full() -> ReportContents:
    return contents()


@pytest.fixture(scope="module")
def page(full: ReportContents) -> Page:
    return Page(render(full))


# Sections ------------------------------------------------------------------------------------

_PARTS = {
    "why": "explanation",
    "silhouette": "silhouette",
    "evidence": "evidence",
    "truth": "truth",
    "map": "map",
    "sheets": "sheets",
    "audit": "audit",
}


def test_the_table_of_contents_names_every_section(page: Page) -> None:
    links = [a["href"] for a in page.all("a") if a.get("href", "").startswith("#")][1:]
    sections = [
        a["id"] for a in page.all("section", "header") if "section" in a.get("class", "").split()
    ]
    assert links[: len(sections)] == [f"#{name}" for name in sections]
    assert set(_PARTS) < set(sections)


@pytest.mark.parametrize(("section", "field"), _PARTS.items())
def test_a_section_without_anything_to_show_is_left_out(
    full: ReportContents, section: str, field: str
) -> None:
    missing = without(full, field, "doubtful", "unassigned_pictures")
    found = Page(render(missing))
    assert section not in found.ids
    assert f"#{section}" not in [a.get("href") for a in found.all("a")]


def test_the_figures_are_those_of_the_contents(full: ReportContents, page: Page) -> None:
    assert full.silhouette is not None
    assert full.truth is not None
    for shown in (
        "312 images",
        f"Silhouette {full.silhouette.mean:.3f}",
        f"ACC {full.truth.acc:.3f}",
        f"BCubed F1 {full.truth.bcubed_f1:.3f}",
        f"{full.truth.n_labelled:,} of 312 images count here",
        "by chance 0.03 · 5 cameras · known of 312 of 312 images",
        "doubtful 97% of its images are of one camera at night",
        "no photo tells its place",
        "94.0% between 89.0% and 97.0%",
        "3 files could not be read",
    ):
        assert _reordered(shown) in page.text


def _reordered(shown: str) -> str:
    """The head puts a number after its word in the markup, before it on the screen."""
    return "images 312" if shown == "312 images" else shown


def test_sheets_come_first_and_the_scores_are_folded(page: Page) -> None:
    sections = [a["id"] for a in page.all("section", "header") if "section" in a.get("class", "")]
    assert sections[:3] == ["overview", "sheets", "map"]
    folded = [tag for tag, a in page.elements if tag == "details" and "open" not in a]
    assert len(folded) >= len(sections) - 3
    summaries = re.findall(r"<summary><h2 id=.([a-z]+)-title", render(contents()))
    assert summaries == sections[3:]


def test_captions_are_words(full: ReportContents) -> None:
    text = Page(render(full)).text
    assert "medoid" in text
    assert "typical" in text
    assert "border" in text
    assert not re.search(r"(margin|distance) \d", text)


def test_a_sampled_silhouette_says_so_with_its_error(full: ReportContents) -> None:
    assert full.silhouette is not None
    found = replace(full.silhouette, sampled=True, standard_error=0.0031)
    text = Page(render(replace(full, silhouette=found))).text
    assert "± 0.0031 (standard error), of a sample of 300 images" in text


# Nothing to say --------------------------------------------------------------------------------


def _all_unsure() -> ReportContents:
    shown = without(contents(sizes=(), unassigned=9), "silhouette", "truth", "sheets")
    return replace(shown, internal=bare().internal)


@pytest.mark.parametrize(
    "shown",
    [
        bare(),
        contents(sizes=(5,), unassigned=0, pictures=0, spots=0),
        contents(sizes=(1, 1), unassigned=1),
        contents(sizes=(3, 1), unassigned=0, classes=("only",)),
        _all_unsure(),
    ],
    ids=["one image", "one cluster", "clusters of one", "one class", "all unsure"],
)
def test_what_is_not_defined_is_a_dash_with_a_reason(shown: ReportContents) -> None:
    text = Page(render(shown)).text
    assert not re.search(r"\b(nan|NaN|None|inf|undefined|null)\b", text)
    if shown.silhouette is None:
        assert (
            f"Silhouette {wording.DASH} needs two clusters, and more images than clusters" in text
        )


def test_numbers_that_are_none_are_not_plotted(full: ReportContents) -> None:
    tried = (Candidate(2, float("nan"), 10.0), Candidate(3, 0.2, float("inf")))
    found = Page(render(replace(full, evidence=tried)))
    assert not re.search(r"\b(nan|inf)\b", found.text)
    assert not any("nan" in a.get("d", "") for a in found.all("path"))


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (None, 3, wording.DASH),
        (float("nan"), 3, wording.DASH),
        (-0.0001, 3, "0.000"),
        (-0.25, 2, f"{wording.MINUS}0.25"),
    ],
)
def test_a_number_for_a_person(value: float | None, digits: int, shown: str) -> None:
    assert wording.score_text(value, digits) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(1.0, "100.0%"), (0.99996, "99.9%"), (0.5, "50.0%"), (None, wording.DASH)],
)
def test_less_than_all_is_never_100_percent(share: float | None, shown: str) -> None:
    assert wording.percent(share) == shown


# Sound HTML ------------------------------------------------------------------------------------


def test_ids_are_unique_and_references_hold(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    for _, attrs in page.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set(attrs.get(name, "").split()) <= set(page.ids)
        if attrs.get("href", "").startswith("#"):
            assert attrs["href"][1:] in page.ids


def test_pictures_have_texts_tables_captions_headings_no_gap(page: Page) -> None:
    assert all(a["alt"] for a in page.all("img"))
    assert all(a["decoding"] == "async" and "loading" not in a for a in page.all("img"))
    assert len(page.all("table")) == len(page.all("caption"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_every_drawn_figure_has_a_name_or_is_hidden(page: Page) -> None:
    for attrs in page.all("svg"):
        named = {"aria-label", "aria-labelledby"} & set(attrs)
        assert attrs.get("aria-hidden") == "true" or named


def test_the_page_is_one_file(page: Page) -> None:
    for tag, attrs in page.elements:
        assert tag not in {"iframe", "object", "embed", "base"}
        for name in ("src", "data", "poster", "srcset", *(() if tag == "a" else ("href",))):
            assert attrs.get(name, "#").startswith(("#", "data:")), (tag, attrs)
    assert "url(" not in page.code["style"]
    assert "@import" not in page.code["style"]


def test_nothing_stands_before_the_doctype() -> None:
    assert render(bare()).startswith("<!doctype html>\n<html lang=")


def test_no_script_may_run_but_the_page_s_own(page: Page) -> None:
    policy = next(a["content"] for a in page.all("meta") if "http-equiv" in a)
    digest = base64.b64encode(hashlib.sha256(page.code["module"].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'; img-src data: file:; style-src" in policy
    assert len(page.all("script")) == 2


# Hostile names ---------------------------------------------------------------------------------


def test_names_are_text_wherever_they_stand() -> None:
    harm = '"><img src=x onerror=alert(1)></script><script>alert(2)</script>{{ 7*7 }}'
    shown = contents(names=(harm, harm), classes=(harm, "b", "c"))
    shown = replace(shown, library=f"/tmp/{harm}", facts=((harm, harm),), remarks=(harm,))  # noqa: S108
    found = Page(render(shown))
    assert len(found.all("script")) == 2
    assert not [a for a in found.all("img") if a["src"] == "x"]
    assert not [name for _, attrs in found.elements for name in attrs if name.startswith("on")]
    assert harm in found.text
    assert "49" not in [part.strip() for part in found.said]
    assert found.map["clusters"][0]["label"] == f"3 {harm}"
    assert harm in [entry["label"] for entry in found.map["classes"]]


def test_every_path_is_told_as_it_is(page: Page) -> None:
    alts = {a["alt"] for a in page.all("img")}
    utf8 = [name.encode("utf-8", "replace").decode() for name in HOSTILE]
    assert set(utf8) <= alts


@settings(max_examples=10, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=30))
def test_any_name_can_be_written_and_read_again(name: str) -> None:
    shown = replace(bare(), clusters=(replace(bare().clusters[0], name=name),))
    found = render(shown)
    found.encode("utf-8")
    Page(found)


def test_a_picture_that_could_not_be_read_says_so(full: ReportContents) -> None:
    sheet = replace(full.sheets[3], typical=(ReportPicture("gone.jpg", b"", 0, 0, "medoid"),))
    text = Page(render(replace(full, sheets={3: sheet}))).text
    assert "cannot be read medoid" in text


# The map's data --------------------------------------------------------------------------------


def _array(text: str, dtype: str) -> Any:
    return np.frombuffer(base64.b64decode(text), dtype=dtype)


def test_the_map_is_the_same_when_unpacked(full: ReportContents, page: Page) -> None:
    data, shown = page.map, full.map
    assert shown is not None
    assert np.abs(_array(data["xy"], "<i2").reshape(-1, 2) / 32_767 - shown.xy).max() < 2e-5
    folder = _array(data["folder"], "<u2")
    paths = [data["folders"][f] + name for f, name in zip(folder, data["names"], strict=True)]
    assert paths == list(shown.paths)
    of = _array(data["cluster"], "<u2")
    ids = np.array([row.cluster_id for row in full.clusters])
    assert (
        np.where(of == NO_CLUSTER, NOISE, ids[np.minimum(of, len(ids) - 1)]) == shown.cluster_ids
    ).all()
    labels = [entry["label"] for entry in data["classes"]]
    truth = [None if c == NO_CLUSTER else labels[c] for c in _array(data["class"], "<u2")]
    assert truth == list(shown.truth)
    assert [spot["row"] for spot in data["spots"]] == [spot.row for spot in shown.spots]


def test_the_map_links_to_every_file_and_has_the_pictures_of_other_points(
    full: ReportContents,
) -> None:
    shown = full.map
    assert shown is not None
    links = tuple(quote(os.fsencode(path)) for path in shown.paths)
    spots = {spot.row for spot in shown.spots}
    hover = tuple(MapPicture(i, picture("x", i)) for i in range(len(links)) if i not in spots)
    data = map_data(replace(shown, links=links, hover=hover), [(3, None)], ["fox"])
    folder = _array(data["folder"], "<u2")
    found = [
        data["links"][at] + quote(os.fsencode(name))
        for at, name in zip(folder, data["names"], strict=True)
    ]
    assert found == list(links)
    assert data["hasAll"]
    assert {one["row"] for one in data["spots"] + data["hover"]} == set(range(len(links)))
    alone = map_data(shown, [(3, None)], ["fox"])
    assert alone["links"] is None
    assert not alone["hasAll"]


def test_ten_thousand_points_take_half_a_megabyte() -> None:
    shown = contents(sizes=(30, 20), spots=0, paths=()).map
    assert shown is not None
    n = 10_000
    rows = np.arange(n) % len(shown.xy)
    large = replace(
        shown,
        xy=shown.xy[rows],
        cluster_ids=shown.cluster_ids[rows],
        paths=tuple(f"photos/2026/station {i % 40:02}/IMG_{i:05}.JPG" for i in range(n)),
        truth=tuple("fox" for _ in range(n)),
    )
    large = replace(large, links=tuple(map(quote, large.paths)))
    text = json.dumps(map_data(large, [(3, None), (4, None)], ["fox"]))
    assert len(text) < 500_000


def test_a_class_has_the_same_colour_on_the_map_and_in_the_bars(
    full: ReportContents, page: Page
) -> None:
    bars = dict(re.findall(r'--tint:var\((--t\d+)\)" title="([^:]+):', render(full)))
    tints = {entry["tint"]: entry["label"] for entry in page.map["classes"]}
    assert bars.items() <= tints.items()
    assert classes_of(full)[0] in bars.values()


# Charts ----------------------------------------------------------------------------------------


def test_a_silhouette_bar_is_sorted_and_keeps_its_ends_when_thinned() -> None:
    shown = contents(sizes=(3_000, 40), unassigned=0, pictures=0, spots=0)
    assert shown.silhouette is not None
    found = charts.silhouette_chart(shown.silhouette, shown.cluster_ids, [4, 3], height=300)
    assert [bar.cluster_id for bar in found.bars] == [4, 3]
    assert found.is_thinned
    for bar in found.bars:
        own = shown.silhouette.values[shown.cluster_ids[shown.silhouette.rows] == bar.cluster_id]
        assert bar.scored == len(own)
        assert (bar.values[0], bar.values[-1]) == (own.max(), own.min())
        assert (np.diff(bar.values) <= 0).all()
        assert np.isin(bar.values, own).all()
    assert 0 <= found.zero_at <= found.mean_at <= 100


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_are_round_and_cover_what_is_shown(low: float, span: float) -> None:
    ticks = charts.nice_ticks(low, low + span)
    steps = np.diff(ticks)
    assert 2 <= len(ticks) <= 12
    # Rounding of a millionth of the axis cannot be seen.
    assert ticks[0] <= low + 1e-6 * max(1, abs(low), span)
    assert ticks[-1] >= low + span - 1e-6 * max(1, abs(low + span), span)
    assert np.allclose(steps, steps[0], rtol=1e-3, atol=1e-9)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20).filter(any))
def test_the_parts_of_a_cluster_are_all_of_it(counts: list[int]) -> None:
    found = charts.pie_slices(np.array(counts))
    assert sum(part.count for part in found) == sum(counts)
    assert sum(part.share for part in found) == pytest.approx(1)
    named = [part for part in found if part.class_ is not None]
    assert all(part.count == counts[part.class_] for part in named if part.class_ is not None)
    assert [p.count for p in named] == sorted(counts, reverse=True)[: len(named)]
    assert len(found) <= 7


def test_what_is_matched_stands_on_the_diagonal(full: ReportContents) -> None:
    found = matrix_of(full, cluster_names(full))
    assert found is not None
    assert full.truth is not None
    on = [
        (y, x)
        for y, (_, _, cells) in enumerate(found.rows)
        for x, c in enumerate(cells)
        if c.is_matched
    ]
    assert on == [(i, i) for i in range(4)]
    total = sum(cell.count for _, _, cells in found.rows for cell in cells)
    assert total == full.truth.n_labelled


def test_many_clusters_and_classes_are_cut_with_a_word() -> None:
    shown = contents(sizes=(12,) * 70, classes=[f"class {i}" for i in range(80)], pictures=1)
    found = Page(render(shown))
    assert "The 60 largest of 70 clusters are shown." in found.text
    assert "20 smaller classes are left out" in found.text
    assert "There are too many classes for numbers here" in found.text
    assert len([i for i in found.ids if i.startswith("cluster-")]) == 70


def test_the_colours_can_be_seen_and_the_signs_told_apart() -> None:
    for tint in (*palette.cluster_tints(), *palette.class_tints()):
        assert palette.contrast(tint.on_paper, palette.PAPER) >= 3
        assert palette.contrast(tint.on_night, palette.NIGHT) >= 3
    for ground in (palette.PAPER, palette.NIGHT):
        assert palette.contrast(palette.NEUTRAL, ground) >= 3
    assert palette.contrast("#000000", "#ffffff") == pytest.approx(21)
    signs = [palette.cluster_sign(rank) for rank in range(120)]
    assert len(set(signs)) == 120
    for at in ("on_paper", "on_night"):
        assert len({getattr(palette.cluster_tints()[s.tint], at) for s in signs[:24]}) == 24
    assert len(palette.MARKERS) == len(palette.SHAPES)


def test_the_grounds_of_the_page_are_those_that_colours_are_made_for(page: Page) -> None:
    style = page.code["style"]
    assert re.findall(r"--paper: (#\w+);", style) == [palette.PAPER, palette.NIGHT]
    assert re.findall(r"--neutral: (#\w+);", style) == [palette.NEUTRAL]


@pytest.mark.parametrize("ks", [range(2, 60), [2, 3, 5, 8, 90, 100, 120, 1500, 9000]])
def test_tick_labels_do_not_touch(ks: Sequence[int]) -> None:
    tried = [Candidate(k, 0.5 / k, 12_345_678 / k) for k in ks]
    found = charts.line_chart(tried, [c.inertia for c in tried], digits=1)
    assert found is not None
    # At the largest size of text, 18 of the chart's units, a digit is 10.4 wide.
    ends = [(t.at - 5.2 * len(t.text), t.at + 5.2 * len(t.text)) for t in found.x_ticks]
    assert all(right + 8 <= left for (_, right), (left, _) in pairwise(ends))
    assert all(len(tick.text) * 10.4 <= found.left for tick in found.y_ticks)
    assert all(a.at - b.at >= 24 for a, b in pairwise(found.y_ticks))
    assert len(found.x_ticks) >= 4


def test_a_picture_is_there_as_it_was_given(full: ReportContents, page: Page) -> None:
    sources = {a["src"] for a in page.all("img")}
    first = full.sheets[3].typical[0]
    assert "data:image/jpeg;base64," + base64.b64encode(first.jpeg).decode() in sources
    assert picture("a.jpg", 1).jpeg != picture("a.jpg", 2).jpeg
