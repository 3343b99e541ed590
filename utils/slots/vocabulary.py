"""Words as numbers."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from utils.slots.files import Sentence
from utils.slots.text import cut, normal

import keras
import numpy as np

PADDING, OTHER = 0, 1
MAX_LETTERS = 16  # of one word, its ends included; the middle of a longer word is left out


def spell(word: str) -> str:
    """Return the letters of a word between its ends, ^ and $: of a long word, the outer ones."""
    half = MAX_LETTERS // 2 - 1
    return f"^{word if len(word) <= 2 * half else word[:half] + word[-half:]}$"


def numbered(names: Iterable[str]) -> dict[str, int]:
    """Return a number for each name, above those of PADDING and OTHER."""
    return {name: number for number, name in enumerate(sorted(names), OTHER + 1)}


class Vocabulary(NamedTuple):
    """What a tagger knows: words, and letters (perhaps none), by number; tags, and intents.

    A word seen only once, in a vocabulary with letters, has the number OTHER.
    """

    words: dict[str, int]
    letters: dict[str, int]
    tags: list[str]
    intents: list[str]

    @classmethod
    def of(cls, sentences: Sequence[Sentence], letters: bool) -> "Vocabulary":
        """Collect what occurs in `sentences`, which should be the train part."""
        counts = Counter(normal(word) for sentence in sentences for word in sentence.words)
        once = {word for word, count in counts.items() if count == 1 and letters}
        return cls(
            numbered(counts.keys() - once) | dict.fromkeys(sorted(once), OTHER),
            numbered({*"".join(map(spell, counts))} if letters else ()),
            sorted({tag for sentence in sentences for tag in sentence.tags} | {"O"}),
            sorted({sentence.intent for sentence in sentences} - {None}),
        )

    @property
    def size(self) -> int:
        """How many numbers a word can have, PADDING and OTHER included."""
        return max(self.words.values(), default=OTHER) + 1

    def cut(self, text: str) -> list[tuple[int, int]]:
        """Return where each word of a text begins and ends, without the marks never seen."""
        return [
            (start, stop)
            for start, stop in cut(text)
            if any(map(str.isalnum, text[start:stop])) or normal(text[start:stop]) in self.words
        ]

    def encode(self, sentences: Sequence[Sequence[str]], steps: int) -> dict[str, np.ndarray]:
        """Return the numbers of the words: PADDING behind the end, OTHER if never seen.

        Returns:
            "words" (sentences, steps) and, if this vocabulary has letters, "letters" (sentences,
            steps, MAX_LETTERS), both int32.
        """
        names = [[normal(word) for word in sentence] for sentence in sentences]
        numbers = [[self.words.get(word, OTHER) for word in words] for words in names]
        inputs = {"words": keras.utils.pad_sequences(numbers, steps, padding="post")}
        if self.letters:
            letters = inputs["letters"] = np.zeros((len(names), steps, MAX_LETTERS), "int32")
            for row, words in enumerate(names):
                for step, word in enumerate(words):
                    spelt = [self.letters.get(letter, OTHER) for letter in spell(word)]
                    letters[row, step, : len(spelt)] = spelt
        return inputs
