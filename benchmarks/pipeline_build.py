"""`trb build` of a pipeline of four graph steps: promised that the pipeline costs no more than its steps."""

import argparse
import tempfile
from pathlib import Path

from _digits import forget
from _paired import TRB, in_turns, report, run
from _pipelines import STEPS, write_project


def main() -> None:
    """Time the steps alone and the steps with the pipeline in turns, each from a folder where nothing is built."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        write_project(folder, fuse="true", networks=("small",))

        def with_pipeline() -> None:
            forget(folder)
            run([TRB, "build", "with_small"], folder)

        def steps_alone() -> None:
            forget(folder)
            run([TRB, "build", *STEPS], folder)

        whole_s, steps_s = in_turns(with_pipeline, steps_alone, runs)
    report(("steps and pipeline", whole_s), ("four steps", steps_s), "at most 2")


if __name__ == "__main__":
    main()
