"""How good are the forecasting lessons on their test parts, as a mean over seeds?

    python benchmarks/scores.py                  # seeds 100 to 104, a quarter of an hour
    python benchmarks/scores.py GRU LSTM --seeds 100,101

Nothing was chosen by these seeds: settings were chosen on the validation parts of seeds 0 to 20.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

REPOSITORY = Path(__file__).parents[1]
WEATHER = ["--csv", "data/weather_greensboro.csv", "--column", "temperature"]
OTHERS = ["--features", "humidity,pressure,dew_point,wind_speed"]
COMMANDS = [
    ["SimpleRNN.py"],
    ["SimpleRNN.py", "--jumps", "0.02"],
    ["GRU.py"],
    ["GRU.py", *WEATHER],
    ["GRU.py", *WEATHER, *OTHERS],
    ["LSTM.py"],
    ["LSTM.py", "--csv", "data/stock_goog.csv", "--column", "close"],
]


def score(command, seed):
    """Run a lesson and return what its scores say about the test part."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, *command, "--seed", str(seed), "--output-dir", folder]
        environment = {**os.environ, "MPLBACKEND": "Agg"}
        subprocess.run(
            words, cwd=REPOSITORY, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        scores = json.loads(Path(folder, "scores.json").read_text(encoding="utf-8"))
    network, test = scores["test"][scores["network"]], scores["test"]
    held = [line["coverage"] for line in scores["by_steps"].values()]
    return {
        "MAE": network["mae"],
        "MAE / linear": network["mae"] / test["linear"]["mae"],
        "MAE / persistence": network["mae"] / test["persistence"]["mae"],
        "RMSE": network["rmse"],
        "RMSE / linear": network["rmse"] / test["linear"]["rmse"],
        "RMSE / persistence": network["rmse"] / test["persistence"]["rmse"],
        "RMSE / optimal": network["ratio_to_optimal"],
        "90 % held, 1 step": scores["coverage"]["0.9"],
        "90 % held, least of all steps": min(held),
        "90 % held, most of all steps": max(held),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lessons", nargs="*", default=["SimpleRNN", "GRU", "LSTM"])
    parser.add_argument("--seeds", default="100,101,102,103,104")
    args = parser.parse_args()
    seeds = [int(seed) for seed in args.seeds.split(",")]
    for command in (line for line in COMMANDS if line[0].removesuffix(".py") in args.lessons):
        table = pd.DataFrame([score(command, seed) for seed in seeds], index=seeds).T
        table = table.astype(float).dropna()
        summary = {"mean": table.mean(axis=1), "sd": table.std(axis=1)}
        table = pd.concat([pd.DataFrame(summary), table], axis=1)
        print(f"python {' '.join(command)}", table.round(4).to_string(), "", sep="\n", flush=True)


if __name__ == "__main__":
    main()
