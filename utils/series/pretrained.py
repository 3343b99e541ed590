"""A network that has seen a million series: its file, a pass through it, and its forecasts."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from utils import InputError
from utils.files import written_whole
from utils.series.effects import CLOSED, Effects
from utils.series.panel import Panel
from utils.series.patches import PATCH, QUANTILES, Patches, patches, targets

import numpy as np
from scipy.special import erf, expit, ndtri

VERSION = 2  # of the file
LONGEST = 63  # patches that the network was taught to read, those to come but the last included
TAUGHT = 12  # patches to come, at most: further ones shorten the past no more
LONGER = {24: 168, 7: 364, 48: 336, 96: 672}  # a second season, by the first
BATCH = 256  # windows
SCORED_PATCHES = 20_000  # that are read to score a part: 300 windows of 1,000 steps
OF_ONE_SERIES = 8_000  # likewise: its windows overlap
NEARBY = 2  # steps by which a season may differ from what the calendar says
CLEARLY = 0.6  # of the change over the calendar's season: below, another one is taken


def save(path: str | Path, weights: dict[str, np.ndarray], facts: dict) -> None:
    """Save weights, by "layer/weight", as float16, and facts about them."""
    arrays: dict = {name: weight.astype(np.float16) for name, weight in weights.items()}
    arrays["facts"] = json.dumps({"version": VERSION, **facts})
    with written_whole(path) as beside, open(beside, "wb") as file:
        np.savez(file, **arrays)


def load(path: str | Path) -> tuple[dict[str, np.ndarray], dict]:
    """Return the weights, float32, and the facts that `save` wrote.

    Raises:
        InputError: if the file is missing, cut off, or of another version.
    """
    mend = "git checkout models brings it back, python pretrain.py makes one in outputs/pretrain/"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            weights = {name: arrays[name].astype(np.float32) for name in set(arrays) - {"facts"}}
            facts = json.loads(str(arrays["facts"]))
    except FileNotFoundError as error:
        raise InputError(f"the pretrained network {path} is missing; {mend}") from error
    except Exception as error:  # a broken archive may fail anywhere
        raise InputError(f"{path} is no pretrained network, or it is cut off; {mend}") from error
    if facts.get("version") != VERSION:
        raise InputError(f"{path} is a network of another version; {mend}")
    return weights, facts


def run(weights: dict[str, np.ndarray], cut: Patches, first: int) -> np.ndarray:
    """Return what `utils.series.network.build_network` answers, in NumPy.

    Weights are by "layer/weight"; the answers after the patch `first` on are (windows, patches -
    first, PATCH, quantiles) float32, see `Patches.outer`.
    """

    def dense(name, x):
        return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    def gelu(x):
        return 0.5 * x * (1 + erf(x * np.float32(0.5**0.5)))

    windows, number = cut.last.shape
    flat = (windows, number, -1)
    read = [cut.values, np.arcsinh(cut.simple).reshape(flat), cut.known.reshape(flat)]
    read = np.concatenate(read, axis=-1)
    x = dense("straight", read) + dense("embed", gelu(dense("hidden", read)))
    layer = 0
    while f"memory_{layer}/kernel" in weights:
        rest = x - x.mean(axis=-1, keepdims=True)
        rest /= np.sqrt(np.mean(rest**2, axis=-1, keepdims=True) + np.float32(1e-3))
        normal = rest * weights[f"normal_{layer}/gamma"] + weights[f"normal_{layer}/beta"]
        x = x + _gru(weights, f"memory_{layer}", normal)
        layer += 1
    x = gelu(dense("head", np.concatenate([x, read], axis=-1)[:, first:]))
    windows, number, _ = x.shape
    simple, known = cut.simple[:, first:], cut.known[:, first:]
    heed = dense("heed", x).reshape(known.shape) - 1e4 * (1 - known)
    heed = np.exp(heed - heed.max(axis=-1, keepdims=True))
    heed /= heed.sum(axis=-1, keepdims=True)
    middle = (heed * known * simple).sum(axis=-1) + dense("correction", x)
    blind = np.exp(0.5 * cut.values[:, first:, 3 * PATCH, None])
    apart = (np.logaddexp(0, dense("apart", x)) * blind).reshape(windows, number, PATCH, -1)
    half = len(QUANTILES) // 2
    below, above = apart[..., half - 1 :: -1].cumsum(axis=-1), apart[..., half:].cumsum(axis=-1)
    middle = middle[..., None]
    return np.concatenate([middle - below[..., ::-1], middle, middle + above], axis=-1)


def _gru(weights, name, x):
    """Return all outputs of a GRU (Cho et al., 2014, in the form of cuDNN), in NumPy."""
    kernel, recurrent, (of_x, of_h) = (
        weights[f"{name}/{part}"] for part in ("kernel", "recurrent_kernel", "bias")
    )
    x = np.moveaxis(x, 1, 0) @ kernel + of_x
    units, outputs = len(recurrent), []
    h = np.zeros((x.shape[1], units), np.float32)
    for now in x:
        from_h = h @ recurrent + of_h
        gates = expit(now[:, : 2 * units] + from_h[:, : 2 * units])
        z, r = gates[:, :units], gates[:, units:]
        h = z * h + (1 - z) * np.tanh(now[:, 2 * units :] + r * from_h[:, 2 * units :])
        outputs.append(h)
    return np.stack(outputs, axis=1)


class AtOnce(NamedTuple):
    """A forecaster (panel, origins) -> (windows, horizon, 1 + quantiles), without any training.

    Its answers are medians (or means) and quantiles, in the series' unit.
    """

    weights: dict[str, np.ndarray]  # see `run`
    quantiles: tuple[float, ...]  # see `symmetric`
    log: bool = False  # whether the network reads logarithms
    squared: bool = False  # whether the forecast is the mean, or else the median
    effects: Effects | None = None  # of known inputs: taken out of windows, brought back

    @property
    def levels(self) -> list[float]:
        """Return the levels of the intervals that the quantiles make, the widest first."""
        return [round(1 - 2 * quantile, 6) for quantile in self.quantiles if quantile < 0.5]

    def __call__(self, panel: Panel, origins: np.ndarray, newest: int | None = None) -> np.ndarray:
        """Return the forecasts and their quantiles.

        With `newest`, only so many values of each window are known: its series is that young.
        """
        found = []
        for some in np.array_split(origins, -(-len(origins) // BATCH)):
            cut, first = self.patches(panel, some, newest)
            quantiles = cut.outer(run(self.weights, cut, first), first)[:, : panel.horizon]
            if self.log:
                quantiles = np.exp(np.minimum(quantiles, 700))
            if self.effects:
                rows = some[:, None] + np.arange(panel.horizon)
                quantiles = quantiles * self.effects.share[rows][..., None]
            point = quantiles.mean(-1) if self.squared else quantiles[..., len(QUANTILES) // 2]
            quantiles = np.maximum(between(quantiles, self.quantiles), panel.lowest)
            found.append(np.concatenate([point[..., None], quantiles], axis=-1))
        return np.maximum(np.concatenate(found), panel.lowest)

    def patches(
        self, panel: Panel, origins: np.ndarray, newest: int | None = None
    ) -> tuple[Patches, int]:
        """Return windows and what is to come as patches, and which is the last known one."""
        values = self.read(panel, origins, 0)
        if newest:
            values[:, : values.shape[1] - newest] = np.nan
        empty = np.full((len(values), (to_come(panel) - 1) * PATCH), np.nan)
        cut = patches(np.concatenate([values, empty], axis=1), seasons(panel, values))
        return cut, values.shape[1] // PATCH - 1

    def read(self, panel: Panel, origins: np.ndarray, ahead: int) -> np.ndarray:
        """Return values as the network reads them, from whole patches before each origin on.

        In training, so many steps `ahead` from the origin on are read, too.
        """
        steps = np.arange(-panel.input_steps, ahead)
        values = panel.values[origins[:, None] + steps, 0]
        if self.effects:
            share = self.effects.share[origins[:, None] + steps]
            values = np.where(share > CLOSED, values / np.maximum(share, CLOSED), np.nan)
        if self.log:
            values = np.log(np.maximum(values, 1e-6 * panel.size.min()))
        return np.pad(values, [(0, 0), (-panel.input_steps % PATCH, 0)], constant_values=np.nan)


def to_come(panel: Panel) -> int:
    """Return how many patches hold the steps ahead."""
    return -(-panel.horizon // PATCH)


def window(length: int, horizon: int) -> int:
    """Return the steps of a window, of a series of that length, that the network was taught."""
    patches_ahead = min(-(-horizon // PATCH), TAUGHT)
    return min(length, (LONGEST + 1 - patches_ahead) * PATCH)


def scored_windows(panel: Panel) -> int:
    """Return how many windows of a part are scored, at most, for the time that this takes."""
    read = panel.input_steps + panel.horizon
    if len(panel.names) == 1:
        return OF_ONE_SERIES * PATCH // read
    return max(SCORED_PATCHES * PATCH // read, 256)


def symmetric(quantiles: Sequence[float] | None) -> tuple[float, ...]:
    """Return quantiles and their mirror images around 0.5, ascending; 5 and 95 % by default."""
    quantiles = quantiles or (0.05, 0.5, 0.95)
    return tuple(sorted({round(q, 6) for quantile in quantiles for q in (quantile, 1 - quantile)}))


def between(values: np.ndarray, wanted: Sequence[float]) -> np.ndarray:
    """Return wanted quantiles, (..., wanted), of those at QUANTILES, (..., quantiles).

    Between two of them, and beyond the outer ones, the distribution is taken for a normal one.
    """
    known, at = ndtri(QUANTILES), ndtri(wanted)
    right = np.clip(np.searchsorted(known, at), 1, len(known) - 1)
    share = (at - known[right - 1]) / (known[right] - known[right - 1])
    return values[..., right - 1] * (1 - share) + values[..., right] * share


def seasons(panel: Panel, values: np.ndarray) -> np.ndarray:
    """Return the season of each window and a longer one, (windows, 2), 0 where there is none.

    They are the panel's, unless a window shows that its season is some steps longer or shorter:
    then its values change far less over these.
    """
    season = panel.season if panel.season > 1 else 0
    found = np.tile([season, LONGER.get(season, 0)], (len(values), 1))
    if season <= 2 * NEARBY:
        return found
    near = season + np.arange(-NEARBY, NEARBY + 1)
    changes = np.stack([typical_changes(values, int(lag)) for lag in near])
    nearest = near[np.argmin(changes, axis=0)]
    other = changes.min(axis=0) < CLEARLY * changes[NEARBY]
    found[other] = np.stack([nearest, 0 * nearest], axis=1)[other]
    return found


def typical_changes(values: np.ndarray, lag: int) -> np.ndarray:
    """Return the mean absolute change over `lag` steps, (windows,); inf where few are known."""
    change = np.abs(values[:, lag:] - values[:, :-lag])
    known = np.isfinite(change)
    count = known.sum(axis=1)
    total = np.where(known, change, 0).sum(axis=1)
    return np.where(count >= 2 * lag, total / np.maximum(count, 1), np.inf)


def examples(
    forecaster: AtOnce, panel: Panel, origins: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return what a network learns on: `Patches.inputs` and `utils.series.patches.targets`."""
    values = forecaster.read(panel, origins, panel.horizon)
    values = np.pad(values, [(0, 0), (0, -panel.horizon % PATCH)], constant_values=np.nan)
    ahead = np.arange(values.shape[1]) >= values.shape[1] - to_come(panel) * PATCH
    past = np.broadcast_to(~ahead, values.shape)
    known = np.where(past, values, np.nan)
    cut = patches(values, seasons(panel, known), ~past, past)
    weight = np.broadcast_to(np.where(ahead[::PATCH], 1.0, 0.15), cut.last.shape)
    return {name: x[:, :-1] for name, x in cut.inputs.items()}, targets(cut, weight)


def batches(
    forecaster: AtOnce, panel: Panel, origins: np.ndarray, size: int, seed: int
) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
    """Yield `examples` without end: each pass takes every window once, in a new order."""
    rng, order = np.random.default_rng(seed), np.empty(0, int)
    while True:
        while len(order) < size:
            order = np.concatenate([order, rng.permutation(origins)])
        yield examples(forecaster, panel, order[:size])
        order = order[size:]
