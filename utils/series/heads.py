"""Linear heads that learn from many series at once, and how a window's level and size go out."""

from __future__ import annotations

import functools
from typing import NamedTuple

from utils.series.baselines import ridge
from utils.series.panel import FEW, Panel, evenly

import numpy as np

FITTED = 5000  # windows to learn from
JUDGED = 2048  # windows to choose by
FEW_WINDOWS = 500  # of the validation part: below, windows of the train part help to choose
STRENGTHS = (1.0, 30.0, 1e3, 3e4)
WINDOWS = {24: 168, 7: 168, 6: 144, 5: 120, 12: 36, 52: 104}  # steps that heads read, by season


def window(panel: Panel) -> int:
    """Return the steps that linear heads read of a window."""
    season, length = panel.season, int((panel.end - panel.start).max())
    usual = WINDOWS.get(season, 7 * season if season > 1 else 48)
    return max(min(usual, length // 4, panel.input_steps), 1)


class Inner:
    """A panel as heads and networks read it, in 32 bits.

    Args:
        panel: the series.

    Attributes:
        steps: of a window that heads read.
        level, unit: (series,) and a number: inner targets are (values - level) / unit. A level is 0
            and the unit 1, unless 32-bit numbers couldn't hold the values otherwise.
        values: (rows, targets) float32, NaN where missing: the inner target and, to its right,
            z-scores of the features.
        spread, log_spread: (series,) standard deviation of inner targets within a window, in the
            train part, and that of their logarithms (None where they aren't all positive).
    """

    def __init__(self, panel: Panel):
        self.panel, self.steps = panel, window(panel)
        train = [panel.values[start:end, 0] for start, end in panel.train_rows()]
        self.level = np.array([_large_level(values) for values in train])
        size = [np.nanmean(np.abs(v - at)) for v, at in zip(train, self.level, strict=True)]
        size = np.median([s for s in size if s > 0] or [1.0])
        self.unit = 1.0 if 1e-3 <= size <= 1e6 else 10.0 ** np.round(np.log10(size))
        inner = [(v - at) / self.unit for v, at in zip(train, self.level, strict=True)]
        spread = np.array([_spread_within(v, self.steps) for v in inner])
        spread = np.where(spread > 0, spread, panel.mase_scale / self.unit)
        spread = np.where(panel.still, 1e-6 * (panel.size / self.unit + 1e-9), spread)
        self.spread, self.log_spread = panel.of_others(spread).astype(np.float32), None
        if panel.positive and not self.level.any():
            logs = [np.log(np.maximum(v, 1e-6)) for v in inner]
            spread = np.array([_spread_within(v, self.steps) for v in logs]) + 0.01
            spread = np.where(panel.still, 1e-6, spread)
            if (usual := ~(panel.young | panel.still)).any():
                spread = np.where(panel.young, np.median(spread[usual]), spread)
            self.log_spread = spread.astype(np.float32)
        self.fill()

    def fill(self) -> None:
        """Fill `values`, by level and unit."""
        panel = self.panel
        self.values = np.empty(panel.values.shape, np.float32)
        self.values[:, 0] = (panel.values[:, 0] - self.level[panel.series_of_rows]) / self.unit
        self.values[:, 1:] = (panel.values[:, 1:] - panel.mean[1:]) / panel.std[1:]

    def facts(self) -> dict:
        """Return what a saved model must know, as JSON."""
        log_spread = self.spread if self.log_spread is None else self.log_spread
        of_series = np.stack([self.level, self.spread, log_spread], axis=1).tolist()
        return {
            "unit": self.unit,
            "features": [self.panel.mean.tolist(), self.panel.std.tolist()],
            "series": dict(zip(self.panel.names, of_series, strict=True)),
        }

    def take(self, facts: dict) -> None:
        """Measure by what a model has learned, so that it says the same of the same rows."""
        self.unit = facts["unit"]
        self.panel.mean, self.panel.std = np.array(facts["features"])
        usual = np.median(list(facts["series"].values()), axis=0)
        if self.log_spread is None:
            self.log_spread = np.full(len(self.spread), usual[2], np.float32)
        for i, name in enumerate(self.panel.names):
            if name in facts["series"]:
                self.level[i], self.spread[i], self.log_spread[i] = facts["series"][name]
        self.fill()

    def outer(self, inner: np.ndarray, series: np.ndarray) -> np.ndarray:
        """Return inner targets, (windows, ...), in the series' own unit."""
        level = self.level[series].reshape(-1, *[1] * (inner.ndim - 1))
        return inner.astype(float) * self.unit + level


@functools.lru_cache(maxsize=2)
def inner_of(panel: Panel) -> Inner:
    """Return the inner values of a panel, made once."""
    return Inner(panel)


class Scaling(NamedTuple):
    """How a window's level and size are taken out before anything is learned from it."""

    log: bool
    by_window: bool  # divided by the window's own standard deviation, or else by its series' spread
    level: bool = False  # whether the level is an input, too: of one series, it may revert

    def apply(self, panel: Panel, origins: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return windows (windows, inner.steps), 0 where missing, their middle and size."""
        inner = inner_of(panel)
        x = inner.values[origins[:, None] + np.arange(-inner.steps, 0), 0]
        spread = (inner.log_spread if self.log else inner.spread)[panel.series_of(origins), None]
        x = np.log(np.maximum(x, 1e-6)) if self.log else x
        seen = np.isfinite(x)
        count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
        middle = np.where(seen, x, 0).sum(axis=1, keepdims=True) / count
        rest = np.where(seen, x - middle, 0)
        size = np.sqrt(np.square(rest).sum(axis=1, keepdims=True) / count)
        if self.log:
            size = size + np.minimum(spread, 0.01)
        else:
            size = size + 0.05 * spread if self.by_window else spread
        size = np.where(count < FEW, np.maximum(size, spread), size)  # too few to tell
        return rest / size, middle, size

    def forward(self, inner: np.ndarray, middle: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Return inner values as the window's scale sees them."""
        return ((np.log(np.maximum(inner, 1e-6)) if self.log else inner) - middle) / size

    def back(self, normal: np.ndarray, middle: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Return scaled values as inner ones."""
        values = normal * size + middle
        return np.exp(np.minimum(values, 60)) if self.log else values


class LinearHeads(NamedTuple):
    """A linear head per step ahead, on the scaled window and what is known: see `linear_heads`."""

    scaling: Scaling
    kernel: np.ndarray  # (inputs, horizon)
    bias: np.ndarray  # (horizon,)

    def __call__(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts, (windows, horizon)."""
        forecasts = []
        for some in np.array_split(origins, -(-len(origins) // FITTED)):
            _, middle, size = self.scaling.apply(panel, some)
            ahead = head_inputs(panel, some, self.scaling) @ self.kernel + self.bias
            inner = self.scaling.back(ahead, middle, size)
            forecasts.append(inner_of(panel).outer(inner, panel.series_of(some)))
        return np.maximum(np.concatenate(forecasts), panel.lowest)

    def facts(self) -> dict:
        """Return what a saved model must know, as JSON; `of_facts` takes it."""
        return {"scaling": self.scaling, "kernel": self.kernel.tolist(), "bias": self.bias.tolist()}

    @classmethod
    def of_facts(cls, facts: dict) -> LinearHeads:
        """Return the heads of which these are the facts."""
        kernel, bias = np.array(facts["kernel"]), np.array(facts["bias"])
        return cls(Scaling(*facts["scaling"]), kernel, bias)


def linear_heads(panel: Panel, power: int = 1) -> LinearHeads:
    """Learn linear heads by ridge regression; the validation part chooses strength and scaling.

    Args:
        panel: the series; the train part teaches.
        power: of the errors that choose: 1 for absolute ones, 2 for squares.
    """
    errors: list[np.ndarray] = []
    heads: list[LinearHeads] = []
    for train, val in _folds(panel):
        fitted = [
            LinearHeads(scaling, *weights)
            for scaling in _scalings(panel)
            for weights in ridge(STRENGTHS, *_examples(panel, train, scaling))
        ]
        if len(panel.names) == 1:
            fitted.append(_median(panel, train))
        heads = heads or fitted
        scale = panel.mase_scale[panel.series_of(val), None]
        missed = [np.abs(panel.targets(val) - head(panel, val)) / scale for head in fitted]
        found = np.array([np.nanmean(error**power) for error in missed])
        errors.append(found / found.mean())
    return heads[int(np.nanargmin(np.mean(errors, axis=0)))]


def head_inputs(panel: Panel, origins: np.ndarray, scaling: Scaling) -> np.ndarray:
    """Return what the heads read, (windows, inputs).

    It is the scaled window, the calendar of the first step ahead, the known columns of window and
    steps ahead, the features' windows and, where the scaling says so, the level.
    """
    inner, (x, middle, _) = inner_of(panel), scaling.apply(panel, origins)
    past = origins[:, None] + np.arange(-inner.steps, 0)
    both = origins[:, None] + np.arange(-inner.steps, panel.horizon)
    known = panel.known[both].reshape(len(both), -1)
    features = np.nan_to_num(inner.values[past][..., 1:]).reshape(len(past), -1)
    calendar = panel.calendar[panel.moment[origins]]
    level = middle * inner.unit / panel.mase_scale[panel.series_of(origins), None]
    return np.column_stack([x, calendar, known, features, level[:, : scaling.level]])


def _examples(panel, origins, scaling):
    _, middle, size = scaling.apply(panel, origins)
    inner = inner_of(panel).values[origins[:, None] + np.arange(panel.horizon), 0]
    inner = np.where(np.isfinite(panel.targets(origins)), inner, np.nan)
    target = np.nan_to_num(scaling.forward(inner, middle, size))
    return head_inputs(panel, origins, scaling), target


def _median(panel, origins):
    """Return the head that says the median, whatever the window: best of rare demands."""
    scaling, inner = Scaling(False, False, True), inner_of(panel)
    kernel = np.zeros((head_inputs(panel, origins[:1], scaling).shape[1], panel.horizon))
    kernel[-1] = -panel.mase_scale[0] / inner.unit / inner.spread[0]  # takes the level out
    median = np.nanmedian(inner.values[origins, 0]) / inner.spread[0]
    return LinearHeads(scaling, kernel, np.full(panel.horizon, median))


def _scalings(panel):
    found = [Scaling(False, False), Scaling(False, True)]
    single = len(panel.names) == 1
    found += [Scaling(False, False, True)] * single
    if inner_of(panel).log_spread is not None:
        found += [Scaling(True, True)] + [Scaling(True, True, True)] * single
    return found


def _folds(panel):
    """Yield origins to learn from and to judge by; first, train and validation part."""
    train, val = (panel.origins(part, panel.horizon) for part in ("train", "val"))
    if not len(val):  # a short one: what there is of it
        val = panel.origins("val")
    yield evenly(train, FITTED), evenly(val, JUDGED)
    time = train - panel.end[panel.series_of(train)]
    for share in (0.5, 0.7, 0.85) if len(val) < FEW_WINDOWS else ():
        begin, end = np.quantile(time, [share, min(share + 0.2, 1)])
        before = train[time <= begin - panel.horizon]
        if len(before):
            yield before, train[(begin <= time) & (time <= end)]


def _spread_within(values, steps):
    """Return the standard deviation of values around the mean of their own block of `steps`."""
    blocks = np.full(-(-len(values) // steps) * steps, np.nan)
    blocks[-len(values) :] = values
    blocks = blocks.reshape(-1, steps)
    known = np.isfinite(blocks)
    if not known.any():
        return 0.0
    mean = np.where(known, blocks, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return float(np.sqrt(np.mean(np.square(blocks - mean[:, None])[known])))


def _large_level(values):
    """Return the level of a series where it is large beside how it moves, else 0."""
    level, moves = np.nanmedian(values), np.nanstd(values)
    return level if abs(level) > 1e4 * moves > 0 else 0.0
