"""Progress: plain lines in a pipe, bars on a terminal, never anything on stdout."""

import io
import os
import pty
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzanine_core.progress import Progress, duration


def work(progress, steps=4, pause=0.03, total=4, label="encode"):
    with progress.task(label, total) as task:
        for _ in range(steps):
            time.sleep(pause)
            task.advance()


def lines_of(**settings):
    stream = io.StringIO()
    work(Progress(stream=stream, **settings))
    return stream.getvalue().splitlines()


def test_a_short_task_writes_nothing():
    assert lines_of() == []


def test_a_long_task_says_how_far_it_is_and_how_long_it_took():
    *steps, last = lines_of(grace=0.0, interval=0.0)
    assert [line.split(",")[0] for line in steps] == [
        "encode: 1/4 (25%)",
        "encode: 2/4 (50%)",
        "encode: 3/4 (75%)",
        "encode: 4/4 (100%)",
    ]
    assert all(re.fullmatch(r".*, \d+ s left", line) for line in steps)
    assert re.fullmatch(r"encode: 4/4 in \d+ s", last)


def test_lines_come_once_in_an_interval():
    steps = lines_of(grace=0.05, interval=60.0)
    assert len(steps) == 2
    assert steps[-1].startswith("encode: 4/4 in")


def test_the_time_left_follows_from_the_speed_so_far():
    stream = io.StringIO()
    with Progress(stream=stream, grace=0.0, interval=0.0).task("encode", 1000) as task:
        task.started -= 30.0  # as if 10 steps had taken half a minute
        task.advance(10)
    assert stream.getvalue().startswith("encode: 10/1000 (1%), 49 min ")


def test_no_time_left_follows_from_the_first_steps_of_many():
    stream = io.StringIO()
    with Progress(stream=stream, grace=0.0, interval=0.0).task("train", 800) as task:
        task.started -= 3.0  # as if the first steps had waited for libraries to load
        task.advance(5)
        task.advance(95)
    first, second, _ = stream.getvalue().splitlines()
    assert first == "train: 5/800, 3 s so far"
    assert second.startswith("train: 100/800 (12%), 2")


def test_a_task_of_unknown_length_counts():
    stream = io.StringIO()
    work(Progress(stream=stream, grace=0.0, interval=0.0), steps=2, total=None)
    first, second, last = stream.getvalue().splitlines()
    assert first == "encode: 1, 0 s so far"
    assert second == "encode: 2, 0 s so far"
    assert last == "encode: 2 in 0 s"


def test_a_task_that_fails_does_not_claim_to_have_ended():
    stream = io.StringIO()

    def fail():
        with Progress(stream=stream, grace=0.0, interval=60.0).task("encode", 4) as task:
            task.advance()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert len(stream.getvalue().splitlines()) == 1


def test_quiet_writes_nothing():
    assert lines_of(quiet=True, grace=0.0, interval=0.0) == []


