r"""Which settings are best? A lesson's units, layers, learning rate, ... vary, many at a time.

Every trial trains the lesson with other settings, on a core of its own, and is judged in the
validation part. Bad ones are stopped early: of those that have come as far, only the best third
goes on (ASHA, Li et al., 2020). What to try next follows from what was good (TPE, Bergstra et al.,
2011). The winner and the lesson's own defaults then train in full and are scored, once, in the
test part: often nothing is gained, and then it says so.

    python tune.py GRU --csv data/weather_greensboro.csv --column temperature --trials 30
    python tune.py GRU --search units=16:64,batch-size=64/128 --layers 1
    python tune.py GRU --trials 60 --resume            # go on: what is finished isn't repeated
    python tune.py LSTM --address auto --trials 500    # on a Ray cluster that is running

What tune.py doesn't know goes to the lesson, and a setting that is given isn't varied. It needs
Ray Tune: pip install -r requirements-tune.txt
"""

import contextlib
import hashlib
import importlib
import importlib.util
import io
import json
import math
import shlex
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from utils import InputError, cli, on_ray, plotting, sweep
from utils.files import output_folder, write_json, written_together, written_whole
from utils.series import backtest, evaluation
from utils.slots import chunks

import pandas as pd

FILES = "csv", "data"  # flags that name a file or folder, which travels to the workers


class Lesson(NamedTuple):
    """What tune.py must know of a lesson that offers parse_args, prepare, learn, main, SEARCH."""

    metric: str
    judged: str  # what trials are judged by, in the validation part
    best: Callable  # min or max
    of: Callable[[dict, str], float | None]  # from scores.json, and "val" or "test"
    p_value: Callable[[Path, Path], float]  # of no difference, from the outputs of two runs
    besides: tuple[str, ...] = ()  # flags that it needs, unless they are given


def _error(scores, part):
    return scores[part][scores["network"]]["mae"]


def _same_error(one, other):
    """Compare the forecasts of the next step in time order (Diebold & Mariano)."""
    one, other = (pd.read_csv(folder / "test_predictions.csv") for folder in (one, other))
    both = one.merge(other, on="time", suffixes=("", "_other"))
    return evaluation.diebold_mariano(both["actual"], both["predicted"], both["predicted_other"])


def _scaled_error(scores, part):
    return scores[part][scores["layer"]]["mase"]


def _same_scaled_error(one, other):
    """Compare the forecasts of all steps over series, or over origins."""
    one, other = (_read(folder / "backtest.csv", "series") for folder in (one, other))
    network = one.columns.get_loc("actual") + 1  # the column of its forecasts
    errors = [
        (table["actual"] - table.iloc[:, network])
        .abs()
        .groupby([table["series"], table["origin"]], sort=False)
        .mean()
        for table in (one, other)
    ]
    size = (errors[0] + errors[1]).groupby("series").transform("mean")
    windows = ((errors[0] - errors[1]) / size).rename("difference").reset_index()
    first = one[one["series"] == one["series"].iloc[0]]
    last_step = first["time"].iloc[first["step"].argmax()]  # of the first window
    overlap = int((first["origin"].unique() < last_step).sum())
    return backtest.no_difference(windows.rename(columns={"origin": "time"}), overlap)


def _f1(scores, part):
    found = scores["networks"][scores["best"]]["dev" if part == "val" else part]
    return found and found["f1"]  # the test part may be missing


def _same_f1(one, other):
    """Compare the tags of the same sentences."""
    columns = ["tags", "predicted_tags"]
    tables = [_read(folder / "sentences.csv", *columns) for folder in (one, other)]
    true, ours = (tables[0][name].str.split() for name in columns)
    return chunks.same_f1(true, ours, tables[1]["predicted_tags"].str.split())


def _read(path, *texts):
    """Read a table in which some columns are text, even if it says NA or null."""
    return pd.read_csv(path, dtype=dict.fromkeys(texts, str), keep_default_na=False, na_values="")


