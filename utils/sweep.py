"""A sweep on Ray Tune: what varies, a trial on a worker, the table of trials, the cluster.

Ray is imported when a sweep starts, so that flags are checked where it is missing, too.
"""

import contextlib
import importlib
import io
import logging
import math
import os
import socket
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from utils import InputError
from utils.files import write_csv

import pandas as pd

WORST = 1e30  # a score that is no number; infinite ones upset the percentiles of ASHA
RETRIES = 4  # of a trial whose worker or node died
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0", "RAY_CHDIR_TO_TRIAL_DIR": "0", "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1", "TUNE_DISABLE_SIGINT_HANDLER": "1",
}  # fmt: skip


def rounded(value: object, digits: int = 4) -> object:
    """Round numbers that aren't whole to significant digits, as flags and tables show them."""
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def values(text: str) -> tuple:
    """Return the choices in "32/64/128", "gru/lstm" or "yes/no", the ends of the range "16:128".

    Raises:
        InputError: if it is neither.
    """
    words = text.split("/" if "/" in text else ":")
    found = tuple({"yes": True, "no": False}.get(word, word) for word in words)
    for kind in (float, int):
        with contextlib.suppress(ValueError):
            found = tuple(rounded(kind(word)) for word in words)
    choices = "/" in text and "" not in found and len(set(found)) == len(found)
    ends = "/" not in text and len(found) == 2 and not isinstance(found[0], str)
    if choices or (ends and -math.inf < found[0] < found[1] < math.inf):
        return found
    how = "write units=16:128 or batch-size=32/64/128"
    raise InputError(f"--search: {text!r} is no range and no choice; {how}")


def holds(text: str, value: object) -> bool:
    """Say whether a value is one of the choices, or lies within the range."""
    found = values(text)
    return value in found if "/" in text else value is not None and found[0] <= value <= found[1]


def flags(settings: dict) -> list[str]:
    """Return settings as a lesson's flags."""
    words = []
    for name, value in settings.items():
        switch = {True: [f"--{name}"], False: [f"--no-{name}"]}
        words += switch[value] if isinstance(value, bool) else [f"--{name}", str(rounded(value))]
    return words


