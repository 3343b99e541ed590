"""What does a recurrent network compute? The lecture's examples, by hand.

Every network here is a real Keras layer whose weights are set, not trained, so that each number can
be worked out by hand. Each example prints its steps, draws them, and compares them with the numbers
worked out by hand; if one differs, the script says which and ends with exit code 1.

    python worked_examples.py              # all of them
    python worked_examples.py lstm-cell    # one of them

    encoding        a word as a vector: 1-of-N with "other", and letter trigrams
    rnn             a hidden layer that sees its own past; why the order of the inputs matters
    jordan          the same with the output fed back instead of the hidden layer
    bidirectional   one pass from each end, and what each output has seen
    lstm-cell       one memory cell and its three gates
    lstm-vector     a layer of such cells: four products with one vector, the rest element-wise
    parameters      how many weights each kind of layer has
    gradient        why gradients vanish and explode: w^999

The lecture: Hung-yi Lee, Machine Learning, "Recurrent Neural Network", parts I and II.
"""

import argparse
import itertools
import string
import sys
from pathlib import Path

from utils import cli, plotting
from utils.cells import JordanCell, PeepholeLSTMCell
from utils.files import output_folder

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from scipy.special import expit as sigmoid

# ------------------------------------------------------------------ shared by the examples


def walk(layer, inputs):
    """Feed a sequence to a recurrent layer, one step at a time, from an empty memory.

    Args:
        layer: a Keras recurrent layer.
        inputs: (steps, features).

    Returns:
        memory (steps + 1, units), before the first step and after each one: the last of the cell's
        states, which is h for SimpleRNN, y for a Jordan network and c for LSTM; and the outputs
        (steps, units).
    """
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
        sys.exit(
            f"worked_examples.py: error: {what}: computed {computed.tolist()}, "
            f"by hand {by_hand.tolist()}"
        )
    print(f"ok, as by hand: {what}")


def numbers(vector):
    """Write a vector as the board has it: two decimals, no trailing zeros."""
    return " ".join(f"{x:g}" for x in np.round(np.atleast_1d(vector), 2) + 0.0)  # no "-0"


def print_steps(inputs, memory, outputs, **columns):
    """Print one row per step; `columns` go between the memory before and after it."""
    table = {
        "step": range(1, len(inputs) + 1),
        "input": map(numbers, inputs),
        "memory before": map(numbers, memory[:-1]),
        **{name: map(numbers, column) for name, column in columns.items()},
        "memory after": map(numbers, memory[1:]),
        "output": map(numbers, outputs),
    }
    print(pd.DataFrame(table).to_string(index=False))


def bare(axes):
    """Leave only the labels of the axes: no grid, ticks or frame."""
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def draw_unrolled(axes, title, inputs, hidden, outputs, memory):
    """Draw a network unrolled over time; `memory`, "hidden" or "output", is what is fed back."""
    axes.set_title(title)
    rows = {
        0: ("input", inputs, plotting.GREY),
        1: ("hidden", hidden, plotting.BLUE),
        2: ("output", outputs, plotting.GREEN),
    }
    source = 1 if memory == "hidden" else 2

    def box(x, y, text, colour):
        style = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": colour, "lw": 1.8}
        return axes.text(x, y, text, ha="center", va="center", fontsize=12, bbox=style)

    def arrow(start, end, colour):
        style = {"arrowstyle": "-|>", "color": colour, "shrinkA": 3, "shrinkB": 3, "lw": 1.6}
        style |= {"patchA": start.get_bbox_patch(), "patchB": end.get_bbox_patch()}
        axes.annotate("", end.get_position(), start.get_position(), arrowprops=style)

    before = box(0, source, "0 0", plotting.ORANGE)
    for step in range(len(inputs)):
        boxes = [
            box(step + 1, y, numbers(values[step]), colour)
            for y, (_, values, colour) in rows.items()
        ]
        arrow(boxes[0], boxes[1], plotting.GREY)
        arrow(boxes[1], boxes[2], plotting.GREY)
        arrow(before, boxes[1], plotting.ORANGE)
        before = boxes[source]
    axes.set(xlim=(-0.4, len(inputs) + 0.4), ylim=(-0.45, 2.45))
    axes.set_yticks(list(rows), [name for name, _, _ in rows.values()])
    axes.set_xticks(
        range(len(inputs) + 1), ["start", *(f"step {t + 1}" for t in range(len(inputs)))]
    )
    bare(axes)


