r"""What does a query want, and which slot does each of its words fill?

In the lecture's "arrive Taipei on November 2nd" the second word is a destination, in "leave Taipei"
a place of departure. A feed-forward network sees one word at a time and must give the same answer
twice. A network with a memory need not. Only its middle layer differs, from a word's vector x_t to
the hidden h_t:

    feedforward   h_t = tanh(x_t W + b)
    elman         h_t = tanh(x_t W + h_{t-1} U + b)       remembers its hidden layer
    jordan        h_t = tanh(x_t W + y_{t-1} U + b)       remembers its output y_t = h_t V + c
    lstm, gru     gates decide what enters the memory, what stays, and what leaves
    peephole      an LSTM whose gates also see the memory cell
    mingru        a GRU whose gate sees x_t only; by name only: --model mingru

Each h_t gives a score to each tag of its word, O, B-destination, I-destination, ..., and a weighted
mean of them all gives a score to each intent of the query, find, book, ... The answer is the most
probable sequence of tags in which every I- continues a slot; `utils/slots/crf.py` says how.

In the travel grammar the words that tell arriving from leaving stand before, far before, or after
the city: how many slots a network finds shows what it remembers, how long, and from which end.

    python slot_filling.py                                    # all of them, on the travel grammar
    python slot_filling.py --language zh                      # 十一月二日抵達台北
    python slot_filling.py --predict "leave Taipei on November 2nd"        # by the model saved last
    python slot_filling.py --dataset atis                     # real queries; downloaded once
    python slot_filling.py --data my_folder                   # train/, dev/, test/ of your own
"""

import itertools
import json
import sys
from argparse import SUPPRESS, BooleanOptionalAction
from pathlib import Path
from typing import NamedTuple

from utils import InputError, cells, cli, fused, plotting, training
from utils.files import output_folder, write_csv, write_json
from utils.slots import chunks, crf, files, learning, pictures, tagger, travel
from utils.slots.vocabulary import MAX_LETTERS, PADDING, Vocabulary

import keras
import numpy as np

KINDS = ["feedforward", "elman", "jordan", "lstm", "peephole", "gru", "mingru"]
DROPOUT = 0.4  # of the word vectors and of the middle layers' outputs
RARE_SHARE = 0.02  # of the text: the rarest words, which are read as "other" half of the time
AVERAGED_STEPS = 100  # at most an epoch, over which the weights are averaged
GATE_BIAS = -3.0  # of a MinGRU at the start: nearly shut, or it forgets what stands far before
INTENT_WEIGHT = 0.3  # of the intent's loss, beside the loss per word
SMOOTHING = 0.1  # of the intents: the right one is to get 90 %, and its share of the rest


class Network(NamedTuple):
    """The part in which the networks differ."""

    kind: str
    bidirectional: bool = False
    layers: int = 1

    def __str__(self):
        deep = f", {self.layers} layers" if self.layers > 1 else ""
        return f"{'bidirectional ' if self.bidirectional else ''}{self.kind}{deep}"


BEST = Network("gru", True)
COMPARED = [*map(Network, KINDS[:-1]), Network("lstm", True), BEST]

SENTENCES = 100_000  # to train on, again and again, of other data: 22 epochs of ATIS, 8 of SNIPS
EN = {"letters": False, "crf": False, "epochs": 10, "batch_size": 32, "learning_rate": 0.008}
DEFAULTS = {  # by the grammar's language: what measures best on the dev parts
    "en": EN,
    "zh": EN | {"crf": True},  # without spaces, a name is easily cut in two
    None: EN | {"letters": True, "crf": True, "epochs": None, "learning_rate": 0.004},  # other data
}
ASKING = {"--predict", "--load", "--min-confidence", "--output-dir"}

SEARCH = {  # what tune.py varies: from:to, or choices
    "units": "32:256", "layers": "1:2", "learning-rate": "0.001:0.02",
    "batch-size": "8/16/32/64", "letters": "yes/no", "crf": "yes/no",
}  # fmt: skip


def by_data(name, text):
    """Return what a flag is given whose default depends on the data."""
    en, zh, other = (defaults[name] for defaults in DEFAULTS.values())
    said = f"default: {en} on the travel grammar, {zh} in Chinese, {other} on other data"
    return {"default": SUPPRESS, "help": f"{text} ({said})"}


