import logging

import pytest

from mezzanine_core.logs import configure_logging


@pytest.fixture(autouse=True)
def restored_logging():
    """Leaves the root logger as it was."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


def speak() -> None:
    for name in ("mezzanine_worlds_toy.world", "some_library"):
        for level in (logging.DEBUG, logging.INFO, logging.WARNING):
            logging.getLogger(name).log(level, "from %s", name)


def test_the_project_informs_and_libraries_only_warn(capsys):
    configure_logging()
    speak()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "from mezzanine_worlds_toy.world",
        "warning: from mezzanine_worlds_toy.world",
        "warning: from some_library",
    ]


def test_debugging_shows_one_level_more_of_each(capsys):
    configure_logging(debug=True)
    speak()
    assert capsys.readouterr().err.splitlines() == [
        "debug: from mezzanine_worlds_toy.world",
        "from mezzanine_worlds_toy.world",
        "warning: from mezzanine_worlds_toy.world",
        "from some_library",
        "warning: from some_library",
    ]


def test_configuring_twice_does_not_say_things_twice(capsys):
    configure_logging(debug=True)
    configure_logging()
    speak()
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_messages_go_to_what_stderr_is_at_the_time(capsys, monkeypatch, tmp_path):
    configure_logging()
    with (tmp_path / "log").open("w") as file:
        monkeypatch.setattr("sys.stderr", file)
        speak()
    assert (tmp_path / "log").read_text().count("\n") == 3
