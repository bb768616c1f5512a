"""Real inputs of the tokeniser: sentences, a text that is too long, one in other letters, and none."""

import numpy as np
from sentences import SENTENCES


def texts() -> dict[str, np.ndarray]:
    """Return texts, as clients send them."""
    odd = ("", " ".join(SENTENCES), "Ærøskøbing?! 8:00", "ferry")
    return {"text": np.array([*odd, *SENTENCES], dtype=object)}
