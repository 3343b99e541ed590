"""How far back does a recurrent network remember, and why does the LSTM remember further?

Two tasks whose answer depends on two inputs far apart, after Hochreiter & Schmidhuber, "Long
short-term memory" (1997). The lag is the length of the sequence; every sequence is new.

    adding   each step brings a number from [0, 1] and a mark, which is 1 at two steps, one in each
             half; the answer is the sum of the two marked numbers. Always answering 1 has a mean
             squared error of 2 / 12 = 0.167: the trivial line.
    order    two of the symbols are X or Y, after 10 and 50 % of the sequence, the others a, b, c or
             d; the answer is XX, XY, YX or YY. Guessing is wrong in 75 %: the trivial line.

Six networks of about the same number of parameters answer from their last hidden layer:

    simple   h_t = tanh(x_t W + h_{t-1} U + b): the gradient shrinks or grows with each step
    irnn     h_t = relu(x_t W + h_{t-1} U + b), where U starts as the identity (Le et al., 2015)
    gru      a gate decides how much of h stays
    lstm     the memory c is added to, and a forget gate decides how much of it stays
    lstm-f0  the same, but the forget gate's bias starts at 0, half closed; Keras starts it at 1
    lstm-f3  the same, but it starts at 3: open

Test errors after at most 80,000 sequences, mean of seeds 0, 1, 2 (* solved: below 0.01 with each):

             adding                       order
             lag 10   lag 30   lag 100    lag 10   lag 30   lag 100
    simple   0.004*   0.020    0.168      0.000*   0.001*   0.496
    irnn     0.001*   0.002*   0.003*     0.000*   0.000*   0.001*
    gru      0.002*   0.001*   0.002*     0.000*   0.000*   0.000*
    lstm     0.003*   0.002*   0.003*     0.001*   0.000*   0.746
    lstm-f0  0.002*   0.003*   0.003*     0.000*   0.745    0.743
    lstm-f3  0.002*   0.003*   0.003*     0.000*   0.000*   0.000*

The adding problem has short distances to learn from first, order has none: there an LSTM depends
on how much it keeps before it has learned what to keep.

    python long_memory.py                               # the adding problem, lags 10, 30 and 100
    python long_memory.py --task order --seeds 0,1,2
    python long_memory.py --networks simple,irnn --lags 100 --clip-norm 0    # gradients explode
"""

import argparse
import functools
import itertools
import math
import time
from collections.abc import Callable
from typing import NamedTuple

from utils import cli, plotting
from utils.files import output_folder, write_json

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers, ops

ROUND = 1_600  # training sequences between two looks at the validation error
VALIDATION, TEST = 2_000, 10_000  # sequences
SOLVED = 0.01  # test error

# ------------------------------------------------------------------ two tasks


