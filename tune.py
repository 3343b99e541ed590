r"""Which settings are best? A lesson's units, layers, learning rate, ... vary, many at a time.

First the lesson trains with its own defaults, in full. Then every trial trains it with other
settings, on a core of its own, and is judged in the validation part. Bad ones are stopped early: of
those that have come as far, only the best third goes on (ASHA, Li et al., 2020). What to try next
follows from what was good (TPE, Bergstra et al., 2011). The winner trains in full, too, and both
are compared, once, in the test part: often nothing is gained there, and then it says so.

    python tune.py GRU --csv data/weather_greensboro.csv --column temperature --trials 30
    python tune.py GRU --search units=16:64,batch-size=64/128 --layers 1
    python tune.py GRU --trials 60 --resume            # go on: what has ended isn't repeated
    python tune.py LSTM --address auto --trials 500    # on a Ray cluster that is running

What tune.py doesn't know goes to the lesson, and a setting that is given isn't varied. It needs
Ray Tune: pip install -r requirements-tune.txt
"""

import hashlib
import importlib.util
import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from utils import InputError, cli, sweep
from utils.files import output_folder, write_json, written_whole

import pandas as pd

FILES = "csv", "data"  # flags that name a file or folder, which travels to the workers
EPOCHS = 50  # where a lesson finds their number itself


class Lesson(NamedTuple):
    """What tune.py must know of a lesson that offers parse_args, main(argv, on_epoch), SEARCH."""

    metric: str
    best_of: Callable  # min or max
    score: Callable[[dict], float]  # from what scores.json says of its network in a part
    flags: tuple[str, ...] = ()  # that it needs, unless they are given


FIRST_STEP = Lesson("MAE", min, lambda found: found["by_step"]["mae"][0])
LESSONS = {
    **dict.fromkeys(("SimpleRNN", "GRU", "LSTM"), FIRST_STEP),
    "forecast": Lesson("MASE", min, itemgetter("mase"), ("--train",)),
    "slot_filling": Lesson("F1", max, itemgetter("f1"), ("--model", "gru", "--bidirectional")),
}


