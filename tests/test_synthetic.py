from utils.series import synthetic
from utils.series.synthetic import (
    clean_sine,
    hourly_temperature,
    noisy_sine,
    optimal_price,
    optimal_sine,
    optimal_temperature,
    random_walk_prices,
)

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats


def cut(series, input_steps):
    """All windows of a series and the values `1, 2, ...` steps after them, as views."""
    return np.lib.stride_tricks.sliding_window_view(series.to_numpy()[:-1], input_steps)


@pytest.mark.parametrize("horizon", [1, 7])
def test_optimal_sine_against_an_integral_over_the_phase(horizon):
    window = clean_sine(np.arange(12) + 40) + np.random.default_rng(0).normal(0, 0.3, 12)

    def weight(phase):
        return np.prod(stats.norm.pdf(window, np.sin(phase + 0.1 * np.arange(12)), 0.3))

    def weighted(phase):
        return weight(phase) * np.sin(phase + 0.1 * (11 + horizon))

    total, mean = (integrate.quad(f, 0, 2 * np.pi, limit=200)[0] for f in (weight, weighted))
    found = optimal_sine(window[None], noise=0.3, horizon=horizon)
    np.testing.assert_allclose(found, [mean / total], rtol=1e-6)


def test_optimal_temperature_against_all_24_phases():
    window = np.random.default_rng(1).normal(10, 12, 5)  # five hours leave some doubt
    weights, following = [], []
    for phase in range(24):
        law = 10 + 15 * np.sin(2 * np.pi * (phase + np.arange(6)) / 24)
        weights.append(np.prod(stats.norm.pdf(window, law[:5], 9.0)))
        following.append(law[5])
    expected = np.average(following, weights=weights)
    np.testing.assert_allclose(optimal_temperature(window[None], noise=9.0), [expected], rtol=1e-9)


def test_optimal_price_against_an_integral_over_the_return():
    def weighted(log_return):
        return 50 * np.exp(log_return) * stats.norm.pdf(log_return, 0.01, 0.2)

    mean = integrate.quad(weighted, -3, 3)[0]
    np.testing.assert_allclose(optimal_price(np.array([50.0]), 0.01, 0.2), [mean], rtol=1e-9)


def test_windows_in_chunks_give_the_same(monkeypatch):
    windows = cut(noisy_sine(100, seed=0), 30)
    whole = optimal_sine(windows)
    monkeypatch.setattr(synthetic, "CHUNK", 7)
    np.testing.assert_allclose(optimal_sine(windows), whole, rtol=1e-12)


def test_no_linear_model_beats_the_optimum():
    for values, optimal in (
        (noisy_sine(6000, seed=3), optimal_sine),
        (hourly_temperature(seed=3), optimal_temperature),
    ):
        windows, actual = cut(values, 24), values.to_numpy()[24:]
        fit = len(actual) // 2
        weights = np.linalg.lstsq(windows[:fit], actual[:fit], rcond=None)[0]
        rmse = [
            np.sqrt(np.mean((actual[fit:] - forecast) ** 2))
            for forecast in (optimal(windows[fit:]), windows[fit:] @ weights)
        ]
        assert rmse[0] < rmse[1]


def test_noise_is_all_that_the_optimum_leaves_of_the_temperature():
    values = hourly_temperature(seed=0)
    errors = values.to_numpy()[24:] - optimal_temperature(cut(values, 24))
    assert abs(errors.std() - 2.0) < 0.03


def test_the_laws():
    sine = noisy_sine(20_000, seed=0)
    noise = sine - np.sin(0.1 * np.arange(20_000))
    assert abs(noise.mean()) < 0.003 and abs(noise.std() - 0.1) < 0.002

    temperature = hourly_temperature(seed=0)
    assert len(temperature) == 8760
    assert temperature.index[6] == pd.Timestamp("2025-01-01 06:00")
    by_hour = temperature.groupby(temperature.index.hour).mean()
    np.testing.assert_allclose(by_hour[[0, 6, 12, 18]], [10, 25, 10, -5], atol=0.4)

    prices = random_walk_prices(20_000, seed=0, drift=0.001, volatility=0.02)
    returns = np.diff(np.log(prices))
    assert prices.iloc[0] == 100 and prices.index.day_of_week.max() == 4
    assert abs(returns.mean() - 0.001) < 0.0005 and abs(returns.std() - 0.02) < 0.0005


@pytest.mark.parametrize("generate", [noisy_sine, random_walk_prices])
def test_a_seed_names_its_series(generate):
    assert generate(50, 1).equals(generate(50, 1))
    assert not generate(50, 1).equals(generate(50, 2))
