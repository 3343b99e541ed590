"""What the pretrained network reads: patches of a window, and what simple methods say of the next.

A window is cut into patches of PATCH steps. All that depends on the data alone is computed here, in
NumPy: the window's scale, what of it is known, and the simple forecasts of the patch after each. So
the network is a short stack of layers, and nothing has to be remembered digit by digit.
"""

from typing import NamedTuple

import numpy as np

PATCH = 16  # steps
QUANTILES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
SIMPLE = (
    "last value", "last value and its drift", "mean of the newest values",
    "mean of the last season", "mean of the window", "last season", "last longer season",
    "mean of four seasons", "mean of four longer seasons", "four seasons and their drift",
    "four seasons and the last error", "four seasons and the newest errors",
    "four longer seasons and the newest errors",
)  # fmt: skip
VALUES = 3 * PATCH + 6  # columns of `Patches.values`
SEASONS = 4  # that a mean over seasons takes
STILL = 1e-12  # of the mean: what deviates less is rounding
FAR = 30.0  # deviations from the mean, at most


class Patches(NamedTuple):
    """What the network reads of windows, and how its answers become values again."""

    values: np.ndarray  # (windows, patches, VALUES): what is known of each patch
    simple: np.ndarray  # (windows, patches, PATCH, simple): of the next, in changes from the last
    known: np.ndarray  # the same shape: 1 where a simple method has something to say
    last: np.ndarray  # (windows, patches): the last value known, z-score
    change: np.ndarray  # (windows, 1): a typical change, in z-scores: the unit of what comes out
    z: np.ndarray  # (windows, steps): z-scores, NaN where missing
    mean: np.ndarray  # (windows, 1) float64, of the window
    std: np.ndarray  # (windows, 1)

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """What the network reads, by the names of its inputs."""
        return {"values": self.values, "simple": self.simple, "known": self.known}

    def outer(self, outputs: np.ndarray, patch: int) -> np.ndarray:
        """Return outputs (windows, patches, PATCH, quantiles), from `patch` on, as values."""
        last = self.last[:, patch : patch + outputs.shape[1], None, None]
        change = self.change[..., None, None]
        z = (last + change * outputs).reshape(len(outputs), -1, outputs.shape[-1])
        return z.astype(float) * self.std[..., None] + self.mean[..., None]


def patches(
    values: np.ndarray,
    seasons: np.ndarray,
    hidden: np.ndarray | None = None,
    past: np.ndarray | None = None,
) -> Patches:
    """Cut windows into patches.

    Args:
        values: (windows, steps), NaN where missing; what is to come is missing, too.
        seasons: (windows, 2) in steps, 0 where there is none.
        hidden: (windows, steps), what the network must not see, though it is known: in training.
        past: (windows, steps), from which the scale is taken; None for all that is seen.
    """
    seen = np.isfinite(values) if hidden is None else np.isfinite(values) & ~hidden
    past = seen if past is None else seen & past
    count = np.maximum(past.sum(axis=1, keepdims=True), 1)
    mean = np.where(past, values, 0).sum(axis=1, keepdims=True, dtype=float) / count
    rest = values - mean
    std = np.sqrt(np.where(past, rest**2, 0).sum(axis=1, keepdims=True) / count)
    still = std <= STILL * np.abs(mean)  # then that value is what is said
    mean = np.where(still, np.max(values, axis=1, keepdims=True, where=past, initial=-np.inf), mean)
    mean, std = np.where(np.isfinite(mean), mean, 0.0), np.where(still, 0.0, std)
    z = np.clip(rest / np.where(still, 1.0, std), -FAR, FAR).astype(np.float32)
    scaled = np.where(past, z, np.float32(np.nan))
    change = np.minimum(_change(scaled, 1, 1.0), _change(scaled, seasons[:, :1], 9.0))
    visible = np.where(seen, z, np.float32(np.nan))
    change = np.clip(change, 0.01, 2.0).astype(np.float32)
    last, front, simple = _simple(visible, seasons)
    relative = (simple - last[..., None, None]) / change[..., None, None]
    known = np.isfinite(relative)
    parts = _own(visible, seasons, last, front, change)
    return Patches(
        parts, np.where(known, relative, 0), known.astype(np.float32), last, change, z, mean, std
    )


def targets(cut: Patches, weight: np.ndarray) -> np.ndarray:
    """Return what a network is to say after each patch but the last.

    Args:
        cut: patches, of which some steps are hidden.
        weight: (windows, patches) of the errors in each patch.

    Returns:
        (windows, patches - 1, PATCH, 3): the values of the next patch, in changes from the last
        value known; the weight of their errors, 0 where they are missing; and the unit of the loss,
        so that series which hardly change don't outweigh the others.
    """
    windows, number = cut.last.shape
    value, change = cut.z.reshape(windows, number, PATCH)[:, 1:], cut.change[..., None]
    known = np.isfinite(value)
    value = np.where(known, value - cut.last[:, :-1, None], 0) / change
    unit = np.broadcast_to(change / (change + 0.02), value.shape)
    return np.stack([value, known * weight[:, 1:, None], unit], axis=-1).astype(np.float32)


