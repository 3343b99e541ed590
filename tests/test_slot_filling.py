"""The slot-filling lesson and `utils.slots.tagger`, at a tiny size."""

import functools
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import slot_filling
from slot_filling import KINDS, Network, build_tagger
from utils import InputError, cli
from utils.slots import tagger, tagging, travel
from utils.slots.tagging import OTHER, PADDING, Sentence, Vocabulary

import keras
import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[1]
TINY = ["--units", "4", "--epochs", "1"]
QUERIES = travel.generate(24, "tests", travel.TRAIN_CITIES)
NETWORKS = [
    *map(Network, KINDS),
    *(Network(kind, bidirectional=True) for kind in KINDS[1:]),
    Network("feedforward", layers=2),
    Network("jordan", bidirectional=True, layers=3),
    Network("lstm", bidirectional=True, layers=5),
]
HARD = ["", "  ", "?!", "LEAVE TAIPEI", "台北 到 高雄", "🛫 Taipei 🛬", "word " * 500, "x" * 5000]
SAMPLE = [["leave", "Taipei"], ["we", "want", "to", "arrive", "in", "Ulan", "Bator", "soon"]]


@pytest.fixture(scope="module", params=[False, True], ids=["words", "letters"])
def vocabulary(request):
    return Vocabulary.of(QUERIES, letters=request.param)


def run(argv):
    """Run the lesson as its command does; return the exit code."""
    with pytest.raises(SystemExit) as exit:
        cli.run(lambda: slot_filling.main([str(word) for word in argv]), "slot_filling.py")
    return exit.value.code


# ------------------------------------------------------------------ the networks


