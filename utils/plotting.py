"""The pictures' common style; the only module that imports matplotlib."""

from pathlib import Path

from utils.files import written_whole

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette, which colour-blind readers can tell apart; red is kept for the forecast
BLACK, GREY, BLUE, SKY, GREEN, ORANGE, PURPLE = (
    "#000000", "#8c8c8c", "#0072B2", "#56B4E9", "#009E73", "#E69F00", "#CC79A7",
)  # fmt: skip
RED = "#D62728"

matplotlib.rcParams.update(
    {
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
        "legend.frameon": False,
        "legend.fontsize": 9,
        "lines.linewidth": 1.4,
        "date.converter": "concise",
    }
)


def new_figure(mosaic: str, size: tuple[float, float], **kwargs) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure and its axes by name; `mosaic` as in `matplotlib.pyplot.subplot_mosaic`."""
    return plt.subplot_mosaic(mosaic, figsize=size, **kwargs)


def from_last(actual: pd.Series, ahead: pd.DataFrame) -> pd.DataFrame:
    """Let the columns of `ahead` begin at the last actual value, so that lines lead on from it."""
    start = pd.DataFrame(actual.iloc[-1], actual.index[-1:], ahead.columns)
    return pd.concat([start, ahead])


def draw_forecast(
    axes: Axes, actual: pd.Series, forecast: pd.DataFrame, one_step: pd.Series | None = None
) -> None:
    """Draw the last values, the network's one-step forecasts of them, and the forecast in red.

    Args:
        axes: to draw on.
        actual: the last values.
        forecast: columns forecast, lower, upper; its index goes on from that of `actual`.
        one_step: on the index of `actual`, named after the network.
    """
    forecast = from_last(actual, forecast)
    axes.plot(actual, ".-", color=BLACK, ms=4, lw=0.6, label="actual")
    if one_step is not None:
        axes.plot(one_step, color=BLUE, label=f"{one_step.name}, one step ahead")
    axes.plot(
        forecast["forecast"], ".-", color=RED, ms=4, markevery=slice(1, None), label="forecast"
    )
    axes.fill_between(
        forecast.index, forecast["lower"], forecast["upper"], color=RED, alpha=0.15, lw=0,
        label="90 % interval",
    )  # fmt: skip
    axes.margins(x=0.01)
    axes.legend(loc="lower left", ncols=5, bbox_to_anchor=(0, 1.0), borderaxespad=0.1)


def save(figure: Figure, path: str | Path, show: bool = False) -> None:
    """Write the picture, whole or not at all; with `show`, open a window and wait for its end."""
    with written_whole(path) as beside:
        figure.savefig(beside)
    if show:
        plt.show()
    plt.close(figure)
