"""What a model is fed: which sizes, which values. numpy only, no torch."""

from builder.feeds.cases import Case, cases
from builder.feeds.edges import edge_feeds
from builder.feeds.random import random_feed
from builder.feeds.rows import all_batched, batched_inputs, concat_rows, replace_rows, sizes_of, take_rows
from builder.feeds.samples import sample_count, sample_rows, sample_shape, with_sample_ranges
from builder.feeds.sizes import label, sizes, too_heavy, typical_sizes

__all__ = [
    "Case",
    "all_batched",
    "batched_inputs",
    "cases",
    "concat_rows",
    "edge_feeds",
    "label",
    "random_feed",
    "replace_rows",
    "sample_count",
    "sample_rows",
    "sample_shape",
    "sizes",
    "sizes_of",
    "take_rows",
    "too_heavy",
    "typical_sizes",
    "with_sample_ranges",
]
