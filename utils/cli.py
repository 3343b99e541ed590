"""Flags that lessons share, and how a lesson ends."""

import argparse
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from utils import InputError
from utils.files import write_csv, write_json
from utils.series.evaluation import BASELINES
from utils.series.forecasting import Forecaster
from utils.training import Fit

import pandas as pd


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Help that shows the defaults that say something."""

    def _get_help_string(self, action):
        nothing = action.default is None or action.default is False or action.default == []
        return action.help if nothing else super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line, and whose help shows the defaults."""

    def __init__(self, **kwargs):
        super().__init__(formatter_class=Help, allow_abbrev=False, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Print one line on standard error and exit with 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def whole_number(minimum: int, maximum: float = math.inf) -> Callable[[str], int]:
    """Return a flag type that takes integers from `minimum` to `maximum`."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = minimum - 1
        if not minimum <= number <= maximum:
            bounds = f"of at least {minimum}"
            bounds += f" and at most {maximum}" if maximum < math.inf else ""
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {bounds}")
        return number

    return parse


def number_above(
    minimum: float, inclusive: bool = False, below: float = math.inf
) -> Callable[[str], float]:
    """Return a flag type that takes numbers above `minimum` (or from it on) and below `below`."""

    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not minimum <= number < below or (number == minimum and not inclusive):
            bounds = f"{'at least' if inclusive else 'above'} {minimum:g}"
            bounds += f" and below {below:g}" if below < math.inf else ""
            raise argparse.ArgumentTypeError(f"{text!r} is not a number {bounds}")
        return number

    return parse


def names(text: str) -> list[str]:
    """Take a comma-separated list as a flag's value."""
    return [name.strip() for name in text.split(",") if name.strip()]


def forecasting_parser(script: str, description: str, **defaults) -> Parser:
    """Return a parser with the flags that the forecasting lessons share.

    Args:
        script: name of the lesson, without .py; its output folder is outputs/<script>.
        description: one line for --help.
        **defaults: of the flags that differ from lesson to lesson: column, input_steps, forecast,
            units, layers, epochs, batch_size, learning_rate.
    """
    parser = Parser(prog=f"{script}.py", description=description)
    data = parser.add_argument_group("data")
    data.add_argument("--csv", metavar="FILE", help="your own data, a row per time step")
    data.add_argument("--column", help="column of the CSV to forecast")
    data.add_argument("--time-column", metavar="COLUMN", help="found by itself where there is one")
    data.add_argument(
        "--features",
        type=names,
        default=[],
        metavar="A,B",
        help="other columns as inputs; only their past is used, and the network predicts them too, "
        "so that a forecast of many steps has them",
    )
    data.add_argument(
        "--fill",
        type=whole_number(1),
        nargs="?",
        const=6,
        metavar="N",
        help="interpolate gaps of up to N missing values (6 without a number)",
    )
    data.add_argument(
        "--season",
        type=whole_number(2),
        metavar="STEPS",
        help="of the seasonal naive baseline; found by itself where the time column shows it",
    )
    forecast = parser.add_argument_group("forecast")
    forecast.add_argument(
        "--forecast", type=whole_number(1), metavar="STEPS", help="steps past the end of the data"
    )
    forecast.add_argument("--load", metavar="FILE", help="forecast with this model; no training")
    network = parser.add_argument_group("network and training (with --load, the model's own)")
    network.add_argument("--input-steps", type=whole_number(2), help="past steps per window")
    network.add_argument("--units", type=whole_number(1), help="width of each recurrent layer")
    network.add_argument("--layers", type=whole_number(1), help="recurrent layers")
    network.add_argument("--epochs", type=whole_number(1), help="at most; training may stop early")
    network.add_argument("--batch-size", type=whole_number(1), help="windows per training step")
    network.add_argument("--learning-rate", type=number_above(0), help="at the start, then falling")
    run = parser.add_argument_group("run")
    run.add_argument(
        "--seed", type=whole_number(0, 2**32 - 1), default=0, help="of the data and the training"
    )
    run.add_argument(
        "--output-dir",
        default=f"outputs/{script}",
        metavar="FOLDER",
        help="for all that is written",
    )
    run.add_argument("--show", action="store_true", help="open the picture in a window")
    parser.set_defaults(**defaults)
    return parser


def parse_forecasting(parser: Parser, argv: list[str] | None) -> argparse.Namespace:
    """Parse the flags of a forecasting lesson, and complain about those that don't go together."""
    args = parser.parse_args(argv)
    if args.csv == "" or args.load == "":
        parser.error("--csv and --load need the name of a file")
    if args.csv and not args.column:
        parser.error("--csv needs --column, the name of the column to forecast")
    if not args.csv and (args.column or args.time_column or args.features or args.fill):
        parser.error("--column, --time-column, --features and --fill need --csv")
    args.fill = args.fill or 0
    args.begin = time.perf_counter()
    return args


def add_predict(parser: Parser) -> None:
    """Add the flag that says what a network predicts inside: the value, or how it changes."""
    parser.add_argument(
        "--predict",
        choices=["level", "change"],
        help="the level, best where the last value is noisy, or the change from the last value, "
        "best where that is nearly right (default: level without --csv, change with it)",
    )


def save_run(
    network: str,
    args: argparse.Namespace,
    forecaster: Forecaster,
    fit: Fit,
    test: pd.DataFrame,
    results: dict,
) -> dict:
    """Write what a training leaves in the output folder.

    Args:
        network: its name, which is the lesson's.
        args: of `parse_forecasting`.
        forecaster: to be saved.
        fit: of `utils.training.fit`.
        test: table of `utils.series.evaluation.evaluate`.
        results: of `utils.series.evaluation.evaluate`.

    Returns:
        what scores.json holds.
    """
    folder = Path(args.output_dir)
    scores = {
        "script": f"{network}.py",
        "data": args.csv or "simulated",
        "seed": args.seed,
        "network": network,
        "input_steps": args.input_steps,
        **results,
        "test": dict.fromkeys([network, *BASELINES, "optimal"]) | results["test"],
        "seconds": {"fit": fit.seconds, "total": time.perf_counter() - args.begin},
    }
    forecaster.save(folder / "model.keras", f"{network}.py")
    write_csv(test, folder / "test_predictions.csv")
    write_csv(fit.history, folder / "history.csv")
    write_json(scores, folder / "scores.json")
    return scores


def run(main: Callable[[], object], script: str) -> NoReturn:
    """Run a lesson's `main`; exit with 0, with 2 after bad input (one line), 130 after Ctrl-C."""
    try:
        main()
    except InputError as error:
        print(f"{script}: error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f"{script}: interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(0)
