"""Flags that lessons share, and how a lesson ends."""

import argparse
import math
import sys
from collections.abc import Callable
from typing import NoReturn

from utils import InputError


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line, and whose help shows the defaults."""

    def __init__(self, **kwargs):
        super().__init__(
            formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False, **kwargs
        )

    def error(self, message: str) -> NoReturn:
        """Print one line on standard error and exit with 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def whole_number(minimum: int) -> Callable[[str], int]:
    """Return a flag type that takes integers from `minimum` on."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = minimum - 1
        if number < minimum:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number of at least {minimum}"
            )
        return number

    return parse


def number_above(minimum: float, inclusive: bool = False) -> Callable[[str], float]:
    """Return a flag type that takes finite numbers above `minimum` (or from it on)."""

    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or number < minimum or (number == minimum and not inclusive):
            bound = "at least" if inclusive else "above"
            raise argparse.ArgumentTypeError(f"{text!r} is not a number {bound} {minimum:g}")
        return number

    return parse


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
