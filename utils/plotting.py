"""The pictures' common style; the only module that imports matplotlib."""

from pathlib import Path

from utils.files import written_whole

import matplotlib
import matplotlib.pyplot as plt
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
    }
)


def new_figure(mosaic: str, size: tuple[float, float], **kwargs) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure and its axes by name; `mosaic` as in `matplotlib.pyplot.subplot_mosaic`."""
    return plt.subplot_mosaic(mosaic, figsize=size, **kwargs)


def save(figure: Figure, path: str | Path, show: bool = False) -> None:
    """Write the picture, whole or not at all; with `show`, open a window and wait for its end."""
    with written_whole(path) as beside:
        figure.savefig(beside)
    if show:
        plt.show()
    plt.close(figure)
