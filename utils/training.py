"""Compile, fit, stop early, save, load."""

import json
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from utils import InputError
from utils.files import written_whole
from utils.series.windows import Parts, in_order, shuffled

import keras
import numpy as np
import pandas as pd

AT_ONCE = 16  # steps per compiled call, and so at least per epoch: of a short series, many passes
MAX_WINDOWS = 100_000  # per epoch, and for its validation: a long series is scored before it ends


class Fit(NamedTuple):
    """What a training leaves behind, besides the weights."""

    history: pd.DataFrame  # a row per epoch: loss, val_loss
    seconds: float
    interrupted: bool


def fit(
    network: keras.Model,
    loss: Callable,
    values: np.ndarray,
    parts: Parts,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
) -> Fit:
    """Train on the train windows; keep the weights of the epoch that was best in validation.

    Training stops when a third of the epochs have brought nothing better.

    Adam with a cosine schedule down to zero, gradients clipped to norm 1, and the weights averaged
    over the last steps (`use_ema`), which takes out the noise of single batches.

    Args:
        network: (batch, input_steps, columns) -> (batch, targets).
        loss: of (batch, targets) actual and predicted.
        values: (time, columns), the network's inputs; the first columns are its targets.
        parts: target rows.
        epochs: at most; of a series longer than MAX_WINDOWS, an epoch is a part of one pass.
        batch_size: windows per batch.
        learning_rate: at the start.
        seed: of the windows' order.

    Returns:
        the history, the seconds, and whether Ctrl-C ended the training; the network then has the
        best weights so far.

    Raises:
        KeyboardInterrupt: if Ctrl-C came before the first epoch ended.
        InputError: if no epoch had a finite validation loss.
    """
    _, input_steps, _ = network.input_shape
    _, targets = network.output_shape
    batch_size = min(batch_size, len(parts.train))
    steps = -(-min(len(parts.train), MAX_WINDOWS) // (batch_size * AT_ONCE)) * AT_ONCE
    val_rows = parts.val[:: -(-len(parts.val) // MAX_WINDOWS)]
    network.compile(
        keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(learning_rate, epochs * steps),
            clipnorm=1.0,
            use_ema=True,
            ema_momentum=0.98,
        ),
        loss,
        steps_per_execution=AT_ONCE,
    )
    log = keras.callbacks.History()
    best = keras.callbacks.EarlyStopping(patience=-(-epochs // 3), restore_best_weights=True)
    start, interrupted = time.perf_counter(), False
    try:
        network.fit(
            shuffled(values, parts.train, input_steps, targets, batch_size, seed),
            steps_per_epoch=steps,
            validation_data=in_order(values, val_rows, input_steps, targets),
            epochs=epochs,
            callbacks=[keras.callbacks.SwapEMAWeights(swap_on_epoch=True), best, log],
            shuffle=False,  # `shuffled` did
            verbose=1 if sys.stdout.isatty() else 2,
        )
    except KeyboardInterrupt:
        if best.best_weights is None:  # not one epoch: nothing worth keeping
            raise
        interrupted = True
        network.set_weights(best.best_weights)
        print("\nInterrupted: going on with the best weights so far", flush=True)
    seconds = time.perf_counter() - start
    history = pd.DataFrame(log.history, columns=["loss", "val_loss"])
    history.index = pd.RangeIndex(1, len(history) + 1, name="epoch")
    if not np.isfinite(history["val_loss"]).any():
        raise InputError("the training diverged; lower --learning-rate")
    return Fit(history, seconds, interrupted)


def save(path: str | Path, network: keras.Model, facts: dict) -> None:
    """Save a network, and facts (JSON) that its user must know, as one `.keras` file, whole."""
    with written_whole(path) as beside:
        network.save(beside)
        with zipfile.ZipFile(beside, "a") as archive:  # Keras passes over members it doesn't know
            archive.writestr("facts.json", json.dumps(facts, allow_nan=False))


def load(path: str | Path, script: str) -> tuple[keras.Model, dict]:
    """Load what `save` wrote, in Keras' safe mode: a stranger's file must not run code.

    Args:
        path: of the .keras file.
        script: that saved it, as the facts say under "script".

    Raises:
        InputError: if the file can't be read, isn't from `script`, or would have to run code.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            facts = json.loads(archive.read("facts.json"))
        saved_by = facts.pop("script")
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a broken or hostile file may fail anywhere in Keras
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(f"{path} is not a model that {script} saved ({reason})") from error
    if saved_by != script:
        raise InputError(f"{path} is a model of {saved_by}, not of {script}")
    return network, facts
