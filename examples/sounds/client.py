"""Send WAV files to the served pipeline: `python client.py HOST:PORT FILE...`, the port being that of gRPC."""

import sys
from pathlib import Path

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput


def ask(client: InferenceServerClient, files: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Return for each file its likeliest kind, as `probability:place:name`, and its oddness."""
    sound = InferInput("sound", [len(files), 1], "BYTES")
    sound.set_data_from_numpy(np.array([[file.read_bytes()] for file in files], dtype=object))
    outputs = [InferRequestedOutput("kind", class_count=1), InferRequestedOutput("oddness")]
    answer = client.infer("sounds", [sound], outputs=outputs)
    return answer.as_numpy("kind")[:, 0], answer.as_numpy("oddness")[:, 0]


if __name__ == "__main__":
    address, *names = sys.argv[1:]
    files = [Path(name) for name in names]
    with InferenceServerClient(address) as client:
        kinds, oddness = ask(client, files)
    for file, kind, odd in zip(files, kinds, oddness, strict=True):
        print(f"{file.name:<16}{kind.decode():<24}odd {odd:6.2f}")  # noqa: T201 - a script's result
