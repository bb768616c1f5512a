"""Four graph steps, merged into one model against a model each, on the live server: promised that merged wins."""

import tempfile
from pathlib import Path

from _paired import TRB, machine, run
from _pipelines import picks, write_project


def main() -> None:
    """Let `fuse: auto` measure both forms in turns, on a small and on a large network."""
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        write_project(folder, fuse="auto")
        run([TRB, "build"], folder)
        for network in ("small", "large"):
            figures = picks(folder, f"with_{network}")
            fused, steps = figures["fused"], figures["steps"]
            print(
                f"{network} network, merged against four models: {fused['rows_per_s']:.0f} and "
                f"{steps['rows_per_s']:.0f} rows/s at concurrency 4, "
                f"p50 {fused['p50_ms']:.2f} and {steps['p50_ms']:.2f} ms at 1"
            )
            more, longer = fused["rows_per_s"] / steps["rows_per_s"], fused["p50_ms"] / steps["p50_ms"]
            print(f"ratio: {more:.2f} in rows/s (promised: above 1), {longer:.2f} in p50 (promised: below 1)")
    print(machine())


if __name__ == "__main__":
    main()
