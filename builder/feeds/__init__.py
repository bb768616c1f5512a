"""What a model is fed: which sizes, which values. numpy only, no torch."""

from builder.feeds.answer import answer
from builder.feeds.cases import Case, cases
from builder.feeds.edges import edge_feeds
from builder.feeds.random import random_feed
from builder.feeds.rows import all_batched, batched_inputs, concat_rows, replace_rows, sizes_of, take_rows
from builder.feeds.samples import (
    different,
    drawn_inputs,
    sample_count,
    sample_rows,
    sample_shape,
    sampled_inputs,
    with_samples,
)
from builder.feeds.sizes import label, sizes, too_heavy, typical_sizes

__all__ = [
    "Case",
    "all_batched",
    "answer",
    "batched_inputs",
    "cases",
    "concat_rows",
    "different",
    "drawn_inputs",
    "edge_feeds",
    "label",
    "random_feed",
    "replace_rows",
    "sample_count",
    "sample_rows",
    "sample_shape",
    "sampled_inputs",
    "sizes",
    "sizes_of",
    "take_rows",
    "too_heavy",
    "typical_sizes",
    "with_samples",
]
