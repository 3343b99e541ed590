import pytest

CASES = {
    "O O O": [],
    "B-city": [("city", 0, 0)],
    "O B-city I-city O": [("city", 1, 2)],
    "B-city I-city B-city": [("city", 0, 1), ("city", 2, 2)],  # two that touch
    "B-city B-city": [("city", 0, 0), ("city", 1, 1)],
    "B-city O I-city": [("city", 0, 0), ("city", 2, 2)],
    "I-city I-city O": [("city", 0, 1)],
    "B-city I-date": [("city", 0, 0), ("date", 1, 1)],
    "I-date I-city": [("date", 0, 0), ("city", 1, 1)],
    "O I-city B-city": [("city", 1, 1), ("city", 2, 2)],
    "B-date I-date I-date": [("date", 0, 2)],  # ends with the sentence
    "B-from-city I-from-city": [("from-city", 0, 1)],
}


@pytest.mark.parametrize(("tags", "right"), CASES.items(), ids=CASES)
def test_spans(yours, tags, right):
    found = [tuple(span) for span in yours.spans(tags.split())]
    if found != right:
        message = f"{tags}: the spans are {right}, yours are {found}"
        if {span[1:] for span in found} == {(first, last + 1) for _, first, last in right}:
            message += "\nThis is what comes out when the word after the span is taken as its last."
        pytest.fail(message, pytrace=False)


def test_no_words(yours):
    assert list(yours.spans([])) == []
