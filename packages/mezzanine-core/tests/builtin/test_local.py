"""The local executor, with real processes."""

import contextlib
import importlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import CancelledError, Future
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from mezzanine_core.builtin import local
from mezzanine_core.builtin.local import LocalConfig, LocalExecutor, usable_cpus
from mezzanine_core.errors import ConfigError, WorkerError

TASKS = """
import os
import signal
import sys
import time

import numpy as np

from mezzanine_core.errors import ConfigError


def square(x):
    return x * x


def nap_less_and_less(x):
    time.sleep(max(0.0, 0.2 - 0.05 * x))
    return x


def pid(_):
    return os.getpid()


def environment(name):
    return os.environ.get(name)


def reciprocal(x):
    return 1 / x


def refuse(_):
    raise ConfigError("not like this", hint="like that")


class Peculiar(Exception):
    def __init__(self, one, two):
        super().__init__(one + two)


def raise_peculiar(_):
    raise Peculiar("a", "b")


def unpicklable(_):
    return lambda: None


def leave(code):
    os._exit(code)


def kill_yourself(_):
    os.kill(os.getpid(), signal.SIGKILL)


def pid_then_much(path):
    with open(path, "w") as file:
        file.write(str(os.getpid()))
    return bytes(200_000_000)


def nap(path):
    with open(f"{path}.{os.getpid()}", "w"):
        pass
    time.sleep(600)


def shout(_):
    print("on stdout", flush=True)


def draw(seed):
    return np.random.default_rng(seed).normal(size=50_000)
"""


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    """A module that workers can import: what pytest imports, they cannot."""
    name = f"tasks_of_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(TASKS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module(name)
    del sys.modules[name]


@pytest.fixture
def pair():
    with LocalExecutor(LocalConfig(workers=2)) as executor:
        yield executor


