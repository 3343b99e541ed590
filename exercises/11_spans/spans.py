"""From BIO tags to spans, by which slots are scored."""


def spans(tags):
    """Return the spans of a sentence, a list of (slot, first word, last word), from left to right.

    "B-city" begins a span of the slot city, "I-city" goes on with it, "O" belongs to none. Networks
    don't always obey: an I-city that goes on with nothing, because O or another slot comes
    before it, begins a span too.

    Args:
        tags: one per word.
    """
    raise NotImplementedError


def f1(right, predicted):
    """Return the F1 of the spans, in percent: a span counts only if it is right from end to end.

    Args:
        right: a list of tags per sentence.
        predicted: likewise.
    """

    def all_spans(sentences):
        return {(k, *span) for k, tags in enumerate(sentences) for span in spans(tags)}

    right, predicted = all_spans(right), all_spans(predicted)
    return 200 * len(right & predicted) / (len(right) + len(predicted))


if __name__ == "__main__":
    right = ["O B-date I-date O B-city I-city".split(), "B-city O O B-date I-date O".split()]
    predicted = ["O B-date O O B-city O".split(), "B-city O O I-date I-date O".split()]
    words = [(a, b) for pair in zip(right, predicted, strict=True) for a, b in zip(*pair)]  # noqa: B905
    print(f"{100 * sum(a == b for a, b in words) / len(words):.0f} % of the words are tagged right")
    print(f"F1 of the spans: {f1(right, predicted):.0f}")
