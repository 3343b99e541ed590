"""Compile, fit, stop early, save, load."""

from __future__ import annotations

import json
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from utils import InputError
from utils.checkpoint import Checkpoint
from utils.files import written_whole

import keras
import pandas as pd
import tensorflow as tf

AT_ONCE = 16  # steps per compiled call, and so at least per epoch: of a short series, many passes
DIVERGED = 1.5  # times the error before training: beyond, nothing was learned
MAX_WINDOWS = 100_000  # per epoch: a long series is scored before a pass ends


class Fit(NamedTuple):
    """What a training leaves behind, besides the weights."""

    history: pd.DataFrame  # a row per epoch: loss, val_loss and, where there is one, the metric
    judged: str  # the column that decided
    before: float  # the same, before the first step
    epochs: int  # that were planned
    seconds: float
    interrupted: bool

    @property
    def lowest(self) -> float:
        """What the best epoch was judged by."""
        return min(self.before, float(self.history[self.judged].min()))

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights are kept; 0 if none was better than no training."""
        return int(self.history[self.judged].idxmin()) if self.lowest < self.before else 0

    def __str__(self):
        last = len(self.history)
        if self.interrupted:
            why = "was interrupted"
        elif last < self.epochs:
            why = "stopped, since a third of the epochs had brought nothing better,"
        else:
            why = "ended as planned"
        return (
            f"Training {why} after epoch {last} of {self.epochs}; kept is epoch {self.best_epoch}."
        )


def steps_per_epoch(windows: int, batch_size: int) -> int:
    """Return the training steps that see every window once, or MAX_WINDOWS of them.

    It is a multiple of AT_ONCE, since Keras would round each epoch up to that, and a schedule that
    counts the steps would end before the training does.
    """
    return -(-min(windows, MAX_WINDOWS) // (batch_size * AT_ONCE)) * AT_ONCE


def one_device(optimizer: type[keras.optimizers.Optimizer]) -> type[keras.optimizers.Optimizer]:
    """Return a kind of optimizer that doesn't sum its gradients over devices.

    Keras does so for one device too, through a function that TensorFlow keeps forever, and with it
    the graph of the whole training: 90 MB of each that a process makes.
    """

    class OneDevice(optimizer):
        def _all_reduce_sum_gradients(self, grads_and_vars):
            return grads_and_vars

    return OneDevice


def averaging_adam(learning_rate: float, steps: int) -> keras.optimizers.Optimizer:
    """Return Adam with a cosine schedule to zero, clipped gradients and averaged weights.

    The average is over about the last 50 steps, which takes out the noise of single batches. Keras'
    own starts at the weights after step 1 and clings to them; here the first steps are a plain
    mean, and so no step weighs more than a later one.
    """

    class AveragingAdam(one_device(keras.optimizers.Adam)):
        def _update_model_variables_moving_average(self, trainable_variables):
            momentum = tf.minimum(
                self.ema_momentum, 1 - 1 / (tf.cast(self.iterations, tf.float32) + 1)
            )
            for weight, average in zip(
                trainable_variables, self._model_variables_moving_average, strict=True
            ):
                average.assign(momentum * average + (1 - momentum) * weight)

    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    return AveragingAdam(schedule, clipnorm=1.0, use_ema=True, ema_momentum=0.98)


def fit(
    network: keras.Model,
    loss: Callable,
    batches: tf.data.Dataset,
    val_batches: tf.data.Dataset,
    *,
    steps: int,
    epochs: int,
    learning_rate: float,
    metric: Callable | None = None,
    quiet: bool = False,
    checkpoint: Checkpoint | None = None,
    on_epoch: Callable[[float], None] | None = None,
) -> Fit:
    """Train; keep the weights of the epoch that was best in validation, or those from before.

    Training stops when a third of the epochs have brought nothing better.

    Args:
        network: from what the batches hold to a forecast.
        loss: of actual and predicted.
        batches: (inputs, targets), without end.
        val_batches: (inputs, targets), the validation part once.
        steps: training steps per epoch; see `steps_per_epoch`.
        epochs: at most.
        learning_rate: at the start; see `averaging_adam`.
        metric: of actual and predicted: what epochs are judged by, if not by the loss.
        quiet: whether to print nothing.
        checkpoint: from which to go on, and which is renewed after each epoch.
        on_epoch: is told after each epoch what the best one so far was judged by.

    Returns:
        the history, the seconds, and whether Ctrl-C ended the training; the network then has the
        best weights so far.

    Raises:
        KeyboardInterrupt: if Ctrl-C came before the first epoch ended.
        InputError: if no epoch brought the network to where it was before, or to finite numbers.
    """
    judged = f"val_{metric.__name__ if metric else 'loss'}"
    _compile(network, loss, metric, steps, epochs * steps, learning_rate)
    untrained, start = network.get_weights(), time.perf_counter()
    before = network.evaluate(val_batches, verbose=0, return_dict=True)[judged.removeprefix("val_")]
    averaged = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    best = keras.callbacks.EarlyStopping(
        judged, mode="min", patience=-(-epochs // 3), restore_best_weights=True
    )
    log, first, interrupted = keras.callbacks.History(), 0, False
    callbacks = [averaged, best, log]
    if checkpoint:
        first = epochs if checkpoint.ended else checkpoint.epoch
        start -= checkpoint.seconds
        batches = batches.skip(checkpoint.epoch * steps)
        kept = _judging(best, log, checkpoint)
        callbacks.append(survival(checkpoint, network, averaged, start, *kept))
    if on_epoch:
        told = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: on_epoch(float(best.best)))
        callbacks.append(told)
    try:
        network.fit(
            batches,
            steps_per_epoch=steps,
            validation_data=val_batches,
            epochs=epochs,
            initial_epoch=first,
            callbacks=callbacks,
            shuffle=False,  # the batches are
            verbose=0 if quiet else 1 if sys.stdout.isatty() else 2,
        )
    except KeyboardInterrupt:
        if best.best_weights is None:  # not one epoch: nothing worth keeping
            raise
        interrupted = True
        network.set_weights(best.best_weights)
        print("\nInterrupted: going on with the best weights so far", flush=True)
    history = pd.DataFrame(log.history)
    history.index = pd.RangeIndex(1, len(history) + 1, name="epoch")
    learned = Fit(history, judged, before, epochs, time.perf_counter() - start, interrupted)
    if not history[judged].min() < DIVERGED * before:
        if checkpoint:
            checkpoint.remove()
        raise InputError(
            f"the training diverged: its validation error was {before:.4g} before the first step "
            f"and never below {history[judged].min():.4g} after; lower --learning-rate"
        )
    if not learned.best_epoch:
        network.set_weights(untrained)
    return learned


def _judging(best, log, checkpoint):
    """Return what `survival` keeps and gives back: the best weights, the judge's state, history."""

    def kept():
        judging = {name: getattr(best, name) for name in ("best", "best_epoch", "wait")}
        return best.best_weights, {"judging": judging, "history": log.history}

    def give_back(weights, state):
        vars(best).update(state["judging"], best_weights=weights)
        log.history, log.epoch = state["history"], list(range(checkpoint.epoch))

    return kept, give_back


