"""The board: what worked_examples.py draws. Each function takes what its example returns."""

from utils import plotting
from utils.plotting import Axes, Figure

import numpy as np

PALE = "#bbbbbb"


def numbers(vector: np.ndarray) -> str:
    """Write a number or a vector as the board has it: two decimals, no trailing zeros."""
    return " ".join(f"{x:g}" for x in np.round(np.atleast_1d(vector), 2) + 0.0)  # no "-0"


def _bare(axes: Axes) -> None:
    """Leave only the labels of the axes: no grid, ticks or frame."""
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def draw_encoding(results: dict) -> Figure:
    """Draw the 1-of-N vectors of some words, and the trigrams of one."""
    vectors, words, dimensions = results["one_hot"], results["words"], results["dimensions"]
    figure, axes = plotting.new_figure("ab", (9.5, 3.6), width_ratios=[1.15, 1])
    axes["a"].set_title('1-of-N: one dimension per word, and one for "other"')
    axes["a"].pcolormesh(vectors, cmap="Blues", vmax=1.4, edgecolor="white", linewidth=2)
    for (row, column), value in np.ndenumerate(vectors):
        colour = plotting.GREY if value == 0 else "white"
        axes["a"].text(
            column + 0.5, row + 0.5, f"{value:g}", ha="center", va="center", color=colour
        )
    axes["a"].set_yticks(np.arange(len(words)) + 0.5, words)
    axes["a"].set_xticks(np.arange(len(dimensions)) + 0.5, dimensions)
    axes["a"].invert_yaxis()
    word = results["word"]
    axes["b"].set_title(f'"{word}" as three ones among 26 × 26 × 26 trigrams')
    for row, place in enumerate(results["trigrams"]):
        for column, letter in enumerate(word):
            inside = row <= column < row + 3
            look = {"color": plotting.BLUE, "weight": "bold"} if inside else {"color": PALE}
            axes["b"].text(column, row, letter, ha="center", va="center", fontsize=17, **look)
        axes["b"].text(5.2, row, f"dimension {place:,}", va="center")
    axes["b"].set(xlim=(-0.6, 8), ylim=(2.7, -0.7), xticks=[], yticks=[])
    for panel in axes.values():
        _bare(panel)
    return figure


def draw_unrolled(results: dict) -> Figure:
    """Draw a network unrolled over time, once per title in `results`.

    Each has "inputs", "hidden" and "outputs", (steps, 2), and under "memory" which of them is fed
    back.
    """
    panels = "abc"[: len(results)]
    figure, axes = plotting.new_figure("\n".join(panels), (7, 0.4 + 3 * len(panels)))
    for panel, (title, network) in zip(panels, results.items(), strict=True):
        axes[panel].set_title(f"The {network['memory']} fed back: {title}")
        _unroll(axes[panel], network)
    return figure


def _unroll(axes, network):
    rows = {
        0: ("input", network["inputs"], plotting.GREY),
        1: ("hidden", network["hidden"], plotting.BLUE),
        2: ("output", network["outputs"], plotting.GREEN),
    }
    source = 1 if network["memory"] == "hidden layer" else 2
    steps = len(network["inputs"])

    def box(x, y, text, colour):
        style = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": colour, "lw": 1.8}
        return axes.text(x, y, text, ha="center", va="center", fontsize=12, bbox=style)

    def arrow(start, end, colour):
        style = {"arrowstyle": "-|>", "color": colour, "shrinkA": 3, "shrinkB": 3, "lw": 1.6}
        style |= {"patchA": start.get_bbox_patch(), "patchB": end.get_bbox_patch()}
        axes.annotate("", end.get_position(), start.get_position(), arrowprops=style)

    before = box(0, source, "0 0", plotting.ORANGE)
    for step in range(steps):
        boxes = [
            box(step + 1, y, numbers(values[step]), colour)
            for y, (_, values, colour) in rows.items()
        ]
        arrow(boxes[0], boxes[1], plotting.GREY)
        arrow(boxes[1], boxes[2], plotting.GREY)
        arrow(before, boxes[1], plotting.ORANGE)
        before = boxes[source]
    axes.set(xlim=(-0.4, steps + 0.4), ylim=(-0.45, 2.45))
    axes.set_yticks(list(rows), [name for name, _, _ in rows.values()])
    axes.set_xticks(range(steps + 1), ["start", *(f"step {t + 1}" for t in range(steps))])
    _bare(axes)


