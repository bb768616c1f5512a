from pathlib import Path
from typing import Any

import click

from builder.cli import options, out


@click.command(name="lint")
@click.argument("paths", nargs=-1, metavar="[REPOSITORY]...", type=click.Path(path_type=Path))
@options.spec_file
@click.option(
    "--triton", metavar="RELEASE", help="Target release. Default: the spec's, else the newest known."
)
@click.option("--gpus", type=click.IntRange(min=0), help="GPUs of the server. Default: not known.")
@click.option(
    "--probe-image",
    metavar="IMAGE",
    help="Ask this Docker image which Python packages it has for the models.",
)
@click.option("--select", multiple=True, metavar="CODE", help="Report only codes that start so; repeatable.")
@click.option("--ignore", multiple=True, metavar="CODE", help="Leave out codes that start so; repeatable.")
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option("--fix", is_flag=True, help="Change what has one right answer; comments and layout stay.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="How to print the report.",
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option(
    "--explain",
    is_flag=False,
    flag_value="all",
    metavar="[CODE]",
    help="Print a code's page, or list all codes.",
)
@click.option(
    "--explain-target",
    is_flag=False,
    flag_value="",
    metavar="[RELEASE]",
    help="Print what a release has. Default: as for --triton.",
)
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="Models read at once. Default: one a core.")
def command(
    spec_file: Path, form: str, explain: str | None, explain_target: str | None, **wishes: Any
) -> None:
    """Tell what a Triton release would refuse in a repository, without a server.

    Example: trb lint model_repository --triton 24.10
    """
    if explain is not None or explain_target is not None:
        from builder.flow import explain as pages

        out.show(
            pages.explain(explain)
            if explain is not None
            else pages.explain_target(spec_file, explain_target or wishes["triton"])
        )
        return

    from builder.flow.lint import LintRequest, lint_repositories

    fix, diff = wishes.pop("fix"), wishes.pop("diff")
    request = LintRequest(**wishes)
    if fix or diff:
        from builder.flow.fix import fix_repositories

        report = fix_repositories(spec_file, request, write=not diff)
    else:
        report = lint_repositories(spec_file, request)
    out.show_lint(report, form, diff=diff)
    out.finish(report)
