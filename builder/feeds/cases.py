"""Everything that a model is compared on."""

from collections.abc import Iterator
from dataclasses import dataclass

from builder.feeds.edges import edge_feeds
from builder.feeds.random import random_feed
from builder.feeds.rows import sizes_of
from builder.feeds.samples import MOST_SAMPLES, drawn_inputs, sample_count, sample_rows, with_samples
from builder.feeds.sizes import Sizes, batch_sizes, heaviest, label, sizes, too_heavy, typical_sizes
from builder.spec.loaded import Feed
from builder.spec.project import Model
from builder.spec.tensors import Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One set of inputs, with a name that says what they are."""

    name: str
    """Such as `random batch=3 seq=17`, `all-min batch=2`, `samples 3..5 batch=3`."""
    sizes: Sizes
    feed: Feed
    is_real: bool = False
    """Whether it is samples as they were given."""


def cases(model: Model, signature: Signature, samples: Feed | None = None) -> tuple[Case, ...]:
    """Return random inputs at every combination of sizes, the edges at a typical one, and the samples.

    The heaviest combination comes last, unless the tensors of `signature` would be too large. Of the samples the
    first 256 are used (at least one batch of the largest size), cut into each batch size in turn and then into
    the largest.

    Raises:
        SpecError: an input needs samples, for its range or for its values, and there are none.
    """
    model = with_samples(model, samples)
    return (
        *_random(model, signature, samples),
        *_edges(model, samples),
        *(_samples(model, samples) if samples is not None else ()),
    )


def _random(model: Model, signature: Signature, samples: Feed | None) -> Iterator[Case]:
    what = "random" if drawn_inputs(model) else "recombined samples"
    sparse, most = sizes(model), heaviest(model)
    for tried in sparse if most in sparse or too_heavy(model, signature) else (*sparse, most):
        yield _case(what, tried, random_feed(model, tried, model.parity.seed, samples))


def _edges(model: Model, samples: Feed | None) -> Iterator[Case]:
    tried = typical_sizes(model)
    for what, feed in edge_feeds(model, tried, model.parity.seed, samples).items():
        yield _case(what, tried, feed)


def _samples(model: Model, samples: Feed) -> Iterator[Case]:
    start = 0
    for size in _cuts(model, sample_count(samples)):
        feed = sample_rows(model, samples, start, start + size)
        which = f"sample {start}" if size == 1 else f"samples {start}..{start + size - 1}"
        yield _case(which, sizes_of(model, feed), feed, is_real=True)
        start += size


def _cuts(model: Model, count: int) -> Iterator[int]:
    """Yield sizes that together cover the samples, as far as they are used."""
    steps = batch_sizes(model) or (1,)
    left = min(count, max(MOST_SAMPLES, steps[-1]) if batch_sizes(model) else MOST_SAMPLES)
    for size in steps:
        if size <= left:
            yield size
            left -= size
    while left > 0:
        yield min(steps[-1], left)
        left -= steps[-1]


def _case(what: str, tried: Sizes, feed: Feed, *, is_real: bool = False) -> Case:
    return Case(name=f"{what} {label(tried)}".rstrip(), sizes=tried, feed=feed, is_real=is_real)