def flags():
    """Return the parser of the flags."""
    number, above, switch = cli.whole_number, cli.number_above, BooleanOptionalAction
    parser = cli.Parser(prog="slot_filling.py", description="Fill the slots of queries.")
    add = parser.add_argument_group("data").add_mutually_exclusive_group().add_argument
    add("--dataset", choices=files.DATASETS, help="downloaded, but only once")
    text = (
        "a folder with train/, dev/ and perhaps test/, in each seq.in, seq.out and, for intents, "
        "label, a sentence per line; or with train.txt, ..., a word and its tag per line and, for "
        'intents, a line "# intent: NAME" before each sentence; or one of them, split 80, 10, 10 %%'
    )
    add("--data", metavar="PATH", help=text)
    add("--language", choices=travel.LANGUAGES, default="en", help="of the grammar")
    add = parser.add_argument_group("asking a saved model").add_argument
    add("--predict", metavar="TEXT", help="print as JSON what it says (-: each line of stdin)")
    add("--load", metavar="FILE", help="default: model.keras in --output-dir")
    text = "withhold slots and intents that are less probable, such as 0.9"
    add("--min-confidence", type=above(0, True, 1), default=0.0, metavar="P", help=text)
    add = parser.add_argument_group("network").add_argument
    add("--model", choices=KINDS, help="default: all, compared; on other data bidirectional gru")
    add("--bidirectional", action="store_true", help="one from each end")
    add("--layers", type=number(1), default=1, help="middle layers")
    add("--units", type=number(1, cli.MOST_UNITS), default=128, help="width of a layer")
    text = "1-of-N with one more dimension for other words, or a vector that is learned"
    add("--words", choices=["one-hot", "embedding"], default="embedding", help=text)
    add("--letters", action=switch, **by_data("letters", "add a vector of each word's letters"))
    add("--crf", action=switch, **by_data("crf", "learn which tag follows which"))
    add = parser.add_argument_group("training").add_argument
    text = f"passes over the train part; None: 5 to 50, to show {SENTENCES:,} sentences"
    add("--epochs", type=number(1), **by_data("epochs", text))
    add("--batch-size", type=number(1), **by_data("batch_size", "sentences per training step"))
    add("--learning-rate", type=above(0), **by_data("learning_rate", "at first, then falling"))
    add("--seeds", type=cli.whole_numbers, default="0", help="such as 0,1,2: a run with each")
    parser.add_argument("--output-dir", default="outputs/slot_filling", metavar="FOLDER")
    parser.add_argument("--show", action="store_true", help="open the pictures in windows")
    return parser


def parse_args(argv=None):
    """Return the flags, with the defaults that fit the data."""
    parser, given = flags(), cli.given(argv)
    args = parser.parse_args(argv)
    asks = args.predict is not None
    for useless, names, reason in [
        (asks, given - ASKING, "--predict asks a trained model, which takes no such flag"),
        (not asks, {"--load", "--min-confidence"}, "only for --predict"),
        (not args.model, {"--bidirectional", "--layers"}, "they need --model"),
        (args.model == "feedforward", {"--bidirectional"}, "feedforward has no memory"),
    ]:
        if useless and (wrong := sorted(names & given)):
            parser.error(f"{' and '.join(wrong)}: {reason}")
    if {"--data", "--dataset"} & given:
        args.language = None
    args.__dict__ = DEFAULTS[args.language] | vars(args)
    return args


# ------------------------------------------------------------------ the network


def middle(network, units, tags, last):
    """Return the layer that makes the difference: (batch, steps, features) -> (..., units).

    The last layer of a Jordan network gives its output instead, a score for each tag: that is what
    it remembers.
    """
    sequences = {"return_sequences": True}
    jordan = cells.JordanCell(units, tags if last else units)
    layer = {
        "feedforward": keras.layers.Dense(units, activation="tanh"),
        "elman": fused.SimpleRNN(units, **sequences),
        "jordan": keras.layers.RNN(jordan, **sequences),
        "lstm": fused.LSTM(units, **sequences),
        "peephole": keras.layers.RNN(cells.PeepholeLSTMCell(units), **sequences),
        "gru": fused.GRU(units, **sequences),
        "mingru": cells.MinGRU(units, GATE_BIAS, **sequences),
    }[network.kind]
    if network.bidirectional:
        merge_mode = "sum" if network.kind == "jordan" and last else "concat"
        return keras.layers.Bidirectional(layer, merge_mode)
    return layer


