"""How good is forecast.py, beside what a practitioner would pick instead?

python benchmarks/forecast.py m4_hourly --output-dir outputs/m4_hourly    # a public data set
python benchmarks/forecast.py                      # three seeds of all simulated series: an hour
python benchmarks/forecast.py --seeds 101 --only passengers,load
python benchmarks/forecast.py --fed-back figures/fed_back.png    # why nothing is fed back
pip install -r requirements-bench.txt              # adds AutoETS, AutoTheta, MSTL, GRU and NHITS

Nothing was chosen by seeds 101 to 103, but that linear heads read a window's level: that was chosen
with Greensboro's test part in sight.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import forecast
from benchmarks import datasets, generators, runs
from utils import cli, plotting
from utils.files import output_folder, write_json
from utils.series import pretrained
from utils.series.blend import blended, points, to_trust
from utils.series.panel import Panel, typical_change

import numpy as np
import pandas as pd

FIXED = {"greensboro": [*runs.WEATHER, "--horizon", "48"], "shops": []}
SIMULATED = {  # generator, horizon, season
    "closed days": (generators.shops_with_closed_days, 28, 7),
    "passengers": (generators.monthly_passengers, 12, 12),
    "load": (generators.quarter_hourly_load, 96, 96),
    "level shift": (generators.level_shift, 168, 24),
    "hits": (generators.hourly_hits, 24, 24),
    "spare parts": (generators.spare_parts, 28, 7),
    "outlier": (generators.with_outlier, 24, 24),
    "gaps": (generators.with_gaps, 24, 24),
}
ORIGINS = 12  # from which the classical models, which are fitted anew at each, forecast


# ------------------------------------------------------------------ public data sets


def score_dataset(name, horizon, seed, train, folder):
    """Forecast a public data set, print its published measures and write scores.json."""
    begin, folder = time.perf_counter(), output_folder(folder)
    args = forecast.parse_args(["--seed", str(seed)] + ["--train"] * train)
    data = datasets.load(name, horizon)
    longest = max(len(frame) for frame in data.frames.values())
    panel = Panel(
        data.frames, pretrained.window(longest, data.horizon), data.horizon, season=data.season,
        calendar_names=[], held_back=data.held_back, short_windows=True,
    )  # fmt: skip
    network = forecast.at_once(panel, True, args)
    parts, _, _, fit = forecast.compete(panel, network, args)
    windows = pretrained.scored_windows(panel)
    trusted = to_trust(parts, panel, windows)
    blend = blended(parts, panel, trusted, network.quantiles[-1], windows)
    origins = panel.origins("test", panel.horizon)
    actual, before = panel.targets(origins), zip(panel.start, panel.borders[:, 1], strict=True)
    scale = np.array([typical_change(panel.values[a:b, 0], data.mase_season) for a, b in before])
    scales, measures = scale[panel.series_of(origins)], {}
    for rival, forecaster in (parts | {"blend": blend}).items():
        ahead = points(forecaster(panel, origins))
        measures[rival] = datasets.published_measures(name, actual, ahead, scales)
    print(f"{name}, {len(origins):,} origins of the test part, {panel.horizon} steps from each:")
    print(pd.DataFrame(measures).T.round(4).to_string())
    print(f"blend: {blend}")
    scores = {
        "script": "benchmarks/forecast.py", "data": name, "seed": seed, "horizon": panel.horizon,
        "series": len(panel.names), "input_steps": panel.input_steps, "written": "blend",
        "published_measures": measures["blend"], "measures": measures,
        "seconds": {"fit": fit.seconds if fit else 0.0, "total": time.perf_counter() - begin},
    }  # fmt: skip
    write_json(scores, folder / "scores.json")


# ------------------------------------------------------------------ simulated series, Greensboro


def simulate(name, seed, folder):
    """Write the series of a generator as a CSV; return its flags."""
    generator, horizon, _ = SIMULATED[name]
    series, path = generator(seed), Path(folder, "simulated.csv")
    flags = ["--csv", path, "--horizon", horizon, "--missing=-9999"]
    if isinstance(series, dict):
        pd.concat(series, names=["shop"]).to_csv(path)
        of_shops = ["--series-column", "shop", "--known", "promotion,holiday"]
        return [*flags, "--column", "sales", *of_shops]
    series.rename("y").to_csv(path)
    return [*flags, "--column", "y"]


def measure(name, seed):
    """Return what one run of a row of the table found."""
    with tempfile.TemporaryDirectory() as folder:
        flags = FIXED[name] if name in FIXED else simulate(name, seed, folder)
        scores = runs.scores(folder, "forecast.py", *flags, "--seed", seed)
        test, written = scores["test"], scores["written"]
        best, ours = test[scores["best_baseline"]], test[written]
        found = {f"MAE of {n}": line["mae"] for n, line in test.items() if n != written}
        found |= {"MAE of forecast.py": ours["mae"], "over the best": ours["mae"] / best["mae"]}
        if "optimal" in test:
            found["RMSE over optimal"] = ours["rmse"] / test["optimal"]["rmse"]
        held = scores["coverage"]["0.9"]
        found["90 % held"] = held["all"]
        found["90 % held, least of all steps"] = min(held["by_step"])
        found["90 % held, most of all steps"] = max(held["by_step"])
        found["seconds"] = scores["seconds"]["total"]
        if name in SIMULATED:
            backtest = pd.read_csv(
                Path(folder, "backtest.csv"), parse_dates=["time", "origin"], dtype={"series": str}
            ).rename(columns={written: "ours", "series": "shop"})
            found |= neural(read(folder), backtest, scores, seed)
            if scores["series"] == 1:
                found |= classics(read(folder), backtest, SIMULATED[name][2])
    return found


def read(folder):
    """Return the simulated series as columns shop, time, y and what is known, without gaps."""
    table = pd.read_csv(Path(folder, "simulated.csv"), parse_dates=["time"])
    table = table.rename(columns={"sales": "y"}).dropna(subset="y")
    table = table if "shop" in table else table.assign(shop="")
    table["y"] = table["y"].replace(-9999, np.nan).groupby(table["shop"]).ffill()
    return table


def classics(table, backtest, season):
    """Return MAE and seconds of statsforecast's models, and our MAE from the same origins."""
    try:
        from statsforecast import models
    except ImportError:
        return {}
    series, horizon = table.set_index("time")["y"], backtest["step"].max()
    whole = backtest.loc[backtest["step"] == horizon, "origin"].unique()
    origins = whole[np.linspace(0, len(whole) - 1, min(ORIGINS, len(whole))).astype(int)]
    backtest = backtest[backtest["origin"].isin(origins)]
    ours = (backtest["actual"] - backtest["ours"]).abs().mean()
    found = {f"MAE of forecast.py, {len(origins)} origins": ours}
    actual = backtest.pivot(index="origin", columns="step", values="actual")
    for kind in (models.AutoETS, models.AutoTheta, models.MSTL):
        begin, errors, name = time.perf_counter(), [], kind.__name__
        for origin, values in actual.iterrows():
            past = series[:origin].to_numpy()[-20 * season :]
            ahead = kind(season_length=season).forecast(past, horizon)["mean"]
            errors.append(np.abs(values - ahead[values.index - 1]))
        found[f"MAE of {name}, {len(origins)} origins"] = pd.concat(errors).mean()
        found[f"seconds of {name}"] = time.perf_counter() - begin
    return found


