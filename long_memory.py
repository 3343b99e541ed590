"""How far back does a recurrent network remember, and why does the LSTM remember further?

Two tasks whose answer depends on two inputs far apart, after Hochreiter & Schmidhuber, "Long
short-term memory" (1997). The lag is the length of the sequence; every sequence is new.

    adding   each step brings a number from [0, 1] and a mark, which is 1 at one step of each half;
             the answer is the sum of the two marked numbers. Always answering 1 has a mean squared
             error of 2 / 12 = 0.167: the trivial line.
    order    two of the symbols are X or Y, after 10 and 50 % of the sequence, the others a, b, c or
             d; the answer is XX, XY, YX or YY. Guessing is wrong in 75 %: the trivial line.

A task is solved with a test error below 0.01. Networks of about 4,500 parameters answer from their
last hidden layer, after at most 80,000 sequences. At lag 100 all but the tanh network ("simple")
solve the adding problem, and how far the gradient reaches before training decides nothing. First,
all learn to answer 1. Then those with gates, or ReLU, tell marked numbers from others where these
are near, and soon hold them over any distance: the gradient of early marked numbers jumps to about
1. The order task has no short distances to learn from: there the forget gate's bias decides, which
starts at 1 in Keras, 0 in lstm-f0, 3 in lstm-f3; a MinGRU's gate starts at -4, shut.

    python long_memory.py                               # the adding problem, lags 10, 30 and 100
    python long_memory.py --task order --seeds 0,1,2
    python long_memory.py --networks simple,irnn --lags 100 --clip-norm 0    # gradients explode
    python long_memory.py --networks gru,mingru --lags 100,300,1000 --seconds 60
    python long_memory.py --networks mingru --lags 1000 --seconds 300    # solved
"""

import itertools
import math
import time
from functools import partial

from utils import cli, plotting
from utils.cells import MinGRU, starting_with
from utils.files import output_folder, write_json
from utils.fused import GRU, LSTM, SimpleRNN  # Keras' own, faster on a CPU

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import ops
from keras.layers import Dense

BATCH = 32  # sequences per training step
ROUND = 1_600  # training sequences between two looks at the validation error
VALIDATION, TEST, PREDICT_BATCH, GRADIENT_SEQUENCES = 2_000, 10_000, 500, 200  # sequences
SOLVED = 0.01  # test error
LAGS = range(10, 1001)  # below, the halves are too short for the order task

# ------------------------------------------------------------------ two tasks
# `make` returns inputs, targets, which steps count, and a change of each step


