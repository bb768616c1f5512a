"""The address of a server of the user's, as people write it."""

import pytest

from builder.errors import UsageError
from builder.server.url import addresses


@pytest.mark.parametrize(
    ("url", "grpc_url", "expected"),
    [
        ("http://triton:9000", None, ("triton:9000", "triton:9001")),
        ("http://triton:9000/", None, ("triton:9000", "triton:9001")),
        ("triton:9000", None, ("triton:9000", "triton:9001")),
        ("triton", None, ("triton:8000", "triton:8001")),
        ("grpc://triton:9001", None, ("triton:9000", "triton:9001")),
        ("grpc://triton", None, ("triton:8000", "triton:8001")),
        ("http://[::1]:8000", None, ("[::1]:8000", "[::1]:8001")),
        ("http://10.0.0.7:80", "grpc://other:7", ("10.0.0.7:80", "other:7")),
        ("http://triton:9000", "triton:5", ("triton:9000", "triton:5")),
    ],
)
def test_the_other_port_is_the_neighbour(url: str, grpc_url: str | None, expected: tuple[str, str]) -> None:
    """HTTP and gRPC are found from one address; a gRPC address of its own wins."""
    assert addresses(url, grpc_url) == expected


@pytest.mark.parametrize(
    "url", ["", "https://triton:8000", "http://triton:port", "http://triton/v2", "http://", "ftp://triton"]
)
def test_what_is_no_address_is_a_usage_error(url: str) -> None:
    """TLS, paths, other schemes and ports that are no numbers are refused, with an example."""
    with pytest.raises(UsageError) as caught:
        addresses(url)

    assert "http://HOST:8000" in caught.value.fix
