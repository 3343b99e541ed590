"""What does a recurrent network compute? The lecture's examples, by hand.

Every network here is a real Keras layer whose weights are set, not trained. Each example prints its
steps, some of them worked out in full, and compares them with the numbers worked out by hand; if
one differs, it says which and ends with exit code 1. The LSTM cell is drawn, too.

    python worked_examples.py              # all of them
    python worked_examples.py lstm-cell    # one of them

The lecture: Hung-yi Lee, Machine Learning, "Recurrent Neural Network", parts I and II.
"""

import functools
import itertools
import string
import sys

from utils import cli, plotting
from utils.cells import JordanCell, PeepholeLSTMCell
from utils.files import output_folder

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from scipy.special import expit as sigmoid

# ------------------------------------------------------------------ shared by the examples


def walk(layer, weights, inputs):
    """Give a recurrent Keras layer these weights and feed it a sequence (steps, features).

    Returns:
        memory (steps + 1, units), empty before the first step, and after each one: the last of the
        cell's states, which is h for SimpleRNN and GRU, y for a Jordan network and c for LSTM; and
        the outputs (steps, units).
    """
    layer.build((None, *np.shape(inputs)))
    layer.set_weights(weights)
    states = layer.get_initial_state(batch_size=1)
    memory, outputs = [states[-1]], []
    for x in np.asarray(inputs, "float32"):
        output, states = layer.cell(x[None], states)
        memory.append(states[-1])
        outputs.append(output)
    return np.concatenate(memory), np.concatenate(outputs)


def check(what, computed, by_hand, rtol=0.0, atol=1e-3):
    """Compare with the numbers worked out by hand; exit with 1 and one line if they differ."""
    computed, by_hand = np.asarray(computed), np.asarray(by_hand)
    if not np.allclose(computed, by_hand, rtol=rtol, atol=atol):
        differ = f"computed {computed.tolist()}, by hand {by_hand.tolist()}"
        sys.exit(f"worked_examples.py: error: {what}: {differ}")
    print(f"ok, as by hand: {what}")


def numbers(vector):
    """Write a number or a vector as the board has it: two decimals, no trailing zeros."""
    return " ".join(f"{x:g}" for x in np.round(np.atleast_1d(vector), 2) + 0.0)  # no "-0"


def sum_of(weights, values, bias=None):
    """Write a weighted sum: "1·1 + 2·3 - 10"."""
    terms = [f"{numbers(w)}·{numbers(x)}" for w, x in zip(weights, values, strict=True)]
    terms += [] if bias is None else [numbers(bias)]
    return " + ".join(terms).replace("+ -", "- ")


def print_weights(columns, **matrices):
    """Print weight matrices, each given with the names of its rows."""
    for name, (rows, matrix) in matrices.items():
        matrix = pd.DataFrame(np.atleast_2d(matrix), rows, columns).map(numbers)
        print(f"{name}:", matrix.to_string().replace("\n", "\n" + " " * (len(name) + 2)))


def print_steps(inputs, memory, outputs, **columns):
    """Print one row per step; `columns` go between the memory before and after it."""
    table = {f"x{k + 1}": values for k, values in enumerate(np.transpose(inputs))}
    table |= {"memory before": memory[:-1], **columns, "memory after": memory[1:]}
    table = {name: map(numbers, values) for name, values in (table | {"output": outputs}).items()}
    print(pd.DataFrame({"step": range(1, len(inputs) + 1), **table}).to_string(index=False))