class Adding:
    """The sum of two marked numbers."""

    features, outputs = 2, 1
    loss = error = staticmethod(keras.losses.mean_squared_error)
    error_name, trivial = "mean squared error", 1 / 6  # of always answering 1

    @staticmethod
    def make(rng, sequences, lag):
        """Draw numbers and marks (sequences, lag, 2), and the sums; another number is a change."""
        rows = np.arange(sequences)
        marks = np.zeros((sequences, lag))
        marks[rows, rng.integers(0, lag // 2, sequences)] = 1
        marks[rows, rng.integers(lag // 2, lag, sequences)] = 1
        numbers = rng.random((sequences, lag))
        inputs = np.stack([numbers, marks], axis=-1).astype("float32")
        sums = (numbers * marks).sum(axis=1).astype("float32")
        return inputs, sums, marks == 1, np.broadcast_to([1, 0], inputs.shape)


class Order:
    """Which of X and Y came first, and which second."""

    features, outputs = 6, 4
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    error_name, trivial = "share of wrong answers", 3 / 4  # of guessing

    @staticmethod
    def error(classes, scores):
        """Return 1 for each wrong answer, 0 for a right one."""
        return 1 - keras.metrics.sparse_categorical_accuracy(classes, scores)

    @staticmethod
    def make(rng, sequences, lag):
        """Draw 1-of-6 over X Y a b c d, and classes; X for Y, a for b and c for d are changes."""
        rows = np.arange(sequences)
        symbols = rng.integers(2, 6, (sequences, lag))
        first, second = rng.integers(0, 2, (2, sequences))  # 0 is X, 1 is Y
        symbols[rows, rng.integers(lag // 10, lag // 5, sequences)] = first
        symbols[rows, rng.integers(lag // 2, lag * 3 // 5, sequences)] = second
        one_hot = np.eye(6, dtype="float32")
        inputs = one_hot[symbols]
        return inputs, 2 * first + second, symbols < 2, one_hot[symbols ^ 1] - inputs


TASKS = {"adding": Adding, "order": Order}

# ------------------------------------------------------------------ the networks


def irnn(units):
    """Return h_t = relu(x_t W + h_{t-1} U + b); U starts as the identity (Le et al., 2015)."""
    return SimpleRNN(units, activation="relu", recurrent_initializer="identity")


def lstm_starting_with(forget_bias, units):
    """Return an LSTM layer whose forget gate starts with this bias; Keras' own starts with 1."""
    return LSTM(units, unit_forget_bias=False, bias_initializer=starting_with(0, forget_bias, 0, 0))


# layer; its units for about 4,500 parameters, by task; learning rate, found by hand on the adding
# problem's validation part; colour. "simple" is h_t = tanh(x_t W + h_{t-1} U + b)
NETWORKS = {
    "simple": (SimpleRNN, {"adding": 65, "order": 62}, 0.001, plotting.BLACK),
    "irnn": (irnn, {"adding": 65, "order": 62}, 0.003, plotting.ORANGE),
    "gru": (GRU, {"adding": 37, "order": 34}, 0.03, plotting.GREEN),
    "lstm": (LSTM, {"adding": 32, "order": 30}, 0.03, plotting.BLUE),
    "lstm-f0": (partial(lstm_starting_with, 0), {"adding": 32, "order": 30}, 0.03, plotting.SKY),
    "lstm-f3": (partial(lstm_starting_with, 3), {"adding": 32, "order": 30}, 0.03, plotting.PURPLE),
    "mingru": (MinGRU, {"adding": 67, "order": 67}, 0.03, plotting.GREY),  # fewer parameters
}
SIX = "simple,irnn,gru,lstm,lstm-f0,lstm-f3"


class WatchfulAdam(keras.optimizers.Adam):
    """Adam that remembers the norm of the largest gradient, before it is clipped."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.largest_norm = keras.Variable(0.0, trainable=False, name="largest_norm")

    def apply(self, grads, trainable_variables=None):
        """Clip and take one step."""
        norm = ops.sqrt(sum(ops.sum(ops.square(gradient)) for gradient in grads))
        self.largest_norm.assign(ops.maximum(self.largest_norm, norm))
        super().apply(grads, trainable_variables)


def build_model(layer, task, lag, learning_rate, clip_norm):
    """Return a network (batch, lag, features) -> (batch, outputs), compiled; clip_norm 0: none."""
    inputs = keras.Input((lag, task.features))
    model = keras.Sequential([inputs, layer, Dense(task.outputs)])
    optimizer = WatchfulAdam(learning_rate, global_clipnorm=clip_norm or None)
    optimizer.build(model.trainable_variables)  # in the first step, `fit` would trace that twice
    model.compile(optimizer, task.loss, steps_per_execution=10)
    return model


def mean_error(model, task, inputs, targets):
    """Return the task's error over all sequences."""
    parts = np.split(inputs, len(inputs) // PREDICT_BATCH)  # `evaluate` takes twice as long
    answers = np.concatenate([model.predict_on_batch(part) for part in parts])
    return float(ops.mean(task.error(targets, answers)))


# ------------------------------------------------------------------ training and looking inside


@tf.function  # compiled, once per model
def input_gradients(model, inputs):
    """Return the gradient of each output by the inputs, (batch, outputs, lag, features)."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = model(inputs)
    return tape.batch_jacobian(outputs, inputs, experimental_use_pfor=False)


def gradients_by_step(model, inputs, counts, change):
    """Return how much the answer moves when a step brings another number or symbol.

    Takes inputs (batch, lag, features), which steps count (batch, lag), and the change. Returns a
    frame indexed by the steps back from the last one, oldest first: the mean size of
    d output / d x_t times the change, where the step counts (NaN where none does) and where not.
    """
    # float64, as the square of 1e-30 is no float32
    moved = np.float64(input_gradients(model, tf.convert_to_tensor(inputs)))
    moved = (moved * change[:, None]).sum(axis=-1)  # (batch, outputs, lag)
    sizes = pd.DataFrame(np.sqrt(np.square(moved).sum(axis=1)))  # (batch, lag)
    means = {"counts": sizes.where(counts).mean(), "others": sizes.where(~counts).mean()}
    return pd.DataFrame(means).set_axis(range(len(sizes.columns) - 1, -1, -1))


def train(model, task, lag, seed, sequences, seconds=math.inf):
    """Train on new sequences until the task is solved; leave the best weights in the model.

    Returns a frame indexed by the sequences seen so far, from 0 on: the validation error; the norm
    of the round's largest gradient by the weights; means of `gradients_by_step` where it counts in
    the first and in the second half, and of the rest there. And `gradients_by_step` in the end.
    """
    rng = np.random.default_rng([0, lag, seed])
    inputs, targets, *steps = task.make(np.random.default_rng([1, lag]), VALIDATION, lag)
    watched = [part[:GRADIENT_SEQUENCES] for part in (inputs, *steps)]
    end = time.perf_counter() + seconds
    best, rounds, seen = math.inf, [], 0
    while True:
        error = mean_error(model, task, inputs, targets)
        by_step = gradients_by_step(model, *watched)
        early, late = by_step[: lag // 2].mean(), by_step[lag // 2 :].mean()
        rounds.append((seen, error, float(model.optimizer.largest_norm), early["counts"], *late))
        if seen == 0 or error < best:
            best, kept = error, (model.get_weights(), by_step)
        finished = seen >= sequences or time.perf_counter() > end
        if error < SOLVED / 3 or not math.isfinite(error) or finished:
            break
        model.optimizer.largest_norm.assign(0.0)
        new = task.make(rng, min(ROUND, sequences - seen), lag)
        model.fit(*new[:2], batch_size=BATCH, verbose=0)
        seen += len(new[0])
    weights, by_step = kept
    model.set_weights(weights)
    columns = ["sequences", "error", "largest gradient", "first", "second", "others"]
    return pd.DataFrame(rounds, columns=columns).set_index("sequences"), by_step


def draw(errors, inside, task, clip_norm):
    """Return two pictures by name, a curve per network in each panel.

    Errors: on the test part by lag, a row of `errors` per network, and the training at the longest
    lag. Gradients: how they change while each network learns, and where they reach in the end.
    `inside` holds, by network, what `train` returned there.
    """
    names = "errors", "gradients"
    pictures = {name: plotting.plt.subplots(1, 3, figsize=(13, 4.6)) for name in names}
    (_, (by_lag, training, norms)), (_, (ratio, early, reach)) = pictures.values()
    for name, (rounds, by_step) in inside.items():
        look = {"color": NETWORKS[name][-1], "label": name}
        by_lag.plot(errors.loc[name], "o-", **look)
        training.plot(rounds["error"], **look)
        norms.semilogy(rounds["largest gradient"].iloc[1:], ".-", **look)
        ratio.semilogy(rounds["second"] / rounds["others"], **look)
        early.semilogy(rounds["first"], marker="o", markevery=[0], **look)
        reach.semilogy(by_step["counts"].dropna(), **look)
    by_lag.set(title=f"{task.error_name}, test", xlabel="lag: steps in a sequence", xscale="log")
    by_lag.set_xticks(errors.columns, errors.columns)
    by_lag.set_xticks([], minor=True)
    training.set_title("validation (dashed: trivial; green: solved)")
    how = f"clipped at {clip_norm:g}" if clip_norm else "not clipped"
    norms.set_title(f"The largest gradients (norm), {how}")
    ratio.set_title("First they learn what counts: its gradient\nover that of the other steps")
    ratio.set_ylabel("ratio, in the second half")
    early.set_title("Then to hold it: the gradient\nof what counts in the first half")
    early.set_ylabel("gradient of output by input")
    reach.set_title("After training: the gradient\nof what counts, step by step")
    reach.set(xlabel="steps back from the last one", xlim=(errors.columns[-1] - 1, 0))
    reach.sharey(early)
    for panel in (training, norms, ratio, early):
        panel.set_xlabel("sequences seen")
    for panel in (by_lag, training):
        panel.set_yscale("symlog", linthresh=SOLVED)  # linear below, because an error can be 0
        panel.set_ylim(0, max(2.5 * task.trivial, panel.get_ylim()[1]))
        panel.axhspan(0, SOLVED, color=plotting.GREEN, alpha=0.08, lw=0)
        panel.axhline(task.trivial, color=plotting.GREY, ls="--")
    return pictures


# ------------------------------------------------------------------ the lesson


def parse_args(argv=None):
    parser = cli.Parser(prog="long_memory.py", description=__doc__.splitlines()[0])
    flag = parser.add_argument
    flag("--task", choices=TASKS, default="adding", help="what to remember")
    flag("--lags", type=cli.whole_numbers, default="10,30,100", metavar="A,B", help="in steps")
    flag("--networks", type=cli.names, default=SIX, metavar="A,B", help="mingru is one more")
    flag("--seeds", type=cli.whole_numbers, default="0", metavar="A,B", help="of all chance")
    flag("--sequences", type=cli.whole_number(1), default=80_000, help="to train on, at most")
    flag("--seconds", type=cli.number_above(0), default=math.inf, help="of each training, at most")
    flag("--clip-norm", type=cli.number_above(0, inclusive=True), default=1.0,
         help="longer gradients are cut to this norm; 0: none")  # fmt: skip
    flag("--output-dir", default="outputs/long_memory", metavar="FOLDER")
    flag("--show", action="store_true", help="open each picture in a window too")
    args = parser.parse_args(argv)
    args.networks = list(dict.fromkeys(args.networks))
    args.lags, args.seeds = sorted(set(args.lags)), sorted(set(args.seeds))
    if unknown := [name for name in args.networks or [""] if name not in NETWORKS]:
        parser.error(f"--networks: {unknown[0]!r} is not one of {', '.join(NETWORKS)}")
    if unknown := [lag for lag in args.lags if lag not in LAGS]:
        parser.error(f"--lags: {unknown[0]} is not between {LAGS[0]} and {LAGS[-1]}")
    return args


def report(runs, inside, args, folder):
    """Print a table, draw two pictures and write scores.json; return what that holds."""
    task = TASKS[args.task]
    by_lag = pd.DataFrame(runs).groupby(["network", "lag"], sort=False)["error"]
    means, solved = by_lag.mean().unstack(), by_lag.max().unstack() < SOLVED
    table = means.map("{:.4f}".format, na_action="ignore") + np.where(solved, "*", " ")
    table.loc["trivial line"] = f"{task.trivial:.4f} "
    table.columns = [f"lag {lag}" for lag in means.columns]
    table["solved up to"] = solved.apply(lambda row: str(max(row[row].index, default="-")), axis=1)
    print(f"\nTest error ({task.error_name}), mean over seeds {args.seeds}:")
    print(table.fillna("").to_string(index_names=False))
    print(f"* solved: below {SOLVED:g} with every seed")
    for name, (figure, axes) in draw(means, inside, task, args.clip_norm).items():
        labels = axes[0].get_legend_handles_labels()
        figure.legend(*labels, loc="outside lower center", ncols=len(NETWORKS))
        plotting.save(figure, folder / f"{name}.png", args.show)
    scores = {"task": args.task, "trivial": task.trivial, "runs": runs}
    write_json(scores, folder / "scores.json")
    print(f"Pictures and scores: {folder}")
    return scores


def main(argv=None) -> dict:
    """Train every network at every lag; return what scores.json holds: a test error per run."""
    args = parse_args(argv)
    folder, task = output_folder(args.output_dir), TASKS[args.task]
    print(f"{args.task}: {task.error_name}; the trivial line is {task.trivial:.4f}")
    runs, inside = [], {}
    try:
        for lag, name, seed in itertools.product(args.lags, args.networks, args.seeds):
            begin = time.perf_counter()
            layer, units, learning_rate, _ = NETWORKS[name]
            units = units[args.task]
            keras.utils.set_random_seed(seed)
            model = build_model(layer(units), task, lag, learning_rate, args.clip_norm)
            rounds, by_step = train(model, task, lag, seed, args.sequences, args.seconds)
            inputs, targets, *_ = task.make(np.random.default_rng([2, lag]), TEST, lag)
            error, seen = mean_error(model, task, inputs, targets), int(rounds.index[-1])
            print(f"lag {lag:4}  {name:8} seed {seed}: error {error:.4f} after {seen:6,} "
                  f"sequences, {time.perf_counter() - begin:3.0f} s", flush=True)  # fmt: skip
            runs.append({
                "lag": lag, "network": name, "seed": seed, "error": error, "sequences": seen,
                "parameters": model.count_params(), "learning_rate": learning_rate, "units": units,
            })  # fmt: skip
            inside.setdefault(lag, {}).setdefault(name, (rounds, by_step))
    finally:  # Ctrl-C, too, leaves a report of the networks that are finished
        if runs:
            scores = report(runs, inside[runs[-1]["lag"]], args, folder)
    return scores


if __name__ == "__main__":
    cli.run(main, "long_memory.py")
