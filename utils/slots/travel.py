"""A grammar that writes travel queries, in which only memory can tell the slots apart.

Every sentence is written twice, once arriving and once leaving: "arrive Taipei on November 2nd",
"leave Taipei on November 2nd". A tagger that sees one word at a time finds the same slots in both
twins, and each is right in one of them at most: it can't pass `WITHOUT_CONTEXT`, an F1 of 50. Where
the cue stands says what else a tagger needs:

    before    right before the city: memory         "arrive in Taipei tomorrow"
    far       long before it: a longer memory       "the city I leave with my two cats is Taipei"
    after     later in the sentence: a second       "Taipei is the city that I leave"
              network that reads backwards
"""

import random
import re
from typing import NamedTuple

from utils.slots import travel_zh
from utils.slots.text import cut

WITHOUT_CONTEXT = 50.0  # F1, in per cent; see above


class Query(NamedTuple):
    """A query and what it says.

    Attributes:
        words: what `utils.slots.text.cut` makes of it.
        tags: one per word: "O", or "B-" or "I-" and a slot of `SLOTS`.
        intent: "find", "book", "ask_which"; of a statement "say_when" if it names a time, else
            "say_where".
        cue: where the words stand that tell arriving from leaving: "before", "far" or "after".
    """

    words: list[str]
    tags: list[str]
    intent: str
    cue: str


# ------------------------------------------------------------------ the cities of each part
# Most two-word cities are strangers altogether; some share a word with a city of another part.

TRAIN_CITIES = """
    Taipei, London, New York, Tokyo, Paris, San Francisco, Berlin, Hong Kong, Boston, Singapore,
    Los Angeles, Seoul, Madrid, Chicago, Rome, Kuala Lumpur, Sydney, Vienna, Mexico City, Toronto,
    Kaohsiung, Dublin, Santa Fe, Osaka, Denver, Cape Town, Lisbon, Cairo, Buenos Aires, Moscow,
    Athens, Tel Aviv, Prague, Seattle, Las Vegas, Mumbai, Oslo, Salt Lake, Zurich, Manila,
    Port Louis, Brussels, Hanoi, Abu Dhabi, Warsaw, Dallas, Tainan, St Petersburg, Nairobi, Lyon,
    Baton Rouge, Budapest, Kyoto, Fort Worth, Hamburg, Lima, Puerto Vallarta, Delhi, Detroit,
    Phnom Penh, Naples, Bogota, Novi Sad, Houston, Helsinki, Addis Ababa, Geneva, Karachi, Hsinchu,
    Grand Rapids, Porto, Jakarta, Monte Carlo, Glasgow, Lagos, San Jose, Krakow, Beijing, Tallinn,
    Santo Domingo, Quito, Ankara, Little Rock, Florence, Busan, El Paso, Perth, Stuttgart, Havana,
    Palo Alto, Marseille, Nagoya, Ann Arbor, Riga, Accra, Bristol, Panama City, Antwerp, Chennai,
    Des Moines, Bergen, Calgary, Port Said, Seville, Tunis, Cluj Napoca, Winnipeg, Palermo, Hualien,
    Da Nang, Leipzig, Dakar, Corpus Christi, Sofia, Adelaide, Long Beach, Utrecht, Lahore, Keelung
"""
DEV_CITIES = """
    Munich, Bangkok, San Antonio, Montreal, Istanbul, Rio Grande, Shanghai, Atlanta, Quezon City,
    Valencia, Edinburgh, Ho Chi, Portland, Yilan, La Paz, Bucharest, Sapporo, Santa Cruz, Nairn,
    Colombo, Green Bay, Baltimore, Graz, Chiang Mai, Casablanca, Cologne, New Haven, Kampala,
    Bilbao, Siem Reap, Omaha, Aarhus, Dar Salaam, Medellin, Rotterdam, Coral Gables, Tbilisi
"""
TEST_CITIES = """
    Amsterdam, New Orleans, Barcelona, Taichung, San Diego, Melbourne, Philadelphia, Sao Paulo,
    Copenhagen, Miami, Rio Branco, Shenzhen, Milan, Stockholm, Kansas City, Vancouver, Turin,
    Punta Arenas, Lausanne, Pittsburgh, Johannesburg, Santa Barbara, Belgrade, Fukuoka, Nha Trang,
    Brisbane, Cincinnati, Guadalajara, Port Moresby, Zagreb, Sarajevo, Ulan Bator, Yokohama,
    Nuremberg, Chiayi, Luang Prabang, Montevideo, Bordeaux, Vilnius, Cedar Falls, Hyderabad,
    Gothenburg, New Delhi, Kathmandu, Manchester, Alice Springs, Tampa, Bologna, Ponta Delgada,
    Minsk, Auckland, Reykjavik, Ciudad Juarez, Bratislava, Sacramento, Nizhny Novgorod, Marrakesh
"""
TRAIN_CITIES, DEV_CITIES, TEST_CITIES = (
    [city.strip() for city in cities.split(",")]
    for cities in (TRAIN_CITIES, DEV_CITIES, TEST_CITIES)
)

