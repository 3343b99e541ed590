"""A training that survives its process: after each epoch, all it needs to go on, in one file."""

from __future__ import annotations

import argparse
import hashlib
import json
import zipfile
from pathlib import Path

from utils import InputError
from utils.files import written_whole

import keras
import numpy as np

FREE = {"begin", "csv", "data", "output_dir", "resume", "show"}  # flags that change no digit


def plan_of(args: argparse.Namespace, *data: np.ndarray | bytes) -> dict:
    """Return what a run and the run that resumes it must have in common, as JSON.

    Args:
        args: of a lesson; a file's name may change.
        *data: what is learned from; its content may not.
    """
    flags = {name: value for name, value in vars(args).items() if name not in FREE}
    digest = hashlib.sha256()
    for part in data:
        digest.update(part if isinstance(part, bytes) else np.ascontiguousarray(part))
    return json.loads(json.dumps({**flags, "data": digest.hexdigest()}, default=str))


class Checkpoint:
    """A file from which a training goes on, with the same digits as if it had not been killed.

    Args:
        path: of the file, an .npz.
        plan: of `plan_of`.
        resume: whether to go on from the file; if there is none, this says so.

    Attributes:
        epoch: how many epochs are done.
        ended: whether the training had ended, so that none are left.
        seconds: that it took so far.
        notes: what the run chose before it trained: JSON, to be set before the first `save`.
        state: what else `save` was given.

    Raises:
        InputError: if the file can't be read, or is of a run with another plan.
    """

    def __init__(self, path: str | Path, plan: dict, resume: bool):
        self.path, self.plan = Path(path), plan
        self.epoch, self.ended, self.seconds, self.notes = 0, False, 0.0, {}
        self.state, self.arrays = {}, {}
        if not resume:
            self.path.unlink(missing_ok=True)  # or a later --resume would find it
        elif self.path.exists():
            self._read()
            print(f"--resume: {self.path} has {self.epoch} epochs; going on from there.")
        else:
            print(f"--resume: no {self.path} yet; starting from the beginning.")

    def save(
        self,
        network: keras.Model,
        best: list[np.ndarray],
        *,
        epoch: int,
        ended: bool,
        seconds: float,
        **state,
    ) -> None:
        """Write all that goes on: the network, its optimizer, the seeds of its noise and the rest.

        Args:
            network: compiled, and trained by an epoch or more.
            best: its best weights so far.
            epoch: how many are done.
            ended: whether no more will follow.
            seconds: since the training began.
            **state: what else the training must know to go on, as JSON.
        """
        arrays = {f"variable_{i}": value.numpy() for i, value in enumerate(_variables(network))}
        arrays |= {f"best_{i}": value for i, value in enumerate(best)}
        facts = {"epoch": epoch, "ended": ended, "seconds": seconds, "notes": self.notes}
        text = json.dumps({"plan": self.plan, **facts, "state": state})
        self.path.parent.mkdir(exist_ok=True)
        with written_whole(self.path) as beside:
            np.savez(beside, facts=np.array(text), **arrays)

    def restore(self, network: keras.Model) -> list[np.ndarray]:
        """Give a compiled network its state back, and return the best weights so far."""
        network.optimizer.build(network.trainable_variables)
        for i, variable in enumerate(_variables(network)):
            variable.assign(self.arrays[f"variable_{i}"])
        return [self.arrays[f"best_{i}"] for i in range(len(network.weights))]

    def remove(self) -> None:
        """Remove the file: the run has ended well."""
        self.path.unlink(missing_ok=True)

    def _read(self):
        try:
            with np.load(self.path) as arrays:
                self.arrays = dict(arrays)
            facts = json.loads(str(self.arrays.pop("facts")))
            plan = facts.pop("plan")
            vars(self).update(facts)
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise InputError(f"{self.path} is not a checkpoint; leave out --resume") from error
        for name in sorted(plan.keys() | self.plan.keys()):
            was, now = plan.get(name), self.plan.get(name)
            if was != now:
                differs = "other data" if name == "data" else f"--{name.replace('_', '-')} {was}"
                raise InputError(
                    f"--resume: {self.path} is of a run with {differs}; give it the same flags and "
                    "data, or leave out --resume to start anew"
                )


def _variables(network):
    return [*network.variables, *network.optimizer.variables]
