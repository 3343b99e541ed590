from pathlib import Path

from exercises.compare import same

import numpy as np
import pandas as pd

PRICES = pd.read_csv(Path(__file__).parents[2] / "data" / "stock_goog.csv")["close"].to_numpy()


def r2(actual, predicted):
    return 1 - np.mean((actual - predicted) ** 2) / np.var(actual)


def test_a_forecast(yours):
    forecasts = PRICES[1:] ** 0.5 * PRICES[:-1] ** 0.5  # knows half of each day's return
    returns = np.diff(np.log(PRICES))
    as_prices, as_returns = yours.both_r2(PRICES, forecasts)
    same("R² as prices", as_prices, r2(PRICES[1:], forecasts))
    chained = np.diff(np.log(forecasts))
    mistakes = {
        "when a forecast is compared with the forecast before it, not with the last price": r2(
            returns[1:], chained
        ),
        "when simple differences are taken, not returns": r2(
            np.diff(PRICES), forecasts - PRICES[:-1]
        ),
        "when relative changes are taken, not log-returns": r2(
            PRICES[1:] / PRICES[:-1], forecasts / PRICES[:-1]
        ),
        "when the squared correlation is taken": np.corrcoef(returns, returns / 2)[0, 1] ** 2,
    }
    same("R² as returns", as_returns, 0.75 - 0.25 * returns.mean() ** 2 / returns.var(), mistakes)


def test_yesterdays_price_explains_nothing(yours):
    as_prices, as_returns = yours.both_r2(PRICES, PRICES[:-1])
    assert as_prices > 0.99
    same("R² of yesterday's price as returns", as_returns, 0, atol=0.01)