# ------------------------------------------------------------------ the grammar
#
# <phrase>            one of PHRASES, at random
# [arrives|leaves]    the first when arriving, the second when leaving
# {slot: words}       words that fill the first or the second of SLOTS
# !intent             what the query wants

SLOTS = {
    "place": ("destination", "departure"),
    "time": ("time_of_arrival", "time_of_departure"),
    "other place": ("departure", "destination"),
    "other time": ("time_of_departure", "time_of_arrival"),
}

SENTENCES = {
    "before": [
        "<wish> <arrive> <place> <when>",
        "<which> [arrives in|leaves] <place> <when>",
        "<find> <trip> <arriving> <place> <when>",
        "<find> <trip> [to|from] <place> [arriving|leaving] <when>",
        "<find> <trip> [to|from] <place> [leaving|arriving] <other when>",
        "<find> <trip> [to|from] <place> [from|to] <other place>",
        "<find> <trip> [to|from] <place> [from|to] <other place> [arriving|leaving] <when>",
        "<wish> <arrive> <place> <when> and [leave|reach] <other place> <other when>",
    ],
    "far": [
        "the city that <we must> [reach|leave] <aside> is <place>",
        "the city that <we must> [reach|leave] <aside> is <place> and the day is <day>",
        "<wish> [arrive|depart] <aside> and the city I mean is <place>",
        "<find> [arrivals|departures] <comfort> at <place> <when>",
        "for the [arrival|departure] <aside> we have chosen <place> and <day>",
        "the [arrival|departure] of <our> group <aside> should be <when> at <place>",
        "the [destination|starting point] of <our> journey <aside> will be <place>",
        "the [destination and starting point|starting point and destination] of <our> journey "
        "<aside> are <place> and <other place>",
    ],
    "after": [
        "<place> <when> is where <our> trip [ends|begins]",
        "<place> is the city that <we must> [reach|leave] <when>",
        "<when> <place> is the city that <we must> [reach|leave]",
        "<place> is the city that <aside> <we must> [reach|leave]",
        "<day> is the day when <we must> <arrive> <place>",
        "is <place> <when> a good choice for <our> [arrival|departure]",
        "please write <place> and <day> next to the word [arrival|departure]",
        "<place> and <other place> are where <our> trip [ends and begins|begins and ends]",
        "of <place> and <other place> <we must> [reach|leave] the first "
        "and [leave|reach] the second",
    ],
}

PHRASES = {
    "place": ["{place: <city>}"],
    "other place": ["{other place: <city>}"],
    "day": ["{time: <date>}", "{time: <soon>}"],
    "when": ["on {time: <date>}", "{time: <soon>}"],
    "other when": ["on {other time: <date>}", "{other time: <soon>}"],
    "date": ["<month> <nth>", "the <nth> of <month>", "<weekday>", "<weekday> <hours>"],
    "soon": [
        "tomorrow",
        "tomorrow <hours>",
        "next <weekday>",
        "this <weekday> <hours>",
        "the day after tomorrow",
    ],
    "month": [
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ],
    "nth": [  # the days that every month has
        *("1st", "2nd", "3rd", "21st", "22nd", "23rd"),
        *(f"{n}th" for n in (*range(4, 21), *range(24, 29))),
    ],
    "weekday": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "hours": ["morning", "afternoon", "evening", "night"],
    "arrive": [
        "[arrive|leave]",
        "[arrive in|leave]",
        "[reach|leave]",
        "[get to|depart from]",
        "[land in|take off from]",
        "[arrive at|set off from]",
    ],
    "arriving": [
        "[arriving in|leaving]",
        "[reaching|departing from]",
        "[due to arrive in|due to leave]",
        "[which will get to|which will set off from]",
    ],
    "wish": ["", "please help me", "<we must>", "how can I", "is it possible to", "I hope to"],
    "we must": ["I have to", "we want to", "I would like to", "my boss needs to", "we plan to"],
    "our": ["our", "my", "the", "his", "their"],
    "find": [
        *("!find find", "!find show me", "!book please book"),
        *("!find I am looking for", "!find do you have", "!book I need"),
    ],
    "trip": ["a flight", "the cheapest ticket", "a night train", "two seats", "any ferry", "a bus"],
    "which": [
        *("!ask_which which flight", "!ask_which what train"),
        *("!ask_which does anybody know which bus", "!ask_which tell me which boat"),
    ],
    "aside": ["<company> <reason>", "<reason> <company>"],
    "company": [
        "with my two children and a dog",
        "with a friend who can not swim",
        "with nothing but a small green bag",
        "together with the whole school orchestra",
        "without my aunt and her parrot",
    ],
    "reason": [  # its "from", "leave" and "gets to" say nothing about the journey
        "for the wedding of a girl from school",
        "if there is still a window seat",
        "for no more than two hundred dollars",
        "because I can not leave everything to others",
        "unless the old car gets to work again",
    ],
    "comfort": [
        "with free seats by the window and a hot meal",
        "that still have room for a bicycle and a large tent",
        "for which my old yellow card gets me a discount",
        "that cost no more than two hundred dollars",
    ],
}


