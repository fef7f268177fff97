"""Texts as numbers: their words, their n-grams, and what is common to them."""
