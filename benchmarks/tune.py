"""What tune.py costs and stands: two nodes over one, a trial over a fit, 1,000 trials, kills.

    python benchmarks/tune.py                  # all of it
    python benchmarks/tune.py nodes overhead   # some of it

It needs requirements-tune.txt, and takes half an hour.
"""

import argparse
import contextlib
import json
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
DUMMY = [sys.executable, str(REPOSITORY / "tests" / "dummy_lesson.py"), "dummy_lesson"]
GRU = ["GRU", "--epochs", "3", "--search", "learning-rate=0.005:0.02", "--units", "32"]
GRU += ["--layers", "1", "--batch-size", "128", "--input-steps", "24"]
ONE_CORE = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
MARK = f"TUNE_BENCHMARK={os.getpid()}".encode()  # in the environment of what it starts
TIMES = 5  # that each is killed


def sweep(command, folder):
    """Start a sweep, quietly."""
    return subprocess.Popen(
        [*command, "--output-dir", folder], stdout=subprocess.DEVNULL, cwd=REPOSITORY
    )


def trials(folder):
    try:
        return pd.read_csv(Path(folder, "trials.csv"))
    except (FileNotFoundError, pd.errors.EmptyDataError):
        return pd.DataFrame()


def nodes():
    """Time 16 trials on two nodes of one core each, and on one; Ray's start left out."""
    from ray.cluster_utils import Cluster

    seconds = {}
    for count in (1, 2, 1, 2):
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        for _ in range(count - 1):
            cluster.add_node(num_cpus=1)
        with tempfile.TemporaryDirectory() as folder:
            command = [*TUNE, *GRU, "--trials", "16", "--address", cluster.address]
            assert sweep(command, folder).wait() == 0
            seconds.setdefault(count, []).append(trials(folder)["at"].max())
        cluster.shutdown()
    one, two = min(seconds[1]), min(seconds[2])
    print(f"16 trials: {one:.0f} s on one node, {two:.0f} s on two: {two / one:.2f} x", flush=True)


def overhead():
    """Time a trial, one at a time, against the lesson's own fit; the start of Ray apart."""
    from ray.cluster_utils import Cluster

    fit = (
        "import GRU, sys, tempfile, time\n"
        "args = GRU.parse_args(sys.argv[1:] + ['--output-dir', tempfile.mkdtemp()])\n"
        "import keras; keras.Model\n"
        "start = time.perf_counter()\n"
        "GRU.learn(GRU.prepare(args), args)\n"
        "print(time.perf_counter() - start)"
    )
    one_core, flags = dict.fromkeys(ONE_CORE, "1"), [*GRU[1:3], *GRU[5:]]
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    alone, tried = [], []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", fit, *flags], cwd=REPOSITORY, env=os.environ | one_core,
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        alone.append(float(done.stdout.splitlines()[-1]))
        with tempfile.TemporaryDirectory() as folder:
            command = [*TUNE, *GRU, "--trials", "3", "--address", cluster.address]
            assert sweep(command, folder).wait() == 0
            table = trials(folder)
            tried.append(table.loc[table["status"] == "done", "seconds"].min())
    cluster.shutdown()
    ratio = min(tried) / min(alone)
    print(f"a trial over the lesson's own fit: {ratio:.2f} x", flush=True)


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
            if trial and MARK in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


def kills():
    """Kill workers, a node and the driver; no finished trial may be lost, and all must end."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    node = cluster.add_node(num_cpus=1)
    with tempfile.TemporaryDirectory() as folder:
        command = [*DUMMY, "--trials", "200", "--seconds", "0.1", "--address", cluster.address]
        process = sweep(command, folder)
        for what in ["worker", "node", "driver"] * TIMES:
            before = len(trials(folder))
            while len(trials(folder)) < before + 5:
                time.sleep(0.1)
            time.sleep(random.random())
            if what == "driver":
                process.kill()
                process.wait()
                known = trials(folder)
                process = sweep([*command, "--resume"], folder)
            elif what == "node":
                cluster.remove_node(node, allow_graceful=False)
                node = cluster.add_node(num_cpus=1)
            else:
                os.kill(workers()[0], 9)
            if what == "driver":
                assert trials(folder).iloc[: len(known)].equals(known)
        assert process.wait() == 0
        table = trials(folder)
        assert list(table["trial"]) == list(range(1, 201))
        scores = json.loads(Path(folder, "scores.json").read_text(encoding="utf-8"))
        assert scores["trials"] == 200
    cluster.shutdown()
    failed = int((table["status"] == "failed").sum())
    print(f"{TIMES} workers, nodes and drivers killed: {len(table)} trials, {failed} failed")


if __name__ == "__main__":
    parts = {"nodes": nodes, "overhead": overhead, "many": many, "kills": kills}
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*parts, []], default=[])
    os.environ |= dict([MARK.decode().split("=")])
    os.environ["PYTHONPATH"] = f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'tests'}"
    os.environ |= {"MPLBACKEND": "Agg", "RAY_USAGE_STATS_ENABLED": "0"}
    for name in parser.parse_args().parts or parts:
        parts[name]()
