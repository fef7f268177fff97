"""Texts become the same ids whatever they hold; vocabularies are fitted on training rows alone."""

import numpy as np
import pandas as pd
import pytest

from composable.core.records import from_json, to_json
from composable.data.encoding import Encoding, encode, fit_encoding, training_notices
from composable.data.kinds.text import TextBlock
from composable.data.schema import FIRST, UNKNOWN_WORD, Column, Schema
from composable.data.texts import (
    BUCKETS,
    LENGTH,
    NGRAMS,
    WIDTH,
    Vocabulary,
    character_ngrams,
    fit_latent,
    fit_vocabulary,
    latent,
    text_ids,
    tokens,
)

VOCABULARY = Vocabulary(
    ("good", "car", "."), ("good car",), (" g", "ood", "ar "), length=4, most_ngrams=3, most_characters=2
)
SCHEMA = Schema((Column("t", "text"), Column("u", "text")))


def series(*cells):
    return pd.Series(cells, dtype="str")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't PANIC!", ["don", "'", "t", "panic", "!"]),
        ("\uff27ood\u3000\ufb01ne", ["good", "fine"]),  # wide letters, a wide blank, a ligature
        ("猫が好き ok", ["猫", "が", "好", "き", "ok"]),
        ("รัก", ["ร", "ั", "ก"]),
        ("हिन्दी nai\u0308ve", ["हिन्दी", "naïve"]),
        ("🙂🙂 x_1", ["🙂", "🙂", "x_1"]),
        ("", []),
    ],
)
def test_words_of_any_script(text, words):
    assert tokens(text) == words


def test_runs_of_characters_know_where_a_word_begins_and_ends():
    assert character_ngrams("ab") == [" a", "ab", "b ", " ab", "ab ", " ab "]
    assert character_ngrams("!") == []


def test_ids_of_words_pairs_and_characters():
    found = text_ids(series("Good car. good", "car good unknown", None, "", "a b c d e"), VOCABULARY)
    good, car, stop = FIRST, FIRST + 1, FIRST + 2
    wanted = [[good, car, stop, good], [car, good, UNKNOWN_WORD, 0], [0] * 4, [0] * 4, [UNKNOWN_WORD] * 4]
    assert found["words"].tolist() == wanted
    # Of four n-grams there is room for the three with the lowest ids.
    assert found["ngrams"].tolist() == [[good, car, stop], [good, car, 0], [0] * 3, [0] * 3, [0] * 3]
    assert found["characters"].tolist()[:2] == [[FIRST, FIRST + 1]] * 2
    assert all(ids.dtype == np.int32 for ids in found.values())


def test_a_vocabulary_holds_what_two_texts_hold_the_most_frequent_first():
    table = fit_vocabulary(series("red car", "red car", "a red", "blue blue", None))
    assert table.words == ("red", "car")
    assert table.pairs == ("red car",)
    assert "bl" not in table.characters
    assert (table.length, table.most_ngrams) == (2, 3)


def test_long_texts_are_cut_and_have_no_runs_of_characters():
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{n}" for n in rng.integers(0, 3000, 1500)) for _ in range(60)]
    table = fit_vocabulary(series(*texts))
    assert table.widths == {"words": LENGTH, "ngrams": table.most_ngrams}
    assert table.most_ngrams <= NGRAMS
    (notice,) = training_notices(Encoding((TextBlock("t", table),)), text_ids(series(*texts), table))
    assert "60 texts" in notice.text


def test_columns_lie_side_by_side_with_ids_of_their_own():
    frame = pd.DataFrame({"t": series("a b", "a c", "a b"), "u": series("a x", "a x", "y y")})
    encoding = fit_encoding(frame, SCHEMA)
    encoding = from_json(Encoding, to_json(encoding, format="x"), format="x", origin="")
    inputs = encode(frame, SCHEMA, encoding)
    first, second = (block.vocabulary for block in encoding.blocks)
    assert {name: ids.shape[1] for name, ids in inputs.items()} == encoding.widths
    known = inputs["ngrams"]
    own = first.widths["ngrams"]
    assert set(known[:, :own].ravel()).isdisjoint(set(known[:, own:].ravel()) - {0})
    assert known.max() == encoding.vocabularies["ngrams"] - 1
    assert encoding.vocabularies["words"] == FIRST + len(first.words) + len(second.words)


def test_texts_without_a_known_word_are_all_right():
    encoding = fit_encoding(pd.DataFrame({"t": series("", "a", None), "u": series("b", "c", "d")}), SCHEMA)
    inputs = encode(pd.DataFrame({"t": series("new"), "u": series(None)}), SCHEMA, encoding)
    assert not inputs["ngrams"].any()


def test_categories_with_many_names_of_several_words_are_read_as_texts_too():
    names = series(*(f"first{n % 30} last{n}" for n in range(150)))
    schema = Schema((Column("c", "category"),))
    assert [block.column for block in fit_encoding(pd.DataFrame({"c": names}), schema).of(TextBlock)] == ["c"]
    few = pd.DataFrame({"c": series(*(["New York", "Los Angeles"] * 75))})
    assert not fit_encoding(few, schema).of(TextBlock)


def test_latent_features_bring_texts_with_the_same_words_together():
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 50, (200, 12)) + 50 * (np.arange(200) % 2)[:, None]
    features = latent(ids, *fit_latent(ids.astype("int32")))
    assert features.shape == (200, WIDTH)
    alike = features @ features.T
    same = (np.arange(200) % 2)[:, None] == np.arange(200) % 2
    assert alike[same].mean() > 10 * abs(alike[~same].mean())


def test_latent_features_of_nothing_are_zeros():
    vectors, squares = fit_latent(np.zeros((10, 3), "int32"))
    assert vectors.shape == (BUCKETS, WIDTH)
    assert not latent(np.array([[0, 5, 0]]), vectors, squares).any()