def probabilities(model, inputs):
    return keras.ops.convert_to_numpy(model(inputs))


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_networks(network, vocabulary, tmp_path):
    words = "one-hot" if vocabulary.grams else "embedding"
    model = build_tagger(network, vocabulary, words, units=4)
    found = probabilities(model, vocabulary.encode(SAMPLE, steps=8))
    assert found.shape == (2, 8, len(vocabulary.tags))
    np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-5)

    # more padding changes nothing: the masks are in place, from both ends
    padded = probabilities(model, vocabulary.encode(SAMPLE, steps=11))
    alone = probabilities(model, vocabulary.encode(SAMPLE[:1], steps=2))
    np.testing.assert_allclose(padded[:, :8][1], found[1], atol=1e-6)
    np.testing.assert_allclose(padded[0, :2], alone[0], atol=1e-6)

    tagger.save(tmp_path / "model.keras", model, vocabulary)
    loaded, same_vocabulary = tagger.load(tmp_path / "model.keras")
    assert same_vocabulary == vocabulary
    again = probabilities(loaded, vocabulary.encode(SAMPLE, steps=8))
    np.testing.assert_allclose(again, found, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_only_memory_tells_taipei_apart(kind, vocabulary):
    model = build_tagger(Network(kind), vocabulary, "one-hot", units=8)
    words = [query.words for query in travel.TAIPEI]
    arrive, leave = probabilities(model, vocabulary.encode(words, steps=5))
    difference = np.abs(arrive - leave)[1:].max(axis=-1)  # from "Taipei" on
    assert (difference == 0).all() if kind == "feedforward" else (difference > 0).all()


def test_which_end_a_network_reads_from(vocabulary):
    start = ["Taipei", "is", "where", "our", "trip"]
    sentences = [[*start, "begins"], [*start, "ends"]]
    for bidirectional in (False, True):
        model = build_tagger(Network("gru", bidirectional), vocabulary, "one-hot", units=8)
        first, second = probabilities(model, vocabulary.encode(sentences, steps=6))
        assert np.any(first[0] != second[0]) == bidirectional


def test_letters_give_a_stranger_a_shape(vocabulary):
    model = build_tagger(Network("feedforward"), vocabulary, "one-hot", units=8)
    (stranger, other) = probabilities(model, vocabulary.encode([["Taipeh"], ["Xq"]], steps=1))
    assert np.any(stranger != other) == bool(vocabulary.grams)


def test_names():
    names = ["feedforward", "bidirectional jordan, 3 layers", "bidirectional lstm, 5 layers"]
    assert [str(NETWORKS[i]) for i in (0, -2, -1)] == names


# ------------------------------------------------------------------ training


def test_batches(vocabulary):
    batches = tagger.Batches(QUERIES, vocabulary, batch_size=5, rare=0, seed=0)
    assert len(batches) == 5
    lengths = [batches[i][2].shape[1] for i in range(5)]
    assert lengths[:2] == [min(lengths), max(lengths)] and lengths[0] < lengths[1]
    orders = []
    for _ in range(2):
        seen = []
        for i in range(len(batches)):
            inputs, targets, weights = batches[i]
            assert weights.dtype == np.float32 and targets.dtype == np.int32
            for words, tags, weight in zip(inputs["words"], targets, weights, strict=True):
                steps = int(weight.sum())
                assert weight.tolist() == [1] * steps + [0] * (len(weight) - steps)
                assert (words[:steps] > OTHER).all() and (words[steps:] == PADDING).all()
                seen.append((words[:steps].tolist(), [vocabulary.tags[n] for n in tags[:steps]]))
        orders.append(seen)
        batches.on_epoch_end()
    numbers = [vocabulary.encode([q.words], len(q.words))["words"][0].tolist() for q in QUERIES]
    expected = sorted(zip(numbers, [query.tags for query in QUERIES], strict=True))
    assert sorted(orders[0]) == sorted(orders[1]) == expected
    assert orders[0] != orders[1]


def test_rare_words_become_other():
    train = [Sentence(["often"] * 7 + ["twice", "once", "twice"], ["O"] * 10)]
    vocabulary = Vocabulary.of(train, letters=True)
    for rare, expected in {0: [], 0.1: [8], 0.2: [8], 0.3: [7, 8, 9], 1: [*range(10)]}.items():
        batches = tagger.Batches(train, vocabulary, batch_size=1, rare=rare, seed=0)
        drawn = np.array([batches[0][0]["words"][0] for _ in range(1000)])
        share = (drawn == OTHER).mean(axis=0)
        np.testing.assert_allclose(share, np.isin(range(10), expected) / 2, atol=0.06)
        assert batches[0][0]["letters"][0, :, 0].all()  # they stay


def test_padding_is_left_out_of_the_loss(vocabulary):
    model = build_tagger(Network("elman"), vocabulary, "one-hot", units=4)
    loss = keras.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")
    model.compile(loss=loss, jit_compile=False)
    inputs = vocabulary.encode(SAMPLE, steps=8)
    weights = (inputs["words"] != PADDING).astype("float32")
    targets = np.zeros((2, 8), "int32")
    loss = model.evaluate(inputs, targets, sample_weight=weights, verbose=0)
    found = probabilities(model, inputs)
    by_hand = -np.log(found[..., 0])[weights > 0].mean()
    assert loss == pytest.approx(by_hand, rel=1e-4)


def test_learns_and_keeps_the_best_epoch(capsys, monkeypatch):
    monkeypatch.setattr(tagger, "RARE", 0)  # of so few words, every one is needed
    keras.utils.set_random_seed(0)
    many = travel.generate(120, "tests", travel.TRAIN_CITIES)
    queries = [query for query in many if query.cue == "before"]
    vocabulary = Vocabulary.of(queries, letters=False)
    model = build_tagger(Network("gru"), vocabulary, "embedding", units=32)
    parts = {"train": queries, "dev": queries}
    settings = {"epochs": 20, "batch_size": 4, "learning_rate": 0.02, "seed": 0, "title": "gru"}
    assert tagger.fit(model, vocabulary, parts, **settings) > 0
    f1 = tagger.evaluate(model, vocabulary, queries).loc["all", "f1"]
    assert f1 > 80
    progress = capsys.readouterr().out
    assert "gru: epoch 20/20, loss " in progress and f"best {f1:.2f}" in progress


def test_divergence_is_said(vocabulary):
    model = build_tagger(Network("elman"), vocabulary, "embedding", units=4)
    model.set_weights([weight * np.nan for weight in model.get_weights()])
    settings = {"epochs": 1, "batch_size": 8, "learning_rate": 0.1, "seed": 0, "title": "elman"}
    with pytest.raises(InputError, match="the training diverged; lower --learning-rate"):
        tagger.fit(model, vocabulary, {"train": QUERIES, "dev": QUERIES}, **settings)


# ------------------------------------------------------------------ the script


@pytest.fixture(scope="module")
def travelled(tmp_path_factory):
    """A comparison of two networks on a small travel grammar: scores, folder, what was printed."""
    folder = tmp_path_factory.mktemp("travel")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(travel, "parts", functools.partial(travel.parts, train=30, dev=12, test=12))
        patch.setattr(slot_filling, "COMPARED", [Network("feedforward"), Network("gru", True)])
        printed = io.StringIO()
        patch.setattr(sys, "stdout", printed)
        scores = slot_filling.main([*TINY, "--seeds", "0,1", "--output-dir", str(folder)])
    return scores, folder, printed.getvalue()


def test_comparison(travelled):
    scores, folder, printed = travelled
    names = {"model.keras", "scores.json", "slots.csv", "figure.png", "taipei.png"}
    assert {path.name for path in folder.iterdir()} == names
    assert json.loads((folder / "scores.json").read_text(encoding="utf-8")) == scores
    keys = ["data", "words", "letters", "networks", "ceiling_without_context", "best"]
    assert list(scores) == keys
    assert scores["data"] == "travel" and scores["letters"] is False
    assert list(scores["networks"]) == ["feedforward", "bidirectional gru"]
    assert scores["best"] in scores["networks"] and 0 < scores["ceiling_without_context"] <= 50
    for entry in scores["networks"].values():
        for part in ("dev", "test"):
            assert set(entry[part]) == {"f1", "precision", "recall", "f1_sd"}
            assert all(0 <= value <= 100 for value in entry[part].values())
        assert entry["parameters"] > 0 and entry["fit_seconds"] > 0
        assert set(entry["test_f1_by_cue"]) == {"before", "far", "after"}
    for phrase in ("seed 1: epoch 1/1", "dev F1", "could reach", "arrive", "cue before", "±"):
        assert phrase in printed
    header, first, *_ = (folder / "slots.csv").read_text().splitlines()
    assert header == ",f1,precision,recall,count,f1_sd" and first.startswith("all,")
    for name in ("figure.png", "taipei.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_feedforward_answers_the_same_twice(travelled):
    lines = [line.split() for line in travelled[2].splitlines() if line.startswith("feedforward")]
    *_, arrive, leave = (words[2:] for words in lines)  # without the name and the first word
    assert arrive == leave and len(arrive) == 4


def write_folder(folder):
    for part in ("train", "dev"):
        (folder / part).mkdir(parents=True)
        for file, column in {"seq.in": "words", "seq.out": "tags"}.items():
            lines = [" ".join(getattr(query, column)) for query in QUERIES]
            (folder / part / file).write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_own_folder_without_test_part(tmp_path):
    data, out = write_folder(tmp_path / "data"), tmp_path / "out"
    flags = ["--letters", "--words", "one-hot", "--layers", 2, "--bidirectional"]
    argv = ["--data", data, "--model", "jordan", *flags, *TINY, "--output-dir", out]
    assert run(argv) == 0
    scores = json.loads((out / "scores.json").read_text())
    assert (scores["data"], scores["words"], scores["letters"]) == (str(data), "one-hot", True)
    ((name, entry),) = scores["networks"].items()
    assert name == scores["best"] == "bidirectional jordan, 2 layers"
    assert entry["test"] is None and "test_f1_by_cue" not in entry
    assert not (out / "taipei.png").exists()


def test_dataset(tmp_path, monkeypatch):
    fetched = []

    def download(name):
        fetched.append(name)
        return write_folder(tmp_path / name)

    monkeypatch.setattr(tagging, "download", download)
    argv = ["--dataset", "snips", *TINY, "--output-dir", str(tmp_path / "out")]
    scores = slot_filling.main(argv)
    assert fetched == ["snips"] == [scores["data"]]
    assert list(scores["networks"]) == [str(slot_filling.BEST)]


def test_predict_in_a_fresh_process(travelled):
    folder = travelled[1]
    lines = "\n".join([*HARD, "arrive Kaohsiung tomorrow morning."]) + "\n"
    done = subprocess.run(
        [sys.executable, "slot_filling.py", "--predict", "-", "--output-dir", folder],
        cwd=REPOSITORY, input=lines, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["words"] for answer in answers[:-1]] == [text.split() for text in HARD]
    for answer in answers:
        assert set(answer) == {"words", "tags", "slots"}
        assert len(answer["tags"]) == len(answer["words"])
    assert answers[-1]["words"] == ["arrive", "Kaohsiung", "tomorrow", "morning."]
    # together, in batches, or alone: the same answers
    alone = slot_filling.main(["--predict", lines.splitlines()[-1], "--output-dir", str(folder)])
    assert alone == answers[-1:]


def test_slots_of_an_answer(monkeypatch):
    tags = ["O", "B-departure", "O", "B-time", "I-time", "B-departure"]
    monkeypatch.setattr(tagger, "tag", lambda *_: [tags])
    (answer,) = tagger.answer(None, None, ["leave Taipei, on November 2nd! Taipei"])
    assert answer["slots"] == [
        {"slot": "departure", "text": "Taipei"},
        {"slot": "time", "text": "November 2nd"},
        {"slot": "departure", "text": "Taipei"},
    ]


def test_standard_input(travelled, monkeypatch, capsys):
    flags = ["--predict", "-", "--output-dir", travelled[1]]
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert run(flags) == 0
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"leave \xff"), "utf-8"))
    assert run(flags) == 2
    expected = "slot_filling.py: error: --predict -: the standard input is not UTF-8\n"
    assert capsys.readouterr().err == expected


