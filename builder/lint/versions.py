"""Which versions of a model a server loads."""

from collections.abc import Mapping

from builder.rules.refusal import Config, Refusal


def served(config: Config, versions: Mapping[int, str]) -> Mapping[int, str] | Refusal:
    """Return the folders of the versions that the policy of `config` picks, oldest first; or that there are none."""
    if not versions:
        return Refusal(
            "at least one version must be available under the version policy of model "
            f"'{config['name']}': No model version was found",
            code="R102",
            fix="add an empty folder called 1; git keeps it if there is a file in it, whatever it is"
            if config.get("platform") == "ensemble"
            else "put the model's file into a folder called 1",
        )
    policy = config.get("version_policy") or {}
    if "specific" in policy:
        wanted = {int(version) for version in policy["specific"].get("versions") or ()}
        found = {version: name for version, name in versions.items() if version in wanted}
        return found or Refusal(
            f"at least one version must be available under the version policy of model '{config['name']}'",
            code="C210",
            place=("version_policy",),
            fix=f"it has {', '.join(map(str, versions))}",
        )
    if "all" in policy:
        return versions
    most = int((policy.get("latest") or {}).get("num_versions") or 1)
    return dict(sorted(versions.items())[-most:])
