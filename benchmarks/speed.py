"""How long do the scripts take, and how much memory do they and a long series need?

    python benchmarks/speed.py              # all, several minutes
    python benchmarks/speed.py runs         # each script's default run, over `import tensorflow`
    python benchmarks/speed.py answers      # --help, a wrong flag, a missing file, over the same
    python benchmarks/speed.py long         # 10 million rows against 100,000

Times are best of three, for other programs disturb them; runs of more than 20 s are timed once.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.runs import best, python

import numpy as np
import pandas as pd

SCRIPTS = ("SimpleRNN", "GRU", "LSTM", "forecast", "slot_filling", "worked_examples",
           "from_scratch", "long_memory")  # fmt: skip
WRONG = {
    "GRU.py --help": ["GRU.py", "--help"],
    "GRU.py --unit 3": ["GRU.py", "--unit", 3],
    "GRU.py --csv gone.csv": ["GRU.py", "--csv", "gone.csv", "--column", "y"],
}
ROWS = (100_000, 10_000_000)


def over_import(commands: dict[str, list], check: bool = True) -> pd.DataFrame:
    """Time commands by name; return s, x (over `import tensorflow`, the first row) and MB."""
    commands = {"import tensorflow": ["-c", "import tensorflow"], **commands}
    found = {}
    for name, words in commands.items():
        run = best(*words, check=check)
        found[name] = {"s": run.seconds, "x": run.seconds, "MB": run.megabytes}
    table = pd.DataFrame(found).T
    table["x"] /= table["x"].iloc[0]
    return table


def runs() -> pd.DataFrame:
    """Return time and memory of each script's default run."""
    with tempfile.TemporaryDirectory() as folder:
        commands = {f"{n}.py": [f"{n}.py", "--output-dir", Path(folder, n)] for n in SCRIPTS}
        return over_import(commands | {"from_scratch.py": ["from_scratch.py"]})


def answers() -> pd.DataFrame:
    """Return how soon --help, a wrong flag and a missing file are answered."""
    return over_import(WRONG, check=False)


def long() -> pd.DataFrame:
    """Return time and memory of a whole run of one epoch, by the length of the series."""
    found, rng = {}, np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "long.csv")
        for rows in ROWS:
            values = np.sin(0.1 * np.arange(rows)) + rng.normal(0, 0.1, rows)
            pd.Series(values, name="y").to_csv(path, index=False, float_format="%.4f")
            words = ["GRU.py", "--csv", path, "--column", "y", "--epochs", 1]
            run = python(*words, "--output-dir", folder)
            found[f"{rows:,} rows"] = {"s": run.seconds, "MB": run.megabytes}
    return pd.DataFrame(found).T


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    measures = {measure.__name__: measure for measure in (runs, answers, long)}
    parser.add_argument("what", nargs="?", choices=list(measures))
    what = parser.parse_args().what
    for name in [what] if what else measures:
        print(name, measures[name]().round(2).to_string(), "", sep="\n", flush=True)


if __name__ == "__main__":
    main()
