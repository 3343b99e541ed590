"""A grammar that writes travel queries, in which only memory can tell the slots apart.

Every sentence is written twice, once arriving and once leaving: "arrive Taipei on November 2nd",
"leave Taipei on November 2nd". A tagger that sees one word at a time finds the same slots in both
twins, and each is right in one of them at most: it can't pass `WITHOUT_CONTEXT`, an F1 of 50. Where
the cue stands says what else a tagger needs:

    before    right before the city: memory         "arrive in Taipei tomorrow"
    far       long before it: a longer memory       "the city I leave with my two cats is Taipei"
    after     later in the sentence: a second       "Taipei is the city that I leave"
              network that reads backwards

A language is a file, travel_<language>.toml, of sentences with these signs:

    <phrase>            one of the phrases, at random
    [arrives|leaves]    the first when arriving, the second when leaving
    {slot: words}       words that fill the first or the second of `SLOTS`
    !intent             find, book, ask_which; else say_when if it names a time, or say_where
"""

import functools
import random
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from utils.slots.files import Sentence
from utils.slots.text import cut_tagged

LANGUAGES = "en", "zh"
WITHOUT_CONTEXT = 50.0  # F1, in per cent; see above
SLOTS = {
    "place": ("destination", "departure"),
    "time": ("time_of_arrival", "time_of_departure"),
    "other place": ("departure", "destination"),
    "other time": ("time_of_departure", "time_of_arrival"),
}


@functools.cache
def grammar(language: str) -> dict:
    """Read the grammar of one of `LANGUAGES`.

    Returns:
        "sentences", by cue; "phrases"; "cities" by part, each as often as it is in the hat to draw
        from; "taipei", the lecture's sentence, and its cue; "queries", how many of each part.
    """
    path = Path(__file__).with_name(f"travel_{language}.toml")
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    made_up = found["cities"].pop("invented", [])
    cities = {  # the n-th 1/n as often as the first (Zipf's law): some that train has are rare
        part: [city for n, city in enumerate(names, 1) for _ in range(len(names) // n)]
        for part, names in found["cities"].items()
    }
    if made_up:  # evenly: the more names, the less is learned by heart
        cities["train"] = found["cities"]["train"] + made_up
    return found | {"cities": cities}


def generate(
    count: int, seed: int | str, cities: Sequence[str], language: str = "en"
) -> list[Sentence]:
    """Write queries, each arriving one followed by its leaving twin; no query comes twice.

    Of an odd number the last has no twin. Of the cities there must be two at least; one that is
    often in the list is often drawn.
    """
    rng = random.Random(seed)
    sentences = grammar(language)["sentences"]
    phrases = grammar(language)["phrases"] | {"city": cities}

    def expand(text):
        return re.sub("<(.*?)>", lambda phrase: expand(rng.choice(phrases[phrase[1]])), text)

    cues = list(sentences)
    queries, seen = [], {tuple(query.words) for query in taipei(language)}
    while len(queries) < count:
        cue = cues[len(queries) // 2 % len(cues)]
        sentence = expand(rng.choice(sentences[cue]))
        places = re.findall("place: (.*?)}", sentence)
        pair = twins(sentence, cue)
        new = {tuple(query.words) for query in pair}
        if len(set(places)) == len(places) and seen.isdisjoint(new):
            queries += pair
            seen |= new
    return queries[:count]


def twins(sentence: str, cue: str) -> list[Sentence]:
    """Return the two queries, arriving and leaving, that a sentence of [] and {} stands for."""
    queries = []
    for leaving in (0, 1):
        pieces, intent = [], ""
        chosen = re.sub(r"\[(.*?)\|(.*?)\]", rf"\{1 + leaving}", sentence)
        for kind, value, wanted, text in re.findall(r"{(.*?): (.*?)}|!(\S+)|([^{!]+)", chosen):
            pieces += cut_tagged(value + text, f"B-{SLOTS[kind][leaving]}" if kind else "O")
            intent = intent or wanted
        words, tags = map(list, zip(*pieces, strict=True))
        says = "say_when" if any("time" in tag for tag in tags) else "say_where"
        queries.append(Sentence(words, tags, intent or says, cue))
    return queries


def taipei(language: str = "en") -> list[Sentence]:
    """Return the lecture's two sentences, arriving and leaving."""
    return twins(**grammar(language)["taipei"])


def parts(seed: int = 0, language: str = "en", **queries: int) -> dict[str, list[Sentence]]:
    """Write train, dev and test part, each with cities that no other part has.

    Numbers of `queries` by part replace the language's own. The lecture's pair is in no part.
    """
    found = grammar(language)
    return {
        name: generate(count, f"{name} {seed}", found["cities"][name], language)
        for name, count in (found["queries"] | queries).items()
    }
