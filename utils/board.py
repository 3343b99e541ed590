"""The board: numbers, and how one cell goes through its steps."""

from utils import plotting
from utils.plotting import Figure

import numpy as np


def numbers(vector: np.ndarray) -> str:
    """Write a number or a vector as the board has it: two decimals, no trailing zeros."""
    return " ".join(f"{x:g}" for x in np.round(np.atleast_1d(vector), 2) + 0.0)  # no "-0"


def draw_cell(title: str, inputs: dict, gates: dict, memory, outputs, actions) -> Figure:
    """Draw inputs and gates (by name), memory and outputs of one cell above one another.

    The memory is (steps + 1,), before the first step, too; all else (steps,).
    """
    steps, middle = range(len(outputs)), {"ha": "center", "va": "center"}
    layout = {"height_ratios": [1, 3.2, 0.7 * len(gates), 2.1], "sharex": True}
    figure, axes = plotting.plt.subplot_mosaic("y\nc\ng\nx", figsize=(8.2, 7.2), **layout)
    for panel in axes.values():
        panel.grid(False)
        panel.tick_params(length=0)
        panel.spines[:].set_visible(False)
    for step in steps:
        axes["y"].text(step, 1.12, actions[step], ha="center", weight="bold", fontsize=12)
        look = {"color": plotting.GREEN, "fontsize": 15}
        axes["y"].text(step, 0.35, numbers(outputs[step]), **look, **middle)
        look = {"color": plotting.BLUE, "fontsize": 15, "ha": "center", "va": "bottom"}
        axes["c"].text(step, memory[step + 1] + 0.25, numbers(memory[step + 1]), **look)
        for row, values in enumerate(inputs.values()):
            axes["x"].text(step, row, numbers(values[step]), fontsize=14, **middle)
    edges = np.arange(-1, len(memory)) - 0.5
    axes["c"].stairs(memory[1:], edges[1:], fill=True, color=plotting.SKY, alpha=0.35)
    axes["c"].stairs(memory, edges, color=plotting.BLUE, linewidth=2.4)
    for row, gate in enumerate(gates.values()):
        fill, edge = np.where(gate > 0.5, plotting.ORANGE, "white"), plotting.ORANGE
        axes["g"].scatter(steps, [row] * len(steps), s=330, c=fill, edgecolor=edge, lw=1.8)
    axes["y"].set(yticks=[], ylabel="output", ylim=(0, 1))
    axes["c"].set(yticks=[], ylabel="memory", ylim=(-0.1, 8.4))
    axes["g"].set_yticks(range(len(gates)), gates)
    axes["g"].set(ylabel="gates", ylim=(len(gates) - 0.4, -0.6))
    axes["x"].set_xticks(steps, [f"step {step + 1}" for step in steps])
    axes["x"].set_yticks(range(len(inputs)), inputs)
    axes["x"].set(ylabel="inputs", ylim=(2.6, -0.6), xlim=(-0.7, len(steps) - 0.4))
    figure.align_ylabels()
    figure.suptitle(f"{title}, step by step (gates: ● open, ○ closed)\n", x=0.01, ha="left")
    return figure
