"""Waiting for a server to load its models, and saying in its own words why it did not."""

import http.client
import json
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from builder.errors import ServerError
from builder.server.embedded.launch import Ports
from builder.server.embedded.process import is_alive, listening_ports

_PAUSE_S: Final = 0.03
_ASK_TIMEOUT_S: Final = 10.0
_TAIL_LINES: Final = 15
_LOG_REASONS: Final = (
    re.compile(r"Poll failed for model directory '(?P<model>[^']+)': (?P<reason>.+)"),
    re.compile(r"failed to load model '(?P<model>[^']+)': (?P<reason>.+)"),
    re.compile(r"failed to load '(?P<model>[^']+)' version \d+: (?P<reason>.+)"),
)
_PORT_TAKEN: Final = re.compile(r"Socket '\S+:(?P<port>\d+)' already in use")


class PortTaken(ServerError):
    """Another process listens on a port that the server was given."""


def wait_until_ready(
    process: subprocess.Popen[bytes], ports: Ports, names: Sequence[str], *, log: Path, timeout_s: float
) -> None:
    """Return when the server is ready and serves every one of `names`.

    A port counts when this very process listens on it; somebody else may have taken it meanwhile and answer too.

    Raises:
        PortTaken: a port was taken by somebody else.
        ServerError: the server ended, took longer than `timeout_s`, or did not load a model.
    """
    give_up = time.monotonic() + timeout_s
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise _ended(process, log)
        mine = listening_ports(process.pid) >= {ports.http, ports.grpc, ports.metrics}
        if mine and _has_settled(ports.http, names):
            _require_loaded(ports.http, names, log)
            return
        time.sleep(_PAUSE_S)
    raise ServerError(
        f"Triton was not ready after {timeout_s:.0f} s; its last lines:\n{tail(log)}",
        fix=f"wait longer (--ready-timeout), or read the whole log: {log}",
    )


def _has_settled(port: int, names: Sequence[str]) -> bool:
    """Return whether the server says that it is ready, or will not say so however long one waits.

    One model that failed keeps it from ever being ready; then the index tells whether any other still loads.
    """
    if not _says_yes(port, "/v2/health/live"):
        return False
    if _says_yes(port, "/v2/health/ready"):
        return True
    return not any(row["name"] in names and row.get("state") == "LOADING" for row in _index(port))


def _require_loaded(http_port: int, names: Sequence[str], log: Path) -> None:
    # Asked of a ready server too: to be ready it need not have read every config.
    failed = failed_models(_index(http_port), names, reasons_in(log))
    if failed:
        listed = "\n".join(f"  {name}: {reason}" for name, reason in failed.items())
        raise ServerError(
            f"Triton did not load {len(failed)} of {len(names)} models:\n{listed}",
            fix=f"the whole log: {log}",
        )


def require_alive(pid: int, log: Path) -> None:
    """Check that the server of process `pid` still runs.

    Raises:
        ServerError: it has ended; its last lines.
    """
    if not is_alive(pid):
        raise ServerError(f"Triton has ended; its last lines:\n{tail(log)}", fix=f"the whole log: {log}")


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
    unknown = "the server gives no reason"
    return {
        name: shortened(told.get(name) or logged.get(name) or unknown) for name in names if name not in ready
    }


def reasons_in(log: Path) -> dict[str, str]:
    """Return the last reason the log gives for each model that failed."""
    found: dict[str, str] = {}
    parser_said = ""
    for line in _lines(log):
        if line.startswith("[libprotobuf ERROR"):
            parser_said = line.rpartition("] ")[2]
        for match in filter(None, (pattern.search(line) for pattern in _LOG_REASONS)):
            reason = _unescaped(match["reason"].removesuffix('"'))
            if "failed to read text proto" in reason and parser_said:
                reason, parser_said = f"{reason}: {parser_said}", ""
            found[match["model"]] = reason
    return found


def shortened(reason: str) -> str:
    """Return a reason without the Python frames that a stub adds below it, its lines indented."""
    return reason.partition("\n\nAt:\n")[0].strip().replace("\n", "\n    ")


def tail(log: Path) -> str:
    """Return the last lines of a log, indented."""
    return "\n".join(f"  {line}" for line in _lines(log)[-_TAIL_LINES:])


def _ended(process: subprocess.Popen[bytes], log: Path) -> ServerError:
    taken = [match["port"] for match in map(_PORT_TAKEN.search, _lines(log)) if match]
    if taken:
        return PortTaken(f"port {taken[0]} is in use", fix="free it, or choose another port")
    how = f"signal {-process.returncode}" if process.returncode < 0 else f"exit status {process.returncode}"
    reasons = "".join(f"\n  {name}: {shortened(reason)}" for name, reason in reasons_in(log).items())
    return ServerError(
        f"Triton ended with {how} while it loaded{reasons}\nits last lines:\n{tail(log)}",
        fix=f"the whole log: {log}; `trb doctor` checks this machine",
    )


def _index(port: int) -> list[dict[str, str]]:
    try:
        status, answer = _asked(port, "POST", "/v2/repository/index")
        found = json.loads(answer)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ServerError(f"Triton does not tell what it has loaded: {error}") from error
    if status != http.client.OK:  # a link to nowhere in the repository's root is enough
        raise ServerError(
            f"Triton does not tell what it has loaded: {found.get('error', found)}",
            fix="`trb lint` says what is wrong with the repository",
        )
    return list(found)


def _says_yes(port: int, path: str) -> bool:
    try:
        return _asked(port, "GET", path)[0] == http.client.OK
    except (OSError, http.client.HTTPException):  # it is only coming up, or has just ended
        return False


def _asked(port: int, method: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ASK_TIMEOUT_S)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _lines(log: Path) -> list[str]:
    try:
        return log.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _unescaped(text: str) -> str:
    """Undo the quoting of the server's log, where it is quoting."""
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text
