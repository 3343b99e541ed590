"""Linear heads that learn from many series at once, and how a window's level and size go out."""

from typing import NamedTuple

from utils.series.baselines import ridge
from utils.series.intervals import sizes
from utils.series.panel import FEW, Panel, evenly

import numpy as np

FITTED = 5000  # windows to learn from
JUDGED = 2048  # windows to choose by
FEW_WINDOWS = 500  # of the validation part: below, windows of the train part help to choose
STRENGTHS = (3.0, 30.0, 300.0, 3e3, 3e4, 3e5)
WINDOWS = {24: 168, 7: 168, 6: 144, 5: 120, 12: 36, 52: 104}  # steps that heads read, by season


def window(panel: Panel) -> int:
    """Return the steps that linear heads read of a window."""
    season, length = panel.season, int((panel.end - panel.start).max())
    usual = WINDOWS.get(season, 7 * season if season > 1 else 48)
    return max(min(usual, length // 4, panel.input_steps), 1)


class Scaling(NamedTuple):
    """How a window's level and size are taken out before anything is learned from it."""

    log: bool
    by_window: bool  # divided by the window's own standard deviation, or else by its series' size
    level: bool = False  # whether the level is an input, too: of one series, it may revert

    def apply(self, panel: Panel, origins: np.ndarray, steps: int) -> tuple[np.ndarray, ...]:
        """Return windows (windows, steps), 0 where missing, their middle and size, (windows, 1)."""
        x = self.logs(panel, panel.values[origins[:, None] + np.arange(-steps, 0), 0])
        usual = self.unit(panel, origins)
        seen = np.isfinite(x)
        count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
        middle = np.where(seen, x, 0).sum(axis=1, keepdims=True) / count
        rest = np.where(seen, x - middle, 0)
        size = np.sqrt(np.square(rest).sum(axis=1, keepdims=True) / count)
        size = size + 0.05 * usual if self.by_window else usual
        size = np.where(count < FEW, np.maximum(size, usual), size)  # too few to tell
        return rest / size, middle, size

    def unit(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return what deviations are measured in, (windows, 1): the size of the series' errors."""
        series = panel.series_of(origins)
        unit = sizes(panel, series, self.log)
        still = 1e-6 * (1.0 if self.log else panel.size[series]) + 1e-300
        return np.where(unit > 0, unit, still)[:, None]

    def logs(self, panel: Panel, values: np.ndarray) -> np.ndarray:
        """Return the logarithms, if it takes them, else the values."""
        return np.log(np.maximum(values, 1e-6 * panel.size.min())) if self.log else values

    def back(self, normal: np.ndarray, middle: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Return scaled values as the series' own."""
        values = normal * size + middle
        return np.exp(np.minimum(values, 700)) if self.log else values


class LinearHeads(NamedTuple):
    """A linear head per step ahead, on the scaled window and what is known: see `linear_heads`."""

    scaling: Scaling
    steps: int  # of a window that they read
    features: np.ndarray  # (2, features): their means and standard deviations
    kernel: np.ndarray  # (inputs, horizon)
    bias: np.ndarray  # (horizon,)

    def __call__(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts, (windows, horizon)."""
        forecasts = []
        for some in np.array_split(origins, -(-len(origins) // FITTED)):
            inputs, middle, size = self.read(panel, some)
            forecasts.append(self.scaling.back(inputs @ self.kernel + self.bias, middle, size))
        return np.maximum(np.concatenate(forecasts), panel.lowest)

    def read(self, panel: Panel, origins: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return what the heads read, (windows, inputs), and the middle and size of each window.

        It is the scaled window, the calendar of the first step ahead, the known columns of window
        and steps ahead, the features' windows and, where the scaling says so, the level.
        """
        x, middle, size = self.scaling.apply(panel, origins, self.steps)
        past = origins[:, None] + np.arange(-self.steps, 0)
        both = origins[:, None] + np.arange(-self.steps, panel.horizon)
        known = panel.known[both].reshape(len(both), -1)
        features = (panel.values[past][..., 1:] - self.features[0]) / self.features[1]
        features = np.nan_to_num(features).reshape(len(past), -1)
        calendar = panel.calendar[panel.moment[origins]]
        level = middle / self.scaling.unit(panel, origins)
        inputs = [x, calendar, known, features, level[:, : self.scaling.level]]
        return np.column_stack(inputs), middle, size

    def facts(self) -> list:
        """Return what a saved model must know, as JSON; `of_facts` takes it."""
        return [part.tolist() if isinstance(part, np.ndarray) else part for part in self]

    @classmethod
    def of_facts(cls, facts: list) -> "LinearHeads":
        """Return the heads of which these are the facts."""
        scaling, steps, *arrays = facts
        return cls(Scaling(*scaling), steps, *map(np.array, arrays))


def linear_heads(panel: Panel, power: int = 1) -> LinearHeads:
    """Learn linear heads from the train part by ridge regression.

    The validation part chooses strength and scaling, by absolute errors or, with power 2, squares.
    """
    errors: list[np.ndarray] = []
    heads: list[LinearHeads] = []
    for train, val in _folds(panel):
        fitted = [
            blank._replace(kernel=kernel, bias=bias)
            for blank in _blanks(panel)
            for kernel, bias in ridge(STRENGTHS, *_examples(panel, train, blank))
        ]
        if len(panel.names) == 1:
            fitted.append(_median(panel, train))
        heads = heads or fitted
        scale = panel.mase_scale[panel.series_of(val), None]
        came = panel.targets(val)  # what is missing is no error, of none
        missed = [np.nan_to_num(np.abs(came - head(panel, val)) / scale) for head in fitted]
        found = np.array([np.mean(error**power) for error in missed])
        errors.append(found / (found.mean() or 1.0))
    return heads[int(np.argmin(np.mean(errors, axis=0)))]


def _blanks(panel):
    """Return heads that have learned nothing, by scaling."""
    single, features = [False, True][: len(panel.names)], np.stack([panel.mean, panel.std])[:, 1:]
    scalings = [Scaling(False, False), Scaling(False, True)]
    if len(panel.names) == 1:
        scalings.append(Scaling(False, False, True))
    if panel.positive:
        scalings += [Scaling(True, True, level) for level in single]
    empty = np.empty(0)
    return [LinearHeads(scaling, window(panel), features, empty, empty) for scaling in scalings]


def _examples(panel, origins, heads):
    inputs, middle, size = heads.read(panel, origins)
    actual = heads.scaling.logs(panel, panel.targets(origins))
    return inputs, np.nan_to_num((actual - middle) / size)


def _median(panel, origins):
    """Return the head that says the median, whatever the window: best of rare demands."""
    blank = next(blank for blank in _blanks(panel) if blank.scaling.level)
    inputs, _, size = blank.read(panel, origins[:1])
    kernel = np.zeros((inputs.shape[1], panel.horizon))
    kernel[-1] = -1.0  # takes the level out: both are measured in the size of the series' errors
    values = panel.values[origins, 0]
    median = np.nanmedian(values) / size[0, 0] if np.isfinite(values).any() else 0.0
    return blank._replace(kernel=kernel, bias=np.full(panel.horizon, median))


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
