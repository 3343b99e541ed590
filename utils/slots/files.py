"""Sentences, their tags and intents: read, checked, split, described, downloaded."""

import itertools
import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from utils import InputError
from utils.slots.chunks import begun, spans
from utils.slots.text import ZERO_WIDTH, cut_tagged

import keras

DATASETS = "atis", "snips"
# Tur, Hakkani-Tür & Heck, "What is left to be understood in ATIS?" (2010); Coucke et al., "Snips
# voice platform" (2018); in the split of JointBERT: https://github.com/monologg/JointBERT
ORIGIN = (
    "https://raw.githubusercontent.com/monologg/JointBERT/"
    "00324f60dda4a491b2913bc3065ae93966caea3f/data"
)
CHECKSUMS = Path(__file__).with_name("datasets.sha256")  # as sha256sum writes them
TAG = re.compile(r"O|[BI]-(?!.* (O|[BI]-.*)$)\S.*")  # a slot may hold a space, but no other tag


class Sentence(NamedTuple):
    """The words of a sentence, as many tags, and what it asks for, where that is known."""

    words: list[str]
    tags: list[str]
    intent: str | None = None
    cue: str = ""  # of a travel query: where the words stand that tell arriving from leaving


def read(path: str | Path) -> dict[str, list[Sentence]]:
    """Read a data set.

    An I- that begins a chunk is read as B-; a word that is only spaces is passed over.

    Args:
        path: a folder with <part>/seq.in, a sentence per line, <part>/seq.out, its tags, and
            perhaps <part>/label, its intents, or with <part>.txt (CoNLL: a word first and its tag
            last in a line, an empty line after each sentence, perhaps "# intent: NAME" before it);
            <part> is train, dev or test, which may be missing. Or one of them, to be split.

    Returns:
        The sentences of "train", "dev" and, where there is one, "test".

    Raises:
        InputError: if a part is missing, empty or not UTF-8, or at a line that can't be read.
    """
    path, parts = Path(path), {}
    if path.is_file() or (path / "seq.in").exists():
        sentences = list(_sentences(path))
        random.Random(0).shuffle(sentences)
        train, dev = (round(len(sentences) * tenths / 10) for tenths in (8, 9))
        parts |= {"train": sentences[:train], "dev": sentences[train:dev], "test": sentences[dev:]}
    else:
        for name in ("train", "dev", "test"):
            found = [place for place in (path / f"{name}.txt", path / name) if place.exists()]
            if len(found) == 2 or not (found or name == "test"):
                has = f"{'both' if found else 'neither'} of {name}/ and {name}.txt"
                raise InputError(f"--data {path}: has {has}; one is needed")
            if found:
                parts[name] = list(_sentences(found[0]))
    with_intents = any(sentence.intent for part in parts.values() for sentence in part)
    for name, part in parts.items():
        if not part:
            why = f"the {name} part is empty; an empty line ends a sentence in a .txt file"
            raise InputError(f"--data {path}: {why}")
        if lacking := [sentence for sentence in part if with_intents and not sentence.intent]:
            words = " ".join(lacking[0].words[:9])
            raise InputError(f"--data {path}: no intent for {words!r} in {name}, but for others")
    if not any(tag != "O" for sentence in parts["train"] for tag in sentence.tags):
        raise InputError(f"--data {path}: the train part has no slot, its tags are all O")
    return parts


def _sentences(path: Path) -> Iterator[Sentence]:
    """Yield those of a .txt file, or of a folder with seq.in, seq.out and perhaps label."""
    for where, rows, text in _from_lines(path) if path.is_dir() else _from_columns(path):
        intent, pieces = _shown(text), []
        if intent and not rows:
            raise InputError(f"{where}: no sentence has the intent {intent!r}")
        for place, word, tag in rows:
            if not TAG.fullmatch(_shown(tag)):
                why = "is not O, B-slot or I-slot; write B- for S- and U-, I- for E- and L-"
                raise InputError(f"{place}: tag {_shown(tag)!r} {why}")
            pieces += cut_tagged(word, _shown(tag))
        if pieces:
            words, tags = zip(*pieces, strict=True)
            yield Sentence(list(words), begun(tags), intent or None)


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip(" ") for line in path.read_text(encoding="utf-8-sig").split("\n")]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def _shown(text: str) -> str:
    """Return a tag or an intent without spaces that nobody sees."""
    return " ".join(ZERO_WIDTH.sub("", text).split())


