"""A sweep's space, its journal, how it goes, and its picture. Ray is tune.py's business."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from utils import InputError
from utils.files import write_json, written_whole

FACTS = ["trial", "status", "val", "epochs", "seconds", "at", "node", "failed"]
SWITCH = {"yes": True, "no": False}
EVERY = 30  # seconds between lines, if they can't overwrite each other


class Range(NamedTuple):
    """What a setting may be: from the first to the last of two values, or one of several."""

    values: tuple
    choices: bool

    @classmethod
    def parse(cls, text: str) -> Range:
        """Read "16:128", "0.001:0.1", "32/64/128", "gru/lstm" or "yes/no".

        Raises:
            ValueError: if it is none of these.
        """
        words = text.split("/" if "/" in text else ":")
        for kind in (int, float):
            try:
                values = tuple(kind(word) for word in words)
                break
            except ValueError:
                values = tuple(SWITCH.get(word, word) for word in words)
        if "/" in text and "" not in values and len(set(values)) == len(values):
            return cls(values, True)
        finite = all(isinstance(value, int | float) and abs(value) < math.inf for value in values)
        if len(values) == 2 and finite and values[0] < values[1]:
            return cls(values, False)
        raise ValueError(f"{text!r} is no range and no choice")

    def holds(self, value: object) -> bool:
        """Say whether a value lies within."""
        if self.choices or value is None:
            return value in self.values
        return self.values[0] <= value <= self.values[1]

    def distribution(self) -> object:
        """Return it as Optuna's: on a logarithmic scale, where it spans more than a few times."""
        from optuna import distributions

        if self.choices:
            return distributions.CategoricalDistribution(self.values)
        low, high = self.values
        whole = isinstance(low, int)
        kind = distributions.IntDistribution if whole else distributions.FloatDistribution
        return kind(low, high, log=low > 0 and high >= 8 * low)


def rounded(settings: dict) -> dict:
    """Return settings with numbers to four digits, as `flags` gives them to a lesson."""
    return {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in settings.items()
    }


def flags(settings: dict) -> list[str]:
    """Return settings as a lesson's flags."""
    words = []
    for name, value in rounded(settings).items():
        if isinstance(value, bool):
            words.append(f"--{name}" if value else f"--no-{name}")
        else:
            words += [f"--{name}", str(value)]
    return words


# ------------------------------------------------------------------ what is finished


class Journal:
    """trials.csv: a row per finished trial, written when it ends, so that a kill loses none.

    Args:
        folder: to write into.
        settings: their names.
        plan: what two sweeps must have in common to go on from each other, as JSON.
        best: min or max, of the trials' scores.
        resume: whether to go on from what is there.

    Raises:
        InputError: if the folder holds another sweep.
    """

    def __init__(
        self, folder: Path, settings: Sequence[str], plan: dict, best: Callable, resume: bool
    ):
        self.path, self.settings, self.best_of = folder / "trials.csv", list(settings), best
        self.plan, self.rows, kept = plan, [], folder / "sweep.json"
        if resume and kept.exists() and self.path.exists():
            if json.loads(kept.read_text(encoding="utf-8")) != json.loads(json.dumps(plan)):
                raise InputError(
                    f"--resume: {folder} holds a sweep of other flags or data; give it the same, "
                    "or leave out --resume"
                )
            self.rows = self._read()
            print(f"--resume: {len(self.rows)} trials are finished.")
        elif resume:
            print(f"--resume: no sweep in {folder} yet; starting from the beginning.")

    def begin(self) -> None:
        """Write what is known; only now is another sweep in the folder gone."""
        write_json(self.plan, self.path.with_name("sweep.json"))
        with written_whole(self.path) as beside:
            beside.write_text("".join(map(self._line, [None, *self.rows])), encoding="utf-8")

    def append(self, **row: object) -> None:
        """Write one more row."""
        row = {"trial": len(self.rows) + 1, **row}
        self.rows.append(row)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(self._line(row))

    def best(self) -> dict | None:
        """Return the row of the trial with the best score; None, if no trial succeeded."""
        good = [row for row in self.rows if math.isfinite(row["val"])]
        return self.best_of(good, key=lambda row: row["val"], default=None)

    def _line(self, row):
        text, columns = io.StringIO(), FACTS + self.settings
        csv.writer(text, lineterminator="\n").writerow(
            columns if row is None else [row[name] for name in columns]
        )
        return text.getvalue()

    def _read(self):
        text = self.path.read_text(encoding="utf-8")
        text = text[: text.rfind("\n") + 1]  # a kill may have cut the last line
        rows = list(csv.DictReader(io.StringIO(text)))
        return [{name: _value(name, text) for name, text in row.items()} for row in rows]