def survival(
    checkpoint: Checkpoint,
    network: keras.Model,
    averaged: keras.callbacks.SwapEMAWeights,
    start: float,
    kept: Callable[[], tuple[list, dict]],
    give_back: Callable[[list, dict], None],
) -> keras.callbacks.Callback:
    """Return the last callback of a training: it renews a checkpoint, and first restores it.

    Args:
        checkpoint: to go on from, and to renew.
        network: that trains.
        averaged: swaps its weights on epochs.
        start: when the training began, by `time.perf_counter`.
        kept: returns the best weights so far, and what else the training must know to go on, JSON.
        give_back: takes what `kept` returned.
    """

    def restore(logs=None):
        if checkpoint.epoch:
            give_back(checkpoint.restore(network), checkpoint.state)
            averaged._ema_weights_in_model = True  # as it leaves them after an epoch

    def save(epoch, logs=None):
        weights, state = kept()
        checkpoint.save(
            network,
            weights,
            epoch=epoch + 1,
            ended=bool(network.stop_training),
            seconds=time.perf_counter() - start,
            **state,
        )

    return keras.callbacks.LambdaCallback(on_train_begin=restore, on_epoch_end=save)


def refit(
    network: keras.Model,
    loss: Callable,
    batches: tf.data.Dataset,
    *,
    steps: int,
    epochs: int,
    planned: int,
    learning_rate: float,
) -> None:
    """Train once more, for as many epochs as a validation found best, with nothing held back.

    Args:
        network: not trained yet.
        loss: as in `fit`, like the rest.
        batches: of all rows.
        steps: training steps per epoch, as they were.
        epochs: how many to train.
        planned: how many the learning rate was planned for.
        learning_rate: at the start.
    """
    _compile(network, loss, None, steps, planned * steps, learning_rate)
    averaged = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    network.fit(
        batches,
        steps_per_epoch=steps,
        epochs=epochs,
        callbacks=[averaged],
        shuffle=False,
        verbose=0,
    )


def _compile(network, loss, metric, steps, all_steps, learning_rate):
    network.compile(
        averaging_adam(learning_rate, all_steps),
        loss,
        metrics=[metric] if metric else [],
        steps_per_execution=min(AT_ONCE, steps),
    )


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
