"""A lesson that learns nothing, quickly: for what tune.py does with trials, without TensorFlow.

As a command it is tune.py, which knows this lesson.
"""

import json
import time
from pathlib import Path

import tune
from utils import InputError, cli
from utils.files import output_folder

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
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--output-dir", default="outputs/dummy_lesson")
    return parser.parse_args(argv)


def prepare(args):
    output_folder(args.output_dir)
    text = Path(args.csv).read_text(encoding="utf-8") if args.csv else "20"
    if not text.strip().isdigit():
        raise InputError(f"{args.csv} holds no number")
    return int(text)  # the best number of units


def error(data, args):
    return 1 + abs(args.units - data) / 10 + args.learning_rate + (args.layer == "gru")


def learn(data, args, on_epoch=lambda score: None):
    if args.units > args.bad_above:
        raise InputError("the training diverged")
    for epoch in range(args.epochs):
        time.sleep(args.seconds)
        on_epoch(error(data, args) + 1 / (epoch + 1))


def main(argv=None):
    args = parse_args(argv)
    data = prepare(args)
    learn(data, args)
    folder, mae = Path(args.output_dir), error(data, args)
    lines = [f"{i},{i},{i + mae * (-1) ** i}" for i in range(100)]
    (folder / "test_predictions.csv").write_text("\n".join(["time,actual,predicted", *lines]))
    (folder / "model.keras").write_text(f"{args.units} units")
    scores = {"network": "dummy"} | {part: {"dummy": {"mae": mae}} for part in ("val", "test")}
    (folder / "scores.json").write_text(json.dumps(scores))
    return scores


tune.LESSONS["dummy_lesson"] = tune.LESSONS["GRU"]

if __name__ == "__main__":
    cli.run(tune.main, "tune.py")
