"""Slots: the words of a sentence -> tags -> filled slots and their scores."""

from utils import import_when_used

for name in ("crf", "tagger", "learning"):  # made of Keras' classes
    import_when_used(f"utils.slots.{name}")
