"""`trb build` of the digits, both backends, against a bare script of the same calls: at most 1.25 times."""

import argparse
import sys
import tempfile
from pathlib import Path

from _digits import forget, trained_digits
from _paired import ROOT, TRB, in_turns, report, run


def main() -> None:
    """Time both in turns, each from a folder where nothing is built."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    bare = str(ROOT / "benchmarks" / "bare" / "build_digits.py")
    with tempfile.TemporaryDirectory() as room:
        folder = trained_digits(Path(room))

        def ours() -> None:
            forget(folder)
            run([TRB, "build"], folder)

        def theirs() -> None:
            run(
                [sys.executable, "-c", f"import runpy; runpy.run_path({bare!r}, run_name='__main__')"], folder
            )

        build_s, bare_s = in_turns(ours, theirs, runs)
    report(("trb build", build_s), ("bare script", bare_s), "at most 1.25")


if __name__ == "__main__":
    main()