def test_threads_may_advance_one_task():
    stream = io.StringIO()
    with Progress(stream=stream, grace=0.0, interval=0.01).task("encode", 40_000) as task:
        threads = [
            threading.Thread(target=lambda: [task.advance() for _ in range(10_000)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert task.done == 40_000
    assert all(re.match(r"encode: \d+/40000", line) for line in stream.getvalue().splitlines())


@pytest.mark.parametrize("error", [BrokenPipeError, ValueError, OSError])
def test_work_goes_on_where_nothing_can_be_shown(error):
    class Gone(io.StringIO):
        def write(self, text):
            raise error("gone")

    progress = Progress(stream=Gone(), grace=0.0, interval=0.0)
    with progress.task("encode", 3) as task:
        task.advance(3)
    assert task.done == 3


def test_progress_goes_to_stderr(capsys):
    work(Progress(grace=0.0, interval=0.0))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "encode: 4/4" in captured.err


def test_importing_progress_and_writing_lines_imports_no_rich():
    script = textwrap.dedent("""
        import sys
        from mezzanine_core.progress import Progress
        with Progress(grace=0.0, interval=0.0).task("encode", 1) as task:
            task.advance()
        sys.exit(any(name.partition(".")[0] == "rich" for name in sys.modules))
    """)
    done = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0
    assert b"encode: 1/1" in done.stderr


WORK = textwrap.dedent("""
    import logging, sys, time
    from mezzanine_core.progress import Progress

    progress = Progress(grace=0.2)
    with progress.task("short", 3) as task:
        task.advance(3)
    with progress.task("train [fast]", 10) as outer, progress.task("encode", 4) as inner:
        for step in range(4):
            time.sleep(0.15)
            inner.advance()
            outer.advance(2)
            if step == 1:
                print("a warning", file=sys.stderr)
                print("data")
    print("rich" in sys.modules)
""")


def on_a_terminal(script, *, stdout=subprocess.PIPE, send=None, **environ):
    """Run a script whose stderr is a terminal; what it wrote to stdout and on the terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=stdout,
        stderr=slave,
        text=True,
        env={**{k: v for k, v in os.environ.items() if k != "CI"}, "TERM": "xterm", **environ},
        start_new_session=True,
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not chunk:
            break
        shown += chunk
        if send is not None and b"encode" in shown:
            os.killpg(process.pid, send)
            send = None
    os.close(master)
    output = process.communicate(timeout=30)[0]
    return process.returncode, output, shown.decode()


def test_a_terminal_gets_bars_and_stdout_only_data():
    code, output, shown = on_a_terminal(WORK)
    assert code == 0
    assert output == "data\nTrue\n"
    assert "━" in shown
    assert "train [fast]" in shown
    assert "4/4" in shown
    assert "/s" in shown
    assert "a warning" in shown


def test_the_bar_of_a_short_task_does_not_stay():
    shown = on_a_terminal(WORK)[2]
    final = shown[shown.rindex("train") :]
    assert "encode" in final
    assert "short" not in final


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"TERM": "dumb"}])
def test_a_terminal_that_keeps_every_line_gets_lines(environ):
    output, shown = on_a_terminal(WORK, **environ)[1:]
    assert output == "data\nFalse\n"
    assert "━" not in shown
    assert "encode: 4/4 in 1 s" in shown


def test_ctrl_c_gives_the_terminal_back():
    script = WORK.replace("range(4)", "range(4000)")
    code, _, shown = on_a_terminal(script, stdout=subprocess.DEVNULL, send=signal.SIGINT)
    assert code == -signal.SIGINT
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")  # the cursor is shown again


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (12.4, "12 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 00 min"),
        (3900, "1 h 05 min"),
        (360_000, "100 h 00 min"),
    ],
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words


@given(st.floats(0, 1e7))
def test_durations_are_right_to_their_last_unit(seconds):
    text = duration(seconds)
    units = {"s": 1, "min": 60, "h": 3600}
    parts = re.findall(r"(\d+) (s|min|h)", text)
    value = sum(int(number) * units[unit] for number, unit in parts)
    assert abs(value - seconds) <= (60 if " h" in text else 1)


# Stages


def staged(work, **settings):
    """The lines of a stage whose work is given the progress."""
    stream = io.StringIO()
    progress = Progress(stream=stream, **{"grace": 0.0, "interval": 0.3, **settings})
    with progress.stage("evaluate"):
        work(progress)
    return stream.getvalue().splitlines()


def test_a_stage_that_gives_no_account_of_its_steps_says_how_long_it_takes():
    *steps, last = staged(lambda progress: time.sleep(1.2))
    assert len(steps) >= 2
    assert all(re.fullmatch(r"evaluate: \d+ s so far", line) for line in steps)
    assert re.fullmatch(r"evaluate: took \d+ s", last)


def test_a_task_in_a_stage_is_shown_instead_of_it():
    lines = staged(lambda progress: work(progress, pause=0.3, label="rank"))
    assert [line for line in lines if line.startswith("evaluate")] == []
    assert any(re.fullmatch(r"rank: \d/4 \(\d+%\), \d+ s left", line) for line in lines)


def test_a_task_in_a_stage_is_shown_in_time_though_a_single_step_takes_long():
    def slow(progress):
        with progress.task("rank", 2) as task:
            time.sleep(1.0)
            task.advance(2)

    lines = staged(slow)
    assert lines.count("rank: 0/2, 0 s so far") >= 1
    assert lines[-1] == "rank: 2/2 in 1 s"


def test_a_short_stage_writes_nothing():
    assert staged(lambda progress: time.sleep(0.3), grace=5.0) == []


def test_a_stage_that_fails_raises_and_leaves_no_thread():
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="no rank"):
        staged(fail_to_rank)
    assert threading.active_count() == before


def fail_to_rank(progress):
    time.sleep(0.3)
    raise RuntimeError("no rank")


def test_a_quiet_stage_writes_nothing():
    assert staged(lambda progress: time.sleep(0.3), quiet=True) == []


def test_the_length_of_a_task_may_become_known_while_it_is_under_way():
    stream = io.StringIO()
    with Progress(stream=stream, grace=0.0, interval=0.0).task("play", None) as task:
        task.advance()
        task.total = 4
        task.advance()
    assert stream.getvalue().splitlines()[:2] == [
        "play: 1, 0 s so far",
        "play: 2/4 (50%), 0 s left",
    ]


def test_a_long_stage_in_a_pipe_prints_lines_at_intervals_with_fraction_and_time_left():
    script = textwrap.dedent("""
        import time
        from mezzanine_core.progress import Progress
        progress = Progress(grace=0.4, interval=0.5)
        with progress.stage("load"):
            time.sleep(1.2)
            with progress.task("play episodes", 20) as task:
                for _ in range(20):
                    time.sleep(0.1)
                    task.advance()
    """)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    lines = done.stderr.splitlines()
    assert done.stdout == ""
    assert sum(bool(re.fullmatch(r"load: \d+ s so far", line)) for line in lines) >= 1
    shown = [
        re.fullmatch(r"play episodes: (\d+)/20 \((\d+)%\), \d+ s left", line) for line in lines
    ]
    fractions = [int(match[1]) for match in shown if match]
    assert len(fractions) >= 3
    assert fractions == sorted(fractions)
    assert re.fullmatch(r"play episodes: 20/20 in \d+ s", lines[-1])


def test_a_stage_on_a_terminal_shows_the_time_so_far_in_place_of_steps():
    script = textwrap.dedent("""
        import time
        from mezzanine_core.progress import Progress

        with Progress(grace=0.2) as progress, progress.stage("evaluate"):
            time.sleep(1.2)
    """)
    code, output, shown = on_a_terminal(script)
    assert (code, output) == (0, "")
    assert re.search(r"evaluate.*━.*[01] s so far", shown)
    assert "0/?" not in shown
