r"""Which slot does each word of a query fill? The lecture's "arrive Taipei on November 2nd".

In "arrive Taipei" the second word is a destination, in "leave Taipei" a place of departure. A
feed-forward network sees one word at a time and must give the same answer twice. A network with a
memory need not. Only its middle layer differs, from a word's vector x_t to the hidden h_t:

    feedforward   h_t = tanh(x_t W + b)
    elman         h_t = tanh(x_t W + h_{t-1} U + b)       remembers its hidden layer
    jordan        h_t = tanh(x_t W + y_{t-1} U + b)       remembers its output y_t = h_t V + c
    lstm, gru     gates decide what enters the memory, what stays, and what leaves
    peephole      an LSTM whose gates also see the memory cell

and a softmax gives each tag its probability: O, B-destination, I-destination, ... The answer is the
most probable sequence of tags in which every I- continues a slot.

F1 of whole slots, in per cent, in queries about cities never seen in training, where the words that
tell arriving from leaving stand before, far before, or after the city (mean of 3 seeds):

                            all     before      far     after
    best without context   29.1
    feedforward            29.1       29.7     27.2      30.2
    elman                  73.4      100.0     56.3      54.1
    jordan                 71.6      100.0     49.9      53.9
    lstm                   84.0      100.0     92.8      55.3
    peephole               79.1      100.0     75.5      55.2
    gru                    85.9      100.0    100.0      54.5
    bidirectional lstm     90.7      100.0     81.9      86.3
    bidirectional gru      99.8      100.0    100.0      99.3

    python slot_filling.py                                    # all of them, on the travel grammar
    python slot_filling.py --model lstm --bidirectional --layers 2
    python slot_filling.py --predict "leave Taipei on November 2nd"        # by the model saved last
    python slot_filling.py --dataset atis                     # real queries; downloaded once
    python slot_filling.py --data my_folder                   # train/, dev/, test/ of your own
"""

import argparse
import json
import sys
from pathlib import Path
from typing import NamedTuple

from utils import InputError, cli, plotting
from utils.cells import JordanCell, PeepholeLSTMCell
from utils.files import output_folder, write_csv, write_json
from utils.slots import tagger, tagging, travel
from utils.slots.tagging import PADDING, Vocabulary

import keras
import numpy as np
import pandas as pd
from keras import layers, ops

KINDS = ["feedforward", "elman", "jordan", "lstm", "peephole", "gru"]
DROPOUT = 0.4  # of the word vectors and of the middle layers' outputs


class Network(NamedTuple):
    """The part in which the networks differ."""

    kind: str
    bidirectional: bool = False
    layers: int = 1

    def __str__(self):
        deep = f", {self.layers} layers" if self.layers > 1 else ""
        return f"{'bidirectional ' if self.bidirectional else ''}{self.kind}{deep}"


COMPARED = [*map(Network, KINDS), Network("lstm", True), Network("gru", True)]
BEST = Network("gru", True)

# what measures best on the dev parts: of the grammar, and of ATIS and SNIPS
TRAVEL = {"letters": False, "epochs": 10, "batch_size": 32, "learning_rate": 0.008}
REAL = {"letters": True, "epochs": 20, "batch_size": 16, "learning_rate": 0.003}


