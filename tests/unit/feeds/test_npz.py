import zipfile

import numpy as np
import pytest

from builder.feeds.npz import read_npz


def test_arrays_come_back_by_name(tmp_path):
    """What numpy.savez wrote is what is read, compressed or not."""
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "in.npz", x=np.arange(6).reshape(2, 3), s=np.array([b"a", b"bc"]))

        found = read_npz(tmp_path / "in.npz")

        assert found["x"].tolist() == [[0, 1, 2], [3, 4, 5]]
        assert found["s"].tolist() == [b"a", b"bc"]


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("x: 1")


def one_array(path):
    with path.open("wb") as file:
        np.save(file, np.ones(3))


def pickled(path):
    np.savez(path, x=np.array([{}], dtype=object))


def damaged(path):
    np.savez_compressed(path, x=np.arange(1000))
    whole = bytearray(path.read_bytes())
    whole[80:120] = bytes(40)
    path.write_bytes(whole)


def cut(path):
    np.savez(path, x=np.arange(1000))
    path.write_bytes(path.read_bytes()[:500])


def no_arrays(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.txt", "hello")


@pytest.mark.parametrize(
    "spoil",
    [empty, text, one_array, pickled, damaged, cut, no_arrays],
)
def test_whatever_is_wrong_with_a_file_is_one_error(spoil, tmp_path):
    """Empty, text, a single .npy, pickles, broken compression, half a file, no arrays: all are ValueError."""
    path = tmp_path / "in.npz"
    spoil(path)

    with pytest.raises(ValueError, match=r"\w"):
        read_npz(path)


def test_a_missing_file_is_told_apart(tmp_path):
    """A file that is not there is FileNotFoundError, so that its reader can say so."""
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "no.npz")
