"""Slots as chunks of words, and what taggers got right: of one, over several seeds, as tables.

A tag is "O", or "B-" (begins) or "I-" (inside) and the name of a slot. A sentence has words, tags,
intent and cue, as `utils.slots.files.Sentence`; a reading, tags, chunks, intent and probability, as
`utils.slots.tagger.Reading`.
"""

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

SHOWN = {"f1": "F1", "intent_accuracy": "intent", "sentence_accuracy": "sentence"}
LEGEND = "F1: slots right in name and in both ends; sentence: the intent and every slot are right"


def spans(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return (slot, start, stop) of each chunk in order, as conlleval counts them.

    A chunk begins at B-, and at an I- that continues nothing: after O, or after another slot.

    Source: Tjong Kim Sang & Buchholz, "Introduction to the CoNLL-2000 shared task" (2000).
    """
    found = []
    for i, tag in enumerate(tags):
        prefix, _, slot = tag.partition("-")
        if prefix == "I" and found and found[-1][::2] == (slot, i):
            found[-1] = slot, found[-1][1], i + 1
        elif slot:
            found.append((slot, i, i + 1))
    return found


def begun(tags: Sequence[str]) -> list[str]:
    """Return tags for the same chunks, each of which begins with B-."""
    starts = {start for _, start, _ in spans(tags)}
    return ["B" + tag[1:] if i in starts else tag for i, tag in enumerate(tags)]


def score(sentences: Sequence, readings: Sequence) -> pd.DataFrame:
    """Score the chunks of the readings of as many sentences: slot and both ends must be right.

    Returns:
        A row for "all" and for each slot; columns f1, precision, recall (in percent; 0 where there
        is nothing to count) and count, the true chunks.
    """
    places = [
        {(n, *span) for n, one in enumerate(some) for span in spans(one.tags)}
        for some in (sentences, readings)
    ]
    counts = [Counter(slot for _, slot, *_ in some) for some in (*places, places[0] & places[1])]
    table = pd.DataFrame(counts, dtype=float).T.fillna(0.0).sort_index()
    table = pd.concat([table.sum().to_frame("all").T, table.drop("all", errors="ignore")])
    count, found, both = (table[column] for column in table)
    scores = {
        "f1": 200 * both / (count + found).clip(lower=1),
        "precision": 100 * both / found.clip(lower=1),
        "recall": 100 * both / count.clip(lower=1),
    }
    return pd.DataFrame(scores).assign(count=count.astype(int))


def slot(tag: str) -> str:
    """Return the slot of a tag: B-destination -> destination; O is a slot of its own here."""
    return tag.partition("-")[2] or tag


def confusion(true: Sequence[str], predicted: Sequence[str], most: int = 12) -> pd.DataFrame:
    """Return how many per cent of each label (rows) were taken for each label (columns).

    Of more than `most` labels, those with the most mistakes are shown.
    """
    labels = pd.DataFrame({"true": true, "predicted": predicted})
    shares = pd.crosstab(labels["true"], labels["predicted"], normalize="index") * 100
    wrong = labels[labels["true"] != labels["predicted"]].stack().value_counts()
    names = sorted({*labels["true"]}, key=lambda name: (-wrong.get(name, 0), name))[:most]
    return shares.reindex(index=sorted(names), columns=sorted(names), fill_value=0.0)


def commonest_tags(sentences: Sequence) -> list:
    """Tag each word as it is tagged most often in these very sentences, whatever stands around it.

    It has seen the answers, and yet it is not the best that a tagger without context could reach:
    that one would choose the tags of all words together, by the slots that they make.
    """
    counts = Counter(pair for one in sentences for pair in zip(one.words, one.tags, strict=True))
    best = {word: tag for (word, tag), _ in reversed(counts.most_common())}
    return [one._replace(tags=[best[word] for word in one.words]) for one in sentences]


def evaluate(sentences: Sequence, readings: Sequence) -> dict:
    """Return what was right, in per cent.

    Returns:
        f1, precision and recall of whole slots; intent_accuracy, None where the data have no
        intents; sentence_accuracy, of sentences whose intent and whose every slot are right.
    """
    table = sentence_table(sentences, readings)
    intents = [one.intent for one in readings]
    return {
        **score(sentences, readings).loc["all", ["f1", "precision", "recall"]].to_dict(),
        "intent_accuracy": 100 * table["intent"].eq(intents).mean() if "intent" in table else None,
        "sentence_accuracy": 100 * table["right"].mean(),
    }


def f1_by_cue(sentences: Sequence, readings: Sequence) -> dict[str, float]:
    """Return F1 by where a travel query's cue stands; of other sentences, nothing."""
    pairs = pd.Series(list(zip(sentences, readings, strict=True)))
    by_cue = pairs.groupby([sentence.cue for sentence in sentences], sort=False)
    return {cue: score(*zip(*some, strict=True)).at["all", "f1"] for cue, some in by_cue if cue}


def over_seeds(rows: Sequence[dict]) -> dict:
    """Return the mean of scores and, of more than one seed, the spread of those `SHOWN`."""
    table = pd.DataFrame(rows, dtype=float)
    spread = table.filter(list(SHOWN)).std().add_suffix("_sd")
    return pd.concat([table.mean(), spread]).astype(object).replace(np.nan, None).to_dict()


def summary(runs: Sequence, sentences: Sequence) -> dict:
    """Return what scores.json says of one network, from its runs with several seeds."""
    scores = {part: over_seeds([run.scores[part] for run in runs]) for part in runs[0].scores}
    result = {"dev": None, "test": None} | scores
    if cues := over_seeds([f1_by_cue(sentences, run.readings) for run in runs]):
        result["test_f1_by_cue"] = cues
    result["parameters"] = runs[0].tagger.network.count_params()
    result["fit_seconds"] = float(np.mean([run.fit.seconds for run in runs]))
    result["seeds"] = [{"epoch": run.fit.best_epoch, **run.scores} for run in runs]
    return result


def slot_table(runs: Sequence, sentences: Sequence) -> pd.DataFrame:
    """Return the scores of each slot: the mean over the runs, and the spread of F1."""
    by_slot = pd.concat([score(sentences, run.readings) for run in runs])
    by_slot = by_slot.groupby(level=0, sort=False)
    return by_slot.mean().assign(f1_sd=by_slot["f1"].std()).astype({"count": int})


def sentence_table(sentences: Sequence, readings: Sequence) -> pd.DataFrame:
    """Return each sentence, its tags and intent, what was predicted, and whether all is right.

    Words are joined by spaces, and so are tags; a space within a tag becomes a "_".
    """
    rows = [
        {
            "words": " ".join(true.words),
            "tags": " ".join(tag.replace(" ", "_") for tag in true.tags),
            "predicted_tags": " ".join(tag.replace(" ", "_") for tag in found.tags),
            "right": spans(true.tags) == spans(found.tags) and true.intent in (None, found.intent),
            "intent": true.intent,
            "predicted_intent": found.intent,
        }
        for true, found in zip(sentences, readings, strict=True)
    ]
    return pd.DataFrame(rows).set_index("words").dropna(axis="columns", how="all")


def overview(results: dict[str, dict]) -> str:
    """Return the results as a table to print, and what it says."""
    rows = {}
    for name, result in results.items():
        row = rows[name] = {}
        for part, (key, title) in itertools.product(("dev", "test"), SHOWN.items()):
            if result[part] and result[part][key] is not None:
                spread = result[part][f"{key}_sd"]
                more = "" if spread is None else f" ± {spread:.1f}"
                row[f"{part} {title}"] = f"{result[part][key]:.1f}{more}"
        row |= {f"cue {cue}": f"{f1:.1f}" for cue, f1 in result.get("test_f1_by_cue", {}).items()}
        row |= {"parameters": result["parameters"], "seconds": f"{result['fit_seconds']:.1f}"}
    return f"{pd.DataFrame.from_dict(rows, orient='index').to_string()}\n{LEGEND}"
