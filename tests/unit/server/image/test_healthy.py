"""Where the health check of the image asks."""

import pytest

from builder.server.image.inside.healthy import address

ASKED = {
    "--model-repository=/models": ("127.0.0.1", 8000),
    "--http-port=9000": ("127.0.0.1", 9000),
    "--http-port 9000": ("127.0.0.1", 9000),
    "--http-port=1 --http-port=2": ("127.0.0.1", 2),
    "--http-address=0.0.0.0": ("127.0.0.1", 8000),
    "--http-address=172.17.0.2 --http-port=80": ("172.17.0.2", 80),
    "--allow-http=true": ("127.0.0.1", 8000),
    "--allow-http=false": None,
    "--allow-http 0 --http-port=9000": None,
}


@pytest.mark.parametrize("options", ASKED)
def test_the_server_is_asked_where_it_was_told_to_listen(options: str) -> None:
    """The health check follows the command line, in both spellings; without HTTP there is nobody to ask."""
    assert address(["/opt/tritonserver/libexec/tritonserver", *options.split()]) == ASKED[options]
