"""Sentences, their tags and their intents: read from files, checked, split, described."""

import itertools
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from utils import InputError
from utils.slots.chunks import begun, spans
from utils.slots.text import ZERO_WIDTH, cut_tagged, odd_space

TAG = re.compile(r"O|[BI]-(?!.* (O|[BI]-.*)$)\S.*")  # a slot may hold a space, but no other tag
LONG = 200  # words: no sentence has as many


class Sentence(NamedTuple):
    """The words of a sentence, as many tags, and what it asks for, where that is known."""

    words: list[str]
    tags: list[str]
    intent: str | None = None


class Data(NamedTuple):
    """What `read` returns."""

    parts: dict[str, list[Sentence]]  # "train", "dev" and, where there is one, "test"
    notes: list[str]  # what looks suspicious, and what was done about it


def read(path: str | Path, shares: Sequence[int] = (80, 10, 10)) -> Data:
    """Read a data set.

    Args:
        path: a folder that holds <part>/seq.in, a sentence per line, <part>/seq.out, its tags, and
            perhaps <part>/label, its intents, or that holds <part>.txt; <part> is train, dev or
            test, which may be missing. Or one such .txt file, or a folder with one seq.in, which
            are split at random, always in the same way. A .txt file has a word and its tag per
            line, the word first and the tag last, an empty line after each sentence (CoNLL), and
            perhaps a line "# intent: NAME" before it. An I- that begins a chunk is read as B-. A
            word and a tag may hold spaces where tabs are between them.
        shares: per cent of train, dev and test, where there is one file.

    Raises:
        InputError: if a part is missing, empty or not UTF-8, has a word without a tag, a tag that
            isn't O, B-slot or I-slot, lines of more columns than others, or intents for some
            sentences only.
    """
    path = Path(path)
    notes: list[str] = []
    if path.is_file() or (path / "seq.in").exists():
        parts = _split(path, _read_one(path, notes), shares)
        notes.append(f"one file, split at random with seed 0: {shares[0]} % are the train part")
    else:
        parts = {}
        for name in ("train", "dev", "test"):
            found = [place for place in (path / f"{name}.txt", path / name) if place.exists()]
            if len(found) == 2:
                raise InputError(f"--data {path}: has both {name}.txt and {name}; remove one")
            if found:
                parts[name] = _read_one(found[0], notes)
            elif name != "test":
                raise InputError(f"--data {path}: has neither {name}/seq.in nor {name}.txt")
    for name, part in parts.items():
        if not part:
            raise InputError(f"--data {path}: the {name} part is empty")
    lacking = [name for name, part in parts.items() if part[0].intent is None]
    if 0 < len(lacking) < len(parts):
        named = ", ".join(lacking)
        raise InputError(f"--data {path}: no intents in the part {named}, but in the others")
    if not any(tag != "O" for sentence in parts["train"] for tag in sentence.tags):
        raise InputError(f"--data {path}: the train part has no slot, its tags are all O")
    return Data(parts, notes + _suspicious(parts))


def _split(path, sentences, shares):
    """Split sentences at random."""
    mixed = list(sentences)
    random.Random(0).shuffle(mixed)
    train, dev = (round(len(mixed) * sum(shares[:n]) / 100) for n in (1, 2))
    parts = {"train": mixed[:train], "dev": mixed[train:dev]}
    if shares[2]:
        parts["test"] = mixed[dev:]
    if not all(parts.values()):
        raise InputError(
            f"--data {path}: {len(mixed)} sentences can't be split into "
            f"{', '.join(map(str, shares))} %; an empty line ends a sentence"
        )
    return parts


# ------------------------------------------------------------------ one part


def _read_one(path: Path, notes: list[str]) -> list[Sentence]:
    """Read a .txt file, or a folder with seq.in, seq.out and perhaps label."""
    sentences, spaces = [], []
    for rows, intent in _read_lines(path) if path.is_dir() else _read_columns(path, notes):
        pieces = [cut_tagged(word, tag) for _, word, tag in rows]
        spaces += [line for (line, *_), found in zip(rows, pieces, strict=True) if not found]
        if any(pieces):
            words, tags = zip(*itertools.chain(*pieces), strict=True)
            sentences.append(Sentence(list(words), begun(tags), intent))
    if spaces:
        notes.append(
            f"{path}: {len(spaces)} words that are only spaces are passed over, the first in line "
            f"{spaces[0]}"
        )
    longest = max(sentences, key=lambda sentence: len(sentence.words), default=Sentence([], []))
    if len(longest.words) > LONG:
        notes.append(
            f"{path}: a sentence of {len(longest.words):,} words, {longest.words[0]} ...;"
            " is the empty line between sentences missing?"
        )
    return sentences


