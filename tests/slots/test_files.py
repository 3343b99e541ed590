"""Reading, checking, splitting and fetching sentences."""

import hashlib

from utils import InputError
from utils.slots import files
from utils.slots.files import Sentence

import pytest

TRAIN = [
    Sentence(["fly", "to", "New", "York"], ["O", "O", "B-to", "I-to"]),
    Sentence(["fly", "from", "York", "!"], ["O", "O", "B-from", "O"]),
]


def write_part(folder, words, tags, part="train"):
    (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / part / "seq.in").write_text(words, encoding="utf-8")
    (folder / part / "seq.out").write_text(tags, encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    """A good folder without a test part."""
    write_part(tmp_path, "fly to New York\nfly from York !\n", "O O B-to I-to\nO O B-from O\n")
    write_part(tmp_path, "to York", "O B-to", "dev")
    return tmp_path


def test_lines(folder):
    dev = [Sentence(["to", "York"], ["O", "B-to"])]
    assert files.read(folder) == files.Data({"train": TRAIN, "dev": dev}, [])
    write_part(folder, "\ufefffrom  York \r\n\r\n", "O\tB-from\r\n\r\n", "test")
    expected = [Sentence(["from", "York"], ["O", "B-from"])]
    assert files.read(str(folder)).parts["test"] == expected


def test_columns(tmp_path):
    columns = "fly O\nto O\nNew\tI-to\nYork _ I-to\n\n\nfly O\nfrom O\nYork B-from\n! O"
    (tmp_path / "train.txt").write_text(columns, encoding="utf-8")
    (tmp_path / "dev.txt").write_text("台北 B-to\n\n", encoding="utf-8")
    parts, notes = files.read(tmp_path)
    assert parts == {"train": TRAIN, "dev": [Sentence(["台", "北"], ["B-to", "I-to"])]}
    assert notes == [
        f"{tmp_path / 'train.txt'}: 2 or 3 columns; the first is the word, the last its tag"
    ]


@pytest.mark.parametrize(
    ("words", "tags", "complaint"),
    [
        ("a b\nc d e\n", "O O\nO O\n", r"train/seq.out, line 2: 2 tags for 3 words"),
        ("a b\n", "O O\nO\n", r"train/seq.out, line 2: 1 tags for 0 words"),
        ("a b\n\nc\n", "O O\nO\n\n", r"train/seq.out, line 2: 1 tags for 0 words"),
        ("a b\n", "O X-to\n", r"train/seq.out, line 1: tag 'X-to' is not O, B-slot or I-slot"),
        ("a b\n", "O B-\n", r"line 1: tag 'B-'"),
        ("a b\n", "O to\n", r"line 1: tag 'to'"),
        ("", "", r"the train part is empty"),
        ("\n \n", "\n\n", r"the train part is empty"),
    ],
)
def test_bad_lines(folder, words, tags, complaint):
    write_part(folder, words, tags)
    with pytest.raises(InputError, match=complaint) as error:
        files.read(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ("a O\nb\n", r"train.txt, line 2: 'b' has no tag"),
        ("a O\n\nb E-x\n", r"train.txt, line 3: tag 'E-x'"),
        ("\n\n", r"the train part is empty"),
    ],
)
def test_bad_columns(folder, columns, complaint):
    (folder / "train.txt").write_text(columns)
    with pytest.raises(InputError, match=complaint):
        files.read(folder)


def test_bad_files(folder, tmp_path):
    (folder / "dev" / "seq.in").write_bytes("to Zürich".encode("latin-1"))
    with pytest.raises(InputError, match=r"dev/seq.in: not UTF-8 at byte 4; save it as UTF-8"):
        files.read(folder)
    (folder / "dev" / "seq.in").unlink()
    (folder / "dev" / "seq.out").unlink()
    (folder / "dev").rmdir()
    with pytest.raises(InputError, match=r"has neither dev/seq.in nor dev.txt"):
        files.read(folder)
    (folder / "train" / "seq.out").unlink()
    with pytest.raises(InputError, match=r"train/seq.out: cannot be read \(No such file"):
        files.read(folder)
    with pytest.raises(InputError, match=r"nowhere: has neither train/seq.in nor train.txt"):
        files.read(tmp_path / "nowhere")


def test_nothing_but_o(folder):
    write_part(folder, "a b\n", "O O\n")
    with pytest.raises(InputError, match=r"the train part has no slot, its tags are all O"):
        files.read(folder)


# ------------------------------------------------------------------ intents


def write_intents(folder, **parts):
    for part, intents in parts.items():
        (folder / part / "label").write_text("\n".join(intents), encoding="utf-8")


def test_label(folder):
    write_intents(folder, train=["fly", "ask"], dev=["fly", ""])
    parts, notes = files.read(folder)
    assert [sentence.intent for sentence in parts["train"]] == ["fly", "ask"]
    assert [sentence.intent for sentence in parts["dev"]] == ["fly"] and not notes
    write_intents(folder, dev=["pray"])
    assert files.read(folder).notes == ["the dev part has intents that train lacks: pray"]


@pytest.mark.parametrize(
    ("intents", "complaint"),
    [
        (["fly"], r"train/label, line 2: no intent for a sentence"),
        (["fly", "", "ask"], r"train/label, line 2: no intent for a sentence"),
        (["fly", "ask", "ask"], r"train/label, line 3: an intent without a sentence"),
        (None, r"no intents in the part train, but in the others"),
    ],
)
def test_bad_label(folder, intents, complaint):
    write_intents(folder, dev=["fly"], **({"train": intents} if intents else {}))
    with pytest.raises(InputError, match=complaint):
        files.read(folder)


