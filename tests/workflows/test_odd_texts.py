"""Texts as people have them: without blanks between words, of emoji, empty, endless, in a wrong encoding."""

import json
import time

import numpy as np
import pandas as pd
import pytest

import composable
from composable.core.errors import DataError
from composable.data.texts import fit_vocabulary, text_ids

ROWS = 120
CAT, DOG = ("猫が好きです", "고양이 🐈", "我喜欢猫"), ("犬と散歩した", "강아지 🐕", "我喜欢狗")


def odd(rows: int = ROWS) -> pd.DataFrame:
    """What is said tells the label in every script; some say nothing, or say it for 100,000 characters."""
    rng = np.random.default_rng(0)
    cat = np.arange(rows) % 2 == 0
    comments = [f"{rng.choice(CAT if one else DOG)}。{n}" for n, one in enumerate(cat)]
    comments[4], comments[5] = "", "  "
    comments[6], comments[7] = "猫" * 100_000, "🐕 " * 50_000
    return pd.DataFrame({"text": comments, "label": np.where(cat, "cat", "dog")})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    odd().to_csv(folder / "odd.csv", index=False)
    return composable.fit(folder / "odd.csv", target="label", max_trials=2, max_epochs=1, out=folder / "run")


def test_words_of_scripts_without_blanks_and_emoji_tell_the_label(run):
    new = pd.DataFrame({"text": ["猫が好き", "犬と散歩", "我喜欢猫!", "我喜欢狗!", "🐈", "🐕"]})
    assert run.predict(new)["prediction"].tolist() == ["cat", "dog"] * 3
    explanation = json.loads((run.path / "texts.json").read_text("utf-8"))
    words = {one["answer"]: {ngram["text"] for ngram in one["ngrams"]} for one in explanation["words"]}
    assert words["cat"] & {"猫", "好", "き", "🐈"}
    assert words["dog"] & {"犬", "狗", "散", "🐕"}


def test_nothing_and_endless_texts_have_answers(run):
    new = pd.DataFrame({"text": ["", None, " \t", "猫" * 100_000, "x" * 100_000, "\u200b"]})
    answers = run.predict(new)
    assert answers["p_cat"].between(0, 1).all()
    assert answers["p_cat"][0] == answers["p_cat"][1] == answers["p_cat"][2]


def test_a_hundred_thousand_characters_take_a_moment():
    texts = pd.Series(["word and another " * 6_000, "猫" * 100_000, "y" * 100_000] * 3, dtype="str")
    began = time.monotonic()
    found = text_ids(texts, fit_vocabulary(texts))
    assert time.monotonic() - began < 10
    assert all(ids.shape[1] <= 2048 for ids in found.values())


def test_bytes_that_are_no_text_are_named_with_their_file_and_line(tmp_path):
    path = tmp_path / "broken.csv"
    path.write_bytes("text,label\ngood,a\nschön,b\n".encode() + b"caf\xe9 \x81,a\n")
    with pytest.raises(DataError) as refused:
        composable.fit(path, target="label", encoding="utf-8")
    assert "broken.csv" in str(refused.value)
    assert "byte 0xe9" in str(refused.value)
    assert "line 4" in str(refused.value)
