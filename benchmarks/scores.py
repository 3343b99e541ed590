"""How good are the forecasting lessons on their test parts, as a mean over seeds?

    python benchmarks/scores.py                  # seeds 100 to 104, a quarter of an hour
    python benchmarks/scores.py GRU LSTM --seeds 100,101

Nothing was chosen by these seeds: settings were chosen on the validation parts of seeds 0 to 20.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import runs
from utils.series.backtest import shown_steps

import pandas as pd

OTHERS = ["--features", "humidity,pressure,dew_point,wind_speed"]
LESSONS = ("SimpleRNN", "GRU", "LSTM")
COMMANDS = [
    ["SimpleRNN.py"],
    ["SimpleRNN.py", "--jumps", "0.02"],
    ["GRU.py"],
    ["GRU.py", *runs.WEATHER],
    ["GRU.py", *runs.WEATHER, *OTHERS],
    ["LSTM.py"],
    ["LSTM.py", "--csv", "data/stock_goog.csv", "--column", "close"],
]
SEEDS = (100, 101, 102, 103, 104)


def of_test(scores: dict) -> dict[str, float]:
    """Return what a lesson's scores.json says of one step ahead, and of the 90 % interval."""
    test, network = scores["test"], scores["network"]
    mae, rmse = (
        {name: line["by_step"][kind][0] for name, line in test.items()} for kind in ("mae", "rmse")
    )
    by_step = scores["coverage"]["0.9"]["by_step"]
    held = [by_step[step - 1] for step in shown_steps(scores["horizon"])]
    held = [share for share in held if share is not None]
    found = {"MAE": mae[network]}
    for name in ("linear", "persistence"):
        found[f"MAE / {name}"] = mae[network] / mae[name]
    found["RMSE"] = rmse[network]
    if "optimal" in test:
        found["RMSE / optimal"] = rmse[network] / rmse["optimal"]
    found["90 % held, 1 step"] = held[0]
    found["90 % held, least of the steps shown"] = min(held)
    found["90 % held, most of the steps shown"] = max(held)
    return found


def over_seeds(command: list[str], seeds: list[int]) -> pd.DataFrame:
    """Run a lesson with several seeds; return mean, deviation and each seed's scores, as rows."""
    with tempfile.TemporaryDirectory() as folder:
        table = pd.DataFrame(
            {seed: of_test(runs.scores(folder, *command, "--seed", seed)) for seed in seeds}
        )
    return pd.DataFrame({"mean": table.mean(axis=1), "sd": table.std(axis=1)}).join(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help=", ".join(LESSONS))
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    args = parser.parse_args()
    if unknown := {*args.lessons} - {*LESSONS}:
        parser.error(f"{', '.join(unknown)}: there are {', '.join(LESSONS)}")
    seeds = [int(seed) for seed in args.seeds.split(",")]
    for command in COMMANDS:
        if command[0].removesuffix(".py") in (args.lessons or LESSONS):
            table = over_seeds(command, seeds).round(4).to_string()
            print(f"python {' '.join(command)}", table, "", sep="\n", flush=True)


if __name__ == "__main__":
    main()
