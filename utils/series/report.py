"""Scores -> tables and plain sentences."""

from __future__ import annotations

from utils.series.evaluation import scored_steps

import numpy as np
import pandas as pd

SAME = 0.001  # share by which errors differ without a difference
FEW = 50  # windows: fewer tell large differences only


def table(scores: dict[str, dict]) -> str:
    """Return the scores as an aligned table, a row per forecast, a dash for what doesn't apply."""
    shown = pd.DataFrame(scores).T.astype(float)
    columns = {
        "mae": ("MAE", "{:.4g}"),
        "rmse": ("RMSE", "{:.4g}"),
        "mase": ("MASE", "{:.3f}"),
        "skill": ("skill", "{:+.1%}"),
        "ratio_to_optimal": ("x optimal", "{:.4f}"),
    }
    shown = pd.DataFrame(
        {
            title: [form.format(value) if np.isfinite(value) else "-" for value in shown[name]]
            for name, (title, form) in columns.items()
            if shown[name].notna().any()
        },
        index=[name.replace("_", " ") for name in shown.index],
    )
    return shown.to_string()


def table_by_steps(by_steps: dict[str, dict]) -> str:
    """Return the MAE by the number of steps ahead, and the coverage and width of the interval."""
    rows = {
        step: {
            **{
                name.replace("_", " "): f"{s['mae']:.4g}"
                for name, s in line.items()
                if name not in ("coverage", "width")
            },
            "90 % held": f"{line['coverage']:.0%}",
            "width": f"{line['width']:.4g}",
        }
        for step, line in by_steps.items()
    }
    shown = pd.DataFrame.from_dict(rows, orient="index")
    shown.index.name = "steps"
    return shown.to_string()


LEGEND = """MAE, mean absolute error: how far off on average, in the series' unit. It decides.
RMSE, root mean squared error: the same, but large errors weigh more.
MASE: MAE over that of persistence (the last value again) in the train part.
skill: how much less the MAE is than that of persistence here."""
OPTIMAL = "x optimal: RMSE over that of the best possible forecast from the same window."


def verdict(network: str, results: dict, windows: int) -> str:
    """Say in one sentence whether the network beats the best baseline, also when it lost.

    Args:
        network: its name.
        results: "test": of `scores`, "best_baseline", "p_value".
        windows: that were scored.
    """
    test, best, p_value = results["test"], results["best_baseline"], results["p_value"]
    ours, theirs = test[network]["mae"], test[best]["mae"]
    rival = f"the best baseline, {best.replace('_', ' ')}"
    errors = f"its mean absolute error is {ours:.4g} against {theirs:.4g}"
    share = (
        f", {abs(1 - ours / theirs):.1%} {'less' if ours < theirs else 'more'}" if theirs else ""
    )
    if theirs and abs(1 - ours / theirs) < SAME:
        return f"{network} is as good as {rival}: {errors}."
    if p_value >= 0.05:
        few = windows < FEW or (theirs and abs(1 - ours / theirs) > 0.1)
        reason = f"and {windows} windows are too few to tell" if few else "which chance could make"
        return (
            f"{network} can't be told apart from {rival}: {errors}{share}, {reason} "
            f"(p = {p_value:.2f})."
        )
    outcome = "beats" if ours < theirs else "loses to"
    return f"{network} {outcome} {rival}: {errors}{share} ({_p(p_value)})."


def verdict_by_steps(network: str, by_steps: dict[str, dict]) -> str:
    """Say up to how many steps ahead the network is better than the best baseline there."""
    ahead = behind = None
    for step, line in by_steps.items():
        errors = {name: scores["mae"] for name, scores in line.items() if isinstance(scores, dict)}
        ours = errors.pop(network)
        errors.pop("optimal", None)
        best = min(errors, key=errors.get)
        if ours > (1 + SAME) * errors[best]:
            behind = f"at {step} it has {ours:.4g}, {best.replace('_', ' ')} {errors[best]:.4g}"
            break
        ahead = step
    upto = (
        f"no worse than any baseline up to step {ahead}" if ahead else "behind from the first step"
    )
    if not behind:
        return f"Fed back, {network} is {upto}."
    return (
        f"Fed back, {network} is {upto}; {behind}. Beyond, take that baseline, or forecast.py, "
        "which learns many steps at once."
    )


