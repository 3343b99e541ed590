"""The board: what worked_examples.py draws, and tables as squares."""

from collections.abc import Sequence

from utils import plotting
from utils.plotting import Axes, Figure

import numpy as np
import pandas as pd


def numbers(vector: np.ndarray) -> str:
    """Write a number or a vector as the board has it: two decimals, no trailing zeros."""
    return " ".join(f"{x:g}" for x in np.round(np.atleast_1d(vector), 2) + 0.0)  # no "-0"


def heatmap(axes: Axes, table: pd.DataFrame, high: float, decimals: int = 0) -> None:
    """Draw a table as squares with its numbers, from 0 to `high`; from -high, if some are below."""
    signed = table.to_numpy().min() < 0
    cmap, low = ("PRGn", -high) if signed else ("Blues", 0)
    axes.imshow(table, cmap=cmap, vmin=low, vmax=high, aspect="auto")
    for (row, column), value in np.ndenumerate(table):
        dark = plotting.GREY if round(value, decimals) == 0 else plotting.BLACK
        colour = "white" if value > 0.6 * high and not signed else dark
        _write(axes, column, row, f"{value:.{decimals}f}", color=colour)
    _bare(axes, table.columns, table.index)


def _bare(axes: Axes, x: Sequence | None = None, y: Sequence | None = None, **settings) -> None:
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


def draw_encoding(one_hot: pd.DataFrame) -> Figure:
    """Draw the 1-of-N vectors of some words."""
    figure, axes = plotting.plt.subplot_mosaic("a", figsize=(5.5, 3.6))
    heatmap(axes["a"], one_hot, high=1)
    axes["a"].set_title('1-of-N: one dimension per word, and one for "other"')
    return figure


def draw_unrolled(networks: dict[str, tuple], fed_back: str) -> Figure:
    """Draw networks by title, unrolled over time: inputs, hidden and outputs, (steps, 2) each."""
    panels = "abc"[: len(networks)]
    figure, axes = plotting.plt.subplot_mosaic(
        "\n".join(panels), figsize=(7, 0.4 + 3 * len(panels))
    )
    for panel, (title, layers) in zip(panels, networks.items(), strict=True):
        axes[panel].set_title(title)
        _unroll(axes[panel], layers, source=1 if fed_back == "hidden" else 2)
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


