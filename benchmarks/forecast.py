"""How good is forecast.py, beside what a practitioner would pick instead?

python benchmarks/forecast.py                      # three seeds, public data sets too: hours
python benchmarks/forecast.py --seeds 101 --only passengers,load
python benchmarks/forecast.py --fed-back figures/fed_back.png    # why nothing is fed back
pip install -r requirements-bench.txt              # adds AutoETS, AutoTheta, MSTL, GRU and NHITS

Nothing was chosen by seeds 101 to 103; that linear heads read a window's level was chosen with
Greensboro's test part in sight. A public data set that can't be downloaded is left out.
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

from utils import plotting  # noqa: E402
from utils.series import synthetic  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

WEATHER = ["--csv", "data/weather_greensboro.csv", "--column", "temperature"]
FIXED = {
    "m4_hourly": ["--dataset", "m4_hourly", "--quantiles", "0.025,0.05,0.5,0.95,0.975"],
    "m4_weekly": ["--dataset", "m4_weekly"],
    "etth1 96": ["--dataset", "etth1", "--horizon", "96"],
    "etth1 336": ["--dataset", "etth1", "--horizon", "336"],
    "greensboro": [*WEATHER, "--horizon", "48"],
    "shops": [],
}
SIMULATED = {  # generator, horizon, season
    "closed days": (synthetic.shops_with_closed_days, 28, 7),
    "passengers": (synthetic.monthly_passengers, 12, 12),
    "load": (synthetic.quarter_hourly_load, 96, 96),
    "level shift": (synthetic.level_shift, 168, 24),
    "hits": (synthetic.hourly_hits, 24, 24),
    "spare parts": (synthetic.spare_parts, 28, 7),
    "outlier": (lambda seed: synthetic.with_outlier(synthetic.level_shift(seed)), 24, 24),
    "gaps": (lambda seed: synthetic.with_gaps(synthetic.level_shift(seed), seed, code=-9999),
             24, 24),
}  # fmt: skip
ORIGINS = 12  # from which the classical models, which are fitted anew at each, forecast


def run(script, flags, seed, folder):
    """Run a script; return its scores and its seconds, or None if it says that it can't."""
    command = [sys.executable, script, *flags, "--seed", str(seed), "--output-dir", folder]
    environment, begin = {**os.environ, "MPLBACKEND": "Agg"}, time.perf_counter()
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1], flush=True)
        return None
    scores = json.loads(Path(folder, "scores.json").read_text(encoding="utf-8"))
    return scores, time.perf_counter() - begin


def line(scores, seconds):
    """Return what is worth printing of a run."""
    test, best = scores["test"], scores["best_baseline"]
    ours = test[scores["layer"]]
    found = {f"MAE of {name}": of["mae"] for name, of in test.items()}
    found["MAE / best baseline"] = ours["mae"] / test[best]["mae"]
    if "optimal" in test:
        found["RMSE / optimal"] = ours["rmse"] / test["optimal"]["rmse"]
    for level, coverage in scores["coverage"].items():
        title = f"{float(level):.0%}"
        found[f"{title} held"] = coverage["all"]
        found[f"{title} held, least of all steps"] = min(coverage["by_step"])
        found[f"{title} held, most of all steps"] = max(coverage["by_step"])
        found[f"{title}, scaled interval score"] = scores["interval_score"][level]["scaled"]
    return found | scores.get("published_measures", {}) | {"seconds": seconds}


def simulate(name, seed, folder):
    """Write the series of a generator as a CSV; return its flags."""
    generator, horizon, _ = SIMULATED[name]
    series, path = generator(seed), Path(folder, "simulated.csv")
    flags = ["--csv", str(path), "--horizon", str(horizon), "--missing=-9999", "--boosting"]
    if isinstance(series, dict):
        pd.concat(series, names=["shop"]).to_csv(path)
        of_shops = ["--series-column", "shop", "--known", "promotion,holiday"]
        return [*flags, "--column", "sales", *of_shops]
    series.rename("y").to_csv(path)
    return [*flags, "--column", "y"]


def read(folder):
    """Return the simulated series as columns shop, time, y and what is known, without gaps."""
    table = pd.read_csv(Path(folder, "simulated.csv"), parse_dates=["time"])
    table = table.rename(columns={"sales": "y"}).dropna(subset="y")
    table = table if "shop" in table else table.assign(shop="all")
    table["y"] = table["y"].replace(-9999, np.nan).groupby(table["shop"]).ffill()
    return table


def classics(folder, layer, season):
    """Return MAE and seconds of statsforecast's models, and our MAE from the same origins."""
    try:
        from statsforecast import models
    except ImportError:
        return {}
    table = pd.read_csv(Path(folder, "backtest.csv"), parse_dates=["origin"])
    series = read(folder).set_index("time")["y"]
    origins = table["origin"].unique()
    origins = origins[np.linspace(0, len(origins) - 1, min(ORIGINS, len(origins))).astype(int)]
    table = table[table["origin"].isin(origins)]
    actual = table["actual"].to_numpy().reshape(len(origins), -1)
    ours = np.nanmean(np.abs(table["actual"] - table[layer]))
    found = {f"MAE of {layer}, {len(origins)} origins": ours}
    for kind in (models.AutoETS, models.AutoTheta, models.MSTL):
        begin, errors, name = time.perf_counter(), [], kind.__name__
        for origin, values in zip(origins, actual, strict=True):
            past = series[:origin].to_numpy()[-20 * season :]
            ahead = kind(season_length=season).forecast(past, len(values))["mean"]
            errors.append(np.nanmean(np.abs(values - ahead)))
        found[f"MAE of {name}, {len(origins)} origins"] = np.mean(errors)
        found[f"seconds of {name}"] = time.perf_counter() - begin
    return found


