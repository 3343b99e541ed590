"""Values that look odd: codes for missing values, outliers, a sensor that hangs."""

from collections.abc import Sequence

import numpy as np

CODES = [-1, -9, -99, -999, -9999, -99999, 99, 999, 9999, 99999]  # that stand for missing values
EQUAL = 20  # rows in a row with one value are many, where that is rare
FAR = 50  # times the usual distance from the median


def odd_values(name: str, values: Sequence[float]) -> list[tuple[str, np.ndarray]]:
    """Look for odd values of a column; what is only unusual is left alone.

    Args:
        name: of the column.
        values: (time,), NaN where missing.

    Returns:
        (remark, rows) pairs; the remark has "{}" for the place of the rows.
    """
    values = np.asarray(values, float)
    finite = np.isfinite(values)
    if finite.sum() < EQUAL:
        return []
    found = []
    for code in CODES:
        at = values == code
        if at.any() and _outside(code, values[finite & ~at]):
            finite &= ~at
            remark = f"{name!r} is {code} in {{}}: if it means missing, --missing {code}"
            found.append((remark, np.flatnonzero(at)))
    return found + _outliers(name, values, finite) + _stretches(name, values)


def _outside(code, rest):
    """Whether a code lies farther from the values than they lie apart."""
    if len(rest) < EQUAL / 2:
        return False
    low, high = rest.min(), rest.max()
    return max(low - code, code - high) > high - low > 0


def _outliers(name, values, finite):
    """A few values that are far away from the rest, and alone there."""
    if finite.sum() < EQUAL:
        return []
    distance = np.where(finite, np.abs(values - np.median(values[finite])), 0)
    moved = distance[distance > 0]
    if len(moved) < EQUAL / 2:
        return []
    far = distance > FAR * np.median(moved)
    if not 0 < far.sum() <= max(3, finite.sum() / 200):
        return []
    if distance[far].min() < 5 * distance[~far].max():
        return []
    rest = values[finite & ~far]
    shown = ", ".join(f"{value:g}" for value in values[far][:3])
    shown += ", ..." if far.sum() > 3 else ""
    remark = f"{name!r} is {shown} in {{}}, all else lies from {rest.min():g} to {rest.max():g}"
    return [(remark, np.flatnonzero(far))]


def _stretches(name, values):
    """Stretches of one value that are much longer than the others."""
    edges = np.flatnonzero(np.diff(values, prepend=np.nan, append=np.nan) != 0)
    lengths = np.diff(edges)
    order = np.argsort(lengths)[::-1][:6]
    if len(order) < 2:
        return []
    longest = lengths[order]
    jumps = (longest[:-1] >= EQUAL) & (longest[:-1] >= 5 * longest[1:])
    if not jumps.any():
        return []
    return [
        (
            f"{name!r} is {values[edges[i]]:g} in {{}}, one after the other",
            np.arange(edges[i], edges[i] + lengths[i]),
        )
        for i in sorted(order[: np.flatnonzero(jumps)[-1] + 1])
        if np.isfinite(values[edges[i]])
    ]
