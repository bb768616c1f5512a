"""Our CPU image, built for real and started as anybody would."""

import pytest

from builder.server.docker.daemon import connected

pytestmark = [pytest.mark.live, pytest.mark.slow]


def test_the_image_says_what_is_in_it(cpu_image: str) -> None:
    """Its labels name the release and what each backend runs, before anything is started."""
    with connected() as daemon:
        labels = daemon.client.images.get(cpu_image).labels

    assert labels["trb.triton"] == "24.10"