def test_intents_in_columns(tmp_path):
    columns = "# text = hello\n# intent: fly away\nto O\nYork B-to\n\n# intent = ask\n# O\n# B-to\n"
    for part in ("train", "dev"):
        (tmp_path / f"{part}.txt").write_text(columns)
    parts, notes = files.read(tmp_path)
    assert parts["train"] == [
        Sentence(["to", "York"], ["O", "B-to"], "fly away"),
        Sentence(["#", "#"], ["O", "B-to"], "ask"),
    ]
    assert "train.txt: 1 comments and -DOCSTART- lines are passed over" in notes[0]
    (tmp_path / "train.txt").write_text(columns + "\nfrom O\nYork B-to\n")
    with pytest.raises(
        InputError, match=r"line 12: not all sentences so far have a line .# intent"
    ):
        files.read(tmp_path)


# ------------------------------------------------------------------ one file, and what is odd


def write_one(path, sentences):
    path.write_text("".join(f"to O\ncity{n} B-to\n\n" for n in range(sentences)))
    return path


def test_one_file_is_split(tmp_path):
    path = write_one(tmp_path / "mine.conll", 50)
    parts, notes = files.read(path)
    assert {name: len(part) for name, part in parts.items()} == {"train": 40, "dev": 5, "test": 5}
    cities = [sentence.words[1] for part in parts.values() for sentence in part]
    assert sorted(cities) == sorted(f"city{n}" for n in range(50)) and cities != sorted(cities)
    assert "split at random with seed 0: 80 % are the train part" in notes[0]
    assert files.read(path).parts == parts
    assert [len(part) for part in files.read(path, [60, 40, 0]).parts.values()] == [30, 20]
    with pytest.raises(InputError, match=r"2 sentences can't be split into 80, 10, 10 %"):
        files.read(write_one(path, 2))


def test_one_folder_is_split(folder):
    for line in ("in", "out"):
        part = folder / "train" / f"seq.{line}"
        (folder / f"seq.{line}").write_text(10 * part.read_text())
    assert [len(part) for part in files.read(folder).parts.values()] == [16, 2, 2]


def test_no_empty_line(tmp_path):
    (tmp_path / "train.txt").write_text("a O\nb B-x\n" * 500)
    (tmp_path / "dev.txt").write_text("a O\nb B-y\n")
    _, notes = files.read(tmp_path)
    assert "train.txt: a sentence of 1,000 words, a ...; is the empty line" in notes[0]
    assert notes[1] == "the dev part has slots that train lacks: y"


def test_docstart_and_sentences_of_train(tmp_path):
    (tmp_path / "train.txt").write_text("-DOCSTART- -X- O O\n\na X O\nb X B-x\n")
    (tmp_path / "dev.txt").write_text("a X O\nb X B-x\n")
    parts, notes = files.read(tmp_path)
    assert parts["train"] == [Sentence(["a", "b"], ["O", "B-x"])]
    assert [note.partition(": ")[2] for note in notes[:2]] == [
        "1 comments and -DOCSTART- lines are passed over",
        "3 columns; the first is the word, the last its tag",
    ]
    assert notes[-1] == "100% of the dev sentences are in the train part, too"


def test_describe(folder):
    write_intents(folder, train=["fly", "ask"], dev=["fly"])
    said = files.describe(files.read(folder)).splitlines()
    assert said == [
        "2 train + 1 dev sentences",
        "2 slots in train, the rarest from (1), to (1)",
        "2 intents in train, the rarest ask (1), fly (1)",
        "    fly to New/B-to York/I-to  -> fly",
        "    fly from York/B-from !  -> ask",
    ]


# ------------------------------------------------------------------ fetched


@pytest.fixture
def origin(tmp_path, monkeypatch):
    """A data set "mini" at a file:// address, and an empty cache."""
    served = tmp_path / "served" / "data" / "mini"
    for part in ("train", "dev", "test"):
        write_part(served, f"to {part}\n", "O B-to\n", part)
        (served / part / "label").write_text(f"{part}\n")
    hashes = {
        path.relative_to(served).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(served.rglob("*"))
        if path.is_file()
    }
    monkeypatch.setattr(files, "SHA256", {"mini": hashes})
    monkeypatch.setattr(files, "ORIGIN", (tmp_path / "served").as_uri())
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    return served


def test_download(origin, tmp_path):
    folder = files.download("mini")
    assert folder.is_relative_to(tmp_path / "cache")
    data = files.read(folder)
    for name in ("train", "dev", "test"):
        assert data.parts[name] == [Sentence(["to", name], ["O", "B-to"], name)]
    for path in [*origin.rglob("seq.*"), *origin.rglob("label")]:
        path.unlink()
    assert files.read(files.download("mini")) == data  # nothing is fetched twice


def test_broken_download(origin, tmp_path):
    (origin / "dev" / "seq.out").write_text("O B-from\n")
    with pytest.raises(InputError, match=r"--dataset mini: cannot fetch file:.*dev/seq.out"):
        files.download("mini")
    cached = {
        path.relative_to(tmp_path / "cache").parts[-2:] for path in tmp_path.rglob("cache/**/seq.*")
    }
    assert ("dev", "seq.out") not in cached
    (origin / "dev" / "seq.out").unlink()
    with pytest.raises(InputError, match=r"cannot fetch file:.*dev/seq.out") as error:
        files.download("mini")
    assert "\n" not in str(error.value)


def test_addresses():
    """The real ones, which no test may fetch."""
    assert files.ORIGIN.startswith("https://") and set(files.SHA256) == {"atis", "snips"}
    names = {f"{p}/{n}" for p in ("train", "dev", "test") for n in ("seq.in", "seq.out", "label")}
    for hashes in files.SHA256.values():
        assert set(hashes) == names
        assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in hashes.values())