def contents(path: str | Path) -> dict[str, bytes]:
    """Return a file, or all of a folder, by name relative to where it lies; or else InputError."""
    path = Path(path).absolute()
    try:
        files = [path] if not path.is_dir() else sorted(filter(Path.is_file, path.rglob("*")))
        return {str(file.relative_to(path.parent)): file.read_bytes() for file in files}
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def trial(settings: dict, lesson: str, words: Sequence[str], files: dict, worst: float) -> None:
    """Train a lesson with some settings, further words and files; report the score by epoch."""
    from ray import tune

    report = {"score": worst, "epochs": 0, "status": "stopped", "failed": "no finite score"}

    def on_epoch(score):
        report["epochs"] += 1
        if math.isfinite(score):
            report.update(score=float(score), failed="")
        tune.report(report)

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        argv = [*words, *flags(settings), "--output-dir", str(Path(folder, "out"))]
        for flag, content in files.items():
            for name, data in content.items():
                path = Path(folder, flag, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            argv += [f"--{flag}", *map(str, Path(folder, flag).iterdir())]
        try:
            importlib.import_module(lesson).main(argv, on_epoch=on_epoch)
            report["status"] = "done"
        except Exception as error:  # it would fail again: only a worker's death is tried again
            reason = str(error) if isinstance(error, InputError) else repr(error)
            report.update(score=worst, failed=reason)
    tune.report(report)


class Trials:
    """trials.csv: a row for each trial that has ended, written at once, so that no kill loses one.

    `Tuner.restore` forgets what ended in the last seconds and can't prolong a sweep. From these
    rows the searcher learns as well.
    """

    def __init__(self, path: Path, best_of: Callable, wanted: int, resume: bool):
        self.path, self.best_of, self.wanted, self.rows = path, best_of, wanted, []
        if resume and path.exists():
            self.rows = pd.read_csv(path, keep_default_na=False).to_dict("records")

    def add(self, trial: Any, failed: str = "") -> None:
        """Add one of Ray's trials, and say how the sweep goes."""
        last = trial.last_result or {}
        failed = failed or last["failed"]
        worst = math.inf if self.best_of is min else -math.inf
        row = {"trial": len(self.rows) + 1, "status": "failed" if failed else last["status"]}
        row |= {"val": worst if failed else rounded(last["score"], 8)}
        row |= {"epochs": last.get("epochs", 0), "seconds": round(last.get("time_total_s", 0.0), 2)}
        row |= {"at": round(time.time(), 1), "node": last.get("hostname", ""), "failed": failed}
        settings = {name: rounded(value) for name, value in trial.config.items()}
        self.rows.append(row | settings)
        write_csv(pd.DataFrame(self.rows).set_index("trial"), self.path)
        text = f"{row['trial']:6}/{self.wanted} {row['status']:7} {row['val']:10.4g}"
        best = (self.best() or row)["val"]
        print(f"{text}  best {best:.4g}  {' '.join(flags(settings))}", flush=True)

    def best(self) -> dict | None:
        """Return the row with the best score; None, if no trial succeeded."""
        good = [row for row in self.rows if row["status"] != "failed"]
        return self.best_of(good, key=lambda row: row["val"], default=None)


def search(storage, trials, space, defaults, *, epochs, seed, **given):
    """Run trials until as many as are wanted have ended, in a folder from `cluster`.

    The space has a range or choices, as text, by flag; the lesson's own values are tried first, if
    they lie within. `trial` is given a lesson, words and files, and has so many epochs at most.
    """
    import optuna
    from ray import tune
    from ray.tune.search.optuna import OptunaSearch

    class Ended(tune.Callback):
        def on_trial_complete(self, trial, **info):
            trials.add(trial)

        def on_trial_error(self, trial, **info):
            why = "its worker died again and again: is the memory full, or a package missing?"
            trials.add(trial, why)

    judged = {"metric": "score", "mode": trials.best_of.__name__}
    worst = -trials.best_of(-WORST, WORST)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # trials.csv says what failed
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", module="optuna")
    known = [{name: row[name] for name in space} for row in trials.rows]
    rewards = [max(-WORST, min(row["val"], WORST)) for row in trials.rows]
    if not known and all(holds(space[name], value) for name, value in defaults.items()):
        known = [defaults]
    kinds, ranges = optuna.distributions, {}
    for name, text in space.items():
        found = values(text)
        if "/" in text:
            ranges[name] = kinds.CategoricalDistribution(found)
        else:  # on a logarithmic scale, where it spans more than a few times
            kind = kinds.IntDistribution if isinstance(found[0], int) else kinds.FloatDistribution
            ranges[name] = kind(*found, log=0 < 8 * found[0] <= found[1])
    seed = (seed + len(trials.rows)) % 2**32  # or it would begin with the same ones again
    searcher = OptunaSearch(
        ranges, points_to_evaluate=known, evaluated_rewards=rewards, seed=seed, **judged
    )
    stops = tune.schedulers.ASHAScheduler(  # max_t: not even the last report reaches it
        max_t=epochs + 2, grace_period=max(1, epochs // 9), reduction_factor=3, **judged
    )
    left, again = trials.wanted - len(trials.rows), tune.FailureConfig(max_failures=RETRIES)
    goal = tune.TuneConfig(search_alg=searcher, scheduler=stops, num_samples=left)
    job = tune.with_resources(tune.with_parameters(trial, worst=worst, **given), {"cpu": 1})
    run = tune.RunConfig(storage_path=storage, callbacks=[Ended()], failure_config=again, verbose=0)
    tune.Tuner(job, tune_config=goal, run_config=run).fit()


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[str]:
    """Join a Ray cluster, or start one on this machine's cores and end it, leaving nothing.

    Yields a folder for what Ray writes meanwhile. InputError: no cluster answers at the address.
    """
    os.environ |= SETTINGS  # before Ray is imported
    import ray

    with contextlib.ExitStack() as after:
        folder = tempfile.TemporaryDirectory(prefix="tune", ignore_cleanup_errors=True)
        temporary = after.enter_context(folder)  # a short name: it holds sockets
        after.callback(ray.shutdown)
        one_core = "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"
        environment: dict = {"env_vars": dict.fromkeys(one_core, "1") | SETTINGS}
        settings = {"runtime_env": environment, "logging_level": "ERROR", "log_to_driver": False}
        if address:
            settings["address"] = address
            environment["working_dir"] = str(Path(__file__).parents[1])
            environment["excludes"] = ["/.*", "/outputs", "/figures", "/data", "/tests"]
        else:
            settings |= {"include_dashboard": False, "_temp_dir": temporary}
            environment["env_vars"]["TMPDIR"] = temporary
        try:
            if address and address != "auto":  # Ray itself would try for minutes
                host, _, port = address.rpartition(":")
                socket.create_connection((host, int(port)), timeout=10).close()
            ray.init(**settings)
        except (OSError, ValueError) as error:
            hint = "give HOST:PORT as ray start --head printed it, or auto on one of its machines"
            why = f"no Ray cluster answers there; {hint}"
            raise InputError(f"--address {address}: {why}") from error
        yield temporary