def _change(z, lag, otherwise):
    """Return the mean absolute change over `lag` steps, (windows, 1), where four are known."""
    change = np.abs(z - _before(z, lag))
    known = np.isfinite(change)
    count = known.sum(axis=1, keepdims=True)
    change = np.where(known, change, 0).sum(axis=1, keepdims=True)
    return np.where(count >= 4, change / np.maximum(count, 1), otherwise)


def _own(z, seasons, last, front, change):
    """Return what is known of each patch itself: values, those beside the last one, and scales."""
    windows, number = last.shape
    cut = z.reshape(windows, number, PATCH)
    beside = np.arcsinh((cut - last[..., None]) / change[..., None])
    blind = ((np.arange(number) + 1) * PATCH - 1 - front) / PATCH  # patches without a value
    scales = np.concatenate([np.log(change), seasons > 1, np.log1p(seasons)], axis=1)
    scales = np.broadcast_to(scales[:, None], (windows, number, 5))
    columns = [cut, beside, np.isfinite(cut), np.log1p(blind)[..., None], scales]
    return np.nan_to_num(np.concatenate(columns, axis=-1)).astype(np.float32)


def _simple(z, seasons):
    """Return the last value known and its row, (windows, patches), and the simple forecasts."""
    windows, steps = z.shape
    number, rows = steps // PATCH, np.arange(steps)
    seen = np.isfinite(z)
    front = np.maximum.accumulate(np.where(seen, rows, -1), axis=1)[:, PATCH - 1 :: PATCH]
    ever, front = front >= 0, np.maximum(front, 0)
    last = np.nan_to_num(np.take_along_axis(z, front, axis=1))
    ahead = np.arange(1, number + 1)[:, None] * PATCH + np.arange(PATCH)  # (patches, PATCH)
    first = [_lag(z, ahead, front, seasons[:, 0], back) for back in range(SEASONS)]
    longer = [_lag(z, ahead, front, seasons[:, 1], back) for back in range(SEASONS)]
    season = np.where(seasons[:, :1] > 1, seasons[:, :1], PATCH)
    quarter = season // 4 + 1
    newest, before, long_before = (
        _mean_before(z, front - back * season, season, season / 2) for back in (0, 1, 3)
    )
    drift = (newest - long_before) / 3  # by season
    drift = np.where(np.isfinite(drift), drift, newest - before)[..., None]
    steps_ahead = ahead - front[..., None]
    known_last = np.where(ever, last, np.nan)
    flat = [known_last, _mean_before(z, front, quarter, 0), newest, np.where(ever, 0.0, np.nan)]
    flat = [np.broadcast_to(x[..., None], (windows, number, PATCH)) for x in flat]
    flat.insert(1, known_last[..., None] + drift * steps_ahead / season[..., None])
    four, longer_four = _mean(first), _mean(longer)
    back = np.ceil(steps_ahead / season[..., None])
    drifting = _mean([lag + drift * (back + one) for one, lag in enumerate(first)])
    errors, longer_errors = (
        z - _mean([_before(z, one * seasons[:, [i]]) for one in range(1, SEASONS + 1)])
        for i in (0, 1)
    )
    corrected = [
        four + np.take_along_axis(errors, front, axis=1)[..., None],
        four + _mean_before(errors, front, quarter, 0)[..., None],
        longer_four + _mean_before(longer_errors, front, quarter, 0)[..., None],
    ]
    simple = [*flat, first[0], longer[0], four, longer_four, drifting, *corrected]
    return last, front, np.stack(simple, axis=-1).astype(np.float32)


def _before(z, lag):
    """Return the values `lag` steps before each, by window; NaN where there is none."""
    at = np.arange(z.shape[1]) - np.broadcast_to(lag, (len(z), 1))
    value = np.take_along_axis(z, np.maximum(at, 0), axis=1)
    return np.where((at >= 0) & (lag != 0), value, np.nan)


def _mean_before(z, row, steps, fewest):
    """Return the means of those known of so many `steps`, of which `row` is the last, if enough."""
    seen, zero = np.isfinite(z), np.zeros((len(z), 1))
    sums, counts = (
        np.concatenate([zero, np.cumsum(x, axis=1, dtype=float)], axis=1)
        for x in (np.where(seen, z, 0), seen)
    )
    high, low = np.maximum(row + 1, 0), np.maximum(row + 1 - steps, 0)
    count, total = (
        np.take_along_axis(x, high, axis=1) - np.take_along_axis(x, low, axis=1)
        for x in (counts, sums)
    )
    return np.where(count > fewest, total / np.maximum(count, 1), np.nan)


def _lag(z, ahead, front, season, back):
    """Return the newest value known of the same phase, or `back` seasons before it."""
    season = season[:, None, None]
    length = np.maximum(season, 1)
    at = ahead - (-(-(ahead - front[..., None]) // length) + back) * length
    value = np.take_along_axis(z, np.maximum(at, 0).reshape(len(z), -1), axis=1).reshape(at.shape)
    return np.where((at >= 0) & (season > 1), value, np.nan)


def _mean(values):
    """Return the mean of those that are known."""
    known = [np.isfinite(v) for v in values]
    total = sum(np.where(k, v, 0) for k, v in zip(known, values, strict=True))
    count = sum(k.astype(np.float32) for k in known)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
