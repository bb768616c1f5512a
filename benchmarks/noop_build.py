"""A build with nothing to do against a full one: promised at most 0.1 times."""

import argparse
import tempfile
from pathlib import Path

from _digits import forget, trained_digits
from _paired import TRB, in_turns, report, run


def main() -> None:
    """Time both in turns; a full build leaves what the build with nothing to do finds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as room:
        folder = trained_digits(Path(room))
        run([TRB, "build"], folder)

        def nothing() -> None:
            run([TRB, "build"], folder)

        def everything() -> None:
            forget(folder)
            run([TRB, "build"], folder)

        nothing_s, everything_s = in_turns(nothing, everything, runs)
    report(("nothing to do", nothing_s), ("full build", everything_s), "at most 0.1")


if __name__ == "__main__":
    main()