def draw_cell(inputs, gates, memory, outputs):
    """Draw inputs (steps, 3), gates i f o (3, steps), memory (steps + 1,) and outputs (steps,)."""
    figure, axes = plotting.plt.subplots(figsize=(8.2, 7.2))
    steps, edges = range(len(outputs)), np.arange(-1, len(memory)) - 0.5
    axes.stairs(memory[1:], edges[1:], fill=True, color=plotting.SKY, alpha=0.35)
    axes.stairs(memory, edges, color=plotting.BLUE, linewidth=2.4)
    fill, edge = np.where(gates > 0.5, plotting.ORANGE, "white").ravel(), plotting.ORANGE
    axes.scatter(*np.meshgrid(steps, [-1, -2, -3]), s=330, c=fill, edgecolor=edge, lw=1.8)
    write = functools.partial(axes.text, fontsize=15, ha="center", va="center")
    i, f, o = gates > 0.5
    actions = np.select([i, ~f, o], ["write", "reset", "read"], "hold")
    for step in steps:
        write(step, 10.2, actions[step], weight="bold")
        write(step, 9, numbers(outputs[step]), color=plotting.GREEN)
        write(step, memory[step + 1] + 0.5, numbers(memory[step + 1]), color=plotting.BLUE)
        for height, value in zip([-5, -6, -7], inputs[step], strict=True):
            write(step, height, numbers(value))
    rows = ["output", "memory", "input gate\n(write)", "forget gate\n(keep)", "output gate\n(read)"]
    rows += ["data", "write / reset", "read"]
    axes.set_yticks([9, 4, -1, -2, -3, -5, -6, -7], rows)
    axes.set_xticks(steps, [f"step {step + 1}" for step in steps])
    axes.set_title("One LSTM cell, step by step (gates: ● open, ○ closed)")
    axes.set(xlim=(-0.7, len(steps) - 0.4), ylim=(-7.5, 10.7), frame_on=False)
    axes.tick_params(length=0)
    axes.grid(False)
    return figure


# ------------------------------------------------------------------ a word as a vector


def encoding():
    """1-of-N encoding with a dimension for "other"; a word as its letter trigrams."""
    vocabulary = ["apple", "bag", "cat", "dog", "elephant"]
    words = [*vocabulary, "Gandalf", "Sauron"]
    layer = keras.layers.StringLookup(vocabulary=vocabulary, output_mode="one_hot")
    # (words, dimensions): Keras puts "other" first
    one_hot = pd.DataFrame(layer(words), words, ["other", *vocabulary]).astype(int)
    print(one_hot.to_string())
    places = one_hot.to_numpy().argmax(axis=1)
    check('1-of-N, with strangers as "other"', places, [1, 2, 3, 4, 5, 0, 0])

    every = ["".join(letters) for letters in itertools.product(string.ascii_lowercase, repeat=3)]
    layer = keras.layers.StringLookup(vocabulary=every, num_oov_indices=0, output_mode="multi_hot")
    ones = np.flatnonzero(layer([["app", "ppl", "ple"]]))  # among 26^3 dimensions
    print(f'"apple" has {len(ones)} ones in {len(every):,} dimensions:', end=" ")
    print(", ".join(f"{every[k]} ({k:,})" for k in ones))
    print("With a = 0 ... z = 25, ppl is dimension 10,541 = 15·676 + 15·26 + 11")
    check("letter trigrams of apple", ones, [405, 10430, 10541])


# ------------------------------------------------------------------ networks with a memory


def unroll(title, layer, weights, output_layer, *by_hand):
    """Go through a network whose weights are 1, hidden unit 1 in full at two steps.

    By hand are its inputs, hidden layer and outputs; both numbers of each at a step are alike.
    """
    inputs, *by_hand = (np.column_stack([steps, steps]) for steps in by_hand)  # each (steps, 2)
    memory, outputs = walk(layer, weights, inputs)
    hidden = (inputs + memory[:-1]) @ np.ones((2, 2))
    outputs = np.asarray(output_layer(outputs))
    print(f"\n{title}:")
    print_steps(inputs, memory, outputs, hidden=hidden)
    for k in range(2):
        total = f"{sum_of([1, 1, 1, 1], [*inputs[k], *memory[k]])}   (from x1, x2, and the memory)"
        print(f"hidden unit 1, step {k + 1}: {numbers(hidden[k, 0])} = {total}")
    check(f"hidden layer, {title}", hidden, by_hand[0])
    check(f"outputs, {title}", outputs, by_hand[1])


def rnn():
    """Two linear hidden units that see their own past, two outputs, all weights 1, no bias."""
    layer = keras.layers.SimpleRNN(2, activation=None, use_bias=False)
    network = layer, np.ones((2, 2, 2)), keras.layers.Dense(2, kernel_initializer="ones")
    title = "The hidden layer fed back"
    unroll(f"{title}: the lecture's order", *network, [1, 1, 2], [2, 6, 16], [4, 12, 32])
    unroll(f"{title}: another order", *network, [2, 1, 1], [4, 10, 22], [8, 20, 44])
    print("The same inputs in another order give other outputs: the network has a memory.")


