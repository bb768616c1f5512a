"""Python functions, loaded by a live Triton before they are published."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from builder.errors import ExportError, ServerError, TrbError
from builder.flow.worker import Staged
from builder.repository import disk
from builder.repository.layout import STAGED_VERSION
from builder.server import Serving, open_server
from builder.server.client import Client, connected
from builder.server.serving import READY_TIMEOUT_S
from builder.server.settled import shortened
from builder.spec.releases import Release


def refusals(staged: Sequence[Staged], release: Release, *, logs: Path) -> Mapping[str, TrbError]:
    """Return why a live Triton does not load a model, by the names of those that it does not.

    All are asked of one server. A machine that cannot run it proves nothing: there every model is refused.

    Args:
        staged: versions of models that are ready to be published, and stay so.
        release: the target.
        logs: where the server's log is kept.
    """
    if not staged:
        return {}
    try:
        with _repository(staged) as root:
            serving = Serving(repository=root, release=release, models=(), control="explicit", log_dir=logs)
            with (
                open_server("embedded", serving) as endpoint,
                connected(endpoint, timeout_s=READY_TIMEOUT_S) as client,
            ):
                found = {one.triton_name: _refusal(client, one.triton_name) for one in staged}
    except TrbError as error:  # no server, no proof: a row of the report for each
        return {one.triton_name: error for one in staged}
    return {name: error for name, error in found.items() if error is not None}


def _refusal(client: Client, triton_name: str) -> ExportError | None:
    try:
        client.load(triton_name)
    except ServerError as error:
        said = shortened(error.what.partition("UNAVAILABLE state: ")[2] or error.what)
        return ExportError(
            f"{triton_name}: Triton does not load it: {said}",
            fix=f"correct the function, or what `python:` in trb.yaml says it needs; {error.fix}",
        )
    return None


@contextmanager
def _repository(staged: Sequence[Staged]) -> Iterator[Path]:
    """Yield a repository of the models as they would be published; what a server writes stays out of the stages."""
    with TemporaryDirectory(dir=staged[0].folder.parent) as room:
        for one in staged:
            model = Path(room) / one.triton_name
            disk.link_tree(one.folder, model)
            disk.move(model / STAGED_VERSION, model / "1")
        yield Path(room)