# ------------------------------------------------------------------ a word as a vector

VOCABULARY = ["apple", "bag", "cat", "dog", "elephant"]
STRANGERS = ["Gandalf", "Sauron"]


def encoding():
    """1-of-N encoding with a dimension for "other"; a word as its letter trigrams."""
    one_hot = keras.layers.StringLookup(vocabulary=VOCABULARY, output_mode="one_hot")
    words = [*VOCABULARY, *STRANGERS]
    vectors = np.asarray(one_hot(words))  # (words, 1 + vocabulary): Keras puts "other" first
    dimensions = ["other", *VOCABULARY]
    print(pd.DataFrame(vectors.astype(int), index=words, columns=dimensions).to_string())
    check('1-of-N, with strangers as "other"', vectors.argmax(axis=1), [1, 2, 3, 4, 5, 0, 0])

    every = ["".join(letters) for letters in itertools.product(string.ascii_lowercase, repeat=3)]
    multi_hot = keras.layers.StringLookup(
        vocabulary=every, num_oov_indices=0, output_mode="multi_hot"
    )
    word = "apple"
    trigrams = [word[k : k + 3] for k in range(len(word) - 2)]
    vector = np.asarray(multi_hot([trigrams]))[0]  # (26 * 26 * 26,)
    ones = np.flatnonzero(vector)
    print(f'"{word}" has {len(ones)} ones in {len(vector):,} dimensions:', end=" ")
    print(", ".join(f"{every[k]} ({k:,})" for k in ones))
    check("letter trigrams of apple", ones, [405, 10430, 10541])

    figure, axes = plotting.new_figure("ab", (9.5, 3.6), width_ratios=[1.15, 1])
    axes["a"].set_title('1-of-N: one dimension per word, and one for "other"')
    axes["a"].pcolormesh(vectors, cmap="Blues", vmax=1.4, edgecolor="white", linewidth=2)
    for (row, column), value in np.ndenumerate(vectors):
        axes["a"].text(column + 0.5, row + 0.5, f"{value:g}", ha="center", va="center",
                       color=plotting.GREY if value == 0 else "white")  # fmt: skip
    axes["a"].set_yticks(np.arange(len(words)) + 0.5, words)
    axes["a"].set_xticks(np.arange(len(dimensions)) + 0.5, dimensions)
    axes["a"].invert_yaxis()
    axes["b"].set_title(f'"{word}" as three ones among 26 × 26 × 26 trigrams')
    for row, trigram in enumerate(trigrams):
        for column, letter in enumerate(word):
            inside = row <= column < row + 3
            axes["b"].text(column, row, letter, ha="center", va="center", fontsize=17,
                           color=plotting.BLUE if inside else "#cccccc",
                           weight="bold" if inside else "normal")  # fmt: skip
        axes["b"].text(5.2, row, f"dimension {every.index(trigram):,}", va="center")
    axes["b"].set(xlim=(-0.6, 8), ylim=(2.7, -0.7), xticks=[], yticks=[])
    for panel in axes.values():
        bare(panel)
    return figure, {"one_hot": vectors, "trigrams": ones}


# ------------------------------------------------------------------ networks with a memory

RNN_INPUTS = [[1, 1], [1, 1], [2, 2]]
RNN_HIDDEN, RNN_OUTPUTS = [2, 6, 16], [4, 12, 32]
REORDERED_INPUTS = [[2, 2], [1, 1], [1, 1]]
REORDERED_HIDDEN, REORDERED_OUTPUTS = [4, 10, 22], [8, 20, 44]
JORDAN_OUTPUTS = [4, 20, 88]


def both(values):
    """Repeat each number for the two units, which are alike because all the weights are."""
    return np.repeat(np.asarray(values)[:, None], 2, axis=1)


