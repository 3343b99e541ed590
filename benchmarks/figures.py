"""Measure, and renew the tables and pictures of README and docs, so that none is copied by hand.

    python benchmarks/figures.py                 # all that is measured on one machine: two hours
    python benchmarks/figures.py scores slots    # these blocks alone

A block stands between <!-- measured NAME --> and <!-- /measured --> in a page. Of a table, the two
heading lines that stand there stay, for they are in the page's own language; the rows are new. Take
times (runs, answers, minute, throughput) while nothing else runs. `queries` and `datasets` download
public data; TORCH_PYTHON names an interpreter that has PyTorch, for `throughput`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import from_scratch
from benchmarks import datasets, forecast, runs, scores, speed, throughput

import numpy as np
import pandas as pd

PAGES = ("*.md", "docs/**/*.md")
QUERIES = (
    ["--language", "zh", "--model", "gru", "--bidirectional"],
    ["--dataset", "atis"],
    ["--dataset", "snips"],
)
SEEDS = "0,1,2"  # of slot filling


def renew(text: str, name: str, block: str) -> str:
    """Return a page whose blocks of this name are new.

    Args:
        text: of the page.
        name: of the block.
        block: Markdown; of a table, two heading lines and the rows.
    """

    def renewed(found):
        old, new = found[2].splitlines(), block.splitlines()
        if len(old) > 1 and old[1].startswith("| ---") and old[1] == new[1]:
            new[:2] = old[:2]
        return "\n".join([found[1], *new, found[3]])

    pattern = rf"(<!-- measured {re.escape(name)} -->)\n(.*?)(<!-- /measured -->)"
    return re.sub(pattern, renewed, text, flags=re.DOTALL)


def markdown(table: pd.DataFrame) -> str:
    """Return a table of strings as Markdown, its index as the first column."""
    rows = [[table.index.name or "", *table], ["---"] * (1 + table.shape[1])]
    rows += [[name, *row] for name, *row in table.itertuples()]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def table_of(rows: dict[str, dict[str, str]], first: str) -> str:
    """Return rows, by what stands in the first column, as a table in Markdown."""
    return markdown(pd.DataFrame(rows).T.fillna("").rename_axis(first))


def keep(folder: str | Path, **pictures: str) -> None:
    """Copy pictures of a run into figures/: there=here, without .png."""
    for there, here in pictures.items():
        shutil.copy(Path(folder, f"{here}.png"), runs.REPOSITORY / "figures" / f"{there}.png")


# ------------------------------------------------------------------ blocks, each from a folder


def block_runs(folder):
    table = speed.runs().rename(index="`{}`".format).rename_axis("script")
    table["s"], table["x"] = table["s"].map("{:.0f} s".format), table["x"].map("{:.1f}".format)
    return markdown(table.assign(MB=table["MB"].map("{:.0f} MB".format)))


def block_answers(folder):
    table = speed.answers()[["x"]].map("{:.2f}".format)
    return markdown(table.rename(index="`{}`".format).rename_axis("command"))


def block_scores(folder):
    rows = {}
    for command in scores.COMMANDS:
        table = scores.over_seeds(command, scores.SEEDS)
        mean, sd = table["mean"], table["sd"]
        error = "RMSE" if "RMSE / optimal" in mean else "MAE"
        least, most = (f"90 % held, {which} of the steps shown" for which in ("least", "most"))
        rows[f"`python {' '.join(command)}`"] = {
            "error": f"{error} {mean[error]:.4g} ± {sd[error]:.2g}",
            "over the best possible": f"{mean['RMSE / optimal']:.3f}" if error == "RMSE" else "",
            "MAE below linear": f"{1 - mean['MAE / linear']:.1%}",
            "MAE below persistence": f"{1 - mean['MAE / persistence']:.1%}",
            "90 % held, 1 step": f"{mean['90 % held, 1 step']:.1%}",
            "all steps": f"{mean[least]:.1%} to {mean[most]:.1%}",
        }
    return table_of(rows, "command")


def block_printed(folder):
    words = ["GRU.py", *runs.WEATHER, "--output-dir", folder]
    printed = runs.python(*words).printed
    keep(folder, GRU="figure")
    report = printed[printed.index("Test part, ") : printed.index("The next ")]
    return f"```\n{report.rstrip()}\n```"


def block_forecast(folder):
    found, rows = runs.scores(folder, "forecast.py"), {}
    keep(folder, forecast="figure")
    for name, line in found["test"].items():
        numbers = {"MAE": line["mae"], "RMSE": line["rmse"], "MASE": line["mase"]}
        rows[name.replace("_", " ")] = {key: f"{value:.4g}" for key, value in numbers.items()}
    held, ours = found["coverage"]["0.9"]["by_step"], found["written"].replace("_", " ")
    rows[ours]["90 % held, by step"] = f"{min(held):.1%} to {max(held):.1%}"
    return table_of(rows, "forecast")


def block_fed_back(folder):
    table = forecast.draw_fed_back(runs.REPOSITORY / "figures" / "fed_back.png")
    return markdown(table.loc[[1, 2, 3, 6, 12, 24, 48]].map("{:.3f}".format))


def block_slots(folder):
    found = runs.scores(folder, "slot_filling.py", "--seeds", SEEDS)["networks"]
    keep(folder, slot_filling="figure", taipei="taipei")
    rows = {
        name: {"all": line["test"]["f1"], **line["test_f1_by_cue"]} for name, line in found.items()
    }
    table = pd.DataFrame(rows).T.rename_axis("network")[["all", "before", "far", "after"]]
    return markdown(table.map("{:.1f}".format))


def block_queries(folder):
    rows = {}
    for flags in QUERIES:
        found = runs.scores(folder, "slot_filling.py", *flags, "--seeds", SEEDS)
        test = found["networks"][found["best"]]["test"]
        rows[f"`python slot_filling.py {' '.join(flags)} --seeds {SEEDS}`"] = {
            shown: f"{test[key]:.1f} ± {test[f'{key}_sd']:.1f}"
            for key, shown in (
                ("f1", "slot F1"), ("intent_accuracy", "intent"), ("sentence_accuracy", "sentence")
            )
        }  # fmt: skip
    return table_of(rows, "command")


def block_memory(folder):
    found = pd.DataFrame(runs.scores(folder, "long_memory.py")["runs"])
    keep(folder, gradients="gradients")
    table = found.groupby(["network", "lag"], sort=False)["error"].mean().unstack()
    table = table.map("{:.4f}".format)
    return markdown(table.rename(index="`{}`".format, columns="{} steps".format))


def block_throughput(folder):
    return markdown(throughput.table(os.environ.get("TORCH_PYTHON")))


def block_minute(folder):
    words = ["--networks", "simple,irnn,gru,lstm,mingru", "--lags", "100,300,1000"]
    words += ["--seconds", 60, "--seeds", "0,1"]
    found = pd.DataFrame(runs.scores(folder, "long_memory.py", *words)["runs"])
    errors = found.groupby(["network", "lag"], sort=False)["error"].agg(["mean", "max"]).unstack()
    solved = errors["max"] < 0.01  # long_memory.SOLVED: its import would bring TensorFlow
    table = errors["mean"].map("{:.4f}".format).rename(columns="lag {}".format)
    table["solved up to"] = solved.apply(lambda row: str(max(row[row].index, default="-")), axis=1)
    return markdown(table.rename(index="`{}`".format))


def block_scratch(folder):
    rows = {}
    for layer in from_scratch.LAYERS:
        losses = from_scratch.main(["--layer", layer])
        off = from_scratch.check(layer, np.random.default_rng(0))["off Keras'"].max()
        rows[f"`python from_scratch.py --layer {layer}`"] = {
            "test loss, NumPy": f"{losses.loc['test', 'NumPy']:.5f}",
            "test loss, Keras": f"{losses.loc['test', 'Keras']:.5f}",
            "gradients differ by at most (`--check`)": f"{off:.7f}",
        }
    return table_of(rows, "command")


def block_datasets(folder):
    rows = {}
    for words in ([name, *flag] for name in datasets.FILES for flag in ([], ["--train"])):
        found = runs.scores(folder, "benchmarks/forecast.py", *words)
        measures = {key.upper(): f"{m:.4g}" for key, m in found["published_measures"].items()}
        seconds = {"whole run": f"{found['seconds']['total']:.0f} s"}
        rows[f"`python benchmarks/forecast.py {' '.join(words)}`"] = measures | seconds
    return table_of(rows, "command")


def block_pictures(folder):
    for name in ("SimpleRNN", "LSTM"):
        runs.python(f"{name}.py", "--output-dir", folder)
        keep(folder, **{name: "figure"})
    runs.python("worked_examples.py", "lstm-cell", "--output-dir", folder)
    keep(folder, **{"lstm-cell": "lstm-cell"})
    return ""  # no text


BLOCKS = {name[6:]: block for name, block in vars().items() if name.startswith("block_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("blocks", nargs="*", metavar="BLOCK", help=", ".join(BLOCKS))
    names = parser.parse_args().blocks or list(BLOCKS)
    if unknown := {*names} - {*BLOCKS}:
        parser.error(f"{', '.join(unknown)}: there are {', '.join(BLOCKS)}")
    failed = []
    for name in names:
        print(name, flush=True)
        try:
            with tempfile.TemporaryDirectory() as folder:
                block = BLOCKS[name](folder)
        except RuntimeError as error:  # of a run, such as a download: the other blocks go on
            failed.append(f"{name} is not renewed: {error}")
            continue
        print(block, flush=True)
        for page in (page for kind in PAGES for page in runs.REPOSITORY.glob(kind)):
            text = page.read_text(encoding="utf-8")
            if (new := renew(text, name, block)) != text:
                page.write_text(new, encoding="utf-8")
    sys.exit("\n".join(failed) or 0)


if __name__ == "__main__":
    main()
