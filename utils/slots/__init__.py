"""Slots: the words of a sentence -> tags -> filled slots and their scores."""

from utils import import_when_used

for module in ("utils.slots.crf", "utils.slots.tagger"):  # made of Keras' classes
    import_when_used(module)
