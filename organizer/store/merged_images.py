"""Two images become one: all that is kept by the id of one is kept by that of the other.

Only images of format 6 and older need it: there a photo was another image once a keyword had been
written into it. What a person decided of either is what was decided of the one image, in the order
in which it was decided, so that the later decision holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from organizer.store.database import Database
from organizer.store.decisions import DecisionTable
from organizer.store.former_folders import FormerFolders
from organizer.store.ids import pack_ids
from organizer.store.member_changes import MemberChanges
from organizer.store.schemas import CROPS, DETECTED, FILES, IMAGES
from organizer.types import FileState

_MODES = ("modes", "made_modes", "former_modes")


class MergedImages:
    """Which images of one library became one with another image."""

    def __init__(
        self, database: Database, *, decisions: DecisionTable, former_folders: FormerFolders
    ) -> None:
        self._database, self._journal = database, database.journal
        self._decisions, self._former_folders = decisions, former_folders

    def now(self) -> dict[str, str]:
        """The images that are no more, each with the image that it became."""
        rows = self._journal.rows("SELECT image_id, now FROM former_ids")
        return {row["image_id"]: row["now"] for row in rows}

    def of(self, image_id: str) -> str:
        """The image that an image is now: itself, unless it became one with another."""
        rows = self._journal.rows("SELECT now FROM former_ids WHERE image_id = ?", [image_id])
        return next((str(row["now"]) for row in rows), image_id)

    def merge(self, kept_by: Mapping[str, str]) -> None:
        """Make images part of others, in one transaction.

        Args:
            kept_by: By each image that goes, the one that stays, which does not go itself.
        """
        if not kept_by:
            return
        with self._database.transaction():
            self._merge_files(kept_by)
            self._merge_facts(kept_by)
            self._merge_vectors(kept_by)
            self._merge_detections(kept_by)
            self._leave_clusters(kept_by)
            self._rewrite_decisions(kept_by)
            self._former_folders.rename(kept_by)
            for gone, kept in kept_by.items():
                self._journal.execute("UPDATE former_ids SET now = ? WHERE now = ?", [kept, gone])
            rows = [{"image_id": gone, "now": kept} for gone, kept in kept_by.items()]
            self._journal.insert("former_ids", rows, known="replace")
        self._decisions.forget()

    # ---------------------------------------------------------------------------------------

    def _rows(self, name: str, ids: Any, columns: list[str]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._database.read_by_id(
            name, "image_id", ids, columns
        ).to_pylist()
        return rows

    def _merge_files(self, kept_by: Mapping[str, str]) -> None:
        rows = self._rows("files", {*kept_by, *kept_by.values()}, FILES.names)
        rows.sort(key=lambda row: row["state"] == FileState.PRESENT)  # the last counts
        held = {
            (row["path_id"], kept_by.get(row["image_id"], row["image_id"])): row for row in rows
        }
        mine = [
            {**row, "image_id": kept}
            for (_, kept), row in held.items()
            if row["image_id"] in kept_by
        ]
        self._database.delete_by_id("files", "image_id", kept_by)
        table = pa.Table.from_pylist(mine, schema=FILES)
        self._database.upsert("files", ("path_id", "image_id"), table)

    def _merge_facts(self, kept_by: Mapping[str, str]) -> None:
        """What was read of a file counts, or else what is known of the image that stays."""
        rows = self._rows("images", {*kept_by, *kept_by.values()}, IMAGES.names)
        facts = {row["image_id"]: row for row in rows}
        changed = [
            {**facts[gone], "image_id": kept}
            for gone, kept in kept_by.items()
            if gone in facts
            and facts[gone]["picture_hash"]
            and not facts.get(kept, {}).get("picture_hash")
        ]
        self._database.delete_by_id("images", "image_id", kept_by)
        table = pa.Table.from_pylist(changed, schema=IMAGES)
        self._database.upsert("images", ["image_id"], table)

    def _merge_vectors(self, kept_by: Mapping[str, str]) -> None:
        """The vectors of those that go, where the others have none."""
        for name in self._database.names():
            if not name.startswith(("vectors_", "points_")):
                continue
            ids = {*kept_by, *kept_by.values()}
            rows = self._database.read_by_id(name, "image_id", ids)
            known = set(rows["image_id"].to_pylist())
            more = {gone: kept for gone, kept in kept_by.items() if gone in known - {kept}}
            more = {gone: kept for gone, kept in more.items() if kept not in known}
            if more:
                taken = rows.filter(pa.array([i in more for i in rows["image_id"].to_pylist()]))
                ids_now = pa.array([more[i] for i in taken["image_id"].to_pylist()], pa.string())
                place = taken.column_names.index("image_id")
                self._database.append(name, taken.set_column(place, "image_id", ids_now))
            if known & kept_by.keys():
                self._database.delete_by_id(name, "image_id", kept_by)

    def _merge_detections(self, kept_by: Mapping[str, str]) -> None:
        rows = self._rows("detected", {*kept_by, *kept_by.values()}, DETECTED.names)
        known = {row["image_id"] for row in rows}
        moved = [
            {**row, "image_id": kept_by[row["image_id"]]}
            for row in rows
            if row["image_id"] in kept_by and kept_by[row["image_id"]] not in known
        ]
        if known & kept_by.keys():
            self._database.delete_by_id("detected", "image_id", kept_by)
            self._database.append("detected", pa.Table.from_pylist(moved, schema=DETECTED))
        crops = self._rows("crops", kept_by, CROPS.names)
        if crops:
            self._database.delete_by_id("crops", "image_id", kept_by)
            rows = [{**row, "image_id": kept_by[row["image_id"]]} for row in crops]
            self._database.append("crops", pa.Table.from_pylist(rows, schema=CROPS))

    def _leave_clusters(self, kept_by: Mapping[str, str]) -> None:
        """Remove members of every base; the sums of the current one are its caller's."""
        for name in self._database.names():
            if name.startswith("assignments_"):
                ids = self._database.read_by_id(name, "image_id", kept_by, ["image_id"])
                if len(ids):
                    self._database.delete_by_id(name, "image_id", kept_by)
        MemberChanges(self._journal).forget(pack_ids(list(kept_by)))
        for gone, kept in kept_by.items():
            for table in _MODES:
                query = f"UPDATE {table} SET medoid = ? WHERE medoid = ?"  # noqa: S608
                self._journal.execute(query, [kept, gone])
            self._journal.execute(
                "UPDATE answers SET image_id = ? WHERE image_id = ?", [kept, gone]
            )

    def _rewrite_decisions(self, kept_by: Mapping[str, str]) -> None:
        for row in self._journal.rows("SELECT decision_id, image_ids, groups FROM decisions"):
            ids: list[str] = json.loads(row["image_ids"])
            if kept_by.keys().isdisjoint(ids):
                continue
            groups = json.loads(row["groups"])
            now = [kept_by.get(image_id, image_id) for image_id in ids]
            first = sorted(np.unique(np.array(now, dtype=object), return_index=True)[1].tolist())
            if groups:
                groups = [groups[place] for place in first]
            self._journal.execute(
                "UPDATE decisions SET image_ids = ?, groups = ? WHERE decision_id = ?",
                [json.dumps([now[p] for p in first]), json.dumps(groups), row["decision_id"]],
            )
