"""What a network that learns from simulated series says of others, on the way."""

from pathlib import Path

from utils.series import pretrained, shops
from utils.series.blend import error_of
from utils.series.panel import Panel, evenly
from utils.series.patches import QUANTILES, SIMPLE
from utils.series.table import read_table

import keras
import numpy as np
from scipy.special import softmax

Judges = dict[str, tuple[Panel, np.ndarray]]


def judges() -> Judges:
    """Return, by name, a panel that the network never learns from, and origins of it."""
    data, found = Path(__file__).parents[2] / "data", {}
    sales = {name: frame[["sales"]] for name, frame in shops.simulated(0, 30)[0].items()}
    for name, frames, horizon in (
        ("Greensboro", read_table(data / "weather_greensboro.csv", "temperature").frames, 48),
        ("Google", read_table(data / "stock_goog.csv", "close").frames, 20),
        ("shops", sales, 28),
    ):
        longest = max(len(frame) for frame in frames.values())
        steps = pretrained.window(longest, horizon)
        panel = Panel(frames, steps, horizon, short_windows=True)
        found[name] = panel, evenly(panel.origins("val", horizon), 100)
    return found


def errors(network: "keras.Model", judges: Judges) -> dict[str, float]:
    """Return the MASE of the network's forecasts by judge."""
    window = pretrained.AtOnce({}, pretrained.symmetric(None))

    def median(panel, origins):
        cut, first = window.patches(panel, origins)
        outputs = keras.ops.convert_to_numpy(network(cut.inputs))[:, first:]
        return cut.outer(outputs, first)[:, : panel.horizon, QUANTILES.index(0.5)]

    return {name: error_of(median, *judge) for name, judge in judges.items()}


def heeded(network: "keras.Model", panel: Panel, origins: np.ndarray) -> np.ndarray:
    """Return how far each simple forecast is trusted by steps ahead, (horizon, simple)."""
    cut, first = pretrained.AtOnce({}, pretrained.symmetric(None)).patches(panel, origins)
    scores = keras.Model(network.inputs, network.get_layer("heed").output)(cut.inputs)
    scores = keras.ops.convert_to_numpy(scores).reshape(cut.known.shape) - 1e4 * (1 - cut.known)
    weights = softmax(scores[:, first:], axis=-1).mean(axis=0).reshape(-1, len(SIMPLE))
    return weights[: panel.horizon]