def neural(table, backtest, scores, seed):
    """Return MAE and seconds of neuralforecast's networks, trained once, and ours from there on."""
    try:
        from neuralforecast import NeuralForecast, models
    except ImportError:
        return {}
    keys, found = ["shop", "time", "origin"], {}
    ours = backtest.fillna({"shop": ""}).set_index(keys)[["actual", "ours"]]
    dates = table.loc[table["shop"] == table["shop"].iloc[0], "time"]
    held_back = int((dates > ours.index.get_level_values("origin").min()).sum())
    known = sorted({*table} - {"shop", "time", "y"})
    quiet = dict.fromkeys(["logger", "enable_progress_bar", "enable_checkpointing"], False)
    quiet |= {"enable_model_summary": False, "accelerator": "cpu", "random_seed": seed}
    for kind, window in ((models.GRU, {}), (models.NHITS, {"input_size": scores["input_steps"]})):
        begin, name = time.perf_counter(), kind.__name__
        network = kind(h=scores["horizon"], futr_exog_list=known or None, **window, **quiet)
        of_all = NeuralForecast([network], freq=pd.infer_freq(dates)).cross_validation(
            table, n_windows=None, test_size=held_back, id_col="shop", time_col="time",
            target_col="y",
        )  # fmt: skip
        theirs = of_all.rename(columns={"cutoff": "origin"}).set_index(keys)[name]
        both = ours.join(theirs, how="inner")
        errors = both.drop(columns="actual").sub(both["actual"], axis=0).abs().mean()
        found |= {
            f"MAE of neuralforecast's {name}": errors[name],
            f"MAE beside {name}": errors["ours"],
        }
        found[f"seconds of {name}"] = time.perf_counter() - begin
    return found