def rnn():
    """Two linear hidden units that see their own past, two outputs, all weights 1, no bias."""
    layer = keras.layers.SimpleRNN(
        2, activation=None, use_bias=False, kernel_initializer="ones", recurrent_initializer="ones"
    )
    output_layer = keras.layers.Dense(2, use_bias=False, kernel_initializer="ones")
    figure, axes = plotting.new_figure("a\nb", (7, 6.4))
    results = {}
    for panel, title, inputs, hidden_by_hand, outputs_by_hand in [
        ("a", "the lecture's order", RNN_INPUTS, RNN_HIDDEN, RNN_OUTPUTS),
        ("b", "another order", REORDERED_INPUTS, REORDERED_HIDDEN, REORDERED_OUTPUTS),
    ]:
        print(f"{title}:")
        memory, hidden = walk(layer, inputs)
        outputs = np.asarray(output_layer(hidden))
        print_steps(inputs, memory, outputs)
        check(f"hidden layer, {title}", hidden, both(hidden_by_hand))
        check(f"outputs, {title}", outputs, both(outputs_by_hand))
        draw_unrolled(
            axes[panel], f"The hidden layer fed back: {title}", inputs, hidden, outputs, "hidden"
        )
        results[title] = {"hidden": hidden, "outputs": outputs}
    print("The same inputs in another order give other outputs: the network has a memory.")
    return figure, results


def jordan():
    """The same network with its output fed back instead of its hidden layer."""
    layer = keras.layers.RNN(JordanCell(2, 2, activation="linear"))
    layer.build((None, None, 2))
    layer.set_weights([np.ones_like(w) if w.ndim == 2 else w for w in layer.get_weights()])
    memory, outputs = walk(layer, RNN_INPUTS)
    kernel, recurrent_kernel = layer.get_weights()[:2]
    hidden = RNN_INPUTS @ kernel + memory[:-1] @ recurrent_kernel
    print_steps(RNN_INPUTS, memory, outputs, hidden=hidden)
    check("outputs", outputs, both(JORDAN_OUTPUTS))
    figure, axes = plotting.new_figure("a", (7, 3.4))
    title = "The output fed back (Jordan)"
    draw_unrolled(axes["a"], title, RNN_INPUTS, hidden, outputs, "output")
    return figure, {"outputs": outputs}


def bidirectional():
    """Each input has a decimal place of its own, so that a sum shows which inputs are in it."""
    inputs = np.array([1, 10, 100, 1000], "float32")
    layer = keras.layers.Bidirectional(
        keras.layers.SimpleRNN(
            1, activation=None, use_bias=False, return_sequences=True,
            kernel_initializer="ones", recurrent_initializer="ones",
        )
    )  # fmt: skip
    forward, backward = np.asarray(layer(inputs[None, :, None]))[0].T  # each (steps,)
    table = {"step": range(1, 5), "input": inputs, "forward": forward, "backward": backward}
    print(pd.DataFrame(table).astype(int).to_string(index=False))
    check("forward pass", forward, [1, 11, 111, 1111])
    check("backward pass", backward, [1111, 1110, 1100, 1000])
    print("Alone, the forward pass hasn't seen what follows. Together they have seen everything.")

    figure, axes = plotting.new_figure("ab", (8.5, 3.9), sharey=True)
    for panel, title, outputs, colour in [
        ("a", "Forward pass: has seen the past", forward, plotting.BLUE),
        ("b", "Backward pass: has seen the future", backward, plotting.ORANGE),
    ]:
        axes[panel].set_title(title)
        for step, output in enumerate(outputs, start=1):
            for place in range(4):
                seen = output // 10**place % 10 == 1
                axes[panel].scatter(place + 1, step, s=420, edgecolor=colour, linewidth=1.6,
                                    facecolor=colour if seen else "white")  # fmt: skip
            axes[panel].text(4.75, step, f"{output:.0f}", va="center", family="monospace")
        axes[panel].set(xlabel="input of step (filled: seen)", xlim=(0.4, 5.9), ylim=(4.6, 0.4))
        axes[panel].set(xticks=[1, 2, 3, 4], yticks=[1, 2, 3, 4])
        bare(axes[panel])
    axes["a"].set_ylabel("output of step")
    return figure, {"forward": forward, "backward": backward}


# ------------------------------------------------------------------ LSTM

# x1 is the data; x2 = 1 writes it, x2 = -1 resets the memory; x3 = 1 opens the output gate
LSTM_INPUTS = [[3, 1, 0], [4, 1, 0], [2, 0, 0], [1, 0, 1], [3, -1, 0]]
LSTM_MEMORY, LSTM_OUTPUTS = [3, 7, 7, 7, 0], [0, 0, 0, 7, 0]


