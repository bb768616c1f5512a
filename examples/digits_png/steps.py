"""An image file to grey values."""

from io import BytesIO

import numpy as np
from PIL import Image

SIZE = (8, 8)


def decode(image: bytes) -> np.ndarray:
    """Return a PNG or JPEG file of any size as uint8 grey values [1, 8, 8]."""
    with Image.open(BytesIO(image)) as opened:
        return np.asarray(opened.convert("L").resize(SIZE, Image.Resampling.BOX), dtype=np.uint8)[None]
