import pytest

from builder.spec.names import LONGEST_NAME, is_model_name, names_callable


@pytest.mark.parametrize("name", ["a", "_a", "0", "a.b", "a-b_c.1", "a.", "a" * LONGEST_NAME])
def test_letters_digits_and_single_dots_are_a_model_name(name) -> None:
    """What Triton takes as a folder of a model is a name."""
    assert is_model_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a..b", ".a", "-a", "a b", "a/b", "[", "ä", "a\n", "a" * (LONGEST_NAME + 1)]
)
def test_what_triton_or_a_file_system_would_refuse_is_no_model_name(name) -> None:
    """Two dots, blanks, slashes, letters beyond ASCII and overlong names are refused."""
    assert not is_model_name(name)


@pytest.mark.parametrize("text", ["m:f", "a.b_1:C.load", "modèle:charge", "_m:_f"])
def test_a_dotted_module_and_a_dotted_attribute_name_a_callable(text) -> None:
    """Any Python identifiers, joined by dots on both sides of one colon."""
    assert names_callable(text)


@pytest.mark.parametrize(
    "text", ["m", "m:", ":f", "m:f:g", "a..b:f", "a.:f", "1a:f", "m:f\n", "m :f", "./m.py:f"]
)
def test_anything_else_names_no_callable(text) -> None:
    """A path, an empty part, or more than one colon is not the form."""
    assert not names_callable(text)
