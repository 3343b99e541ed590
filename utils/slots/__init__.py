"""Slots: the words of a sentence -> tags -> filled slots and their scores."""

from utils import _import_when_used

# what is made of Keras' classes waits for Keras
for module in ("utils.cells", "utils.slots.crf", "utils.slots.tagger"):
    _import_when_used(module)
