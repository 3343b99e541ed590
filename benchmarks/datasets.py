"""Public data sets, downloaded once and checked, and the protocols by which papers score them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from utils import InputError

import keras
import numpy as np
import pandas as pd

M4 = (
    "https://raw.githubusercontent.com/Mcompetitions/M4-methods/"
    "6c1067e5a57161249b17289a565178dc7a3fb3ca/Dataset/"
)
ETT = (
    "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/"
    "1d16c8f4f943005d613b5bc962e9eeb06058cf07/ETT-small/"
)
FILES = {  # address and sha256
    "m4_hourly": {
        M4 + "Train/Hourly-train.csv":
            "ea59b7783573c49077a835ab6465c7d66f1474783360f310988a9a737fbca62f",
        M4 + "Test/Hourly-test.csv":
            "71a57fccb15e534d973626ada4fb87febf789e9317715b7cc6dd3b5f90db6f42",
    },
    "m4_weekly": {
        M4 + "Train/Weekly-train.csv":
            "d478d3f6ed673e6ed3c2cb0fbed5425f72eedd51318ebebeb0b5ecfcefc37714",
        M4 + "Test/Weekly-test.csv":
            "3b2bc4be8e636e802260dcd843ca3c5da40536a1fbe1ecb3229a97dae4f44688",
    },
    "etth1": {
        ETT + "ETTh1.csv": "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
    },
    "etth2": {
        ETT + "ETTh2.csv": "a3dc2c597b9218c7ce1cd55eb77b283fd459a1d09d753063f944967dd6b9218b",
    },
}  # fmt: skip
NAIVE2 = {"m4_hourly": (18.383, 2.395), "m4_weekly": (9.161, 2.777)}  # sMAPE, MASE
M4_SEASON = {"m4_hourly": 24, "m4_weekly": 52}
M4_MASE_SEASON = {"m4_hourly": 24, "m4_weekly": 1}
M4_HORIZON = {"m4_hourly": 48, "m4_weekly": 13}
M4_VALIDATED = {"m4_hourly": 168, "m4_weekly": 26}  # steps; the errors of one day say too little
ETT_ROWS = (8640, 11520, 14400)  # where the train, validation and test rows end


class Dataset(NamedTuple):
    """Series of a data set and how they are held back."""

    frames: dict[str, pd.DataFrame]  # by series, the column "value"
    held_back: tuple[int, int]  # rows of validation and test part
    horizon: int
    season: int
    mase_season: int  # of the measure, as the competition defined it


def load(name: str, horizon: int | None = None) -> Dataset:
    """Return a data set, downloaded into $KERAS_HOME/forecast/<name>/ if it isn't there yet.

    M4: its own last points are the test part, `M4_VALIDATED` before it are validation. ETT: the
    first 14,400 hours, each column less the mean and over the deviation of the train rows.

    Args:
        name: one of `FILES`.
        horizon: steps ahead; None for the usual ones, of M4 the only ones.

    Raises:
        InputError: if the horizon isn't one of the protocol, or a file can't be downloaded or isn't
            the one that is known.
    """
    if horizon and name in M4_HORIZON and horizon != M4_HORIZON[name]:
        raise InputError(f"--horizon {horizon}: {name} has {M4_HORIZON[name]}; drop --horizon")
    val_rows, test_rows = np.diff(ETT_ROWS)
    if horizon and name not in M4_HORIZON and horizon > test_rows:
        raise InputError(f"--horizon {horizon}: the test part of {name} has {test_rows} rows")
    paths = [_download(name, address, digest) for address, digest in FILES[name].items()]
    if name in M4_HORIZON:
        train, test = (pd.read_csv(path, index_col=0) for path in paths)
        frames = {}
        for series, row in train.iterrows():
            values = np.concatenate([row, test.loc[series]]).astype(float)
            frames[str(series)] = pd.DataFrame({"value": values[np.isfinite(values)]})
        horizon = M4_HORIZON[name]
        seasons = M4_SEASON[name], M4_MASE_SEASON[name]
        return Dataset(frames, (M4_VALIDATED[name], horizon), horizon, *seasons)
    table = pd.read_csv(paths[0], index_col=0, parse_dates=True).iloc[: ETT_ROWS[-1]].asfreq("h")
    train = table.iloc[: ETT_ROWS[0]]
    table = (table - train.mean()) / train.std(ddof=0)
    frames = {column: table[column].to_frame("value") for column in table}
    return Dataset(frames, (int(val_rows), int(test_rows)), horizon or 96, 24, 24)


def _download(name, address, digest):
    folder = Path(os.environ.get("KERAS_HOME", "~/.keras"), "forecast", name).expanduser()
    path = folder / address.rpartition("/")[2]
    try:
        folder.mkdir(parents=True, exist_ok=True)  # else `get_file` goes to /tmp
        return keras.utils.get_file(
            path.name, address, file_hash=digest, cache_dir=folder.parent, cache_subdir=name
        )
    except Exception as error:  # `get_file` raises just that, and leaves a wrong file there
        path.unlink(missing_ok=True)
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{name}: can't download {address} ({reason}); or put the file at {path} yourself"
        ) from error


def published_measures(
    name: str, actual: np.ndarray, forecast: np.ndarray, scale: np.ndarray
) -> dict[str, float]:
    """Return what papers print of a data set's test part.

    Args:
        name: of the data set.
        actual: (windows, horizon)
        forecast: (windows, horizon)
        scale: (windows,), for M4: mean absolute change over a season of the points before.

    Returns:
        M4: smape in percent, mase, and owa, half of the sum of both over those of Naive2
        (Makridakis, Spiliotis & Assimakopoulos, 2020); ETT: mse and mae on z-scores.
    """
    error = np.abs(actual - forecast)
    if name not in NAIVE2:
        return {"mse": float(np.mean(np.square(error))), "mae": float(np.mean(error))}
    smape = float(np.mean(200 * error / (np.abs(actual) + np.abs(forecast))))
    mase = float(np.mean(error.mean(axis=1) / scale))
    naive = NAIVE2[name]
    return {"smape": smape, "mase": mase, "owa": (smape / naive[0] + mase / naive[1]) / 2}
