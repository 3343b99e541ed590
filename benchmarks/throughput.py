"""How many windows a second does a recurrent layer learn from, on this machine's CPU?

    python benchmarks/throughput.py                            # ours against Keras' layers
    python benchmarks/throughput.py --torch /path/to/python    # and PyTorch's, of that one
    python benchmarks/throughput.py --large                    # the sizes of pretrain.py

A window of 24 steps and 1 feature goes through a layer of 50 units and a Dense(1); the loss is the
squared error, the optimizer Adam. Keras' layers and ours train in `fit`, 64 steps per execution,
ours unrolled unless it is large; PyTorch in the usual loop. Every library runs in processes of its
own, one for each number of threads, which stay warm and take turns; the figure is the median of its
best one.
"""

import argparse
import functools
import itertools
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).parents[1]
SMALL = [(50, 24, 1, batch) for batch in (32, 64, 256)]  # units, steps, features, batch
LARGE = [(units, 64, 310, 128) for units in (128, 256)]
THREADS = {"ours": ("1,1", "1,2", "2,2"), "keras": ("1,1", "1,2", "2,2"), "torch": ("1", "2")}
SECONDS = 0.6  # a turn, about


def keras_epoch(library, layer, units, steps, features, batch):
    """Return a function that trains for a number of steps."""
    from utils import fused

    import keras
    import tensorflow as tf

    ours = library == "ours"
    layer = getattr(fused if ours else keras.layers, layer)(units, unroll=ours and units < 100)
    model = keras.Sequential([keras.Input((steps, features)), layer, keras.layers.Dense(1)])
    model.compile("adam", "mse", steps_per_execution=64, jit_compile=False)
    x, y = map(tf.constant, windows(steps, features))

    def batches(_):
        rows = tf.random.uniform([16, batch], maxval=len(x), dtype="int32")
        return tf.gather(x, rows), tf.gather(y, rows)

    options = tf.data.Options()
    options.autotune.enabled = False  # its thread can make the end of `fit` wait as long again
    endless = tf.data.Dataset.range(2**40).map(batches).unbatch().prefetch(2)
    endless = endless.with_options(options)
    return lambda count: model.fit(endless, steps_per_epoch=count, verbose=0)


def torch_epoch(library, layer, units, steps, features, batch):
    """Return the same of PyTorch's."""
    import torch

    kind = getattr(torch.nn, layer.removeprefix("Simple"))
    recurrent, dense = kind(features, units, batch_first=True), torch.nn.Linear(units, 1)
    optimizer = torch.optim.Adam([*recurrent.parameters(), *dense.parameters()], fused=True)
    x, y = map(torch.from_numpy, windows(steps, features))

    def train(count):
        for _ in range(count):
            rows = torch.randint(len(x), (batch,))
            optimizer.zero_grad()
            answer = dense(recurrent(x[rows])[0][:, -1])
            torch.nn.functional.mse_loss(answer, y[rows]).backward()
            optimizer.step()

    return train


def windows(steps, features):
    """Return inputs (1024, steps, features) and targets (1024, 1)."""
    x = np.random.default_rng(0).normal(size=(1024, steps, features)).astype("float32")
    return x, x[:, -1:, 0] + x[:, 0, :1]


def work(library, threads):
    """Train as the lines of standard input say; answer each with windows a second."""
    sys.path.insert(0, str(REPOSITORY))
    if library == "torch":
        import torch

        torch.set_num_threads(int(threads))
        make = torch_epoch
    else:
        import tensorflow as tf

        intra, inter = map(int, threads.split(","))
        tf.config.threading.set_intra_op_parallelism_threads(intra)
        tf.config.threading.set_inter_op_parallelism_threads(inter)
        make = keras_epoch

    @functools.cache
    def trainer(*case):
        train = make(library, *case)
        train(64)  # the first steps are slow
        start = time.perf_counter()
        train(64)
        return train, 64 * max(1, round(SECONDS / (time.perf_counter() - start)))

    for line in sys.stdin:
        case = json.loads(line)
        train, count = trainer(*case)
        start = time.perf_counter()
        train(count)
        print(count * case[-1] / (time.perf_counter() - start), flush=True)


def measure(workers, case, repeats):
    """Return the windows a second of each library's best worker, each a median."""
    found = {name: [] for name in workers}
    for _ in range(repeats):
        for name, process in workers.items():
            print(json.dumps(case), file=process.stdin, flush=True)
            found[name].append(float(process.stdout.readline()))
    best = {}
    for (library, threads), rates in found.items():
        best[library] = max(best.get(library, (0, "")), (statistics.median(rates), threads))
    return best


def table(torch=None, sizes=SMALL, repeats=5):
    """Return thousands of windows a second by layer and batch; ours over each other library's."""
    import pandas as pd  # not in the workers: PyTorch's interpreter needs none

    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    workers, rows = {}, {}
    for library in ("ours", "keras", "torch")[: 3 if torch else 2]:
        python = torch if library == "torch" else sys.executable
        for threads in THREADS[library]:
            command = [python, __file__, "--worker", library, threads]
            workers[library, threads] = subprocess.Popen(command, text=True, **pipes)
    for layer, size in itertools.product(("LSTM", "GRU", "SimpleRNN"), sizes):
        best = measure(workers, [layer, *size], repeats)
        row = {library: f"{rate / 1000:.1f}" for library, (rate, _) in best.items()}
        row |= {f"/ {other}": f"{best['ours'][0] / best[other][0]:.2f} x" for other in best}
        name = f"{layer}, {size[0]} units, batch {size[3]}"
        rows[name] = row
        print(name, best, flush=True)
    for process in workers.values():
        process.stdin.close()
    return pd.DataFrame(rows).T.drop(columns="/ ours").rename_axis("layer")


def main():
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="Windows a second, by recurrent layer.")
    parser.add_argument("--torch", metavar="PYTHON", help="an interpreter that has PyTorch")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--large", action="store_true", help="as pretrain.py trains")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return work(*args.worker)
    print("Thousand windows a second, each library at its best number of threads:")
    print(table(args.torch, LARGE if args.large else SMALL, args.repeats).to_string())


if __name__ == "__main__":
    main()
