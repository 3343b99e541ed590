"""How good is forecast.py, beside what a practitioner would pick instead?

python benchmarks/forecast.py                      # seeds 1 to 3, public data sets too: an hour
python benchmarks/forecast.py --seeds 1 --only passengers,load
pip install -r requirements-bench.txt              # adds AutoETS and AutoTheta, if you like

Every line is scored on the same origins of the test part. Nothing was chosen by seeds 1 to 3.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from utils.series import synthetic  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

WEATHER = ["--csv", "data/weather_greensboro.csv", "--column", "temperature", "--horizon", "48"]
PUBLIC = {
    "m4_hourly": ["--dataset", "m4_hourly", "--quantiles", "0.025,0.05,0.5,0.95,0.975"],
    "etth1 96": ["--dataset", "etth1", "--horizon", "96"],
    "etth1 336": ["--dataset", "etth1", "--horizon", "336"],
    "greensboro": WEATHER,
    "shops": [],
}
SERIES = {  # generator and horizon
    "closed days": (synthetic.shops_with_closed_days, 28),
    "passengers": (synthetic.monthly_passengers, 12),
    "load": (synthetic.quarter_hourly_load, 96),
    "level shift": (synthetic.level_shift, 168),
    "hits": (synthetic.hourly_hits, 24),
    "spare parts": (synthetic.spare_parts, 28),
    "outlier": (lambda seed: synthetic.with_outlier(synthetic.level_shift(seed)), 24),
    "gaps": (lambda seed: synthetic.with_gaps(synthetic.level_shift(seed), seed, code=-9999), 24),
}
SEASONS = {"passengers": 12, "load": 96, "spare parts": 7}


def run(flags, seed, folder):
    """Run the script; return its scores, and its table of forecasts by origin and step."""
    command = [sys.executable, "forecast.py", *flags, "--seed", str(seed), "--output-dir", folder]
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(Path(folder, "scores.json").read_text(encoding="utf-8"))


def line(scores):
    """Return what is worth printing of a run."""
    ours, best = scores["test"][scores["layer"]], scores["best_baseline"]
    found = {
        "MAE": ours["mae"],
        f"MAE of {best}": scores["test"][best]["mae"],
        "MAE / best baseline": ours["mae"] / scores["test"][best]["mae"],
        "seconds": scores["seconds"]["total"],
    }
    if "optimal" in scores["test"]:
        found["RMSE / optimal"] = ours["rmse"] / scores["test"]["optimal"]["rmse"]
    for level, coverage in scores["coverage"].items():
        found[f"{float(level):.0%} held"] = coverage["all"]
        found[f"{float(level):.0%} at the worst step"] = min(coverage["by_step"])
        found[f"{float(level):.0%} scaled interval score"] = scores["interval_score"][level][
            "scaled"
        ]
    return found | scores.get("published_measures", {})


def simulate(name, seed, folder):
    """Write the series of a generator; return the flags and, of a single series, the series."""
    generator, horizon = SERIES[name]
    series, path = generator(seed), Path(folder, "series.csv")
    flags = ["--csv", str(path), "--horizon", str(horizon), "--missing", "-9999"]
    if isinstance(series, dict):
        pd.concat(series, names=["shop"]).to_csv(path)
        return [*flags, "--column", "sales", "--series-column", "shop",
                "--known", "promotion,holiday"], None  # fmt: skip
    series.rename("y").to_csv(path)
    return [*flags, "--column", "y"], series


def classics(name, series, horizon, origins=12):
    """Return MAE and seconds of statsforecast's models, from evenly taken origins."""
    try:
        from statsforecast import models
    except ImportError:
        return {}
    values = series.replace(-9999, np.nan).interpolate().to_numpy(float)
    season, first = SEASONS.get(name, 24), len(values) - max(round(0.15 * len(values)), horizon)
    starts = np.unique(np.linspace(first, len(values) - horizon, origins).astype(int))
    found = {}
    for model in (models.AutoETS(season_length=season), models.AutoTheta(season_length=season)):
        begin, errors = time.perf_counter(), []
        for start in starts:
            ahead = model.forecast(values[max(0, start - 20 * season) : start], horizon)["mean"]
            errors.append(np.abs(values[start : start + horizon] - ahead).mean())
        found[f"MAE of {type(model).__name__}, {len(starts)} origins"] = np.mean(errors)
        found[f"seconds of {type(model).__name__}"] = time.perf_counter() - begin
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--only", default=",".join([*PUBLIC, *SERIES]), metavar="A,B,...")
    args = parser.parse_args()
    for name in args.only.split(","):
        lines = {}
        for seed in map(int, args.seeds.split(",")):
            with tempfile.TemporaryDirectory() as folder:
                flags, series = PUBLIC.get(name), None
                if flags is None:
                    flags, series = simulate(name, seed, folder)
                lines[seed] = line(run(flags, seed, folder))
                if series is not None:
                    lines[seed] |= classics(name, series, SERIES[name][1])
        table = pd.DataFrame(lines)
        table.insert(0, "mean", table.mean(axis=1))
        table.insert(1, "sd", table.iloc[:, 1:].std(axis=1))
        print(name, table.round(4).to_string(), "", sep="\n", flush=True)


if __name__ == "__main__":
    main()