def _read_text(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def _shown(text: str) -> str:
    """Return a tag or an intent without spaces that nobody sees."""
    return " ".join(ZERO_WIDTH.sub("", text).split())


def _tag(text: str, path: Path, line: int) -> str:
    tag = _shown(text)
    if not TAG.fullmatch(tag):
        advice = "; write B- for S- and U-, I- for E- and L-" if re.match("[SUEL]-", tag) else ""
        raise InputError(f"{path}, line {line}: tag {tag!r} is not O, B-slot or I-slot{advice}")
    return tag


def _read_lines(folder: Path) -> Iterator[tuple[list, str | None]]:
    """Read seq.in, seq.out and perhaps label.

    Yields:
        line, word and tag of each word of a sentence; its intent.
    """
    paths = [folder / name for name in ("seq.in", "seq.out", "label")]
    columns = [_read_text(path) for path in paths if path.name != "label" or path.exists()]
    for line, row in enumerate(itertools.zip_longest(*columns, fillvalue=""), 1):
        words, tags = _paired(*(text.strip(" \t") for text in row[:2]))
        tags = [_tag(tag, paths[1], line) for tag in tags]
        if len(words) != len(tags):
            where = odd_space(row[0]) or odd_space(row[1])
            raise InputError(
                f"{paths[1]}, line {line}: {len(tags)} tags for {len(words)} words{where}"
            )
        intent = _shown("".join(row[2:]))
        if len(columns) == 3 and bool(words) != bool(intent):
            found = "an intent without" if intent else "no intent for"
            raise InputError(f"{paths[2]}, line {line}: {found} a sentence")
        if words:
            yield [(line, *pair) for pair in zip(words, tags, strict=True)], intent or None


def _paired(words: str, tags: str) -> tuple[list[str], list[str]]:
    """Split a sentence, and its tags, where that makes as many of both, if it can be done.

    They end at tabs, if both have some; or at any space; or only at blanks and tabs, so that a word
    may hold a no-break space.
    """
    splits = [(words.split(), tags.split())]
    if "\t" in words and "\t" in tags:
        splits.insert(0, (words.split("\t"), tags.split("\t")))
    if words and tags:
        splits.append((re.split("[ \t]+", words), re.split("[ \t]+", tags)))
    for pair in splits:
        if len(pair[0]) == len(pair[1]) and all(TAG.fullmatch(_shown(tag)) for tag in pair[1]):
            return pair
    return words.split(), tags.split()


def _fields(text: str) -> list[str]:
    """Return the columns of a line, tabs between them or, if there are none, blanks."""
    text = text.rstrip(" \t")
    if "\t" in text:
        return text.split("\t")
    fields = [field for field in text.split(" ") if field]
    return fields if len(fields) > 1 else text.split()


def _read_columns(path: Path, notes: list[str]) -> Iterator[tuple[list, str | None]]:
    """Read a file with a word and its tag per line, as `_read_lines` does."""
    rows, intent, skipped, columns, intents = [], None, 0, {}, set()
    for line, text in enumerate([*_read_text(path), ""], 1):
        where, fields = f"{path}, line {line}", _fields(text)
        comment = text.startswith("#") and not (fields[1:] and re.match("O$|[BI]-", fields[-1]))
        if named := re.fullmatch(r"#\s*intent\s*[:=]\s*(.*\S)\s*", text):
            if rows or intent:
                raise InputError(f"{where}: an intent, but no empty line ends what is before it")
            intent = _shown(named[1])
        elif comment or fields[:1] == ["-DOCSTART-"]:
            skipped += 1
        elif len(fields) >= 2:
            columns.setdefault(len(fields), line)
            if len(columns) > 1:
                (usual, first), (count, _) = columns.items()
                raise InputError(
                    f"{where}: {count} columns, but {usual} in line {first}; a word or a tag may "
                    "hold a space only where tabs are between the columns"
                )
            if len(fields) > 2 and not fields[0].strip():
                raise InputError(f"{where}: nothing in the first column, where the word should be")
            rows.append((line, fields[0], _tag(fields[-1], path, line)))
        elif fields:
            raise InputError(f"{where}: {fields[0]!r} has no tag{odd_space(text)}")
        elif rows:
            yield rows, intent
            intents.add(intent is None)
            if len(intents) > 1:
                raise InputError(f'{where}: not all sentences so far have a line "# intent: NAME"')
            rows, intent = [], None
    if intent:
        raise InputError(f"{path}: no sentence after the last intent, {intent}")
    if skipped:
        notes.append(f"{path}: {skipped} comments and -DOCSTART- lines are passed over")
    if columns and max(columns) > 2:
        notes.append(f"{path}: {max(columns)} columns; the first is the word, the last its tag")


# ------------------------------------------------------------------ what was read


def _suspicious(parts: dict[str, list[Sentence]]) -> list[str]:
    """Return what a reader of these parts would ask about."""

    def names(found):
        return ", ".join(sorted(found)[:5]) + (", ..." if len(found) > 5 else "")

    slots, intents, texts = {}, {}, {}
    for name, part in parts.items():
        slots[name] = {tag[2:] for sentence in part for tag in sentence.tags} - {""}
        intents[name] = {sentence.intent for sentence in part} - {None}
        texts[name] = [" ".join(sentence.words) for sentence in part]
    notes, seen = [], set(texts["train"])
    for name in list(parts)[1:]:
        for kind, found in {"slots": slots, "intents": intents}.items():
            if strange := found[name] - found["train"]:
                notes.append(f"the {name} part has {kind} that train lacks: {names(strange)}")
        known = sum(text in seen for text in texts[name]) / len(texts[name])
        if known > 0.02:
            notes.append(f"{known:.0%} of the {name} sentences are in the train part, too")
    return notes


def describe(data: Data) -> str:
    """Return lines that say what was read: counts, the rarest, what is suspicious, two examples."""
    train = data.parts["train"]

    def rarest(name, found):
        counts = Counter(found).most_common()
        few = ", ".join(f"{label} ({count})" for label, count in counts[:-4:-1])
        return f"{len(counts)} {name} in train, the rarest {few}"

    parts = [f"{len(part):,} {name}" for name, part in data.parts.items()]
    lines = [f"{' + '.join(parts)} sentences"]
    lines.append(rarest("slots", (slot for s in train for slot, *_ in spans(s.tags))))
    if train[0].intent:
        lines.append(rarest("intents", (sentence.intent for sentence in train)))
    lines += [f"note: {note}" for note in data.notes]
    for sentence in train[:2]:
        tagged = zip(sentence.words, sentence.tags, strict=True)
        said = " ".join(word if tag == "O" else f"{word}/{tag}" for word, tag in tagged)
        lines.append(f"    {said}" + (f"  -> {sentence.intent}" if sentence.intent else ""))
    return "\n".join(lines)
