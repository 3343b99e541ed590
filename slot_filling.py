r"""Which slot does each word of a query fill? The lecture's "arrive Taipei on November 2nd".

In "arrive Taipei" the second word is a destination, in "leave Taipei" a place of departure. A
feed-forward network sees one word at a time and must give the same answer twice. A network with a
memory need not. Only its middle layer differs, from a word's vector x_t to the hidden h_t:

    feedforward   h_t = tanh(x_t W + b)
    elman         h_t = tanh(x_t W + h_{t-1} U + b)       remembers its hidden layer
    jordan        h_t = tanh(x_t W + y_{t-1} U + b)       remembers its output y_t = h_t V + c
    lstm, gru     gates decide what enters the memory, what stays, and what leaves
    peephole      an LSTM whose gates also see the memory cell

and a softmax gives each tag its probability: O, B-destination, I-destination, ...

    python slot_filling.py                                    # all of them, on the travel grammar
    python slot_filling.py --model lstm --bidirectional --layers 2
    python slot_filling.py --predict "leave Taipei on November 2nd"        # by the model saved last
    python slot_filling.py --dataset atis                     # real queries; downloaded once
    python slot_filling.py --data my_folder                   # train/, dev/, test/ of your own
"""

import json
import sys
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

from utils import InputError, cli, plotting, tagging, travel
from utils.cells import JordanCell, PeepholeLSTMCell
from utils.files import output_folder, write_csv, write_json, written_whole
from utils.tagging import PADDING, Vocabulary

import keras
import numpy as np
import pandas as pd
from keras import layers, ops

KINDS = ["feedforward", "elman", "jordan", "lstm", "peephole", "gru"]
DROPOUT = 0.4  # of the word vectors and of the middle layers' outputs
RARE = 0.9  # how readily a rare word is replaced by "other"; see utils.tagging.Batches
AVERAGED = 0.99  # the weights that are scored and saved: a running mean over about 100 steps


class Network(NamedTuple):
    """The part in which the networks differ."""

    kind: str
    bidirectional: bool = False
    layers: int = 1

    def __str__(self):
        deep = f", {self.layers} layers" if self.layers > 1 else ""
        return f"{'bidirectional ' if self.bidirectional else ''}{self.kind}{deep}"


COMPARED = [*map(Network, KINDS), Network("lstm", True), Network("gru", True)]
BEST = Network("lstm", True)


def parse_args(argv=None):
    parser = cli.Parser(prog="slot_filling.py", description="Fill the slots of queries.")
    data = parser.add_argument_group(
        "data, if not the travel grammar"
    ).add_mutually_exclusive_group()
    data.add_argument("--dataset", choices=list(tagging.SHA256), help="download it, once")
    data.add_argument(
        "--data", metavar="FOLDER",
        help="your own: train/, dev/ and test/ with seq.in and seq.out, or train.txt, dev.txt and "
        "test.txt with a word and its tag per line; the test part may be missing",
    )  # fmt: skip
    data.add_argument(
        "--predict", metavar="TEXT",
        help="no training: fill the slots of this text (-: of each line of the standard input) "
        "with the model in --output-dir, and print JSON",
    )  # fmt: skip
    network = parser.add_argument_group("network")
    network.add_argument(
        "--model", choices=KINDS,
        help=f"default: all, to compare them, on the travel grammar; {BEST} on other data",
    )  # fmt: skip
    network.add_argument("--bidirectional", action="store_true", help="one from each end")
    network.add_argument("--layers", type=cli.whole_number(1), default=1, help="middle layers")
    network.add_argument("--units", type=cli.whole_number(1), default=128, help="width of a layer")
    network.add_argument(
        "--words", choices=["one-hot", "embedding"], default="embedding",
        help="1-of-N with one more dimension for other words, or a vector that is learned",
    )  # fmt: skip
    network.add_argument("--letters", action="store_true", help="add each word's letter trigrams")
    training = parser.add_argument_group("training")
    training.add_argument("--epochs", type=cli.whole_number(1), default=20)
    training.add_argument("--batch-size", type=cli.whole_number(1), default=16, help="sentences")
    training.add_argument(
        "--learning-rate",
        type=cli.number_above(0),
        default=0.003,
        help="at the start, then falling",
    )
    training.add_argument(
        "--seeds", type=cli.names, default="0", metavar="0,1,2", help="one run each"
    )
    parser.add_argument("--output-dir", default="outputs/slot_filling", metavar="FOLDER")
    parser.add_argument("--show", action="store_true", help="open the pictures in windows")
    args = parser.parse_args(argv)
    if not args.seeds or not all(seed.isdecimal() for seed in args.seeds):
        parser.error("--seeds takes whole numbers with commas between them, such as 0,1,2")
    if not args.model and (args.bidirectional or args.layers > 1):
        parser.error("--bidirectional and --layers need --model")
    if args.model == "feedforward" and args.bidirectional:
        parser.error("--bidirectional needs a network with a memory, feedforward has none")
    return args


