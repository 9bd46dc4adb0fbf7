"""How organizer-mini was made; run it again to make a better one.

    python -m training.mini pack PHOTOS --work DIR          photos into one file
    python -m training.mini teach --work DIR --weights mobilenet_v2.pth --turns 4
    python -m training.mini learn --work DIR --weights mobilenet_v2.pth --stages 300x64,100x96xdecay
    python -m training.mini export --work DIR               into the package

Each step goes on where it was stopped. `learn` follows its stages in order, thousands of crops by
pixels; until a stage decays, a longer list goes on from the last checkpoint. A processor with
bfloat16 units is enough; --device cuda is many times as fast.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from organizer.embed import mini


def main() -> None:
    """Run the step that was named."""
    options = _parser().parse_args()
    options.run(options)


def _pack(options: argparse.Namespace) -> None:
    from training.photos import pack

    print(f"{pack(options.photos, options.work)} photos in {options.work}")


def _teach(options: argparse.Namespace) -> None:
    from training.teacher import teach

    teach(options.work, options.weights, turns=options.turns, device=options.device)


def _learn(options: argparse.Namespace) -> None:
    import torch

    from training.batches import Recipe
    from training.learn import Learner, Stage, planned

    if options.threads:
        torch.set_num_threads(options.threads)
    learner = Learner(
        options.work, options.weights,
        name=options.name, rate=options.rate, device=options.device,
    )  # fmt: skip
    for stage, until in planned([Stage.parse(text) for text in options.stages.split(",")]):
        recipe = Recipe(stage.side, size=options.batch, cut=options.cut, seed=learner.step)
        learner.run(stage, recipe, until=until)


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
        step.add_argument("--work", type=Path, required=True)
    added["_pack"].add_argument("photos", type=Path)
    for name in ("_teach", "_learn"):
        added[name].add_argument("--weights", type=Path, required=True)
        added[name].add_argument("--device", default="cpu")
    added["_teach"].add_argument("--turns", type=int, default=4)
    added["_learn"].add_argument("--stages", required=True)
    added["_learn"].add_argument("--rate", type=float, default=2e-3)
    added["_learn"].add_argument("--batch", type=int, default=128)
    added["_learn"].add_argument("--cut", type=float, default=0.0)
    added["_learn"].add_argument("--threads", type=int, default=0)
    for name in ("_learn", "_export"):
        added[name].add_argument("--name", default="mini")
    added["_export"].add_argument("--to", type=Path, default=mini.WEIGHTS)
    return parser


if __name__ == "__main__":
    main()
