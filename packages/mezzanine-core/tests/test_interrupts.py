"""Ctrl-C that neither gets lost nor comes at the wrong moment, with real signals."""

import gc
import signal
import threading
import weakref

import pytest

from mezzanine_core.interrupts import interrupts_deferred, interrupts_kept
from mezzanine_core.progress import Progress


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


def lose_ctrl_c():
    """Press Ctrl-C where Python prints the exception and goes on: in a callback from C."""

    class Thing:
        pass

    thing = Thing()
    callback = weakref.ref(thing, lambda _: press_ctrl_c())
    del thing
    gc.collect()
    assert callback() is None


@pytest.fixture(autouse=True)
def handler():
    before = signal.getsignal(signal.SIGINT)
    yield before
    assert signal.getsignal(signal.SIGINT) is before


def test_a_deferred_interrupt_comes_after_the_work():
    done = []

    def work():
        with interrupts_deferred():
            press_ctrl_c()
            done.append("in the block")
        done.append("after it")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["in the block"]


def test_an_interrupt_within_a_callback_from_c_can_be_deferred():
    with pytest.raises(KeyboardInterrupt), interrupts_deferred():
        lose_ctrl_c()


def test_a_deferred_interrupt_follows_an_error():
    def fail():
        with interrupts_deferred():
            press_ctrl_c()
            raise ValueError("broken")

    with pytest.raises(KeyboardInterrupt) as caught:
        fail()
    assert isinstance(caught.value.__context__, ValueError)


def test_without_an_interrupt_nothing_is_raised():
    with interrupts_deferred(), interrupts_deferred(), interrupts_kept() as check:
        check()


def test_deferring_within_deferring_raises_at_the_outer_end():
    done = []

    def work():
        with interrupts_deferred():
            with interrupts_deferred():
                press_ctrl_c()
            done.append("between")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["between"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_got_lost_is_raised_at_the_next_check():
    def work():
        with interrupts_kept() as check:
            check()
            lose_ctrl_c()
            with pytest.raises(KeyboardInterrupt):
                check()
            lost.append(True)
            check()

    lost = []
    with pytest.raises(KeyboardInterrupt):
        work()
    assert lost == [True]


def test_an_interrupt_that_does_not_get_lost_is_raised_at_once():
    def work():
        with interrupts_kept():
            press_ctrl_c()
            pytest.fail("the work went on")

    with pytest.raises(KeyboardInterrupt):
        work()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_work_whose_interrupt_got_lost_ends_when_it_advances():
    progress = Progress(quiet=True)

    def work():
        with interrupts_kept() as check, progress.checked(check), progress.task("render") as task:
            task.advance()
            lose_ctrl_c()
            task.advance()

    with pytest.raises(KeyboardInterrupt):
        work()
    with progress.task("afterwards", 1) as task:
        task.advance()


def test_an_ignored_interrupt_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts_deferred(), interrupts_kept() as check:
            press_ctrl_c()
            check()
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_leave_the_handler_alone(handler):
    seen = []

    def work():
        with interrupts_deferred(), interrupts_kept():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [handler]