# ------------------------------------------------------------------ the network


def middle(network, units, tags, last):
    """Return the layer that makes the difference: (batch, steps, features) -> (..., units).

    The last layer of a Jordan network gives its output instead, a score for each tag: that is what
    it remembers.
    """
    sequences = {"return_sequences": True}
    jordan = JordanCell(units, tags if last else units)
    layer = {
        "feedforward": layers.Dense(units, activation="tanh"),
        "elman": layers.SimpleRNN(units, **sequences),
        "jordan": layers.RNN(jordan, **sequences),
        "lstm": layers.LSTM(units, **sequences),
        "peephole": layers.RNN(PeepholeLSTMCell(units), **sequences),
        "gru": layers.GRU(units, **sequences),
    }[network.kind]
    if network.bidirectional:
        merge_mode = "sum" if network.kind == "jordan" and last else "concat"
        return layers.Bidirectional(layer, merge_mode)
    return layer


def build_tagger(network, vocabulary, words, units):
    """Return a network from `Vocabulary.encode`'s numbers to (batch, steps, tags) probabilities."""
    tags = len(vocabulary.tags)
    inputs = {"words": keras.Input((None,), dtype="int32", name="words")}
    mask = ops.not_equal(inputs["words"], PADDING)  # (batch, steps)
    size = len(vocabulary.words) + 2  # and padding, and "other"
    if words == "one-hot":
        x = ops.one_hot(inputs["words"], size)
    else:
        x = layers.Embedding(size, units)(inputs["words"])
    if vocabulary.grams:
        inputs["letters"] = keras.Input((None, tagging.MAX_GRAMS), dtype="int32", name="letters")
        grams = layers.Embedding(len(vocabulary.grams) + 2, units)(inputs["letters"])
        real = ops.not_equal(inputs["letters"], PADDING)[..., None]
        x = layers.Concatenate()([x, ops.sum(ops.where(real, grams, 0.0), axis=2)])
    for level in range(1, network.layers + 1):
        x = layers.Dropout(DROPOUT)(x)
        layer = middle(network, units, tags, last=level == network.layers)
        x = layer(x) if network.kind == "feedforward" else layer(x, mask=mask)
    if network.kind != "jordan":
        x = layers.Dense(tags)(layers.Dropout(DROPOUT)(x))
    return keras.Model(inputs, ops.softmax(x))


# ------------------------------------------------------------------ training and using it


