"""What forecast.py needs beyond a lesson: known columns, young series, a row for each, counts."""

import argparse
from collections.abc import Callable, Sequence

from utils import InputError, cli
from utils.series import baselines, outputs
from utils.series.backtest import Backtest
from utils.series.blend import Blend, Whole
from utils.series.intervals import Conformal
from utils.series.panel import FEW, Panel, evenly
from utils.series.pretrained import AtOnce, symmetric

import numpy as np
import pandas as pd

YOUNG_ORIGINS = 1000  # that show how intervals of young series must widen


def quantiles(text: str) -> tuple[float, ...]:
    """Take ascending numbers between 0 and 1, among them 0.5, as a flag's value."""
    numbers = tuple(round(cli.number_above(0, below=1)(word), 6) for word in cli.names(text))
    ascending = list(numbers) == sorted(set(numbers) - {0.0, 1.0})
    if 0.5 not in numbers or len(numbers) < 2 or not ascending:
        raise argparse.ArgumentTypeError(
            f"{text!r} must ascend and hold 0.5 and others, as 0.1,0.5,0.9 does"
        )
    return numbers


def check_known(frames: dict[str, pd.DataFrame], known: Sequence[str], horizon: int) -> None:
    """Refuse known columns that lack a value, but for days without a row (closed).

    They must have one in each row from the first target on, and in `horizon` rows after the last.

    Raises:
        InputError: for the first value that is missing.
    """
    for series, frame in frames.items() if known else ():
        given = np.flatnonzero(np.isfinite(frame.iloc[:, 0]))
        rows = frame.iloc[given[0] : given[-1] + 1 + horizon]
        length = given[-1] + 1 - given[0]
        lacking = rows[known].isna().to_numpy()
        lacking = np.pad(lacking, [(0, length + horizon - len(rows)), (0, 0)], constant_values=True)
        closed = lacking.all(axis=1)
        closed[:length] &= rows.iloc[:length, 0].isna()
        closed[np.flatnonzero(~closed)[-1] :] = False  # the file ends here
        for row, column in np.argwhere(lacking & ~closed[:, None]):
            what = (f"series {series!r}: " if series else "") + f"--known {known[column]!r}"
            if row < length:
                raise InputError(
                    f"{what} is missing at {rows.index[row]}; fill it in, or take it as one of the "
                    "--features"
                )
            raise InputError(
                f"{what} ends {row - length} steps after the last value, and {horizon} steps are "
                f"to be forecast; append rows with {known[column]!r} and an empty target, or lower "
                "--horizon"
            )


def window_mean(panel: Panel, origins: np.ndarray) -> np.ndarray:
    """Repeat the mean of the window."""
    mean = pd.DataFrame(panel.windows(origins)).mean(axis=1).fillna(0).to_numpy()
    return np.repeat(mean[:, None], panel.horizon, axis=1)


def zero(panel: Panel, origins: np.ndarray) -> np.ndarray:
    """Forecast nothing: of rare demands, the median."""
    return np.zeros((len(origins), panel.horizon))


def simple(panel: Panel) -> dict[str, Callable]:
    """Return the forecasters that fit the series and learn nothing, those of rare demands too."""
    rare = {"zero": zero, "mean": window_mean}
    return baselines.simple(panel) | (rare if panel.mostly_zero else {})


def of_young(panel: Panel, forecaster: AtOnce, usual: np.ndarray) -> np.ndarray:
    """Return the corrections of series with 1, 2, ... FEW - 1 values: (FEW - 1, levels, horizon).

    They have no errors of their own, and those of others know whole windows. So windows of the
    validation part are cut down to as many values; for want of windows, the `usual` corrections
    (levels, horizon) serve.
    """
    origins = evenly(panel.origins("val", panel.horizon), YOUNG_ORIGINS)
    levels, log = forecaster.levels, forecaster.log
    shares = np.repeat(np.array(levels)[:, None], panel.horizon, axis=1)
    corrections = np.repeat(usual[None], FEW - 1, axis=0)
    for i in range(len(corrections) if len(origins) else 0):
        bounds = forecaster(panel, origins, i + 1)[..., 1:]
        conformal = Conformal(panel, origins, bounds, levels, len(origins), log)
        conformal.memory += panel.horizon  # all of them count
        corrections[i] = conformal.at(conformal.time.max() + panel.horizon, shares)
    return corrections


def by_age(panel: Panel, usual: Sequence, young: Sequence) -> np.ndarray:
    """Return the corrections of each series at its end, (levels, series, horizon).

    They are the usual ones (levels, horizon), or those of `of_young` where it has as few values.
    """
    count = np.isfinite(panel.windows(panel.end)).sum(axis=1)
    own = np.swapaxes(np.asarray(young)[np.minimum(count, len(young)) - 1], 0, 1)
    return np.where((count <= len(young))[:, None], own, np.asarray(usual)[:, None])


