"""A network that has seen a million series: its file, a pass through it, and its forecasts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from utils import InputError
from utils.files import written_whole
from utils.series.panel import Panel
from utils.series.patches import PATCH, QUANTILES, Patches, patches

import numpy as np
from scipy.special import erf, expit

VERSION = 1  # of the file
LONGEST = 63  # patches that the network was taught to read, those to come but the last included
TAUGHT = 12  # patches to come, at most: further ones shorten the past no more
LONGER = {24: 168, 7: 364, 48: 336, 96: 672}  # a second season, by the first
BATCH = 256  # windows


def save(path: str | Path, weights: dict[str, np.ndarray], facts: dict) -> None:
    """Save weights, by "layer/weight", as float16, and facts about them."""
    halves = {name: weight.astype(np.float16) for name, weight in weights.items()}
    with written_whole(path) as beside, open(beside, "wb") as file:
        np.savez(file, facts=json.dumps({"version": VERSION, **facts}), **halves)


def load(path: str | Path) -> tuple[dict[str, np.ndarray], dict]:
    """Return the weights, float32, and the facts that `save` wrote.

    Raises:
        InputError: if the file is missing, cut off, or of another version.
    """
    mend = "python pretrain.py makes it anew, git checkout models brings it back"
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
    """Return what `pretrain.build_network` answers, in NumPy.

    Args:
        weights: by "layer/weight".
        cut: what it reads.
        first: patch after which answers are wanted.

    Returns:
        (windows, patches - first, PATCH, quantiles) float32; see `Patches.outer`.
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

    Its answers are medians (or means) and QUANTILES, in the series' unit.
    """

    network: Callable[[Patches, int], np.ndarray]  # see `run`
    squared: bool = False  # whether the forecast is the mean, or else the median

    def __call__(self, panel: Panel, origins: np.ndarray, newest: int | None = None) -> np.ndarray:
        """Return the forecasts and their quantiles.

        With `newest`, only so many values of each window are known: its series is that young.
        """
        found = []
        for some in np.array_split(origins, -(-len(origins) // BATCH)):
            values = panel.windows(some)
            if newest:
                values[:, : len(values[0]) - newest] = np.nan
            cut, first = before(panel, values)
            quantiles = cut.outer(self.network(cut, first), first)[:, : panel.horizon]
            point = quantiles.mean(-1) if self.squared else quantiles[..., len(QUANTILES) // 2]
            found.append(np.concatenate([point[..., None], quantiles], axis=-1))
        return np.maximum(np.concatenate(found), panel.lowest)


def before(panel: Panel, values: np.ndarray) -> tuple[Patches, int]:
    """Return windows (windows, input_steps) and what is to come, as patches; and the last known."""
    to_come = -(-panel.horizon // PATCH)
    length = min(panel.input_steps, (LONGEST + 1 - min(to_come, TAUGHT)) * PATCH)
    number = -(-length // PATCH)
    padded = np.full((len(values), (number + to_come - 1) * PATCH), np.nan)
    padded[:, number * PATCH - length : number * PATCH] = values[:, -length:]
    return patches(padded, np.tile(seasons(panel), (len(values), 1))), number - 1


def seasons(panel: Panel) -> tuple[int, int]:
    """Return a panel's season and the longer one that goes with it, 0 where there is none."""
    return (panel.season, LONGER.get(panel.season, 0)) if panel.season > 1 else (0, 0)