def tag(model, vocabulary, sentences):
    """Return a tag for each word of each sentence (lists of words, of any lengths)."""
    tags = [[] for _ in sentences]
    left = sorted(
        (row for row in range(len(tags)) if sentences[row]), key=lambda row: len(sentences[row])
    )
    while left:
        size = max(1, 8192 // len(sentences[left[-1]]))
        rows, left = left[-size:], left[:-size]
        steps = len(sentences[rows[-1]])
        found = model.predict_on_batch(vocabulary.encode([sentences[row] for row in rows], steps))
        for row, numbers in zip(rows, found.argmax(axis=-1), strict=True):
            tags[row] = [vocabulary.tags[number] for number in numbers[: len(sentences[row])]]
    return tags


def score(model, vocabulary, sentences):
    """Return `tagging.score`'s table."""
    predicted = tag(model, vocabulary, [sentence.words for sentence in sentences])
    return tagging.score([sentence.tags for sentence in sentences], predicted)


class BestEpoch(keras.callbacks.Callback):
    """Score the dev part after each epoch, say so, and keep the best weights."""

    def __init__(self, title, vocabulary, dev):
        super().__init__()
        self.title, self.vocabulary, self.dev = title, vocabulary, dev
        self.f1, self.weights = -1.0, None

    def on_epoch_end(self, epoch, logs=None):
        """Score the dev part."""
        f1 = score(self.model, self.vocabulary, self.dev).loc["all", "f1"]
        if f1 > self.f1:
            self.f1, self.weights = f1, self.model.get_weights()
        epochs = f"epoch {epoch + 1:2}/{self.params['epochs']}"
        print(
            f"\r{self.title}: {epochs}, loss {logs['loss']:.4f}, dev F1 {f1:5.2f}",
            end="", flush=True,
        )  # fmt: skip


def fit(model, title, vocabulary, parts, args, seed):
    """Train; leave the model with the weights of its best epoch; return the seconds.

    Adam with a cosine schedule down to zero, gradients clipped to norm 1, and the weights averaged
    over the last steps (`use_ema`).
    """
    batches = tagging.Batches(parts["train"], vocabulary, args.batch_size, RARE, seed)
    model.compile(
        keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(args.learning_rate, args.epochs * len(batches)),
            clipnorm=1.0, use_ema=True, ema_momentum=AVERAGED,
        ),
        keras.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight"),
        jit_compile=False,  # XLA would compile again for each length
    )  # fmt: skip
    averaged = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    best = BestEpoch(title, vocabulary, parts["dev"])
    start = time.perf_counter()
    model.fit(batches, epochs=args.epochs, callbacks=[averaged, best], verbose=0)
    model.set_weights(best.weights)
    print(f", best {best.f1:.2f}")
    return time.perf_counter() - start


def save(path, model, vocabulary):
    """Save the network and its vocabulary as one `.keras` file."""
    with written_whole(path) as beside:
        model.save(beside)
        with zipfile.ZipFile(beside, "a") as archive:  # Keras passes over members it doesn't know
            archive.writestr("vocabulary.json", json.dumps(vocabulary.to_json()))


def load(path):
    """Load what `save` wrote, in Keras' safe mode: a stranger's file must not run code."""
    if not path.exists():
        raise InputError(f"--predict: no saved model at {path}; train one first, without --predict")
    try:
        with zipfile.ZipFile(path) as archive:
            vocabulary = Vocabulary.from_json(json.loads(archive.read("vocabulary.json")))
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a broken or hostile file may fail anywhere in Keras
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(f"{path}: not a model that slot_filling.py saved ({reason})") from error
    model.jit_compile = False
    return model, vocabulary


def answer(model, vocabulary, texts):
    """Return a dict for each text: its words, their tags, and the slots they fill."""
    sentences = [text.split() for text in texts]
    answers = []
    for words, tags in zip(sentences, tag(model, vocabulary, sentences), strict=True):
        chunks = sorted(tagging.spans(tags), key=lambda chunk: chunk[1])
        slots = [
            {"slot": slot, "text": tagging.without_marks(" ".join(words[start:stop]))}
            for slot, start, stop in chunks
        ]
        answers.append({"words": words, "tags": tags, "slots": slots})
    return answers


# ------------------------------------------------------------------ results and pictures


class Run(NamedTuple):
    """A network trained with one seed."""

    model: keras.Model
    seconds: float
    dev: pd.DataFrame  # as from `tagging.score`
    test: pd.DataFrame | None


def mean_scores(tables):
    """Return F1, precision and recall over all slots, and the spread of F1 over the seeds."""
    scores = pd.DataFrame([table.loc["all", ["f1", "precision", "recall"]] for table in tables])
    spread = scores["f1"].std() if len(scores) > 1 else 0.0
    return {**scores.mean().to_dict(), "f1_sd": float(spread)}


def f1_by_cue(runs, vocabulary, queries):
    """Return the mean F1 where the cue stands before, far before and after what it decides."""
    cues = {}
    for cue in travel.SENTENCES:
        part = [query for query in queries if query.cue == cue]
        f1 = [score(run.model, vocabulary, part).loc["all", "f1"] for run in runs]
        cues[cue] = float(np.mean(f1))
    return cues


def slot(tag):
    """Return the slot of a tag: B-destination -> destination."""
    return tag.partition("-")[2] or tag


