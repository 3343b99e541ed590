"""Ask a tagger what texts say."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from utils import InputError
from utils.slots.tagger import Tagger
from utils.slots.text import normal, without_marks


def answer(tagger: Tagger, texts: Sequence[str], min_confidence: float = 0.0) -> list[dict]:
    """Return what each text says.

    Args:
        tagger: trained.
        texts: of any length and script.
        min_confidence: slots and intents that are less probable are withheld.

    Returns:
        of each text its "intent" (None without one, or withheld) and "intent_probability"; its
        "slots", each with "slot", "text" and "probability"; its "words", a tag for each in "tags",
        and those never seen in training in "unknown".
    """
    places = [tagger.vocabulary.cut(text) for text in texts]
    sentences = [
        [text[start:stop] for start, stop in cuts] for text, cuts in zip(texts, places, strict=True)
    ]
    answers = []
    readings = tagger.read(sentences)
    for text, cuts, words, reading in zip(texts, places, sentences, readings, strict=True):
        tags, slots = ["O"] * len(words), []
        for slot, start, stop, probability in reading.chunks:
            if probability >= min_confidence:
                tags[start:stop] = reading.tags[start:stop]
                found = without_marks(text[cuts[start][0] : cuts[stop - 1][1]])
                slots.append({"slot": slot, "text": found, "probability": round(probability, 4)})
        sure = reading.intent is not None and reading.probability >= min_confidence
        answers.append(
            {
                "intent": reading.intent if sure else None,
                "intent_probability": round(reading.probability, 4) if reading.intent else None,
                "slots": slots,
                "words": words,
                "tags": tags,
                "unknown": [word for word in words if normal(word) not in tagger.vocabulary.words],
            }
        )
    return answers


def arriving(stream: BinaryIO) -> Iterator[list[str]]:
    """Yield the lines of a stream as they come: one, or as many as have come meanwhile.

    Raises:
        InputError: at a line that is not UTF-8.
    """
    rest, number = b"", 0
    while block := stream.read1(1 << 16):
        *lines, rest = (rest + block).split(b"\n")
        if lines:
            yield [_text(line, number + i) for i, line in enumerate(lines, 1)]
            number += len(lines)
    if rest:
        yield [_text(rest, number + 1)]


def _text(line: bytes, number: int) -> str:
    try:
        return line.decode("utf-8-sig").rstrip("\r")
    except UnicodeDecodeError as error:
        raise InputError(f"--predict -: line {number} is not UTF-8") from error