def parse_args(argv=None):
    """Return tune.py's flags and, among them, words, parsed, space, defaults.

    The words are the lesson's flags, parsed by itself; the space says how each setting varies.
    """
    parser = cli.Parser(prog="tune.py", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("lesson", choices=list(LESSONS))
    add("--trials", type=cli.whole_number(1), default=30, help="how many in all")
    text = "other ranges than the lesson's own, or choices: batch-size=32/64/128"
    add("--search", type=cli.names, default=[], metavar="units=16:128,layers=1:3", help=text)
    add("--resume", action="store_true", help="go on with a sweep that was killed, or prolong it")
    add("--address", help="of a Ray cluster; auto: that of this machine (default: start Ray)")
    add("--output-dir", metavar="FOLDER", help="default: outputs/tune_<lesson>")
    args, words = parser.parse_known_args(argv)
    args.output_dir = Path(args.output_dir or f"outputs/tune_{args.lesson}")
    module, needed = importlib.import_module(args.lesson), LESSONS[args.lesson].flags
    given = {flag[2:].removeprefix("no-") for flag in cli.given(words)}
    words += needed if needed and needed[0][2:] not in given else ()
    args.space = {name: text for name, text in module.SEARCH.items() if name not in given}
    for item in args.search:
        name, _, args.space[name] = item.partition("=")
        if not name or name in given:
            why = f"--{name} is given twice; leave one of them out" if name else "what varies?"
            parser.error(f"--search {item}: {why}")
        given.add(name)
    args.words, args.parsed = words, module.parse_args(words)  # complains itself
    parsed = vars(args.parsed)
    if len(parsed.get("seeds", [0])) > 1:
        parser.error("a sweep trains with one seed; give one to --seeds")
    if not args.space:
        parser.error("no setting is left to vary")
    for name, text in args.space.items():
        for value in sweep.values(text):
            module.parse_args([*words, *sweep.flags({name: value})])
    args.defaults = {name: parsed[name.replace("-", "_")] for name in args.space}
    return args


def train_in_full(lesson, words, folder):
    """Run the lesson's own command, in a process of its own; end as it ends, if it fails.

    Only if it succeeds, what it leaves replaces what is in the folder.
    """
    print(f"Trains the {folder.name} in full: python {lesson}.py {shlex.join(words)}", flush=True)
    script, new = importlib.import_module(lesson).__file__, folder.with_suffix(".new")
    command = [sys.executable, script, *words, "--output-dir", str(new)]
    try:
        if code := subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
            killed = f"tune.py: error: {lesson}.py was killed (signal {-code})"
            raise SystemExit(code if code > 0 else killed)
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def search(args, trials, resume):
    """Run the trials that are missing, or first the defaults in full and then all of them."""
    folder, parsed = args.output_dir, vars(args.parsed)
    files = {name: sweep.contents(parsed[name]) for name in FILES if parsed.get(name)}
    digest = hashlib.sha256(repr(files).encode()).hexdigest()
    plan = {"lesson": args.lesson, "flags": args.words, "space": args.space, "data": digest}
    if resume and json.loads((folder / "sweep.json").read_text(encoding="utf-8")) != plan:
        other = f"{folder} holds a sweep of other flags or data"
        raise InputError(f"--resume: {other}; give it the same, or leave out --resume")
    if len(trials.rows) >= args.trials:
        return
    with sweep.cluster(args.address) as storage:
        if not resume:
            train_in_full(args.lesson, args.words, folder / "defaults")
            trials.path.unlink(missing_ok=True)  # only now, another sweep goes
            write_json(plan, folder / "sweep.json")
        sweep.search(
            storage, trials, args.space, args.defaults, epochs=parsed["epochs"] or EPOCHS,
            seed=parsed.get("seed", 0), lesson=args.lesson, words=args.words, files=files,
        )  # fmt: skip


def scores_of(lesson, folder):
    """Return what a run's network reached in the parts "val" and "test", which may be missing."""
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    if "networks" in scores:  # of slot_filling.py
        best = scores["networks"][scores["best"]]
        found = {"val": best["dev"], "test": best["test"]}
    else:
        found = {part: scores[part][scores["network"]] for part in ("val", "test")}
    return {part: one and lesson.score(one) for part, one in found.items()}


def compare(args, trials):
    """Train the winner in full, beside the defaults; return what scores.json holds."""
    folder, lesson, parsed = args.output_dir, LESSONS[args.lesson], vars(args.parsed)
    if not (winner := trials.best()):
        raise InputError(f"no trial succeeded; the first said: {trials.rows[0]['failed']}")
    settings = {name: winner[name] for name in args.space}
    words, best = args.words, folder / "defaults"
    if settings != args.defaults:
        words, best = [*words, *sweep.flags(settings)], folder / "best"
        train_in_full(args.lesson, words, best)
    with written_whole(folder / "model.keras") as beside:
        shutil.copyfile(best / "model.keras", beside)
    return {
        "lesson": args.lesson,
        "data": next((parsed[name] for name in FILES if parsed.get(name)), "simulated"),
        "trials": len(trials.rows),
        "metric": lesson.metric,
        "best": {"settings": settings} | scores_of(lesson, best),
        "defaults": scores_of(lesson, folder / "defaults"),
        "command": shlex.join(["python", f"{args.lesson}.py", *words]),
    }


def report(result, best_of):
    """Say what was gained, in words and numbers."""
    best, usual = result["best"], result["defaults"]
    table = pd.DataFrame([best, usual], ["best", "defaults"], ["val", "test"], dtype=float)
    table = table.rename({"val": "validation"}, axis=1).rename_axis(result["metric"], axis=1)
    table = table.dropna(axis=1).to_string(float_format="{:.4g}".format)
    if best["test"] is None:
        moral = "There is no test part, to say whether the best was lucky in validation"
    elif best["test"] == usual["test"]:
        moral = "In the test part nothing is gained over the defaults"
    else:
        change = f"{abs(best['test'] / usual['test'] - 1):.1%}" if usual["test"] else "much"
        better = best_of(best["test"], usual["test"]) == best["test"]
        outcome = "better, with this seed" if better else "worse: validation promised too much"
        moral = f"In the test part, which chose nothing, the best is {change} {outcome}"
    return f"{table}\n{moral}.\n{result['command']}"


def main(argv=None):
    """Train the defaults, search, train the winner, compare; return what scores.json holds."""
    args = parse_args(argv)
    begin, folder, lesson = time.perf_counter(), args.output_dir, LESSONS[args.lesson]
    if not all(map(importlib.util.find_spec, ("ray", "optuna"))):
        raise InputError("Ray Tune is missing; get it by: pip install -r requirements-tune.txt")
    output_folder(folder)
    resume = args.resume and (folder / "sweep.json").exists()
    trials = sweep.Trials(folder / "trials.csv", lesson.best_of, args.trials, resume)
    if args.resume:
        print(f"--resume: {len(trials.rows)} trials have ended.")
    try:
        search(args, trials, resume)
        result = compare(args, trials)
    except KeyboardInterrupt:
        if best := trials.best():
            found = shlex.join(sweep.flags({name: best[name] for name in args.space}))
            print(f"\nThe best so far, {best['val']:.4g} in validation: {found}")
        raise
    result["seconds"] = round(time.perf_counter() - begin, 1)
    write_json(result, folder / "scores.json")
    print(f"{report(result, lesson.best_of)}\nFiles: {folder}")
    return result


if __name__ == "__main__":
    cli.run(main, "tune.py")