class Grammar(NamedTuple):
    """What one language needs."""

    sentences: dict[str, list[str]]  # by cue
    phrases: dict[str, list[str]]
    cities: dict[str, list[str]]  # by part, each as often as it is in the hat to draw from
    taipei: tuple[str, str]  # the lecture's sentence, and its cue
    train: int  # queries to learn from


def by_rank(cities):
    """Return cities as often as words are in any text, a few often and most seldom.

    The n-th comes 1/n as often as the first (Zipf's law), so that a tagger meets rare words while
    it trains.
    """
    return [city for n, city in enumerate(cities, 1) for _ in range(len(cities) // n)]


GRAMMARS = {
    "en": Grammar(
        SENTENCES,
        PHRASES,
        {
            "train": by_rank(TRAIN_CITIES),
            "dev": by_rank(DEV_CITIES),
            "test": by_rank(TEST_CITIES),
        },
        ("[arrive|leave] {place: Taipei} on {time: November 2nd}", "before"),
        train=2000,
    ),
    "zh": Grammar(
        travel_zh.SENTENCES,
        travel_zh.PHRASES,
        {
            "train": travel_zh.TRAIN_CITIES,  # evenly: the more names, the less is learned by heart
            "dev": by_rank(travel_zh.DEV_CITIES),
            "test": by_rank(travel_zh.TEST_CITIES),
        },
        travel_zh.TAIPEI,
        train=4000,
    ),
}


def generate(count, seed, cities, language="en"):
    """Write queries, each arriving one followed by its leaving twin; no query comes twice.

    Args:
        count: how many queries; of an odd number the last has no twin.
        seed: int or string; the same seed gives the same queries.
        cities: at least two names, each as often as it is in the hat to draw from.
        language: one of `GRAMMARS`.

    Returns:
        List of `Query`.
    """
    rng = random.Random(seed)
    grammar = GRAMMARS[language]
    phrases = grammar.phrases | {"city": cities}

    def expand(text):
        return re.sub("<(.*?)>", lambda phrase: expand(rng.choice(phrases[phrase[1]])), text)

    cues = list(grammar.sentences)
    queries, seen = [], {tuple(query.words) for query in taipei(language)}
    while len(queries) < count:
        cue = cues[len(queries) // 2 % len(cues)]
        sentence = expand(rng.choice(grammar.sentences[cue]))
        places = re.findall("place: (.*?)}", sentence)
        pair = twins(sentence, cue)
        new = {tuple(query.words) for query in pair}
        if len(set(places)) == len(places) and seen.isdisjoint(new):
            queries += pair
            seen |= new
    return queries[:count]


def twins(sentence, cue):
    """Return the two queries, arriving and leaving, that a sentence of [] and {} stands for."""
    return [read(sentence, cue, reading) for reading in (0, 1)]


def read(sentence, cue, reading):
    """Return one of the twins: 0 is arriving, 1 is leaving."""
    words, tags, intent = [], [], ""
    chosen = re.sub(r"\[(.*?)\|(.*?)\]", lambda either: either[1 + reading], sentence)
    for kind, value, wanted, text in re.findall(r"{(.*?): (.*?)}|!(\S+)|([^{!]+)", chosen):
        found = [(value + text)[start:stop] for start, stop in cut(value + text)]
        words += found
        if kind:
            slot = SLOTS[kind][reading]
            tags += [f"B-{slot}"] + [f"I-{slot}"] * (len(found) - 1)
        else:
            tags += ["O"] * len(found)
        intent = intent or wanted
    says = "say_when" if any("time" in tag for tag in tags) else "say_where"
    return Query(words, tags, intent or says, cue)


def taipei(language="en"):
    """Return the lecture's two sentences, arriving and leaving."""
    return twins(*GRAMMARS[language].taipei)


def parts(seed=0, train=None, dev=300, test=600, language="en"):
    """Write the parts of a data set, each with cities that no other part has.

    The lecture's own pair, `taipei`, is in none of them.

    Args:
        seed: int; the same seed gives the same parts.
        train: how many queries to learn from; None: as many as the language needs.
        dev: how many to choose a network by.
        test: how many to judge it by.
        language: one of `GRAMMARS`.

    Returns:
        Dict with the lists of `Query` "train", "dev" and "test".
    """
    grammar = GRAMMARS[language]
    counts = {"train": grammar.train if train is None else train, "dev": dev, "test": test}
    return {
        name: generate(count, f"{name} {seed}", grammar.cities[name], language)
        for name, count in counts.items()
    }
