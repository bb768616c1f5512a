"""Which models a command is about."""

import difflib
from collections.abc import Mapping, Sequence

from builder.errors import UsageError
from builder.spec.project import Model, Project, triton_names


def select(project: Project, names: Sequence[str]) -> Mapping[str, Model]:
    """Return the models called `names`, all of them when none is named; a name in the repository counts too.

    Raises:
        UsageError: the spec has no such model.
    """
    if not names:
        return project.models
    owners = {t: name for name, model in project.models.items() for t in triton_names(name, model).values()}
    owners |= {name: name for name in project.models}
    for name in names:
        if name not in owners:
            near = difflib.get_close_matches(name, owners, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"it has: {', '.join(project.models)}"
            raise UsageError(f"the spec has no model `{name}`", fix=hint)
    wanted = {owners[name] for name in names}
    return {name: model for name, model in project.models.items() if name in wanted}
