"""Which GPUs `--gpus` means."""

import pytest

from builder.errors import UsageError
from builder.server.docker.gpus import gpus


@pytest.mark.parametrize(
    "text", ["x", "", "0", "-1", "1.5", "device=", "device=0,", "device=0;1", "none", "²", "٣"]
)
def test_what_is_no_gpu_is_a_usage_mistake(text: str) -> None:
    """It is quoted, with how it is written."""
    with pytest.raises(UsageError) as caught:
        gpus(text)

    assert repr(text) in caught.value.what
    assert "device=0,1" in caught.value.fix
    assert caught.value.exit_code == 2
