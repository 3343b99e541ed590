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
import logging
import math
import os
import shlex
import shutil
import socket
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from utils import InputError, cli, plotting, sweep
from utils.files import output_folder, write_json, written_together, written_whole
from utils.series import evaluation

import pandas as pd

REPOSITORY = Path(__file__).parent
FILES = "csv", "data"  # flags that name a file or folder, which travels to the workers
RETRIES = 3  # of a trial whose worker or node died
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_AUTO_CALLBACK_SYNCER": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # trials.csv is what a sweep goes on from
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
ONE_CORE = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


class Lesson(NamedTuple):
    """What tune.py must know of a lesson that offers parse_args, prepare, learn, main, SEARCH."""

    metric: str
    best: Callable  # min or max
    worst: float
    of: Callable[[dict, str], float | None]  # from scores.json, and "val" or "test"
    besides: tuple[str, ...] = ()  # flags that it needs, unless they are given


def _error(scores, part):
    return scores[part][scores["network"]]["mae"]


def _scaled_error(scores, part):
    return scores[part][scores["layer"]]["mase"]


def _f1(scores, part):
    found = scores["networks"][scores["best"]]["dev" if part == "val" else part]
    return found and found["f1"]  # the test part may be missing


LESSONS = {name: Lesson("MAE", min, math.inf, _error) for name in ("SimpleRNN", "GRU", "LSTM")}
LESSONS["forecast"] = Lesson("MASE", min, math.inf, _scaled_error)
one_network = ("--model", "gru", "--bidirectional")
LESSONS["slot_filling"] = Lesson("F1", max, -math.inf, _f1, one_network)


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
        name, _, ranges[name] = item.partition("=")
        if name in given:
            parser.error(f"--search {item}: --{name} is given; leave one of them out")
    try:
        space = {name: sweep.Range.parse(text) for name, text in ranges.items()}
    except ValueError as error:
        parser.error(f"--search: {error}; write units=16:128 or batch-size=32/64/128")
    parsed = module.parse_args(words)  # complains itself
    if getattr(parsed, "load", None) or getattr(parsed, "predict", None) is not None:
        parser.error("a model that is trained already has no settings to vary")
    if not space:
        parser.error("no setting is left to vary")
    for bound in zip(*((r.values[0], r.values[-1]) for r in space.values()), strict=True):
        module.parse_args([*words, *sweep.flags(dict(zip(space, bound, strict=True)))])
    return args, words, parsed, space


def defaults_of(parsed, space):
    """Return the lesson's own settings, of those that vary."""
    return {name: vars(parsed)[name.replace("-", "_")] for name in space}


# ------------------------------------------------------------------ what travels, and a trial


def contents(path):
    """Return the files of a path, a file or a folder, by relative name: bytes."""
    path = Path(path)
    try:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file())
            return {str(file.relative_to(path)): file.read_bytes() for file in files}
        return {path.name: path.read_bytes()}
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def unpacked(files, is_folder):
    """Write files on the worker, once for all its trials; return where they are."""
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir(), f"tune-{os.getpid()}-{digest}")
    for name, content in {} if folder.exists() else files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return str(folder if is_folder else folder / next(iter(files)))


def trial(settings, lesson, worst, words, files):
    """Train a lesson with some settings, on a worker; report each epoch's validation score."""
    from ray import tune

    module = importlib.import_module(lesson)
    report = {"score": worst, "ended": False, "failed": ""}

    def on_epoch(score):
        report["score"] = score if math.isfinite(score) else worst
        tune.report(report)

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        args = module.parse_args([*words, *sweep.flags(settings), "--output-dir", folder])
        for name, (found, is_folder) in files.items():
            vars(args)[name] = unpacked(found, is_folder)
        try:
            module.learn(module.prepare(args), args, on_epoch)
        except InputError as error:
            report |= {"score": worst, "failed": str(error)}
    tune.report(report | {"ended": True})


# ------------------------------------------------------------------ the sweep


def search(args, words, parsed, space, files, journal):
    """Run trials on Ray until the journal has as many as were asked for."""
    import optuna
    import ray
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search.optuna import OptunaSearch

    lesson = LESSONS[args.lesson]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # a lost trial is tried again
    warnings.filterwarnings("ignore", module="optuna")
    watch, judged = sweep.Watch(journal, args.trials), {"metric": "score"}
    judged["mode"] = lesson.best.__name__

    class Told(tune.Callback):
        def on_trial_result(self, iteration, trials, trial, result, **info):
            watch.goes_on(trial.trial_id, result["score"])

        def on_trial_complete(self, iteration, trials, trial, failed="", **info):
            found = trial.last_result or {}
            failed = failed or found.get("failed", "")
            watch.ended(
                trial.trial_id,
                trial.config,
                status="failed" if failed else "done" if found["ended"] else "stopped",
                val=lesson.worst if failed else found["score"],
                epochs=found.get("training_iteration", 0) - found.get("ended", 0),
                seconds=round(found.get("time_total_s", 0.0), 2),
                node=found.get("hostname", ""),
                failed=failed,
            )

        def on_trial_error(self, iteration, trials, trial, **info):
            self.on_trial_complete(iteration, trials, trial, failed="its workers died")

    defaults = defaults_of(parsed, space)
    if journal.rows:
        points = [{name: row[name] for name in space} for row in journal.rows]
        known = {"points_to_evaluate": points}
        known["evaluated_rewards"] = [row["val"] for row in journal.rows]
    else:  # the first trial is the defaults, as far as they lie in the space
        inside = {name: value for name, value in defaults.items() if space[name].holds(value)}
        known = {"points_to_evaluate": [inside]} if inside else {}
    seed = (getattr(parsed, "seed", 0) + len(journal.rows)) % 2**32
    distributions = {name: found.distribution() for name, found in space.items()}
    searcher = OptunaSearch(distributions, seed=seed, **judged, **known)
    scheduler = ASHAScheduler(
        max_t=parsed.epochs + 2, grace_period=max(1, parsed.epochs // 9), reduction_factor=3
    )
    with cluster(args.address) as temporary:
        given = {"lesson": args.lesson, "worst": lesson.worst, "words": words, "files": files}
        task = tune.with_parameters(trial, **given)
        cores = int(ray.cluster_resources().get("CPU", 1))
        tuner = tune.Tuner(
            tune.with_resources(task, {"cpu": 1}),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=scheduler,
                num_samples=watch.left(),
                max_concurrent_trials=cores,
                reuse_actors=True,
                **judged,
            ),
            run_config=tune.RunConfig(
                name="sweep",
                storage_path=temporary,
                callbacks=[Told()],
                failure_config=tune.FailureConfig(max_failures=RETRIES),
                verbose=0,
            ),
        )
        try:
            tuner.fit()
        finally:
            watch.say(last=True)


