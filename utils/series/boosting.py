"""What an analyst would try first: gradient boosting, of many series with known inputs."""

from utils.series.heads import Scaling, window
from utils.series.panel import Panel, evenly

import numpy as np


class Boosting:
    """Gradient boosting of regression trees, one for all series and steps.

    It reads what an analyst would give it: the step, what is known of the day to be forecast, the
    same day of the last seasons and what was known of it, level and size of the window.

    Args:
        panel: the series; it learns from the train part.
    """

    ROWS = 100_000  # to learn from
    SEASONS = 4

    def __init__(self, panel: Panel):
        from sklearn.ensemble import HistGradientBoostingRegressor

        self.scaling = Scaling(False, False)
        origins = evenly(panel.origins("train", panel.horizon), self.ROWS // panel.horizon)
        x, target, _, _ = self._examples(panel, origins)
        known = np.isfinite(target)
        self.trees = HistGradientBoostingRegressor(loss="absolute_error", random_state=0)
        self.trees.fit(x[known], target[known])

    def __call__(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts, (windows, horizon)."""
        forecasts = []
        for some in np.array_split(origins, -(-len(origins) * panel.horizon // self.ROWS)):
            x, _, middle, size = self._examples(panel, some)
            normal = self.trees.predict(x).reshape(len(some), panel.horizon)
            forecasts.append(self.scaling.back(normal, middle, size))
        return np.maximum(np.concatenate(forecasts), panel.lowest)

    def _examples(self, panel, origins):
        x, middle, size = self.scaling.apply(panel, origins, window(panel))
        rows = origins[:, None] + np.arange(panel.horizon)
        step = np.broadcast_to(np.arange(panel.horizon), rows.shape)
        columns = [step, *np.moveaxis(panel.coming(rows), -1, 0)]
        phase = np.arange(panel.horizon) % panel.season
        same = []
        for back in range(1, 1 + min(self.SEASONS, x.shape[1] // panel.season)):
            source = phase - back * panel.season
            same.append(x[:, source])
            columns += list(np.moveaxis(panel.known[origins[:, None] + source], -1, 0))
        last, season = x[:, -1], x[:, -panel.season :].mean(axis=1)
        for value in (last, season, x.mean(axis=1), (middle / size)[:, 0]):
            same.append(np.broadcast_to(value[:, None], rows.shape))
        target = (panel.values[rows, 0] - middle) / size
        return np.stack([*columns, *same], -1).reshape(rows.size, -1), target.ravel(), middle, size
