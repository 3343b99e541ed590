"""Train the eight small taggers of page/slots.html and write models/taggers.safetensors.

Four networks of slot_filling.py, on its English and its Chinese grammar; minutes, without a GPU.

    python page/train.py

Weights are float16, in Keras' order with the temperatures last, and named en/gru/00, en/gru/01,
...; the words, tags and intents of each language stand in the header's metadata.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import slot_filling
from page.build import safetensors
from slot_filling import Network
from utils import cli
from utils.files import written_whole
from utils.slots import travel
from utils.slots.vocabulary import Vocabulary

NETWORKS = {kind: Network(kind) for kind in ("feedforward", "elman", "gru")}
NETWORKS["bidirectional"] = Network("gru", bidirectional=True)
UNITS = 48
FILE = Path(__file__).parents[1] / "models" / "taggers.safetensors"


def weights_of(network):
    """Return its weights, the temperature last; Keras' order depends on what is learned."""
    return sorted(network.weights, key=lambda weights: "temperature" in weights.path)


def main():
    """Train all, and write one file."""
    arrays, facts = {}, {}
    for language in travel.LANGUAGES:
        args = slot_filling.parse_args(["--language", language, "--units", str(UNITS)])
        parts = travel.parts(language=language)
        vocabulary = Vocabulary.of(parts["train"], letters=False)
        words, tags, intents = list(vocabulary.words), vocabulary.tags, vocabulary.intents
        known = {"words": words, "tags": tags, "intents": intents}
        facts[language] = json.dumps(known, ensure_ascii=False)
        for name, network in NETWORKS.items():
            run = slot_filling.run(network, vocabulary, parts, args, seed=0)
            print(f"{language}, {name}: test F1 {run.scores['test']['f1']:.1f}")
            for number, weights in enumerate(weights_of(run.tagger.network)):
                arrays[f"{language}/{name}/{number:02}"] = weights.numpy()
    with written_whole(FILE) as beside:
        beside.write_bytes(safetensors(arrays, facts))
    print(f"{FILE}: {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    cli.run(main, "page/train.py")