@contextlib.contextmanager
def cluster(address):
    """Join a Ray cluster, or start one on this machine's cores and end it, leaving nothing."""
    import ray

    temporary = tempfile.mkdtemp(prefix="tune")  # short: it holds sockets
    environment = {"env_vars": dict.fromkeys(ONE_CORE, "1") | QUIET}
    settings = {"logging_level": "ERROR", "log_to_driver": False, "runtime_env": environment}
    if address:
        environment["working_dir"] = str(REPOSITORY)
        environment["excludes"] = ["/.*", "/outputs", "/figures", "/data", "/tests"]
        settings["address"] = address
    else:
        cores = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count()))(0)
        settings |= {"num_cpus": len(cores), "include_dashboard": False, "_temp_dir": temporary}
        environment["env_vars"]["TMPDIR"] = temporary
    try:
        try:
            if address and address != "auto":  # Ray itself would try for minutes
                host, _, port = address.rpartition(":")
                socket.create_connection((host, int(port)), timeout=10).close()
            ray.init(**settings)
        except (OSError, ValueError) as error:
            raise InputError(
                f"--address {address}: no Ray cluster answers there; give HOST:PORT as ray start "
                "--head printed it, or auto on a machine of the cluster"
            ) from error
        yield temporary
    finally:
        ray.shutdown()
        shutil.rmtree(temporary, ignore_errors=True)


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


def significance(one, other):
    """Return the p-value of "two forecasts are equally good", or None where there are no two."""
    try:
        one, other = (pd.read_csv(folder / "test_predictions.csv") for folder in (one, other))
        together = one.merge(other, on="time", suffixes=("", "_other"))
        columns = (together[c].to_numpy() for c in ("actual", "predicted", "predicted_other"))
    except (FileNotFoundError, KeyError):
        return None
    return evaluation.diebold_mariano(*columns)


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
    result = {
        "lesson": args.lesson,
        "data": next((vars(parsed)[name] for name in FILES if vars(parsed).get(name)), "simulated"),
        "trials": len(journal.rows),
        "metric": lesson.metric,
        "best": {"settings": settings} | {part: lesson.of(best, part) for part in parts},
        "defaults": {part: lesson.of(usual, part) for part in parts},
        "p_value": None if command == words else significance(best_folder, usual_folder),
        "command": shlex.join(["python", f"{args.lesson}.py", *command]),
        "seconds": time.perf_counter() - begin,
    }
    with written_together(folder):
        with written_whole(folder / "model.keras") as beside:
            shutil.copyfile(best_folder / "model.keras", beside)
        write_json(result, folder / "scores.json")
        figure = sweep.draw(journal, lesson.metric, defaults)
        plotting.save(figure, folder / "figure.png", args.show)
    shutil.rmtree(folder / "training")
    return result


def report(result, best_of):
    """Say what was gained, in words and numbers."""
    best, usual, p_value = result["best"], result["defaults"], result["p_value"]
    lines = [f"{result['metric']:12}{'validation':>12}{'test':>12}"]
    for name in ("best", "defaults"):
        lines.append(f"{name:12}{result[name]['val']:12.4g}{result[name]['test']:12.4g}")
    gain = abs(best["test"] / usual["test"] - 1) if usual["test"] else math.nan
    better = best_of(best["test"], usual["test"]) == best["test"] != usual["test"]
    moral = f"In the test part the best is {gain:.1%} {'better' if better else 'worse'}"
    if result["best"] | {"settings": 0} == usual | {"settings": 0}:
        moral = "The defaults were the best of all"
    elif p_value is not None:
        luck = "which may be luck: nothing is gained" if p_value >= 0.05 else "more than luck"
        moral += f" than the defaults, {luck} (p = {p_value:.2g})"
    return "\n".join([*lines, f"{moral}.", result["command"]])


def main(argv=None):
    """Search, train the winner, compare it with the defaults; return what scores.json holds."""
    args, words, parsed, space = parse_args(argv)
    begin, folder = time.perf_counter(), Path(args.output_dir)
    if not all(map(importlib.util.find_spec, ("ray", "optuna"))):
        raise InputError("Ray Tune is missing; get it by: pip install -r requirements-tune.txt")
    output_folder(folder)
    named = {name: vars(parsed)[name] for name in FILES if vars(parsed).get(name)}
    files = {name: (contents(path), Path(path).is_dir()) for name, path in named.items()}
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
            os.environ |= QUIET
            search(args, words, parsed, space, files, journal)
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
