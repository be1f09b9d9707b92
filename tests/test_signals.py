"""Runs ended from outside: soon, with whole lines only, logged out, and not as a success."""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import pytest
from support import DEADLINE, STREAMS, finished, selecting

from looker_emulator import Emulator, Fault

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and pipes of POSIX")

SOON = 20.0  # seconds; the tap gives itself 5


def wait_for(condition):
    """Until something is so that nothing announces."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def assert_ended_cleanly(run, emulator, exit_code):
    assert run.exit_code == exit_code, run.stderr
    assert "Traceback" not in run.stderr
    assert emulator.count("/logout", "DELETE") == 1
    assert emulator.calls[-1].path == "/logout"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_middle(runner_of, clean, number):
    with Emulator(latency_ms=150) as emulator:
        process = runner_of(emulator).start(concurrency=1)
        begin = process.stdout.readline() + process.stdout.readline()
        process.send_signal(number)
        run = finished(process, begin, timeout=SOON)
        assert_ended_cleanly(run, emulator, 128 + number)
        assert len(emulator.calls) < 20, "of 30"
    assert run.messages[-1]["type"] == "STATE"
    assert set(run.states[-1].get("bookmarks", {})) < set(STREAMS)
    assert clean.stdout.count("\n") > len(run.messages) > 2
    assert "Interrupted" in run.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_looker_is_silent(runner_of, number):
    with Emulator() as emulator:
        fault = emulator.add_fault(Fault("silence", "/looks/search", times=None))
        process = runner_of(emulator).start(catalog=selecting("folders", "looks"))
        begin = process.stdout.readline() + process.stdout.readline()
        wait_for(lambda: fault.fired)
        process.send_signal(number)
        run = finished(process, begin, timeout=SOON)
        assert_ended_cleanly(run, emulator, 128 + number)
    assert len(run.records["folders"]) > 0
    assert "looks" not in run.schemas


@pytest.mark.parametrize("silent", ["/looks/search", "/roles/search*"])
def test_a_signal_with_streams_that_tell_who_the_user_is(runner_of, silent):
    """What the last lines would say is not read when the run has been interrupted."""
    with Emulator() as emulator:
        fault = emulator.add_fault(Fault("silence", silent, times=None))
        streams = ("current_user", "folders", "looks", "roles", "users")
        process = runner_of(emulator).start(catalog=selecting(*streams), concurrency=1)
        wait_for(lambda: fault.fired)
        process.send_signal(signal.SIGTERM)
        run = finished(process, timeout=SOON)
        assert_ended_cleanly(run, emulator, 128 + signal.SIGTERM)
    assert "unexpected" not in run.stderr


def test_a_signal_during_a_long_pause(runner_of):
    with Emulator() as emulator:
        fault = emulator.add_fault(
            Fault("status", "/users/search", times=None, status=503, retry_after=500)
        )
        process = runner_of(emulator).start(catalog=selecting("users"))
        wait_for(lambda: fault.fired)
        process.send_signal(signal.SIGTERM)
        assert_ended_cleanly(finished(process, timeout=SOON), emulator, 128 + signal.SIGTERM)


def test_a_signal_during_the_login(runner_of):
    with Emulator() as emulator:
        fault = emulator.add_fault(Fault("silence", "/login", times=None))
        process = runner_of(emulator).start()
        wait_for(lambda: fault.fired)
        process.send_signal(signal.SIGTERM)
        run = finished(process, timeout=SOON)
    assert run.exit_code == 128 + signal.SIGTERM
    assert run.records == run.schemas == {}
    assert "Traceback" not in run.stderr


def test_a_signal_while_the_token_is_renewed(runner_of):
    with Emulator(token_lifetime=1, latency_ms=200) as emulator:
        fault = emulator.add_fault(Fault("silence", "/login", after=1, times=None))
        selection = selecting(only={"queries": {"id"}})
        process = runner_of(emulator).start(concurrency=1, catalog=selection)
        wait_for(lambda: fault.fired)
        process.send_signal(signal.SIGTERM)
        run = finished(process, timeout=SOON)
    assert run.exit_code == 128 + signal.SIGTERM
    assert "Traceback" not in run.stderr


def test_a_second_signal_ends_at_once(runner_of):
    with Emulator() as emulator:
        fault = emulator.add_fault(Fault("silence", "/users/search", times=None))
        process = runner_of(emulator).start(catalog=selecting("users"))
        wait_for(lambda: fault.fired)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert finished(process, timeout=SOON).exit_code == 128 + signal.SIGINT


@pytest.mark.parametrize("lines", [1, 60])
def test_a_target_that_dies(runner_of, lines):
    with Emulator() as emulator:
        process = runner_of(emulator).start()
        for _ in range(lines):
            json.loads(process.stdout.readline())
        process.stdout.close()
        stderr = process.stderr.read().decode()
        process.stderr.close()
        assert process.wait(SOON) == 1
        assert "Traceback" not in stderr
        assert "BrokenPipeError" not in stderr
        (error,) = [line for line in stderr.splitlines() if "| ERROR" in line]
        assert "target has stopped reading" in error
        assert emulator.count("/logout", "DELETE") == 1


def test_a_target_that_dies_of_the_same_signal(runner_of):
    """Ctrl-C in a shell goes to both ends of the pipe."""
    with Emulator(latency_ms=150) as emulator:
        process = runner_of(emulator).start(concurrency=1)
        json.loads(process.stdout.readline())
        process.stdout.close()
        process.send_signal(signal.SIGINT)
        stderr = process.stderr.read().decode()
        process.stderr.close()
        # Python itself may already be on its way out when the signal comes: -2.
        assert process.wait(SOON) in (1, 128 + signal.SIGINT, -signal.SIGINT)
        assert "Traceback" not in stderr
        assert "BrokenPipeError" not in stderr
        assert emulator.count("/logout", "DELETE") == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="how full a pipe is")
def test_a_target_that_stops_reading(runner_of, clean):
    import fcntl  # noqa: PLC0415 - not there on Windows
    import termios  # noqa: PLC0415

    def waiting():
        count = fcntl.ioctl(process.stdout, termios.FIONREAD, b"\0" * 4)
        return int.from_bytes(count, sys.byteorder)

    with Emulator() as emulator:
        process = runner_of(emulator).start()
        pipe = fcntl.fcntl(process.stdout, fcntl.F_GETPIPE_SZ)
        assert len(clean.stdout) > 2 * pipe
        wait_for(lambda: waiting() > pipe * 3 // 4)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SOON) == 128 + signal.SIGTERM
        stdout, stderr = process.communicate()
        assert b"Traceback" not in stderr
        assert emulator.count("/logout", "DELETE") == 1
        json.loads(stdout.splitlines()[0])
