"""When the requests of an open loop are due."""

from collections.abc import Iterator
from itertools import count

import numpy as np

from builder.perf.load import Arrivals

_AT_ONCE = 1024


def arrivals(rate: float, spread: Arrivals, *, seed: int = 0) -> Iterator[float]:
    """Yield the moments at which requests are due, in seconds from the start, without end.

    `constant` spaces them evenly; `poisson` draws the gaps from the exponential distribution of the same
    mean, as independent clients would.
    """
    if spread == "constant":
        yield from (k / rate for k in count())
        return
    random = np.random.default_rng(seed)
    now = 0.0
    while True:
        for gap in random.exponential(1 / rate, _AT_ONCE):
            now += float(gap)
            yield now