def confusion(model, vocabulary, sentences, most=12):
    """Return the share of each slot's words (rows) that got each slot (columns), in percent.

    Of many slots, only those with the most mistakes.
    """
    predicted = tag(model, vocabulary, [sentence.words for sentence in sentences])
    pairs = pd.DataFrame(
        [
            (slot(true), slot(guess))
            for sentence, guesses in zip(sentences, predicted, strict=True)
            for true, guess in zip(sentence.tags, guesses, strict=True)
        ],
        columns=["true", "predicted"],
    )
    wrong = pairs[pairs["true"] != pairs["predicted"]]
    worst = wrong["true"].value_counts().add(wrong["predicted"].value_counts(), fill_value=0)
    names = sorted(worst.nlargest(most).index) or ["O"]
    shares = pd.crosstab(pairs["true"], pairs["predicted"], normalize="index") * 100
    return shares.reindex(index=names, columns=names, fill_value=0.0)


def overview(results):
    """Return the results as a table to print."""
    rows = {}
    for name, entry in results.items():
        parts = {part: entry[part] for part in ("dev", "test") if entry[part]}
        rows[name] = {
            **{
                part: f"{scores['f1']:.1f} ± {scores['f1_sd']:.1f}"
                for part, scores in parts.items()
            },
            **{
                f"cue {cue}": f"{f1:.1f}"
                for cue, f1 in parts.get("test", {}).get("f1_by_cue", {}).items()
            },
            "parameters": f"{entry['parameters']:,}",
            "seconds": f"{entry['fit_seconds']:.1f}",
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def taipei_table(models, vocabulary):
    """Return the answers to the lecture's two sentences, word by word, a column per network."""
    tables = []
    for query in travel.TAIPEI:
        columns = {"word": query.words, "right": query.tags}
        for name, model in models.items():
            columns[name] = tag(model, vocabulary, [query.words])[0]
        tables.append(pd.DataFrame(columns).map(slot))
    return pd.concat(tables).to_string(index=False)


def heatmap(axes, values, rows, columns, highest):
    """Draw numbers from 0 to `highest` as squares, and write those that matter into them."""
    axes.imshow(values, cmap="Blues", vmin=0, vmax=highest, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    axes.grid(False)
    for (row, column), value in np.ndenumerate(values):
        if value >= highest / 200:
            text = f"{value:.0f}" if highest > 1 else f"{value:.2f}"
            colour = "white" if value > highest / 2 else "black"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)


def draw_taipei(models, vocabulary):
    """Draw each network's slot probabilities, word by word, for the lecture's two sentences."""
    slots = [*dict.fromkeys(map(slot, vocabulary.tags))]
    member = np.array([[slot(tag) == name for name in slots] for tag in vocabulary.tags])
    words = [query.words for query in travel.TAIPEI]
    mosaic = [[f"{row} {name}" for name in models] for row in range(2)]
    figure, axes = plotting.new_figure(mosaic, size=(2 + 3 * len(models), 5.5), sharey=True)
    for name, model in models.items():
        found = model.predict_on_batch(vocabulary.encode(words, steps=len(words[0]))) @ member
        for row, probabilities in enumerate(found):
            heatmap(axes[f"{row} {name}"], probabilities.T, slots, words[row], 1)
        axes[f"0 {name}"].set_title(name)
    return figure


def draw_scores(results, ceiling, confusions):
    """Draw the networks' F1 side by side, and the confusion between slots."""
    figure, axes = plotting.new_figure(
        [["F1", *confusions]],
        size=(5 + 5 * len(confusions), 5),
        width_ratios=[1, *(1 for _ in confusions)],
    )
    part = "test" if all(entry["test"] for entry in results.values()) else "dev"
    scores = [entry[part] for entry in results.values()]
    bars = axes["F1"].barh(
        list(results), [entry["f1"] for entry in scores], xerr=[entry["f1_sd"] for entry in scores],
        color=plotting.SKY,
    )  # fmt: skip
    axes["F1"].bar_label(bars, fmt="%.1f", label_type="center")
    cues = {"before": plotting.GREEN, "far": plotting.ORANGE, "after": plotting.PURPLE}
    for cue, colour in cues.items():
        if "f1_by_cue" in scores[0]:
            f1 = [entry["f1_by_cue"][cue] for entry in scores]
            axes["F1"].plot(f1, list(results), "D", color=colour, label=f"cue {cue}")
    axes["F1"].axvline(ceiling, color=plotting.BLACK, ls="--", label="ceiling without context")
    axes["F1"].set(title=f"F1 of the slots, {part} part", xlim=(0, 102))
    axes["F1"].invert_yaxis()
    axes["F1"].legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=2)
    for name, shares in confusions.items():
        heatmap(axes[name], shares.to_numpy(), shares.index, shares.columns, 100)
        axes[name].set(title=f"{name}: words of each slot, %", xlabel="predicted", ylabel="true")
    return figure


