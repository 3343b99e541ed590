"""Flags that scripts share, and how a script ends."""

import argparse
import csv
import math
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from utils import InputError

MOST_STEPS = 5_000  # past the end, where a forecast is its own echo; of a window
MOST_UNITS = 4096
READING = ("time_column", "time_format", "missing", "decimal", "encoding")  # and OF_CSV besides
OF_CSV = ("column", "series_column", "features", "known", *READING)
OF_TRAINING = ("input_steps", "units", "layers", "epochs", "batch_size", "learning_rate")
OF_TRAINING += ("train", "refit", "season", "loss", "quantiles")  # of forecast.py


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Help that shows the defaults that say something."""

    def _get_help_string(self, action):
        nothing = action.default is None or action.default is False or action.default == []
        return action.help if nothing else super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line, and whose help shows the defaults."""

    def __init__(self, **kwargs):
        super().__init__(formatter_class=Help, allow_abbrev=False, **kwargs)
        self._negative_number_matcher = re.compile(r"-[\d.]")  # --missing -9999,NA is no flag

    def error(self, message: str) -> NoReturn:
        """Print one line on standard error and exit with 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def whole_number(minimum: int, maximum: int = 10**9) -> Callable[[str], int]:
    """Return a flag type that takes integers from `minimum` to `maximum`."""
    words = f"a whole number of at least {minimum} and at most {maximum}"
    return _number(int, lambda number: minimum <= number <= maximum, words)


def number_above(
    minimum: float, inclusive: bool = False, below: float = math.inf
) -> Callable[[str], float]:
    """Return a flag type that takes numbers above `minimum` (or from it on) and below `below`."""
    words = f"a number {'at least' if inclusive else 'above'} {minimum:g} and below {below:g}"
    return _number(float, lambda n: minimum < n < below or (inclusive and n == minimum), words)


def _number(kind, fits, words):
    def parse(text):
        try:
            number = kind(text)
        except ValueError:
            number = math.nan
        if not fits(number):
            raise argparse.ArgumentTypeError(f"{text!r} is not {words}")
        return number

    return parse


def names(text: str) -> list[str]:
    """Take a comma-separated list as a flag's value; a name that holds a comma stands in quotes."""
    (words,) = csv.reader([" ".join(text.split())], skipinitialspace=True) if text else [[]]
    return [word.strip() for word in words if word.strip()]


def whole_numbers(text: str) -> list[int]:
    """Take whole numbers below 2^32 as a flag's value: 0,1,2."""
    return [whole_number(0, 2**32 - 1)(number) for number in names(text) or [text]]


def given(argv: list[str] | None) -> set[str]:
    """Return the flags among a command's words."""
    words = sys.argv[1:] if argv is None else argv
    return {word.partition("=")[0] for word in words if word.startswith("--")}


def add_data(parser: Parser) -> argparse._ArgumentGroup:
    """Add the flags that say what to read and how; return their group."""
    data = parser.add_argument_group("data")
    add = data.add_argument
    add("--csv", metavar="FILE", help="your own data, a row per time step")
    add("--column", help="column of the CSV to forecast")
    add("--features", type=names, default=[], metavar="A,B", help="inputs, known of the past only")
    add("--time-column", metavar="NAME", help="else it is found; or Date,Time; none: count rows")
    add("--time-format", metavar="FORMAT", help="of the times, as strptime has it: %%d.%%m.%%Y")
    add("--missing", type=names, action="extend", default=[], metavar="-9999,?",
        help="what stands for no value")  # fmt: skip
    add("--decimal", choices=[".", ","], metavar="MARK", help=". or , (default: ., if it's clear)")
    add("--encoding", metavar="NAME", help="of the file, such as big5 (default: UTF-8)")
    return data


def add_run(parser: Parser, folder: str) -> None:
    """Add the flags of every run: its seed, its folder, and whether to open a window."""
    run = parser.add_argument_group("run")
    run.add_argument("--seed", type=whole_number(0, 2**32 - 1), default=0, help="of all chance")
    text = f"for all that is written (default: {folder}; with --load, its forecast/)"
    run.add_argument("--output-dir", metavar="FOLDER", help=text)
    run.add_argument("--show", action="store_true", help="open the picture in a window")


