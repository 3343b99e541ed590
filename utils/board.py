"""The board: what worked_examples.py draws. Each function takes what its example returns."""

from utils import plotting
from utils.plotting import Axes, Figure

import numpy as np


def numbers(vector: np.ndarray) -> str:
    """Write a number or a vector as the board has it: two decimals, no trailing zeros."""
    return " ".join(f"{x:g}" for x in np.round(np.atleast_1d(vector), 2) + 0.0)  # no "-0"


def _bare(axes: Axes, x: list | None = None, y: list | None = None, **settings) -> None:
    """Leave only labels, no grid, ticks or frame; `x` and `y` name the places 0, 1, 2 ..."""
    for axis, labels in [("x", x), ("y", y)]:
        if labels is not None:
            settings |= {f"{axis}ticks": range(len(labels)), f"{axis}ticklabels": labels}
    axes.set(**settings)
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _write(axes: Axes, x: float, y: float, text: str, **look):
    return axes.text(x, y, text, **{"ha": "center", "va": "center", **look})


def _steps(count: int) -> list[str]:
    return [f"step {k + 1}" for k in range(count)]


def draw_encoding(results: dict) -> Figure:
    """Draw the 1-of-N vectors of some words, a frame, and the trigrams of one word."""
    one_hot, word = results["one_hot"], results["word"]
    figure, axes = plotting.new_figure("ab", (9.5, 3.6), width_ratios=[1.15, 1])
    axes["a"].set_title('1-of-N: one dimension per word, and one for "other"')
    axes["a"].imshow(one_hot, cmap="Blues", vmax=1.4, aspect="auto")
    for (row, column), value in np.ndenumerate(one_hot):
        _write(axes["a"], column, row, value, color="white" if value else plotting.GREY)
    _bare(axes["a"], x=one_hot.columns, y=one_hot.index)
    axes["b"].set_title(f'"{word}" as three ones among 26 × 26 × 26 trigrams')
    for row, place in enumerate(results["trigrams"]):
        for column, letter in enumerate(word):
            bold = row <= column < row + 3
            look = {"color": plotting.BLUE, "weight": "bold"} if bold else {"color": plotting.GREY}
            _write(axes["b"], column, row, letter, fontsize=17, **look)
        axes["b"].text(5.2, row, f"dimension {place:,}", va="center")
    _bare(axes["b"], x=[], y=[], xlim=(-0.6, 8), ylim=(2.7, -0.7))
    return figure


def draw_unrolled(results: dict) -> Figure:
    """Draw "networks" unrolled over time: inputs, hidden and outputs, (steps, 2), by title."""
    panels = "abc"[: len(results["networks"])]
    figure, axes = plotting.new_figure("\n".join(panels), (7, 0.4 + 3 * len(panels)))
    for panel, (title, layers) in zip(panels, results["networks"].items(), strict=True):
        axes[panel].set_title(title)
        _unroll(axes[panel], layers, source=1 if results["fed back"] == "hidden" else 2)
    return figure


def _unroll(axes, layers, source):
    def box(x, y, values, colour):
        style = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": colour, "lw": 1.8}
        return _write(axes, x, y, numbers(values), fontsize=12, bbox=style)

    def arrow(start, end, colour):
        style = {"arrowstyle": "-|>", "color": colour, "shrinkA": 3, "shrinkB": 3, "lw": 1.6}
        style |= {"patchA": start.get_bbox_patch(), "patchB": end.get_bbox_patch()}
        axes.annotate("", end.get_position(), start.get_position(), arrowprops=style)

    colours, steps = [plotting.GREY, plotting.BLUE, plotting.GREEN], len(layers[0])
    before = box(0, source, [0, 0], plotting.ORANGE)
    for step in range(steps):
        boxes = [box(step + 1, y, layers[y][step], colours[y]) for y in range(3)]
        arrow(boxes[0], boxes[1], plotting.GREY)
        arrow(boxes[1], boxes[2], plotting.GREY)
        arrow(before, boxes[1], plotting.ORANGE)
        before = boxes[source]
    _bare(axes, x=["start", *_steps(steps)], y=["input", "hidden", "output"])
    axes.set(xlim=(-0.4, steps + 0.4), ylim=(-0.45, 2.45))