def wait_for(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_one_worker_is_the_calling_thread(tasks):
    with LocalExecutor(LocalConfig(workers=1)) as executor:
        assert set(executor.map(tasks.pid, range(3))) == {os.getpid()}


def test_several_workers_are_other_processes(tasks, pair):
    pids = set(pair.map(tasks.pid, range(8)))
    assert os.getpid() not in pids
    assert 1 <= len(pids) <= 2


def test_results_come_in_the_order_of_the_tasks(tasks, pair):
    assert list(pair.map(tasks.nap_less_and_less, range(6))) == list(range(6))


def test_results_do_not_depend_on_the_number_of_workers(tasks, pair):
    with LocalExecutor(LocalConfig(workers=1)) as single:
        expected = list(single.map(tasks.draw, range(7)))
    found = list(pair.map(tasks.draw, range(7)))
    assert len(found) == len(expected)
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_array_equal(left, right)


def test_no_tasks_start_no_processes(tasks, pair):
    assert list(pair.map(tasks.square, [])) == []
    assert pair._crew is None or not pair._crew._workers


@pytest.mark.parametrize("workers", [1, 2])
def test_tasks_are_consumed_lazily_within_a_bounded_window(tasks, workers):
    taken = 0

    def endless():
        nonlocal taken
        while True:
            yield taken
            taken += 1

    with LocalExecutor(LocalConfig(workers=workers)) as executor:
        results = executor.map(tasks.square, endless())
        assert taken == 0
        for given in range(1, 20):
            assert next(results) == (given - 1) ** 2
            assert taken <= given + 2 * workers


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_comes_at_the_place_of_its_task(tasks, workers):
    with LocalExecutor(LocalConfig(workers=workers)) as executor:
        results = executor.map(tasks.reciprocal, [1, 2, 0, 4])
        assert next(results) == 1
        assert next(results) == 0.5
        with pytest.raises(ZeroDivisionError):
            next(results)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_of_the_input_comes_after_the_results_before_it(tasks, workers):
    def source():
        yield 2
        yield 3
        raise OSError("the disk is gone")

    found = []
    with LocalExecutor(LocalConfig(workers=workers)) as executor:
        with pytest.raises(OSError, match="the disk is gone"):
            found.extend(executor.map(tasks.square, source()))
        results = executor.map(tasks.square, source())
        assert [next(results), next(results)] == [4, 9]


def test_an_executor_goes_on_after_an_exception(tasks, pair):
    with pytest.raises(ZeroDivisionError):
        list(pair.map(tasks.reciprocal, [0]))
    assert list(pair.map(tasks.square, [3])) == [9]


def test_a_typed_error_arrives_whole_and_says_where_it_arose(tasks, pair):
    with pytest.raises(ConfigError) as caught:
        list(pair.map(tasks.refuse, [None]))
    assert (caught.value.message, caught.value.hint) == ("not like this", "like that")
    assert "in refuse" in caught.value.__notes__[0]


def test_an_exception_that_cannot_travel_is_described(tasks, pair):
    with pytest.raises(WorkerError, match="Peculiar: ab"):
        list(pair.map(tasks.raise_peculiar, [None]))
    assert list(pair.map(tasks.square, [3])) == [9]


def test_what_cannot_be_pickled_is_an_exception_and_no_hang(tasks, pair):
    with pytest.raises(Exception, match="pickle"):
        list(pair.map(lambda x: x, [1]))
    with pytest.raises(Exception, match="pickle"):
        list(pair.map(tasks.unpicklable, [None]))
    assert list(pair.map(tasks.square, [3])) == [9]


def test_a_worker_that_exits_is_a_clear_error(tasks, pair):
    with pytest.raises(WorkerError, match="exited with code 7") as caught:
        list(pair.map(tasks.leave, [7]))
    assert "--workers 1" in caught.value.hint
    assert list(pair.map(tasks.square, [3])) == [9]


def test_a_worker_that_is_killed_is_a_clear_error(tasks, pair):
    with pytest.raises(WorkerError, match="signal 9") as caught:
        list(pair.map(tasks.kill_yourself, range(5)))
    assert "memory" in caught.value.hint


def test_a_worker_that_is_killed_while_it_replies_is_no_hang(tasks, tmp_path):
    script = tmp_path / "killed_reply.py"
    script.write_text(
        textwrap.dedent(f"""
        import os, signal, sys, threading, time
        from pathlib import Path
        sys.path.insert(0, {str(tmp_path)!r})
        from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
        from mezzanine_core.errors import WorkerError
        import {tasks.__name__} as tasks

        def received():
            return int(Path("/proc/self/io").read_text().split("rchar: ")[1].split()[0])

        def kill_in_the_middle(path):
            before = received()
            while received() < before + 10_000_000:
                time.sleep(0.001)
            os.kill(int(path.read_text()), signal.SIGKILL)

        if __name__ == "__main__":
            path = Path({str(tmp_path / "pid")!r})
            threading.Thread(target=kill_in_the_middle, args=(path,), daemon=True).start()
            with LocalExecutor(LocalConfig(workers=2)) as executor:
                try:
                    list(executor.map(tasks.pid_then_much, [str(path)]))
                except WorkerError as error:
                    print(error.message)
        """)
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=60, check=True
    )
    assert "signal 9" in done.stdout


def test_close_kills_workers_in_the_middle_of_a_task(tasks, pair, tmp_path, gone):
    results = pair.map(tasks.nap, [str(tmp_path / "napping")] * 2)
    caught = []

    def consume():
        try:
            list(results)
        except WorkerError as error:
            caught.append(error)

    thread = threading.Thread(target=consume)
    thread.start()
    wait_for(lambda: len(list(tmp_path.glob("napping.*"))) == 2)
    pids = [int(path.suffix[1:]) for path in tmp_path.glob("napping.*")]
    pair.close()
    assert gone(pids)
    thread.join(10)
    assert "closed" in caught[0].message


def test_close_is_idempotent_and_a_closed_executor_starts_anew(tasks, gone):
    executor = LocalExecutor(LocalConfig(workers=2))
    executor.close()
    first = set(executor.map(tasks.pid, range(4)))
    executor.close()
    executor.close()
    assert gone(first)
    second = set(executor.map(tasks.pid, range(4)))
    executor.close()
    assert first.isdisjoint(second)


def test_a_map_that_is_under_way_when_the_executor_closes_says_so(tasks, pair):
    results = pair.map(tasks.square, range(100))
    assert next(results) == 0
    pair.close()
    with pytest.raises(WorkerError, match="closed"):
        list(results)


def test_nobody_waits_for_a_task_that_was_cancelled_before_a_worker_took_it():
    future = Future()
    future.cancel()
    with pytest.raises(CancelledError):
        local._outcome(future)


def test_workers_use_one_thread_each_unless_told_otherwise(tasks, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    with LocalExecutor(LocalConfig(workers=2)) as executor:
        names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS"]
        assert list(executor.map(tasks.environment, names)) == ["1", "3"]
    assert "OMP_NUM_THREADS" not in os.environ


def test_what_workers_print_stays_off_stdout(tasks, pair, capfd):
    list(pair.map(tasks.shout, [None]))
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "on stdout" in captured.err


def test_workers_are_by_default_as_many_as_usable_cpus():
    assert LocalExecutor(LocalConfig()).workers == usable_cpus() >= 1
    if sys.platform == "linux":
        assert usable_cpus() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("workers", [0, -1])
def test_fewer_than_one_worker_is_refused(workers):
    with pytest.raises(ValidationError):
        LocalConfig(workers=workers)


NAPPING = """
import sys
sys.path.insert(0, {folder!r})
from mezzanine_core.builtin.local import LocalConfig, LocalExecutor
import {module} as tasks

if __name__ == "__main__":
    try:
        with LocalExecutor(LocalConfig(workers=2)) as executor:
            list(executor.map(tasks.nap, [{path!r}] * 4))
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.fixture
def napping(tasks, tmp_path):
    """A process whose two workers sleep for ten minutes, and the ids of the workers."""
    path = tmp_path / "napping"
    script = tmp_path / "script.py"
    script.write_text(NAPPING.format(folder=str(tmp_path), module=tasks.__name__, path=str(path)))
    process = subprocess.Popen(
        [sys.executable, script], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(lambda: len(list(tmp_path.glob("napping.*"))) == 2)
    yield process, [int(path.suffix[1:]) for path in tmp_path.glob("napping.*")]
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()


def test_ctrl_c_ends_parent_and_workers_promptly_and_quietly(napping, gone):
    process, workers = napping
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert errors == ""
    assert gone(workers)


def test_ctrl_c_while_workers_start_is_quiet_too(tasks, tmp_path, gone):
    script = tmp_path / "script.py"
    path = str(tmp_path / "napping")
    script.write_text(NAPPING.format(folder=str(tmp_path), module=tasks.__name__, path=path))
    process = subprocess.Popen(
        [sys.executable, script], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(lambda: len(children(process.pid)) >= 2)
    started = children(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert errors == ""
    assert gone(started)


def children(pid: int) -> list[int]:
    try:
        return [
            int(child)
            for thread in Path(f"/proc/{pid}/task").iterdir()
            for child in (thread / "children").read_text().split()
        ]
    except FileNotFoundError:
        return []


def test_workers_do_not_outlive_a_parent_that_is_killed(napping, gone):
    process, workers = napping
    process.kill()
    process.wait()
    assert gone(workers)
