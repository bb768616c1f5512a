import click

from builder.cli import options, out


@click.command(name="doctor")
@options.as_json
def command(as_json: bool) -> None:
    """Say what this machine has, what is missing, and how to get it.

    Example: trb doctor
    """
    from builder.flow.doctor import doctor

    report = doctor()
    out.show(report, as_json=as_json)
    out.finish(report)
