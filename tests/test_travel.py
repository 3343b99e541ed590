import itertools
from collections import Counter

from utils.slots import travel

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

CUES = {"before", "far", "after"}
SLOTS = {"destination", "departure", "time_of_arrival", "time_of_departure"}
PART_CITIES = {
    "train": travel.TRAIN_CITIES,
    "dev": travel.DEV_CITIES,
    "test": travel.TEST_CITIES,
}


@pytest.fixture(scope="module")
def parts():
    return travel.parts()


def spans(tags):
    """(slot, start, stop) of each span; an I- that continues nothing begins one, as conlleval."""
    found = []
    for i, tag in enumerate(tags):
        prefix, _, slot = tag.partition("-")
        if prefix == "I" and found and found[-1][0] == slot and found[-1][2] == i:
            found[-1] = (slot, found[-1][1], i + 1)
        elif slot:
            found.append((slot, i, i + 1))
    return found


def fillings(queries):
    """(slot, words) of each span of each query."""
    return [
        (slot, " ".join(query.words[start:stop]))
        for query in queries
        for slot, start, stop in spans(query.tags)
    ]


def pairs(queries):
    return list(zip(queries[::2], queries[1::2], strict=True))


def f1(true, predicted):
    true = {(row, *span) for row, tags in enumerate(true) for span in spans(tags)}
    predicted = {(row, *span) for row, tags in enumerate(predicted) for span in spans(tags)}
    return 200 * len(true & predicted) / (len(true) + len(predicted))


def test_sizes_and_seeds(parts):
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 2000,
        "dev": 300,
        "test": 600,
    }
    assert travel.parts() == parts
    small = travel.parts(seed=1, train=7, dev=0, test=3)
    assert [len(part) for part in small.values()] == [7, 0, 3]
    assert small["train"] != parts["train"][:7]
    assert travel.generate(50, 3, ["Taipei", "New York"]) == travel.generate(
        50, 3, ["Taipei", "New York"]
    )


@settings(max_examples=50, deadline=None)
@given(count=st.integers(0, 40), seed=st.integers(0, 10**6))
def test_every_query_is_well_formed(count, seed):
    queries = travel.generate(count, seed, ["Taipei", "New York", "Ulan Bator Nord"])
    assert len(queries) == count
    for query in queries:
        assert len(query.words) == len(query.tags)
        assert " ".join(query.words).split() == query.words
        assert not set("<>[]{}|:") & set("".join(query.words))  # the grammar's own signs
        assert query.cue in CUES
        previous = "O"
        for tag in query.tags:
            assert tag == "O" or (tag[0] in "BI" and tag[1] == "-" and tag[2:] in SLOTS)
            if tag.startswith("I-"):
                assert previous[2:] == tag[2:]
            previous = tag
        filled = [slot for slot, _, _ in spans(query.tags)]
        assert filled and len(set(filled)) == len(filled)


def test_cities_of_the_parts(parts):
    names = [city for cities in PART_CITIES.values() for city in cities]
    assert len(set(names)) == len(names)
    assert all(city and city == " ".join(city.split()) for city in names)
    for name, cities in PART_CITIES.items():
        used = {words for slot, words in fillings(parts[name]) if slot.startswith("de")}
        assert used <= set(cities)
        assert sum(" " in city for city in used) > 5
    # a stranger may share a word with a city seen in training, but few do
    seen = {word for city in travel.TRAIN_CITIES for word in city.split()}
    shared = [city for city in travel.TEST_CITIES if seen & set(city.split())]
    assert 3 < len(shared) < len(travel.TEST_CITIES) / 5


def test_only_cities_are_strangers(parts):
    """The sentence around a city never seen, and its dates, are made of words seen in training."""
    seen = Counter(word for query in parts["train"] for word in query.words)
    city_words = {
        word for cities in PART_CITIES.values() for city in cities for word in city.split()
    }
    others = {
        word
        for name in parts
        for query in parts[name]
        for word, tag in zip(query.words, query.tags, strict=True)
        if tag[2:] not in ("destination", "departure")
    }
    assert not others & city_words
    assert min(seen[word] for word in others) >= 4


def test_cities_keep_their_distance(parts):
    """Of two cities never seen, side by side, nobody could say where one ends."""
    for queries in parts.values():
        for query in queries:
            places = sorted(span[1:] for span in spans(query.tags) if span[0].startswith("de"))
            assert all(stop < start for (_, stop), (start, _) in itertools.pairwise(places))


def test_no_query_twice(parts):
    sentences = Counter(" ".join(query.words) for part in parts.values() for query in part)
    assert max(sentences.values()) == 1
    assert not {" ".join(query.words) for query in travel.TAIPEI} & set(sentences)


def test_every_cue_in_every_part(parts):
    for part in parts.values():
        counts = Counter(query.cue for query in part)
        assert set(counts) == CUES
        assert max(counts.values()) - min(counts.values()) <= 2


def test_cities_and_dates_are_as_often_in_either_slot(parts):
    for part in parts.values():
        counts = Counter(fillings(part))
        for arriving, leaving in travel.SLOTS.values():
            for slot, words in counts:
                if slot in (arriving, leaving):
                    assert counts[arriving, words] == counts[leaving, words], words


def test_both_ends_of_a_journey(parts):
    slots = [{slot for slot, _, _ in spans(query.tags)} for query in parts["test"]]
    assert sum({"destination", "departure"} <= filled for filled in slots) > 60
    assert sum({"time_of_arrival", "time_of_departure"} <= filled for filled in slots) > 5


def test_without_context_at_most_half(parts):
    """The most frequent tag of each word, counted on the very part it is scored on."""
    counts = {}
    for query in parts["test"]:
        for word, tag in zip(query.words, query.tags, strict=True):
            counts.setdefault(word, Counter())[tag] += 1
    best = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
    ceiling = f1(
        [query.tags for query in parts["test"]],
        [[best[word] for word in query.words] for query in parts["test"]],
    )
    assert 30 < ceiling <= 50


def test_a_window_of_two_words_sees_no_cue(parts):
    """Around every span of "far", and the first of "after", twins read the same."""
    for arriving, leaving in pairs(parts["train"]):
        if arriving.cue == "before":
            continue
        ends = [spans(query.tags) for query in (arriving, leaving)]
        for (_, a, b), (_, c, d) in zip(*ends, strict=True):
            assert arriving.words[max(a - 2, 0) : b + 2] == leaving.words[max(c - 2, 0) : d + 2]
            if arriving.cue == "after":
                break


def test_only_backwards_after(parts):
    """Up to the end of the first span, "after" twins read the same; the other cues differ."""
    for arriving, leaving in pairs(parts["train"]):
        _, _, a = spans(arriving.tags)[0]
        _, _, b = spans(leaving.tags)[0]
        assert (arriving.words[:a] == leaving.words[:b]) == (arriving.cue == "after")


def test_the_lectures_pair():
    arrive, leave = travel.TAIPEI
    assert " ".join(arrive.words) == "arrive Taipei on November 2nd"
    assert " ".join(leave.words) == "leave Taipei on November 2nd"
    assert fillings([arrive]) == [("destination", "Taipei"), ("time_of_arrival", "November 2nd")]
    assert fillings([leave]) == [("departure", "Taipei"), ("time_of_departure", "November 2nd")]
    assert arrive.tags[1:] == ["B-destination", "O", "B-time_of_arrival", "I-time_of_arrival"]
