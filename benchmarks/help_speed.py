"""`trb --help` against `python -c "import click"`: promised at most 1.5 times."""

import argparse
import sys

from _paired import ROOT, TRB, in_turns, report, run


def main() -> None:
    """Time both in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40)
    runs = parser.parse_args().runs

    def ours() -> None:
        run([TRB, "--help"], ROOT)

    def theirs() -> None:
        run([sys.executable, "-c", "import click"], ROOT)

    ours(), theirs()  # the first run writes the bytecode
    help_s, click_s = in_turns(ours, theirs, runs)
    report(("trb --help", help_s), ('python -c "import click"', click_s), "at most 1.5")


if __name__ == "__main__":
    main()
