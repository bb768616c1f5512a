"""A server that reads while versions are published."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from tests.unit.repository.values import publish


def test_a_reader_that_goes_by_path_never_meets_half_a_version(root: Path) -> None:
    """While fifteen versions are published, the config always names a version whose files are all there."""
    publish(root, "1", config="1", warmup="1")
    done = Event()

    def read() -> int:
        reads = 0
        while not done.is_set():
            version = (root / "m" / "config.pbtxt").read_text()
            assert (root / "m" / version / "data" / "weights").read_text() == version
            assert (root / "m" / version / "record.json").read_text().endswith("}\n")
            assert (root / "m" / "warmup" / "0_x").read_text()
            reads += 1
        return reads

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for number in range(2, 17):
            publish(root, str(number), config=str(number), warmup=str(number))
        done.set()
        assert all(reader.result() > 15 for reader in readers)
