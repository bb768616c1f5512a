"""Tells by its exit status whether the server of this container is ready, on the port that it was told to take."""

import http.client
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

_PROGRAM: Final = b"/libexec/tritonserver"
_TIMEOUT_S: Final = 4.0


def main() -> None:
    """Ask the server; one that serves no HTTP is healthy as long as it runs."""
    found = next(_servers(), None)
    if found is None:
        sys.exit("no tritonserver runs")
    asked = address(found)
    if asked is not None and not _is_ready(*asked):
        sys.exit(f"not ready at {asked[0]}:{asked[1]}")


def address(words: Sequence[str]) -> tuple[str, int] | None:
    """Return where a server of this command line answers HTTP; None: it does not."""
    options = _options(words)
    if options.get("allow-http", "true").lower() in {"false", "0"}:
        return None
    host = options.get("http-address", "0.0.0.0")  # noqa: S104 - Triton's own default
    return ("127.0.0.1" if host == "0.0.0.0" else host), int(options.get("http-port", "8000"))  # noqa: S104


def _options(words: Sequence[str]) -> dict[str, str]:
    """Return the options, written `--name=value` or `--name value`; of one given twice the last."""
    found = {}
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word.startswith("--"):
            name, given, value = word.removeprefix("--").partition("=")
            found[name] = value if given else following
    return found


def _servers() -> Iterator[Sequence[str]]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().rstrip(b"\0").split(b"\0")
        except OSError:  # it has just ended
            continue
        if words[0].endswith(_PROGRAM):
            yield [word.decode(errors="replace") for word in words]


def _is_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/v2/health/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    main()
