"""How `trb check` is asked."""

from click.testing import CliRunner

from builder.cli.root import main


def test_an_address_of_no_other_server_is_refused() -> None:
    """An option of --against without it is a mistake on the command line."""
    done = CliRunner().invoke(main, ["check", "--against-grpc-url", "host:8001"])

    assert done.exit_code == 2
    assert "--against-grpc-url goes with --against" in done.stderr
