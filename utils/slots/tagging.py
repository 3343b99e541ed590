"""Sentences and their tags: reading them, turning words into numbers, scoring slots.

A tag is "O", or "B-" (begins) or "I-" (inside) and the name of a slot. Wherever a sentence is
asked for, anything with `words` and `tags` will do, such as `Sentence` or `travel.Query`.
"""

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from utils import InputError

import keras
import numpy as np
import pandas as pd


class Sentence(NamedTuple):
    """The words of a sentence and as many tags."""

    words: list[str]
    tags: list[str]


# ------------------------------------------------------------------ files

# Tur, Hakkani-Tür & Heck, "What is left to be understood in ATIS?" (2010); Coucke et al., "Snips
# voice platform" (2018); in the split of JointBERT: https://github.com/monologg/JointBERT
ORIGIN = (
    "https://raw.githubusercontent.com/monologg/JointBERT/00324f60dda4a491b2913bc3065ae93966caea3f"
)
SHA256 = {
    "atis": {
        "train/seq.in": "3a670980841b21ab39088b2595efc17d487cdc45769c075a3e5f9458bba28c7f",
        "train/seq.out": "14c7131bd66562f797dbd7189bc7358f0cf354c6afb0785a9ab973c35b58f34c",
        "dev/seq.in": "c7435b96e7948393608c34819628e863c5338f11ca68e8f896d2cc041d8e17f8",
        "dev/seq.out": "83ccff3e36f83a993f8e5b5b82adf3256076f234abda4d784051381d7ac76922",
        "test/seq.in": "4b2119fc59c37f9398c6605db435d4f467505009e6ee3e5af04fed09f39dc397",
        "test/seq.out": "a4690d6bceadc06876d1ff99bc401744aa981cb321e598ae12a3859d7be53254",
    },
    "snips": {
        "train/seq.in": "04ad1e3f2121d83c6478f9a4b17d2dbdc21d06d6127f73cb7af835ed733f9855",
        "train/seq.out": "fd5f2121d8055827e5d6b3d3bac30f3d7e94e82a5d437751960cbdd9e1b4f6d3",
        "dev/seq.in": "64e0f6d8ad8aab3a3828164d7d53731a0993d3ca1aed437ceaca6d3d568d410e",
        "dev/seq.out": "712e6d34feb8d52d208b820a5f8bae6e6ff990f08374507dfde22de389088319",
        "test/seq.in": "c1e341173fcea2951a8ca371956a6f81c76de87b9583c62eb87edd6158fa3a7c",
        "test/seq.out": "58c07c9097d5e1f78889765c2a535a160f6455b90b3142055c8051847afcca47",
    },
}


def download(name: str) -> Path:
    """Fetch "atis" or "snips", unless an earlier call did, and return its folder.

    Raises:
        InputError: if it can't be fetched, or is not what it should be; then it isn't kept.
    """
    folder = Path(os.environ.get("KERAS_HOME", "~/.keras"), "slot_filling", name).expanduser()
    for file, sha256 in SHA256[name].items():
        origin, target = f"{ORIGIN}/data/{name}/{file}", folder / file
        try:
            target.parent.mkdir(parents=True, exist_ok=True)  # else `get_file` goes to /tmp
            keras.utils.get_file(
                target.name,
                origin,
                file_hash=sha256,
                hash_algorithm="sha256",
                cache_dir=target.parent,
                cache_subdir="",
            )
        except Exception as error:  # `get_file` raises just that, and leaves a wrong file there
            with contextlib.suppress(OSError):
                target.unlink()
            reason = str(error).strip().partition("\n")[0]
            raise InputError(f"--dataset {name}: cannot fetch {origin} ({reason})") from error
    return folder


def read_folder(folder: str | Path) -> dict[str, list[Sentence]]:
    """Read the parts "train", "dev" and, where there is one, "test".

    Args:
        folder: holds <part>/seq.in, a sentence per line, and <part>/seq.out, its tags; or
            <part>.txt, a word and its tag per line, an empty line after each sentence (CoNLL).
            An I- that begins a chunk is read as B-.

    Raises:
        InputError: if a part is missing, empty or not UTF-8, has a word without a tag, or a tag
            that isn't O, B-slot or I-slot.
    """
    folder = Path(folder)
    parts = {}
    for name in ("train", "dev", "test"):
        columns, lines = folder / f"{name}.txt", folder / name / "seq.in"
        if columns.exists():
            parts[name] = list(_read_columns(columns))
        elif lines.exists():
            parts[name] = list(_read_lines(lines, lines.with_name("seq.out")))
        elif name != "test":
            raise InputError(f"--data {folder}: has neither {name}/seq.in nor {name}.txt")
        if name in parts and not parts[name]:
            raise InputError(f"--data {folder}: the {name} part is empty")
    return parts


