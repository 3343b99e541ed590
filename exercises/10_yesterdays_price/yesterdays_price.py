"""Why yesterday's price looks like a perfect forecast."""

from pathlib import Path

import numpy as np
import pandas as pd

PRICES = Path(__file__).parents[2] / "data" / "stock_goog.csv"


def r2(actual, predicted):
    """Return the share of the variance that is explained: 1 is perfect, 0 as good as the mean."""
    return 1 - np.mean((actual - predicted) ** 2) / np.var(actual)


def both_r2(prices, forecasts):
    """Return the R² of forecasts as prices, and as returns.

    Args:
        prices: (days,), of which the first is only yesterday's price of the second.
        forecasts: (days - 1,), of prices[1:]; forecasts[k] was made knowing prices[k].
    """
    raise NotImplementedError


if __name__ == "__main__":
    prices = pd.read_csv(PRICES)["close"].to_numpy()
    for name, forecasts in {
        "yesterday's price": prices[:-1],
        "the price of five days ago": np.concatenate([prices[:4], prices[:-1]])[: len(prices) - 1],
        "the right price, off by 1 % at random": prices[1:]
        * np.exp(np.random.default_rng(0).normal(0, 0.01, len(prices) - 1)),
    }.items():
        as_prices, as_returns = both_r2(prices, forecasts)
        print(f"{name:38} R² as prices {as_prices:6.3f}   as returns {as_returns:6.3f}")
