"""How long do the forecasting lessons take, and how much memory does a long series need?

    python benchmarks/speed.py              # all, several minutes
    python benchmarks/speed.py runs         # each lesson's default run, over `import tensorflow`
    python benchmarks/speed.py answers      # --help, a wrong flag, a missing file, over the same
    python benchmarks/speed.py forecast     # 1,000 steps past the end
    python benchmarks/speed.py long         # 10 million rows against 100,000

Times are best of three, for other programs disturb them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    import resource
except ImportError:  # on Windows; memory is not measured there
    resource = None

REPOSITORY = Path(__file__).parents[1]
LESSONS = ("SimpleRNN", "GRU", "LSTM")
ROWS = (100_000, 10_000_000)


def python(*words, check=True):
    """Run python quietly and return its seconds."""
    start = time.perf_counter()
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    command = [sys.executable, *map(str, words)]
    subprocess.run(
        command, cwd=REPOSITORY, env=environment, check=check, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - start


def runs(folder):
    """Print the time of each lesson's default run, as a multiple of importing TensorFlow."""
    commands = {"import tensorflow": ["-c", "import tensorflow"]}
    commands |= {f"{name}.py": [f"{name}.py", "--output-dir", folder / name] for name in LESSONS}
    seconds = {name: min(python(*words) for _ in range(3)) for name, words in commands.items()}
    for name, value in seconds.items():
        print(f"{name:20} {value:6.1f} s {value / seconds['import tensorflow']:6.2f} x")


def answers(folder):
    """Print how soon a wrong flag, --help and a missing file are answered, over the same."""
    commands = {
        "import tensorflow": ["-c", "import tensorflow"],
        "GRU.py --help": ["GRU.py", "--help"],
        "GRU.py --unit 3": ["GRU.py", "--unit", 3],
        "GRU.py --csv gone.csv": ["GRU.py", "--csv", "gone.csv", "--column", "y"],
    }
    seconds = {
        name: min(python(*words, check=False) for _ in range(3)) for name, words in commands.items()
    }
    for name, value in seconds.items():
        print(f"{name:24} {value:6.2f} s {value / seconds['import tensorflow']:6.2f} x")


def forecast(folder):
    """Print the time of forecasting 1,000 steps past the end, once the model is loaded."""
    sys.path.insert(0, str(REPOSITORY))
    from utils.series import synthetic
    from utils.series.forecasting import Forecaster

    frames = {
        "SimpleRNN": synthetic.noisy_sine(4000, 0),
        "GRU": synthetic.hourly_temperature(0),
        "LSTM": synthetic.random_walk_prices(1500, 0),
    }
    for name, values in frames.items():
        python(f"{name}.py", "--epochs", 1, "--output-dir", folder / name)
        forecaster = Forecaster.load(folder / name / "model.keras", f"{name}.py")
        start = time.perf_counter()
        forecaster.past_the_end(values.to_frame(), 1000)
        print(
            f"{name + '.py':20} {time.perf_counter() - start:6.2f} s for 1,000 steps, compiling too"
        )


def long(folder):
    """Print the memory of a whole run, and the seconds of an epoch, by the length of the series."""
    import resource  # Windows has none

    for rows in ROWS:  # the shorter first, for the memory is the most of all so far
        path = folder / f"{rows}.csv"
        write_series(path, rows)
        words = ["GRU.py", "--csv", path, "--column", "y", "--epochs", 1]
        seconds = python(*words, "--output-dir", folder / "GRU")
        print(f"{rows:10,} rows: GRU.py --epochs 1 took {seconds:.0f} s", end="")
        if resource:
            kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            print(f", {kilobytes / 1e6:.2f} GB", end="")
        print()
    seconds = {rows: [] for rows in ROWS}
    for _ in range(3):
        for rows in ROWS:
            command = [sys.executable, __file__, "epoch", str(rows)]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            seconds[rows].append(float(printed.splitlines()[-1]))
    short, long = (min(seconds[rows]) for rows in ROWS)
    print(f"an epoch of 60,000 windows: {short:.2f} s and {long:.2f} s, {long / short:.2f} x")


def write_series(path, rows):
    """Write a noisy sine as a CSV, a part at a time."""
    import numpy as np

    rng = np.random.default_rng(0)
    with path.open("w") as file:
        file.write("y\n")
        for start in range(0, rows, 100_000):
            t = np.arange(start, start + 100_000)
            values = np.sin(0.1 * t) + rng.normal(0, 0.1, len(t))
            file.write("".join(f"{value:.4f}\n" for value in values))


def epoch(rows):
    """Print the seconds that an epoch of 60,000 windows takes, after the first."""
    sys.path.insert(0, str(REPOSITORY))
    import GRU
    from utils import lesson, training
    from utils.series import blocks, synthetic
    from utils.series.windows import in_order, shuffled, split_by_time

    training.MAX_WINDOWS = 60_000
    frame, parts = synthetic.noisy_sine(rows, 0).to_frame(), split_by_time(rows, 24)
    data = lesson.Data(frame, [], frame.to_numpy(), parts, None, 24, None)
    start, args = blocks.starting_point("mean", data.train, None), GRU.parse_args([])
    seconds = []
    for epochs in (1, 3):
        fit = training.fit(
            GRU.build_network(data.train, start, data, args),
            GRU.build_loss(data.train),
            shuffled(data.values, parts.train, 24, 1, args.batch_size, seed=0),
            in_order(data.values, parts.val[:1000], 24, 1),
            steps=training.steps_per_epoch(len(parts.train), args.batch_size),
            epochs=epochs,
            learning_rate=args.learning_rate,
        )
        seconds.append(fit.seconds)
    print((seconds[1] - seconds[0]) / 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", nargs="?", choices=["runs", "answers", "forecast", "long", "epoch"])
    parser.add_argument("rows", nargs="?", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.what == "epoch":
        return epoch(args.rows)
    with tempfile.TemporaryDirectory() as folder:
        for measure in (runs, answers, forecast, long):
            if args.what in (None, measure.__name__):
                measure(Path(folder))


if __name__ == "__main__":
    main()
