def spans(tags):
    """Return the spans of a sentence, a list of (slot, first word, last word)."""
    found, before = [], "O"
    for place, tag in enumerate(tags):
        prefix, _, slot = tag.partition("-")
        if prefix == "I" and before.partition("-")[2] == slot:
            found[-1] = (slot, found[-1][1], place)  # goes on
        elif prefix != "O":
            found.append((slot, place, place))
        before = tag
    return found
