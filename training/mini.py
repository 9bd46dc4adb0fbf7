r"""Trains organizer-mini.

    python -m training.mini pack PHOTOS --work DIR          photos into one file
    python -m training.mini teach --work DIR --weights mobilenet_v2.pth --turns 12 \
        --mixed 4
    python -m training.mini learn --work DIR --weights mobilenet_v2.pth --side 64 --until 2000 \
        --cut 0.5 --shake
    python -m training.mini learn --work DIR --weights mobilenet_v2.pth --side 80 --until 2800 \
        --cut 0.4 --shake --from mini --name done --decay
    python -m training.mini export --work DIR --name done   into the package

Each step resumes where it was stopped. `learn` resumes from its checkpoint until so many thousand
crops in all, or for some --minutes. Its learning rate is constant until a run with --decay; further
training starts from the checkpoint before that. A processor with bfloat16 units is enough; --device
cuda was never tried. By 1.5 million crops the network overfitted without --cut and --shake; --mixed
blends other photos over the crops. Without a checkpoint, training can start from the weights that
come with organizer: `learn --from packed`.
"""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

from organizer.embed import mini


def main() -> None:
    """Run one step."""
    options = _parser().parse_args()
    options.run(options)


def _pack(options: argparse.Namespace) -> None:
    from training.photos import pack

    print(f"{pack(options.photos, options.work)} photos in {options.work}")


def _teach(options: argparse.Namespace) -> None:
    from training.teacher import teach

    teach(
        options.work,
        options.weights,
        turns=options.turns,
        mixed=options.mixed,
        device=options.device,
    )


def _learn(options: argparse.Namespace) -> None:
    from training.batches import Recipe
    from training.learn import Learner, Stage

    learner = Learner(
        options.work, options.weights,
        name=options.name, rate=options.rate, device=options.device, threads=options.threads,
        start=options.start,
    )  # fmt: skip
    stage = Stage(options.side, options.until * 1000, options.minutes, decays=options.decay)
    recipe = Recipe(
        options.side,
        size=options.batch, cut=options.cut, shake=options.shake, seed=learner.step,
    )  # fmt: skip
    learner.run(stage, recipe)


def _export(options: argparse.Namespace) -> None:
    from training.export import export

    sha256 = export(options.work / f"{options.name}.pt", options.work, options.to)
    module = Path(mini.__file__)
    if options.to == mini.WEIGHTS:
        text = re.sub(
            r'^SHA256 = ".*"$', f'SHA256 = "{sha256}"', module.read_text(), flags=re.MULTILINE
        )
        module.write_text(text)
    print(f"{options.to}: {options.to.stat().st_size / 1e6:.2f} MB, SHA-256 {sha256}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    steps = parser.add_subparsers(required=True)
    added = {}
    for run in (_pack, _teach, _learn, _export):
        step = added[run.__name__] = steps.add_parser(run.__name__.removeprefix("_"))
        step.set_defaults(run=run)
        step.add_argument("--work", type=Path, required=True, help="working folder")
    added["_pack"].add_argument("photos", type=Path, help="folder of photos")
    for name in ("_teach", "_learn"):
        added[name].add_argument(
            "--weights", type=Path, required=True, help="the teacher's weights"
        )
        added[name].add_argument("--device", default="cpu", help="cpu or cuda")
    added["_teach"].add_argument("--turns", type=int, default=4, help="crops of each photo")
    added["_teach"].add_argument(
        "--mixed", type=int, default=0, help="crops with another's blended over"
    )
    added["_learn"].add_argument("--side", type=int, required=True, help="pixels of the crops")
    added["_learn"].add_argument("--until", type=int, required=True, help="thousands of crops")
    added["_learn"].add_argument(
        "--minutes", type=float, default=math.inf, help="the longest duration"
    )
    added["_learn"].add_argument("--decay", action="store_true", help="let the rate fall to zero")
    added["_learn"].add_argument("--from", dest="start", default="", help="checkpoint, or packed")
    added["_learn"].add_argument("--rate", type=float, default=2e-3, help="learning rate")
    added["_learn"].add_argument("--batch", type=int, default=64, help="crops per batch")
    added["_learn"].add_argument(
        "--cut", type=float, default=0.0, help="share of batches with CutMix"
    )
    added["_learn"].add_argument("--shake", action="store_true", help="move and recolour crops")
    added["_learn"].add_argument("--threads", type=int, default=0, help="0: the fastest number")
    for name in ("_learn", "_export"):
        added[name].add_argument("--name", default="mini", help="name of the checkpoint")
    added["_export"].add_argument("--to", type=Path, default=mini.WEIGHTS, help="the packed file")
    return parser


if __name__ == "__main__":
    main()