def jordan():
    """The same network with its output fed back instead of its hidden layer."""
    layer = keras.layers.RNN(JordanCell(2, 2, activation="linear"))
    ones, zeros = np.ones((2, 2)), np.zeros(2)
    network = layer, [ones, ones, zeros, ones, zeros], np.asarray
    unroll("The output fed back", *network, [1, 1, 2], [2, 10, 44], [4, 20, 88])


def bidirectional():
    """Each input has a decimal place of its own, so that a sum shows which inputs are in it."""
    inputs = np.array([1, 10, 100, 1000], "float32")
    one_pass = keras.layers.SimpleRNN(1, activation=None, use_bias=False, return_sequences=True)
    layer = keras.layers.Bidirectional(one_pass)  # the other is made like it
    layer.build((1, 4, 1))
    layer.set_weights(np.ones((4, 1, 1)))
    forward, backward = np.asarray(layer(inputs[None, :, None]))[0].T  # each (steps,)
    print("All weights are 1: each output is the input and the output before, or behind, it.")
    table = {"step": range(1, 5), "x1": inputs, "forward": forward, "backward": backward}
    print(pd.DataFrame(table).astype(int).to_string(index=False))
    print(f"forward,  step 3: {numbers(forward[2])} = {sum_of([1, 1], [inputs[2], forward[1]])}")
    print(f"backward, step 3: {numbers(backward[2])} = {sum_of([1, 1], [inputs[2], backward[3]])}")
    check("forward pass", forward, [1, 11, 111, 1111])
    check("backward pass", backward, [1111, 1110, 1100, 1000])
    print("Alone, the forward pass hasn't seen what follows. Together they have seen everything.")


# ------------------------------------------------------------------ LSTM and GRU


def lstm_cell():
    """One memory cell: three numbers a step, five steps, and what the three gates do with them."""
    # x1 is the data; x2 = 1 writes it, x2 = -1 resets the memory; x3 = 1 opens the output gate
    inputs = np.array([[3, 1, 0], [4, 1, 0], [2, 0, 0], [1, 0, 1], [3, -1, 0]])
    W = np.array([[0, 0, 1, 0], [100, 100, 0, 0], [0, 0, 0, 100]])  # columns: z_i, z_f, z, z_o
    b = np.array([-10, 10, 0, -10])
    # the lecture's cell: g and h linear, gates sigmoid, nothing fed back but the memory
    layer = keras.layers.LSTM(1, activation="linear", recurrent_activation="sigmoid")
    memory, outputs = walk(layer, [W, np.zeros((1, 4)), b], inputs)
    z_i = (inputs @ W + b)[:, 0]
    i, f, _, o = sigmoid(inputs @ W + b).T  # each (steps,)
    print_weights(["z_i", "z_f", "z", "z_o"], W=(["x1", "x2", "x3"], W), b=(["bias"], b))
    print_steps(inputs, memory, outputs, i=i, f=f, o=o)
    print("step 2: z_i =", sum_of(W[:, 0], inputs[1], b[0]), f"= {numbers(z_i[1])},", end=" ")
    print(f"so i = sigmoid({numbers(z_i[1])}) = {numbers(i[1])}: the input gate is open")
    written = sum_of([f[1], i[1]], [memory[1, 0], inputs[1, 0]])
    print(f"        memory = f·(memory before) + i·x1 = {written} = {numbers(memory[2])}")
    check("memory", memory[1:, 0], [3, 7, 7, 7, 0])
    check("outputs", outputs[:, 0], [0, 0, 0, 7, 0])
    print("Rounded as on the board: sigmoid(10) is 0.00005 away from 1, and sigmoid(-10) from 0.")
    return draw_cell(inputs, np.array([i, f, o]), memory[:, 0], outputs[:, 0])


