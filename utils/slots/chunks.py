"""Slots as chunks of words, and their scores.

A tag is "O", or "B-" (begins) or "I-" (inside) and the name of a slot.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pandas as pd


def spans(tags: Sequence[str]) -> set[tuple[str, int, int]]:
    """Return (slot, start, stop) of each chunk, as conlleval counts them.

    A chunk begins at B-, and at an I- that continues nothing: after O, or after another slot.

    Source: Tjong Kim Sang & Buchholz, "Introduction to the CoNLL-2000 shared task" (2000).
    """
    found, start, inside = set(), 0, ""
    for i, tag in enumerate([*tags, "O"]):
        prefix, _, slot = tag.partition("-")
        if inside and (prefix != "I" or slot != inside):
            found.add((inside, start, i))
            inside = ""
        if slot and not inside:
            start, inside = i, slot
    return found


def begun(tags: Sequence[str]) -> list[str]:
    """Return tags for the same chunks, each of which begins with B-."""
    starts = {start for _, start, _ in spans(tags)}
    return ["B" + tag[1:] if i in starts else tag for i, tag in enumerate(tags)]


def _places(tags):
    return {(n, *span) for n, sentence in enumerate(tags) for span in spans(sentence)}


def score(true: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Score the chunks of as many sentences, given their tags: slot and both ends must be right.

    Returns:
        A row for "all" and for each slot; columns f1, precision, recall (in percent; 0 where there
        is nothing to count) and count, the true chunks.
    """
    places = {"true": _places(true), "predicted": _places(predicted)}
    places["both"] = places["true"] & places["predicted"]
    counts = {name: Counter(slot for _, slot, *_ in found) for name, found in places.items()}
    table = pd.DataFrame(counts, dtype=float).fillna(0.0).sort_index()
    table = pd.concat([table.sum().to_frame("all").T, table.drop("all", errors="ignore")])
    true, predicted = table["true"], table["predicted"]
    return pd.DataFrame(
        {
            "f1": 200 * table["both"] / (true + predicted).clip(lower=1),
            "precision": 100 * table["both"] / predicted.clip(lower=1),
            "recall": 100 * table["both"] / true.clip(lower=1),
            "count": true.astype(int),
        }
    )


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


def commonest_tags(sentences: Sequence) -> list[list[str]]:
    """Tag each word as it is tagged most often in these very sentences, whatever stands around it.

    It has seen the answers, and yet it is not the best that a tagger without context could reach:
    that one would choose the tags of all words together, by the slots that they make.
    """
    counts = defaultdict(Counter)
    for sentence in sentences:
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            counts[word][tag] += 1
    return [[counts[word].most_common(1)[0][0] for word in one.words] for one in sentences]


def calibration_error(probabilities: Sequence[float], right: Sequence[bool]) -> float:
    """Return the expected calibration error, in per cent, with ten bins of the same width.

    It is the distance between what is promised, the mean probability, and what is kept, the share
    that is right, averaged over bins by how many answers they hold.

    Source: Guo et al., "On calibration of modern neural networks" (2017).
    """
    probabilities, right = np.asarray(probabilities, float), np.asarray(right, float)
    bins = np.minimum((probabilities * 10).astype(int), 9)
    gaps = np.abs(np.bincount(bins, probabilities - right, 10))  # promised - kept, summed
    return float(100 * gaps.sum() / max(len(right), 1))