def build_lstm_cell():
    """The lecture's cell: g and h linear, gates sigmoid, nothing fed back but the memory."""
    layer = keras.layers.LSTM(1, activation="linear", recurrent_activation="sigmoid")
    layer.build((None, None, 3))
    kernel = [
        # z_i, z_f,  z, z_o
        [0, 0, 1, 0],  # x1
        [100, 100, 0, 0],  # x2
        [0, 0, 0, 100],  # x3
    ]
    bias = [-10, 10, 0, -10]
    layer.set_weights([np.array(kernel), np.zeros((1, 4)), np.array(bias)])
    return layer


def lstm_cell():
    """One memory cell: three numbers a step, five steps, and what the three gates do with them."""
    layer = build_lstm_cell()
    memory, outputs = walk(layer, LSTM_INPUTS)
    kernel, _, bias = layer.get_weights()
    # h is not fed back here, so the gates depend on the inputs alone
    i, f, _, o = sigmoid(LSTM_INPUTS @ kernel + bias).T  # each (steps,)
    gates = {"input gate": i, "forget gate": f, "output gate": o}
    print_steps(LSTM_INPUTS, memory, outputs, **gates)
    check("memory", memory[1:, 0], LSTM_MEMORY)
    check("outputs", outputs[:, 0], LSTM_OUTPUTS)
    print("Rounded as on the board: sigmoid(10) is 0.00005 away from 1, and sigmoid(-10) from 0.")
    figure = draw_lstm_cell(memory[:, 0], gates, outputs[:, 0])
    return figure, {"memory": memory[1:, 0], "outputs": outputs[:, 0], **gates}


def draw_lstm_cell(memory, gates, outputs):
    """Draw inputs, gates, memory and output of each step above one another, as data flows."""
    steps = np.arange(1, len(outputs) + 1)
    figure, axes = plotting.new_figure("y\nc\ng\nx", (8.2, 7.2), height_ratios=[1, 3.2, 2.1, 2.1],
                                       sharex=True)  # fmt: skip
    i, f, o = gates.values()
    for step in steps:
        written, kept, shown = (gate[step - 1] > 0.5 for gate in (i, f, o))
        action = "write" if written else "reset" if not kept else "read" if shown else "hold"
        axes["y"].text(step, 1.12, action, ha="center", weight="bold", fontsize=12)
    for step, output in zip(steps, outputs, strict=True):
        axes["y"].text(step, 0.35, numbers(output), ha="center", va="center", fontsize=15,
                       color=plotting.GREY if round(output) == 0 else plotting.GREEN)  # fmt: skip

    axes["c"].stairs(
        memory[1:], np.arange(len(memory)) + 0.5, fill=True, color=plotting.SKY, alpha=0.35
    )
    axes["c"].stairs(memory, np.arange(len(memory) + 1) - 0.5, color=plotting.BLUE, linewidth=2.4)
    for step in steps:
        axes["c"].text(step, memory[step] + 0.25, numbers(memory[step]), ha="center", va="bottom",
                       fontsize=15, color=plotting.BLUE)  # fmt: skip

    meanings = ["input gate\n(write)", "forget gate\n(keep)", "output gate\n(read)"]
    for row, gate in enumerate(gates.values()):
        fill = np.where(gate > 0.5, plotting.ORANGE, "white")
        axes["g"].scatter(steps, np.full(len(steps), row), s=330, c=fill,
                          edgecolor=plotting.ORANGE, linewidth=1.8)  # fmt: skip

    for step, x in zip(steps, LSTM_INPUTS, strict=True):
        for row, value in enumerate(x):
            axes["x"].text(step, row, numbers(value), ha="center", va="center", fontsize=14,
                           color=plotting.BLACK if row == 0 or value else "#bbbbbb")  # fmt: skip
    axes["y"].set(ylabel="output", ylim=(0, 1), yticks=[])
    axes["c"].set(ylabel="memory c", ylim=(-0.1, 8.4), yticks=[])
    axes["g"].set(ylabel="gates", ylim=(2.6, -0.6))
    axes["g"].set_yticks(range(3), meanings)
    axes["x"].set(ylabel="inputs", ylim=(2.6, -0.6), xlim=(0.3, len(steps) + 0.6))
    axes["x"].set_yticks(range(3), ["$x_1$ data", "$x_2$ write / reset", "$x_3$ read"])
    axes["x"].set_xticks(steps, [f"step {step}" for step in steps])
    for panel in axes.values():
        panel.yaxis.labelpad = 12
        bare(panel)
        for edge in steps[:-1] + 0.5:
            panel.axvline(edge, color="#dddddd", linewidth=0.9, zorder=0)
    figure.align_ylabels()
    figure.suptitle("One LSTM cell, step by step (gates: ● open, ○ closed)\n", x=0.01, ha="left")
    return figure


