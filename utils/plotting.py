"""The pictures' common style; the only module that imports matplotlib."""

import warnings
from pathlib import Path

from utils.files import written_whole

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette, which colour-blind readers can tell apart; red is kept for the forecast
BLACK, GREY, BLUE, SKY, GREEN, ORANGE, PURPLE = (
    "#000000", "#8c8c8c", "#0072B2", "#56B4E9", "#009E73", "#E69F00", "#CC79A7",
)  # fmt: skip
RED = "#D62728"
COLOURS = {  # of what a network is measured against
    "persistence": GREY, "seasonal_naive": PURPLE, "linear": ORANGE, "boosting": SKY,
    "optimal": GREEN, "trained": "#8C564B", "zero": "#BCBD22", "mean": "#E377C2",
}  # fmt: skip
PIECES = 20  # of the test part, if it has no hours

# fonts with Chinese characters, as systems call them, that this one has
CHINESE = {
    "Noto Sans CJK TC", "Noto Sans TC", "Noto Sans CJK JP", "Microsoft JhengHei", "PingFang TC",
    "PingFang HK", "Heiti TC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Arial Unicode MS",
} & {font.name for font in font_manager.fontManager.ttflist}  # fmt: skip

matplotlib.rcParams.update(
    {
        "font.family": ["DejaVu Sans", *sorted(CHINESE)[:1]],
        "figure.dpi": 120,
        "savefig.dpi": 120,
        "figure.constrained_layout.use": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.25,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "axes.labelsize": 10,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "lines.linewidth": 1.4,
        "date.converter": "concise",
    }
)


def draw_forecast(
    axes: Axes, actual: pd.Series, forecast: pd.DataFrame, one_step: pd.Series | None = None
) -> None:
    """Draw the last values, the network's one-step forecasts of them, and what comes in red.

    All are by time. `forecast` has the columns forecast, and by interval lower and upper (of 90 %),
    or lower_0.5, ...; `one_step` is named after the network.
    """
    start = pd.DataFrame(actual.iloc[-1], actual.index[-1:], forecast.columns)
    ahead = pd.concat([start, forecast])  # lines lead on from the last value
    axes.plot(actual, ".-", color=BLACK, ms=4, lw=0.6, label="actual")
    if one_step is not None:
        axes.plot(one_step, color=BLUE, label=f"{one_step.name}, one step ahead")
    dots = {"ms": 4, "markevery": slice(1, None)}
    axes.plot(ahead["forecast"], ".-", color=RED, label="forecast, with intervals", **dots)
    for number, lower in enumerate(name for name in forecast if name.startswith("lower")):
        upper, level = lower.replace("lower", "upper"), float(lower.partition("_")[2] or 0.9)
        axes.fill_between(ahead.index, ahead[lower], ahead[upper], color=RED, alpha=0.15, lw=0)
        edge = ahead[lower if number % 2 else upper].iloc[-1]  # in turn, as neighbours are near
        axes.text(ahead.index[-1], edge, f" {level:.0%}", va="center")
    axes.set_ylabel(actual.name)
    axes.margins(x=0.01)
    axes.legend(loc="lower left", ncols=5, bbox_to_anchor=(0, 1.0), borderaxespad=0.1)


def draw_errors(axes: Axes, test: pd.DataFrame, network: str) -> None:
    """Draw the mean absolute error by hour of the day, or else from week to week, say.

    The columns of `test`, by time, are actual, persistence, linear and the network.
    """
    by_hour = isinstance(test.index, pd.DatetimeIndex) and test.index.hour.nunique() > 1
    size = -(-len(test) // PIECES)
    by = test.index.hour if by_hour else test.index[np.arange(len(test)) // size * size]
    for name, colour in {"persistence": GREY, "linear": ORANGE, network: BLUE}.items():
        axes.plot((test[name] - test["actual"]).abs().groupby(by).mean(), color=colour, label=name)
    axes.set(title="MAE, one step ahead", ylim=(0, None))
    if by_hour:
        axes.set(title="MAE by hour of the day, one step ahead", xticks=range(0, 24, 6))
    axes.legend(loc="best")


def draw_by_steps(axes: Axes, scores: dict[str, dict], network: str) -> None:
    """Draw the mean absolute error of each forecast, as scores.json has it, by steps ahead."""
    for name, line in scores.items():
        errors = [np.nan if e is None else e for e in line["by_step"]["mae"]]
        wide = {"lw": 5, "alpha": 0.4} if name == "optimal" else {}
        colour = BLUE if name == network else COLOURS.get(name, BLACK)
        steps = range(1, len(errors) + 1)
        axes.plot(steps, errors, color=colour, label=name.replace("_", " "), **wide)
    room = 1.4 * axes.get_ylim()[1]  # for the legend
    axes.set(title="MAE by steps ahead", xlabel="steps ahead", ylim=(0, room))
    axes.legend(loc="upper left", ncols=2)


def draw_history(axes: Axes, history: pd.DataFrame, best_epoch: int) -> None:
    """Draw the loss of train and validation part by epoch, as `utils.training.fit` has it."""
    axes.plot(history["loss"], color=GREY, label="train")
    axes.plot(history["val_loss"], color=BLUE, label="validation")
    axes.axvline(best_epoch, color=BLACK, lw=0.8, ls=":", label=f"kept: epoch {best_epoch}")
    axes.set(title="Loss by epoch", xlabel="epoch")
    axes.legend(loc="upper right", frameon=True, framealpha=1, edgecolor="none")


def save(figure: Figure, path: str | Path, show: bool = False) -> None:
    """Write the picture, whole or not at all; with `show`, open a window and wait for its end."""
    with written_whole(path) as beside, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # see CHINESE
        figure.savefig(beside)
    if show:
        plt.show()
    plt.close(figure)
