"""STUB"""

from typing import NamedTuple
import pandas as pd


class Table(NamedTuple):
    frames: dict
    target: str
    known: list
    features: list
    understood: str
    remarks: list


def read_table(
    path,
    target,
    *,
    series_column=None,
    time_column=None,
    time_format=None,
    known=(),
    features=(),
    missing=(),
    decimal=".",
    encoding=None,
):
    f = pd.read_csv(path)
    cols = [target, *known, *features]
    tc = time_column or f.columns[0]

    def one(g):
        g = g.set_index(pd.DatetimeIndex(g[tc]))[cols].astype(float)
        g.index.name = "time"
        h = pd.infer_freq(g.index)
        return g.asfreq(h) if h else g

    fr = {"": one(f)} if not series_column else {n: one(g) for n, g in f.groupby(series_column)}
    return Table(fr, target, list(known), list(features), f"{len(f)} rows", [])
