import click

from builder.cli import options, out


@click.command(name="doctor")
@click.option("--clean", is_flag=True, help="Remove the containers that a killed `trb` left behind.")
@options.as_json
def command(clean: bool, as_json: bool) -> None:
    """Say what this machine has, what is missing, and how to get it.

    Example: trb doctor
    """
    from builder.flow import doctor

    if clean:
        out.show(doctor.clean(), as_json=as_json)
        return
    report = doctor.doctor()
    out.show(report, as_json=as_json)
    out.finish(report)
