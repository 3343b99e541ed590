"""What known inputs (promotions, holidays, prices) do to a series: taken out, and brought back."""

import itertools

from utils.series.baselines import ridge
from utils.series.panel import Panel

import numpy as np
import pandas as pd

NEIGHBOURS = 3  # seasons before and after, whose mean is what a row would have without effects
ROUNDS = 3  # since the neighbours have effects, too
STRENGTH = 3.0  # of the ridge's penalty
MOST = 12  # steps of a season, at most, whose phases are told apart
SHRUNK = 1.0  # sum of squared effects by which a series' own strength counts half
CLOSED = 0.05  # of the usual: below, a row says nothing of the others


class Effects:
    """The share of the usual that a row has, by what is known of it: 1.5 in a promotion.

    A ridge regression of y_t over the mean of its neighbours in phase, on the known columns of the
    row, of the one before and of the one after, on products of the row's, and on those by phase.
    How strongly a series answers is its own, as far as its rows tell.

    Args:
        panel: the series, none below zero; it learns from the train part.
        facts: of effects that have been learned before.

    Attributes:
        share: (rows,) of the panel, the steps to come included; 0 on closed days.
    """

    def __init__(self, panel: Panel, facts: dict | None = None):
        known = panel.known[: len(panel.values)].astype(float)
        rows = np.concatenate([np.arange(start, end) for start, end in panel.train_rows()])
        if facts is None:
            self.mean, self.std = known[rows].mean(axis=0), known[rows].std(axis=0)
            self.strength = dict.fromkeys(panel.names, 1.0)
        else:
            self.mean, self.std = np.array(facts["mean"]), np.array(facts["std"])
            self.kernel, self.bias = np.array(facts["kernel"]), facts["bias"]
            self.strength = facts["strength"]
        inputs = self._inputs(panel, (known - self.mean) / np.where(self.std > 0, self.std, 1.0))
        if facts is None:
            self._fit(panel, rows, inputs)
        self.share = self._share(panel, inputs)

    def _share(self, panel, inputs):
        pooled = np.maximum(inputs @ self.kernel + self.bias, 0)
        strength = np.array([self.strength.get(name, 1.0) for name in panel.names])
        own = np.maximum(1 + strength[panel.series_of_rows] * (pooled - 1), 0)
        return np.where(pooled > CLOSED, own, 0)

    def _fit(self, panel, rows, inputs):
        """Learn kernel and bias, and the strength of each series."""
        values, series = np.full(len(panel.values), np.nan), panel.series_of_rows
        values[rows] = panel.values[rows, 0]
        self.kernel, self.bias = np.zeros(inputs.shape[1]), 1.0
        for _ in range(ROUNDS):
            share = self._share(panel, inputs)
            usual = _usual(
                np.where(share > CLOSED, values / np.maximum(share, CLOSED), np.nan), panel
            )
            ratio = np.clip(values / np.where(usual > 0, usual, np.nan), 0, 5)
            learned = np.isfinite(ratio)
            if not learned.any():
                return
            ((kernel, bias),) = ridge([STRENGTH], inputs[learned], ratio[learned, None])
            self.kernel, self.bias = kernel[:, 0], float(bias[0])
            pooled = np.maximum(inputs @ self.kernel + self.bias, 0) - 1
            learned &= pooled + 1 > CLOSED
            x, y, of = pooled[learned], ratio[learned] - 1, series[learned]
            together = np.bincount(of, x * y, len(panel.names)) + SHRUNK
            strength = together / (np.bincount(of, x * x, len(panel.names)) + SHRUNK)
            strength[panel.still] = 0
            self.strength = dict(zip(panel.names, strength.tolist(), strict=True))

    @staticmethod
    def _inputs(panel, known):
        """Return what the regression reads of each row, (rows, inputs)."""
        before, after = np.roll(known, 1, axis=0), np.roll(known, -1, axis=0)
        last = panel.end + panel.horizon - 1
        before[panel.start], after[last] = known[panel.start], known[last]  # and not a margin's
        pairs = itertools.combinations_with_replacement(range(known.shape[1]), 2)
        columns = [known, before, after, *(known[:, [a]] * known[:, [b]] for a, b in pairs)]
        if 1 < panel.season <= MOST:
            phase = _counted(panel) % panel.season
            columns += [known * (phase == one)[:, None] for one in range(panel.season)]
        return np.concatenate(columns, axis=1)

    def facts(self) -> dict:
        """Return what a saved model must know, as JSON."""
        return {
            "mean": self.mean.tolist(), "std": self.std.tolist(),
            "kernel": self.kernel.tolist(), "bias": self.bias, "strength": self.strength,
        }  # fmt: skip


def _counted(panel):
    """Return the number of each row, from a fixed day on: a weekday has its phase in any file."""
    if not isinstance(panel.times, pd.DatetimeIndex):
        return panel.times.to_numpy()
    times = panel.times.tz_localize(None)
    if panel.step.endswith("MS"):
        return (12 * times.year + times.month).to_numpy() // int(panel.step[:-2] or 1)
    if panel.step == "B":
        return np.busday_count("1970-01-01", times.to_numpy("datetime64[D]"))
    longest = np.argmax(panel.end - panel.start)
    ours = times.asi8[panel.start[longest] : panel.end[longest]]
    return times.asi8 // int(np.median(np.diff(ours)))


def _usual(values, panel):
    """Return the mean of each row's neighbours in phase, NaN where none is known."""
    rows, series, shifted = np.arange(len(values)), panel.series_of_rows, []
    for steps in range(-NEIGHBOURS, NEIGHBOURS + 1):
        there = np.clip(rows - steps * panel.season, 0, len(rows) - 1)
        own = (series[there] == series) & (there == rows - steps * panel.season) & (steps != 0)
        shifted.append(np.where(own, values[there], np.nan))
    known = np.isfinite(shifted)
    total = np.where(known, shifted, 0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
