"""How well copies of photos are found, beside other programs, and what it takes.

    python -m benchmarks.duplicates make WORK FOLDER... [--copied N] [--most N] [--without NAME...]
    python -m benchmarks.duplicates crowd WORK COUNT
    python -m benchmarks.duplicates measure WORK
    python -m benchmarks.duplicates many WORK COUNT

`make` copies photos to WORK/photos, edits some of them in each way, and ingests all of it with two
embedders; `measure` compares what is found with what was made. Folders whose photos are copies of
one another by nature are named with ``--without``: of others every pair that was not made counts as
false. `crowd` fills the set up to COUNT files with parts of the originals that are copies of none:
the four quarters and the middle of each, as photos of their own; a copy that was cut lacks a fifth
of its edges at most. Parts that show next to nothing, as a sky or a white ground, are left out,
since those are alike. The CNN is left out where its vectors are not there. `many` writes COUNT
miniatures and vectors, those of WORK/photos varied, into a library, and measures the search alone.

The peers: PHash is imagededup's (64 bit of a discrete cosine transform, distance up to 10, its
default). CNN is imagededup's rule (cosine of pooled features from .9) on MobileNetV2, as the
weights of its own network were not at hand. czkawka's defaults are its documented ones (gradient
hash of 16 x 16, distance up to 5), computed with imagehash; and the same hash with the distance up
to 40, the loosest that its window offers. They read the files; organizer reads what the ingest
kept.
"""

from __future__ import annotations

import argparse
import itertools
import random
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from organizer.library import Library
from organizer.library.duplicates.find import DuplicateOptions
from organizer.library.duplicates.report import DuplicateKind
from organizer.settings import Settings, load_settings
from organizer.types import EmbeddingBatch, ImageFacts, ImageRef, PartSpec, ProcessedFile

_CNN = "mobilenet_v2"
_LEAST_DEVIATION = 20
"""Standard deviation of the grey values, 0 to 255, from which a part of a photo shows something."""
Edit = Callable[[Image.Image, random.Random], Image.Image]


def _cut(share: float) -> Edit:
    def cut(image: Image.Image, draw: random.Random) -> Image.Image:
        width, height = image.size
        across, down = int(width * share), int(height * share)
        x, y = draw.randint(0, across), draw.randint(0, down)
        return image.crop((x, y, width - across + x, height - down + y))

    return cut


def _light(image: Image.Image, draw: random.Random) -> Image.Image:
    lit = ImageEnhance.Brightness(image).enhance(draw.choice([0.7, 1.35]))
    return ImageEnhance.Contrast(lit).enhance(draw.choice([0.75, 1.3]))


def _text(image: Image.Image, draw: random.Random) -> Image.Image:
    del draw
    written, (width, height) = image.copy(), image.size
    place = width * 0.05, height * 0.85
    ImageDraw.Draw(written).text(place, "Copyright 2024 A. Person", fill=(255, 255, 255))
    return written


def _border(image: Image.Image, draw: random.Random) -> Image.Image:
    del draw
    return ImageOps.expand(image, max(2, round(min(image.size) * 0.04)), fill=(255, 255, 255))


EDITS: dict[str, tuple[Edit, int]] = {
    "resized": (lambda image, _: image.reduce(2), 90),
    "reencoded": (lambda image, _: image, 30),
    "crop5": (_cut(0.05), 90),
    "crop10": (_cut(0.10), 90),
    "crop20": (_cut(0.20), 90),
    "light": (_light, 90),
    "rot90": (lambda image, _: image.rotate(90, expand=True), 90),
    "text": (_text, 90),
    "border": (_border, 90),
    "grey": (lambda image, _: image.convert("L").convert("RGB"), 90),
}
"""What is done to a photo, with the quality of the JPEG."""


def make(
    work: Path,
    folders: Sequence[Path],
    *,
    copied: int,
    most: int | None,
    without: Sequence[str],
    cnn: bool,
) -> None:
    """Copy and edit photos, and ingest them."""
    draw = random.Random(2)  # noqa: S311
    files = [
        file
        for folder in folders
        for file in sorted(folder.rglob("*.jpg"))
        if file.parent.name not in without
    ]
    draw.shuffle(files)
    files = files[:most]
    photos = work / "photos"
    photos.mkdir(parents=True)
    for place, file in enumerate(files):
        name = f"{place:05}"
        shutil.copy(file, photos / f"{name}__original.jpg")
        if place < copied:
            image = Image.open(file).convert("RGB")
            for kind, (edit, quality) in EDITS.items():
                edit(image, draw).save(photos / f"{name}__{kind}.jpg", quality=quality)
    with Library.open_or_create(work, load_settings()) as library:
        library.ingest([photos])
        if cnn:
            library.ingest([photos], embedder=_CNN)


