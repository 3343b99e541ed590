"""One series or many in one array: parts by time, gaps, and windows by row numbers.

All series lie one after the other, each between a margin of missing rows (so that a window may
begin before its series does) and the steps to come (known inputs, no values yet). A window is named
by its *origin*, the row of its first step ahead: its inputs are the `input_steps` rows before.
"""

import functools
from collections.abc import Sequence

from utils import InputError
from utils.series import calendar

import numpy as np
import pandas as pd

SHARE = 0.15  # of each series for validation, and again for the test
MIN_ROWS = 10  # of a part
MAX_ORIGINS = 20_000  # that a part is scored on: evenly taken where there are more
FEW = 8  # values in the train part: below, a series' spread is taken from the others
PARTS = ("train", "val", "test")


class Panel:
    """Series in one array, split by time: 70 % to train, 15 % to choose, 15 % to score once.

    Args:
        frames: by series: float columns [target, *known, *features], NaN where missing, on an index
            of equal steps. Rows at the end without a target are steps to come, whose known columns
            count.
        input_steps: past steps per window.
        horizon: steps ahead.
        known: columns that are known of the steps to come, too, as `many.check_known` wants it.
        season: steps of one season; found by the index where it is None.
        calendar_names: calendar columns to have; those that the index resolves where it is None.
        held_back: rows of the validation and the test part; None takes `SHARE` of each series.
        log: whether z-scores are those of logarithms.
        short_windows: whether windows may begin before their series, and parts hold one horizon.

    Attributes:
        times: (rows,) the steps to come included; in margins the first one.
        start, end: (series,) the row of the first value, and the row after the last one.
        values: (rows, targets) float64: the target, then the features; NaN where missing, in
            margins and in the steps to come.
        known: (rows + 1, known) float32.
        calendar, moment: (times, columns) float32, 0 in its first row, and which of its rows each
            row of the panel has, (rows + 1,).
        inputs: how many columns are known beforehand, the calendar's and the others.
        borders: (series, 2) rows where the validation and the test part begin.
        mase_scale, size: (series,) of the train part: mean absolute change over a season, value.
        error_size: (series,) what the errors of intervals are measured in: `mase_scale`, or that of
            a typical series where one is too young to tell, 0 where it stands still.
        lowest: 0 where the train part has no value below, else -inf: no forecast lies below.
        settings: arguments that make a panel of newer rows like this one, as JSON.
        positive, whole, mostly_zero: whether train values are above zero, whole, a third or more 0.

    Raises:
        InputError: if a column has no value in the train part.
    """

    def __init__(
        self,
        frames: dict[str, pd.DataFrame],
        input_steps: int,
        horizon: int,
        *,
        known: Sequence[str] = (),
        season: int | None = None,
        calendar_names: Sequence[str] | None = None,
        held_back: tuple[int, int] | None = None,
        log: bool = False,
        short_windows: bool = False,
    ):
        self.names, self.input_steps, self.horizon = list(frames), input_steps, horizon
        self.log, self.short_windows = log, short_windows
        longest = max(frames.values(), key=len)
        self.step, tz = calendar.step(longest.index), getattr(longest.index, "tz", None)
        self.zone = tz and str(tz)
        self.season = season or calendar.season(longest.index) or 1
        self.columns = [name for name in longest if name not in set(known)]
        self._lay_out(frames, list(known))
        self._split(held_back)
        self._add_calendar(calendar_names)
        self._measure()
        self.settings = {
            "input_steps": input_steps, "known": list(known), "season": self.season,
            "calendar_names": self.calendar_names, "log": log, "short_windows": short_windows,
        }  # fmt: skip

    def _lay_out(self, frames, known):
        """Fill times, values, known, start, end and series_of_rows."""
        blocks, times, futures = [], [], {}
        for frame in frames.values():
            rows, index = frame.to_numpy(float), frame.index
            given = np.flatnonzero(np.isfinite(rows[:, 0]))
            begin, end = given[0], given[-1] + 1
            rows, index = rows[begin : end + self.horizon], index[begin : end + self.horizon]
            if missing := end - begin + self.horizon - len(rows):
                alike = index[-1], getattr(index, "freq", None), missing  # as are many series
                if alike not in futures:
                    futures[alike] = calendar.future(index, missing, self.step)
                index = index.append(futures[alike])
            around = [(self.input_steps, missing), (0, 0)]
            blocks.append(np.pad(rows, around, constant_values=np.nan))
            times += [index[[0] * self.input_steps], index]
        self.times = times[0].append(times[1:])
        sizes, rows = np.array([len(block) for block in blocks]), np.concatenate(blocks)
        self.end = np.cumsum(sizes) - self.horizon
        self.start = self.end + self.horizon - sizes + self.input_steps
        self.series_of_rows = np.repeat(np.arange(len(sizes)), sizes)
        names = next(iter(frames.values())).columns
        self.known = np.nan_to_num(rows[:, names.get_indexer(known)].astype(np.float32))
        self.known = np.pad(self.known, [(0, 1), (0, 0)])
        self.values = rows[:, names.get_indexer(self.columns)]
        self.values[np.arange(len(rows)) >= self.end[self.series_of_rows]] = np.nan

    def _split(self, held_back):
        """Fill borders."""
        length = self.end - self.start
        least = self.horizon if self.short_windows else 1
        share = np.maximum(np.round(SHARE * length), least).astype(int)
        val, test = held_back or (share, share)
        begins = [np.maximum(length - val - test, 0), np.maximum(length - test, 0)]
        self.borders = self.start[:, None] + np.stack(begins, axis=1)

    def _add_calendar(self, names):
        """Fill calendar, moment and calendar_names."""
        which, times = self.times.factorize(sort=True)
        self.calendar_names = calendar.cycles(times) if names is None else list(names)
        self.calendar = np.pad(calendar.columns(times, self.calendar_names), [(1, 0), (0, 0)])
        timed = np.arange(len(self.values)) >= self.start[self.series_of_rows]
        self.moment = np.append(np.where(timed, 1 + which, 0), 0).astype(np.int32)
        self.inputs = self.calendar.shape[1] + self.known.shape[1]

    def _measure(self):
        """Take scales and what is possible from the train part."""
        self._train = np.concatenate([self.values[start:end] for start, end in self.train_rows()])
        for name, column in zip(self.columns, self._train.T, strict=True):
            if not np.isfinite(column).any():
                raise InputError(
                    f"column {name!r} has no value in the train part, the first 70 %; leave it out "
                    "or bring a longer series"
                )
        train = [self.values[start:end, 0] for start, end in self.train_rows()]
        self.mase_scale = np.array([typical_change(values, self.season) for values in train])
        self.size = np.array([np.nanmean(np.abs(values)) for values in train])
        self.still = np.array([np.nanmin(values) == np.nanmax(values) for values in train])
        young = np.array([np.isfinite(values).sum() < FEW for values in train])
        self.error_size, usual = np.where(self.still, 0.0, self.mase_scale), ~(young | self.still)
        if usual.any():
            size = self.size + 1e-9
            lent = size * np.median((self.error_size / size)[usual])
            self.error_size = np.where(young, lent, self.error_size)
        every = self._train[np.isfinite(self._train[:, 0]), 0]
        self.lowest = 0.0 if every.min() >= 0 else -np.inf
        self.positive = bool(every.min() > 0)
        self.whole = np.array_equal(every, np.rint(every))
        self.mostly_zero = bool(np.mean(every == 0) >= 1 / 3)

    def train_rows(self) -> list[tuple[int, int]]:
        """Return the first row of each series and the row after its train part, two at least."""
        ends = np.minimum(np.maximum(self.borders[:, 0], self.start + 2), self.end)
        return list(zip(self.start, ends, strict=True))

    def series_of(self, origins: np.ndarray) -> np.ndarray:
        """Return the number of the series that each origin belongs to."""
        return np.searchsorted(self.start, origins, side="right") - 1

    def origins(self, part: str, steps: int = 1) -> np.ndarray:
        """Return the origins of a part, oldest first within a series.

        A window is whole or, with `short_windows`, holds half of its steps (in a short series, a
        third of its train part), so that a series younger than a window counts too.

        Args:
            part: "train", "val" or "test", or "all" of them.
            steps: ahead, that must all lie in the part.
        """
        least, borders = self.input_steps, [self.start, *self.borders.T, self.end]
        if self.short_windows:
            third = np.maximum((self.borders[:, 0] - self.start) // 3, 2)
            least = np.minimum(self.input_steps // 2, third)
        at, after = {"train": (0, 1), "val": (1, 2), "test": (2, 3), "all": (0, 3)}[part]
        begins, ends = np.maximum(borders[at], self.start + least), borders[after] - steps + 1
        return np.concatenate([*map(np.arange, begins, ends)])

    def known_origins(self, part: str) -> np.ndarray:
        """Return the origins of a part whose row isn't missing: what one step ahead learns from."""
        origins = self.origins(part)
        return origins[np.isfinite(self.values[origins, 0])]

    def targets(self, origins: np.ndarray) -> np.ndarray:
        """Return what came, (windows, horizon); NaN where missing or past the end of the part."""
        series = self.series_of(origins)
        part = (origins[:, None] >= self.borders[series]).sum(axis=1)
        ends = np.column_stack([self.borders, self.end])[series, part]
        rows = origins[:, None] + np.arange(self.horizon)
        return np.where(rows < ends[:, None], self.values[rows, 0], np.nan)

    def series(self, number: int = 0) -> pd.Series:
        """Return the target of a series by time."""
        rows = slice(self.start[number], self.end[number])
        return pd.Series(self.values[rows, 0], self.times[rows], name=self.columns[0])

    def windows(self, origins: np.ndarray) -> np.ndarray:
        """Return the target before each origin, (windows, input_steps), NaN where missing."""
        return self.values[origins[:, None] + np.arange(-self.input_steps, 0), 0]

    def coming(self, rows: np.ndarray) -> np.ndarray:
        """Return what is known beforehand of rows, calendar and known columns: (*rows, inputs)."""
        return np.concatenate([self.calendar[self.moment[rows]], self.known[rows]], axis=-1)

    def check(self) -> None:
        """Refuse one series that a network can't learn from, or that can't be scored.

        Raises:
            InputError: if a part is too short, or a column stands still in the train part.
        """
        for part, name in zip(PARTS, ("train", "validation", "test"), strict=True):
            rows, known = len(self.origins(part)), len(self.known_origins(part))
            if rows < MIN_ROWS:
                needed = max(MIN_ROWS / SHARE, (self.input_steps + MIN_ROWS) / (1 - 2 * SHARE))
                raise InputError(
                    f"too few rows: {self.end[0] - self.start[0]}, and windows of "
                    f"{self.input_steps} steps need {int(needed) + 1}; bring a longer series or "
                    "lower --input-steps"
                )
            if known < MIN_ROWS:
                raise InputError(
                    f"column {self.columns[0]!r} has {known} values in the {rows} rows of the "
                    f"{name} part, and {MIN_ROWS} are needed; fill gaps or bring a longer series"
                )
        for name, column in zip(self.columns, self._train.T, strict=True):
            if np.nanmin(column) == np.nanmax(column):
                raise InputError(
                    f"column {name!r} is {np.nanmin(column):g} in all of the first {len(column)} "
                    "rows, the train part: nothing to learn there; name another column or bring a "
                    "longer series"
                )

    def __str__(self):
        train, val, test = (len(self.origins(part)) for part in PARTS)
        return f"{train:,} windows to train, {val:,} to validate, {test:,} to test."

    @functools.cached_property
    def filled(self) -> np.ndarray:
        """Values whose gaps hold the last one known, (rows, targets); margins hold the first."""
        frame = pd.DataFrame(self.values).groupby(self.series_of_rows)
        return frame.ffill().fillna(frame.bfill()).to_numpy()

    @functools.cached_property
    def z(self) -> np.ndarray:
        """Z-scores of `filled`, by mean and deviation of the train part: (rows, targets)."""
        return ((np.log(self.filled) if self.log else self.filled) - self.mean) / self.std

    @functools.cached_property
    def mean(self) -> np.ndarray:
        """Mean of each column's train part, of its logarithm with `log`: (targets,)."""
        return np.nanmean(np.log(self._train) if self.log else self._train, axis=0)

    @functools.cached_property
    def std(self) -> np.ndarray:
        """Standard deviation of each column's train part, without the outermost values, or else 1.

        One value of a million among thousands would otherwise make all others look alike.
        """
        rows = np.log(self._train) if self.log else self._train
        inner = np.nanstd(np.clip(rows, *np.nanquantile(rows, [0.005, 0.995], axis=0)), axis=0)
        outer = np.nanstd(rows, axis=0)
        return np.where(inner > 0, inner, np.where(outer > 0, outer, 1.0))

    @functools.cached_property
    def change(self) -> np.ndarray:
        """Standard deviation of the change of `z` from row to row, 0.001 to 1: (targets,)."""
        ((start, end),) = self.train_rows()
        return np.clip(np.std(np.diff(self.z[start:end], axis=0), axis=0), 0.001, 1.0)


def evenly(origins: np.ndarray, most: int = MAX_ORIGINS, season: int = 1) -> np.ndarray:
    """Return at most so many of the origins, evenly taken, of four phases of the season or more."""
    every = -(-len(origins) // most) or 1
    while np.gcd(every, season) > max(season // 4, 1):
        every += 1
    return origins[::every]


def typical_change(values: np.ndarray, season: int) -> float:
    """Return the mean absolute change over a season: what MASE divides by, and never zero.

    Where a season can't tell it is the change from row to row, or else the size of the values.
    (Hyndman & Koehler, "Another look at measures of forecast accuracy", 2006.)
    """
    for lag in (season, 1):
        change = np.abs(values[lag:] - values[:-lag])
        if np.isfinite(change).any() and np.nanmean(change) > 0:
            return float(np.nanmean(change))
    known = values[np.isfinite(values)]
    return float(np.abs(known).mean() or 1.0) if len(known) else 1.0