def verdict_on_interval(by_steps: dict[str, dict]) -> str:
    """Say whether the 90 % interval held what it promises, step by step."""
    held = {int(step): line["coverage"] for step, line in by_steps.items()}
    low, high = min(held.values()), max(held.values())
    text = f"The 90 % interval held {low:.0%} to {high:.0%} of the test part, by step."
    if low < 0.8:
        worst = min(held, key=held.get)
        text += f" At {worst} steps it is too narrow: the test part is unlike what came before."
    elif high > 0.97:
        text += " Where it held more than it promises, it is wider than it need be."
    return text


def report(network: str, results: dict, windows: int) -> str:
    """Return the score tables, what they mean and what follows, as a lesson prints them."""
    test = {name: line for name, line in results["test"].items() if line}
    by_steps = results["by_steps"]
    return "\n".join(
        [
            "One step ahead on the test part:",
            table(test),
            LEGEND,
            *([OPTIMAL] if "optimal" in test else []),
            verdict(network, results, windows),
            "Mean absolute error by the number of steps ahead, forecasts being fed back:",
            table_by_steps(by_steps),
            verdict_by_steps(network, by_steps),
            verdict_on_interval(by_steps),
        ]
    )


def age(newest: object, behind: int, refit: bool) -> str:
    """Say how old the newest row is that trains the network whose forecast is written.

    Args:
        newest: its time.
        behind: how many rows before the end it is.
        refit: whether the network trains on all rows in the end.
    """
    if refit:
        return "Trains once more, on all rows, for as many epochs as were best in validation."
    return (
        f"The newest row that trained the network is {newest}, {behind:,} rows before the end; "
        "--refit trains on all."
    )


# ------------------------------------------------------------------ many steps at once


def report_at_once(results: dict, origins: int, short: list[str], networks: int) -> str:
    """Return the scores of forecast.py as a table by steps ahead, and what they say.

    Args:
        results: what scores.json holds.
        origins: how many were scored.
        short: names of the series that nothing could be learned from.
        networks: of whose forecasts this is the mean.
    """
    steps = scored_steps(results["horizon"])
    rows = {
        name.replace("_", " "): [scores[m] for m in ("mae", "rmse", "mase", "smape")]
        + [scores["by_step"][step - 1] for step in steps]
        for name, scores in results["test"].items()
    }
    titles = ["MAE", "RMSE", "MASE", "sMAPE %", *(f"at {step}" for step in steps)]
    lines = [
        f"{results['horizon']} steps ahead, from {origins:,} origins of the test part; "
        "MAE at so many steps:",
        pd.DataFrame(rows, titles).T.to_string(float_format=lambda value: f"{value:.4g}"),
        "MASE, which decides, is each series' MAE over that of a season ago in its train part.",
        verdict_at_once(results),
    ]
    for level, coverage in results["coverage"].items():
        by_step = [share for share in coverage["by_step"] if share is not None]
        lines.append(
            f"The {float(level):.0%} interval held {coverage['all']:.1%} of the test part; by step "
            f"{min(by_step):.1%} to {max(by_step):.1%}."
        )
    if short:
        shown = ", ".join(short[:3]) + (", ..." if len(short) > 3 else "")
        lines.append(
            f"{len(short)} of {results['series']} series are too short to learn from ({shown}): "
            "what the others taught forecasts them."
        )
    if "spread_of_networks" in results:
        lines.append(
            f"{networks} networks, forecast by their mean, lie "
            f"{results['spread_of_networks']:.3f} MASE apart."
        )
    if "published_measures" in results:
        values = results["published_measures"].items()
        lines.append("As papers count: " + ", ".join(f"{k.upper()} {v:.4f}" for k, v in values))
    return "\n".join(lines)


def verdict_at_once(results: dict) -> str:
    """Say in a sentence whether the network beats the best baseline, also when it lost.

    Args:
        results: what scores.json holds of forecast.py.
    """
    test, val, layer = results["test"], results["val"], results["layer"]
    best, p_value = results["best_baseline"], results["p_value"]
    ours, theirs = test[layer]["mase"], test[best]["mase"]
    rival = f"the best baseline, {best.replace('_', ' ')}"
    errors = f"MASE {ours:.3f} against {theirs:.3f} ({_p(p_value)})"
    if p_value >= 0.05:
        said = f"{layer} can't be told apart from {rival}: {errors}."
    else:
        said = f"{layer} {'beats' if ours < theirs else 'loses to'} {rival}: {errors}."
    judge = results["best_baseline_of_val"]
    if val[judge]["mase"] < val[layer]["mase"]:
        said += (
            f" On the validation part {judge.replace('_', ' ')} was better "
            f"({val[judge]['mase']:.3f} against {val[layer]['mase']:.3f}): there is no reason to "
            "prefer the network."
        )
    return said


def _p(p_value):
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
