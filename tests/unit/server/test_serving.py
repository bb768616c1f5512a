"""What a container is asked to be."""

import pytest

from builder.server.serving import Container


@pytest.mark.parametrize(
    ("container", "words"),
    [
        (Container(), ()),
        (Container(cpus=1.0), ("1 core",)),
        (Container(cpus=0.5, memory_bytes=2 << 30, gpus="all"), ("0.5 cores", "2,048 MiB", "GPUs all")),
    ],
)
def test_a_report_says_what_a_container_is_held_to(container: Container, words: tuple[str, ...]) -> None:
    """Only what was asked for, so that a figure can be told from one of a machine without limits."""
    assert container.limits == words
