"""Why is a recurrent network slow, and what helps?

Each step waits for the one before. A sequence of 10,000 steps is 10,000 small products in a row,
and a processor, or a GPU far more, spends its time on starting them. How long does a training step
take, by the length of the sequence?

    gru         h_t = (1 - z_t) * h~_t + z_t * h_{t-1}, where z_t and h~_t see h_{t-1}: a loop
    gru, fast   the same, its gradient written out (utils/fused.py): a loop of fewer operations
    mingru      h_t = (1 - z_t) * h_{t-1} + z_t * h~_t, where z_t and h~_t see x_t only, so that
                both are there for all steps before the loop begins
    scan        the same results without a loop. Two steps in a row are again of the form
                h -> keep * h + new, so are four, and eight: log2(steps) passes over all of them

That is depth against work: the scan has 14 passes where the loop has 10,000 steps, but each pass
goes over the whole sequence. It pays where steps are small, and the processor would be idle: a
small batch, few units, a GPU. Where a step alone keeps the processor busy, it gains little. The
175 times that Feng et al., "Were RNNs all we needed?" (2024) report are a GPU against a plain loop.

    python parallel.py
    python parallel.py --lengths 30 100 300 1000
"""

import time

from utils import cli, plotting
from utils.cells import MinGRU, MinGRUCell
from utils.files import output_folder
from utils.fused import GRU

import keras
import pandas as pd
import tensorflow as tf
from keras import layers

FEATURES = 2
SIZES = {"small": (2, 8), "large": (32, 32)}  # sequences in a batch, units
LONGEST = 4.0  # seconds that a training step may take; a longer one is left out
PATIENCE = 0.3  # seconds to measure one for

NETWORKS = {
    "gru": (layers.GRU, plotting.GREY),
    "gru, fast": (GRU, plotting.GREEN),
    "mingru, loop": (lambda units: layers.RNN(MinGRUCell(units)), plotting.ORANGE),
    "mingru, scan": (MinGRU, plotting.BLUE),
}


def training_step(layer):
    """Return a function, compiled for sequences of any length, that takes one training step."""
    model = keras.Sequential([keras.Input((None, FEATURES)), layer, layers.Dense(1)])
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)

    @tf.function(input_signature=[tf.TensorSpec((None, None, FEATURES))], jit_compile=False)
    def step(x):
        with tf.GradientTape() as tape:
            error = tf.reduce_mean((model(x, training=True)[:, 0] - x[:, 0, 0]) ** 2)
        weights = model.trainable_variables
        optimizer.apply(tape.gradient(error, [weight.value for weight in weights]), weights)
        return error

    return step


def milliseconds(step, batch, length):
    """Return the least time of a training step: other programs only ever make it longer."""
    x = tf.random.normal((batch, length, FEATURES))
    times, start = [], time.perf_counter()
    while len(times) < 2 or time.perf_counter() - start < PATIENCE:  # the first one is slow
        before = time.perf_counter()
        step(x).numpy()
        times.append(1000 * (time.perf_counter() - before))
    return min(times)


def measure(lengths):
    """Return milliseconds by (size, network), a row each, and by length, NaN where too long."""
    rows = pd.MultiIndex.from_product([SIZES, NETWORKS])
    times = pd.DataFrame(index=rows, columns=lengths, dtype=float)
    for size, name in rows:
        (batch, units), (layer, _) = SIZES[size], NETWORKS[name]
        step, per_step = training_step(layer(units)), 0
        for length in lengths:
            if per_step * length < LONGEST * 1000:
                times.loc[(size, name), length] = took = milliseconds(step, batch, length)
                per_step = took / length
    return times


def figures(value):
    """Return a number with three significant figures: 1,270 or 0.534."""
    return f"{float(f'{value:.3g}'):,g}"


def moral(times, batch, units):
    """Say in a sentence what the scan gained at the longest length measured."""
    last = times.dropna(axis=1).iloc[:, -1]
    scan = last["mingru, scan"]
    gru, fast, loop, _ = map(figures, last / scan)
    return (
        f"{batch} sequences of {last.name} steps, {units} units: the scan takes {figures(scan)} "
        f"ms, Keras' GRU {gru} times that, the fast GRU {fast}, the MinGRU's own loop {loop}."
    )


def draw(times):
    """Draw milliseconds by length, one picture for each size."""
    figure, axes = plotting.plt.subplots(1, 2, figsize=(10, 4.4), sharey=True)
    for axis, (size, (batch, units)) in zip(axes, SIZES.items(), strict=True):
        for name, (_, colour) in NETWORKS.items():
            axis.loglog(times.loc[(size, name)], "o-", color=colour, label=name)
        axis.set(title=f"{batch} sequences, {units} units", xlabel="steps in a sequence")
    axes[0].set_ylabel("milliseconds per training step")
    axes[0].legend(loc="upper left")
    return figure


def main(argv=None):
    """Measure, print, draw; return the milliseconds."""
    parser = cli.Parser(prog="parallel.py", description=__doc__.splitlines()[0])
    flag = parser.add_argument
    flag("--lengths", type=cli.whole_number(2, 1_000_000), nargs="+", metavar="STEPS",
         default=[30, 100, 300, 1000, 3000, 10_000], help="steps in a sequence")  # fmt: skip
    flag("--output-dir", default="outputs/parallel", metavar="FOLDER")
    flag("--show", action="store_true", help="open the picture in a window")
    args = parser.parse_args(argv)
    folder = output_folder(args.output_dir)
    device = "a GPU" if tf.config.list_logical_devices("GPU") else "a CPU"
    times = measure(sorted(set(args.lengths)))
    print(f"Milliseconds per training step on {device}, by the length of the sequences\n")
    for size, (batch, units) in SIZES.items():
        print(f"{batch} sequences, {units} units")
        print(times.loc[size].to_string(float_format=figures, na_rep="-"), end="\n\n")
    for size, numbers in SIZES.items():
        print(moral(times.loc[size], *numbers))
    plotting.save(draw(times), folder / "figure.png", args.show)
    print(f"Picture: {folder / 'figure.png'}")
    return times


if __name__ == "__main__":
    cli.run(main, "parallel.py")
