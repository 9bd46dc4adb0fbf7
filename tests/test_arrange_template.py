"""The user's templates: what they make, and what they may not."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from organizer.arrange import FIELDS, ArrangeItem, FolderTemplate, TemplateField
from organizer.arrange.template import RenderedTarget, distinct_clusters, values_of
from organizer.errors import SettingsError

TAKEN = datetime(2024, 5, 31, 6, 7, 8)  # noqa: DTZ001 - as a camera's clock says it


def rendered(text: str, **fields: str | int | datetime | None) -> RenderedTarget:
    item = ArrangeItem("0" * 32, Path("/photos/card 1/IMG_1.JPG"), 1, 2, "2024/card 1", 3, fields)
    return FolderTemplate.parse(text).render(values_of(item, distinct_clusters([item])))


@pytest.mark.parametrize(
    ("text", "folders", "stem", "depth"),
    [
        ("{cluster_name}/{camera}/{taken_at:%Y-%m-%d}_{stem}", ["fox", "A/B"],
         "2024-05-31_IMG_1", 1),
        ("{taken_at:%Y/%m}/{cluster:03}-{cluster_name}/{stem}", ["2024", "05", "003-fox"],
         "IMG_1", 3),
        ("{below}/{cluster_name}/{stem}", ["2024", "card 1", "fox"], "IMG_1", 3),
        ("{folder}/{stem}", ["card 1"], "IMG_1", 0),
        ("{cluster_name}/", ["fox"], "IMG_1", 1),
        ("{cluster_name}/{name}", ["fox"], "IMG_1", 1),
        ("{cluster_name}/{stem}.{suffix}", ["fox"], "IMG_1", 1),
        ("{suffix}/{suffix}_{stem}", ["JPG"], "JPG_IMG_1", 0),
        ("{cluster_name}\\{stem}", ["fox"], "IMG_1", 1),
        ("./a//{stem}", ["a"], "IMG_1", 0),
        ("{{{stem}}}", [], "{IMG_1}", 0),
        ("{taken_at}", [], "2024-05-31_06-07-08", 0),
        ("{cluster_name}_{stem}", [], "fox_IMG_1", 0),
        ("", [], "IMG_1", 0),
    ],
)  # fmt: skip
def test_a_template_makes_folders_and_a_name(
    text: str, folders: list[str], stem: str, depth: int
) -> None:
    made = rendered(text, cluster_name="fox", camera="A/B", taken_at=TAKEN)
    assert (list(made.folders), made.stem, made.cluster_depth) == (folders, stem, depth)


def test_what_is_not_known_has_a_word() -> None:
    made = rendered("{camera}/{taken_at:%Y/%m}/{event:%H}/{deployment:>9}/{stem}", camera="")
    assert list(made.folders) == ["no camera", "no time", "no event", "no deployment"]
    nobody = ArrangeItem("0" * 32, Path("/a/b.jpg"), 1, 2)
    template = FolderTemplate.parse("{cluster:03}/{cluster_name}/{below}/{stem}")
    made = template.render(values_of(nobody, distinct_clusters([nobody])))
    assert list(made.folders) == ["unsure", "unsure"]


def test_photos_in_no_cluster_may_have_a_folder_of_another_name() -> None:
    words: dict[str, str | int | None] = {"cluster": "empty", "cluster_name": "empty"}
    empty = ArrangeItem("0" * 32, Path("/a/b.jpg"), 1, 2, fields=words)
    unassigned = ArrangeItem("1" * 32, Path("/a/c.jpg"), 1, 2)
    named = ArrangeItem("2" * 32, Path("/a/d.jpg"), 1, 2, "", 7, {"cluster_name": "Empty"})
    folders = distinct_clusters([empty, unassigned, named])
    assert folders == {"empty": "empty", None: "unsure", 7: "Empty (7)"}
    template = FolderTemplate.parse("{cluster:03d}/{cluster_name}/{stem}")
    made = [
        list(template.render(values_of(i, folders)).folders) for i in (empty, unassigned, named)
    ]
    assert made == [["empty", "empty"], ["unsure", "unsure"], ["007", "Empty (7)"]]


def test_the_sources_tree_can_be_kept() -> None:
    template = FolderTemplate.parse("{cluster_name}/{stem}").keeping_tree()
    item = ArrangeItem("0" * 32, Path("/p/a/b/c.jpg"), 1, 2, "a/b", 1, {"cluster_name": "fox"})
    made = template.render(values_of(item, distinct_clusters([item])))
    assert (list(made.folders), made.cluster_depth) == (["fox", "a", "b"], 1)
    assert template.keeping_tree() == template


def test_an_unknown_field_is_refused_with_the_nearest_and_all_others() -> None:
    with pytest.raises(SettingsError, match=r"no field \{cluster_nam\}") as refused:
        FolderTemplate.parse("{cluster_nam}/{stem}")
    assert "did you mean {cluster_name}?" in refused.value.hint
    assert all(name in refused.value.hint for name in FIELDS)
    more = {**FIELDS, "species": TemplateField("fox", "no species")}
    assert FolderTemplate.parse("{species}/{stem}", fields=more).render({}).folders == [
        "no species"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{stem", "{}", "{0}", "{stem!r}", "{stem.upper}", "{stem[0]}", "{stem:{cluster}}",
        "{camera:%Y}", "{cluster:zz}", "{below:>9}", "../{stem}", "a/../{stem}", "a/ .. /{stem}",
        "/etc/{stem}", "\\{stem}", "{taken_at:%Y/../%m}/{stem}", "..", "\udcff/{stem}",
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        FolderTemplate.parse(text)


def test_two_clusters_of_one_name_have_two_folders() -> None:
    names = {1: "fox", 2: "Fox", 3: "fo:x", 4: "fo/x", 5: "badger", 6: "unsure", None: None}
    items = [
        ArrangeItem("0" * 32, Path(f"/p/{i}.jpg"), 1, 2, "", i, {"cluster_name": name})
        for i, name in names.items()
    ]
    assert distinct_clusters(items) == {
        1: "fox (1)", 2: "Fox (2)", 3: "fo:x (3)", 4: "fo/x (4)", 5: "badger", 6: "unsure (6)",
        None: "unsure",
    }  # fmt: skip