def by_series(found: Backtest) -> pd.DataFrame:
    """Return MAE of what is written and of the best baseline, and MASE, by series."""
    panel, actual = found.panel, found.panel.targets(found.origins)
    table = pd.DataFrame(index=range(len(panel.names)))
    known = np.isfinite(panel.values[:, 0])
    table["values"] = np.bincount(panel.series_of_rows, known).astype(int)
    for name in (found.written, found.scores["best_baseline"]):
        errors = pd.DataFrame(np.abs(actual - found.forecasts[name])).mean(axis=1)
        table[name] = errors.groupby(panel.series_of(found.origins)).mean()
    table["mase"] = table[found.written] / panel.mase_scale
    return table.set_axis(pd.Index(panel.names, name="series"))


def shown(panel: Panel, found: Backtest | None) -> list[tuple[str, int]]:
    """Return names and numbers of the series to draw: best, median, worst by MASE, the largest."""
    if not found:
        return list(zip(panel.names[:4], range(4), strict=False))
    mase = by_series(found)["mase"].to_numpy()
    ranked = np.argsort(mase)[: np.isfinite(mase).sum()]
    largest = int(np.argmax([panel.series(number).mean() for number in range(len(panel.names))]))
    ends = {"best": ranked[0], "median": ranked[len(ranked) // 2], "worst": ranked[-1]}
    ends["largest"] = largest
    return [(f"{panel.names[number]} ({title})", number) for title, number in ends.items()]


def outer(bounds: Sequence[str]) -> list[str]:
    """Return what `plotting.draw_forecast` calls the outer ones of bounds or of quantiles."""
    if bounds[0] == "lower":
        return ["lower", "upper"]
    level = float(bounds[-1][1:]) - float(bounds[0][1:])  # of q0.1 and q0.9: 0.8
    return [f"lower_{level:g}", f"upper_{level:g}"]


def asked(panel: Panel, args: argparse.Namespace, young: Sequence | None) -> dict:
    """Return the facts that say which kind of forecast is written; `young` is of `of_young`."""
    return {
        "quantiles": args.quantiles, "squared": args.power == 2, "whole": panel.whole,
        "mostly_zero": panel.mostly_zero, "young": young,
    }  # fmt: skip


def facts_of(
    panel: Panel, args: argparse.Namespace, found: Backtest, network: AtOnce, blend: Blend
) -> dict:
    """Return what a saved model must know, and what `look_ahead` takes."""
    young = None
    if args.train or (np.isfinite(panel.windows(panel.end)).sum(axis=1) < FEW).any():
        young = of_young(panel, network, found.corrections).tolist()
    return outputs.facts_of(
        "forecast.py", args, found, asked_known=args.known,
        horizon=panel.horizon, weights=blend.weights, trusted=blend.trusted,
        effects=network.effects and network.effects.facts(), linear=blend.parts["linear"].facts(),
        **asked(panel, args, young),
    )  # fmt: skip


def look_ahead(panel: Panel, forecaster: Callable, network: AtOnce, facts: dict) -> pd.DataFrame:
    """Return what forecast.csv holds: the forecast, its bounds or quantiles, and rarely the mean.

    Where many values are zero, the mean stands beside the median, which then is zero too often.

    Of the facts count levels, log and corrections, see `utils.series.outputs.ahead`; quantiles that
    are wanted, or None; squared, whether the forecast is a mean; whole, mostly_zero, of `Panel`;
    young, of `of_young`, or None.
    """
    whole = facts["whole"] and not facts["squared"]
    if facts["young"]:
        facts = facts | {"corrections": by_age(panel, facts["corrections"], facts["young"])}
    written: Callable = Whole(forecaster) if whole else forecaster
    table = outputs.ahead(panel, written, facts)
    levels = symmetric(facts["quantiles"])
    asked = facts["quantiles"] or (levels[0], levels[-1])
    bounds = [name for name in table if name not in ("series", "time", "forecast")]
    point = table["forecast"] = table["forecast"].round() if whole else table["forecast"]
    for name, quantile in zip(bounds, levels, strict=True):
        bound = table.pop(name)
        if whole and quantile < 0.5:
            bound = np.minimum(np.ceil(bound), point)
        elif whole:
            bound = bound.round() if quantile == 0.5 else np.maximum(np.floor(bound), point)
        if quantile in asked:
            table[f"q{quantile:g}" if facts["quantiles"] else name] = bound
    if facts["mostly_zero"] and not facts["squared"]:
        table["mean"] = network._replace(squared=True)(panel, panel.end)[..., 0].ravel()
    return table