# ------------------------------------------------------------------ why nothing is fed back


def draw_fed_back(path, seed=1):
    """Draw the error by steps ahead of a network that is fed back, and of all steps at once.

    Returns:
        both by step, a table.
    """
    with tempfile.TemporaryDirectory() as folder:
        flags = [*runs.WEATHER, "--seed", seed]
        one = runs.scores(folder, "GRU.py", *flags, "--forecast", 48)["test"]["GRU"]
        many = runs.scores(folder, "forecast.py", *flags, "--horizon", 48)
    curves = {
        "GRU.py, fed back": (one, plotting.ORANGE),
        "the last value": (many["test"]["persistence"], plotting.GREY),
        "the last day": (many["test"]["seasonal_naive"], plotting.PURPLE),
        "forecast.py, all steps at once": (many["test"][many["written"]], plotting.BLUE),
    }
    errors = {label: line["by_step"]["mae"] for label, (line, _) in curves.items()}
    table = pd.DataFrame(errors, pd.RangeIndex(1, 49, name="steps"))
    figure, axes = plotting.plt.subplot_mosaic("A", figsize=(7, 3.5))
    for label, (_, colour) in curves.items():
        axes["A"].plot(table[label], color=colour, label=label)
    axes["A"].set(xlabel="hours ahead", ylabel="MAE, °C", ylim=(0, None))
    axes["A"].legend(loc="upper left", bbox_to_anchor=(1, 1))
    plotting.save(figure, path)
    return table


def main():
    parser = cli.Parser(prog="benchmarks/forecast.py", description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", nargs="?", choices=list(datasets.FILES),
                        help="public, to train on and to score as papers do")  # fmt: skip
    public = parser.add_argument_group("with a data set")
    public.add_argument("--horizon", type=cli.whole_number(1), metavar="STEPS", help="of ETT: 96")
    public.add_argument("--train", action="store_true", help="learn on from its train part")
    public.add_argument("--seed", type=cli.whole_number(0, 2**32 - 1), default=0)
    public.add_argument("--output-dir", metavar="FOLDER", help="for scores.json")
    others = parser.add_argument_group("without")
    others.add_argument("--seeds", type=cli.whole_numbers, default="101,102,103")
    others.add_argument("--only", type=cli.names, default=[*FIXED, *SIMULATED], metavar="A,B")
    others.add_argument("--fed-back", metavar="PNG", help="draw that picture, and nothing else")
    args = parser.parse_args()
    if unknown := {*args.only} - {*FIXED, *SIMULATED}:
        parser.error(f"--only {','.join(unknown)}: there are {', '.join([*FIXED, *SIMULATED])}")
    useless = ("--seeds", "--only", "--fed-back")
    if not args.dataset:
        useless = ("--horizon", "--train", "--seed", "--output-dir")
    if wrong := cli.given(None) & {*useless}:
        parser.error(f"{wrong.pop()}: {'not' if args.dataset else 'only'} with a data set")
    if args.dataset:
        folder = args.output_dir or f"outputs/benchmarks/{args.dataset}"
        return score_dataset(args.dataset, args.horizon, args.seed, args.train, folder)
    if args.fed_back:
        return print(draw_fed_back(args.fed_back).loc[[1, 2, 3, 6, 12, 24, 48]].round(3))
    for name in args.only:
        table = pd.DataFrame({seed: measure(name, seed) for seed in args.seeds})
        summary = pd.DataFrame({"mean": table.mean(axis=1), "sd": table.std(axis=1)})
        print(name, summary.join(table).round(4).to_string(), "", sep="\n", flush=True)


if __name__ == "__main__":
    cli.run(main, "benchmarks/forecast.py")
