"""A lesson that learns nothing, quickly: for what tune.py does with trials, without TensorFlow."""

import json
import os
import time
from pathlib import Path

from utils import InputError, cli

SEARCH = {"units": "8:128", "learning-rate": "0.001:0.1", "layer": "gru/lstm"}


def parse_args(argv=None):
    parser = cli.Parser(prog="dummy_lesson.py")
    parser.add_argument("--csv")
    parser.add_argument("--units", type=cli.whole_number(1), default=100)
    parser.add_argument("--learning-rate", type=cli.number_above(0), default=0.05)
    parser.add_argument("--layer", choices=["gru", "lstm"], default="gru")
    parser.add_argument("--epochs", type=cli.whole_number(1), default=9)
    parser.add_argument("--seconds", type=float, default=0.02, help="of an epoch")
    parser.add_argument("--bad-above", type=int, default=1000, help="units with which it fails")
    parser.add_argument("--deadly", type=int, help="units that kill the process of a trial")
    parser.add_argument("--output-dir", default="outputs/dummy_lesson")
    return parser.parse_args(argv)


def main(argv=None, on_epoch=None):
    args = parse_args(argv)
    if args.csv and not Path(args.csv).exists():
        raise InputError(f"{args.csv}: cannot be read")
    text = Path(args.csv).read_text(encoding="utf-8") if args.csv else "20"
    if args.units > args.bad_above:
        raise InputError("the training diverged")
    mae = 1 + abs(args.units - int(text)) / 10 + args.learning_rate + (args.layer == "gru")
    if on_epoch:
        if args.units == args.deadly:
            os._exit(1)
        for epoch in range(args.epochs):
            time.sleep(args.seconds)
            on_epoch(mae + 1 / (epoch + 1))
        return None
    folder = Path(args.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.keras").write_text(f"{args.units} units")
    scores = {"network": "dummy"}
    scores |= {part: {"dummy": {"by_step": {"mae": [mae, mae]}}} for part in ("val", "test")}
    (folder / "scores.json").write_text(json.dumps(scores))
    return scores


if __name__ == "__main__":
    cli.run(main, "dummy_lesson.py")