def _from_lines(folder: Path) -> Iterator[tuple[str, list, str]]:
    """Yield of each line of seq.in, seq.out and perhaps label the intent's place, rows, intent.

    A row is where it stands, a word, its tag. Words end at tabs, if both lines have some, or else
    at blanks, so that a word may hold a no-break space.
    """
    paths = [folder / name for name in ("seq.in", "seq.out", "label")]
    files = [_lines(path) for path in paths if path.name != "label" or path.exists()]
    for line, texts in enumerate(itertools.zip_longest(*files, fillvalue=""), 1):
        word = "[^\t]+" if all("\t" in text for text in texts[:2]) else "[^ \t]+"
        words, tags = (re.findall(word, text) for text in texts[:2])
        where = f"{paths[1]}, line {line}"
        if len(words) != len(tags):
            raise InputError(f"{where}: {len(tags)} tags for {len(words)} words, {texts[0]!r}")
        yield where, [(where, *row) for row in zip(words, tags, strict=True)], "".join(texts[2:])


def _from_columns(path: Path) -> Iterator[tuple[str, list, str]]:
    """Yield the same of a file with a word and its tag per line."""
    rows, intent, place, columns = [], "", "", 0
    for line, text in enumerate([*_lines(path), "# intent: none"], 1):  # so the last sentence ends
        where = f"{path}, line {line}"
        fields = text.rstrip().split("\t") if "\t" in text else re.findall("[^ ]+", text)
        named = re.fullmatch(r"#\s*intent\s*[:=]\s*(.*\S)\s*", text)
        comment = text[:1] == "#" and not (fields[1:] and re.match("O$|[BI]-", fields[-1]))
        if (rows and not text.strip()) or (named and (rows or intent)):
            yield place, rows, intent
            rows, intent = [], ""
        if named:
            intent, place = named[1], where
        elif not text.strip() or comment or fields[0] == "-DOCSTART-":
            continue
        elif len(fields) == 1:
            raise InputError(f"{where}: {text.strip()!r} has no tag")
        elif len(fields) != (columns := columns or len(fields)):
            why = "a word or a tag may hold a space only where tabs are between the columns"
            raise InputError(f"{where}: {len(fields)} columns, but {columns} before; {why}")
        else:
            rows.append((where, fields[0], fields[-1]))


def describe(parts: dict[str, list[Sentence]]) -> str:
    """Return lines that say what was read, and what looks odd in it."""
    known: dict[str, Counter] = {}
    learned = {" ".join(sentence.words) for sentence in parts["train"]}
    lines = [" + ".join(f"{len(part):,} {name}" for name, part in parts.items()) + " sentences"]
    for name, part in parts.items():
        slots = Counter(slot for one in part for slot, *_ in sorted(spans(one.tags)))
        intents = Counter(one.intent for one in part if one.intent)
        for kind, count in [("slots", slots), ("intents", intents)]:
            if count is known.setdefault(kind, count):  # of the train part
                rarest = ", ".join(f"{n} ({times})" for n, times in count.most_common()[:-4:-1])
                lines += [f"{len(count)} {kind} in train, the rarest {rarest}"] if count else []
            elif strange := sorted(count.keys() - known[kind].keys()):
                few = ", ".join(strange[:5])
                lines.append(f"note: {name} has {len(strange)} {kind} that train lacks: {few}")
        share = sum(" ".join(one.words) in learned for one in part) / len(part)
        if name != "train" and share > 0.02:
            lines.append(f"note: {share:.0%} of the {name} sentences are in the train part, too")
    for sentence in parts["train"][:2]:
        tagged = zip(sentence.words, sentence.tags, strict=True)
        said = " ".join(word if tag == "O" else f"{word}/{tag}" for word, tag in tagged)
        lines.append(f"    {said}" + (f"  -> {sentence.intent}" if sentence.intent else ""))
    return "\n".join(lines)


def download(name: str) -> Path:
    """Fetch one of `DATASETS`, unless an earlier call did, and return its folder.

    Raises:
        InputError: if it can't be fetched, or is not what it should be; then it isn't kept.
    """
    cache = Path(os.environ.get("KERAS_HOME", "~/.keras"), "slot_filling").expanduser()
    for sha256, file in re.findall(rf"(\S+) +({name}/\S+)", CHECKSUMS.read_text("utf-8")):
        origin, target = f"{ORIGIN}/{file}", cache / file
        place = {"cache_dir": target.parent, "cache_subdir": ""}
        try:
            target.parent.mkdir(parents=True, exist_ok=True)  # else `get_file` goes to /tmp
            keras.utils.get_file(target.name, origin, file_hash=sha256, **place)
        except Exception as error:  # `get_file` raises just that, and leaves a wrong file there
            target.unlink(missing_ok=True)
            reason = str(error).strip().partition("\n")[0]
            raise InputError(f"--dataset {name}: cannot fetch {origin} ({reason})") from error
    return cache / name
