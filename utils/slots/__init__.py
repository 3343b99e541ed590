"""Slots: the words of a sentence -> tags -> filled slots and their scores."""
