"""What the build refuses because the pytorch backend would take one tensor for another."""

import pytest

from builder.config.refused import require_in_order
from builder.errors import ExportError
from tests.unit.config.two_outputs import two_outputs


def test_names_without_numbers_pass(tmp_path) -> None:
    """Names that say nothing of places are taken in the file's own order."""
    require_in_order(*two_outputs(tmp_path, "logits", "probs"))


def test_outputs_whose_names_swap_them_are_refused(tmp_path) -> None:
    """`probs__1, logits__0` would be answered with each other's values by the genuine pytorch backend."""
    with pytest.raises(ExportError) as caught:
        require_in_order(*two_outputs(tmp_path, "probs__1", "logits__0"))

    what = caught.value.what
    assert caught.value.fix
    assert "output 'probs__1' of model 'm' is number 0 of the model" in what
    assert "takes it for number 1 by its name" in what