def main(argv=None):
    """Train, score, draw and save; return what scores.json holds (with --predict, the answers)."""
    args = parse_args(argv)
    path = Path(args.output_dir, "model.keras")
    if args.predict is not None:
        texts = sys.stdin.read().splitlines() if args.predict == "-" else [args.predict]
        answers = answer(*load(path), texts)
        print(*map(json.dumps, answers), sep="\n")
        return answers

    folder = output_folder(args.output_dir)
    grammar = not (args.dataset or args.data)
    if grammar:
        parts = travel.parts()
    else:
        parts = tagging.read_folder(args.data or tagging.download(args.dataset))
    networks = COMPARED if grammar else [BEST]
    if args.model:
        networks = [Network(args.model, args.bidirectional, args.layers)]
    vocabulary = Vocabulary.of(parts["train"], args.letters)
    judged = parts.get("test", parts["dev"])
    predicted = tagging.without_context(judged, vocabulary)
    ceiling = tagging.score([sentence.tags for sentence in judged], predicted).loc["all", "f1"]

    results, best_runs = {}, {}
    for network in networks:
        runs = []
        for seed in map(int, args.seeds):
            keras.utils.set_random_seed(seed)
            model = build_tagger(network, vocabulary, args.words, args.units)
            seconds = fit(model, f"{network}, seed {seed}", vocabulary, parts, args, seed)
            scores = {part: score(model, vocabulary, parts[part]) for part in parts}
            runs.append(Run(model, seconds, scores["dev"], scores.get("test")))
        results[str(network)] = {
            "dev": mean_scores([run.dev for run in runs]),
            "test": mean_scores([run.test for run in runs]) if "test" in parts else None,
            "parameters": model.count_params(),
            "fit_seconds": float(np.mean([run.seconds for run in runs])),
        }
        if grammar:
            cues = f1_by_cue(runs, vocabulary, parts["test"])
            results[str(network)]["test"]["f1_by_cue"] = cues
        best_runs[str(network)] = max(runs, key=lambda run: run.dev.loc["all", "f1"])
    best = max(results, key=lambda name: results[name]["dev"]["f1"])

    if grammar:
        taipei = {name: best_runs[name].model for name in results}
        print(f"\n{taipei_table(taipei, vocabulary)}")
    print(f"\nBest on the dev part: {best}; its slots on the {list(parts)[-1]} part:")
    shown = best_runs[best].test if "test" in parts else best_runs[best].dev
    print(shown.round(1).to_string())
    print(f"\nF1, with the slots of all words:\n{overview(results).to_string()}")
    print(f"Without context at most: {ceiling:.1f}")

    save(path, best_runs[best].model, vocabulary)
    write_csv(shown, folder / "slots.csv")
    scores = {
        "data": args.dataset or args.data or "travel",
        "words": args.words,
        "letters": args.letters,
        "seeds": [int(seed) for seed in args.seeds],
        "networks": results,
        "ceiling_without_context": ceiling,
        "best": best,
    }
    write_json(scores, folder / "scores.json")
    confusions = {
        name: confusion(best_runs[name].model, vocabulary, judged)
        for name in dict.fromkeys([next(iter(results)), best])
    }
    plotting.save(draw_scores(results, ceiling, confusions), folder / "figure.png", args.show)
    if grammar:
        plotting.save(draw_taipei(taipei, vocabulary), folder / "taipei.png", args.show)
    return scores


if __name__ == "__main__":
    cli.run(main, "slot_filling.py")