def adding(rng, sequences, lag):
    """Return inputs (sequences, lag, 2), a number and a mark, and the sums (sequences,)."""
    rows = np.arange(sequences)
    marks = np.zeros((sequences, lag))
    marks[rows, rng.integers(0, lag // 2, sequences)] = 1
    marks[rows, rng.integers(lag // 2, lag, sequences)] = 1
    numbers = rng.random((sequences, lag))
    inputs = np.stack([numbers, marks], axis=-1)
    return inputs.astype("float32"), (numbers * marks).sum(axis=1).astype("float32")


def order(rng, sequences, lag):
    """Return inputs (sequences, lag, 6), 1-of-6 over X Y a b c d, and classes 0-3 (sequences,)."""
    rows = np.arange(sequences)
    symbols = rng.integers(2, 6, (sequences, lag))
    first, second = rng.integers(0, 2, (2, sequences))  # 0 is X, 1 is Y
    symbols[rows, rng.integers(lag // 10, lag // 5, sequences)] = first
    symbols[rows, rng.integers(lag // 2, lag * 3 // 5, sequences)] = second
    return np.eye(6, dtype="float32")[symbols], 2 * first + second


def share_wrong(classes, scores):
    """Return 1 where the highest score is not that of the right class, else 0."""
    return 1 - keras.metrics.sparse_categorical_accuracy(classes, scores)


class Task(NamedTuple):
    """What a network is asked, and how its answers are judged."""

    make: Callable
    features: int
    outputs: int
    loss: keras.losses.Loss
    error: Callable
    error_name: str
    trivial: float  # the error of the best answer that ignores the inputs


TASKS = {
    "adding": Task(adding, 2, 1, keras.losses.MeanSquaredError(),
                   keras.metrics.mean_squared_error, "mean squared error", 1 / 6),
    "order": Task(order, 6, 4, keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  share_wrong, "share of wrong answers", 3 / 4),
}  # fmt: skip

# ------------------------------------------------------------------ six networks


class Network(NamedTuple):
    """A recurrent layer, what its size depends on, and how fast it learns."""

    layer: Callable
    products: int  # per step, with [x_t, h_{t-1}]: one, and one more for each gate
    biases: int  # per product
    learning_rate: float  # found by hand, on the adding problem's validation part
    colour: str


def lstm_starting_with(forget_bias, units):
    """Return an LSTM layer whose forget gate starts with this bias; Keras' own starts with 1."""

    def bias(shape, dtype=None):
        return ops.repeat(ops.convert_to_tensor([0, forget_bias, 0, 0], dtype), units)

    return layers.LSTM(units, unit_forget_bias=False, bias_initializer=bias)


# Le et al. start W at 0.001 in size; Keras' default, larger, learns sooner here
irnn = functools.partial(layers.SimpleRNN, activation="relu", recurrent_initializer="identity")

NETWORKS = {
    "simple": Network(layers.SimpleRNN, 1, 1, 0.001, plotting.BLACK),
    "irnn": Network(irnn, 1, 1, 0.003, plotting.ORANGE),
    "gru": Network(layers.GRU, 3, 2, 0.03, plotting.GREEN),
    "lstm": Network(layers.LSTM, 4, 1, 0.03, plotting.BLUE),
    "lstm-f0": Network(functools.partial(lstm_starting_with, 0), 4, 1, 0.03, plotting.SKY),
    "lstm-f3": Network(functools.partial(lstm_starting_with, 3), 4, 1, 0.03, plotting.PURPLE),
}


def units_for(network, task, parameters):
    """Return the units whose network is nearest to the wanted number of parameters."""

    def count(units):
        recurrent = network.products * units * (task.features + units + network.biases)
        return recurrent + (units + 1) * task.outputs

    return min(range(1, math.isqrt(parameters) + 1), key=lambda n: abs(count(n) - parameters))


def build_model(network, task, lag, units, learning_rate, clip_norm):
    """Return a network (batch, lag, features) -> (batch, outputs), compiled."""
    model = keras.Sequential(
        [keras.Input((lag, task.features)), network.layer(units), layers.Dense(task.outputs)]
    )
    optimizer = WatchfulAdam(learning_rate, global_clipnorm=clip_norm or None)
    model.compile(optimizer, task.loss, metrics=[task.error], steps_per_execution=10)
    return model


class WatchfulAdam(keras.optimizers.Adam):
    """Adam that remembers the norm of the largest gradient it was given, before clipping."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.largest_norm = keras.Variable(0.0, trainable=False, name="largest_norm")

    def apply(self, grads, trainable_variables=None):
        """Clip and take one step."""
        norm = ops.sqrt(sum(ops.sum(ops.square(gradient)) for gradient in grads))
        self.largest_norm.assign(ops.maximum(self.largest_norm, norm))
        super().apply(grads, trainable_variables)


# ------------------------------------------------------------------ training and looking inside


def train(model, task, lag, seed, sequences, batch_size):
    """Train on new sequences until the task is solved; leave the best weights in the model.

    Returns:
        A frame with a row per round, indexed by the sequences seen so far: the validation error and
        the norm of the round's largest gradient.
    """
    rng = np.random.default_rng([0, lag, seed])
    validation = task.make(np.random.default_rng([1, lag]), VALIDATION, lag)
    best, weights, rounds, seen = math.inf, model.get_weights(), [], 0
    while seen < sequences:
        model.optimizer.largest_norm.assign(0.0)
        inputs, targets = task.make(rng, min(ROUND, sequences - seen), lag)
        model.fit(inputs, targets, batch_size=batch_size, verbose=0)
        seen += len(inputs)
        error = model.evaluate(*validation, batch_size=500, verbose=0)[1]
        rounds.append((seen, error, float(model.optimizer.largest_norm)))
        if error < best:
            best, weights = error, model.get_weights()
        if error < SOLVED / 3 or not math.isfinite(error):
            break
    model.set_weights(weights)
    columns = ["sequences", "error", "largest gradient"]
    return pd.DataFrame(rounds, columns=columns).set_index("sequences")


def gradient_norms(model, inputs):
    """Return how much each step moves the last output: the mean norm of d output / d x_t, (lag,).

    Args:
        model: (batch, lag, features) -> (batch, outputs).
        inputs: (batch, lag, features).
    """
    inputs = tf.convert_to_tensor(inputs)
    squares = 0
    for k in range(model.output_shape[-1]):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            output = model(inputs)[:, k]
        # float64: the square of a vanishing float32 is 0
        squares += np.square(tape.gradient(output, inputs), dtype="float64").sum(axis=-1)
    return np.sqrt(squares).mean(axis=0)


def verdict(errors, trivial):
    """Say in a word what the errors of all the seeds mean."""
    if max(errors) < SOLVED:
        return "solved"
    return "trivial" if min(errors) > 0.9 * trivial else "partly"


# ------------------------------------------------------------------ three pictures


def draw_errors(errors, task):
    """Draw the error against the lag; `errors` has a row per network and a column per lag."""
    figure, axes = plotting.new_figure("a", (7, 4.4))
    lags = errors.columns
    for name, error in errors.iterrows():
        axes["a"].plot(lags, error, "o-", color=NETWORKS[name].colour, label=name)
    axes["a"].set_title("How far back each network remembers")
    axes["a"].set(xlabel="lag: steps in a sequence", xscale="log")
    axes["a"].set_xticks(lags, lags)
    axes["a"].set_xticks([], minor=True)
    finish_error_axis(axes["a"], task, "test")
    figure.legend(loc="outside lower center", ncols=len(NETWORKS))
    return figure


def finish_error_axis(axes, task, part):
    """Draw the trivial line, and shade where the task counts as solved."""
    axes.set_yscale("symlog", linthresh=SOLVED)  # linear up to there, because an error can be 0
    axes.set_ylim(0, max(2.5 * task.trivial, axes.get_ylim()[1]))
    axes.set_ylabel(f"{task.error_name}, {part}")
    axes.axhspan(0, SOLVED, color=plotting.GREEN, alpha=0.08, lw=0)
    axes.axhline(task.trivial, color=plotting.GREY, ls="--")
    labels = [(f"trivial line: {task.trivial:.3f}", task.trivial, 5), ("solved", SOLVED, -15)]
    for text, y, above in labels:
        axes.annotate(text, (1, y), (-4, above), xycoords=("axes fraction", "data"),
                      textcoords="offset points", ha="right", color=plotting.GREY)  # fmt: skip


def draw_gradients(before, after, lag):
    """Draw the gradient norms of each network, dictionaries of (lag,), against the steps back."""
    figure, axes = plotting.new_figure("ab", (9.5, 4.4), sharex=True, sharey=True)
    for panel, title, norms in [("a", "Before training", before), ("b", "After training", after)]:
        for name, norm in norms.items():
            steps_back = np.arange(lag)[::-1]
            axes[panel].semilogy(steps_back, norm, color=NETWORKS[name].colour, label=name)
        axes[panel].set_title(title)
        axes[panel].set(xlabel="steps back from the last one", xlim=(lag - 1, 0))
    axes["a"].set(ylabel="gradient of the output by the input (norm)")
    figure.legend(handles=axes["a"].lines, loc="outside lower center", ncols=len(NETWORKS))
    return figure


def draw_training(rounds, task, lag, clip_norm):
    """Draw the training of each network: a dictionary of what `train` returns."""
    figure, axes = plotting.new_figure("ab", (9.5, 4.4), sharex=True)
    for name, frame in rounds.items():
        thousands, colour = frame.index / 1000, NETWORKS[name].colour
        axes["a"].plot(thousands, frame["error"], color=colour, label=name)
        axes["b"].semilogy(thousands, frame["largest gradient"], color=colour)
    axes["a"].set_title(f"Training at lag {lag}")
    how = f"clipped at {clip_norm:g}" if clip_norm else "not clipped"
    axes["b"].set_title(f"The largest gradients, {how}")
    for panel in axes.values():
        panel.set_xlabel("thousands of sequences seen")
    finish_error_axis(axes["a"], task, "validation")
    axes["b"].set_ylabel("gradient of the loss by the weights (norm)")
    if clip_norm:
        axes["b"].axhline(clip_norm, color=plotting.GREY, ls="--")
    figure.legend(loc="outside lower center", ncols=len(NETWORKS))
    return figure


# ------------------------------------------------------------------ the lesson


def whole_numbers(minimum):
    """Return a flag type that takes a comma-separated list of integers from `minimum` on."""
    parse = cli.whole_number(minimum)
    return lambda text: sorted({parse(number) for number in cli.names(text)})


def parse_args(argv=None) -> argparse.Namespace:
    parser = cli.Parser(prog="long_memory.py", description=__doc__.splitlines()[0])
    flag = parser.add_argument
    flag("--task", choices=TASKS, default="adding", help="what to remember")
    flag("--lags", type=whole_numbers(10), default=[10, 30, 100], metavar="A,B",
         help="steps in a sequence")  # fmt: skip
    flag("--networks", type=cli.names, default=list(NETWORKS), metavar="A,B", help="which")
    flag("--seeds", type=whole_numbers(0), default=[0], metavar="A,B",
         help="of the weights and the training sequences")  # fmt: skip
    flag("--parameters", type=cli.whole_number(50), default=4500, help="of each network, about")
    flag("--sequences", type=cli.whole_number(1), default=80_000,
         help="to train on, at most; training ends when the task is solved")  # fmt: skip
    flag("--batch-size", type=cli.whole_number(1), default=32, help="sequences per training step")
    flag("--learning-rate", type=cli.number_above(0),
         help="of all networks; without it, each has its own")  # fmt: skip
    flag("--clip-norm", type=cli.number_above(0, inclusive=True), default=1.0,
         help="longer gradients are cut to this norm; 0: none")  # fmt: skip
    flag("--output-dir", default="outputs/long_memory", metavar="FOLDER")
    flag("--show", action="store_true", help="open each picture in a window too")
    args = parser.parse_args(argv)
    args.networks = list(dict.fromkeys(args.networks))
    if unknown := [name for name in args.networks if name not in NETWORKS]:
        parser.error(f"--networks: {unknown[0]!r} is not one of {', '.join(NETWORKS)}")
    if not (args.networks and args.lags and args.seeds):
        parser.error("--networks, --lags and --seeds need at least one entry each")
    return args


def main(argv=None) -> dict:
    """Train every network at every lag; return each run's test error, and the verdicts."""
    args = parse_args(argv)
    folder = output_folder(args.output_dir)
    task, longest = TASKS[args.task], args.lags[-1]
    print(f"{args.task}: {task.error_name}; the trivial line is {task.trivial:.4f}")
    runs, before, after, rounds = [], {}, {}, {}
    for lag, name, seed in itertools.product(args.lags, args.networks, args.seeds):
        start = time.perf_counter()
        keras.utils.set_random_seed(seed)
        network = NETWORKS[name]
        units = units_for(network, task, args.parameters)
        learning_rate = args.learning_rate or network.learning_rate
        model = build_model(network, task, lag, units, learning_rate, args.clip_norm)
        test = task.make(np.random.default_rng([2, lag]), TEST, lag)
        norms = gradient_norms(model, test[0][:100])
        history = train(model, task, lag, seed, args.sequences, args.batch_size)
        error = model.evaluate(*test, batch_size=500, verbose=0)[1]
        if lag == longest and seed == args.seeds[0]:
            before[name], rounds[name] = norms, history
            after[name] = gradient_norms(model, test[0][:100])
        runs.append(
            {"lag": lag, "network": name, "seed": seed, "error": error,
             "sequences": int(history.index[-1]), "units": units,
             "parameters": model.count_params(), "learning_rate": learning_rate}
        )  # fmt: skip
        print(
            f"lag {lag:4}  {name:8} seed {seed}: error {error:.4f} after "
            f"{history.index[-1]:6,} sequences, {time.perf_counter() - start:3.0f} s",
            flush=True,
        )

    errors = pd.DataFrame(runs).groupby(["network", "lag"], sort=False)["error"].agg(list).unstack()
    verdicts = errors.map(lambda seeds: verdict(seeds, task.trivial))
    table = errors.map(lambda seeds: f"{np.mean(seeds):.4f} ") + verdicts
    table.loc["trivial line"] = f"{task.trivial:.4f}        "
    table.columns = [f"lag {lag}" for lag in args.lags]
    print(f"\nTest error ({task.error_name}), mean over seeds {args.seeds}:")
    print(table.to_string(index_names=False))
    print(
        f"solved: below {SOLVED:g} with every seed; trivial: above 0.9 x {task.trivial:.4f} "
        "with every seed, nothing remembered"
    )
    figures = {
        "errors": draw_errors(errors.map(np.mean), task),
        "gradients": draw_gradients(before, after, longest),
        "training": draw_training(rounds, task, longest, args.clip_norm),
    }
    for name, figure in figures.items():
        plotting.save(figure, folder / f"{name}.png", args.show)
    scores = {
        "task": args.task,
        "trivial": task.trivial,
        "verdicts": verdicts.rename(columns=str).T.to_dict(),  # network -> lag -> word
        "runs": runs,
    }
    write_json(scores, folder / "scores.json")
    print(f"Pictures and scores: {folder}")
    return scores


if __name__ == "__main__":
    cli.run(main, "long_memory.py")