def _value(name, text):
    if name in ("status", "node", "failed"):
        return text
    if name == "val":
        return float(text)
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {"True": True, "False": False}.get(text, text)


# ------------------------------------------------------------------ how it goes


class Watch:
    """Writes trials into a journal as they end, and says how the sweep goes.

    Args:
        journal: of the sweep.
        trials: how many there will be.
    """

    def __init__(self, journal: Journal, trials: int):
        self.journal, self.trials = journal, trials
        self.before, self.begin = len(journal.rows), time.perf_counter()
        self.offset = max((row["at"] for row in journal.rows), default=0.0)
        self.running, self.said, self.width = {}, -math.inf, 0

    def goes_on(self, trial: str, score: float) -> None:
        """Take note of an epoch's score."""
        self.running[trial] = score
        self.say()

    def lost(self, trial: str) -> None:
        """Take note that a trial must be tried again."""
        self.running.pop(trial, None)

    def ended(self, trial: str, settings: dict, **facts: object) -> None:
        """Take note of a trial's end; `facts` are the columns FACTS, but for trial and at."""
        self.running.pop(trial, None)
        at = self.offset + time.perf_counter() - self.begin
        self.journal.append(at=round(at, 1), **facts, **settings)
        self.say()

    def say(self, last: bool = False) -> None:
        """Print the table's line, not too often."""
        now, terminal = time.perf_counter(), sys.stdout.isatty()
        if not last and now - self.said < (0.3 if terminal else EVERY):
            return
        start = "\r" if terminal else ""
        if self.said == -math.inf:
            print("   done  stopped  failed  running       best      left")
        self.said = now
        line = self.line(now - self.begin)
        print(f"{start}{line}", end="\n" if last or not terminal else "", flush=True)

    def line(self, seconds: float) -> str:
        """Return how many trials are where, the best score so far, and how long it may take."""
        count = Counter(row["status"] for row in self.journal.rows)
        best, finished = self.journal.best(), len(self.journal.rows) - self.before
        left = "?"
        if finished:
            minutes, rest = divmod(round(seconds / finished * self.left()), 60)
            left = f"{minutes}:{rest:02d}"
        counts = f"{count['done']:7}{count['stopped']:9}{count['failed']:8}{len(self.running):9}"
        return f"{counts}{best['val'] if best else math.nan:11.4g}{left:>10}"

    def left(self) -> int:
        """How many trials have not ended."""
        return self.trials - len(self.journal.rows)


def draw(journal: Journal, judged: str, defaults: dict):
    """Draw the score against each setting, and the best so far against time."""
    from utils import plotting

    rows = [row for row in journal.rows if math.isfinite(row["val"])]
    names = journal.settings
    wide = -(-(len(names) + 1) // 2)
    mosaic = [[*names, "time"][:wide], [*names, "time"][wide:]]
    mosaic[1] += ["."] * (wide - len(mosaic[1]))
    figure, axes = plotting.new_figure(mosaic, size=(3.6 * wide, 6.5), sharey=True)
    best = journal.best()
    for name in names:
        text = isinstance(best[name], str | bool)  # or else a number
        for status, colour in (("stopped", plotting.GREY), ("done", plotting.BLUE)):
            shown = [row for row in rows if row["status"] == status]
            values = [str(row[name]) if text else row[name] for row in shown]
            scores = [row["val"] for row in shown]
            axes[name].scatter(values, scores, s=14, color=colour, label=status)
        star = [str(best[name]) if text else best[name]]
        axes[name].plot(star, [best["val"]], "*", ms=14, color=plotting.RED, label="best")
        if not text and defaults[name] is not None:
            axes[name].axvline(defaults[name], color=plotting.BLACK, ls=":", label="default")
        if not text and min(row[name] for row in rows) > 0:
            plotting.logarithmic(axes[name], whole=isinstance(best[name], int))
        axes[name].set_title(name)
    so_far, steps = [], sorted(rows, key=lambda row: row["at"])
    for row in steps:
        so_far.append(journal.best_of([*so_far[-1:], row["val"]]))
    axes["time"].step([row["at"] / 60 for row in steps], so_far, where="post", color=plotting.RED)
    axes["time"].set(title="the best so far", xlabel="minutes")
    for row in mosaic:
        axes[row[0]].set_ylabel(f"validation {judged}")
    # the worst are far off: what matters is seen among the better half
    ranked = sorted((row["val"] for row in rows), reverse=journal.best_of is max)
    first, half, last = ranked[0], ranked[len(ranked) // 2], ranked[-1]
    far = min(2 * half - first, last, key=lambda score: abs(score - first))
    if far != first:
        axes["time"].set_ylim(*sorted([first + 0.1 * (first - far), far + 0.1 * (far - first)]))
    figure.legend(*axes[names[0]].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure
