"""What taggers got right: of one, over several seeds, and as tables."""

import itertools
from collections.abc import Sequence

from utils.slots import chunks
from utils.slots.files import Sentence

import numpy as np
import pandas as pd

SHOWN = {"f1": "F1", "intent_accuracy": "intent", "sentence_accuracy": "sentence"}
LEGEND = "F1: slots right in name and in both ends; sentence: the intent and every slot are right"


def evaluate(sentences: Sequence[Sentence], readings: Sequence) -> dict:
    """Return what was right, in per cent, and how far probabilities were from that.

    Returns:
        f1, precision and recall of whole slots; intent_accuracy; sentence_accuracy, of sentences
        whose intent and whose every slot are right; slot_calibration_error and
        intent_calibration_error. None where the data have no intents.
    """
    table = chunks.score([one.tags for one in sentences], [one.tags for one in readings])
    scores = table.loc["all", ["f1", "precision", "recall"]].to_dict()
    scores["sentence_accuracy"] = float(100 * np.mean(all_right(sentences, readings)))
    scores |= dict.fromkeys(["intent_accuracy", "intent_calibration_error"])
    answers = sure_and_right(sentences, readings)
    for kind, (sure, right) in answers.items():
        scores[f"{kind}_calibration_error"] = chunks.calibration_error(sure, right)
    if "intent" in answers:
        scores["intent_accuracy"] = float(100 * answers["intent"][1].mean())
    return scores


def sure_and_right(sentences: Sequence[Sentence], readings: Sequence) -> dict[str, np.ndarray]:
    """Return how probable each "slot" that was found is, and 1 if it is right: (2, slots).

    And, if the data have intents, the same of each "intent", (2, sentences).
    """
    pairs = list(zip(sentences, readings, strict=True))
    rows = {"slot": []}
    for sentence, reading in pairs:
        true = chunks.spans(sentence.tags)
        rows["slot"] += [(sure, tuple(span) in true) for *span, sure in reading.chunks]
    if sentences[0].intent is not None:
        rows["intent"] = [(found.probability, found.intent == true.intent) for true, found in pairs]
    return {kind: np.array(found, float).reshape(-1, 2).T for kind, found in rows.items()}


def all_right(sentences: Sequence[Sentence], readings: Sequence) -> list[bool]:
    """Return of which sentences every slot and the intent, if they have one, are right."""
    return [
        chunks.spans(true.tags) == chunks.spans(found.tags) and true.intent in (None, found.intent)
        for true, found in zip(sentences, readings, strict=True)
    ]


def f1_by_cue(sentences: Sequence, readings: Sequence) -> dict[str, float]:
    """Return F1 by where a travel query's cue stands; of other sentences, nothing."""
    pairs = pd.Series(list(zip(sentences, readings, strict=True)))
    by_cue = pairs.groupby([sentence.cue for sentence in sentences], sort=False)
    return {cue: evaluate(*zip(*some, strict=True))["f1"] for cue, some in by_cue if cue}


def over_seeds(rows: Sequence[dict]) -> dict:
    """Return the mean of scores and, of more than one seed, the spread of those `SHOWN`."""
    table = pd.DataFrame(rows, dtype=float)
    spread = table.filter(list(SHOWN)).std().add_suffix("_sd")
    scores = pd.concat([table.mean(), spread]).to_dict()
    return {name: None if np.isnan(score) else score for name, score in scores.items()}


def summary(runs: Sequence) -> dict:
    """Return what scores.json says of one network, from its runs with several seeds."""
    scores = {part: over_seeds([run.scores[part] for run in runs]) for part in runs[0].scores}
    result = {"dev": None, "test": None} | scores
    if runs[0].cues:
        result["test_f1_by_cue"] = over_seeds([run.cues for run in runs])
    result["parameters"] = runs[0].tagger.network.count_params()
    result["fit_seconds"] = float(np.mean([run.fit.seconds for run in runs]))
    result["seeds"] = [{"epoch": run.fit.best_epoch, **run.scores} for run in runs]
    return result


def slot_table(runs: Sequence, sentences: Sequence[Sentence]) -> pd.DataFrame:
    """Return the scores of each slot: the mean over the runs, and the spread of F1."""
    true = [sentence.tags for sentence in sentences]
    tables = [chunks.score(true, [reading.tags for reading in run.readings]) for run in runs]
    by_slot = pd.concat(tables).groupby(level=0, sort=False)
    return by_slot.mean().assign(f1_sd=by_slot["f1"].std()).astype({"count": int})


def sentence_table(readings: Sequence, sentences: Sequence[Sentence]) -> pd.DataFrame:
    """Return each sentence, its tags and intent, what was predicted, and whether all is right.

    Words are joined by spaces, and so are tags; a space within a tag becomes a "_".
    """

    def tags(found):
        return [" ".join(tag.replace(" ", "_") for tag in one.tags) for one in found]

    words = pd.Index([" ".join(sentence.words) for sentence in sentences], name="words")
    table = pd.DataFrame({"tags": tags(sentences), "predicted_tags": tags(readings)}, words)
    table["right"] = all_right(sentences, readings)
    if sentences[0].intent is not None:
        table["intent"] = [sentence.intent for sentence in sentences]
        table["predicted_intent"] = [reading.intent for reading in readings]
    return table


def overview(results: dict[str, dict], best: str, part: str) -> str:
    """Return the results as a table to print, what it says, and how sure the best network is."""
    rows = {}
    for name, result in results.items():
        row = rows[name] = {}
        for kind, (key, title) in itertools.product(("dev", "test"), SHOWN.items()):
            if result[kind] and result[kind][key] is not None:
                spread = result[kind][f"{key}_sd"]
                more = "" if spread is None else f" ± {spread:.1f}"
                row[f"{kind} {title}"] = f"{result[kind][key]:.1f}{more}"
        row |= {f"cue {cue}": f"{f1:.1f}" for cue, f1 in result.get("test_f1_by_cue", {}).items()}
        row |= {"parameters": result["parameters"], "seconds": f"{result['fit_seconds']:.1f}"}
    lines = [pd.DataFrame.from_dict(rows, orient="index").to_string(), LEGEND]
    for kind in ("slot", "intent"):
        if (gap := results[best][part][f"{kind}_calibration_error"]) is not None:
            lines.append(
                f"How sure {best} is of each {kind} and how often right: {gap:.1f} % apart"
            )
    return "\n".join(lines)


def answers(taggers: dict, sentences: Sequence) -> str:
    """Return the slots that taggers, by name, find in sentences, a column per word."""
    tables = []
    for sentence in sentences:
        rows = {"": sentence.words, "right": [*map(chunks.slot, sentence.tags)]}
        for name, tagger in taggers.items():
            rows[name] = [*map(chunks.slot, tagger.read([sentence.words])[0].tags)]
        tables.append(pd.DataFrame.from_dict(rows, orient="index").to_string(header=False))
    return "\n\n".join(tables)
