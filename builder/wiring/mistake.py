"""What is wrong with a pipeline, and where in trb.yaml."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with a pipeline."""

    path: tuple[str | int, ...]
    """Below the pipeline's entry in trb.yaml."""
    message: str
    """One sentence that names the steps, and what to write instead where that is clear."""
