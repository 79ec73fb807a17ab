#!/usr/bin/env python3
"""What people see of a rollout: on a terminal while it runs, and when they ask for what its state does not allow."""
import errno
import fcntl
import os
import pty
import re
import signal
import struct
import termios

import harness
from rollout_kit import Vault, ended, in_order, start_and_hold, wait_until

shared = harness.shared_server

UNIQUE = ("ALTER TABLE boxes ADD CONSTRAINT boxes_what UNIQUE (what);\n",
          "ALTER TABLE boxes DROP CONSTRAINT boxes_what;\n")
COLUMNS = 80  # what a terminal has when nobody makes it wider
READ_BYTES = 4096


def vault(name, *slugs):
    made = Vault(shared(), name)
    made.create(*slugs)
    return made


def spoil(made, slug):
    """Rows that UNIQUE refuses."""
    made.sql(slug, "INSERT INTO boxes (id, what) VALUES (1, 'same'), (2, 'same')")


class Terminal:
    """A program whose standard error is a terminal; text has what it wrote so far."""

    def __init__(self, *args):
        self.text = ""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        os.set_blocking(self._master, False)
        self.child = shared().spawn(*args, env={"TERM": "xterm"}, stderr=slave)
        os.close(slave)

    def read(self):
        """Whether there was something; nothing comes any more from one that has ended."""
        try:
            self.text += os.read(self._master, READ_BYTES).decode(errors="replace")
        except OSError as e:
            if e.errno not in (errno.EAGAIN, errno.EIO):
                raise
            return False
        return True

    def shows(self, pattern):
        self.read()
        return re.search(pattern, self.text) is not None

    def end(self):
        self.child.wait(harness.COMMAND_TIMEOUT_S)
        while self.read():
            pass
        os.close(self._master)
        return self.child.returncode


def test_a_terminal_shows_wave_rate_rest_and_failures():
    made = vault("shown", *("shown-%d" % n for n in range(4)))
    made.add(*UNIQUE)
    order = in_order(made)
    spoil(made, order[0])
    with harness.Session(made.superuser) as locker:
        locker.ask('BEGIN; SELECT * FROM "%s".boxes;' % made.schema(order[2]))
        terminal = Terminal("migrate", "up", made.name, "--waves", "1,100%", "--max-failures", "1", "--lock-timeout", "60s")
        wait_until(lambda: terminal.shows(r"Moving places, wave 2 of 2 \[#+\.+\] 2/4  50%  [0-9.]+/s, \d+\S+ left, 1 failed"),
                   "wave, places, rate, rest and failures are not shown")
        locker.ask("ROLLBACK;")
    assert terminal.end() == 0, terminal.text
    assert re.search(r"Moving places, wave 1 of 2 \[\.+\] 0/4   0%\r", terminal.text), terminal.text
    assert "done: 3, failed: 1" in terminal.child.stdout.read()


def test_a_terminal_shows_that_places_are_taken_back():
    made = vault("takes", "takes-a", "takes-b")
    made.add(*UNIQUE)
    spoil(made, in_order(made)[1])
    terminal = Terminal("migrate", "up", made.name, "--waves", "1,100%", "--on-failure", "undo")
    assert terminal.end() == harness.exit_statuses()["places_failed"], terminal.text
    assert re.search(r"Taking places back \[\.+\] 0/1   0%", terminal.text), terminal.text


def test_what_no_terminal_shows_is_a_line_for_each_wave():
    made = vault("lines", "lines-a", "lines-b")
    made.add_column()
    child = shared().spawn("migrate", "up", made.name, "--waves", "1,100%")
    status, out, err = ended(child)
    assert status == 0, err
    waves = [line for line in err.splitlines() if "wave" in line and line.startswith("step ") and line.count("wave ") == 1]
    assert waves == ["step Moving places, wave 1 of 2", "step Asking the gates after wave 1",
                     "step Moving places, wave 2 of 2"], err
    assert "would run" not in out and "done: 2" in out, out
    assert "would run" in shared().tenantry("migrate", "down", made.name, "--to", "1", "--dry-run", json=False).out


def test_a_state_that_does_not_allow_a_command_says_which_ones_it_allows():
    made = vault("allows", "allows-a", "allows-b")
    made.add_column()
    child, rollout = start_and_hold(made, "--waves", "1,100%")
    runs = "rollout %s of blueprint \"allows\" is running" % rollout
    made.refused("up", says=(runs, "wait for it", "migrate pause " + rollout, "migrate abort " + rollout))
    os.kill(child.pid, signal.SIGINT)
    os.kill(child.pid, signal.SIGCONT)
    status, _, err = ended(child)
    assert status == harness.exit_statuses()["rollout_stopped"], err
    assert made.newest()["state"] == "paused", made.newest()
    open_hints = ("migrate resume " + rollout, "migrate abort " + rollout)
    made.refused("up", says=("rollout %s of blueprint \"allows\" is paused" % rollout, *open_hints))
    shared().refused("job_state", "migrate", "pause", rollout, says=("rollout %s is paused" % rollout, *open_hints))
    shared().refused("job_state", "job", "cancel", rollout, says=("migrate abort " + rollout,))
    assert shared().tenantry("migrate", "resume", rollout)["done"] == 2
    for verb in ("pause", "resume", "abort"):
        shared().refused("job_state", "migrate", verb, rollout,
                         says=("rollout %s is done" % rollout, "migrate up allows begins another"))


def test_a_blueprint_that_is_not_there_has_no_status():
    vault("mistyped", "mistyped-a")
    shared().refused("blueprint_missing", "migrate", "status", "mistypd", says=("mistypd", 'did you mean "mistyped"'))


def test_an_abort_that_came_before_an_interrupt_holds():
    made = vault("holds", "holds-a", "holds-b")
    made.add_column()
    child, rollout = start_and_hold(made, "--waves", "1,100%")
    os.kill(child.pid, signal.SIGINT)
    shared().tenantry("migrate", "abort", rollout)
    os.kill(child.pid, signal.SIGCONT)
    ended(child)
    wanted = shared().psql("SELECT wanted FROM tenantry.rollouts WHERE job_id = %s" % rollout)
    assert wanted == "abort", wanted
    shared().tenantry("migrate", "abort", rollout)
    assert made.newest()["state"] == "aborted", made.newest()


if __name__ == "__main__":
    harness.main()
