"""How long do the scripts take, and how much memory do they and a long series need?

    python benchmarks/speed.py              # all, several minutes
    python benchmarks/speed.py runs         # each script's default run, over `import tensorflow`
    python benchmarks/speed.py answers      # --help, a wrong flag, a missing file, over the same
    python benchmarks/speed.py forecast     # 1,000 steps past the end
    python benchmarks/speed.py long         # 10 million rows against 100,000

Times are best of three, for other programs disturb them; runs of minutes are timed once.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
LESSONS = ("SimpleRNN", "GRU", "LSTM")
OTHERS = ("forecast", "slot_filling", "worked_examples", "from_scratch", "long_memory")
ROWS = (100_000, 10_000_000)


def python(*words, check=True):
    """Run python quietly; return its seconds and, but on Windows, its megabytes at most."""
    start, environment = time.perf_counter(), {**os.environ, "MPLBACKEND": "Agg"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [sys.executable, *map(str, words)]
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, **quiet)
    megabytes = float("nan")
    if hasattr(os, "wait4"):
        _, status, used = os.wait4(process.pid, 0)
        process.returncode, megabytes = os.waitstatus_to_exitcode(status), used.ru_maxrss / 1000
    if process.wait() and check:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - start, megabytes


def best(*words, check=True):
    """Run python three times, or once if it takes over 20 seconds; return the least of both."""
    found = [python(*words, check=check)]
    while len(found) < 3 and found[0][0] < 20:
        found.append(python(*words, check=check))
    return tuple(map(min, zip(*found, strict=True)))


def runs(folder):
    """Print time and memory of each script's default run, over that of importing TensorFlow."""
    commands = {"import tensorflow": ["-c", "import tensorflow"]}
    for name in LESSONS + OTHERS:
        output = ["--output-dir", folder / name]
        commands[f"{name}.py"] = [f"{name}.py", *output]
    importing = best(*commands["import tensorflow"])[0]
    for name, words in commands.items():
        seconds, megabytes = best(*words)
        print(
            f"{name:20} {seconds:6.1f} s {seconds / importing:6.2f} x {megabytes:6.0f} MB",
            flush=True,
        )


def answers(folder):
    """Print how soon a wrong flag, --help and a missing file are answered, over the same."""
    commands = {
        "import tensorflow": ["-c", "import tensorflow"],
        "GRU.py --help": ["GRU.py", "--help"],
        "GRU.py --unit 3": ["GRU.py", "--unit", 3],
        "GRU.py --csv gone.csv": ["GRU.py", "--csv", "gone.csv", "--column", "y"],
    }
    seconds = {name: best(*words, check=False)[0] for name, words in commands.items()}
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
    for rows in ROWS:
        path = folder / f"{rows}.csv"
        write_series(path, rows)
        words = ["GRU.py", "--csv", path, "--column", "y", "--epochs", 1]
        seconds, megabytes = python(*words, "--output-dir", folder / "GRU")
        print(f"{rows:10,} rows: GRU.py --epochs 1 took {seconds:.0f} s, {megabytes:.0f} MB")
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