FORECASTING = Lesson("MAE", "MAE", min, _error, _same_error)
LESSONS = dict.fromkeys(("SimpleRNN", "GRU", "LSTM"), FORECASTING)
LESSONS["forecast"] = Lesson("MASE", "loss", min, _scaled_error, _same_scaled_error)
LESSONS["slot_filling"] = Lesson(
    "F1", "F1 + intents", max, _f1, _same_f1, ("--model", "gru", "--bidirectional")
)


def parse_args(argv=None):
    """Return tune.py's flags, the lesson's, as words and parsed, and the space to search."""
    parser = cli.Parser(prog="tune.py", description=__doc__.partition("\n")[0])
    parser.add_argument("lesson", choices=list(LESSONS))
    parser.add_argument("--trials", type=cli.whole_number(1), default=30, help="how many in all")
    parser.add_argument(
        "--search",
        type=cli.names,
        default=[],
        metavar="units=16:128,layers=1:3",
        help="other ranges than the lesson's own, or choices: batch-size=32/64/128",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with a sweep that was killed, or prolong it"
    )
    parser.add_argument(
        "--address", help="of a Ray cluster; auto: the one of this machine (default: start Ray)"
    )
    parser.add_argument("--output-dir", metavar="FOLDER", help="default: outputs/tune_<lesson>")
    parser.add_argument("--show", action="store_true", help="open the picture in a window")
    args, words = parser.parse_known_args(argv)
    args.output_dir = args.output_dir or f"outputs/tune_{args.lesson}"
    module = importlib.import_module(args.lesson)
    given = {word.partition("=")[0].removeprefix("--") for word in words if word[:2] == "--"}
    if besides := LESSONS[args.lesson].besides:
        words = words if besides[0][2:] in given else [*words, *besides]
    ranges = {name: text for name, text in module.SEARCH.items() if name not in given}
    for item in args.search:
        name, _, text = item.partition("=")
        if not name:
            parser.error(f"--search {item}: what varies? Write units=16:128")
        if name in given:
            parser.error(f"--search {item}: --{name} is given twice; leave one of them out")
        ranges[name] = text
        given.add(name)
    try:
        space = {name: sweep.Range.parse(text) for name, text in ranges.items()}
    except ValueError as error:
        parser.error(f"--search: {error}; write units=16:128 or batch-size=32/64/128")
    parsed = module.parse_args(words)  # complains itself
    if getattr(parsed, "load", None) or getattr(parsed, "predict", None) is not None:
        parser.error("a model that is trained already has no settings to vary")
    if len(getattr(parsed, "seeds", [0])) > 1:
        parser.error("a sweep trains with one seed; give one to --seeds")
    if not space:
        parser.error("no setting is left to vary")
    for bound in zip(*((r.values[0], r.values[-1]) for r in space.values()), strict=True):
        module.parse_args([*words, *sweep.flags(dict(zip(space, bound, strict=True)))])
    return args, words, parsed, space


def defaults_of(parsed, space):
    """Return the lesson's own settings, of those that vary."""
    return {name: vars(parsed)[name.replace("-", "_")] for name in space}


# ------------------------------------------------------------------ the winner


def trained_in_full(lesson, words, folder):
    """Run the lesson's own command, or go on with it; return its scores and its folder."""
    folder /= hashlib.sha256(shlex.join(words).encode()).hexdigest()[:12]
    if not (folder / "scores.json").exists():
        print(f"    python {lesson}.py {shlex.join(words)}", flush=True)
        argv = [*words, "--output-dir", str(folder), *["--resume"] * folder.exists()]
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(lesson).main(argv)
    return json.loads((folder / "scores.json").read_text(encoding="utf-8")), folder


