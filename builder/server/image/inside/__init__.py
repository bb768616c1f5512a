"""Scripts that run in the image and while it is built, by its own Python and without the rest of `builder`."""
