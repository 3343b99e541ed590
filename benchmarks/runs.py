"""Run a script of this repository as its user does, quietly; for the benchmarks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[1]
WEATHER = ("--csv", "data/weather_greensboro.csv", "--column", "temperature")


class Run(NamedTuple):
    """What a run printed and took."""

    printed: str
    seconds: float
    megabytes: float  # of memory, at most; NaN on Windows


def python(*words: object, check: bool = True) -> Run:
    """Run python in the repository, without a window.

    Raises:
        RuntimeError: with `check`, if it fails; with what it printed last.
    """
    command, begin = [sys.executable, *map(str, words)], time.perf_counter()
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"}
    megabytes = float("nan")
    with tempfile.TemporaryFile() as file:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
        if hasattr(os, "wait4"):
            _, status, used = os.wait4(process.pid, 0)
            process.returncode, megabytes = os.waitstatus_to_exitcode(status), used.ru_maxrss / 1000
        process.wait()
        seconds = time.perf_counter() - begin
        file.seek(0)
        printed = file.read().decode()
    if process.returncode and check:
        raise RuntimeError(f"{' '.join(command)}: {printed.strip().splitlines()[-1]}")
    return Run(printed, seconds, megabytes)


def best(*words: object, check: bool = True) -> Run:
    """Run python three times, or once if it takes over 20 seconds; return the fastest run."""
    found = [python(*words, check=check)]
    while len(found) < 3 and found[0].seconds < 20:
        found.append(python(*words, check=check))
    return min(found, key=lambda run: run.seconds)


def scores(folder: str | Path, *words: object) -> dict:
    """Run a script that writes into this folder; return its scores.json."""
    python(*words, "--output-dir", folder)
    return json.loads(Path(folder, "scores.json").read_text(encoding="utf-8"))
