"""From a model in memory to a file that Triton serves, and what is proven about it in this process."""

from builder.export.batch import prove_batch
from builder.export.dispatch import export
from builder.export.parity import offline_parity, parity_of, way_to_pass

__all__ = ["export", "offline_parity", "parity_of", "prove_batch", "way_to_pass"]
