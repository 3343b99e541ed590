"""How good are the forecasting lessons on their test parts, as a mean over seeds?

python benchmarks/scores.py                  # seeds 0 to 4, several minutes
python benchmarks/scores.py --seeds 0,1
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
    return {
        "MAE": network["mae"],
        "RMSE": network["rmse"],
        "RMSE / optimal": network["ratio_to_optimal"],
        "RMSE / persistence": network["rmse"] / test["persistence"]["rmse"],
        "MAE / persistence": network["mae"] / test["persistence"]["mae"],
        "MAE / linear": network["mae"] / test["linear"]["mae"],
        "coverage of 90 %": scores["coverage"]["0.9"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", default="0,1,2,3,4")
    seeds = [int(seed) for seed in parser.parse_args().seeds.split(",")]
    for command in COMMANDS:
        table = pd.DataFrame([score(command, seed) for seed in seeds], index=seeds).T
        table = table.astype(float).dropna()
        table.insert(0, "mean", table.mean(axis=1))
        print(f"python {' '.join(command)}", table.round(4), "", sep="\n", flush=True)


if __name__ == "__main__":
    main()
