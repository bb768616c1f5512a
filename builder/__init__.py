"""`trb`: turn PyTorch models into a Triton model repository that is proven on a live server."""

from typing import Final

__version__: Final = "0.1.0"
