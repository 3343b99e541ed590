import itertools
from collections import Counter

from utils.slots import travel
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
        (slot, tuple(query.words[start:stop]))
        for query in queries
        for slot, start, stop in spans(query.tags)
    ]


def pairs(queries):
    return list(zip(queries[::2], queries[1::2], strict=True))


def f1(true, predicted):
    true = {(row, *span) for row, tags in enumerate(true) for span in spans(tags)}
    predicted = {(row, *span) for row, tags in enumerate(predicted) for span in spans(tags)}
    return 200 * len(true & predicted) / (len(true) + len(predicted))


def test_sizes_and_seeds(parts, language):
    train = {"en": 2000, "zh": 4000}[language]
    assert [len(part) for part in parts.values()] == [train, 300, 600]
    assert travel.parts(language=language) == parts
    small = travel.parts(seed=1, train=7, dev=0, test=3, language=language)
    assert [len(part) for part in small.values()] == [7, 0, 3]
    assert small["train"] != parts["train"][:7]
    assert travel.generate(50, 3, ["Taipei", "New York"]) == travel.generate(
        50, 3, ["Taipei", "New York"]
    )


@settings(max_examples=50, deadline=None)
@given(count=st.integers(0, 40), seed=st.integers(0, 10**6), language=st.sampled_from(["en", "zh"]))
def test_every_query_is_well_formed(count, seed, language):
    queries = travel.generate(count, seed, ["Taipei", "New York", "Ulan Bator 北"], language)
    assert len(queries) == count
    for query in queries:
        assert len(query.words) == len(query.tags)
        assert " ".join(query.words).split() == query.words
        assert not set("<>[]{}|:!") & set("".join(query.words))  # the grammar's own signs
        assert query.intent in INTENTS
        assert query.cue in CUES
        previous = "O"
        for tag in query.tags:
            assert tag == "O" or (tag[0] in "BI" and tag[1] == "-" and tag[2:] in SLOTS)
            if tag.startswith("I-"):
                assert previous[2:] == tag[2:]
            previous = tag
        filled = [slot for slot, _, _ in spans(query.tags)]
        assert filled and len(set(filled)) == len(filled)


def words_of(text):
    return tuple(text[start:stop] for start, stop in cut(text))


def test_cities_of_the_parts(parts, language):
    part_cities = travel.GRAMMARS[language].cities
    names = [city for cities in part_cities.values() for city in {*cities}]
    assert len(set(names)) == len(names)
    assert all(city and city == " ".join(city.split()) for city in names)
    for name, cities in part_cities.items():
        used = {words for slot, words in fillings(parts[name]) if slot.startswith("de")}
        assert used <= {words_of(city) for city in cities}
        assert sum(len(city) > 1 for city in used) > 5


def test_cities_by_rank():
    assert travel.by_rank(["Rome", "Oslo", "Lima", "Pune"]) == [
        *("Rome", "Rome", "Rome", "Rome"),
        *("Oslo", "Oslo", "Lima", "Pune"),
    ]


def test_strange_cities():
    # a stranger may share a word with a city seen in training, but few do
    seen = {word for city in travel.TRAIN_CITIES for word in city.split()}
    shared = [city for city in travel.TEST_CITIES if seen & set(city.split())]
    assert 3 < len(shared) < len(travel.TEST_CITIES) / 5


def test_only_cities_are_strangers(parts, language):
    """The sentence around a city never seen, and its dates, are made of words seen in training."""
    seen = Counter(normal(word) for query in parts["train"] for word in query.words)
    others = {
        word
        for name in parts
        for query in parts[name]
        for word, tag in zip(query.words, query.tags, strict=True)
        if tag[2:] not in ("destination", "departure")
    }
    if language == "en":  # Chinese writes both with the same characters: 明天, 明斯克
        cities = [city for part in travel.GRAMMARS["en"].cities.values() for city in part]
        assert not others & {word for city in cities for word in city.split()}
    assert min(seen[normal(word)] for word in others) >= 4


def test_cities_keep_their_distance(parts):
    """Of two cities never seen, side by side, nobody could say where one ends."""
    for queries in parts.values():
        for query in queries:
            places = sorted(span[1:] for span in spans(query.tags) if span[0].startswith("de"))
            assert all(stop < start for (_, stop), (start, _) in itertools.pairwise(places))


def test_no_query_twice(parts, language):
    sentences = Counter(" ".join(query.words) for part in parts.values() for query in part)
    assert max(sentences.values()) == 1
    assert not {" ".join(query.words) for query in travel.taipei(language)} & set(sentences)


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
    assert 20 < ceiling <= travel.WITHOUT_CONTEXT


def test_a_window_of_two_words_sees_no_cue(parts, language):
    """Around every span of "far", and the first of "after", twins read the same.

    But in Chinese the verb may stand right behind the day: 十一月二日抵達.
    """
    for arriving, leaving in pairs(parts["train"]):
        if arriving.cue == "before" or (arriving.cue, language) == ("after", "zh"):
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


def test_intents(parts):
    for part in parts.values():
        counts = Counter(query.intent for query in part)
        assert set(counts) == INTENTS and min(counts.values()) > len(part) / 60
        for query in part:
            if query.intent.startswith("say"):
                timed = any("time" in tag for tag in query.tags)
                assert query.intent == ("say_when" if timed else "say_where")
        for arriving, leaving in pairs(part):
            assert arriving.intent == leaving.intent
    (book, _) = travel.twins("!book please book a bus to {place: Rome} {time: tomorrow}", "before")
    assert (book.words[0], book.intent) == ("please", "book")


def test_the_lectures_pair_in_chinese():
    arrive, leave = travel.taipei("zh")
    assert "".join(arrive.words) == "十一月二日抵達台北"
    assert "".join(leave.words) == "十一月二日離開台北"
    time, city = tuple("十一月二日"), tuple("台北")
    assert fillings([arrive]) == [("time_of_arrival", time), ("destination", city)]
    assert fillings([leave]) == [("time_of_departure", time), ("departure", city)]


def test_the_lectures_pair():
    arrive, leave = travel.taipei()
    assert " ".join(arrive.words) == "arrive Taipei on November 2nd"
    assert " ".join(leave.words) == "leave Taipei on November 2nd"
    city, time = ("Taipei",), ("November", "2nd")
    assert fillings([arrive]) == [("destination", city), ("time_of_arrival", time)]
    assert fillings([leave]) == [("departure", city), ("time_of_departure", time)]
    assert arrive.tags[1:] == ["B-destination", "O", "B-time_of_arrival", "I-time_of_arrival"]