def draw_bidirectional(results: dict) -> Figure:
    """Draw which inputs the outputs of each pass have seen, read from their decimal places."""
    figure, axes = plotting.new_figure("ab", (8.5, 3.9), sharey=True)
    for panel, name, title, colour in [
        ("a", "forward", "Forward pass: has seen the past", plotting.BLUE),
        ("b", "backward", "Backward pass: has seen the future", plotting.ORANGE),
    ]:
        axes[panel].set_title(title)
        for step, output in enumerate(results[name], start=1):
            for place in range(4):
                fill = colour if output // 10**place % 10 == 1 else "white"
                axes[panel].scatter(
                    place + 1, step, s=420, edgecolor=colour, linewidth=1.6, facecolor=fill
                )
            axes[panel].text(4.75, step, f"{output:.0f}", va="center", family="monospace")
        axes[panel].set(xlabel="input of step (filled: seen)", xlim=(0.4, 5.9), ylim=(4.6, 0.4))
        axes[panel].set(xticks=[1, 2, 3, 4], yticks=[1, 2, 3, 4])
        _bare(axes[panel])
    axes["a"].set_ylabel("output of step")
    return figure


def draw_cell(results: dict) -> Figure:
    """Draw inputs, gates, memory and output of one cell above one another, as data flows.

    `results` has "title"; "inputs" (steps, 3) and their "meanings"; "gates", (steps,) by name;
    "memory" (steps + 1,); "outputs" (steps,); and "actions", a word per step.
    """
    inputs, gates, memory = results["inputs"], results["gates"], results["memory"]
    steps = np.arange(1, len(inputs) + 1)
    heights = [1, 3.2, 0.7 * len(gates), 2.1]
    figure, axes = plotting.new_figure("y\nc\ng\nx", (8.2, 7.2), height_ratios=heights, sharex=True)
    for step, action, output in zip(steps, results["actions"], results["outputs"], strict=True):
        axes["y"].text(step, 1.12, action, ha="center", weight="bold", fontsize=12)
        colour = plotting.GREY if round(output) == 0 else plotting.GREEN
        axes["y"].text(
            step, 0.35, numbers(output), ha="center", va="center", fontsize=15, color=colour
        )
    edges = np.arange(len(memory) + 1) - 0.5
    axes["c"].stairs(memory[1:], edges[1:], fill=True, color=plotting.SKY, alpha=0.35)
    axes["c"].stairs(memory, edges, color=plotting.BLUE, linewidth=2.4)
    for step in steps:
        axes["c"].text(
            step, memory[step] + 0.25, numbers(memory[step]), ha="center", va="bottom",
            fontsize=15, color=plotting.BLUE,
        )  # fmt: skip
    for row, gate in enumerate(gates.values()):
        fill = np.where(gate > 0.5, plotting.ORANGE, "white")
        axes["g"].scatter(
            steps, [row] * len(steps), s=330, c=fill, edgecolor=plotting.ORANGE, linewidth=1.8
        )
    for (step, row), value in np.ndenumerate(np.asarray(inputs)):
        colour = plotting.BLACK if row == 0 or value else PALE
        axes["x"].text(
            step + 1, row, numbers(value), ha="center", va="center", fontsize=14, color=colour
        )
    axes["y"].set(ylabel="output", ylim=(0, 1), yticks=[])
    axes["c"].set(ylabel="memory", ylim=(-0.1, 8.4), yticks=[])
    axes["g"].set(ylabel="gates", ylim=(len(gates) - 0.4, -0.6))
    axes["g"].set_yticks(range(len(gates)), list(gates))
    axes["x"].set(ylabel="inputs", ylim=(2.6, -0.6), xlim=(0.3, len(steps) + 0.6))
    axes["x"].set_yticks(range(3), results["meanings"])
    axes["x"].set_xticks(steps, [f"step {step}" for step in steps])
    for panel in axes.values():
        panel.yaxis.labelpad = 12
        _bare(panel)
        for edge in steps[:-1] + 0.5:
            panel.axvline(edge, color="#dddddd", linewidth=0.9, zorder=0)
    figure.align_ylabels()
    figure.suptitle(f"{results['title']} (gates: ● open, ○ closed)\n", x=0.01, ha="left")
    return figure


