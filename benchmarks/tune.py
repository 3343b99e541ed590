"""What tune.py costs and stands: two nodes over one, a trial over a fit, 1,000 trials, kills.

    python benchmarks/tune.py                  # all of it
    python benchmarks/tune.py nodes overhead   # some of it

It needs requirements-tune.txt, and takes an hour.
"""

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

REPOSITORY = Path(__file__).parents[1]
TUNE = [sys.executable, str(REPOSITORY / "tune.py")]
START = """
import tune
from utils import cli
tune.LESSONS["dummy_lesson"] = tune.LESSONS["GRU"]
cli.run(tune.main, "tune.py")
"""
DUMMY = [sys.executable, "-c", START, "dummy_lesson"]  # of tests/
FLAGS = ["--epochs", "3", "--units", "32", "--layers", "1", "--batch-size", "128"]
GRU = ["GRU", *FLAGS, "--input-steps", "24", "--search", "learning-rate=0.005:0.02"]
FIT = "import sys, GRU; GRU.main(sys.argv[1:], on_epoch=lambda score: None)"
ONE_CORE = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
MARK = f"TUNE_BENCHMARK={os.getpid()}"  # in the environment of what it starts
TIMES = 5  # that each is killed


def sweep(command, folder, **where):
    """Start a sweep, quietly."""
    command = [*command, "--output-dir", folder, *(f"--{k}={v}" for k, v in where.items())]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=REPOSITORY)


def trials(folder):
    """Return the trials that have ended."""
    with contextlib.suppress(FileNotFoundError):
        return pd.read_csv(Path(folder, "trials.csv"))
    return pd.DataFrame()


@contextlib.contextmanager
def cluster(nodes):
    """Start a cluster of nodes with one core each."""
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    for _ in range(nodes - 1):
        found.add_node(num_cpus=1)
    yield found
    found.shutdown()


def ends(command, nodes):
    """Return when trials ended on so many nodes, in seconds since the first began."""
    with cluster(nodes) as found, tempfile.TemporaryDirectory() as folder:
        assert sweep(command, folder, address=found.address).wait() == 0
        table = trials(folder)
        return table["at"] - (table["at"] - table["seconds"]).min()


def nodes():
    """Time 16 trials on two nodes of one core each, and on one; Ray's start left out."""
    seconds = [ends([*TUNE, *GRU, "--trials", "16"], count).max() for count in (1, 2, 1, 2)]
    one, two = min(seconds[::2]), min(seconds[1::2])
    print(f"16 trials: {one:.0f} s on one node, {two:.0f} s on two: {two / one:.2f} x", flush=True)


def overhead():
    """Time a trial, one at a time, against a process that only trains; both import TensorFlow."""
    environment, alone = os.environ | dict.fromkeys(ONE_CORE, "1"), []
    for _ in range(3):
        begin = time.perf_counter()
        command = [sys.executable, "-c", FIT, *FLAGS, "--input-steps", "24"]
        subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True)
        alone.append(time.perf_counter() - begin)
    tried = ends([*TUNE, *GRU, "--trials", "6"], 1).diff()
    print(f"a trial over the lesson's own training: {tried.max() / min(alone):.2f} x", flush=True)


def many(count=1000):
    """Watch the driver's memory and the time per trial, over many trials."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*DUMMY, "--trials", str(count), "--seconds", "0", "--epochs", "3"]
        process, memory = sweep(command, folder), {}
        while process.poll() is None:
            done = len(trials(folder)) // 100
            if done and done not in memory:
                status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
                memory[done] = int(status.partition("VmRSS:")[2].split()[0]) / 1024
            time.sleep(0.2)
        assert process.returncode == 0
        at = trials(folder)["at"].to_numpy()
    for hundred, used in memory.items():
        before = max(100 * hundred - 101, 0)
        each = (at[100 * hundred - 1] - at[before]) / (100 * hundred - 1 - before)
        print(f"trials to {100 * hundred:5}: {each:.3f} s each, {used:.0f} MB", flush=True)


def workers():
    """Return the processes of this benchmark's trials."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            trial = b"ray::ImplicitFunc" in (process / "cmdline").read_bytes()
            if trial and MARK.encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


def kills():
    """Kill workers, a node and the driver; no trial that ended may be lost, and all must end."""
    with cluster(1) as found, tempfile.TemporaryDirectory() as folder:
        node = found.add_node(num_cpus=1)
        command = [*DUMMY, "--trials", "200", "--seconds", "0.1"]
        process = sweep(command, folder, address=found.address)
        for what in ["worker", "node", "driver"] * TIMES:
            before = len(trials(folder))
            while len(trials(folder)) < before + 5:
                time.sleep(0.1)
            time.sleep(random.random())
            if what == "driver":
                process.kill()
                process.wait()
                known = trials(folder)
                process = sweep([*command, "--resume"], folder, address=found.address)
            elif what == "node":
                found.remove_node(node, allow_graceful=False)
                node = found.add_node(num_cpus=1)
            elif running := workers():
                os.kill(running[0], 9)
        assert process.wait() == 0
        table = trials(folder)
    assert table.iloc[: len(known)].equals(known)
    assert list(table["trial"]) == list(range(1, 201))
    failed = int((table["status"] == "failed").sum())
    print(f"{TIMES} workers, nodes and drivers killed: {len(table)} trials, {failed} failed")


if __name__ == "__main__":
    parts = {"nodes": nodes, "overhead": overhead, "many": many, "kills": kills}
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*parts, []], default=[])
    os.environ |= dict([MARK.split("=")])
    os.environ["PYTHONPATH"] = f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'tests'}"
    os.environ |= {"MPLBACKEND": "Agg", "RAY_USAGE_STATS_ENABLED": "0"}
    for name in parser.parse_args().parts or parts:
        parts[name]()
