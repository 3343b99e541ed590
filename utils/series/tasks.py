"""What a network learns to forecast from: simulated series of which runs of patches are hidden."""

from collections.abc import Iterator

from utils.series import prior
from utils.series.patches import PATCH, patches, targets

import numpy as np

LENGTHS = (64, 24, 64, 8, 64, 40, 64, 4, 64, 16, 64, 2)  # patches, of one batch after the other
RUNS = 12  # patches that are hidden in a row, below that; seldom more


def draw(
    rng: np.random.Generator, number: int, length: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Draw series and hide runs of patches, mostly at the end (contiguous patch masking).

    Args:
        rng: what draws.
        number: of series.
        length: of each, in patches.

    Returns:
        inputs, see `Patches.inputs`, and targets, see `utils.series.patches.targets`.
    """

    def some(low, high):  # a whole number from `low` to below `high`, by series
        return (low + rng.random((number, 1)) * (high - low)).astype(int)

    def by_chance(share):
        return rng.random((number, 1)) < share

    values, seasons = prior.draw(rng, number, PATCH * length)
    start = np.where(by_chance(0.15), some(0, PATCH * length // 2), some(0, PATCH))
    values[np.arange(values.shape[1]) < start] = np.nan  # a series begins late
    first, patch = -(-(start + 2) // PATCH), np.arange(length)
    # a run at the end of what is known, mostly the series' end
    most = np.maximum(length - first, 1)
    run = np.where(by_chance(0.1), some(1, most + 1), np.minimum(some(1, RUNS), most))
    begin = np.where(by_chance(0.75), length - run, some(first, length - run + 1))
    hidden = (patch >= begin) & (patch < begin + run)
    # in half of the series another one before it
    run = np.minimum(some(1, RUNS), length // 3)
    early = some(first, begin - run)
    hidden |= (patch >= early) & (patch < early + run) & (early >= first) & by_chance(0.5)
    known, past = (np.repeat(at, PATCH, axis=1) for at in (~hidden, patch < begin))
    cut = patches(values, seasons, ~known, past)
    weight = np.where(hidden | (patch >= begin), 1.0, 0.15) * (patch >= first)
    return {name: x[:, :-1] for name, x in cut.inputs.items()}, targets(cut, weight)


def batches(seed: int, size: int, first: int = 0) -> Iterator[tuple[dict, np.ndarray]]:
    """Yield batches of `draw` without end, from the one with the number `first` on."""
    while True:
        length = LENGTHS[first % len(LENGTHS)]
        yield draw(np.random.default_rng([seed, first]), size, length)
        first += 1