def lstm_by_hand(inputs, kernel, recurrent_kernel, bias, peephole_kernel):
    """An LSTM layer as on the board: four products with one joined vector, the rest element-wise.

    Args:
        inputs: (steps, features).
        kernel: (features, 4 * units), gate order i, f, c, o as in `keras.layers.LSTM`.
        recurrent_kernel: (units, 4 * units).
        bias: (4 * units,).
        peephole_kernel: (3, units), how i, f and o see the memory; zeros: they don't.

    Returns:
        tanh(z), i, f, o, c and h by name, each (steps, units).
    """
    weights = np.concatenate([kernel, recurrent_kernel])  # (features + units, 4 * units)
    p_i, p_f, p_o = peephole_kernel
    h = c = np.zeros(len(recurrent_kernel))
    steps = []
    for x in inputs:
        z_i, z_f, z, z_o = np.split(np.concatenate([x, h]) @ weights + bias, 4)
        i = sigmoid(z_i + p_i * c)
        f = sigmoid(z_f + p_f * c)
        c = f * c + i * np.tanh(z)
        o = sigmoid(z_o + p_o * c)
        h = o * np.tanh(c)
        steps.append([np.tanh(z), i, f, o, c, h])
    return dict(zip(["tanh(z)", "i", "f", "o", "c", "h"], np.stack(steps, axis=1), strict=True))


def lstm_vector():
    """A layer of LSTM cells in its three forms, by hand and by Keras."""
    features, units, steps = 3, 4, 8
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(steps, features)).astype("float32")
    kernel, recurrent_kernel = rng.normal(size=(features, 16)), rng.normal(size=(units, 16))
    bias, peephole_kernel = rng.normal(size=16), rng.normal(size=(3, units))
    no_recurrent_kernel, no_peepholes = np.zeros((units, 16)), np.zeros((3, units))

    rows, results = [], {}
    for form, layer, weights in [
        ("x: LSTM, no recurrent weights", keras.layers.LSTM(units, return_sequences=True),
         (kernel, no_recurrent_kernel, bias, no_peepholes)),
        ("x, h: LSTM", keras.layers.LSTM(units, return_sequences=True),
         (kernel, recurrent_kernel, bias, no_peepholes)),
        ("x, h, c: PeepholeLSTMCell",
         keras.layers.RNN(PeepholeLSTMCell(units), return_sequences=True),
         (kernel, recurrent_kernel, bias, peephole_kernel)),
    ]:  # fmt: skip
        layer.build((1, steps, features))
        layer.set_weights(weights[: len(layer.weights)])  # LSTM has no peepholes
        by_hand = lstm_by_hand(inputs, *weights)
        outputs = np.asarray(layer(inputs[None]))[0]
        check(f"outputs, gates see {form}", outputs, by_hand["h"], atol=1e-6)
        rows.append([form, np.abs(outputs - by_hand["h"]).max()])
        results[form] = by_hand
    table = pd.DataFrame(rows, columns=["gates see", "largest difference"])
    print(table.to_string(index=False, float_format="{:.1e}".format))

    figure, axes = plotting.new_figure("ifo\nzch", (9.5, 4.9), sharex=True, sharey=True)
    for name, title, key in [
        ("i", "input gate i", "i"),
        ("f", "forget gate f", "f"),
        ("o", "output gate o", "o"),
        ("z", r"what to write: $\tanh(z)$", "tanh(z)"),
        ("c", r"memory $c_t = f \circ c_{t-1} + i \circ \tanh(z)$", "c"),
        ("h", r"output $h_t = o \circ \tanh(c_t)$", "h"),
    ]:
        is_gate = name in "ifo"
        picture = axes[name].pcolormesh(
            by_hand[key].T, edgecolor="white", linewidth=1.5,
            cmap="Oranges" if is_gate else "PRGn",
            vmin=0 if is_gate else -1.2, vmax=1 if is_gate else 1.2,
        )  # fmt: skip
        if name in "oh":
            row = [axes[column] for column in ("ifo" if is_gate else "zch")]
            figure.colorbar(picture, ax=row, ticks=[0, 1] if is_gate else [-1, 0, 1])
        axes[name].set_title(title)
        axes[name].set_xticks(np.arange(steps) + 0.5, range(1, steps + 1))
        axes[name].set_yticks(np.arange(units) + 0.5, [f"cell {k + 1}" for k in range(units)])
        bare(axes[name])
    axes["i"].invert_yaxis()
    for name in "zch":
        axes[name].set_xlabel("step")
    figure.suptitle("Four LSTM cells with peepholes: each row is one cell", x=0.01, ha="left")
    return figure, results


