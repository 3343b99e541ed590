"""A weighted mean of forecasters: what validation would have had one write."""

from collections.abc import Callable
from typing import Any, NamedTuple

from utils.series.backtest import same_error_p_value
from utils.series.panel import FEW, Panel, evenly

import numpy as np
from scipy.special import ndtri

VOTES = 10
EVEN = 0.5  # p-value of "the blend is no better than its trusted part" from which that is believed
SURE = 0.05  # p-value of "the other part is as good" below which that part is trusted instead


class Blend(NamedTuple):
    """A forecaster (panel, origins) -> (windows, horizon, 1 + quantiles).

    Its quantiles are the trusted part's, moved to where the blend's forecast is. No part counts
    beyond that one's 90 % interval: a ridge that runs away must not take the blend along.
    """

    parts: dict[str, Any]  # forecasters, by name
    weights: dict[str, float]  # of those that count; they sum to 1
    trusted: str  # the part that says quantiles
    outer: float  # the highest of these quantiles

    def __str__(self):
        ranked = sorted(self.weights.items(), key=lambda part: -part[1])
        if len(ranked) == 1:
            return ranked[0][0]
        return " + ".join(f"{weight:.1f} {name}" for name, weight in ranked)

    def __call__(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts and their quantiles."""
        shape = self.parts[self.trusted](panel, origins)
        point = sum(
            weight * within(points(self.parts[name](panel, origins)), shape, self.outer)
            for name, weight in self.weights.items()
        )
        young = np.isfinite(panel.windows(origins)).sum(axis=1) < FEW  # the others know too little
        point = np.where(young[:, None], shape[..., 0], point)
        moved = shape[..., 1:] + (point - shape[..., 0])[..., None]
        return np.concatenate([point[..., None], np.maximum(moved, panel.lowest)], axis=-1)


def points(forecast: np.ndarray) -> np.ndarray:
    """Return forecasts (windows, horizon) of those that may have quantiles beside them."""
    return forecast if forecast.ndim == 2 else forecast[..., 0]


def within(point: np.ndarray, shape: np.ndarray, outer: float) -> np.ndarray:
    """Return forecasts (windows, horizon), none beyond the 90 % interval of `shape`.

    That is (windows, horizon, 1 + quantiles), a forecast and quantiles, up to `outer`, taken for
    those of a normal distribution.
    """
    reach = (ndtri(0.95) / ndtri(outer)) * (shape[..., [1, -1]] - shape[..., :1])
    return np.clip(point, shape[..., 0] + reach[..., 0], shape[..., 0] + reach[..., 1])


class Whole(NamedTuple):
    """A forecaster whose forecasts are rounded: of counts, the median is a whole number."""

    forecaster: Callable

    def __call__(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return what the forecaster says; of quantiles beside it, none is rounded."""
        forecast = self.forecaster(panel, origins)
        if forecast.ndim == 2:
            return np.rint(forecast)
        return np.concatenate([np.rint(forecast[..., :1]), forecast[..., 1:]], axis=-1)


def error_of(forecaster: Callable, panel: Panel, origins: np.ndarray, power: int = 1) -> float:
    """Return the mean error of forecasts, in `mase_scale`: absolute or, with power 2, squared."""
    error = panel.targets(origins) - points(forecaster(panel, origins))
    return float(
        np.nanmean(np.abs(error / panel.mase_scale[panel.series_of(origins), None]) ** power)
    )


def blended(
    parts: dict[str, Callable],
    panel: Panel,
    trusted: str,
    outer: float,
    windows: int,
    power: int = 1,
) -> Blend:
    """Return the blend that validation votes for.

    Ten votes, one after the other, go to the part whose weight brings the mean nearest to what came
    (ensemble selection, Caruana et al., 2004). The first is the trusted part's. What n windows of h
    steps say, all that validation has, counts n / (n + h / 2), the rest is the trusted part's, too;
    and where chance may well explain what the blend has gained, all is.

    Args:
        parts: forecasters, by name.
        panel: the series; the validation part votes.
        trusted: the part that has the first vote, and says quantiles.
        outer: the highest of these quantiles.
        windows: of the validation part, at most.
        power: of the errors: 1 for absolute ones, 2 for squares.
    """
    origins = voters(panel, windows)
    scale = panel.mase_scale[panel.series_of(origins), None]
    came = panel.targets(origins) / scale
    shape = parts[trusted](panel, origins)
    said = {
        name: within(points(part(panel, origins)), shape, outer) / scale
        for name, part in parts.items()
    }
    total, votes = said[trusted], [trusted]
    while len(votes) < VOTES:
        errors = {
            name: np.nanmean(np.abs((total + one) / (len(votes) + 1) - came) ** power)
            for name, one in said.items()
        }
        votes.append(min(errors, key=errors.__getitem__))
        total = total + said[votes[-1]]
    pair = scale * total / VOTES, scale * said[trusted]
    p_value = same_error_p_value(panel, origins, pair, panel.horizon, power)
    count = len(panel.origins("val", panel.horizon)) or len(origins)
    heard = count / (count + panel.horizon / 2) if p_value < EVEN else 0.0
    weights = {name: heard * votes.count(name) / VOTES for name in parts if name in votes}
    weights[trusted] += 1 - heard
    counted = {name: weight for name, weight in weights.items() if weight}
    return Blend(parts, counted, trusted, outer)


def voters(panel: Panel, windows: int) -> np.ndarray:
    """Return origins of the validation part, so many at most; of a short one, what there is."""
    origins = evenly(panel.origins("val"), windows, panel.season)
    whole = np.isin(origins, panel.origins("val", panel.horizon))
    return origins[whole] if whole.any() else origins


def to_trust(parts: dict[str, Callable], panel: Panel, windows: int, power: int = 1) -> str:
    """Return "trained" if it is better in validation, and hardly by chance; else "at once"."""
    if "trained" not in parts:
        return "at once"
    origins, both = voters(panel, windows), (parts["trained"], parts["at once"])
    pair = [points(part(panel, origins)) for part in both]
    sure = same_error_p_value(panel, origins, pair, panel.horizon, power) < SURE
    trained, before = (error_of(part, panel, origins, power) for part in both)
    return "trained" if sure and trained < before else "at once"


def remembered(forecaster: Callable) -> Callable:
    """Return the forecaster, which answers no origin twice; of one panel."""
    known: dict[int, np.ndarray] = {}

    def answer(panel: Panel, origins: np.ndarray) -> np.ndarray:
        new = np.array([origin for origin in origins if origin not in known], int)
        if len(new):
            known.update(zip(new.tolist(), forecaster(panel, new), strict=True))
        return np.stack([known[origin] for origin in origins])

    return answer