def compare(args, words, parsed, space, journal, begin):
    """Train the winner and the defaults in full, score both, write all files; return the scores."""
    folder, lesson, winner = Path(args.output_dir), LESSONS[args.lesson], journal.best()
    if winner is None:
        raise InputError(f"no trial succeeded; the first said: {journal.rows[0]['failed']}")
    settings = sweep.rounded({name: winner[name] for name in space})
    defaults = defaults_of(parsed, space)
    command = words if settings == defaults else [*words, *sweep.flags(settings)]
    print("Trains the best and the defaults in full, and scores them:")
    best, best_folder = trained_in_full(args.lesson, command, folder / "training")
    usual, usual_folder = trained_in_full(args.lesson, words, folder / "training")
    parts = ("val", "test")
    scored = lesson.of(best, "test") is not None
    result = {
        "lesson": args.lesson,
        "data": next((vars(parsed)[name] for name in FILES if vars(parsed).get(name)), "simulated"),
        "trials": len(journal.rows),
        "metric": lesson.metric,
        "best": {"settings": settings} | {part: lesson.of(best, part) for part in parts},
        "defaults": {part: lesson.of(usual, part) for part in parts},
        "p_value": lesson.p_value(best_folder, usual_folder) if scored else None,
        "command": shlex.join(["python", f"{args.lesson}.py", *command]),
        "seconds": time.perf_counter() - begin,
    }
    with written_together(folder):
        with written_whole(folder / "model.keras") as beside:
            shutil.copyfile(best_folder / "model.keras", beside)
        write_json(result, folder / "scores.json")
        figure = sweep.draw(journal, lesson.judged, defaults)
        plotting.save(figure, folder / "figure.png", args.show)
    shutil.rmtree(folder / "training")
    return result


def report(result, best_of):
    """Say what was gained, in words and numbers."""
    best, usual, p_value = result["best"], result["defaults"], result["p_value"]
    table = pd.DataFrame({"best": best, "defaults": usual}).T[["val", "test"]].astype(float)
    table = table.set_axis(["validation", "test"], axis=1).dropna(axis=1)
    table = table.rename_axis(result["metric"], axis=1)
    lines = [table.to_string(float_format="{:.4g}".format)]
    if best["val"] == usual["val"] and best["test"] == usual["test"]:
        moral = "The defaults were the best of all"
    elif best["test"] is None:
        moral = "There is no test part, to say whether the best was lucky in validation"
    else:
        gain = abs(best["test"] / usual["test"] - 1) if usual["test"] else math.nan
        better = best_of(best["test"], usual["test"]) == best["test"] != usual["test"]
        luck = "which may be luck: nothing is gained" if p_value >= 0.05 else "more than luck"
        moral = f"In the test part the best is {gain:.1%} {'better' if better else 'worse'} "
        moral += f"than the defaults, {luck} (p = {p_value:.2g})"
    return "\n".join([*lines, f"{moral}.", result["command"]])


def main(argv=None):
    """Search, train the winner, compare it with the defaults; return what scores.json holds."""
    args, words, parsed, space = parse_args(argv)
    begin, folder = time.perf_counter(), Path(args.output_dir)
    if not all(map(importlib.util.find_spec, ("ray", "optuna"))):
        raise InputError("Ray Tune is missing; get it by: pip install -r requirements-tune.txt")
    output_folder(folder)
    named = {name: vars(parsed)[name] for name in FILES if vars(parsed).get(name)}
    files = {name: (on_ray.contents(path), Path(path).is_dir()) for name, path in named.items()}
    parsed.output_dir = args.output_dir
    importlib.import_module(args.lesson).prepare(parsed)  # complains of the data, if it must
    digest = hashlib.sha256(repr(files).encode()).hexdigest()
    plan = {"lesson": args.lesson, "flags": words, "space": space, "data": digest}
    best = LESSONS[args.lesson].best
    journal = sweep.Journal(folder, space, plan, best, args.resume)
    if not args.resume:
        shutil.rmtree(folder / "training", ignore_errors=True)
    try:
        if args.trials > len(journal.rows):
            on_ray.search(
                args.lesson, words, files, space, defaults_of(parsed, space), journal,
                trials=args.trials, epochs=parsed.epochs, best=best,
                seed=getattr(parsed, "seed", 0), address=args.address,
            )  # fmt: skip
        result = compare(args, words, parsed, space, journal, begin)
    except KeyboardInterrupt:
        if row := journal.best():
            found = sweep.flags({name: row[name] for name in space})
            print(f"\nThe best so far, {row['val']:.4g} in validation: {shlex.join(found)}")
        raise
    print(report(result, best))
    print(f"Picture and files: {folder}")
    return result


if __name__ == "__main__":
    cli.run(main, "tune.py")