def gru_cell():
    """The same for a GRU: the update gate keeps or writes, the reset gate looks back or doesn't."""
    # x1 is the data; x2 = 1 writes it: added to the memory, or, if x3 = 1, in its place
    inputs = np.array([[3, 1, 0], [4, 1, 0], [2, 0, 0], [5, 1, 1], [1, 1, 0]])
    W = np.array([[0, 0, 1], [-100, 0, 0], [0, -100, 0]])  # columns: z_z, z_r, z_n
    U, b = np.array([[0, 0, 1]]), np.array([10, 10, 0])
    layer = keras.layers.GRU(1, activation="linear", reset_after=False)  # one bias, as on the board
    memory, outputs = walk(layer, [W, U, b], inputs)
    z, r, _ = sigmoid(inputs @ W + b).T  # each (steps,)
    print_weights(["z_z", "z_r", "z_n"], W=(["x1", "x2", "x3"], W), U=(["h"], U), b=(["bias"], b))
    print_steps(inputs, memory, outputs, z=z, r=r)
    for k, action in [(1, "added"), (3, "in its place")]:
        x1, h = inputs[k, 0], memory[k, 0]
        n, mix = x1 + r[k] * h, [z[k], 1 - z[k]]
        print(f"step {k + 1}: n = x1 + r·h = {x1} + {sum_of([r[k]], [h])} = {numbers(n)};", end=" ")
        print(f"h = z·h + (1 - z)·n = {sum_of(mix, [h, n])} = {numbers(memory[k + 1])}: {action}")
    check("memory", memory[1:, 0], [3, 7, 7, 5, 6])
    print("What an LSTM does with two gates, keep and write, z does alone: it keeps, or it writes.")


def lstm_by_hand(inputs, W, U, b, peepholes=(0, 0, 0)):
    """An LSTM layer as on the board: four products with one joined vector, the rest element-wise.

    Takes inputs (steps, features) and the weights of `keras.layers.LSTM`, or of `PeepholeLSTMCell`.
    Returns tanh(z), i, f, o, c and h by name, each (steps, units).
    """
    p_i, p_f, p_o = peepholes
    h = c = np.zeros(len(U))
    steps = []
    for x in inputs:
        joined = np.concatenate([x, h])  # (features + units,)
        z_i, z_f, z, z_o = np.split(joined @ np.concatenate([W, U]) + b, 4)
        i = sigmoid(z_i + p_i * c)
        f = sigmoid(z_f + p_f * c)
        c = f * c + i * np.tanh(z)
        o = sigmoid(z_o + p_o * c)
        h = o * np.tanh(c)
        steps.append([np.tanh(z), i, f, o, c, h])
    return dict(zip(["tanh(z)", "i", "f", "o", "c", "h"], np.stack(steps, axis=1), strict=True))


def lstm_vector():
    """A layer of two LSTM cells in its three forms, by hand and by Keras."""
    inputs = np.array([[1, 0], [0, 1], [1, 1]], "float32")  # (steps, features)
    # columns: z_i of cells 1 and 2, z_f, z, z_o
    W = np.array([[2, -1, 1, 0, 1, 2, 1, -2], [0, 1, 2, -1, -2, 1, 0, 2]])
    U = np.array([[1, 0, 0, 1, 2, 0, -1, 1], [0, -1, 1, 0, 0, 1, 2, 0]])
    b, peepholes = np.array([0, 0, 1, 1, 0, 0, 0, 0]), np.array([[1, -1], [2, 0], [1, 1]])
    columns = [f"{z}{k}" for z in ("z_i", "z_f", "z", "z_o") for k in (1, 2)]
    print_weights(columns, W=(["x1", "x2"], W), U=(["h1", "h2"], U), b=(["bias"], b))
    for form, layer, weights in [
        ("x: LSTM, no recurrent weights", keras.layers.LSTM(2), [W, 0 * U, b]),
        ("x, h, c: PeepholeLSTMCell", keras.layers.RNN(PeepholeLSTMCell(2)), [W, U, b, peepholes]),
        ("x, h: LSTM", keras.layers.LSTM(2), [W, U, b]),
    ]:
        steps = lstm_by_hand(inputs, *weights)  # each (steps, cells)
        check(f"outputs, gates see {form}", walk(layer, weights, inputs)[1], steps["h"], atol=1e-6)
    print("\nGates see x and h; the two cells side by side:")
    table = {name: [f"{u:5.2f} {v:5.2f}" for u, v in values] for name, values in steps.items()}
    print(pd.DataFrame(table, pd.RangeIndex(1, 4, name="step")).to_string())


# ---------------------------------------- how many weights; why training is hard