def _read(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def _checked(tag: str, path: Path, line: int) -> str:
    if not re.fullmatch("O|[BI]-.+", tag):
        raise InputError(f"{path}, line {line}: tag {tag!r} is not O, B-slot or I-slot")
    return tag


def _read_lines(words_path: Path, tags_path: Path) -> Iterator[Sentence]:
    words_lines, tags_lines = _read(words_path), _read(tags_path)
    length = max(len(words_lines), len(tags_lines))
    for lines in (words_lines, tags_lines):
        lines += [""] * (length - len(lines))
    for line, (words, tags) in enumerate(zip(words_lines, tags_lines, strict=True), 1):
        words, tags = words.split(), [_checked(tag, tags_path, line) for tag in tags.split()]
        if len(words) != len(tags):
            raise InputError(f"{tags_path}, line {line}: {len(tags)} tags for {len(words)} words")
        if words:
            yield Sentence(words, begun(tags))


def _read_columns(path: Path) -> Iterator[Sentence]:
    rows = []
    for line, text in enumerate([*_read(path), ""], 1):
        fields = text.split()
        if len(fields) >= 2:
            rows.append((fields[0], _checked(fields[-1], path, line)))
        elif fields:
            raise InputError(f"{path}, line {line}: {fields[0]!r} has no tag")
        elif rows:
            words, tags = zip(*rows, strict=True)
            yield Sentence(list(words), begun(tags))
            rows = []


# ------------------------------------------------------------------ words as numbers

PADDING, OTHER = 0, 1
MAX_GRAMS = 12  # of one word; the rest of a longer word is left out


def without_marks(text: str) -> str:
    """Return the text without punctuation around it, unless there is nothing else."""
    return text.strip(".,;:!?'\"()") or text


def normal(word: str) -> str:
    """Return the word as a tagger knows it: small letters, every digit 0, no marks around it."""
    return re.sub(r"\d", "0", without_marks(word.lower()))


def letter_grams(word: str) -> list[str]:
    """Return runs of three letters, where ^ and $ are the ends: cat -> ^ca, cat, at$."""
    marked = f"^{word}$"
    return [marked[i : i + 3] for i in range(max(len(marked) - 2, 1))][:MAX_GRAMS]


class Vocabulary(NamedTuple):
    """What a tagger knows: words and letter trigrams (perhaps none) by number, and tags."""

    words: dict[str, int]
    grams: dict[str, int]
    tags: list[str]

    @classmethod
    def of(cls, sentences: Sequence[Sentence], letters: bool) -> "Vocabulary":
        """Collect what occurs in `sentences`, which should be the train part."""
        words = sorted({normal(word) for sentence in sentences for word in sentence.words})
        grams = sorted({gram for word in words for gram in letter_grams(word)}) if letters else []
        tags = {tag for sentence in sentences for tag in sentence.tags} | {"O"}
        return cls.from_json({"words": words, "grams": grams, "tags": sorted(tags)})

    @classmethod
    def from_json(cls, lists: dict) -> "Vocabulary":
        """Undo `to_json`."""
        return cls(
            {word: number for number, word in enumerate(lists["words"], OTHER + 1)},
            {gram: number for number, gram in enumerate(lists["grams"], OTHER + 1)},
            lists["tags"],
        )

    def to_json(self) -> dict:
        """Return what JSON can hold."""
        return {"words": list(self.words), "grams": list(self.grams), "tags": self.tags}

    def encode(self, sentences: Sequence[Sequence[str]], steps: int) -> dict[str, np.ndarray]:
        """Return the numbers of the words: PADDING behind the end, OTHER if never seen.

        Args:
            sentences: lists of at most `steps` words.
            steps: the length to pad to.

        Returns:
            "words" (sentences, steps) and, if this vocabulary has trigrams, "letters" (sentences,
            steps, MAX_GRAMS), both int32.
        """
        words = np.full((len(sentences), steps), PADDING, "int32")
        letters = np.full((len(sentences), steps, MAX_GRAMS), PADDING, "int32")
        for row, sentence in enumerate(sentences):
            for step, word in enumerate(map(normal, sentence)):
                words[row, step] = self.words.get(word, OTHER)
                if self.grams:
                    grams = letter_grams(word)
                    letters[row, step, : len(grams)] = [self.grams.get(g, OTHER) for g in grams]
        return {"words": words, "letters": letters} if self.grams else {"words": words}


# ------------------------------------------------------------------ slots and their scores


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
    slots = ["", *(tag.partition("-")[2] for tag in tags)]
    return [
        "B" + tag[1:] if tag.startswith("I-") and slots[i] != slots[i + 1] else tag
        for i, tag in enumerate(tags)
    ]


def decode(probabilities: np.ndarray, tags: Sequence[str]) -> list[str]:
    """Return the most probable tags among those in which every I- continues its slot (Viterbi).

    Args:
        probabilities: (words, tags), of one sentence.
        tags: their names.
    """
    best = [tags[number] for number in probabilities.argmax(axis=-1)]
    if best == begun(best):
        return best
    inside = [number for number, tag in enumerate(tags) if tag.startswith("I-")]
    begins = [tags.index("B" + tags[number][1:]) for number in inside]
    first, *rest = np.log(np.maximum(probabilities, 1e-30))
    total, steps = first.copy(), []  # of the best way to each tag; where it came from
    total[inside] = -np.inf
    for log in rest:
        before = np.full(len(tags), total.argmax())
        before[inside] = np.where(total[begins] > total[inside], begins, inside)
        total = total[before] + log
        steps.append(before)
    path = [total.argmax()]
    for before in reversed(steps):
        path.append(before[path[-1]])
    return [tags[number] for number in reversed(path)]


def score(true: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Score chunks whose slot and both ends are right.

    Args:
        true: tags of each sentence.
        predicted: as many.

    Returns:
        A row for "all" and for each slot; columns f1, precision, recall (in percent; 0 where there
        is nothing to count) and count, the true chunks.
    """
    counts = Counter()
    for left, right in zip(true, predicted, strict=True):
        if len(left) != len(right):
            raise ValueError(f"{len(right)} predicted tags for a sentence of {len(left)}")
        left, right = spans(left), spans(right)
        for kind, chunks in {"true": left, "predicted": right, "both": left & right}.items():
            counts.update((name, kind) for slot, *_ in chunks for name in ("all", slot))
    rows = {}
    for name in ["all", *sorted({name for name, _ in counts} - {"all"})]:
        both, true_count, predicted_count = (
            counts[name, kind] for kind in ("both", "true", "predicted")
        )
        rows[name] = {
            "f1": 200 * both / max(true_count + predicted_count, 1),
            "precision": 100 * both / max(predicted_count, 1),
            "recall": 100 * both / max(true_count, 1),
            "count": true_count,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def slot(tag: str) -> str:
    """Return the slot of a tag: B-destination -> destination; O is a slot of its own here."""
    return tag.partition("-")[2] or tag


def confusion(
    true: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], most: int = 12
) -> pd.DataFrame:
    """Return how many percent of each slot's words (rows) were taken for each slot (columns).

    Args:
        true: tags of each sentence.
        predicted: as many.
        most: of more slots than these, those with the most mistakes are shown.
    """
    words = pd.DataFrame(
        {
            "true": [slot(tag) for tags in true for tag in tags],
            "predicted": [slot(tag) for tags in predicted for tag in tags],
        }
    )
    shares = pd.crosstab(words["true"], words["predicted"], normalize="index") * 100
    wrong = words[words["true"] != words["predicted"]].stack().value_counts()
    names = sorted({*words["true"]}, key=lambda name: (-wrong.get(name, 0), name))[:most]
    return shares.reindex(index=sorted(names), columns=sorted(names), fill_value=0.0)


def without_context(sentences: Sequence[Sentence], vocabulary: Vocabulary) -> list[list[str]]:
    """Tag each word by how often it has each tag in these very sentences, without its context.

    A tagger that sees one word at a time, and has learned from other sentences, will hardly do
    better. Words that `vocabulary` lacks are all the same to it, unless it has letters to tell them
    apart.
    """

    def known(sentence):
        words = map(normal, sentence.words)
        return [word if word in vocabulary.words or vocabulary.grams else "" for word in words]

    tags = sorted({tag for sentence in sentences for tag in begun(sentence.tags)})
    counts: dict[str, np.ndarray] = {}
    for sentence in sentences:
        for word, tag in zip(known(sentence), begun(sentence.tags), strict=True):
            counts.setdefault(word, np.zeros(len(tags)))[tags.index(tag)] += 1
    shares = {word: count / count.sum() for word, count in counts.items()}
    return [decode(np.array([shares[word] for word in known(s)]), tags) for s in sentences]