def build_network(network, vocabulary, words="embedding", units=128, learn_links=False):
    """Return a network from `Vocabulary.encode`'s numbers to scores for tags and intents."""
    tags = len(vocabulary.tags)
    inputs = {"words": keras.Input((None,), dtype="int32", name="words")}
    mask = keras.ops.not_equal(inputs["words"], PADDING)  # (batch, steps)
    if words == "one-hot":
        x = keras.ops.one_hot(inputs["words"], vocabulary.size)
    else:
        x = keras.layers.Embedding(vocabulary.size, units)(inputs["words"])
    if vocabulary.letters:
        letters = keras.Input((None, MAX_LETTERS), dtype="int32", name="letters")
        inputs["letters"], count = letters, len(vocabulary.letters) + 2  # and padding, and "other"
        spelt = keras.layers.Embedding(count, max(units // 4, 1))(letters)
        detectors = keras.layers.Conv2D(max(units // 2, 1), (1, 3), activation="relu")
        # of each word, the most that each detector of three letters finds in it
        x = keras.layers.Concatenate()([x, keras.ops.max(detectors(spelt), axis=2)])
    for level in range(1, network.layers + 1):
        x = keras.layers.Dropout(DROPOUT)(x)
        layer = middle(network, units, tags, last=level == network.layers)
        x = layer(x) if network.kind == "feedforward" else layer(x, mask=mask)
    outputs = {}
    h = keras.layers.Dropout(DROPOUT)(x)  # (batch, steps, units)
    if vocabulary.intents:
        weights = keras.ops.where(mask[..., None], keras.layers.Dense(1)(h), crf.NEVER)
        mean = keras.ops.sum(keras.ops.softmax(weights, axis=1) * h, axis=1)  # (batch, units)
        outputs["intent"] = keras.layers.Dense(len(vocabulary.intents), name="intent")(mean)
    worth = x if network.kind == "jordan" else keras.layers.Dense(tags)(h)  # of each tag
    outputs["tags"] = crf.CRF(vocabulary.tags, learned=learn_links, name="tags")(worth)
    return keras.Model(inputs, outputs)


# ------------------------------------------------------------------ training and scores


class Run(NamedTuple):
    """A network trained with one seed."""

    tagger: "tagger.Tagger"
    fit: training.Fit
    scores: dict[str, dict]  # by part; as `evaluate` returns them
    readings: "list[tagger.Reading]"  # of the last part, which is the one to be judged by


def train(network, vocabulary, parts, args, seed, on_epoch=None):
    """Build and train a network; return the tagger and its `training.Fit`."""
    keras.utils.set_random_seed(seed)
    model = build_network(network, vocabulary, args.words, args.units, args.crf)
    batches = learning.Batches(parts["train"], vocabulary, args.batch_size, RARE_SHARE, seed)
    losses, smooth = {"tags": model.get_layer("tags").loss}, {"label_smoothing": SMOOTHING}
    if vocabulary.intents:
        losses["intent"] = keras.losses.CategoricalCrossentropy(from_logits=True, **smooth)
    weights = dict(zip(losses, (1.0, INTENT_WEIGHT), strict=False))
    rate = keras.optimizers.schedules.CosineDecay(args.learning_rate, args.epochs * len(batches))
    momentum = 1 - 1 / min(AVERAGED_STEPS, len(batches))
    adam = keras.optimizers.Adam(rate, clipnorm=1.0, use_ema=True, ema_momentum=momentum)
    # without XLA, which would compile anew for every length of a sentence
    calls = {"jit_compile": False, "steps_per_execution": training.STEPS_PER_CALL}
    model.compile(adam, losses, loss_weights=weights, **calls)
    tagged, title = tagger.Tagger(model, vocabulary), f"{network}, seed {seed}"
    return tagged, learning.fit(tagged, batches, parts["dev"], args.epochs, title, on_epoch)


def run(network, vocabulary, parts, args, seed):
    """Train, calibrate and score a network; return its `Run`."""
    tagged, fit = train(network, vocabulary, parts, args, seed)
    learning.calibrate(tagged, parts["dev"])
    scores = {}
    for part in list(parts)[1:]:
        readings = tagged.read([sentence.words for sentence in parts[part]])
        scores[part] = chunks.evaluate(parts[part], readings)
    return Run(tagged, fit, scores, readings)


def compare(networks, vocabulary, parts, args, folder):
    """Run each network with each seed; report, also if Ctrl-C comes before all are finished."""
    runs = {}
    try:
        for network, seed in itertools.product(networks, args.seeds):
            new = run(network, vocabulary, parts, args, seed)
            runs.setdefault(str(network), []).append(new)
            if new.fit.interrupted:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        if runs:
            print("Interrupted: going on with what is finished, and the best epoch so far")
            report(runs, parts, args, folder)
        raise
    return report(runs, parts, args, folder)


def report(runs, parts, args, folder):
    """Print, draw and save what the runs reached; return what scores.json holds."""
    part, sentences = list(parts.items())[-1]  # test, or else dev
    results = {name: chunks.summary(found, sentences) for name, found in runs.items()}
    best = max(results, key=lambda name: results[name]["dev"]["f1"])
    best_runs = {n: max(some, key=lambda run: run.scores["dev"]["f1"]) for n, some in runs.items()}
    tagged, readings = best_runs[best].tagger, best_runs[best].readings
    commonest = chunks.score(sentences, chunks.commonest_tags(sentences)).loc["all", "f1"]
    found = {
        "data": args.dataset or args.data or "travel",
        **{name: vars(args)[name] for name in ("language", "words", "letters", "crf")},
        "networks": results,
        "commonest_tags_f1": commonest,
        "ceiling_without_context": travel.WITHOUT_CONTEXT if args.language else None,
        "best": best,
    }
    table = chunks.slot_table(runs[best], sentences)
    tagger.save(folder / "model.keras", tagged)
    write_csv(table, folder / "slots.csv")
    write_csv(chunks.sentence_table(sentences, readings), folder / "sentences.csv")
    write_json(found, folder / "scores.json")

    where = f"the {part} part{' of this grammar' if args.language else ''}"
    print(f"\n{best}, slots in {where}:\n{table.round(1).dropna(axis=1).to_string()}")
    print(f"\nRight in {where}, in per cent:\n{chunks.overview(results)}")
    print(f"Each word's commonest tag, looked up in the answers: F1 {commonest:.1f}")
    bounds = {"each word's commonest tag": commonest}
    if args.language:
        bounds["bound without context"] = travel.WITHOUT_CONTEXT
        print(f"No tagger without context can pass F1 {travel.WITHOUT_CONTEXT:.0f}")
        taggers = {name: run.tagger for name, run in best_runs.items()}
        figure = pictures.draw_taipei(taggers, travel.taipei(args.language))
        plotting.save(figure, folder / "taipei.png", args.show)
        if args.language == "zh" and not plotting.CHINESE:
            print("No font with Chinese characters was found, such as Noto Sans CJK: boxes instead")
    figure = pictures.draw_scores(results, part, bounds, best, readings, sentences)
    plotting.save(figure, folder / "figure.png", args.show)
    print(f"\nPictures and files: {folder}")
    return found


# ------------------------------------------------------------------ asking a saved model


def arriving(stream):
    """Yield the lines of a stream of bytes as they come: all that have come meanwhile.

    Raises:
        InputError: at a line that is not UTF-8.
    """
    rest = b""
    while block := stream.read1(1 << 16) or (rest and b"\n"):  # which ends the last line
        *lines, rest = (rest + block).split(b"\n")
        try:
            yield [line.decode("utf-8-sig").rstrip("\r") for line in lines]
        except UnicodeDecodeError as error:
            raise InputError(f"--predict -: {error.object[:80]!r} is not UTF-8") from error


def ask(args):
    """Print what a saved model says of a text, or of each line as it comes."""
    tagged = tagger.load(args.load or Path(args.output_dir, "model.keras"))
    sys.stdout.reconfigure(errors="backslashreplace")  # where the console lacks a character
    for texts in arriving(sys.stdin.buffer) if args.predict == "-" else [[args.predict]]:
        for found in tagger.answer(tagged, texts, args.min_confidence):
            print(json.dumps(found, ensure_ascii=False), flush=True)


def main(argv=None, on_epoch=None):
    """Train, score, draw and save; return what scores.json holds (with --predict, nothing).

    With `on_epoch`, which gets the best score so far on the dev part after each epoch, one network
    is trained, and nothing is scored or written.
    """
    args = parse_args(argv)
    if args.predict is not None:
        return ask(args)
    folder = output_folder(args.output_dir)
    path = files.download(args.dataset) if args.dataset else args.data
    parts = travel.parts(language=args.language) if args.language else files.read(path)
    print(files.describe(parts))
    args.epochs = args.epochs or int(np.clip(SENTENCES / len(parts["train"]), 5, 50))
    vocabulary = Vocabulary.of(parts["train"], args.letters)
    networks = COMPARED if args.language and not on_epoch else [BEST]
    if args.model:
        networks = [Network(args.model, args.bidirectional, args.layers)]
    if on_epoch:  # a trial of tune.py ends here
        return train(networks[0], vocabulary, parts, args, args.seeds[0], on_epoch)
    return compare(networks, vocabulary, parts, args, folder)


if __name__ == "__main__":
    cli.run(main, "slot_filling.py")
