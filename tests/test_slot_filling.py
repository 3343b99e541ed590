"""The slot-filling lesson and `utils.slots.tagger`, at a tiny size."""

import functools
import io
import itertools
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import slot_filling
from slot_filling import KINDS, Network, build_network
from utils import InputError, cli, training
from utils.slots import chunks, files, tagger, travel
from utils.slots.crf import CRF
from utils.slots.files import Sentence
from utils.slots.scores import evaluate
from utils.slots.vocabulary import OTHER, PADDING, Vocabulary

import keras
import numpy as np
import pandas as pd
import pytest

REPOSITORY = Path(__file__).parents[1]
TINY = ["--units", "4", "--epochs", "1"]
CITIES = travel.by_rank(travel.TRAIN_CITIES)
QUERIES = travel.generate(24, "tests", CITIES)
WITH_MEMORY = ["elman", "jordan", "lstm", "peephole", "gru"]
NETWORKS = [
    *map(Network, KINDS),
    *(Network(kind, bidirectional=True) for kind in WITH_MEMORY),
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


def scores(network, inputs):
    return {name: keras.ops.convert_to_numpy(found) for name, found in network(inputs).items()}


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_networks(network, vocabulary, tmp_path):
    words = "one-hot" if vocabulary.letters else "embedding"
    model = build_network(network, vocabulary, words, units=4, learn_links=bool(vocabulary.letters))
    found = scores(model, vocabulary.encode(SAMPLE, steps=8))
    assert found["tags"].shape == (2, 8, len(vocabulary.tags))
    assert found["intent"].shape == (2, len(vocabulary.intents))

    # more padding changes nothing: the masks are in place, from both ends
    padded = scores(model, vocabulary.encode(SAMPLE, steps=11))
    alone = scores(model, vocabulary.encode(SAMPLE[:1], steps=2))
    np.testing.assert_allclose(padded["tags"][1, :8], found["tags"][1], atol=1e-5)
    np.testing.assert_allclose(padded["tags"][0, :2], alone["tags"][0], atol=1e-5)
    np.testing.assert_allclose(padded["intent"], found["intent"], atol=1e-5)
    np.testing.assert_allclose(padded["intent"][0], alone["intent"][0], atol=1e-5)

    tagger.save(tmp_path / "model.keras", tagger.Tagger(model, vocabulary))
    loaded = tagger.load(tmp_path / "model.keras")
    assert loaded.vocabulary == vocabulary and loaded.crf.learned == bool(vocabulary.letters)
    again = scores(loaded.network, vocabulary.encode(SAMPLE, steps=8))
    np.testing.assert_allclose(again["tags"], found["tags"], atol=1e-6)
    np.testing.assert_allclose(again["intent"], found["intent"], atol=1e-6)


@pytest.mark.parametrize("kind", ["feedforward", *WITH_MEMORY])
def test_only_memory_tells_taipei_apart(kind, vocabulary):
    model = build_network(Network(kind), vocabulary, "one-hot", units=8)
    words = [query.words for query in travel.taipei()]
    arrive, leave = scores(model, vocabulary.encode(words, steps=5))["tags"]
    difference = np.abs(arrive - leave)[1:].max(axis=-1)  # from "Taipei" on
    assert (difference == 0).all() if kind == "feedforward" else (difference > 0).all()


def test_which_end_a_network_reads_from(vocabulary):
    start = ["Taipei", "is", "where", "our", "trip"]
    sentences = [[*start, "begins"], [*start, "ends"]]
    keras.utils.set_random_seed(0)
    for bidirectional in (False, True):
        model = build_network(Network("gru", bidirectional), vocabulary, "one-hot", units=8)
        first, second = scores(model, vocabulary.encode(sentences, steps=6))["tags"]
        assert np.any(first[0] != second[0]) == bidirectional


def test_letters_give_a_stranger_a_shape(vocabulary):
    model = build_network(Network("feedforward"), vocabulary, "one-hot", units=8)
    stranger, other = scores(model, vocabulary.encode([["Taipeh"], ["Xq"]], steps=1))["tags"]
    assert np.any(stranger != other) == bool(vocabulary.letters)


def test_without_intents():
    vocabulary = Vocabulary.of([query._replace(intent=None) for query in QUERIES], letters=False)
    model = build_network(Network("gru"), vocabulary, units=4)
    assert list(model.output) == ["tags"]
    (reading,) = tagger.Tagger(model, vocabulary).read(SAMPLE[:1])
    assert len(reading.tags) == 2 and reading.intent is None


def test_names():
    names = ["feedforward", "bidirectional jordan, 3 layers", "bidirectional lstm, 5 layers"]
    assert [str(NETWORKS[i]) for i in (0, -2, -1)] == names


# ------------------------------------------------------------------ how sure


def test_chunk_probability_against_every_path():
    tags = ["B-x", "B-y", "I-x", "O"]
    crf = CRF(tags)
    crf.build((None, None, 4))
    rng = np.random.default_rng(0)
    crf.transitions.assign(rng.normal(size=(4, 4)))
    links = keras.ops.convert_to_numpy(crf.links())
    scores = rng.normal(size=(1, 4, 4)).astype("float32")
    real = np.ones((1, 4), bool)
    ways = [
        keras.ops.convert_to_numpy(way(scores, real))[:, 0] for way in (crf.forward, crf.backward)
    ]
    total, weights = 0.0, {}
    for path in itertools.product(range(4), repeat=4):
        steps = itertools.pairwise([3, *path])
        weight = np.exp(sum(links[step] for step in steps) + scores[0][range(4), path].sum())
        total += weight
        for span in chunks.spans([tags[tag] for tag in path]):
            weights[span] = weights.get(span, 0.0) + weight
    assert len(weights) == 4 + 4 + 3 + 2 + 1  # y is one word, x of any length, anywhere
    for span, weight in weights.items():
        found = tagger.chunk_probability(span, tags, scores[0], links, *ways)
        assert found == pytest.approx(weight / total, abs=1e-5)


def test_temperatures_are_found(vocabulary):
    """A network that is as sure as it should be, and one whose scores are five times as large."""
    rng = np.random.default_rng(0)
    tags, intents = len(vocabulary.tags), len(vocabulary.intents)
    softer = 2 * rng.normal(size=(400, 1, tags)), 2 * rng.normal(size=(400, intents))

    def drawn(logits):
        return (logits + rng.gumbel(size=logits.shape)).argmax(axis=-1)

    outside = np.array([tag.startswith("I-") for tag in vocabulary.tags])
    softer[0][:, :, outside] = -1e3  # of one word nothing is inside
    true_tags, true_intents = drawn(softer[0])[:, 0], drawn(softer[1])
    sentences = [
        Sentence(["word"], [vocabulary.tags[tag]], vocabulary.intents[intent])
        for tag, intent in zip(true_tags, true_intents, strict=True)
    ]
    tagged = tagger.Tagger(build_network(Network("feedforward"), vocabulary, units=2), vocabulary)
    for factor in (1, 5):
        found = {"tags": factor * softer[0].astype("float32"), "intent": factor * softer[1]}
        tagged.scores = lambda _, found=found: [(list(range(400)), found, np.ones((400, 1), bool))]
        tagged.crf.temperature.assign(1.0)
        assert tagger.calibrate(tagged, sentences) == []
        intent = tagged.network.get_layer("intent")
        assert float(tagged.crf.temperature) == pytest.approx(factor, rel=0.25)
        assert float(intent.temperature) == pytest.approx(factor, rel=0.25)


def test_a_temperature_that_cannot_be_fitted(vocabulary):
    tagged = tagger.Tagger(build_network(Network("gru"), vocabulary, units=2), vocabulary)
    scores = {"tags": np.zeros((1, 1, len(vocabulary.tags))), "intent": 5 * np.eye(1, 4)}
    scores["tags"][..., vocabulary.tags.index("O")] = 9  # no slot at all
    real = np.ones((1, 1), bool)
    tagged.scores = lambda _: [([n], scores, real) for n in range(100)]
    all_right = [Sentence(["word"], ["O"], vocabulary.intents[0])] * 100
    assert tagger.calibrate(tagged, all_right) == ["slots"]
    assert float(tagged.crf.temperature) == 1
    # all are right, which does not make it wholly sure
    temperature = float(tagged.network.get_layer("intent").temperature)
    logits = np.array([5, 0, 0, 0]) / temperature
    assert 0.98 < np.exp(logits[0]) / np.exp(logits).sum() < 0.999


def test_evaluate():
    sentences = [
        Sentence(["a", "b"], ["B-x", "I-x"], "go"),
        Sentence(["a", "b"], ["B-x", "O"], "stay"),
        Sentence(["a"], ["O"], "go"),
    ]
    readings = [
        tagger.Reading(["B-x", "I-x"], [("x", 0, 2, 0.9)], "go", 0.8),
        tagger.Reading(["B-x", "I-x"], [("x", 0, 2, 0.6)], "stay", 0.7),
        tagger.Reading(["O"], [], "stay", 0.4),
    ]
    found = evaluate(sentences, readings)
    assert found == pytest.approx(
        {
            "f1": 50,
            "precision": 50,
            "recall": 50,
            "intent_accuracy": 200 / 3,
            "sentence_accuracy": 100 / 3,
            "slot_calibration_error": (10 + 60) / 2,
            "intent_calibration_error": (20 + 30 + 40) / 3,
        }
    )
    without = [sentence._replace(intent=None) for sentence in sentences]
    found = evaluate(without, readings)
    assert found["intent_accuracy"] is None and found["intent_calibration_error"] is None
    assert found["sentence_accuracy"] == pytest.approx(200 / 3)


# ------------------------------------------------------------------ training


def test_batches(vocabulary):
    batches = tagger.Batches(QUERIES, vocabulary, batch_size=5, rare=0, seed=0)
    assert len(batches) == 5
    lengths = [batches[i][1]["tags"].shape[1] for i in range(5)]
    assert lengths[:2] == [min(lengths), max(lengths)] and lengths[0] < lengths[1]
    orders = []
    for _ in range(2):
        seen = []
        for i in range(len(batches)):
            inputs, targets = batches[i]
            for words, tags, intent in zip(
                inputs["words"], targets["tags"], targets["intent"], strict=True
            ):
                steps = int((tags >= 0).sum())
                assert (words[:steps] != PADDING).all() and (words[steps:] == PADDING).all()
                assert (tags[steps:] == -1).all() and intent.sum() == 1
                names = [vocabulary.tags[number] for number in tags[:steps]]
                seen.append((words[:steps].tolist(), names, vocabulary.intents[intent.argmax()]))
        orders.append(seen)
        batches.on_epoch_end()
    numbers = [vocabulary.encode([q.words], len(q.words))["words"][0].tolist() for q in QUERIES]
    expected = [(n, q.tags, q.intent) for n, q in zip(numbers, QUERIES, strict=True)]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(expected)
    assert orders[0] != orders[1]


def test_rare_words_become_other():
    train = [Sentence(["often"] * 7 + ["twice", "once", "twice"], ["O"] * 10)]
    vocabulary = Vocabulary.of(train, letters=False)
    for rare, expected in {0: [], 0.1: [8], 0.2: [8], 0.3: [7, 8, 9], 1: [*range(10)]}.items():
        batches = tagger.Batches(train, vocabulary, batch_size=1, rare=rare, seed=0)
        drawn = np.array([batches[0][0]["words"][0] for _ in range(1000)])
        share = (drawn == OTHER).mean(axis=0)
        np.testing.assert_allclose(share, np.isin(range(10), expected) / 2, atol=0.06)
    vocabulary = Vocabulary.of(train, letters=True)
    inputs, _ = tagger.Batches(train, vocabulary, batch_size=1, rare=1, seed=0)[0]
    assert OTHER in inputs["words"] and inputs["letters"][0, :, 0].all()  # they stay


SETTINGS = {"batch_size": 4, "learning_rate": 0.02, "seed": 0, "title": "gru"}


@pytest.mark.parametrize("learn_links", [False, True])
def test_learns_and_keeps_the_best_epoch(learn_links, capsys, monkeypatch):
    monkeypatch.setattr(tagger, "RARE", 0)  # of so few words, every one is needed
    keras.utils.set_random_seed(0)
    many = travel.generate(120, "tests", CITIES)
    queries = [query for query in many if query.cue == "before"]
    vocabulary = Vocabulary.of(queries, letters=False)
    network = build_network(Network("gru"), vocabulary, units=32, learn_links=learn_links)
    tagged = tagger.Tagger(network, vocabulary)
    fit = tagger.fit(tagged, {"train": queries, "dev": queries}, epochs=15, **SETTINGS)
    assert 1 <= fit.epoch <= 15 and fit.seconds > 0 and not fit.interrupted
    found = evaluate(queries, tagged.read([query.words for query in queries]))
    assert found["f1"] > 80 and found["intent_accuracy"] > 90
    links = keras.ops.convert_to_numpy(tagged.crf.transitions)
    assert np.any(links != 0) == learn_links
    progress = capsys.readouterr().out
    assert "gru: epoch 15/15, loss " in progress
    assert f"Training ended as planned, {fit.seconds:.0f} s; kept is epoch {fit.epoch}," in progress


def test_divergence_is_said(vocabulary):
    network = build_network(Network("elman"), vocabulary, units=4)
    network.set_weights([weight * np.nan for weight in network.get_weights()])
    tagged = tagger.Tagger(network, vocabulary)
    with pytest.raises(InputError, match="the training diverged; lower --learning-rate"):
        tagger.fit(tagged, {"train": QUERIES, "dev": QUERIES}, epochs=1, **SETTINGS)


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
    names = {"model.keras", "scores.json", "slots.csv", "sentences.csv"}
    names |= {"figure.png", "taipei.png"}
    assert {path.name for path in folder.iterdir()} == names
    assert json.loads((folder / "scores.json").read_text(encoding="utf-8")) == scores
    assert scores["data"] == "travel" and scores["letters"] is scores["crf"] is False
    assert list(scores["networks"]) == ["feedforward", "bidirectional gru"]
    assert scores["best"] in scores["networks"] and scores["ceiling_without_context"] == 50
    assert 0 < scores["commonest_tags_f1"] <= 50
    for entry in scores["networks"].values():
        for part in ("dev", "test"):
            whole = {"f1", "intent_accuracy", "sentence_accuracy"}
            errors = {"slot_calibration_error", "intent_calibration_error"}
            spreads = {f"{name}_sd" for name in whole}
            assert set(entry[part]) == {"precision", "recall"} | whole | errors | spreads
            assert all(0 <= value <= 100 for value in entry[part].values())
            by_seed = [seed[part]["f1"] for seed in entry["seeds"]]
            assert entry[part]["f1"] == pytest.approx(np.mean(by_seed))
        assert entry["parameters"] > 0 and entry["fit_seconds"] > 0
        assert set(entry["test_f1_by_cue"]) == {"before", "far", "after"}
    for phrase in ("seed 1: epoch 1/1", "-> find", "of this grammar", "arrive", "cue before", "±"):
        assert phrase in printed
    header, first, *_ = (folder / "slots.csv").read_text().splitlines()
    assert header == ",f1,precision,recall,count,f1_sd" and first.startswith("all,")
    sentences = pd.read_csv(folder / "sentences.csv")
    assert len(sentences) == 12 and sentences["words"].str.contains("taipei|on ").any()
    tags = [sentences[name].str.split() for name in ("tags", "predicted_tags")]
    best = scores["networks"][scores["best"]]["seeds"]
    f1 = chunks.score(*tags).loc["all", "f1"]
    assert f1 in [seed["test"]["f1"] for seed in best]
    assert 100 * sentences["right"].mean() in [seed["test"]["sentence_accuracy"] for seed in best]
    for name in ("figure.png", "taipei.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("count", [1, 5, 9])
def test_pictures_of_any_number_of_networks(count, vocabulary):
    """As many as Ctrl-C left, or one more than the lesson has."""
    tagged = tagger.Tagger(build_network(Network("gru"), vocabulary, units=2), vocabulary)
    figure = slot_filling.draw_taipei({f"network {n}": tagged for n in range(count)}, QUERIES[:2])
    assert len(figure.axes) == 2 * count


def test_feedforward_answers_the_same_twice(travelled):
    lines = [line.split() for line in travelled[2].splitlines() if line.startswith("feedforward ")]
    *_, arrive, leave = (words[2:] for words in lines)  # without the name and the first word
    assert arrive == leave and len(arrive) == 4


def test_in_chinese(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(travel, "parts", functools.partial(travel.parts, train=30, dev=12, test=12))
    argv = ["--language", "zh", "--model", "gru", "--crf", *TINY, "--output-dir", str(tmp_path)]
    scores = slot_filling.main(argv)
    assert scores["language"] == "zh" and scores["crf"] is True
    assert scores["networks"]["gru"]["test"]["f1_sd"] is None
    printed = capsys.readouterr().out
    assert "十" in printed and "±" not in printed
    slot_filling.main(["--predict", "十一月二日抵達台北", "--output-dir", str(tmp_path)])
    line = capsys.readouterr().out
    assert "抵" in line and json.loads(line)["words"] == list("十一月二日抵達台北")


def write_folder(folder):
    for part in ("train", "dev"):
        (folder / part).mkdir(parents=True)
        for file, column in {"seq.in": "words", "seq.out": "tags"}.items():
            lines = [" ".join(getattr(query, column)) for query in QUERIES]
            (folder / part / file).write_text("\n".join(lines), encoding="utf-8")
        (folder / part / "label").write_text("\n".join(query.intent for query in QUERIES))
    return folder


def test_own_folder_without_test_part(tmp_path):
    data, out = write_folder(tmp_path / "data"), tmp_path / "out"
    for part in ("train", "dev"):
        (data / part / "label").unlink()
    flags = ["--words", "one-hot", "--layers", 2, "--bidirectional", "--no-crf"]
    argv = ["--data", data, "--model", "jordan", *flags, *TINY, "--output-dir", out]
    assert run(argv) == 0
    scores = json.loads((out / "scores.json").read_text())
    assert (scores["data"], scores["words"], scores["letters"]) == (str(data), "one-hot", True)
    ((name, entry),) = scores["networks"].items()
    assert name == scores["best"] == "bidirectional jordan, 2 layers"
    assert entry["test"] is None and "test_f1_by_cue" not in entry
    assert entry["dev"]["intent_accuracy"] is None and entry["dev"]["sentence_accuracy"] >= 0
    assert not (out / "taipei.png").exists()


class TrainedEnoughError(Exception):
    """Raised in place of a training."""


@pytest.fixture
def planned(monkeypatch):
    """What would be trained: networks, vocabulary, parts, args."""
    plans = []

    def train_all(*plan):
        plans.append(plan)
        raise TrainedEnoughError

    monkeypatch.setattr(slot_filling, "train_all", train_all)

    def plan(argv):
        with pytest.raises(TrainedEnoughError):
            slot_filling.main([str(word) for word in argv])
        return plans.pop()

    return plan


def test_one_file(planned, tmp_path, capsys):
    lines = [
        "\n".join(f"{word} {tag}" for word, tag in zip(query.words, query.tags, strict=True))
        for query in QUERIES
    ]
    (tmp_path / "mine.txt").write_text("\n\n".join(lines))
    argv = ["--data", tmp_path / "mine.txt", "--split", "70,30,0", "--output-dir", tmp_path / "out"]
    _, vocabulary, parts, _ = planned(argv)
    assert [len(part) for part in parts.values()] == [17, 7] and vocabulary.letters
    printed = capsys.readouterr().out
    assert "17 train + 7 dev sentences" in printed and "70 % are the train part" in printed


def test_dataset(planned, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "download", lambda name: write_folder(tmp_path / name))
    networks, vocabulary, _, args = planned(
        ["--dataset", "snips", "--output-dir", tmp_path / "out"]
    )
    assert networks == [slot_filling.BEST] and vocabulary.letters and vocabulary.intents
    assert args.crf and args.epochs == 50  # of so few sentences


def test_defaults(planned, tmp_path):
    networks, vocabulary, _, args = planned(["--output-dir", tmp_path])
    assert networks == slot_filling.COMPARED and not vocabulary.letters
    assert (args.crf, args.epochs, args.seeds) == (False, 10, [0])
    networks, *_ = planned(["--model", "lstm", "--layers", 2, "--output-dir", tmp_path])
    assert networks == [Network("lstm", layers=2)]


def test_interrupted(tmp_path, monkeypatch, capsys):
    """Ctrl-C in the second training: the first is kept, and the best epoch of the second."""
    data, out = write_folder(tmp_path / "data"), tmp_path / "out"
    score = tagger.BestEpoch.on_epoch_end

    def on_epoch_end(self, epoch, logs=None):
        if "seed 1" in self.title and epoch == 1:
            raise KeyboardInterrupt
        score(self, epoch, logs)

    monkeypatch.setattr(tagger.BestEpoch, "on_epoch_end", on_epoch_end)
    argv = ["--data", data, "--model", "gru", "--units", 4, "--epochs", 2, "--seeds", "0,1,2"]
    assert run([*argv, "--output-dir", out]) == 130
    (entry,) = json.loads((out / "scores.json").read_text())["networks"].values()
    assert [seed["epoch"] for seed in entry["seeds"]][1:] == [1]
    assert (out / "model.keras").exists()
    printed, error = capsys.readouterr()
    assert "Interrupted: going on with what is finished" in printed
    assert error == "slot_filling.py: interrupted\n"


def test_interrupted_before_anything_is_finished(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(tagger.BestEpoch, "on_epoch_end", interrupt)
    data, out = write_folder(tmp_path / "data"), tmp_path / "out"
    assert run(["--data", data, "--model", "gru", *TINY, "--output-dir", out]) == 130
    assert not list(out.iterdir())


# ------------------------------------------------------------------ asking


def asked(capsys, argv):
    assert run(argv) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_predict_in_a_fresh_process(travelled, capsys):
    folder = travelled[1]
    lines = "\n".join([*HARD, "arrive Kaohsiung tomorrow morning."]) + "\n"
    done = subprocess.run(
        [sys.executable, "slot_filling.py", "--predict", "-", "--output-dir", folder],
        cwd=REPOSITORY, input=lines, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(HARD) + 1
    for answer in answers:
        keys = ["intent", "intent_probability", "slots", "words", "tags", "unknown"]
        assert list(answer) == keys and len(answer["tags"]) == len(answer["words"])
        assert all(0 <= slot["probability"] <= 1 for slot in answer["slots"])
    empty, spaces, marks, *_ = answers
    nothing = {"intent": None, "intent_probability": None, "slots": [], "words": [], "tags": []}
    assert empty == spaces == marks == nothing | {"unknown": []}
    assert answers[HARD.index("台北 到 高雄")]["words"] == list("台北到高雄")
    assert answers[-1]["words"] == ["arrive", "Kaohsiung", "tomorrow", "morning"]
    assert answers[-1]["unknown"] == ["Kaohsiung"] and answers[-1]["intent_probability"] > 0
    # together, in batches, or alone, from a folder or a file: the same answers
    flags = ["--predict", lines.splitlines()[-1]]
    assert asked(capsys, [*flags, "--output-dir", folder]) == answers[-1:]
    assert asked(capsys, [*flags, "--load", folder / "model.keras"]) == answers[-1:]


def test_answers_come_while_the_pipe_stays_open(travelled):
    process = subprocess.Popen(
        [sys.executable, "slot_filling.py", "--predict", "-", "--output-dir", travelled[1]],
        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    with process:
        for text in ("leave Taipei", "抵達台北"):
            process.stdin.write(f"{text}\n")
            process.stdin.flush()
            assert "".join(json.loads(process.stdout.readline())["words"]) in text.replace(" ", "")
        process.stdin.close()
    assert process.returncode == 0


def reading(tags, *probabilities, intent="go", probability=0.7):
    spans = sorted(chunks.spans(tags), key=lambda span: span[1])
    sure = [(*span, sure) for span, sure in zip(spans, probabilities, strict=True)]
    return tagger.Reading(tags, sure, intent, probability)


def test_slots_of_an_answer(vocabulary, monkeypatch):
    tags = ["O", "B-departure", "O", "B-time", "I-time", "B-departure"]
    tagged = tagger.Tagger(build_network(Network("gru"), vocabulary, units=2), vocabulary)
    monkeypatch.setattr(tagged, "read", lambda _: [reading(tags, 0.99, 0.5, 0.96)])
    text = "leave Taipei, on November  2nd! Zzyzx"
    (answer,) = tagger.answer(tagged, [text])
    assert answer["slots"] == [
        {"slot": "departure", "text": "Taipei", "probability": 0.99},
        {"slot": "time", "text": "November  2nd", "probability": 0.5},
        {"slot": "departure", "text": "Zzyzx", "probability": 0.96},
    ]
    assert (answer["intent"], answer["intent_probability"]) == ("go", 0.7)
    assert answer["tags"] == tags and "Zzyzx" in answer["unknown"]
    (sure,) = tagger.answer(tagged, [text], min_confidence=0.9)
    assert [slot["text"] for slot in sure["slots"]] == ["Taipei", "Zzyzx"]
    assert sure["tags"] == ["O", "B-departure", "O", "O", "O", "B-departure"]
    assert (sure["intent"], sure["intent_probability"]) == (None, 0.7)


def test_spans_come_back_as_text(vocabulary, monkeypatch):
    tags = ["O", "O", "B-place", "I-place", "O", "B-time", "I-time", "I-time"]
    tagged = tagger.Tagger(build_network(Network("gru"), vocabulary, units=2), vocabulary)
    monkeypatch.setattr(tagged, "read", lambda _: [reading(tags, 1.0, 1.0)])
    (answer,) = tagger.answer(tagged, ["抵達台北 on 11月2"])
    assert [slot["text"] for slot in answer["slots"]] == ["台北", "11月2"]


def test_lines_as_they_come():
    class Pipe:
        blocks = iter([b"\xef\xbb\xbfone\r\ntwo\nth", b"ree", b"\n", b"last", b""])

        def read1(self, _):
            return next(self.blocks)

    assert [*tagger.arriving(Pipe())] == [["one", "two"], ["three"], ["last"]]


def test_standard_input(travelled, monkeypatch, capsys):
    flags = ["--predict", "-", "--output-dir", travelled[1]]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert run(flags) == 0
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"leave\nleave \xff"), "utf-8"))
    assert run(flags) == 2
    expected = "slot_filling.py: error: --predict -: line 2 is not UTF-8\n"
    assert capsys.readouterr().err == expected


def test_long_sentences_in_small_batches(travelled, monkeypatch):
    tagged = tagger.load(travelled[1] / "model.keras")
    sentences = [query.words for query in QUERIES] + [["leave"] * 50, [], ["Taipei"]]
    expected = tagged.read(sentences)
    assert [len(reading.tags) for reading in expected] == [len(words) for words in sentences]
    monkeypatch.setattr(tagger, "MAX_WORDS", 20)
    for reading, again in zip(expected, tagged.read(sentences), strict=True):
        assert (reading.tags, reading.intent) == (again.tags, again.intent)
        assert reading.probability == pytest.approx(again.probability, abs=1e-5)


# ------------------------------------------------------------------ what it refuses


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        ("--seeds 0,x", "'x' is not a whole number"),
        ("--seeds ,", "--seeds takes whole numbers"),
        ("--seeds 4294967296", "'4294967296' is not a whole number"),
        ("--split 80,10,20 --data x", "--split takes per cent of train, dev and test"),
        ("--split 80,20 --data x", "--split takes per cent of train, dev and test"),
        ("--split 80,10,10 --data nowhere", "nowhere: has neither train/seq.in nor train.txt"),
        ("--split 70,20,10", "--split: only for --data FILE"),
        ("--bidirectional", "--bidirectional: they need --model"),
        ("--dataset atis --layers 2", "--layers: they need --model"),
        ("--model feedforward --bidirectional", "feedforward has none"),
        ("--model lstm --layers 0", "'0' is not a whole number of at least 1"),
        ("--model rnn", "invalid choice: 'rnn'"),
        ("--dataset atis --data here", "--data and --dataset: name one of them"),
        ("--data here --language zh", "--language: only for the travel grammar"),
        ("--data= --split 80,10,10", "--data: needs the name of a file or folder"),
        ("--learning-rate 0", "'0' is not a number above 0"),
        ("--data nowhere", "nowhere: has neither train/seq.in nor train.txt"),
        ("--predict hello --output-dir nowhere", "no saved model at nowhere"),
        ("--predict hello --load nowhere.keras", "no saved model at nowhere.keras"),
        ("--predict hello --epochs 3", "--epochs: --predict asks a trained model"),
        ("--predict hello --data x --crf", "--crf and --data: --predict asks a trained model"),
        ("--predict hello --min-confidence 1.5", "'1.5' is not a number at least 0 and below 1"),
        ("--load x", "--load: only for --predict"),
        ("--min-confidence 0.5", "--min-confidence: only for --predict"),
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


def test_help_says_what_holds_without_a_flag(capsys):
    assert run(["--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "train, dev and test (default: 80,10,10)" in text
    assert "a run with each of them (default: 0)" in text
    crf = "False on the travel grammar, True in Chinese, True on other data"
    assert f"learn which tag follows which (default: {crf})" in text


def test_chinese_has_defaults_of_its_own():
    assert not slot_filling.parse_args([]).crf
    assert slot_filling.parse_args(["--language", "zh"]).crf
    assert not slot_filling.parse_args(["--language=zh", "--no-crf"]).crf


def test_help_needs_no_keras():
    code = "import sys, slot_filling\nassert 'keras.src' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)


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
    facts = {"script": "slot_filling.py", **vocabulary.to_json()}
    training.save(tmp_path / "model.keras", model, facts)
    with pytest.raises(InputError, match="not a model that slot_filling"):
        tagger.load(tmp_path / "model.keras")
