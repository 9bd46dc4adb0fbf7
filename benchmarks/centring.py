"""The effect of centring vectors by camera and by light on clusters.

    python -m benchmarks.centring --photos CAMERATRAP --classes WILDCATS --embedder mobilenet_v2

CAMERATRAP is a folder of STATION/SPECIES/photos; the camera is the one in the photos' metadata (two
stations have the same model), or the station. CLASSES is a folder of CLASS/photos that no camera
trap took: cameras are SIMULATED by pasting each photo, small, somewhere into the scene of one of
four cameras, with its tint and vignette, half of them in the grey of infrared. Every class is
spread evenly over the cameras, or two thirds of each are at one camera (which centring cannot
separate from the camera).

For each: NMI of the clusters with the class, the camera and the light, at the true k and at the
chosen k. A new camera: photos of three cameras are clustered and those of the fourth are assigned
in an ingest; the shares of these that are unassigned, and that are in a cluster of their class.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import normalized_mutual_info_score

from organizer.library import Library
from organizer.library.clustering.cluster_count import K
from organizer.library.images.capture import read_capture_info
from organizer.settings import load_settings
from organizer.store import FileRow
from organizer.types import NOISE, Labels

CAMERAS = 4
WAYS = (None, "camera", "night", "camera,night")
_SIDE, _ANIMAL = 224, 110
_TINTS = ((1.0, 1.0, 1.0), (1.2, 0.95, 0.75), (0.8, 1.0, 1.2), (0.9, 1.15, 0.8))


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    if arguments.photos:
        for template in (None, "{site}/..."):
            what = "stations are the cameras" if template else "cameras from metadata"
            print(f"real photos: {arguments.photos.name}, {what}, {arguments.embedder}")
            _measured([arguments.photos], arguments.embedder, template)
    if arguments.classes is None:
        return
    for own in (False, True):
        kind = "two thirds of each class before one camera" if own else "every class everywhere"
        print(f"SIMULATED cameras: {arguments.classes.name}, {kind}, {arguments.embedder}")
        with tempfile.TemporaryDirectory() as name:
            folders = taken(arguments.classes, Path(name), each=arguments.each, own=own)
            _measured(folders, arguments.embedder)
            if not own:
                _joined(folders, arguments.embedder)


def _measured(folders: Sequence[Path], embedder: str, template: str | None = None) -> None:
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        with Library.open_or_create(base, load_settings()) as library:
            library.ingest(folders, embedder=embedder)
            library.deployments.set_template(template)
            files = library.store.photos.files_of()
        count = _count(files)
        for reduce in ("smooth", "none"):
            for way in WAYS:
                cells = [_cell(base, reduce, way, k) for k in (count, "auto")]
                print(f"  {reduce:<7} {way or 'as it is':<13} {'  '.join(cells)}", flush=True)


def _cell(base: Path, reduce: str, way: str | None, k: K) -> str:
    """Cluster a copy: a second clustering of one library would start from the first."""
    with (
        tempfile.TemporaryDirectory() as name,
        Library.open(copied(base, Path(name)), load_settings()) as library,
    ):
        library.recluster(k=k, reduce=reduce, center=way)
        image_ids, labels = _members(library)
        files = library.store.photos.files_of(image_ids)
        how = read_capture_info(library.store, image_ids, settings=library.settings)
    classes = [files[image_id][0].file.parent.name for image_id in image_ids]
    truths = (classes, [camera or "" for camera in how.cameras], how.infrared)
    scores = [normalized_mutual_info_score(truth, labels) for truth in truths]
    shown = ", ".join(
        f"{name} {score:.3f}"
        for name, score in zip(("class", "camera", "light"), scores, strict=True)
    )
    return f"k = {len(np.unique(labels)):<2} {shown}"


def _joined(folders: Sequence[Path], embedder: str) -> None:
    """Assign photos of a camera that was not clustered."""
    for way in (None, "camera"):
        with (
            tempfile.TemporaryDirectory() as name,
            Library.open_or_create(Path(name), load_settings()) as library,
        ):
            library.ingest(folders[:-1], embedder=embedder)
            files = library.store.photos.files_of()
            library.recluster(k=_count(files), center=way)
            before = set(files)
            library.ingest([folders[-1]])
            image_ids, labels = _members(library)
            files = library.store.photos.files_of()
        classes = np.array([files[image_id][0].file.parent.name for image_id in image_ids])
        new = np.array([image_id not in before for image_id in image_ids])
        most = {
            label: _most(classes[~new & (labels == label)]) for label in np.unique(labels[~new])
        }
        right = [
            most.get(label) == name for label, name in zip(labels[new], classes[new], strict=True)
        ]
        print(
            f"  a new camera, {way or 'as it is':<9}: "
            f"unassigned {np.mean(labels[new] == NOISE):.0%}, "
            f"in a cluster of its class {np.mean(right):.0%}",
            flush=True,
        )


def taken(classes: Path, to: Path, *, each: int, own: bool) -> list[Path]:
    """Photos as if taken by several cameras, one folder per camera.

    Args:
        classes: A folder of CLASS/photos.
        to: Where to write them.
        each: How many of each class.
        own: Whether two thirds of a class are at one camera.
    """
    draw = np.random.default_rng(0)
    for number, folder in enumerate(sorted(p for p in classes.iterdir() if p.is_dir())):
        files = sorted(p for p in folder.iterdir() if p.is_file())
        for file in draw.permutation(np.array(files, dtype=object))[:each]:
            camera = int(draw.integers(CAMERAS))
            if own and draw.random() < 2 / 3:
                camera = number % CAMERAS
            _photograph(file, to, camera, infrared=bool(draw.random() < 0.5), draw=draw)
    return sorted(to.iterdir())


def _photograph(
    file: Path, to: Path, camera: int, *, infrared: bool, draw: np.random.Generator
) -> None:
    with Image.open(file) as image:
        animal = np.asarray(image.convert("RGB").resize((_ANIMAL, _ANIMAL)), dtype=np.float64)
    pixels = _scene(camera) * draw.uniform(0.85, 1.15)
    y, x = draw.integers(0, _SIDE - _ANIMAL, 2)
    place = np.s_[y : y + _ANIMAL, x : x + _ANIMAL]
    mask = _faded()
    pixels[place] = mask * animal + (1 - mask) * pixels[place]
    pixels *= _TINTS[camera]
    if infrared:
        pixels = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2) * 0.7
    pixels *= _vignette(camera)
    pixels[-14:] = 20 + 60 * camera  # the bar in which cameras print time and temperature
    pixels += draw.normal(0, 4, pixels.shape[:2])[:, :, None]
    folder = to / f"camera {camera}" / file.parent.name
    folder.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0110] = f"camera {camera}"  # Model
    taken = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    taken.save(folder / f"{file.stem}.jpg", quality=92, exif=exif)


def _scene(camera: int) -> NDArray[np.float64]:
    """The scene of a camera: noise at several scales, with its own colours and grain."""
    draw = np.random.default_rng(camera)
    scene = np.zeros((_SIDE, _SIDE, 3)) + draw.uniform(60, 150, 3)
    for cells in (3, 7, 14, 28 * (1 + camera % 2), 56 * (1 + camera // 2)):
        coarse = np.clip(128 + draw.normal(0, 42, (cells, cells, 3)), 0, 255).astype(np.uint8)
        layer = Image.fromarray(coarse).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        scene += np.asarray(layer, dtype=np.float64) - 128
    return scene


def _faded() -> NDArray[np.float64]:
    """An ellipse with soft edges."""
    y, x = np.mgrid[-1 : 1 : _ANIMAL * 1j, -1 : 1 : _ANIMAL * 1j]
    return np.asarray(np.clip(4 * (1 - np.hypot(x, y)), 0, 1))[:, :, None]


def _vignette(camera: int) -> NDArray[np.float64]:
    y, x = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    shift = 0.3 * camera
    return np.asarray(1 - 0.06 * camera * ((x - shift) ** 2 + (y + shift) ** 2))[:, :, None]


def copied(base: Path, to: Path) -> Path:
    """A copy of the library in a folder."""
    return Path(shutil.copytree(base, to / "copy"))


def _members(library: Library) -> tuple[list[str], Labels]:
    current = library.store.clusterings.current()
    assert current is not None
    members = library.store.clusterings.assignments(current.clustering_id)
    order = np.argsort(members.image_ids)
    return members.image_ids[order].tolist(), members.cluster_ids[order]


def _count(files: Mapping[str, Sequence[FileRow]]) -> int:
    return len({rows[0].file.parent.name for rows in files.values()})


def _most(names: NDArray[np.str_]) -> str:
    found, counts = np.unique(names, return_counts=True)
    return str(found[counts.argmax()])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--photos", type=Path, help="camera-trap photos: STATION/SPECIES/FILE")
    parser.add_argument("--classes", type=Path, help="labelled photos: CLASS/FILE")
    parser.add_argument("--embedder", default="mobilenet_v2")
    parser.add_argument("--each", type=int, default=60, help="at most so many of each class")
    return parser.parse_args()


if __name__ == "__main__":
    main()
