from exercises.compare import same

import numpy as np

PAST = np.array([5.0, 1, 2, 3, 4, 1, 2, 3, 5])


def test_persistence(yours):
    mistakes = {"when the past is repeated, not its last value": PAST[-4:]}
    same("persistence, 4 steps", yours.persistence(PAST, 4), [5, 5, 5, 5], mistakes)


def test_seasonal_naive(yours):
    for steps in (1, 3, 4, 6, 11):
        k = np.arange(steps)
        mistakes = {
            "when the first season of the past is repeated, not the last": PAST[k % 4],
            "when the season is counted from the last value: a step early": PAST[
                len(PAST) - 5 + k % 4
            ],
            "with persistence": np.full(steps, 5.0),
        }
        found = yours.seasonal_naive(PAST, steps, 4)
        same(f"seasonal naive, {steps} steps", found, np.array([1, 2, 3, 5.0])[k % 4], mistakes)


def test_a_perfect_season_is_foreseen(yours):
    season = np.sin(2 * np.pi * np.arange(240) / 24)
    found = yours.seasonal_naive(season[:200], 40, 24)
    same("a perfect sine", found, season[200:])
