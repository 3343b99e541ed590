"""Kill a lesson with -9 at twenty random moments, resume it, and compare each digit.

    python benchmarks/resume.py                # GRU.py, simulated
    python benchmarks/resume.py SimpleRNN --csv data/weather_greensboro.csv --column temperature

The first word is the lesson, and the rest are its flags.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
TIMES = 20
COMPARED = ("history.csv", "forecast.csv", "test_predictions.csv")


def start(lesson, folder, *flags):
    """Start a lesson, quietly."""
    command = [sys.executable, f"{lesson}.py", "--output-dir", folder, *flags]
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=os.environ | {"MPLBACKEND": "Agg"}, stdout=subprocess.DEVNULL
    )


def main(lesson="GRU", *flags):
    """Run it whole, then again and again with a kill in each run, until it has had twenty."""
    with tempfile.TemporaryDirectory() as place:
        whole, out = Path(place, "whole"), Path(place, "killed")
        begin = time.perf_counter()
        assert start(lesson, whole, *flags).wait() == 0
        seconds, killed, same = time.perf_counter() - begin, 0, 0
        while killed < TIMES:
            for _ in range(3):  # kills of one run, before it is let through
                process = start(lesson, out, *flags, "--resume")
                try:
                    process.wait(random.uniform(0, seconds))
                    break
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    killed += 1
            assert start(lesson, out, *flags, "--resume").wait() == 0
            same += all(
                (out / name).read_bytes() == (whole / name).read_bytes() for name in COMPARED
            )
            left = {path.name for path in out.iterdir()} ^ {path.name for path in whole.iterdir()}
            assert not left, left
            for path in out.iterdir():
                path.unlink()
            print(f"killed {killed} times; each run that went on ended well", flush=True)
        print(f"{same} runs ended with the same digits as the one that was not killed")


if __name__ == "__main__":
    main(*sys.argv[1:])