# ------------------------------------------------------------------ how many weights


def parameters():
    """Count the weights of each kind of layer at one size, by Keras and by formula."""
    m, n, k = 32, 64, 10  # features, units, outputs of the Jordan network
    simple = n * (m + n + 1)  # a kernel, a recurrent kernel, a bias
    gru = keras.layers.GRU
    rows = [  # name, layer, the parts of the formula
        ("Jordan, with its output layer", keras.layers.RNN(JordanCell(n, k)),
         [n * (m + k + 1), k * (n + 1)]),
        ("SimpleRNN", keras.layers.SimpleRNN(n), [simple]),
        ("GRU as in the lecture", gru(n, reset_after=False), [simple] * 3),
        ("GRU, Keras' default", gru(n), [simple] * 3 + [3 * n]),
        ("LSTM", keras.layers.LSTM(n), [simple] * 4),
        ("LSTM with peepholes", keras.layers.RNN(PeepholeLSTMCell(n)), [simple] * 4 + [3 * n]),
    ]  # fmt: skip
    counts = {}
    for name, layer, _ in rows:
        layer.build((None, None, m))
        counts[name] = layer.count_params()
    by_formula = {name: sum(parts) for name, _, parts in rows}
    table = pd.DataFrame({"Keras": counts, "formula": by_formula})
    table["of LSTM"] = table["Keras"] / counts["LSTM"]
    print(table.to_string(formatters={"of LSTM": "{:.0%}".format}))
    check("parameter counts", list(counts.values()), list(by_formula.values()), atol=0)
    check("LSTM is 4 x SimpleRNN", counts["LSTM"], 4 * counts["SimpleRNN"], atol=0)
    check("GRU is 3/4 of LSTM", counts["GRU as in the lecture"], counts["LSTM"] * 3 / 4, atol=0)
    print(
        "The lecture says that a GRU has a third fewer parameters than an LSTM. It has a quarter\n"
        "fewer; the LSTM has a third more than the GRU. Keras' GRU has a second bias, 3 n more."
    )

    figure, axes = plotting.new_figure("a", (8.5, 3.6))
    for row, (name, _, parts) in enumerate(rows):
        starts = np.cumsum([0, *parts[:-1]])
        colours = [plotting.BLUE if part == simple else plotting.ORANGE for part in parts]
        axes["a"].barh(row, parts, left=starts, color=colours, edgecolor="white", height=0.62)
        axes["a"].text(sum(parts) + 250, row, f"{counts[name]:,}", va="center")
    axes["a"].set_title(f"Parameters, {m} inputs and {n} units: each blue block is a SimpleRNN")
    axes["a"].set(xlabel="parameters", ylim=(len(rows) - 0.4, -0.6), xlim=(0, 29_000))
    axes["a"].set_yticks(range(len(rows)), [name for name, _, _ in rows])
    axes["a"].xaxis.set_major_formatter("{x:,.0f}")
    axes["a"].grid(False, axis="y")
    axes["a"].tick_params(axis="y", length=0)
    return figure, counts


# ------------------------------------------------------------------ why training is hard

GRADIENT_OUTPUTS = {0.99: 0, 1.0: 1, 1.01: 20_000}  # the board's, rounded


