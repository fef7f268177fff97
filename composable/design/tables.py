"""Pre-stems for tables: raw numbers, dates and codes to clean features, everything numeric inside the model.

What is fitted (medians, ranges, quantile bins, categories seen) lies in frozen weights, so the same graph
serves every split of the rows, and `adapt` alone decides which rows are looked at. Dates become calendar
features: year, month, day, weekday, hour and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import keras
import numpy as np
from keras import layers, ops

from composable.design.metaparameters import Count
from composable.design.part import component
from composable.design.series import STEPS_AS_NUMBERS, steps_as_numbers
from composable.design.text import adapt_texts, latent_texts

OneHot = Literal["plain", "scaled"]
ONE_HOT_LIMIT, EMBEDDED = 17, 8  # a column with more codes is embedded, usually as so many numbers
_NARROWEST = 1e-3  # bin, in interquartile ranges
EMBEDDING = "embedding"  # how the names of its layers begin
BOUND = 30.0  # scaled values beyond it say no more than "far out"
PARTS = ("days", "year", "month", "day", "weekday", "day_of_year", "hour")
_DAYS_TO_ORIGIN = 730425  # from 0000-03-01 to 2000-01-01, in the proleptic Gregorian calendar


@component
def prepare(
    x: Mapping[str, Any],
    *,
    categories: tuple[int, ...] = (),
    bins: int = 48,
    embedding: Count = EMBEDDED,
    one_hot: OneHot = "plain",
    one_hot_limit: Count = ONE_HOT_LIMIT,
) -> dict[str, Any]:
    """Impute, scale, cut into bins, one-hot and embed.

    Args:
        x: Some of `numbers` (rows, F), `dates` (rows, D), `categories` (rows, C), `ngrams` (rows, W).
        categories: The number of codes of each category column; code 0 (unknown) becomes all zeros.
        bins: Quantile bins per number; 0 for none.
        embedding: The width of the embedding of category columns with many values.
        one_hot: "scaled" treats one-hot codes as RealMLP does, like numbers: centerd at their median, scaled
            by their range (between quartiles, where that isn't zero), smoothly clipped.
        one_hot_limit: A column with more codes is embedded.

    Returns:
        `plain`: one vector per row (scaled numbers, missing indicators, one-hot codes, embeddings, latent
        features of texts);
        where there are numbers also `numbers`, scaled, shape (rows, F + 7 D), and
        `bins`: the piecewise-linear encoding, shape (rows, F + 7 D, bins).
    """
    plain, clean = [], {}
    numbers = _numbers(x)
    if numbers is not None:
        scaled, missing = _scaled(numbers)
        clean["numbers"] = _smoothly_clipped(scaled)
        plain += [clean["numbers"], missing]
        if bins:
            clean["bins"] = _bins(scaled, bins)
    if categories:
        plain += _categories(x["categories"], categories, embedding, one_hot, one_hot_limit)
    if "ngrams" in x:
        plain.append(latent_texts(x["ngrams"]))
    clean["plain"] = layers.Concatenate()(plain) if len(plain) > 1 else plain[0]
    return clean


@component
def columns(x: Mapping[str, Any], *, categories: tuple[int, ...] = (), width: Count) -> dict[str, Any]:
    """Impute and scale the numbers, embed the categories, and leave every column by itself.

    Args:
        x: As for `prepare`.
        categories: The number of codes of each category column; code 0 (unknown) becomes all zeros.
        width: Of the embedding of every category column.

    Returns:
        What there is of `numbers` and `missing`, shape (rows, F + 7 D); `categories`, shape (rows, C, width),
        and `unknown`, shape (rows, C); and `texts`, latent features, shape (rows, 32).
    """
    clean = {}
    numbers = _numbers(x)
    if numbers is not None:
        scaled, clean["missing"] = _scaled(numbers)
        clean["numbers"] = _smoothly_clipped(scaled)
    if categories:
        vectors, seen = _embedded(x["categories"], categories, width, name="columns", limit=0)
        clean |= {"categories": vectors, "unknown": ops.subtract(1.0, ops.squeeze(seen, axis=-1))}
    return clean | ({"texts": latent_texts(x["ngrams"])} if "ngrams" in x else {})


@component
def raw_columns(x: Mapping[str, Any], *, categories: tuple[int, ...] = ()) -> Any:
    """Every column as it is, for models that ask for order alone: numbers, the parts of dates, texts, codes.

    Args:
        x: As for `prepare`.
        categories: The number of codes of each category column.

    Returns:
        Shape (rows, columns): C codes, F + 7 D numbers, 32 of texts; NaN where a number or a date is missing.
    """
    found = [ops.cast(x["categories"], "float32")] if categories else []
    if (numbers := _numbers(x)) is not None:
        found.append(numbers)
    if "ngrams" in x:
        found.append(latent_texts(x["ngrams"]))
    return ops.concatenate(found, axis=-1) if len(found) > 1 else found[0]


def adapt(model: keras.Model, inputs: Mapping[str, np.ndarray], *, categories: tuple[int, ...] = ()) -> None:
    """Fit the frozen weights of a pre-stem in `model` on these rows, which must be training rows.

    Medians and interquartile ranges as RealMLP uses them; bins between quantiles (Gorishniy et al. 2022,
    "On Embeddings for Numerical Features in Tabular Deep Learning", section 3.1).
    """
    names = {layer.name for layer in model.layers}
    if "scale" in names:
        tensors: Mapping[str, Any] = {name: ops.convert_to_tensor(values) for name, values in inputs.items()}
        if STEPS_AS_NUMBERS in names:
            tensors = steps_as_numbers(tensors)
        numbers = np.asarray(ops.convert_to_numpy(_numbers(tensors)), "float32")
        kernel, bias = _robust_scale(numbers)
        model.get_layer("scale").set_weights([kernel, bias])
        if "bins" in names:
            scaled = np.clip(numbers * kernel + bias, -BOUND, BOUND)
            model.get_layer("bins").set_weights(_bin_weights(scaled, model.get_layer("bins").kernel.shape[1]))
    limit = _one_hot_limit(model, names, categories)
    if "one_hot_seen" in names:
        columns, values = _one_hot_slots(categories, limit)
        seen = (inputs["categories"][:, columns] == values).any(axis=0)
        model.get_layer("one_hot_seen").set_weights([seen.astype("float32")])
    if "one_hot_scale" in names:
        columns, values = _one_hot_slots(categories, limit)
        shares = (inputs["categories"][:, columns] == values).mean(axis=0)
        model.get_layer("one_hot_scale").set_weights(_one_hot_scale(shares))
    for name, most in ((f"{EMBEDDING}_seen", limit), ("columns_seen", 0)):
        if name in names:
            columns, offsets, total = _embedding_rows(categories, most)
            seen = np.zeros((total, 1), "float32")
            seen[np.unique(inputs["categories"][:, columns] + offsets)] = 1.0
            seen[offsets] = 0.0  # code 0 of each column: unknown
            model.get_layer(name).set_weights([seen])
    adapt_texts(model, inputs)


def _one_hot_limit(model: keras.Model, names: set[str], sizes: tuple[int, ...]) -> int:
    """The most codes of a column that `prepare` made one-hot in this model: so many slots there are."""
    slots = sum(
        model.get_layer(name).kernel.shape[0] for name in ("one_hot_seen", "one_hot_scale") if name in names
    )
    limits = (most for most in sorted({0, *sizes}) if len(_one_hot_slots(sizes, most)[0]) == slots)
    return next(limits, ONE_HOT_LIMIT)


def _numbers(x: Mapping[str, Any]) -> Any:
    parts = [x["numbers"]] if "numbers" in x else []
    if "dates" in x:
        parts.append(calendar(x["dates"]))
    if not parts:
        return None
    return ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]


def _scaled(numbers: Any) -> tuple[Any, Any]:
    """Numbers without holes on the scale that `adapt` finds, and 1 where there was one."""
    scale = layers.EinsumDense("bf,f->bf", (numbers.shape[-1],), bias_axes="f", trainable=False, name="scale")
    scaled = scale(numbers)
    missing = ops.isnan(scaled)
    return ops.clip(ops.where(missing, 0.0, scaled), -BOUND, BOUND), ops.cast(missing, "float32")


def _smoothly_clipped(scaled: Any) -> Any:
    """Outliers stay ordered but within 3 of zero (RealMLP, Holzmueller et al. 2024)."""
    squared: Any = ops.square(scaled / 3.0)
    return scaled / ops.sqrt(1.0 + squared)


def _bins(scaled: Any, bins: int) -> Any:
    """Piecewise-linear encoding: 0 below a bin, 1 above it, the fraction inside."""
    features = int(scaled.shape[-1])
    fraction = layers.EinsumDense(
        "bf,ft->bft", (features, bins), bias_axes="ft", trainable=False, name="bins"
    )
    return layers.ReLU(max_value=1.0)(fraction(scaled))


def _categories(codes: Any, sizes: tuple[int, ...], width: int, one_hot: OneHot, limit: int) -> list[Any]:
    features = []
    columns, values = _one_hot_slots(sizes, limit)
    if len(values):
        matches = ops.cast(ops.equal(ops.take(codes, columns, axis=1), values), "float32")
        features.append(_one_hot(matches, one_hot))
    if max(sizes) > limit:
        vectors, _ = _embedded(codes, sizes, width, name=EMBEDDING, limit=limit)
        features.append(layers.Flatten()(vectors))
    return features


def _one_hot(matches: Any, how: OneHot) -> Any:
    """What wasn't seen in the rows that `adapt` looks at stays zero."""
    slots = (int(matches.shape[-1]),)
    if how == "plain":
        return layers.EinsumDense("bs,s->bs", slots, trainable=False, name="one_hot_seen")(matches)
    scale = layers.EinsumDense("bs,s->bs", slots, bias_axes="s", trainable=False, name="one_hot_scale")
    return _smoothly_clipped(scale(matches))


def _embedded(codes: Any, sizes: tuple[int, ...], width: int, *, name: str, limit: int) -> tuple[Any, Any]:
    """A vector for each column with more codes than `limit`, zeros where it is unknown; 1 where it isn't."""
    columns, offsets, total = _embedding_rows(sizes, limit)
    rows = ops.add(ops.take(codes, columns, axis=1), offsets)
    vectors = layers.Embedding(total, width, embeddings_initializer="random_normal", name=f"{name}_vectors")
    seen = layers.Embedding(total, 1, trainable=False, name=f"{name}_seen")(rows)
    return vectors(rows) * seen, seen


def _one_hot_slots(sizes: tuple[int, ...], limit: int) -> tuple[np.ndarray, np.ndarray]:
    """The column and the code of each one-hot slot; code 0, the unknown, has none."""
    slots = [(c, v) for c, size in enumerate(sizes) if size <= limit for v in range(1, size)]
    columns, values = np.array(slots, "int32").reshape(-1, 2).T
    return columns, values


def _embedding_rows(sizes: tuple[int, ...], limit: int) -> tuple[np.ndarray, np.ndarray, int]:
    """The columns that are embedded, where each begins in the one shared table, and the table's length."""
    large = [column for column, size in enumerate(sizes) if size > limit]
    ends = np.cumsum([sizes[column] for column in large], dtype="int32")
    offsets = np.concatenate([[0], ends[:-1]]) if large else ends
    return np.array(large, "int32"), offsets.astype("int32"), int(ends[-1]) if large else 0


def _robust_scale(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias that take the median to 0 and the interquartile range to 1.

    Where most values are the same (amounts that are mostly zero), the mean distance of the others from it
    counts instead; RealMLP's range would let one outlier press them together.
    """
    kernel, bias = np.zeros((2, numbers.shape[1]), "float32")
    for feature in range(numbers.shape[1]):
        known = numbers[:, feature][~np.isnan(numbers[:, feature])].astype("float64")
        if known.size == 0:
            continue
        low, middle, high = np.quantile(known, (0.25, 0.5, 0.75))
        away = np.abs(known[known != middle] - middle)
        spread = high - low if high > low else away.mean() if away.size else 0.0
        if np.isfinite(spread) and spread > 0:
            kernel[feature], bias[feature] = 1.0 / spread, -middle / spread
    return kernel, bias


def _one_hot_scale(shares: np.ndarray) -> list[np.ndarray]:
    """Kernel and bias for columns of zeros and ones, from the share of ones in each (RealMLP, appendix A).

    Their quartiles differ, by one, where that share is between one and three quarters; else half the range
    counts.
    """
    kernel = np.where((shares > 0.25) & (shares < 0.75), 1.0, 2.0)
    kernel = np.where((shares > 0) & (shares < 1), kernel, 0.0)
    median = (shares > 0.5).astype("float64")
    return [kernel.astype("float32"), (-median * kernel).astype("float32")]


def _bin_weights(scaled: np.ndarray, bins: int) -> list[np.ndarray]:
    """Kernel 1/width and bias -left/width per bin; with fewer distinct quantiles some bins stay unused."""
    kernel = np.zeros((scaled.shape[1], bins), "float32")
    bias = np.zeros_like(kernel)
    for feature in range(scaled.shape[1]):
        known = scaled[:, feature][~np.isnan(scaled[:, feature])]
        if known.size == 0:
            continue
        edges = _apart(np.unique(np.quantile(known, np.linspace(0, 1, bins + 1))))
        widths = np.diff(edges)
        kernel[feature, : len(widths)] = 1.0 / widths
        bias[feature, : len(widths)] = -edges[:-1] / widths
    return [kernel, bias]


def _apart(edges: np.ndarray) -> np.ndarray:
    """Edges without those that nearly repeat the one before.

    A bin multiplies the rounding error of float32 by one over its width: in a narrow one the answer would
    depend on the order in which a backend adds.
    """
    kept = [edges[0]]
    for edge in edges[1:]:
        if edge - kept[-1] >= _NARROWEST * max(1.0, abs(edge)):
            kept.append(edge)
    return np.array(kept)


def calendar(days: Any) -> Any:
    """The parts of dates (Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).

    All numbers stay below 2**24, where float32 counts exactly. Half a unit is added before each division,
    since a compiler may divide by multiplying with a rounded reciprocal.

    Args:
        days: Days since 2000-01-01, the time of day as the fraction, shape (rows, dates). NaN stays NaN.

    Returns:
        Shape (rows, dates * 7), date by date in the order of `PARTS`.
    """
    day_number = ops.floor(days + 1e-5)
    hour = ops.floor((days - day_number) * 24.0 + 0.01)
    clipped: Any = ops.clip(day_number, -700_000.0, 2_900_000.0)  # the years 83 to 9939
    day = clipped + _DAYS_TO_ORIGIN
    era = _quotient(day, 146_097)
    of_era = day - era * 146_097
    year_of_era = _quotient(
        of_era - _quotient(of_era, 1460) + _quotient(of_era, 36_524) - _quotient(of_era, 146_096), 365
    )
    of_year = of_era - (365 * year_of_era + _quotient(year_of_era, 4) - _quotient(year_of_era, 100))
    shifted = _quotient(5 * of_year + 2, 153)  # months since March
    day_of_month = of_year - _quotient(153 * shifted + 2, 5) + 1
    month = shifted + 3 - 12 * _one_where(shifted > 9.5)
    year = year_of_era + era * 400 + _one_where(month < 2.5)
    weekday = day + 2 - 7 * _quotient(day + 2, 7)  # 0 = Monday
    since_january = of_year + 60 - 366 * _one_where(of_year > 305.5)
    parts = [days, year, month, day_of_month, weekday, since_january, hour]
    stacked = ops.stack(parts, axis=-1)
    return ops.reshape(stacked, (-1, int(days.shape[-1]) * len(PARTS)))


def _quotient(number: Any, divisor: int) -> Any:
    return ops.floor((number + 0.5) / float(divisor))


def _one_where(condition: Any) -> Any:
    return ops.cast(condition, "float32")