def lesson_parser(script: str, description: str, **defaults) -> Parser:
    """Return a parser with the flags of a forecasting lesson.

    Args:
        script: name of the lesson, without .py; its output folder is outputs/<script>.
        description: one line for --help.
        **defaults: input_steps, forecast, units, layers, epochs, batch_size, learning_rate.
    """
    parser = Parser(prog=f"{script}.py", description=description)
    add_data(parser)
    ahead = parser.add_argument_group("forecast")
    steps = whole_number(1, MOST_STEPS)
    ahead.add_argument("--forecast", type=steps, metavar="STEPS", help="past the end")
    ahead.add_argument("--load", metavar="FILE", help="forecast with this model; no training")
    network = parser.add_argument_group("network and training (with --load, the model's own)")
    for flag, kind, text in (
        ("--input-steps", steps, "past steps per window; with 1, no memory is needed"),
        ("--units", whole_number(1, MOST_UNITS), "width of each recurrent layer"),
        ("--layers", whole_number(1, 100), "recurrent layers"),
        ("--epochs", whole_number(1), "at most; training may stop early"),
        ("--batch-size", whole_number(1), "windows per training step"),
        ("--learning-rate", number_above(0), "at the start, then falling"),
    ):
        network.add_argument(flag, type=kind, help=text)
    add_run(parser, f"outputs/{script}")
    parser.set_defaults(**defaults)
    return parser


def parse(parser: Parser, argv: list[str] | None) -> argparse.Namespace:
    """Parse the flags of a forecasting script, and complain about those that don't go together."""
    args, said = parser.parse_args(argv), given(argv)
    if empty := {flag for flag in said if vars(args).get(flag[2:].replace("-", "_")) in ("", [])}:
        parser.error(f"{', '.join(sorted(empty))} is empty; give it a value, or leave it out")
    if args.csv and not (args.column or args.load):
        parser.error("--csv needs --column, the name of the column to forecast")
    for useless, names, reason in (
        (not args.csv, OF_CSV, "only with --csv"),
        (args.csv, ("jumps", "drift", "volatility"), "only without --csv"),
        (args.load, OF_TRAINING, "the model that --load names is trained already; leave it out"),
    ):
        flags = [f"--{name.replace('_', '-')}" for name in names]
        if useless and (wrong := [flag for flag in flags if flag in said]):
            parser.error(f"{', '.join(wrong)}: {reason}")
    script = parser.prog.removesuffix(".py")
    args.output_dir = args.output_dir or f"outputs/{script}" + ("/forecast" if args.load else "")
    args.begin = time.perf_counter()
    return args


def check_learned(flag: str, given: list, learned: list) -> None:
    """Refuse what a flag says, columns or a number, if any, where a model has learned others."""
    if given and sorted(given) != sorted(learned):
        raise InputError(
            f"--{flag} {','.join(map(str, given))}: the model that --load names has learned "
            f"{', '.join(map(str, learned)) or 'none'}; leave --{flag} out"
        )


def reading(args: argparse.Namespace, learned: Sequence[str] = (None,)) -> dict:
    """Return what flags say of the CSV, by the arguments of `utils.series.table.read_table`.

    With --load, target and features are those that the model has learned, if flags name none.
    """
    target, *features = learned
    if args.load:
        check_learned("features", args.features, features)
    said = {name: getattr(args, name) for name in READING}
    said |= {"target": args.column or target, "features": args.features or features}
    return {"path": args.csv, **said}


def run(
    main: Callable[[], object], script: str, backends: Sequence[str] = ("tensorflow",)
) -> NoReturn:
    """Run a lesson's `main`; exit with 0, with 2 after bad input (one line), 130 after Ctrl-C.

    `backends` are those of Keras that it can do with.
    """
    for stream in (sys.stdout, sys.stderr):  # a console that lacks a character gets a "?"
        stream.reconfigure(errors="replace")
    try:
        if (backend := os.environ["KERAS_BACKEND"]) not in backends:
            raise InputError(f"KERAS_BACKEND={backend}, but this needs {backends[0]}; unset it")
        main()
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has seen enough, as `| head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except InputError as error:
        print(f"{script}: error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f"{script}: interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(0)