def gradient():
    """One linear neuron, input 1 at the first of 1,000 steps: the last output is w^999."""
    steps = 1000
    inputs = np.zeros((1, steps, 1))
    inputs[0, 0] = 1
    layer = keras.layers.SimpleRNN(
        1, activation=None, use_bias=False, return_sequences=True, dtype="float64"
    )
    layer.build(inputs.shape)
    rows, outputs = [], {}
    for w in GRADIENT_OUTPUTS:
        layer.set_weights([np.ones((1, 1)), np.full((1, 1), w)])  # kernel, recurrent_kernel
        with tf.GradientTape() as tape:
            output = layer(inputs)[0, :, 0]  # (steps,)
            last = output[-1]
        slope = tape.gradient(last, layer.cell.recurrent_kernel.value)[0, 0]
        outputs[w] = np.asarray(output)
        rows.append([w, float(last), w**999, float(slope), 999 * w**998])
    columns = ["w", "last output", "w^999", "d output / d w", "999 w^998"]
    table = pd.DataFrame(rows, columns=columns).set_index("w")
    print(table.to_string(float_format="{:.6g}".format))
    check("last output", table["last output"], table["w^999"], rtol=1e-9, atol=0)
    check("its slope", table["d output / d w"], table["999 w^998"], rtol=1e-9, atol=0)
    check("0, 1 and about 20,000", table["last output"], list(GRADIENT_OUTPUTS.values()), rtol=0.05)
    print(
        "From 0.99 to 1 and to 1.01 the output goes from 0 to 1 and to 20,000, and its slope\n"
        "from 0.04 to 999 and to 20 million: no learning rate suits all three."
    )

    figure, axes = plotting.new_figure("ab", (9.5, 3.8))
    w = np.linspace(0.982, 1.0104, 400)
    axes["b"].plot(w, w**999, color=plotting.BLACK)
    colours = [plotting.BLUE, plotting.GREY, plotting.ORANGE]
    for (w, output), colour in zip(outputs.items(), colours, strict=True):
        axes["a"].semilogy(range(1, steps + 1), output, color=colour)
        axes["a"].text(steps + 15, output[-1], f"w = {w:g}", color=colour, va="center")
        slope = table.loc[w, "d output / d w"]
        axes["b"].plot(w, output[-1], "o", color=colour)
        axes["b"].annotate(f"w = {w:g}\nslope {slope:.3g}", (w, output[-1]), (-8, 14),
                           textcoords="offset points", ha="right", color=colour)  # fmt: skip
    axes["a"].set_title("The signal, step by step, vanishes or explodes")
    axes["a"].set(xlabel="step", ylabel="output (log scale)", xlim=(0, 1250))
    axes["b"].set_title("The last output against w: a plain, then a wall")
    axes["b"].set(xlabel="w", ylabel="output after 1,000 steps")
    axes["b"].yaxis.set_major_formatter("{x:,.0f}")
    return figure, table


EXAMPLES = {
    "encoding": encoding,
    "rnn": rnn,
    "jordan": jordan,
    "bidirectional": bidirectional,
    "lstm-cell": lstm_cell,
    "lstm-vector": lstm_vector,
    "parameters": parameters,
    "gradient": gradient,
}


def parse_args(argv=None) -> argparse.Namespace:
    parser = cli.Parser(prog="worked_examples.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "example", nargs="?", choices=["all", *EXAMPLES], default="all", help="what to work through"
    )
    parser.add_argument(
        "--output-dir", type=Path, default=Path("outputs/worked_examples"),
        help="folder for the pictures",
    )  # fmt: skip
    parser.add_argument("--show", action="store_true", help="open each picture in a window too")
    return parser.parse_args(argv)


def main(argv=None) -> dict:
    """Work through the examples; return their numbers by name."""
    args = parse_args(argv)
    folder = output_folder(args.output_dir)
    results = {}
    for name in EXAMPLES if args.example == "all" else [args.example]:
        print(f"\n=== {name}")
        with keras.device("cpu"):  # a GPU may round matrix products to three digits
            figure, results[name] = EXAMPLES[name]()
        plotting.save(figure, folder / f"{name}.png", args.show)
    print(f"\nPictures: {folder}")
    return results


if __name__ == "__main__":
    cli.run(main, "worked_examples.py")
