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

What decides is not how far the gradient reaches before training: at lag 100, the tanh network's
reaches the first half of the sequence with 4e-3, the GRU's with 5e-12, and the GRU learns. At first
the networks learn to answer 1, and the LSTMs and the tanh network forget even more. Then those with
gates, or ReLU, begin to tell marked numbers from others where these are near, and soon hold what is
marked over any distance: its gradient jumps to about 1. The tanh network never tells them apart:
what its gradient brings back from afar is all numbers alike. The adding problem has such short
distances to learn from, order has none: there an LSTM depends on how much it keeps before it has
learned what to keep.

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
LOOK = 200  # sequences, of whose steps the gradients are taken
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


def adding_steps(inputs):
    """Return which steps count, the two marked ones, and how a step might change: its number."""
    return inputs[..., 1] == 1, np.broadcast_to(np.float32([1, 0]), inputs.shape)


def order(rng, sequences, lag):
    """Return inputs (sequences, lag, 6), 1-of-6 over X Y a b c d, and classes 0-3 (sequences,)."""
    rows = np.arange(sequences)
    symbols = rng.integers(2, 6, (sequences, lag))
    first, second = rng.integers(0, 2, (2, sequences))  # 0 is X, 1 is Y
    symbols[rows, rng.integers(lag // 10, lag // 5, sequences)] = first
    symbols[rows, rng.integers(lag // 2, lag * 3 // 5, sequences)] = second
    return np.eye(6, dtype="float32")[symbols], 2 * first + second


def order_steps(inputs):
    """Return which steps count, the two with X or Y, and a change: X for Y, a for b, c for d."""
    return inputs[..., :2].any(axis=-1), inputs[..., [1, 0, 3, 2, 5, 4]] - inputs


def share_wrong(classes, scores):
    """Return 1 where the highest score is not that of the right class, else 0."""
    return 1 - keras.metrics.sparse_categorical_accuracy(classes, scores)


class Task(NamedTuple):
    """What a network is asked, and how its answers are judged."""

    make: Callable
    steps: Callable  # of the inputs: which count, and how each might change
    features: int
    outputs: int
    loss: keras.losses.Loss
    error: Callable
    error_name: str
    trivial: float  # the error of the best answer that ignores the inputs


TASKS = {
    "adding": Task(
        adding, adding_steps, 2, 1, keras.losses.MeanSquaredError(),
        keras.metrics.mean_squared_error, "mean squared error", 1 / 6,
    ),
    "order": Task(
        order, order_steps, 6, 4, keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        share_wrong, "share of wrong answers", 3 / 4,
    ),
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
        A frame with a row per round, indexed by the sequences seen so far, from 0 on: the
        validation error; the norm of the round's largest gradient by the weights; and three
        means of `gradients_by_step`: of the first and of the second step that counts, of which each
        half of the sequence has one, and of the other steps of the second half.
    """
    rng = np.random.default_rng([0, lag, seed])
    validation = task.make(np.random.default_rng([1, lag]), VALIDATION, lag)
    gradients = input_gradients(model)
    best, weights, rounds, seen = math.inf, None, [], 0
    while True:
        error = model.evaluate(*validation, batch_size=500, verbose=0)[1]
        by_step = gradients_by_step(gradients, task, validation[0][:LOOK])
        early, late = by_step[: lag // 2].mean(), by_step[lag // 2 :].mean()
        by_half = early["counts"], late["counts"], late["others"]
        rounds.append((seen, error, float(model.optimizer.largest_norm), *by_half))
        if error < best or weights is None:
            best, weights = error, model.get_weights()
        if seen >= sequences or error < SOLVED / 3 or not math.isfinite(error):
            break
        model.optimizer.largest_norm.assign(0.0)
        inputs, targets = task.make(rng, min(ROUND, sequences - seen), lag)
        model.fit(inputs, targets, batch_size=batch_size, verbose=0)
        seen += len(inputs)
    model.set_weights(weights)
    columns = ["sequences", "error", "largest gradient", "first", "second", "others"]
    return pd.DataFrame(rounds, columns=columns).set_index("sequences")


def input_gradients(model):
    """Return a function, compiled: inputs (batch, lag, features) -> d output / d input.

    The gradients are (outputs, batch, lag, features), of a model (batch, lag, features) ->
    (batch, outputs).
    """

    def gradients(inputs):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(inputs)
            outputs = tf.unstack(model(inputs), axis=-1)
        return tf.stack([tape.gradient(output, inputs) for output in outputs])

    signature = tf.TensorSpec((None, *model.input_shape[1:]), "float32")
    return tf.function(gradients).get_concrete_function(signature)


def gradients_by_step(gradients, task, inputs):
    """Return how much each step moves the last output, if it brings another number or symbol.

    Args:
        gradients: of `input_gradients`.
        task: says which steps count, and how each might change.
        inputs: (batch, lag, features).

    Returns:
        A frame indexed by the steps back from the last one, oldest first: the mean size of
        d output / d x_t times the change, where the step counts (NaN where none does) and where
        it doesn't.
    """
    counts, change = task.steps(inputs)
    # float64: the square of a vanishing float32 is 0
    moved = (np.float64(gradients(tf.convert_to_tensor(inputs))) * change).sum(axis=-1)
    sizes = pd.DataFrame(np.sqrt(np.square(moved).sum(axis=0)))  # (batch, lag)
    means = {"counts": sizes.where(counts).mean(), "others": sizes.where(~counts).mean()}
    return pd.DataFrame(means).set_axis(range(len(sizes.columns) - 1, -1, -1))


def reach(rounds):
    """Say how far the gradients of each network reached while it learned.

    Args:
        rounds: by network, what `train` returns.

    Returns:
        A row per network: the gradient of the output by what counts in the first half of the
        sequence, before training, at its lowest, and in the end; and how many times as large as
        those of the other steps the gradient by what counts in the second half became.
    """
    columns = ["first half: before", "lowest", "in the end", "second half: times the others"]
    rows = [
        [first.iloc[0], first.min(), first.iloc[-1], (frame["second"] / frame["others"]).max()]
        for frame in rounds.values()
        for first in [frame["first"]]
    ]
    return pd.DataFrame(rows, rounds, columns)


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


def draw_gradients(rounds, after, lag):
    """Draw how the gradients change while each network learns, and where they reach in the end.

    Args:
        rounds: by network, what `train` returns.
        after: by network, `gradients_by_step` of the trained model.
        lag: of both.
    """
    figure, axes = plotting.new_figure("abc", (13, 4.6))
    for name, frame in rounds.items():
        look = {"color": NETWORKS[name].colour, "label": name}
        thousands = frame.index / 1000
        axes["a"].semilogy(thousands, frame["second"] / frame["others"], **look)
        axes["b"].semilogy(thousands, frame["first"], **look)
        axes["b"].plot(0, frame["first"].iloc[0], "o", ms=5, **look)
        axes["c"].semilogy(after[name]["counts"].dropna(), **look)
    axes["a"].set_title("First they learn what counts: its gradient\nover that of the other steps")
    axes["b"].set_title("Then to hold it: the gradient\nof what counts in the first half")
    axes["c"].set_title("After training: the gradient\nof what counts, step by step")
    axes["a"].set(xlabel="thousands of sequences seen", ylabel="ratio, in the second half")
    axes["b"].set(
        xlabel="thousands of sequences seen", ylabel="gradient of the output by the input"
    )
    axes["c"].set(xlabel="steps back from the last one", xlim=(lag - 1, 0))
    axes["c"].sharey(axes["b"])
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


def run(args, lag, name, seed):
    """Train one network at one lag.

    Returns:
        what scores.json says of it; what `train` returns; `gradients_by_step` of the trained model.
    """
    begin = time.perf_counter()
    task, network = TASKS[args.task], NETWORKS[name]
    keras.utils.set_random_seed(seed)
    units = units_for(network, task, args.parameters)
    learning_rate = args.learning_rate or network.learning_rate
    model = build_model(network, task, lag, units, learning_rate, args.clip_norm)
    history = train(model, task, lag, seed, args.sequences, args.batch_size)
    test = task.make(np.random.default_rng([2, lag]), TEST, lag)
    error, sequences = model.evaluate(*test, batch_size=500, verbose=0)[1], int(history.index[-1])
    print(
        f"lag {lag:4}  {name:8} seed {seed}: error {error:.4f} after {sequences:6,} sequences, "
        f"{time.perf_counter() - begin:3.0f} s",
        flush=True,
    )
    facts = {
        "lag": lag, "network": name, "seed": seed, "error": error, "sequences": sequences,
        "units": units, "parameters": model.count_params(), "learning_rate": learning_rate,
    }  # fmt: skip
    return facts, history, gradients_by_step(input_gradients(model), task, test[0][:LOOK])


def report(runs, rounds, after, args, folder):
    """Print the table, draw the pictures at the longest lag, and write both.

    Args:
        runs: a dictionary per run, as `run` returns it.
        rounds: what `train` returned, by lag and network, for the first seed.
        after: `gradients_by_step` in the end, likewise.
        args: the flags.
        folder: where to.

    Returns:
        what scores.json holds.
    """
    task = TASKS[args.task]
    errors = pd.DataFrame(runs).groupby(["network", "lag"], sort=False)["error"].agg(list).unstack()
    verdicts = errors.map(lambda seeds: verdict(seeds, task.trivial), na_action="ignore")
    means = errors.map(np.mean, na_action="ignore")
    table = means.map("{:.4f} ".format) + verdicts
    table.loc["trivial line"] = f"{task.trivial:.4f}        "
    table.columns = [f"lag {lag}" for lag in errors.columns]
    print(f"\nTest error ({task.error_name}), mean over seeds {args.seeds}:")
    print(table.fillna("").to_string(index_names=False))
    print(
        f"solved: below {SOLVED:g} with every seed; trivial: above 0.9 x {task.trivial:.4f} "
        "with every seed, nothing remembered"
    )
    longest = max(rounds)
    print(f"\nWhile they learned, at lag {longest}, seed {args.seeds[0]}:")
    print(reach(rounds[longest]).to_string(float_format="{:.1e}".format))
    figures = {
        "errors": draw_errors(means, task),
        "gradients": draw_gradients(rounds[longest], after[longest], longest),
        "training": draw_training(rounds[longest], task, longest, args.clip_norm),
    }
    for name, figure in figures.items():
        plotting.save(figure, folder / f"{name}.png", args.show)
    scores = {
        "task": args.task,
        "trivial": task.trivial,
        "verdicts": {  # network -> lag -> word
            name: row.dropna().to_dict() for name, row in verdicts.rename(columns=str).iterrows()
        },
        "runs": runs,
    }
    write_json(scores, folder / "scores.json")
    print(f"Pictures and scores: {folder}")
    return scores


def main(argv=None) -> dict:
    """Train every network at every lag; return each run's test error, and the verdicts.

    Raises:
        KeyboardInterrupt: after Ctrl-C, once the networks that were finished are reported.
    """
    args = parse_args(argv)
    folder = output_folder(args.output_dir)
    task = TASKS[args.task]
    print(f"{args.task}: {task.error_name}; the trivial line is {task.trivial:.4f}")
    runs, interrupt = [], None
    rounds, after = ({lag: {} for lag in args.lags} for _ in range(2))
    try:
        for lag, name, seed in itertools.product(args.lags, args.networks, args.seeds):
            facts, history, by_step = run(args, lag, name, seed)
            runs.append(facts)
            rounds[lag].setdefault(name, history)
            after[lag].setdefault(name, by_step)
    except KeyboardInterrupt as caught:
        interrupt = caught
    if runs:
        rounds = {lag: named for lag, named in rounds.items() if named}
        scores = report(runs, rounds, after, args, folder)
    if interrupt:
        raise interrupt
    return scores


if __name__ == "__main__":
    cli.run(main, "long_memory.py")
