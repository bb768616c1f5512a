"""Texts to tokens."""

from pathlib import Path

import numpy as np
from tokenizers import Tokenizer


class Tokenise:
    """A tokeniser of Hugging Face's library, read once from its file."""

    def __init__(self, files: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(files / "tokenizer.json"))

    def __call__(self, text: list[str]) -> dict[str, np.ndarray]:
        """Return int64 ids and mask [batch, seq]; seq is that of the request's longest text."""
        found = self.tokenizer.encode_batch(text)
        return {
            "input_ids": np.array([one.ids for one in found], dtype=np.int64),
            "attention_mask": np.array([one.attention_mask for one in found], dtype=np.int64),
        }
