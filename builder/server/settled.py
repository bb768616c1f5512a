"""What a server says of its models: settled, loaded, and in its own words why not."""

import http.client
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from builder.errors import ServerError

_ASK_TIMEOUT_S: Final = 10.0
_TAIL_LINES: Final = 15
_UNTOLD: Final = "the server gives no reason"
_UNTOLD_BESIDE: Final = f"{_UNTOLD}; an ensemble is left out where a model that it is made of fails"
_ABORTS: Final = "boost::interprocess::lock_exception"
_ABORT: Final = (
    "an open fault of Triton's Python backend that comes and goes "
    "(https://github.com/triton-inference-server/server/issues/8882)"
)
STARTS: Final = 3
"""How often a server that aborts while it loads is started before that is the answer."""
STARTING_AGAIN: Final = f"Triton aborted while it loaded, {_ABORT}: starting it again"
_SILENCE: Final = (OSError, http.client.HTTPException)
_LOG_REASONS: Final = (
    re.compile(r"Poll failed for model directory '(?P<model>[^']+)': (?P<reason>.+)"),
    re.compile(r"failed to load model '(?P<model>[^']+)': (?P<reason>.+)"),
    re.compile(r"failed to load '(?P<model>[^']+)' version \d+: (?P<reason>.+)"),
)


def serves_all(address: str, names: Sequence[str], log: Path) -> bool:
    """Return whether the server says that it is ready, with every one of `names`; False also where it is silent.

    It may be only coming up, or have just ended: then its sockets are closed before its process is gone.

    Raises:
        ServerError: one did not load, with the reason that the server gives.
    """
    try:
        if not _has_settled(address, names):
            return False
        index = _index(address)  # of a ready server too: to be ready it need not have read every config
    except _SILENCE:
        return False
    failed = failed_models(index, names, reasons_in(log))
    if failed:
        listed = "\n".join(f"  {name}: {reason}" for name, reason in failed.items())
        raise ServerError(
            f"Triton did not load {len(failed)} of {len(names)} models:\n{listed}",
            fix=f"the whole log: {log}",
        )
    return True


def _has_settled(address: str, names: Sequence[str]) -> bool:
    """Return whether the server says that it is ready, or will not say so however long one waits.

    One model that failed keeps it from ever being ready; then the index tells whether any other still loads.
    """
    if not _says_yes(address, "/v2/health/live"):
        return False
    if _says_yes(address, "/v2/health/ready"):
        return True
    return not any(row["name"] in names and row.get("state") == "LOADING" for row in _index(address))


def failed_models(
    index: Sequence[Mapping[str, str]], names: Sequence[str], logged: Mapping[str, str]
) -> dict[str, str]:
    """Return the reason of each of `names` that has no version ready.

    Args:
        index: the server's repository index.
        names: the models that should be served.
        logged: reasons from the log; the index has none for a model whose config it could not read.
    """
    ready = {row["name"] for row in index if row.get("state") == "READY"}
    told = {row["name"]: row["reason"] for row in index if row.get("reason")}
    reasons = {name: told.get(name) or logged.get(name) for name in names if name not in ready}
    unknown = _UNTOLD_BESIDE if any(reasons.values()) else _UNTOLD
    return {name: shortened(reason or unknown) for name, reason in reasons.items()}


def reasons_in(log: Path) -> dict[str, str]:
    """Return the last reason the log gives for each model that failed."""
    found: dict[str, str] = {}
    parser_said = ""
    for line in lines(log):
        if line.startswith("[libprotobuf ERROR"):
            parser_said = line.rpartition("] ")[2]
        for match in filter(None, (pattern.search(line) for pattern in _LOG_REASONS)):
            reason = _unescaped(match["reason"].removesuffix('"'))
            if "failed to read text proto" in reason and parser_said:
                reason, parser_said = f"{reason}: {parser_said}", ""
            found[match["model"]] = reason
    return found


def reasons_below(log: Path) -> str:
    """Return the reasons of the models that did not load, a line each, below what is said before them."""
    return "".join(f"\n  {name}: {shortened(reason)}" for name, reason in reasons_in(log).items())


def shortened(reason: str) -> str:
    """Return a reason without the Python frames that a stub adds below it, its lines indented."""
    return reason.partition("\n\nAt:\n")[0].strip().replace("\n", "\n    ")


class Ended(ServerError):
    """The server has ended by itself."""


class Aborted(Ended):
    """It has ended as Triton's Python backend makes it do now and then."""


def error_of_end(what: str, log: Path, *, fix: str = "") -> Ended:
    """Return the error for a server that has ended by itself: `Aborted` where its log tells of that.

    Args:
        what: how it ended.
        log: where it wrote to.
        fix: what helps besides reading the whole log.
    """
    said, helps = (
        f"{what}\nits last lines:\n{tail(log)}",
        "; ".join(filter(None, [f"the whole log: {log}", fix])),
    )
    if any(_ABORTS in line for line in lines(log)):
        return Aborted(said, fix=f"this is {_ABORT}; run the command again; {helps}")
    return Ended(said, fix=helps)


def tail(log: Path) -> str:
    """Return the last lines of a log, indented."""
    return "\n".join(f"  {line}" for line in lines(log)[-_TAIL_LINES:])


def lines(log: Path) -> list[str]:
    """Return the lines of a log; none where there is no log yet."""
    try:
        return log.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _index(address: str) -> list[dict[str, str]]:
    status, answer = _asked(address, "POST", "/v2/repository/index")
    try:
        found = json.loads(answer)
    except ValueError as error:
        raise ServerError(f"Triton does not tell what it has loaded: {error}") from error
    if status != http.client.OK:  # a link to nowhere in the repository's root is enough
        raise ServerError(
            f"Triton does not tell what it has loaded: {found.get('error', found)}",
            fix="`trb lint` says what is wrong with the repository",
        )
    return list(found)


def _says_yes(address: str, path: str) -> bool:
    return _asked(address, "GET", path)[0] == http.client.OK


def _asked(address: str, method: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address, timeout=_ASK_TIMEOUT_S)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _unescaped(text: str) -> str:
    """Undo the quoting of the server's log, where it is quoting."""
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text
