"""The two ways in which a stand-in says no. They end in Triton, not on a terminal, hence no `TrbError`."""

from typing import Literal


class LoadRefused(Exception):
    """The genuine backend would not load this model; the text is its own words."""


class RequestRefused(Exception):
    """The genuine backend would answer this request with an error."""

    def __init__(self, message: str, code: Literal["INTERNAL", "INVALID_ARG", "UNSUPPORTED"]) -> None:
        super().__init__(message)
        self.code = code
        """Triton's error code, which decides the HTTP status: 500, 400, 501."""
