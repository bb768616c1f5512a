"""What becomes of the exporters' chatter."""

import warnings

import pytest

from builder.export.chatter import into_log


def test_a_warning_that_is_an_error_outside_is_one_inside() -> None:
    """A new warning of an exporter fails these tests, which make errors of all that are not listed."""
    with pytest.raises(UserWarning, match="new"), into_log(None):
        warnings.warn("new", stacklevel=1)