def draw_bidirectional(forward: np.ndarray, backward: np.ndarray) -> Figure:
    """Draw which inputs the outputs of each pass have seen, read from their decimal places."""
    figure, axes = plotting.plt.subplot_mosaic("ab", figsize=(8.5, 3.9), sharey=True)
    for panel, title, outputs, colour in [
        ("a", "Forward pass: has seen the past", forward, plotting.BLUE),
        ("b", "Backward pass: has seen the future", backward, plotting.ORANGE),
    ]:
        for step, output in enumerate(outputs):
            fill = np.where(output // 10 ** np.arange(4) % 10 == 1, colour, "white")
            axes[panel].scatter(range(4), [step] * 4, s=420, c=fill, edgecolor=colour, lw=1.6)
            axes[panel].text(3.75, step, f"{output:.0f}", va="center", family="monospace")
        _bare(axes[panel], [1, 2, 3, 4], [1, 2, 3, 4], xlim=(-0.6, 4.9), ylim=(3.6, -0.6))
        axes[panel].set(title=title, xlabel="input of step (filled: seen)")
    axes["a"].set_ylabel("output of step")
    return figure


def draw_cell(title: str, inputs: dict, gates: dict, memory, outputs, actions) -> Figure:
    """Draw inputs and gates (by name), memory and outputs of one cell above one another.

    The memory is (steps + 1,), before the first step, too; all else (steps,).
    """
    steps = range(len(outputs))
    layout = {"height_ratios": [1, 3.2, 0.7 * len(gates), 2.1], "sharex": True}
    figure, axes = plotting.plt.subplot_mosaic("y\nc\ng\nx", figsize=(8.2, 7.2), **layout)
    edges = np.arange(-1, len(memory)) - 0.5
    axes["c"].stairs(memory[1:], edges[1:], fill=True, color=plotting.SKY, alpha=0.35)
    axes["c"].stairs(memory, edges, color=plotting.BLUE, linewidth=2.4)
    for step in steps:
        axes["y"].text(step, 1.12, actions[step], ha="center", weight="bold", fontsize=12)
        _write(axes["y"], step, 0.35, numbers(outputs[step]), fontsize=15, color=plotting.GREEN)
        look = {"fontsize": 15, "color": plotting.BLUE, "va": "bottom"}
        _write(axes["c"], step, memory[step + 1] + 0.25, numbers(memory[step + 1]), **look)
    for row, gate in enumerate(gates.values()):
        fill, edge = np.where(gate > 0.5, plotting.ORANGE, "white"), plotting.ORANGE
        axes["g"].scatter(steps, [row] * len(steps), s=330, c=fill, edgecolor=edge, lw=1.8)
    for row, values in enumerate(inputs.values()):
        for step in steps:
            _write(axes["x"], step, row, numbers(values[step]), fontsize=14)
    _bare(axes["y"], y=[], ylabel="output", ylim=(0, 1))
    _bare(axes["c"], y=[], ylabel="memory", ylim=(-0.1, 8.4))
    _bare(axes["g"], y=list(gates), ylabel="gates", ylim=(len(gates) - 0.4, -0.6))
    _bare(axes["x"], x=_steps(len(steps)), y=list(inputs), ylabel="inputs")
    axes["x"].set(ylim=(2.6, -0.6), xlim=(-0.7, len(steps) - 0.4))
    figure.align_ylabels()
    figure.suptitle(f"{title}, step by step (gates: ● open, ○ closed)\n", x=0.01, ha="left")
    return figure


def draw_lstm_vector(layer: dict[str, np.ndarray]) -> Figure:
    """Draw what to write, gates, memory and output of a layer, (steps, units) by name."""
    figure, axes = plotting.plt.subplot_mosaic(
        [["i", "f", "o"], ["tanh(z)", "c", "h"]], figsize=(9.5, 4)
    )
    for name, values in layer.items():
        cells = [f"cell {k + 1}" for k in range(values.shape[1])]
        table = pd.DataFrame(values.T, cells, _steps(len(values)))
        heatmap(axes[name], table, high=1.6, decimals=2)
        axes[name].set_title(name)
    figure.suptitle("Two LSTM cells: each row is one cell", x=0.01, ha="left")
    return figure


def draw_parameters(blocks: dict[str, list[int]], simple: int, size: str) -> Figure:
    """Draw each layer's parameters, in blocks, those of a simple layer blue."""
    figure, axes = plotting.plt.subplot_mosaic("a", figsize=(8.5, 3.6))
    for name, parts in reversed(blocks.items()):
        colours = [plotting.BLUE if part == simple else plotting.ORANGE for part in parts]
        left = np.cumsum([0, *parts[:-1]])
        bars = axes["a"].barh([name] * len(parts), parts, 0.6, left, color=colours, ec="white")
        axes["a"].bar_label(bars, ["" for _ in parts[1:]] + [f" {sum(parts):,}"])
    axes["a"].set(title=f"Parameters, {size}: each blue block is a SimpleRNN", xlim=(0, 29_000))
    axes["a"].grid(False, axis="y")
    return figure


def draw_gradient(outputs: dict[float, np.ndarray], slopes) -> Figure:
    """Draw outputs, (steps,) by w, and the last of them against w; the slopes are by w, too."""
    figure, axes = plotting.plt.subplot_mosaic("ab", figsize=(9.5, 3.8))
    w = np.linspace(0.982, 1.0104, 400)
    axes["b"].plot(w, w**999, color=plotting.BLACK)
    colours = [plotting.BLUE, plotting.GREY, plotting.ORANGE]
    for (w, output), colour in zip(outputs.items(), colours, strict=True):
        steps, last = len(output), output[-1]
        axes["a"].semilogy(range(1, steps + 1), output, color=colour)
        axes["a"].text(steps + 15, last, f"w = {w:g}", color=colour, va="center")
        axes["b"].plot(w, last, "o", color=colour)
        text = f"w = {w:g}\nslope {slopes[w]:.3g}"
        axes["b"].text(w - 0.0008, last + 1800, text, color=colour, ha="right")
    axes["a"].set(title="The signal, step by step, vanishes or explodes", xlim=(0, 1250),
                  xlabel="step", ylabel="output (log scale)")  # fmt: skip
    axes["b"].set(title="The last output against w: a plain, then a wall",
                  xlabel="w", ylabel="output after 1,000 steps")  # fmt: skip
    return figure
