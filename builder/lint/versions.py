"""Which versions of a model a server loads."""

from collections.abc import Iterator, Mapping

from builder.rules.core import ENSEMBLE
from builder.rules.refusal import Config, Refusal


def served(config: Config, versions: Mapping[int, str]) -> Mapping[int, str] | Refusal:
    """Return the folders of the versions that the policy of `config` picks, oldest first; or that there are none."""
    found = _picked(config.get("version_policy"), versions)
    if found:
        return found
    needed = f"at least one version must be available under the version policy of model '{config['name']}'"
    if not versions:
        fix = "put the model's file into a folder called 1"
        if config.get("platform") == ENSEMBLE:
            fix = "add an empty folder called 1; git keeps it if there is a file in it, whatever it is"
        return Refusal(f"{needed}: No model version was found", code="R102", fix=fix)
    fix = f"it has {', '.join(map(str, versions))}"
    return Refusal(needed, code="C210", place=("version_policy",), fix=fix)


def absent(config: Config, versions: Mapping[int, str]) -> Iterator[Refusal]:
    """Yield the versions that the policy asks for by number and that are not there: the server goes on without."""
    specific = (config.get("version_policy") or {}).get("specific") or {}
    for position, version in enumerate(map(int, specific.get("versions") or ())):
        if version not in versions:
            yield Refusal(
                f"version {version} is specified for model '{config['name']}', but the version directory is not "
                "present",
                kind="surprise",
                code="C210",
                place=("version_policy", "specific", "versions", position),
                fix=f"it has {', '.join(map(str, versions))}",
            )


def _picked(policy: Config | None, versions: Mapping[int, str]) -> dict[int, str]:
    """Return what a policy picks; without one it is the latest, and one that says nothing takes all."""
    if policy is None:
        return _latest(versions, 1)
    if "specific" in policy:
        wanted = [int(version) for version in policy["specific"].get("versions") or ()]
        # The server takes a version that is asked for twice to be there.
        return {one: str(one % 2**64) for one in sorted(wanted) if one in versions or wanted.count(one) > 1}
    if "latest" in policy:
        return _latest(versions, int(policy["latest"].get("num_versions") or 0))
    return dict(versions)


def _latest(versions: Mapping[int, str], most: int) -> dict[int, str]:
    return dict(sorted(versions.items())[-most:]) if most > 0 else {}
