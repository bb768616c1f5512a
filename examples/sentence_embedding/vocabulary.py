"""What the tokeniser and the encoder agree on."""

SIZE = 512
"""Largest number of tokens."""
LONGEST = 32
"""Tokens of the longest text; what is beyond is cut off."""
