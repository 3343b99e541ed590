import itertools
from collections import Counter

from utils.slots import chunks, travel
from utils.slots.text import cut, normal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

CUES = {"before", "far", "after"}
INTENTS = {"find", "book", "ask_which", "say_when", "say_where"}
SLOTS = {"destination", "departure", "time_of_arrival", "time_of_departure"}


@pytest.fixture(scope="module", params=["en", "zh"])
def language(request):
    return request.param


@pytest.fixture(scope="module")
def parts(language):
    return travel.parts(language=language)


def fillings(query):
    """(slot, words, where they end) of each span of a query, in order."""
    spans = sorted(chunks.spans(query.tags), key=lambda span: span[1])
    return [(slot, tuple(query.words[start:stop]), stop) for slot, start, stop in spans]


def test_sizes_and_seeds(parts, language):
    assert [len(part) for part in parts.values()] == [{"en": 2000, "zh": 4000}[language], 300, 600]
    assert travel.parts(language=language) == parts
    assert travel.parts(seed=1, train=7, language=language)["train"] != parts["train"][:7]
    queries = [*travel.taipei(language), *itertools.chain(*parts.values())]
    assert len({" ".join(query.words) for query in queries}) == len(queries)  # no query comes twice


@settings(max_examples=50, deadline=None)
@given(count=st.integers(0, 40), seed=st.integers(0, 10**6), language=st.sampled_from(["en", "zh"]))
def test_every_query_is_well_formed(count, seed, language):
    queries = travel.generate(count, seed, ["Taipei", "New York", "Ulan Bator 北"], language)
    assert len(queries) == count
    for query in queries:
        assert len(query.words) == len(query.tags)
        assert " ".join(query.words).split() == query.words
        assert not set("<>[]{}|:!") & set("".join(query.words))  # the grammar's own signs
        assert query.intent in INTENTS and query.cue in CUES
        assert chunks.begun(query.tags) == query.tags
        filled = [slot for slot, *_ in fillings(query)]
        assert filled and len(set(filled)) == len(filled) and SLOTS.issuperset(filled)


def test_cities_of_the_parts(parts, language):
    """No city of a part is in another."""
    cities = {part: {*names} for part, names in travel.grammar(language)["cities"].items()}
    assert sum(map(len, cities.values())) == len(set.union(*cities.values()))
    for part, listed in cities.items():
        words = {tuple(city[start:stop] for start, stop in cut(city)) for city in listed}
        found = itertools.chain(*map(fillings, parts[part]))
        assert {city for slot, city, _ in found if slot.startswith("de")} <= words


def test_only_cities_are_strangers(parts):
    """The sentence around a city never seen, and its dates, are made of words seen in training."""
    seen = Counter(normal(word) for query in parts["train"] for word in query.words)
    for query in itertools.chain(*parts.values()):
        for word, tag in zip(query.words, query.tags, strict=True):
            assert seen[normal(word)] >= 4 or tag[2:] in ("destination", "departure")


def test_twins_cues_and_intents(parts):
    """Up to the end of the first span all words read the same in "after", and in no other cue."""
    for part in parts.values():
        assert {query.cue for query in part} == CUES
        assert {query.intent for query in part} == INTENTS
        for arriving, leaving in zip(part[::2], part[1::2], strict=True):
            a, b = (fillings(query)[0][-1] for query in (arriving, leaving))
            assert (arriving.words[:a] == leaving.words[:b]) == (arriving.cue == "after")
            assert arriving.intent == leaving.intent


def test_the_lectures_pair():
    arrive, leave = travel.taipei()
    assert arrive.words[1:] == leave.words[1:] == ["Taipei", "on", "November", "2nd"]
    assert arrive.tags == ["O", "B-destination", "O", "B-time_of_arrival", "I-time_of_arrival"]
    _, leave = travel.taipei("zh")
    (time, when, _), (place, where, _) = fillings(leave)
    assert (time, when, place, where) == (
        "time_of_departure", tuple("十一月二日"), "departure", tuple("台北"),
    )  # fmt: skip
