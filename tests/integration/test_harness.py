#!/usr/bin/env python3
"""The test framework itself: a framework that loses a failure makes every other test worthless."""
import os
import subprocess
import sys

import harness

SAMPLE = """
import sys
sys.path.insert(0, %r)
import harness

def test_good():
    pass

def test_bad():
    assert 1 == 2, "one is not two"

def test_left():
    harness.skip("no such thing here")

def test_after_a_failure():
    assert "TENANTRY_DATA_DIR" not in harness.environment()
    assert "PGHOST" not in harness.environment()

harness.main()
"""


def run_sample(*names):
    with harness.temporary_folder() as folder:
        path = os.path.join(folder, "sample.py")
        with open(path, "w", encoding="utf-8") as f:
            f.write(SAMPLE % os.path.dirname(os.path.abspath(__file__)))
        env = {**os.environ, "TENANTRY_DATA_DIR": "/elsewhere", "PGHOST": "elsewhere", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run([sys.executable, path, *names], env=env, capture_output=True, text=True, check=False)


def test_failures_and_skips_are_told_and_the_later_tests_run():
    done = run_sample()
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    assert lines == [
        "1..4", "ok 1 - test_good", "not ok 2 - test_bad", "ok 3 - test_left # SKIP no such thing here",
        "ok 4 - test_after_a_failure"], done.stdout
    assert "one is not two" in done.stdout
    assert done.returncode == 1


def test_one_test_can_be_chosen():
    done = run_sample("test_good")
    assert done.stdout.startswith("1..1\nok 1 - test_good\n"), done.stdout
    assert done.returncode == 0
    assert run_sample("test_gone").returncode == 2


def test_a_wrong_exit_status_is_raised_with_what_was_printed():
    try:
        harness.run(["sh", "-c", "echo spoken; echo cried >&2; exit 3"])
    except harness.CommandFailed as e:
        assert "exit status 3" in str(e) and "spoken" in str(e) and "cried" in str(e), str(e)
    else:
        raise AssertionError("the exit status was not looked at")
    assert harness.run(["sh", "-c", "exit 3"], expect=3).status == 3
    assert harness.run(["sh", "-c", "kill -9 $$"], expect=None).status == -9


def test_a_folder_is_open_for_the_user_of_the_server_and_removed():
    with harness.temporary_folder() as folder:
        assert os.stat(folder).st_mode & 0o777 == 0o755
    assert not os.path.exists(folder)


def test_a_spawned_program_ends_with_the_server_it_belongs_to():
    with harness.Server() as server:
        binary, harness.BINARY = harness.BINARY, "/bin/sleep"
        try:
            child = server.spawn("1000")
        finally:
            harness.BINARY = binary
        assert harness.is_running(child.pid)
    assert not harness.is_running(child.pid)


def test_a_pid_file_that_names_another_program_is_no_server_of_ours():
    with harness.Server() as server:
        place = os.path.join(server.data_dir, "pg")
        os.makedirs(place)
        with open(os.path.join(place, "postmaster.pid"), "w", encoding="utf-8") as f:
            f.write("%d\n" % os.getpid())
        assert server.server_pid() is None


if __name__ == "__main__":
    harness.main()
