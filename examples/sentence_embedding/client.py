"""Ask the served pipeline how alike sentences are: `python client.py [HOST:PORT of gRPC]`."""

import sys

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput

ASKED = "When does the ferry to the island leave?"
TEXTS = (
    "The ferry to the island leaves at eight in the morning.",
    "There is no ferry on Sundays.",
    "Bread is baked every morning.",
)


def embeddings(client: InferenceServerClient, texts: tuple[str, ...]) -> np.ndarray:
    """Return a row of length one for each text."""
    text = InferInput("text", [len(texts), 1], "BYTES")
    text.set_data_from_numpy(np.array([[one.encode()] for one in texts], dtype=object))
    return client.infer("sentence_embedding", [text]).as_numpy("embedding")


if __name__ == "__main__":
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8001"
    with InferenceServerClient(address) as client:
        asked, *others = embeddings(client, (ASKED, *TEXTS))
    for text, other in zip(TEXTS, others, strict=True):
        print(f"{asked @ other:.2f}  {text}")  # noqa: T201 - a script's result
