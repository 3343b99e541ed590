"""What taggers got right: of one, over several seeds, and as tables."""

import itertools
from collections.abc import Sequence

from utils.slots import chunks
from utils.slots.files import Sentence

import numpy as np
import pandas as pd

SHOWN = {"f1": "F1", "intent_accuracy": "intent", "sentence_accuracy": "sentence"}


def evaluate(sentences: Sequence[Sentence], readings: Sequence) -> dict:
    """Return what was right, in per cent, and how far probabilities were from that.

    Returns:
        f1, precision and recall of whole slots; intent_accuracy; sentence_accuracy, of sentences
        whose intent and whose every slot are right; slot_calibration_error and
        intent_calibration_error. None where the data have no intents.
    """
    true = [sentence.tags for sentence in sentences]
    scores = chunks.score(true, [reading.tags for reading in readings]).loc["all"]
    slots, whole = right_ones(sentences, readings)
    sure = [chunk[3] for reading in readings for chunk in reading.chunks]
    scores = scores[["f1", "precision", "recall"]].to_dict()
    scores |= dict.fromkeys(["intent_accuracy", "sentence_accuracy"])
    scores["slot_calibration_error"] = chunks.calibration_error(sure, slots)
    scores["intent_calibration_error"] = None
    if sentences[0].intent is not None:
        intents = np.array(
            [s.intent == reading.intent for s, reading in zip(sentences, readings, strict=True)]
        )
        whole &= intents
        scores["intent_accuracy"] = float(100 * intents.mean())
        scores["intent_calibration_error"] = chunks.calibration_error(
            [reading.probability for reading in readings], intents
        )
    scores["sentence_accuracy"] = float(100 * whole.mean())
    return scores


def right_ones(sentences: Sequence[Sentence], readings: Sequence) -> tuple[list, np.ndarray]:
    """Return which chunks that were found are right, and which sentences have all of theirs."""
    slots, whole = [], []
    for sentence, reading in zip(sentences, readings, strict=True):
        true = chunks.spans(sentence.tags)
        found = [(slot, start, stop) in true for slot, start, stop, _ in reading.chunks]
        slots += found
        whole.append(all(found) and len(found) == len(true))
    return slots, np.array(whole)


def over_seeds(rows):
    """Return the mean of scores and, of more than one seed, the spread of some."""
    table = pd.DataFrame(rows, dtype=float)
    spread = table.filter(list(SHOWN)).std().add_suffix("_sd")
    scores = pd.concat([table.mean(), spread]).to_dict()
    return {name: None if np.isnan(score) else score for name, score in scores.items()}


def summary(runs):
    """Return what scores.json says of one network."""
    scores = {part: over_seeds([run.scores[part] for run in runs]) for part in runs[0].scores}
    result = {"dev": None, "test": None} | scores
    if runs[0].cues:
        result["test_f1_by_cue"] = over_seeds([run.cues for run in runs])
    result["parameters"] = runs[0].tagger.network.count_params()
    result["fit_seconds"] = float(np.mean([run.fit.seconds for run in runs]))
    result["seeds"] = [{"epoch": run.fit.epoch, **run.scores} for run in runs]
    return result


def slot_table(runs, sentences):
    """Return the scores of each slot: the mean over the runs, and the spread of F1."""
    true = [sentence.tags for sentence in sentences]
    tables = [chunks.score(true, [reading.tags for reading in run.readings]) for run in runs]
    by_slot = pd.concat(tables).groupby(level=0, sort=False)
    return by_slot.mean().assign(f1_sd=by_slot["f1"].std()).astype({"count": int})


def sentence_table(run, sentences):
    """Return each sentence, its tags and intent, what was predicted, and whether all is right."""
    rows = []
    for sentence, reading in zip(sentences, run.readings, strict=True):
        _, whole = right_ones([sentence], [reading])
        row = {"words": " ".join(sentence.words), "tags": " ".join(sentence.tags)}
        row |= {"predicted_tags": " ".join(reading.tags), "right": bool(whole[0])}
        if sentence.intent is not None:
            row |= {"intent": sentence.intent, "predicted_intent": reading.intent}
            row["right"] &= sentence.intent == reading.intent
        rows.append(row)
    return pd.DataFrame(rows).set_index("words")


def overview(results):
    """Return the results as a table to print."""
    rows = {}
    for name, result in results.items():
        row = rows[name] = {}
        for part, (key, title) in itertools.product(("dev", "test"), SHOWN.items()):
            if result[part] and result[part][key] is not None:
                spread = result[part][f"{key}_sd"]
                row[f"{part} {title}"] = f"{result[part][key]:.1f}"
                row[f"{part} {title}"] += "" if spread is None else f" ± {spread:.1f}"
        row |= {f"cue {cue}": f"{f1:.1f}" for cue, f1 in result.get("test_f1_by_cue", {}).items()}
        row |= {"parameters": result["parameters"], "seconds": f"{result['fit_seconds']:.1f}"}
    return pd.DataFrame.from_dict(rows, orient="index").to_string()
