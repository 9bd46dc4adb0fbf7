"""Published experiments on real photos, each table with the command that made it.

    python -m benchmarks.recipes --photos PHOTOS --libraries FOLDER [RECIPE ...]

PHOTOS holds the sets wildcats, catsdogs, caltech-objects6 and caltech20, one folder per class. Real
MobileNetV2, and SqueezeNet where a recipe compares networks, replace the networks whose weights are
missing. Libraries are kept in FOLDER: finished runs are not repeated, so a table can be printed
again. Prints each table, or writes it to recipe-NAME.txt in the folder given by --results.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

_SETS = {
    "vgg16-kmeans": ("wildcats",),
    "raw-vs-resnet50": ("catsdogs",),
    "cnn-architectures": ("caltech-objects6",),
    "resnet50-tsne": ("catsdogs",),
    "feature-weak-relevant": ("caltech-objects6", "caltech20"),
}
_SUBSTITUTES = {
    "vgg16-kmeans": "mobilenet_v2",
    "raw-vs-resnet50": "mobilenet_v2",
    "cnn-architectures": "mobilenet_v2,torchvision:squeezenet1_1@features",
    "resnet50-tsne": "mobilenet_v2",
}


def main() -> None:
    """Run the recipes, one after the other."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as name:
        libraries = (arguments.libraries or Path(name)).resolve()
        for recipe in arguments.recipes or list(_SETS):
            tables = []
            for photos in _SETS[recipe]:
                tables.append(_table(recipe, photos, arguments.photos, libraries / photos))
                if arguments.results is None:
                    print(tables[-1], flush=True)
                else:
                    file = arguments.results / f"recipe-{recipe}.txt"
                    file.write_text("\n".join(tables), encoding="utf-8")


def _table(recipe: str, photos: str, folder: Path, library: Path) -> str:
    """The commands and their output, as in the folder of the photos."""
    ingest = ["ingest", photos, "--embedder", "raw"]
    typed = ["compare", "--recipe", recipe]
    if recipe in _SUBSTITUTES:
        typed += ["--substitute", _SUBSTITUTES[recipe]]
    library.mkdir(parents=True, exist_ok=True)
    _typed(ingest, folder, library)
    shown = _typed(typed, folder, library)
    lines = [line.rstrip() for line in shown.splitlines()]
    printed = [f"$ organizer {' '.join(ingest)}", f"$ organizer {' '.join(typed)}", *lines]
    return "\n".join(printed) + "\n"


def _typed(typed: list[str], folder: Path, library: Path) -> str:
    command = [sys.executable, "-m", "organizer", *typed, "--library", str(library)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 3}:
        raise SystemExit(done.stderr)
    # Notes about earlier runs depend on this machine, not on the table.
    notes = [line for line in done.stderr.splitlines() if not re.search(r"\bruns? done, ", line)]
    return done.stdout + "".join(f"{line}\n" for line in notes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("recipes", nargs="*", metavar="RECIPE")
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--libraries", type=Path)
    parser.add_argument("--results", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