def crowd(work: Path, count: int) -> None:
    """Add parts of the originals, so that there are `count` files."""
    missing = count - len(list((work / "photos").iterdir()))
    folder = work / "crowd"
    folder.mkdir()
    for file in sorted((work / "photos").glob("*__original.jpg")):
        image = Image.open(file).convert("RGB")
        for number, part in enumerate(_parts(image)[:missing]):
            part.save(folder / f"{file.stem.partition('__')[0]}-{number}__part.jpg", quality=88)
            missing -= 1
    print(f"{missing:,} parts are missing")
    with Library.open(work, load_settings()) as library:
        library.ingest([folder])


def _parts(image: Image.Image) -> list[Image.Image]:
    """Five quarters of a photo, none a copy of another; without those that show nothing."""
    width, height = image.width // 2, image.height // 2
    corners = [(0, 0), (width, 0), (0, height), (width, height), (width // 2, height // 2)]
    parts = [image.crop((x, y, x + width, y + height)) for x, y in corners]
    return [part for part in parts if np.asarray(part.convert("L")).std() >= _LEAST_DEVIATION]


def measure(work: Path) -> None:
    """Print precision and recall of each method."""
    with Library.open(work, load_settings()) as library:
        files = sorted([*(work / "photos").iterdir(), *(work / "crowd").glob("*.jpg")])
        names = [file.stem for file in files]
        print(f"{len(files):,} photos, {len(_made(names)):,} copies made")
        kinds = "".join(f"{kind:>10}" for kind in EDITS)
        print(f"{'':34}{'precision':>10}{'recall':>8}{kinds}{'seconds':>9}")
        for method, find in _methods(library, files).items():
            started = time.monotonic()
            found = find()
            _print(method, names, found, time.monotonic() - started)


def _methods(
    library: Library, files: Sequence[Path]
) -> dict[str, Callable[[], set[tuple[int, int]]]]:
    ids_of_files = library.store.photos.images_at(files)
    place = {ids_of_files[file]: row for row, file in enumerate(files)}

    def ours() -> set[tuple[int, int]]:
        groups = library.duplicates.find(DuplicateOptions([DuplicateKind.NEAR])).groups
        rows = [sorted(place[f.image_id] for f in g.files if f.image_id in place) for g in groups]
        return {pair for group in rows for pair in itertools.combinations(group, 2)}

    def phash() -> set[tuple[int, int]]:
        from imagededup.methods import PHash

        hashes = [PHash().encode_image(str(file)) for file in files]
        bits = np.array([[int(digit, 16) for digit in one] for one in hashes], dtype=np.uint8)
        return _near_bits(np.unpackbits(bits[:, :, None], axis=2)[:, :, 4:], 10)

    def gradient(most: int) -> Callable[[], set[tuple[int, int]]]:
        def find() -> set[tuple[int, int]]:
            import imagehash

            return _near_bits(
                np.array([imagehash.dhash(Image.open(file), 16).hash for file in files]), most
            )

        return find

    def cnn() -> set[tuple[int, int]]:
        spec = next(spec for spec in library.store.vectors.specs() if spec.name == _CNN)
        ids, vectors = library.store.vectors.read(spec)
        rows = {image_id: row for row, image_id in enumerate(ids)}
        order = [rows[ids_of_files[file]] for file in files]
        unit = vectors[order] / np.linalg.norm(vectors[order], axis=1, keepdims=True)
        return _pairs(unit, lambda cosines: cosines >= 0.9)

    has_cnn = any(spec.name == _CNN for spec in library.store.vectors.specs())
    return {
        "organizer duplicates": ours,
        "PHash (imagededup), up to 10": phash,
        **({"CNN (MobileNetV2), from .9": cnn} if has_cnn else {}),
        "gradient 16x16 (czkawka), up to 5": gradient(5),
        "gradient 16x16, up to 40": gradient(40),
    }


def _near_bits(bits: NDArray[np.generic], most: int) -> set[tuple[int, int]]:
    signs = bits.reshape(len(bits), -1).astype(np.float32) * 2 - 1
    return _pairs(signs, lambda dots: (signs.shape[1] - dots) / 2 <= most)


def _pairs(
    rows: NDArray[np.float32], is_near: Callable[[NDArray[np.float32]], NDArray[np.bool_]]
) -> set[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    for start in range(0, len(rows), 512):
        near = np.argwhere(is_near(rows[start : start + 512] @ rows.T))
        found |= {(start + a, b) for a, b in near.tolist() if start + a < b}
    return found


def _made(names: Sequence[str]) -> list[tuple[int, int, str]]:
    """The copies that were made: the rows of the original and the copy, and the kind."""
    rows = {name: row for row, name in enumerate(names)}
    return [
        (rows[f"{name.partition('__')[0]}__original"], row, name.partition("__")[2])
        for name, row in rows.items()
        if name.partition("__")[2] in EDITS
    ]


def _print(method: str, names: Sequence[str], found: set[tuple[int, int]], seconds: float) -> None:
    base = [name.partition("__")[0] for name in names]
    right = sum(base[a] == base[b] for a, b in found)
    made = _made(names)
    hits = [(kind, (min(a, b), max(a, b)) in found) for a, b, kind in made]
    recall = np.mean([hit for _, hit in hits])
    by_kind = [np.mean([hit for one, hit in hits if one == kind]) for kind in EDITS]
    text = "".join(f"{value:10.3f}" for value in by_kind)
    precision = right / max(len(found), 1)
    print(f"{method:34}{precision:10.4f}{recall:8.3f}{text}{seconds:9.0f}", flush=True)


def many(work: Path, count: int) -> None:
    """Print what the search takes among many images: those of a library, varied."""
    with Library.open(work, load_settings()) as library:
        spec = library.store.vectors.specs()[0]
        ids, vectors = library.store.vectors.read(spec)
        packed = np.sort(np.array([bytes.fromhex(i) for i in ids], dtype="S16"))
        known, miniatures = library.store.miniatures.read(packed)
    rows = {image_id: row for row, image_id in enumerate(ids)}
    vectors = vectors[[rows[image_id] for image_id in known]]
    with (
        tempfile.TemporaryDirectory(dir=work) as name,
        Library.open_or_create(Path(name), Settings()) as made,
    ):
        _fill(made, spec, Path(name), vectors, miniatures, count)
        started = time.monotonic()
        report = made.duplicates.find(DuplicateOptions([DuplicateKind.NEAR]))
        seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count:,} images: {len(report.groups):,} groups, {seconds:.0f} s, peak {peak:,.0f} MB")


def _fill(
    library: Library,
    spec: PartSpec,
    folder: Path,
    vectors: NDArray[np.float32],
    miniatures: NDArray[np.uint8],
    count: int,
) -> None:
    """Write images without files: mixtures of two photos each, so that none is a copy."""
    draw = np.random.default_rng(0)
    (folder / "photos").mkdir()
    for start in range(0, count, 10_000):
        n = min(10_000, count - start)
        a, b = draw.integers(0, len(vectors), (2, n))
        share = draw.uniform(0.3, 0.7, n)[:, None].astype(np.float32)
        mixed = vectors[a] * share + vectors[b] * (1 - share)
        turned = miniatures[b].reshape(n, 32, 32)[:, ::-1].reshape(n, -1)
        minis = (miniatures[a] * share + turned * (1 - share)).astype(np.uint8)
        ids = [f"{start + row:032x}" for row in range(n)]
        with library.store.writing(), library.store.transaction():
            root = library.store.roots.root_for(folder / "photos")
            library.store.roots.write_pending()
            library.store.photos.add_images(
                [ImageFacts(i, 1, 100, 80, "JPEG", None, None, None, None) for i in ids]
            )
            files = [
                ProcessedFile(ImageRef(folder / "photos", f"{i}.jpg", 1, 1), i, file_hash=i)
                for i in ids
            ]
            library.store.photos.add_files(files, {root.folder: root.root_id})
            library.store.miniatures.append(ids, minis)
            library.store.vectors.append(spec, EmbeddingBatch(tuple(ids), mixed))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["make", "crowd", "measure", "many"])
    parser.add_argument("work", type=Path)
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--copied", type=int, default=600)
    parser.add_argument("--most", type=int, help="originals; all if not given")
    parser.add_argument("--no-cnn", action="store_true", help="leave the peer CNN out")
    parser.add_argument("--without", nargs="*", default=[])
    given = parser.parse_args()
    if given.what == "make":
        make(
            given.work,
            [*map(Path, given.rest)],
            copied=given.copied,
            most=given.most,
            without=given.without,
            cnn=not given.no_cnn,
        )
    elif given.what == "crowd":
        crowd(given.work, int(given.rest[0]))
    elif given.what == "measure":
        measure(given.work)
    else:
        many(given.work, int(given.rest[0]))


if __name__ == "__main__":
    main()