def neural(folder, scores, seed):
    """Return MAE and seconds of neuralforecast's networks, trained once, and ours from there on."""
    try:
        from neuralforecast import NeuralForecast, models
    except ImportError:
        return {}
    keys = ["shop", "time", "origin"]
    ours = pd.read_csv(Path(folder, "backtest.csv"), parse_dates=["time", "origin"])
    ours = ours.rename(columns={"series": "shop"}).set_index(keys)[["actual", scores["layer"]]]
    table, horizon, found = read(folder), scores["horizon"], {}
    dates = table.loc[table["shop"] == table["shop"].iloc[0], "time"]
    held_back = int((dates > ours.index.get_level_values("origin").min()).sum())
    known = sorted({*table} - {"shop", "time", "y"})
    quiet = dict.fromkeys(["logger", "enable_progress_bar", "enable_checkpointing"], False)
    quiet |= {"enable_model_summary": False, "accelerator": "cpu", "random_seed": seed}
    for kind, window in ((models.GRU, {}), (models.NHITS, {"input_size": scores["input_steps"]})):
        begin, name = time.perf_counter(), kind.__name__
        network = kind(h=horizon, futr_exog_list=known or None, **window, **quiet)
        of_all = NeuralForecast([network], freq=pd.infer_freq(dates)).cross_validation(
            table, n_windows=None, test_size=held_back, id_col="shop", time_col="time",
            target_col="y",
        )  # fmt: skip
        theirs = of_all.rename(columns={"cutoff": "origin"}).set_index(keys)[name]
        both = ours.join(theirs, how="inner")
        errors = both.drop(columns="actual").sub(both["actual"], axis=0).abs().mean()
        found |= {f"MAE of {name}": errors[name], f"MAE beside {name}": errors[scores["layer"]]}
        found[f"seconds of {name}"] = time.perf_counter() - begin
    return found


def seconds_of_import():
    """Return how long `import tensorflow` takes."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import tensorflow"], check=True, capture_output=True)
    return time.perf_counter() - begin


def measure(name, seed):
    """Return what one run of a row of the table found, or None."""
    with tempfile.TemporaryDirectory() as folder:
        flags = FIXED[name] if name in FIXED else simulate(name, seed, folder)
        done = run("forecast.py", flags, seed, folder)
        if done is None:
            return None
        found = line(*done)
        if name == "shops":
            found["seconds / import tensorflow"] = done[1] / seconds_of_import()
        if name in SIMULATED:
            found |= neural(folder, done[0], seed)
            if done[0]["series"] == 1:
                found |= classics(folder, done[0]["layer"], SIMULATED[name][2])
    return found


def draw_fed_back(path):
    """Draw the error by steps ahead of a network that is fed back, and of many steps at once."""
    with tempfile.TemporaryDirectory() as folder:
        one, _ = run("GRU.py", [*WEATHER, "--forecast", "48"], 1, folder)
        many, _ = run("forecast.py", FIXED["greensboro"], 1, folder)
    figure, axes = plotting.new_figure("A", size=(7, 3.5))
    steps = [int(step) for step in one["by_steps"]]
    fed_back = [of["GRU"]["mae"] for of in one["by_steps"].values()]
    axes["A"].plot(steps, fed_back, "o-", color=plotting.ORANGE, label="GRU.py, fed back")
    curves = {
        "persistence": ("the last value", plotting.GREY),
        "seasonal_naive": ("the last day", plotting.PURPLE),
        "gru": ("forecast.py, all steps at once", plotting.BLUE),
    }
    for name, (label, colour) in curves.items():
        errors = many["test"][name]["by_step"]
        axes["A"].plot(np.arange(1, len(errors) + 1), errors, color=colour, label=label)
    axes["A"].set(xlabel="hours ahead", ylabel="MAE, °C", ylim=(0, None))
    axes["A"].legend(loc="upper left", bbox_to_anchor=(1, 1))
    plotting.save(figure, path)
    at_once = [many["test"]["gru"]["by_step"][step - 1] for step in steps]
    table = pd.DataFrame({"fed back": fed_back, "at once": at_once}, pd.Index(steps, name="steps"))
    print(table.round(3).to_string())


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", default="101,102,103")
    parser.add_argument("--only", default=",".join([*FIXED, *SIMULATED]), metavar="A,B,...")
    parser.add_argument("--fed-back", metavar="PNG", help="draw that picture, and nothing else")
    args = parser.parse_args()
    if args.fed_back:
        draw_fed_back(args.fed_back)
        return
    for name in args.only.split(","):
        lines = {seed: measure(name, seed) for seed in map(int, args.seeds.split(","))}
        table = pd.DataFrame({seed: found for seed, found in lines.items() if found})
        if len(table):
            table.insert(0, "mean", table.mean(axis=1))
            table.insert(1, "sd", table.iloc[:, 1:].std(axis=1))
            print(name, table.round(4).to_string(), "", sep="\n", flush=True)


if __name__ == "__main__":
    main()
