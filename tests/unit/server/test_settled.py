"""Why a model did not load is read out of the index and the log, in the server's words."""

from pathlib import Path

from builder.server.settled import Aborted, Ended, error_of_end, failed_models, reasons_in, shortened

LOG = r"""
[libprotobuf ERROR /tmp/x/text_format.cc:337] Error parsing text-format inference.ModelConfig: 1:22: Message type "inference.ModelConfig" has no field named "bakend".
E1123 16:21:21.000529 9947 model_repository_manager.cc:1460] "Poll failed for model directory 'badcfg': failed to read text proto from /r/badcfg/config.pbtxt"
E1123 16:21:21.000626 9947 model_repository_manager.cc:1460] "Poll failed for model directory 'dir': unexpected directory name 'dir' for model 'other', directory name must equal model name"
E1123 16:21:21.001073 9947 model_repository_manager.cc:724] "failed to load model 'nover': at least one version must be available under the version policy of model 'nover'"
I1123 16:21:21.684994 9947 model_lifecycle.cc:839] "successfully loaded 'good'"
E1123 16:21:21.973550 9947 model_lifecycle.cc:642] "failed to load 'bad' version 1: Internal: Exception: no way\nsecond line\n\nAt:\n  /r/bad/1/model.py(5): initialize\n"
I1123 16:21:21.973565 9947 model_lifecycle.cc:777] "failed to load 'bad'"
"""  # noqa: E501 - as the server writes it


def test_the_log_tells_what_the_index_does_not(tmp_path: Path) -> None:
    """Each model that failed has its own reason, the parser's complaint included; the good one has none."""
    log = tmp_path / "log"
    log.write_text(LOG)

    reasons = reasons_in(log)

    assert sorted(reasons) == ["bad", "badcfg", "dir", "nover"]
    assert 'has no field named "bakend"' in reasons["badcfg"]
    assert reasons["dir"] == (
        "unexpected directory name 'dir' for model 'other', directory name must equal model name"
    )
    assert reasons["bad"].startswith("Internal: Exception: no way\nsecond line\n")


def test_a_log_that_is_not_there_gives_no_reason(tmp_path: Path) -> None:
    """A server that never wrote a line is no crash of ours."""
    assert reasons_in(tmp_path / "absent") == {}


def test_a_model_without_a_ready_version_has_failed() -> None:
    """READY passes; the index's reason comes before the log's; an unlisted model has failed too."""
    index = [
        {"name": "good", "version": "1", "state": "READY"},
        {"name": "bad", "version": "1", "state": "UNAVAILABLE", "reason": "from the index"},
        {"name": "mute"},
    ]

    failed = failed_models(index, ["good", "bad", "mute", "absent"], {"bad": "from the log", "mute": "parse"})

    assert failed == {
        "bad": "from the index",
        "mute": "parse",
        "absent": "the server gives no reason; an ensemble is left out where a model that it is made of fails",
    }


def test_a_model_that_fails_alone_without_a_reason_is_no_ensemble_of_another() -> None:
    """Nothing else has failed, so nothing is guessed."""
    assert failed_models([], ["m"], {}) == {"m": "the server gives no reason"}


def test_a_model_with_an_old_version_ready_is_served() -> None:
    """One version ready is enough: a failed reload keeps the old one."""
    index = [
        {"name": "m", "version": "1", "state": "READY"},
        {"name": "m", "version": "2", "state": "UNAVAILABLE", "reason": "broken"},
    ]

    assert failed_models(index, ["m"], {}) == {}


def test_a_reason_is_shown_without_the_frames_below_it() -> None:
    """The text stays, the stub's Python frames go."""
    assert (
        shortened("Internal: no way\nsecond\n\nAt:\n  model.py(5): initialize\n")
        == "Internal: no way\n    second"
    )


def test_an_abort_that_is_known_is_named(tmp_path: Path) -> None:
    """What comes and goes is worth another try, and is no fault of a model; of any other end the log tells."""
    log = tmp_path / "triton.log"
    log.write_text("terminate called after throwing an instance of 'boost::interprocess::lock_exception'\n")

    known = error_of_end("it ended", log)
    log.write_text("Segmentation fault\n")
    other = error_of_end("it ended", log, fix="look at it")

    assert isinstance(known, Aborted)
    assert "issues/8882); run the command again; the whole log" in known.fix
    assert type(other) is Ended
    assert other.what == "it ended\nits last lines:\n  Segmentation fault"
    assert other.fix == f"the whole log: {log}; look at it"
