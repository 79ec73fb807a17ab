#!/usr/bin/env python3
"""How rollouts end that are aborted, undone or resumed at an awkward moment."""
import json
import os
import signal

import harness
from rollout_kit import Vault, check, ended, start_and_hold

shared = harness.shared_server


def vault(name, *slugs):
    made = Vault(shared(), name)
    made.create(*slugs)
    return made


def go_on(child):
    os.kill(child.pid, signal.SIGCONT)
    return ended(child)


def wish(rollout):
    return shared().psql("SELECT coalesce(wanted, '-') FROM tenantry.rollouts WHERE job_id = %s" % rollout)


# --- what is refused changes nothing


def test_an_abort_of_a_rollout_that_is_done_leaves_it_done():
    made = vault("isdone", "isdone-a")
    made.add_column()
    rollout = str(made.migrate("up")["rollout"])
    shared().refused("job_state", "migrate", "abort", rollout, says=("is done",))
    assert (made.newest()["state"], wish(rollout)) == ("done", "-"), made.newest()


def test_a_resume_of_a_rollout_that_was_aborted_leaves_it_aborted():
    made = vault("isended", "isended-a", "isended-b")
    made.add_column()
    made.refused("up", "--waves", "1,100%", "--gate", "false", code="gate_shut")
    rollout = str(made.newest()["rollout"])
    shared().tenantry("migrate", "abort", rollout)
    shared().refused("job_state", "migrate", "resume", rollout, says=("is done",))
    assert (made.newest()["state"], wish(rollout)) == ("aborted", "abort"), made.newest()


def test_a_resume_of_a_rollout_that_runs_does_not_withdraw_an_abort():
    made = vault("isrun", "isrun-a", "isrun-b")
    made.add_column()
    child, rollout = start_and_hold(made, "--waves", "1,100%")
    shared().tenantry("migrate", "abort", rollout)
    shared().refused("job_busy", "migrate", "resume", rollout, says=("migrate pause %s" % rollout, "migrate abort"))
    shared().refused("job_busy", "job", "resume", rollout, says=("job show %s" % rollout,))
    status, out, err = go_on(child)
    assert status == 0 and json.loads(out)["done"] == 1, (out, err)
    assert made.newest()["state"] == "aborted", made.newest()
    check(shared())


if __name__ == "__main__":
    harness.main()
