"""The conditional random field, against every path that there is."""

import itertools

import utils  # noqa: F401  keeps TensorFlow's start-up lines off the screen
from utils.slots.crf import CRF

import numpy as np
import pytest
from keras import ops
from scipy.special import logsumexp

TAGS = ["B-x", "B-y", "I-x", "O"]
PATHS = {n: [*itertools.product(range(4), repeat=n)] for n in range(1, 5)}


@pytest.fixture
def crf():
    """A layer with links that it might have learned."""
    layer = CRF(TAGS)
    layer.build((None, None, 4))
    layer.transitions.assign(np.random.default_rng(0).normal(size=(4, 4)))
    return layer


def scores_of(lengths, seed=1):
    """Scores of sentences of these lengths, with noise for padding, and where their words are."""
    scores = np.random.default_rng(seed).normal(size=(len(lengths), max(lengths), 4))
    return 2 * scores.astype("float32"), np.arange(max(lengths)) < np.array(lengths)[:, None]


def allowed(path):
    names = ["O", *(TAGS[tag] for tag in path)]
    return all(b != "I-x" or a in ("B-x", "I-x") for a, b in itertools.pairwise(names))


def worth(path, scores, links):
    """The score of a path, by hand: what each tag is worth, and each step from one to the next."""
    path_links = [links[a, b] for a, b in itertools.pairwise([TAGS.index("O"), *path])]
    return sum(scores[step, tag] for step, tag in enumerate(path)) + sum(path_links)


def every_path(scores, links):
    return {path: worth(path, scores, links) for path in PATHS[len(scores)] if allowed(path)}


LENGTHS = [3, 1, 4, 2]


def test_viterbi_forward_and_backward_against_every_path(crf):
    scores, real = scores_of(LENGTHS)
    links = ops.convert_to_numpy(crf.transitions)
    best = ops.convert_to_numpy(crf.viterbi(scores, real))
    forward, backward = crf.forward(scores, real), crf.backward(scores, real)
    together = ops.convert_to_numpy(forward + backward)  # (steps, batch, tags)
    for row, length in enumerate(LENGTHS):
        paths = every_path(scores[row, :length], links)
        total = logsumexp([*paths.values()])
        assert tuple(best[row, :length]) == max(paths, key=paths.get)
        assert logsumexp(forward[-1][row]) == pytest.approx(total, abs=1e-5)
        for step, tag in itertools.product(range(length), range(4)):
            through = [value for path, value in paths.items() if path[step] == tag]
            expected = logsumexp(through) if through else -np.inf
            found = together[step, row, tag]
            assert found == pytest.approx(expected, abs=1e-4) or max(expected, found) < -50


def test_loss_is_the_share_of_the_true_path(crf):
    scores, real = scores_of(LENGTHS)
    links = ops.convert_to_numpy(crf.transitions)
    rng = np.random.default_rng(2)
    true = [[p for p in PATHS[n] if allowed(p)] for n in LENGTHS]
    true = [paths[rng.integers(len(paths))] for paths in true]
    surprise = 0.0
    tags = np.full(real.shape, -1)
    for row, path in enumerate(true):
        paths = every_path(scores[row, : len(path)], links)
        surprise += logsumexp([*paths.values()]) - paths[path]
        tags[row, : len(path)] = path
    assert float(crf.loss(tags, scores)) == pytest.approx(surprise / sum(LENGTHS), rel=1e-5)


def test_not_learned_it_is_a_softmax_per_word():
    crf = CRF(TAGS, learned=False)
    crf.build((None, None, 4))
    scores, real = scores_of(LENGTHS)
    tags = np.where(real, np.random.default_rng(3).integers(0, 4, real.shape), -1)
    by_word = logsumexp(scores, axis=-1) - np.take_along_axis(scores, tags[..., None], -1)[..., 0]
    assert float(crf.loss(tags, scores)) == pytest.approx(by_word[real].mean(), rel=1e-5)
    assert not crf.trainable_weights
    best = ops.convert_to_numpy(crf.viterbi(scores, real))
    for row, length in enumerate(LENGTHS):
        paths = every_path(scores[row, :length], np.zeros((4, 4)))
        assert tuple(best[row, :length]) == max(paths, key=paths.get)


def test_an_i_continues_its_slot_whatever_is_learned(crf):
    crf.transitions.assign(np.where(np.arange(4) == TAGS.index("I-x"), 50.0, 0.0) * np.ones((4, 4)))
    scores, real = scores_of([4] * 20)
    for row in ops.convert_to_numpy(
        crf.viterbi(scores + 100 * np.eye(4, dtype="float32")[2], real)
    ):
        assert allowed(row) and TAGS[row[1]] == "I-x"


def test_padding_and_length_change_nothing(crf):
    scores, real = scores_of([3])
    padded = np.concatenate([scores, np.full((1, 5, 4), 9.0, "float32")], axis=1)
    longer = np.arange(8)[None] < 3
    np.testing.assert_array_equal(crf.viterbi(padded, longer)[:, :3], crf.viterbi(scores, real))
    for ways in (crf.forward, crf.backward):
        np.testing.assert_allclose(ways(padded, longer)[:3], ways(scores, real), atol=1e-5)


def test_a_long_sentence(crf):
    """The sums of thousands of words stay finite, and the links count to the very end."""
    scores, real = scores_of([400])
    assert np.isfinite(crf.forward(scores, real)[-1]).all()
    path = ops.convert_to_numpy(crf.viterbi(100 * scores, real))[0]
    assert allowed(path)
    greedy = scores[0].argmax(axis=-1)
    assert 0.5 < (path == greedy).mean() < 1
