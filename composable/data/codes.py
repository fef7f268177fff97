"""The first codes and ids, which have meanings of their own."""

UNKNOWN, MISSING = 0, 1  # categories: never seen or rare; no value
NOTHING, UNKNOWN_WORD = 0, 1  # texts: the text is over; a word that has no id
FIRST = 2  # the first known category, or entry of a vocabulary
