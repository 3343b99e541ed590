"""The conditional random field, against every path that there is."""

import itertools

from utils.slots import chunks
from utils.slots.crf import CRF
from utils.slots.tagger import chunk_probability

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


def every_path(scores, links):
    """What each path is worth: each tag, and each step from one to the next."""
    return {
        path: sum(scores[range(len(path)), path])
        + sum(links[step] for step in itertools.pairwise([TAGS.index("O"), *path]))
        for path in PATHS[len(scores)]
        if allowed(path)
    }


LENGTHS = [3, 1, 4, 2]


def test_viterbi_forward_backward_and_chunks_against_every_path(crf):
    scores, real = scores_of(LENGTHS)
    links, best, forward, backward = map(
        ops.convert_to_numpy,
        (crf.links(), *(way(scores, real) for way in (crf.viterbi, crf.forward, crf.backward))),
    )
    for row, length in enumerate(LENGTHS):
        paths = every_path(scores[row, :length], links)
        total = logsumexp([*paths.values()])
        assert tuple(best[row, :length]) == max(paths, key=paths.get)
        assert logsumexp(forward[-1][row]) == pytest.approx(total, abs=1e-5)
        through, having = {}, {}
        for path, worth in paths.items():
            for tag in enumerate(path):
                through.setdefault(tag, []).append(worth)
            for span in chunks.spans([TAGS[tag] for tag in path]):
                having.setdefault(span, []).append(worth)
        for (step, tag), found in through.items():
            together = forward[step, row, tag] + backward[step, row, tag]
            assert together == pytest.approx(logsumexp(found), abs=1e-4)
        ways = forward[:length, row], backward[:length, row]
        for span, found in having.items():  # y is one word, x of any length, anywhere
            probability = chunk_probability(span, TAGS, scores[row], links, *ways)
            assert probability == pytest.approx(np.exp(logsumexp(found) - total), abs=1e-5)


def test_loss_is_the_share_of_the_true_path(crf):
    scores, real = scores_of(LENGTHS)
    links, rng = ops.convert_to_numpy(crf.transitions), np.random.default_rng(2)
    surprise, tags = 0.0, np.full(real.shape, -1)
    for row, length in enumerate(LENGTHS):
        paths = every_path(scores[row, :length], links)
        path = rng.choice([*paths])
        surprise += logsumexp([*paths.values()]) - paths[tuple(path)]
        tags[row, :length] = path
    assert float(crf.loss(tags, scores)) == pytest.approx(surprise / sum(LENGTHS), rel=1e-5)


def test_not_learned_it_is_a_softmax_per_word():
    crf = CRF(TAGS, learned=False)
    crf.build((None, None, 4))
    scores, real = scores_of(LENGTHS)
    tags = np.where(real, np.random.default_rng(3).integers(0, 4, real.shape), -1)
    by_word = logsumexp(scores, axis=-1) - np.take_along_axis(scores, tags[..., None], -1)[..., 0]
    assert float(crf.loss(tags, scores)) == pytest.approx(by_word[real].mean(), rel=1e-5)
    assert not crf.trainable_weights


def test_a_long_sentence(crf):
    """The sums of hundreds of words stay finite, and the links count to the very end."""
    scores, real = scores_of([400])
    assert np.isfinite(crf.forward(scores, real)[-1]).all()
    path = ops.convert_to_numpy(crf.viterbi(100 * scores, real))[0]
    assert allowed(path) and 0.5 < (path == scores[0].argmax(axis=-1)).mean() < 1
