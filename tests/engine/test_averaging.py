"""Averages of weights over steps, and the perturbation of SAM."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from composable.core.errors import ConfigError
from composable.core.records import from_json, to_json
from composable.engine.averaging import (
    EMA,
    SWA,
    Lookahead,
    averaged,
    continued,
    start_average,
    update_average,
)
from composable.engine.objective import perturbed

STEPS = 12
PATH = np.random.default_rng(0).normal(size=(STEPS + 1, 3)).astype("float32")
PROGRESS = np.linspace(0, 1, STEPS, dtype="float32")
KINDS = (EMA(0.8), SWA(0.5), Lookahead(every=3, follow=0.25, power=2.0))


def walked(average, path=PATH):
    """The average along a path that nothing turns, after every step."""
    state = start_average(average, [ops.convert_to_tensor(path[0])])
    for place, progress in zip(path[1:], PROGRESS, strict=True):
        state = update_average(average, state, [ops.convert_to_tensor(place)], progress)
        yield ops.convert_to_numpy(averaged(average, state, [place])[0])


def test_an_exponential_average_forgets_the_beginning_soon():
    wanted = PATH[0].astype("float64")
    for n, (found, place) in enumerate(zip(walked(EMA(0.8)), PATH[1:], strict=True)):
        decay = min(0.8, (1 + n) / (10 + n))
        wanted = decay * wanted + (1 - decay) * place
        assert found == pytest.approx(wanted, abs=1e-6)


def test_a_stochastic_average_is_the_mean_of_the_last_part():
    found = list(walked(SWA(0.5)))
    begun = int(np.argmax(PROGRESS >= 0.5))
    for step in range(STEPS):
        first = min(begun, step)
        assert found[step] == pytest.approx(PATH[1 + first : 2 + step].mean(axis=0), abs=1e-6)


@pytest.mark.parametrize(("follow", "power"), [(0.5, 0.0), (1 - 0.95**3, 3.0)])
def test_lookahead_walks_on_from_the_slow_weights(follow, power):
    """Algorithm 1 of the paper, and its growing form in airbench."""
    average = Lookahead(every=3, follow=follow, power=power)
    slow = fast = PATH[0].astype("float64")
    now = [ops.convert_to_tensor(PATH[0])]
    state = start_average(average, now)
    for step, progress in enumerate(PROGRESS):
        fast = fast + PATH[step + 1]
        if (step + 1) % 3 == 0:
            slow = slow + (1 - (1 - follow) * float(progress) ** power) * (fast - slow)
            fast = slow
        now = [now[0] + ops.convert_to_tensor(PATH[step + 1])]
        state = update_average(average, state, now, progress)
        now = continued(average, state, now)
        assert ops.convert_to_numpy(now[0]) == pytest.approx(fast, abs=1e-5)
        assert ops.convert_to_numpy(averaged(average, state, now)[0]) == pytest.approx(slow, abs=1e-5)


@pytest.mark.parametrize("average", [EMA(), SWA()], ids=lambda value: value.kind)
def test_other_averages_do_not_touch_the_training(average):
    now = [ops.convert_to_tensor(PATH[1])]
    state = update_average(average, start_average(average, now), now, 0.9)
    assert np.array_equal(ops.convert_to_numpy(continued(average, state, now)[0]), PATH[1])


@pytest.mark.parametrize("average", KINDS, ids=lambda value: value.kind)
def test_counters_and_random_states_are_not_averaged(average):
    seeds = [np.array([1, step], "uint32") for step in range(STEPS + 1)]
    state = start_average(average, [ops.convert_to_tensor(seeds[0])])
    for seed, progress in zip(seeds[1:], PROGRESS, strict=True):
        state = update_average(average, state, [ops.convert_to_tensor(seed)], progress)
        assert np.array_equal(ops.convert_to_numpy(state.values[0]), seed)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="the compiled engine's way")
@pytest.mark.parametrize("average", KINDS, ids=lambda value: value.kind)
def test_averages_run_in_a_scan_for_instances_side_by_side(average):
    import jax

    def instance(path, progress):
        def one(carry, step):
            place, progress = step
            return (update_average(average, carry[0], [place], progress), [place]), None

        start = start_average(average, [path[0]]), [path[0]]
        (state, now), _ = jax.lax.scan(one, start, (path[1:], progress))
        return averaged(average, state, now)[0]

    paths = np.stack([PATH, 2 * PATH])
    found = jax.jit(jax.vmap(instance, in_axes=(0, None)))(paths, PROGRESS)
    for one, path in zip(found, paths, strict=True):
        np.testing.assert_allclose(one, list(walked(average, path))[-1], rtol=0, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="donation is JAX's")
def test_a_state_shares_no_buffers_with_the_weights():
    import jax

    weights = [jax.numpy.ones(3)]
    state = start_average(EMA(), weights)
    jax.jit(lambda both: jax.tree.map(lambda x: x + 1, both), donate_argnums=0)((weights, state))


@pytest.mark.parametrize("average", KINDS, ids=lambda value: value.kind)
def test_the_description_becomes_json_and_back(average):
    text = to_json(average, format="average")
    assert from_json(type(average), text, format="average", origin="average.json") == average


@pytest.mark.parametrize(
    "make", [lambda: EMA(1.0), lambda: SWA(-0.1), lambda: Lookahead(0), lambda: Lookahead(follow=0.0)]
)
def test_wrong_descriptions_are_refused(make):
    with pytest.raises(ConfigError):
        make()


def test_sam_goes_uphill_by_the_radius():
    """Equation 2 of Foret et al.: along the gradient of all parameters together."""
    weights, gradients = [np.ones((2, 2), "float32"), np.zeros(3, "float32")], [PATH[:2, :2], PATH[3]]
    moved = perturbed(*([ops.convert_to_tensor(v) for v in kind] for kind in (weights, gradients)), 0.05)
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    for found, weight, gradient in zip(moved, weights, gradients, strict=True):
        assert ops.convert_to_numpy(found) == pytest.approx(weight + 0.05 * gradient / norm, abs=1e-6)


def test_sam_stays_where_there_is_no_slope():
    weight = ops.convert_to_tensor(PATH[0])
    (found,) = perturbed([weight], [ops.zeros_like(weight)], 0.05)
    assert np.array_equal(ops.convert_to_numpy(found), PATH[0])
