"""What a model is fed: the sizes that matter, and seeded values in the declared range. numpy only."""

from builder.feeds.cases import Case, cases, sample_case
from builder.feeds.rows import replace_rows
from builder.feeds.sizes import sizes
from builder.feeds.values import edge_feeds, random_feed

__all__ = ["Case", "cases", "edge_feeds", "random_feed", "replace_rows", "sample_case", "sizes"]
