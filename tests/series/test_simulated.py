import itertools

from utils.series import random_walk, shops, sine, temperature
from utils.series.backtest import scores
from utils.series.panel import Panel

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats


def cut(series, input_steps):
    """All windows of a series and the values `1, 2, ...` steps after them, as views."""
    return np.lib.stride_tricks.sliding_window_view(series.to_numpy()[:-1], input_steps)


def test_optimal_sine_against_an_integral_over_the_phase():
    window = np.sin(0.1 * (np.arange(12) + 40)) + np.random.default_rng(0).normal(0, 0.3, 12)

    def weight(phase):
        return np.prod(stats.norm.pdf(window, np.sin(phase + 0.1 * np.arange(12)), 0.3))

    def mean(step):
        def weighted(phase):
            return weight(phase) * np.sin(phase + 0.1 * (11 + step))

        total, mean = (integrate.quad(f, 0, 2 * np.pi, limit=200)[0] for f in (weight, weighted))
        return mean / total

    found = sine.optimal(window[None], steps=7, noise=0.3)
    assert found.shape == (1, 7)
    np.testing.assert_allclose(found[0, [0, 6]], [mean(1), mean(7)], rtol=1e-6)


def test_optimal_sine_with_jumps_against_all_histories():
    """Every way in which the phase may have jumped, and every phase, on a grid of 24 phases."""
    jumps, noise, grid = 0.2, 0.4, 2 * np.pi * np.arange(24) / 24
    window = np.array([0.1, 0.9, -0.7, -0.4])
    density = stats.norm.pdf(window[:, None], np.sin(grid + 0.1 * np.arange(4)[:, None]), noise)
    total, ahead = 0.0, np.zeros(3)
    for jumped in itertools.product([False, True], repeat=3):  # before values 1, 2, 3
        chance = np.prod(np.where(jumped, jumps, 1 - jumps))
        starts = [0, *(t + 1 for t in range(3) if jumped[t])]
        for start, end in itertools.pairwise([*starts, 4]):
            last = density[start:end].prod(axis=0)  # by the phase of this stretch
            if end < 4:
                chance *= last.mean()
        total += chance * last.mean()
        for step in range(3):
            coming = np.sin(grid + 0.1 * (4 + step)) * (1 - jumps) ** (step + 1)
            ahead[step] += chance * (last * coming).mean()
    found = sine.optimal(window[None], steps=3, noise=noise, jumps=jumps)
    np.testing.assert_allclose(found[0], ahead / total, atol=1e-3)


def test_optimal_temperature_against_all_24_phases():
    window = np.random.default_rng(1).normal(10, 12, 5)  # five hours leave some doubt
    weights, following = [], []
    for phase in range(24):
        law = 10 + 15 * np.sin(2 * np.pi * (phase + np.arange(8)) / 24)
        weights.append(np.prod(stats.norm.pdf(window, law[:5], 9.0)))
        following.append(law[5:])
    expected = np.average(following, weights=weights, axis=0)
    found = temperature.optimal(window[None], steps=3, noise=9.0)
    np.testing.assert_allclose(found, [expected], rtol=1e-9)


def test_optimal_price_against_an_integral_over_the_return():
    def mean(steps):
        def weighted(log_return):
            law = stats.norm.pdf(log_return, 0.01 * steps, 0.2 * steps**0.5)
            return 50 * np.exp(log_return) * law

        return integrate.quad(weighted, -5, 5)[0]

    found = random_walk.optimal(np.array([[7.0, 50.0]]), 3, 0.01, 0.2)
    np.testing.assert_allclose(found, [[mean(1), mean(2), mean(3)]], rtol=1e-7)


def test_windows_in_chunks_give_the_same():
    windows = cut(sine.simulated(2100, seed=0), 12)
    np.testing.assert_allclose(sine.optimal(windows)[-9:], sine.optimal(windows[-9:]), rtol=1e-12)


def test_phases_jump_as_often_as_they_say():
    clean = sine.clean(20_000, seed=1, jumps=0.05)
    law = 2 * np.cos(0.1) * clean[1:-1] - clean[:-2]  # which a sine keeps, as long as it is one
    broken = np.abs(clean[2:] - law) > 1e-9
    assert broken.mean() == pytest.approx(1 - 0.95**2, abs=0.01)
    np.testing.assert_allclose(sine.clean(50), np.sin(0.1 * np.arange(50)))


def test_the_laws():
    wave = sine.simulated(20_000, seed=0)
    noise = wave - np.sin(0.1 * np.arange(20_000))
    assert abs(noise.mean()) < 0.003 and abs(noise.std() - 0.1) < 0.002

    degrees = temperature.simulated(seed=0)
    assert len(degrees) == 8760
    assert degrees.index[0] == pd.Timestamp("2025-01-01 09:00")
    by_hour = degrees.groupby(degrees.index.hour).mean()
    np.testing.assert_allclose(by_hour[[9, 15, 21, 3]], [10, 25, 10, -5], atol=0.4)

    prices = random_walk.simulated(20_000, seed=0, drift=0.001, volatility=0.02)
    returns = np.diff(np.log(prices))
    assert prices.iloc[0] == 100 and prices.index.day_of_week.max() == 4
    assert abs(returns.mean() - 0.001) < 0.0005 and abs(returns.std() - 0.02) < 0.0005


def test_closed_form_of_the_simulated_shops_is_optimal():
    frames, law = shops.simulated(3, number=30, days=400)
    panel = Panel(frames, 7, 28, known=["promotion"])
    origins = panel.origins("test")
    best = shops.Optimal(law)(panel, origins)
    others = {"optimal": best, "higher": 1.05 * best, "lower": 0.95 * best}
    rmse = {name: line["rmse"] for name, line in scores(panel, origins, others).items()}
    assert min(rmse, key=rmse.get) == "optimal"
