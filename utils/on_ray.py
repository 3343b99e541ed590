"""A sweep on Ray Tune: what travels to the workers, a trial there, and the cluster.

The only module that imports Ray; it does so when a sweep starts.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import logging
import math
import os
import re
import shutil
import socket
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from utils import InputError, sweep
from utils.files import alive

REPOSITORY = Path(__file__).parents[1]
TEMPORARY = re.compile(r"tune(\d+)-\w+")  # folders of Ray's, by process
WORST = 1e30  # a score that is no number; infinite ones upset the percentiles of ASHA
RETRIES = 3  # of a trial whose worker or node died
ROUND = 100  # trials, at least; then Ray's books on them, and its workers, are given back
DIED = "its worker died again and again, as if the memory were full or packages were missing"
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_AUTO_CALLBACK_SYNCER": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_FUNCTION_THREAD_TIMEOUT_S": "60",  # a stopped trial ends its epoch
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # trials.csv is what a sweep goes on from
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
ONE_CORE = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


# ------------------------------------------------------------------ what travels, and a trial


def contents(path: str | Path) -> dict[str, bytes]:
    """Return the files of a path, a file or a folder, by relative name: bytes."""
    path = Path(path)
    try:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file())
            return {str(file.relative_to(path)): file.read_bytes() for file in files}
        return {path.name: path.read_bytes()}
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def unpacked(files: dict[str, bytes], is_folder: bool, folder: Path) -> str:
    """Write files into a folder of the worker; return where they are."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return str(folder if is_folder else folder / next(iter(files)))


def trial(settings: dict, lesson: str, worst: float, words: Sequence[str], files: dict) -> None:
    """Train a lesson with some settings, on a worker; report each epoch's validation score."""
    from ray import tune

    gc.collect()  # what the worker's last trial left
    module = importlib.import_module(lesson)
    report = {"score": worst, "ended": False, "failed": ""}

    def on_epoch(score):
        report["score"] = score if math.isfinite(score) else worst
        tune.report(report)

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        args = module.parse_args([*words, *sweep.flags(settings), "--output-dir", folder])
        for name, (found, is_folder) in files.items():
            vars(args)[name] = unpacked(found, is_folder, Path(folder, name))
        try:
            module.learn(module.prepare(args), args, on_epoch)
        except Exception as error:  # it would fail again: only a worker's death is tried again
            reason = str(error) if isinstance(error, InputError) else repr(error)
            report |= {"score": worst, "failed": reason}
    tune.report(report | {"ended": True})


# ------------------------------------------------------------------ the sweep


