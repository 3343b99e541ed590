"""Sentences, their tags and their intents: fetched, read, checked."""

import contextlib
import itertools
import os
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from utils import InputError
from utils.slots.chunks import begun, spans
from utils.slots.text import cut_tagged

import keras

LONG = 200  # words: no sentence has as many


class Sentence(NamedTuple):
    """The words of a sentence, as many tags, and what it asks for, where that is known."""

    words: list[str]
    tags: list[str]
    intent: str | None = None


# Tur, Hakkani-Tür & Heck, "What is left to be understood in ATIS?" (2010); Coucke et al., "Snips
# voice platform" (2018); in the split of JointBERT: https://github.com/monologg/JointBERT
ORIGIN = (
    "https://raw.githubusercontent.com/monologg/JointBERT/00324f60dda4a491b2913bc3065ae93966caea3f"
)
SHA256 = {
    "atis": {
        "train/seq.in": "3a670980841b21ab39088b2595efc17d487cdc45769c075a3e5f9458bba28c7f",
        "train/seq.out": "14c7131bd66562f797dbd7189bc7358f0cf354c6afb0785a9ab973c35b58f34c",
        "train/label": "d0a771547665eecbdf9f96ea015ef07d1f6ee9f063e861020dafabb3c2a04377",
        "dev/seq.in": "c7435b96e7948393608c34819628e863c5338f11ca68e8f896d2cc041d8e17f8",
        "dev/seq.out": "83ccff3e36f83a993f8e5b5b82adf3256076f234abda4d784051381d7ac76922",
        "dev/label": "06957cfe6fdffac84f8280bc3a1f8ca85c85631b363817aa4543aac611f8addf",
        "test/seq.in": "4b2119fc59c37f9398c6605db435d4f467505009e6ee3e5af04fed09f39dc397",
        "test/seq.out": "a4690d6bceadc06876d1ff99bc401744aa981cb321e598ae12a3859d7be53254",
        "test/label": "ce4bfe6590d9498e1078f30b4137d3e8b3e94277b444b26360c0bf2e9e282761",
    },
    "snips": {
        "train/seq.in": "04ad1e3f2121d83c6478f9a4b17d2dbdc21d06d6127f73cb7af835ed733f9855",
        "train/seq.out": "fd5f2121d8055827e5d6b3d3bac30f3d7e94e82a5d437751960cbdd9e1b4f6d3",
        "train/label": "bfd7df6cf9dd76c5da5d8b61bc85f90386197bdd3d7510c1d324c051537b962f",
        "dev/seq.in": "64e0f6d8ad8aab3a3828164d7d53731a0993d3ca1aed437ceaca6d3d568d410e",
        "dev/seq.out": "712e6d34feb8d52d208b820a5f8bae6e6ff990f08374507dfde22de389088319",
        "dev/label": "9c1dd041216f647bcfca838aaf1a48eb5781e4404256d31ff07cd38a5436c52f",
        "test/seq.in": "c1e341173fcea2951a8ca371956a6f81c76de87b9583c62eb87edd6158fa3a7c",
        "test/seq.out": "58c07c9097d5e1f78889765c2a535a160f6455b90b3142055c8051847afcca47",
        "test/label": "37a26da3ad079bb41c42c85a3a8f827eb47efec4c5917ce5d08f4b2736e4f830",
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
            perhaps a line "# intent: NAME" before it. An I- that begins a chunk is read as B-.
        shares: per cent of train, dev and test, where there is one file.

    Raises:
        InputError: if a part is missing, empty or not UTF-8, has a word without a tag, a tag that
            isn't O, B-slot or I-slot, or intents for some sentences only.
    """
    path = Path(path)
    notes: list[str] = []
    if path.is_file() or (path / "seq.in").exists():
        sentences = _read_one(path, notes)
        parts = _split(path, sentences, shares)
        notes.append(f"one file, split at random with seed 0: {shares[0]} % are the train part")
    else:
        parts = {}
        for name in ("train", "dev", "test"):
            found = [place for place in (path / f"{name}.txt", path / name) if place.exists()]
            if found:
                parts[name] = _read_one(found[0], notes)
            elif name != "test":
                raise InputError(f"--data {path}: has neither {name}/seq.in nor {name}.txt")
    for name, part in parts.items():
        if not part:
            raise InputError(f"--data {path}: the {name} part is empty")
    with_intents = {name: part[0].intent is not None for name, part in parts.items()}
    if len({*with_intents.values()}) > 1:
        lacking = ", ".join(name for name, has in with_intents.items() if not has)
        raise InputError(f"--data {path}: no intents in the part {lacking}, but in the others")
    if not any(tag != "O" for sentence in parts["train"] for tag in sentence.tags):
        raise InputError(f"--data {path}: the train part has no slot, its tags are all O")
    return Data(parts, notes + _suspicious(parts))


def _read_one(path: Path, notes: list[str]) -> list[Sentence]:
    """Read a .txt file, or a folder with seq.in, seq.out and perhaps label."""
    if path.is_dir():
        sentences = list(_read_lines(path / "seq.in", path / "seq.out", path / "label"))
    else:
        sentences = list(_read_columns(path, notes))
    longest = max(sentences, key=lambda sentence: len(sentence.words), default=Sentence([], []))
    if len(longest.words) > LONG:
        notes.append(
            f"{path}: a sentence of {len(longest.words):,} words, {longest.words[0]} ...;"
            " is the empty line between sentences missing?"
        )
    return sentences


def _split(path: Path, sentences: list[Sentence], shares: Sequence[int]) -> dict:
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


def _suspicious(parts: dict[str, list[Sentence]]) -> list[str]:
    """Return what a reader of these parts would ask about."""

    def names(found):
        return ", ".join(sorted(found)[:5]) + (", ..." if len(found) > 5 else "")

    slots, intents, texts = {}, {}, {}
    for name, part in parts.items():
        slots[name] = {tag[2:] for sentence in part for tag in sentence.tags} - {""}
        intents[name] = {sentence.intent for sentence in part} - {None}
        texts[name] = {" ".join(sentence.words) for sentence in part}
    notes = []
    for name in list(parts)[1:]:
        for kind, found in {"slots": slots, "intents": intents}.items():
            if strange := found[name] - found["train"]:
                notes.append(f"the {name} part has {kind} that train lacks: {names(strange)}")
        known = sum(" ".join(sentence.words) in texts["train"] for sentence in parts[name])
        if known * 50 > len(parts[name]):
            share = known / len(parts[name])
            notes.append(f"{share:.0%} of the {name} sentences are in the train part, too")
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


def _read_text(path: Path) -> list[str]:
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


def _sentence(words: Sequence[str], tags: Sequence[str], intent: str | None) -> Sentence:
    pairs = [pair for word, tag in zip(words, tags, strict=True) for pair in cut_tagged(word, tag)]
    return Sentence([word for word, _ in pairs], begun([tag for _, tag in pairs]), intent)


def _read_lines(words_path: Path, tags_path: Path, intents_path: Path) -> Iterator[Sentence]:
    columns = [_read_text(words_path), _read_text(tags_path)]
    if has_intents := intents_path.exists():
        columns.append(_read_text(intents_path))
    rows = itertools.zip_longest(*columns, fillvalue="")
    for line, (words, tags, *intent) in enumerate(rows, 1):
        words, tags = words.split(), [_checked(tag, tags_path, line) for tag in tags.split()]
        intent = "".join(intent).strip()
        if len(words) != len(tags):
            raise InputError(f"{tags_path}, line {line}: {len(tags)} tags for {len(words)} words")
        if has_intents and bool(words) != bool(intent):
            found = "an intent without" if intent else "no intent for"
            raise InputError(f"{intents_path}, line {line}: {found} a sentence")
        if words:
            yield _sentence(words, tags, intent or None)


def _read_columns(path: Path, notes: list[str]) -> Iterator[Sentence]:
    rows, intent, widths, skipped, intents = [], None, set(), 0, set()
    for line, text in enumerate([*_read_text(path), ""], 1):
        fields = text.split()
        comment = text.startswith("#") and not (fields[1:] and re.match("O$|[BI]-", fields[-1]))
        if comment and (named := re.fullmatch(r"#\s*intent\s*[:=]\s*(.*\S)\s*", text)):
            intent = named[1]
        elif comment or fields[:1] == ["-DOCSTART-"]:
            skipped += 1
        elif len(fields) >= 2:
            rows.append((fields[0], _checked(fields[-1], path, line)))
            widths.add(len(fields))
        elif fields:
            raise InputError(f"{path}, line {line}: {fields[0]!r} has no tag")
        elif rows:
            yield _sentence(*zip(*rows, strict=True), intent)
            intents.add(intent is None)
            if len(intents) > 1:
                raise InputError(
                    f'{path}, line {line}: not all sentences so far have a line "# intent: NAME"'
                )
            rows, intent = [], None
    if skipped:
        notes.append(f"{path}: {skipped} comments and -DOCSTART- lines are passed over")
    if widths - {2}:
        columns = " or ".join(map(str, sorted(widths)))
        notes.append(f"{path}: {columns} columns; the first is the word, the last its tag")