def test_long_sentences_in_small_batches(travelled, monkeypatch):
    model, vocabulary = tagger.load(travelled[1] / "model.keras")
    sentences = [query.words for query in QUERIES] + [["leave"] * 50, [], ["Taipei"]]
    expected = tagger.tag(model, vocabulary, sentences)
    assert [len(tags) for tags in expected] == [len(sentence) for sentence in sentences]
    monkeypatch.setattr(tagger, "MAX_WORDS", 20)
    assert tagger.tag(model, vocabulary, sentences) == expected


# ------------------------------------------------------------------ what it refuses


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        ("--seeds 0,x", "--seeds takes whole numbers"),
        ("--seeds ,", "--seeds takes whole numbers"),
        ("--bidirectional", "--bidirectional and --layers need --model"),
        ("--dataset atis --layers 2", "--bidirectional and --layers need --model"),
        ("--model feedforward --bidirectional", "feedforward has none"),
        ("--seeds 4294967296", "--seeds takes whole numbers below 2^32"),
        ("--model lstm --layers 0", "'0' is not a whole number of at least 1"),
        ("--model rnn", "invalid choice: 'rnn'"),
        ("--dataset atis --data here", "not allowed with"),
        ("--learning-rate 0", "'0' is not a number above 0"),
        ("--data nowhere", "nowhere: has neither train/seq.in nor train.txt"),
        ("--predict hello --output-dir nowhere", "no saved model at nowhere"),
        ("--output-dir setup.txt", "cannot write there"),
    ],
)
def test_refused(argv, complaint, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "setup.txt").write_text("a file")
    assert run(argv.split()) == 2
    error = capsys.readouterr().err
    assert complaint in error and error.count("\n") == 1
    assert error.startswith("slot_filling.py: error: ")


def test_bad_models(travelled, tmp_path, capsys):
    flags = ["--predict", "hello", "--output-dir", tmp_path]
    path = tmp_path / "model.keras"
    path.write_bytes(b"not a zip file")
    assert run(flags) == 2
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("facts.json", "{}")
    assert run(flags) == 2
    whole = (travelled[1] / "model.keras").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert run(flags) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3
    assert all("not a model that slot_filling.py saved (" in line for line in errors)


def test_safe_mode(vocabulary, tmp_path):
    """A model with a lambda, which is code, is not loaded."""
    inputs = keras.Input((None,), dtype="int32", name="words")
    model = keras.Model({"words": inputs}, keras.layers.Lambda(lambda x: x)(inputs))
    tagger.save(tmp_path / "model.keras", model, vocabulary)
    with pytest.raises(InputError, match="not a model that slot_filling"):
        tagger.load(tmp_path / "model.keras")