def search(
    lesson: str,
    words: Sequence[str],
    files: dict,
    space: dict[str, sweep.Range],
    defaults: dict,
    journal: sweep.Journal,
    *,
    trials: int,
    epochs: int,
    best: Callable,
    seed: int,
    address: str | None,
) -> None:
    """Run trials until the journal has as many as were asked for.

    Args:
        lesson: a module's name.
        words: its flags, but for those that vary.
        files: by flag: `contents` of what it names, and whether that is a folder.
        space: what varies.
        defaults: of what varies.
        journal: of what is finished.
        trials: how many in all.
        epochs: of a trial, at most.
        best: min or max, of the scores.
        seed: of what is tried.
        address: of a cluster; without one, Ray starts on this machine.

    Raises:
        InputError: if there is no cluster.
    """
    os.environ |= QUIET  # before Ray is imported
    import ray
    from ray import tune

    worst = WORST if best is min else -WORST
    watch, lost, in_vain = sweep.Watch(journal, trials), [], 0
    given = {"lesson": lesson, "worst": worst, "words": words, "files": files}
    judged = {"metric": "score", "mode": best.__name__}
    with cluster(address) as temporary:
        journal.begin()
        task = tune.with_resources(tune.with_parameters(trial, **given), {"cpu": 1})
        most = max(ROUND, ROUND // 5 * int(ray.cluster_resources().get("CPU", 1)))
        stops = tune.schedulers.ASHAScheduler(
            max_t=epochs + 2, grace_period=max(1, epochs // 9), reduction_factor=3, **judged
        )
        try:
            while (left := watch.left()) and in_vain <= RETRIES:
                known = known_points(journal, space, defaults)
                count = min(left - len(lost), most)
                if not count:  # all others have ended
                    count, known = len(lost[:most]), {"points_to_evaluate": lost[:most]}
                    del lost[:most]
                chooses = searcher(space, seed + len(journal.rows), **known, **judged)
                config = tune.TuneConfig(
                    search_alg=chooses, scheduler=stops, num_samples=count, reuse_actors=True
                )
                run = tune.RunConfig(  # a new one: Ray's own callbacks in it keep all trials
                    name="sweep",
                    storage_path=temporary,
                    callbacks=[told(watch, worst, lost)],
                    failure_config=tune.FailureConfig(max_failures=RETRIES),
                    verbose=0,
                )
                tune.Tuner(task, tune_config=config, run_config=run).fit()
                in_vain = in_vain + 1 if watch.left() == left else 0
            for settings in lost:
                watch.ended(
                    "", settings, status="failed", val=math.copysign(math.inf, worst), epochs=0,
                    seconds=0.0, node="", failed=DIED,
                )  # fmt: skip
        finally:
            watch.say(last=True)


def known_points(journal: sweep.Journal, space: dict[str, sweep.Range], defaults: dict) -> dict:
    """Return what Optuna is told at first: the finished trials, or else to begin with the defaults.

    Not with these if one of them lies outside of the space: Optuna takes whole points.
    """
    if journal.rows:
        points = [{name: row[name] for name in space} for row in journal.rows]
        rewards = [max(-WORST, min(row["val"], WORST)) for row in journal.rows]
        return {"points_to_evaluate": points, "evaluated_rewards": rewards}
    inside = all(space[name].holds(value) for name, value in defaults.items())
    return {"points_to_evaluate": [defaults]} if inside else {}


def searcher(space: dict[str, sweep.Range], seed: int, **known) -> object:
    """Return what chooses the settings to try: Optuna's TPE.

    Its seed moves on with the trials that are finished, or it would begin with the same ones again.
    """
    import optuna
    from ray.tune.search.optuna import OptunaSearch

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", module="optuna")
    distributions = {name: found.distribution() for name, found in space.items()}
    return OptunaSearch(distributions, seed=seed % 2**32, **known)


def told(watch: sweep.Watch, worst: float, lost: list[dict]) -> object:
    """Return Ray's callback that tells how trials go, and whose worker died for good."""
    from ray import tune

    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # a lost trial is tried again

    class Told(tune.Callback):
        def on_trial_result(self, iteration, trials, trial, result, **info):
            watch.goes_on(trial.trial_id, result["score"])

        def on_trial_complete(self, iteration, trials, trial, **info):
            found = trial.last_result
            failed = found["failed"] or ("no finite score" if found["score"] == worst else "")
            watch.ended(
                trial.trial_id,
                trial.config,
                status="failed" if failed else "done" if found["ended"] else "stopped",
                val=math.copysign(math.inf, worst) if failed else found["score"],
                epochs=found["training_iteration"] - found["ended"],
                seconds=round(found["time_total_s"], 2),
                node=found["hostname"],
                failed=failed,
            )

        def on_trial_error(self, iteration, trials, trial, **info):
            watch.lost(trial.trial_id)
            lost.append(dict(trial.config))

    return Told()


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[str]:
    """Join a Ray cluster, or start one on this machine's cores and end it, leaving nothing."""
    import ray

    for left in Path(tempfile.gettempdir()).glob("tune*-*"):  # by a run that was killed
        if (found := TEMPORARY.fullmatch(left.name)) and not alive(int(found[1])):
            shutil.rmtree(left, ignore_errors=True)
    temporary = tempfile.mkdtemp(prefix=f"tune{os.getpid()}-")  # short: it holds sockets
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