def draw_bidirectional(results: dict) -> Figure:
    """Draw which inputs the outputs of each pass have seen, read from their decimal places."""
    figure, axes = plotting.new_figure("ab", (8.5, 3.9), sharey=True)
    looks = {"forward": ("a", "past", plotting.BLUE), "backward": ("b", "future", plotting.ORANGE)}
    for name, (panel, part, colour) in looks.items():
        axes[panel].set_title(f"{name.capitalize()} pass: has seen the {part}")
        for step, output in enumerate(results[name]):
            fill = np.where(output // 10 ** np.arange(4) % 10 == 1, colour, "white")
            axes[panel].scatter(range(4), [step] * 4, s=420, c=fill, edgecolor=colour, lw=1.6)
            axes[panel].text(3.75, step, f"{output:.0f}", va="center", family="monospace")
        _bare(axes[panel], [1, 2, 3, 4], [1, 2, 3, 4], xlim=(-0.6, 4.9), ylim=(3.6, -0.6))
        axes[panel].set_xlabel("input of step (filled: seen)")
    axes["a"].set_ylabel("output of step")
    return figure


def draw_cell(results: dict) -> Figure:
    """Draw inputs, gates, memory and output of one cell above one another, as data flows."""
    inputs, gates, memory = np.asarray(results["inputs"]), results["gates"], results["memory"]
    steps = range(len(inputs))
    layout = {"height_ratios": [1, 3.2, 0.7 * len(gates), 2.1], "sharex": True}
    figure, axes = plotting.new_figure("y\nc\ng\nx", (8.2, 7.2), **layout)
    edges = np.arange(-1, len(memory)) - 0.5
    axes["c"].stairs(memory[1:], edges[1:], fill=True, color=plotting.SKY, alpha=0.35)
    axes["c"].stairs(memory, edges, color=plotting.BLUE, linewidth=2.4)
    for step, action, output in zip(steps, results["actions"], results["outputs"], strict=True):
        axes["y"].text(step, 1.12, action, ha="center", weight="bold", fontsize=12)
        colour = plotting.GREY if round(output) == 0 else plotting.GREEN
        _write(axes["y"], step, 0.35, numbers(output), fontsize=15, color=colour)
        look = {"fontsize": 15, "color": plotting.BLUE, "va": "bottom"}
        _write(axes["c"], step, memory[step + 1] + 0.25, numbers(memory[step + 1]), **look)
    for row, gate in enumerate(gates.values()):
        fill, edge = np.where(gate > 0.5, plotting.ORANGE, "white"), plotting.ORANGE
        axes["g"].scatter(steps, [row] * len(steps), s=330, c=fill, edgecolor=edge, lw=1.8)
    for (step, row), value in np.ndenumerate(inputs):
        colour = plotting.BLACK if row == 0 or value else plotting.GREY
        _write(axes["x"], step, row, numbers(value), fontsize=14, color=colour)
    _bare(axes["y"], y=[], ylabel="output", ylim=(0, 1))
    _bare(axes["c"], y=[], ylabel="memory", ylim=(-0.1, 8.4))
    _bare(axes["g"], y=list(gates), ylabel="gates", ylim=(len(gates) - 0.4, -0.6))
    _bare(axes["x"], x=_steps(len(steps)), y=results["meanings"], ylabel="inputs")
    axes["x"].set(ylim=(2.6, -0.6), xlim=(-0.7, len(steps) - 0.4))
    for panel in axes.values():
        panel.yaxis.labelpad = 12
        for step in steps[1:]:
            panel.axvline(step - 0.5, color="#dddddd", linewidth=0.9, zorder=0)
    figure.align_ylabels()
    figure.suptitle(f"{results['title']} (gates: ● open, ○ closed)\n", x=0.01, ha="left")
    return figure


def draw_lstm_vector(results: dict) -> Figure:
    """Draw gates, memory and output of a layer, of the last form in `results`, (steps, units)."""
    *_, layer = results.values()
    figure, axes = plotting.new_figure("ifo\nzch", (9.5, 4), sharex=True, sharey=True)
    titles = [
        r"what to write: $\tanh(z)$", "input gate i", "forget gate f", "output gate o",
        r"memory $c_t = f \circ c_{t-1} + i \circ \tanh(z)$", r"output $h_t = o \circ \tanh(c_t)$",
    ]  # fmt: skip
    for panel, title, (name, values) in zip("zifoch", titles, layer.items(), strict=True):
        colours, low, high = ("Oranges", 0, 1.3) if name in "ifo" else ("PRGn", -1.6, 1.6)
        axes[panel].imshow(values.T, colours, vmin=low, vmax=high, aspect="auto")
        axes[panel].set_title(title)
        for (step, cell), value in np.ndenumerate(values):
            _write(axes[panel], step, cell, f"{value:.2f}")
        _bare(axes[panel], x=_steps(len(values)), y=["cell 1", "cell 2"])
    figure.suptitle("Two LSTM cells with peepholes: each row is one cell", x=0.01, ha="left")
    return figure


def draw_parameters(results: dict) -> Figure:
    """Draw each layer's parameters, in blocks; "blocks" by layer, and one of them "simple"."""
    figure, axes = plotting.new_figure("a", (8.5, 3.6))
    axes, blocks = axes["a"], results["blocks"]
    for row, parts in enumerate(blocks.values()):
        colours = [{results["simple"]: plotting.BLUE}.get(part, plotting.ORANGE) for part in parts]
        axes.barh(row, parts, 0.62, np.cumsum([0, *parts[:-1]]), color=colours, edgecolor="white")
        axes.text(sum(parts) + 250, row, f"{sum(parts):,}", va="center")
    axes.set_title(f"Parameters, {results['size']}: each blue block is a SimpleRNN")
    axes.set(xlabel="parameters", ylim=(len(blocks) - 0.4, -0.6), xlim=(0, 29_000))
    axes.set_yticks(range(len(blocks)), blocks)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(False, axis="y")
    return figure


def draw_gradient(results: dict) -> Figure:
    """Draw "outputs", (steps,) by w, and the last of them against w; "slopes" by w."""
    figure, axes = plotting.new_figure("ab", (9.5, 3.8))
    w = np.linspace(0.982, 1.0104, 400)
    axes["b"].plot(w, w**999, color=plotting.BLACK)
    colours = [plotting.BLUE, plotting.GREY, plotting.ORANGE]
    for (w, output), colour in zip(results["outputs"].items(), colours, strict=True):
        steps, last = len(output), output[-1]
        axes["a"].semilogy(range(1, steps + 1), output, color=colour)
        axes["a"].text(steps + 15, last, f"w = {w:g}", color=colour, va="center")
        axes["b"].plot(w, last, "o", color=colour)
        text = f"w = {w:g}\nslope {results['slopes'][w]:.3g}"
        axes["b"].text(w - 0.0008, last + 1800, text, color=colour, ha="right")
    axes["a"].set(title="The signal, step by step, vanishes or explodes", xlim=(0, 1250),
                  xlabel="step", ylabel="output (log scale)")  # fmt: skip
    axes["b"].set(title="The last output against w: a plain, then a wall",
                  xlabel="w", ylabel="output after 1,000 steps")  # fmt: skip
    axes["b"].yaxis.set_major_formatter("{x:,.0f}")
    return figure