def draw_lstm_vector(results: dict) -> Figure:
    """Draw gates, memory and output of a layer, of the last form in `results`, (steps, units)."""
    *_, layer = results.values()
    steps, units = layer["c"].shape
    figure, axes = plotting.new_figure("ifo\nzch", (9.5, 4), sharex=True, sharey=True)
    for name, title in {
        "i": "input gate i",
        "f": "forget gate f",
        "o": "output gate o",
        "tanh(z)": r"what to write: $\tanh(z)$",
        "c": r"memory $c_t = f \circ c_{t-1} + i \circ \tanh(z)$",
        "h": r"output $h_t = o \circ \tanh(c_t)$",
    }.items():
        panel, is_gate = axes["z" if name == "tanh(z)" else name], name in "ifo"
        panel.pcolormesh(
            layer[name].T, edgecolor="white", linewidth=1.5,
            cmap="Oranges" if is_gate else "PRGn",
            vmin=0 if is_gate else -1.6, vmax=1.3 if is_gate else 1.6,
        )  # fmt: skip
        for (step, cell), value in np.ndenumerate(layer[name]):
            panel.text(step + 0.5, cell + 0.5, f"{value:.2f}", ha="center", va="center")
        panel.set_title(title)
        panel.set_xticks(np.arange(steps) + 0.5, [f"step {k + 1}" for k in range(steps)])
        panel.set_yticks(np.arange(units) + 0.5, [f"cell {k + 1}" for k in range(units)])
        _bare(panel)
    axes["i"].invert_yaxis()
    figure.suptitle("Two LSTM cells with peepholes: each row is one cell", x=0.01, ha="left")
    return figure


def draw_parameters(results: dict) -> Figure:
    """Draw each layer's parameters, in blocks; "blocks" by layer, and one of them "simple"."""
    figure, axes = plotting.new_figure("a", (8.5, 3.6))
    for row, (name, parts) in enumerate(results["blocks"].items()):
        simple = [part == results["simple"] for part in parts]
        colours = [plotting.BLUE if blue else plotting.ORANGE for blue in simple]
        starts = np.cumsum([0, *parts[:-1]])
        axes["a"].barh(row, parts, left=starts, color=colours, edgecolor="white", height=0.62)
        axes["a"].text(sum(parts) + 250, row, f"{results['counts'][name]:,}", va="center")
    axes["a"].set_title(f"Parameters, {results['size']}: each blue block is a SimpleRNN")
    layers = list(results["blocks"])
    axes["a"].set(xlabel="parameters", ylim=(len(layers) - 0.4, -0.6), xlim=(0, 29_000))
    axes["a"].set_yticks(range(len(layers)), layers)
    axes["a"].xaxis.set_major_formatter("{x:,.0f}")
    axes["a"].grid(False, axis="y")
    axes["a"].tick_params(axis="y", length=0)
    return figure


def draw_gradient(results: dict) -> Figure:
    """Draw "outputs", (steps,) by w, and the last of them against w; "slopes" by w."""
    figure, axes = plotting.new_figure("ab", (9.5, 3.8))
    w = np.linspace(0.982, 1.0104, 400)
    axes["b"].plot(w, w**999, color=plotting.BLACK)
    colours = [plotting.BLUE, plotting.GREY, plotting.ORANGE]
    for (w, output), colour in zip(results["outputs"].items(), colours, strict=True):
        steps = len(output)
        axes["a"].semilogy(range(1, steps + 1), output, color=colour)
        axes["a"].text(steps + 15, output[-1], f"w = {w:g}", color=colour, va="center")
        axes["b"].plot(w, output[-1], "o", color=colour)
        axes["b"].annotate(
            f"w = {w:g}\nslope {results['slopes'][w]:.3g}", (w, output[-1]), (-8, 14),
            textcoords="offset points", ha="right", color=colour,
        )  # fmt: skip
    axes["a"].set_title("The signal, step by step, vanishes or explodes")
    axes["a"].set(xlabel="step", ylabel="output (log scale)", xlim=(0, 1250))
    axes["b"].set_title("The last output against w: a plain, then a wall")
    axes["b"].set(xlabel="w", ylabel="output after 1,000 steps")
    axes["b"].yaxis.set_major_formatter("{x:,.0f}")
    return figure