def parse_args(argv=None):
    def by_data(flag, text):
        values = f"default: {TRAVEL[flag]} on the travel grammar, {REAL[flag]} on other data"
        return {"default": argparse.SUPPRESS, "help": f"{text} ({values})"}

    parser = cli.Parser(prog="slot_filling.py", description="Fill the slots of queries.")
    data = parser.add_argument_group("data, if not the travel grammar")
    data = data.add_mutually_exclusive_group()
    data.add_argument("--dataset", choices=list(tagging.SHA256), help="downloaded, but only once")
    data.add_argument(
        "--data", metavar="FOLDER",
        help="your own: train/, dev/ and test/ with seq.in and seq.out, or train.txt, dev.txt and "
        "test.txt with a word and its tag per line; the test part may be missing",
    )  # fmt: skip
    data.add_argument(
        "--predict", metavar="TEXT",
        help="no training: print the slots of this text (-: of each line of the standard input) "
        "as JSON, found by the model in --output-dir",
    )  # fmt: skip
    network = parser.add_argument_group("network")
    network.add_argument(
        "--model", choices=KINDS, default=argparse.SUPPRESS,
        help=f"default: all, compared, on the travel grammar; {BEST} on other data",
    )  # fmt: skip
    network.add_argument("--bidirectional", action="store_true", help="one from each end")
    network.add_argument("--layers", type=cli.whole_number(1), default=1, help="middle layers")
    network.add_argument("--units", type=cli.whole_number(1), default=128, help="width of a layer")
    network.add_argument(
        "--words", choices=["one-hot", "embedding"], default="embedding",
        help="1-of-N with one more dimension for other words, or a vector that is learned",
    )  # fmt: skip
    network.add_argument(
        "--letters",
        action=argparse.BooleanOptionalAction,
        **by_data("letters", "add a vector of each word's letter trigrams"),
    )
    training = parser.add_argument_group("training")
    training.add_argument(
        "--epochs", type=cli.whole_number(1), **by_data("epochs", "passes over the train part")
    )
    training.add_argument(
        "--batch-size", type=cli.whole_number(1), **by_data("batch_size", "sentences")
    )
    training.add_argument(
        "--learning-rate",
        type=cli.number_above(0),
        **by_data("learning_rate", "at the start, then falling"),
    )
    training.add_argument("--seeds", default="0", metavar="0,1,2", help="a run with each of them")
    parser.add_argument("--output-dir", default="outputs/slot_filling", metavar="FOLDER")
    parser.add_argument("--show", action="store_true", help="open the pictures in windows")
    args = parser.parse_args(argv)
    grammar = args.dataset is None and args.data is None
    for flag, value in (TRAVEL if grammar else REAL).items():
        vars(args).setdefault(flag, value)

    if "model" not in args and (args.bidirectional or args.layers > 1):
        parser.error("--bidirectional and --layers need --model")
    if vars(args).setdefault("model") == "feedforward" and args.bidirectional:
        parser.error("--bidirectional needs a network with a memory, feedforward has none")
    try:
        args.seeds = [cli.whole_number(0)(seed) for seed in cli.names(args.seeds)]
    except argparse.ArgumentTypeError:
        args.seeds = []
    if not args.seeds or max(args.seeds) >= 2**32:
        parser.error("--seeds takes whole numbers below 2^32, such as 0,1,2")
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
        grams = layers.Embedding(len(vocabulary.grams) + 2, max(units // 2, 1))(inputs["letters"])
        real = ops.not_equal(inputs["letters"], PADDING)[..., None]
        x = layers.Concatenate()([x, ops.sum(ops.where(real, grams, 0.0), axis=2)])
    for level in range(1, network.layers + 1):
        x = layers.Dropout(DROPOUT)(x)
        layer = middle(network, units, tags, last=level == network.layers)
        x = layer(x) if network.kind == "feedforward" else layer(x, mask=mask)
    if network.kind != "jordan":
        x = layers.Dense(tags)(layers.Dropout(DROPOUT)(x))
    return keras.Model(inputs, ops.softmax(x))


# ------------------------------------------------------------------ results and pictures


class Run(NamedTuple):
    """A network trained with one seed."""

    model: keras.Model
    seconds: float
    tables: dict[str, pd.DataFrame]  # by part, and "before", "far", "after"; of `tagging.score`
    tags: list[list[str]]  # predicted for the part to be judged by


def train(network, vocabulary, parts, args, seed):
    """Build and train a network; return its `Run`."""
    keras.utils.set_random_seed(seed)
    model = build_tagger(network, vocabulary, args.words, args.units)
    seconds = tagger.fit(
        model,
        vocabulary,
        parts,
        epochs=args.epochs,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        seed=seed,
        title=f"{network}, seed {seed}",
    )
    tables = {}
    for name, sentences in parts.items():
        true = [sentence.tags for sentence in sentences]
        tags = tagger.tag(model, vocabulary, [sentence.words for sentence in sentences])
        tables[name] = tagging.score(true, tags)
    for cue in {getattr(sentence, "cue", None) for sentence in sentences} - {None}:
        rows = [row for row, query in enumerate(sentences) if query.cue == cue]
        tables[cue] = tagging.score([true[row] for row in rows], [tags[row] for row in rows])
    return Run(model, seconds, tables, tags)


def over_seeds(runs, name):
    """Return the mean of the runs' tables of this name, and the spread of F1."""
    tables = pd.concat([run.tables[name] for run in runs]).groupby(level=0, sort=False)
    spread = tables["f1"].std().fillna(0.0)
    return tables.mean().assign(f1_sd=spread).astype({"count": int})


def summary(table):
    """Return the scores of all slots together."""
    return table.loc["all", ["f1", "precision", "recall", "f1_sd"]].to_dict()


def overview(results):
    """Return the results as a table to print."""
    rows = {}
    for name, entry in results.items():
        scores = {part: entry[part] for part in ("dev", "test") if entry[part]}
        row = {f"{part} F1": f"{s['f1']:.1f} ± {s['f1_sd']:.1f}" for part, s in scores.items()}
        row |= {f"cue {cue}": f"{f1:.1f}" for cue, f1 in entry.get("test_f1_by_cue", {}).items()}
        row |= {"parameters": entry["parameters"], "seconds": f"{entry['fit_seconds']:.1f}"}
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def taipei_table(models, vocabulary):
    """Return the answers to the lecture's two sentences, a column per word."""
    lines = []
    for query in travel.TAIPEI:
        rows = {"": query.words, "right": map(tagging.slot, query.tags)}
        for name, model in models.items():
            rows[name] = map(tagging.slot, tagger.tag(model, vocabulary, [query.words])[0])
        table = pd.DataFrame.from_dict(
            {name: list(row) for name, row in rows.items()}, orient="index"
        )
        lines.append(table.to_string(header=False))
    return "\n\n".join(lines)


def heatmap(axes, percent, rows, columns):
    """Draw numbers from 0 to 100 as squares."""
    axes.imshow(percent, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    steep = 30 if len(columns) < 8 else 60
    axes.set_xticks(range(len(columns)), columns, rotation=steep, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    axes.grid(False)
    for (row, column), value in np.ndenumerate(percent):
        if value >= 0.5:
            colour = "white" if value > 60 else "black"
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=colour)


def draw_taipei(models, vocabulary):
    """Draw each network's slot probabilities, word by word, for the lecture's two sentences."""
    slots = [*sorted({tagging.slot(tag) for tag in vocabulary.tags} - {"O"}), "O"]
    member = np.array([[tagging.slot(tag) == slot for slot in slots] for tag in vocabulary.tags])
    words = [query.words for query in travel.TAIPEI]
    names = list(models)
    mosaic = [
        [f"{row} {name}" for name in names[start : start + 4]]
        for start in range(0, len(names), 4)
        for row in range(2)
    ]
    size = (2 + 3 * len(mosaic[0]), 2.2 * len(mosaic))
    figure, axes = plotting.new_figure(mosaic, size, sharey=True)
    for name, model in models.items():
        probabilities = model.predict_on_batch(vocabulary.encode(words, len(words[0]))) @ member
        for row in range(2):
            heatmap(axes[f"{row} {name}"], 100 * probabilities[row].T, slots, words[row])
        axes[f"0 {name}"].set_title(f"{name}, %")
    return figure


def draw_scores(results, part, ceiling, confusions):
    """Draw the networks' F1 side by side, and which slots were taken for which."""
    figure, axes = plotting.new_figure(
        [["F1", *confusions]], size=(6 + 5 * len(confusions), 5 + 0.1 * len(results))
    )
    bars = {}
    for name, entry in results.items():
        cues = {f"cue {cue}": f1 for cue, f1 in entry.get("test_f1_by_cue", {}).items()}
        bars[f"{name}  {entry[part]['f1']:.1f}"] = cues or {"all slots": entry[part]["f1"]}
    pd.DataFrame.from_dict(bars, orient="index").plot.barh(
        ax=axes["F1"], color=[plotting.BLUE, plotting.ORANGE, plotting.GREEN]
    )
    axes["F1"].axvline(ceiling, color=plotting.BLACK, ls="--", label="ceiling without context")
    axes["F1"].set(title=f"F1 of the slots, {part} part", xlim=(0, 101))
    axes["F1"].invert_yaxis()
    axes["F1"].legend(loc="upper center", bbox_to_anchor=(0.4, -0.06), ncols=2)
    for name, shares in confusions.items():
        heatmap(axes[name], shares.to_numpy(), shares.index, shares.columns)
        axes[name].set(title=f"{name}: % of a slot's words", xlabel="predicted", ylabel="true")
    return figure


def main(argv=None):
    """Train, score, draw and save; return what scores.json holds (with --predict, the answers)."""
    args = parse_args(argv)
    path = Path(args.output_dir, "model.keras")
    if args.predict is not None:
        model, vocabulary = tagger.load(path)
        try:
            texts = list(sys.stdin) if args.predict == "-" else [args.predict]
        except UnicodeDecodeError as error:
            raise InputError("--predict -: the standard input is not UTF-8") from error
        answers = tagger.answer(model, vocabulary, texts)
        for line in answers:
            print(json.dumps(line))
        return answers

    folder = output_folder(args.output_dir)
    grammar = args.dataset is None and args.data is None
    if grammar:
        parts = travel.parts()
    else:
        parts = tagging.read_folder(tagging.download(args.dataset) if args.dataset else args.data)
    networks = COMPARED if grammar else [BEST]
    if args.model:
        networks = [Network(args.model, args.bidirectional, args.layers)]
    vocabulary = Vocabulary.of(parts["train"], args.letters)
    judged_by = "test" if "test" in parts else "dev"
    true = [sentence.tags for sentence in parts[judged_by]]
    without_context = tagging.without_context(parts[judged_by], vocabulary)
    ceiling = float(tagging.score(true, without_context).loc["all", "f1"])

    results, slots, best_runs = {}, {}, {}
    for network in networks:
        runs = [train(network, vocabulary, parts, args, seed) for seed in args.seeds]
        name = str(network)
        results[name] = {
            "dev": summary(over_seeds(runs, "dev")),
            "test": summary(over_seeds(runs, "test")) if "test" in parts else None,
            "parameters": runs[0].model.count_params(),
            "fit_seconds": float(np.mean([run.seconds for run in runs])),
        }
        if cues := [cue for cue in travel.SENTENCES if cue in runs[0].tables]:
            f1 = {cue: summary(over_seeds(runs, cue))["f1"] for cue in cues}
            results[name]["test_f1_by_cue"] = f1
        slots[name] = over_seeds(runs, judged_by)
        best_runs[name] = max(runs, key=lambda run: run.tables["dev"].loc["all", "f1"])
    best = max(results, key=lambda name: results[name]["dev"]["f1"])

    print(f"\n{best}, slots of the {judged_by} part:\n{slots[best].round(1).to_string()}")
    print(f"\nWhole slots found, in percent:\n{overview(results).to_string()}")
    print(f"The best that a tagger without context could reach: {ceiling:.1f}")

    tagger.save(path, best_runs[best].model, vocabulary)
    write_csv(slots[best], folder / "slots.csv")
    scores = {
        "data": args.dataset or args.data or "travel",
        "words": args.words,
        "letters": args.letters,
        "networks": results,
        "ceiling_without_context": ceiling,
        "best": best,
    }
    write_json(scores, folder / "scores.json")
    shown = dict.fromkeys([next(iter(results)), best])
    confusions = {name: tagging.confusion(true, best_runs[name].tags) for name in shown}
    figure = draw_scores(results, judged_by, ceiling, confusions)
    plotting.save(figure, folder / "figure.png", args.show)
    if grammar:
        models = {name: run.model for name, run in best_runs.items()}
        print(f"\n{taipei_table(models, vocabulary)}")
        plotting.save(draw_taipei(models, vocabulary), folder / "taipei.png", args.show)
    print(f"\nPictures and files: {folder}")
    return scores


if __name__ == "__main__":
    cli.run(main, "slot_filling.py")
