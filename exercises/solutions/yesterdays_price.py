import numpy as np


def r2(actual, predicted):
    """Return the share of the variance that is explained: 1 is perfect, 0 as good as the mean."""
    return 1 - np.mean((actual - predicted) ** 2) / np.var(actual)


def both_r2(prices, forecasts):
    """Return the R² of forecasts as prices, and as returns."""
    returns = np.log(prices[1:] / prices[:-1])
    foreseen = np.log(forecasts / prices[:-1])  # from the last price that was known
    return r2(prices[1:], forecasts), r2(returns, foreseen)