def parameters():
    """Count the weights of each kind of layer at one size, by Keras and by formula."""
    m, n, k = 32, 64, 10  # features, units, outputs of the Jordan network
    simple = n * (m + n + 1)  # a kernel, a recurrent kernel, a bias
    jordan = n * (m + k + 1) + k * (n + 1)
    rows = {}
    for name, layer, formula in [
        ("Jordan, with its output layer", keras.layers.RNN(JordanCell(n, k)), jordan),
        ("SimpleRNN", keras.layers.SimpleRNN(n), simple),
        ("GRU as in the lecture", keras.layers.GRU(n, reset_after=False), 3 * simple),
        ("GRU, Keras' default", keras.layers.GRU(n), 3 * simple + 3 * n),
        ("LSTM", keras.layers.LSTM(n), 4 * simple),
        ("LSTM with peepholes", keras.layers.RNN(PeepholeLSTMCell(n)), 4 * simple + 3 * n),
    ]:
        layer.build((None, None, m))
        rows[name] = layer.count_params(), formula
    table = pd.DataFrame(rows, ["Keras", "formula"]).T
    table["of LSTM"] = table["Keras"] / table.loc["LSTM", "Keras"]
    print(table.to_string(formatters={"of LSTM": "{:.0%}".format}))
    print(f"SimpleRNN: {simple:,} = {n}·({m} + {n} + 1): from x, from h, and a bias, to each unit")
    print(f"LSTM:     {4 * simple:,} = 4·{simple:,}: as much for each gate, and for z")
    check("parameter counts", table["Keras"], table["formula"], atol=0)
    print(
        "The lecture says that a GRU has a third fewer parameters than an LSTM. It has a quarter\n"
        "fewer; the LSTM has a third more than the GRU. Keras' GRU has a second bias, 3 n more."
    )


def gradient():
    """One linear neuron, input 1 at the first of 1,000 steps: the last output is w^999."""
    w = np.array([0.99, 1, 1.01])  # a neuron for each, blind to the others
    layer = keras.layers.SimpleRNN(3, activation=None, use_bias=False, dtype="float64")
    layer.build((1, 1000, 1))
    layer.set_weights([np.ones((1, 3)), np.diag(w)])
    with tf.GradientTape() as tape:
        last = layer(np.eye(1, 1000)[..., None])[0]  # (neurons,)
    slope = np.diag(tape.gradient(last, layer.cell.recurrent_kernel.value))
    table = pd.DataFrame({"last output": last, "w^999": w**999}, pd.Index(w, name="w"))
    table = table.assign(**{"d output / d w": slope, "999 w^998": 999 * w**998})
    print("h_1 = 1 and h_t = w·h_{t-1}, so h_3 = w·w·1, and h_1000 = w^999")
    print(table.to_string(float_format="{:.6g}".format))
    check("last output", table["last output"], table["w^999"], rtol=1e-9, atol=0)
    check("its slope", table["d output / d w"], table["999 w^998"], rtol=1e-9, atol=0)
    check("0, 1 and about 20,000", table["last output"], [0, 1, 20_000], rtol=0.05)
    print(
        "From 0.99 to 1 and to 1.01 the output goes from 0 to 1 and to 20,000, and its slope\n"
        "from 0.04 to 999 and to 20 million: no learning rate suits all three."
    )


EXAMPLES = {
    "encoding": encoding, "rnn": rnn, "jordan": jordan, "bidirectional": bidirectional,
    "lstm-cell": lstm_cell, "gru-cell": gru_cell, "lstm-vector": lstm_vector,
    "parameters": parameters, "gradient": gradient,
}  # fmt: skip


def main(argv=None):
    """Work through the examples, one or all, and save the picture of the cell."""
    parser = cli.Parser(prog="worked_examples.py", description=__doc__.splitlines()[0])
    flag = parser.add_argument
    flag("example", nargs="?", choices=["all", *EXAMPLES], default="all", help="to work through")
    flag("--output-dir", default="outputs/worked_examples", metavar="FOLDER", help="of the picture")
    flag("--show", action="store_true", help="open it in a window, too")
    args = parser.parse_args(argv)
    folder = output_folder(args.output_dir)
    for name in EXAMPLES if args.example == "all" else [args.example]:
        print(f"\n=== {name}: {EXAMPLES[name].__doc__}")
        with keras.device("cpu"):  # a GPU may round matrix products to three digits
            figure = EXAMPLES[name]()
        if figure:
            plotting.save(figure, folder / f"{name}.png", args.show)
            print(f"Picture: {folder / name}.png")


if __name__ == "__main__":
    cli.run(main, "worked_examples.py")
