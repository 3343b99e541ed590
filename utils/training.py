"""Fit with early stopping and a history; save and load. What is compiled is the script's choice."""

import json
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from utils import InputError
from utils.files import written_whole

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

STEPS_PER_CALL = 16  # training steps per compiled call, and so at least per epoch
VERSION = 3  # of what saved models hold
EPOCH_WINDOWS = 100_000  # at most: a long series is validated before a pass ends


class Fit(NamedTuple):
    """What a training leaves behind, besides the weights."""

    history: pd.DataFrame  # a row per epoch: loss and val_loss
    best_epoch: int  # whose weights are kept
    epochs: int  # that were planned
    seconds: float
    interrupted: bool

    def __str__(self):
        ended = "was interrupted" if self.interrupted else "ended"
        last, kept = len(self.history), self.best_epoch
        return f"Training {ended} after epoch {last} of {self.epochs}; kept is epoch {kept}."


def steps_per_epoch(windows: int, batch_size: int) -> int:
    """Return the training steps that see every window once, or EPOCH_WINDOWS of them.

    It is a multiple of STEPS_PER_CALL, since Keras would round each epoch up to that, and a
    schedule that counts the steps would end before the training does.
    """
    return -(-min(windows, EPOCH_WINDOWS) // (batch_size * STEPS_PER_CALL)) * STEPS_PER_CALL


def fit(
    network: "keras.Model",
    batches: "tf.data.Dataset",
    val_batches: "tf.data.Dataset | None",
    *,
    steps: int,
    epochs: int,
    stop_early: bool = True,
    on_epoch: Callable[[float], None] | None = None,
) -> Fit:
    """Train until a third of the epochs brought nothing better; keep the best epoch's weights.

    Where the optimizer averages weights (`use_ema`), these are what is validated and kept. Ctrl-C
    ends the training, too, once an epoch has ended.

    Args:
        network: compiled.
        batches: (inputs, targets), without end.
        val_batches: the validation part once; None if nothing is held back.
        steps: training steps per epoch; see `steps_per_epoch`.
        epochs: at most.
        stop_early: if not, or without validation, the last weights are kept.
        on_epoch: is given the lowest validation loss so far after each epoch.

    Raises:
        InputError: if the loss is no number any more.
    """
    start, interrupted = time.perf_counter(), False
    log, kept = keras.callbacks.History(), []  # kept: a loss, its epoch, its weights
    stop_early = stop_early and val_batches is not None

    def after_epoch(epoch, logs):  # while the averages are in the network
        loss = logs["val_loss"] if stop_early else -epoch
        if not kept or loss < kept[0]:
            kept[:] = loss, epoch + 1, network.get_weights()
        useless = epoch + 1 - kept[1] >= epochs / 3
        network.stop_training = useless or not np.isfinite(logs["loss"])
        if on_epoch:
            on_epoch(min(log.history["val_loss"]))

    averaged = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] * network.optimizer.use_ema
    ours = keras.callbacks.LambdaCallback(on_epoch_end=after_epoch)
    network.optimizer.build(network.trainable_variables)  # in a step, `fit` would trace that twice
    try:
        network.fit(
            batches, steps_per_epoch=steps, epochs=epochs, validation_data=val_batches,
            shuffle=False, callbacks=[*averaged, log, ours],  # they are shuffled
            verbose=1 if sys.stdout.isatty() else 2,
        )  # fmt: skip
    except KeyboardInterrupt:
        if not kept:  # not one epoch: nothing worth keeping
            raise
        interrupted = True
        print("\nInterrupted: going on with the weights so far", flush=True)
    history = pd.DataFrame(log.history).rename_axis("epoch").rename(lambda epoch: epoch + 1)
    if not np.isfinite(history.iloc[:, -1]).all():
        raise InputError("the training diverged: its loss is no number; lower --learning-rate")
    network.set_weights(kept[2])
    return Fit(history, kept[1], epochs, time.perf_counter() - start, interrupted)


def save(path: str | Path, network: "keras.Model", facts: dict) -> None:
    """Save a network, and facts (JSON) that its user must know, as one `.keras` file, whole."""
    with written_whole(path) as beside:
        network.save(beside)
        text = json.dumps({"version": VERSION, **facts}, allow_nan=False)
        with zipfile.ZipFile(beside, "a") as archive:  # Keras passes over members it doesn't know
            archive.writestr("facts.json", text)


def load(path: str | Path, script: str) -> "tuple[keras.Model, dict]":
    """Load what `save` wrote, in Keras' safe mode: a stranger's file must not run code.

    Raises:
        InputError: if the file can't be read, isn't from `script`, or would have to run code.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            facts = json.loads(archive.read("facts.json"))
        saved_by = facts.pop("script")
        if facts.pop("version", None) != VERSION:
            raise ValueError("another version of this repository did; train it anew")
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a broken or hostile file may fail anywhere in Keras
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(f"{path} is not a model that {script} saved ({reason})") from error
    if saved_by != script:
        raise InputError(f"{path} is a model of {saved_by}, not of {script}")
    return network, facts
