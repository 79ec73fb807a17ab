#!/usr/bin/env python3
"""Counts single tests in the log of Meson: test_results.py STAGE STATUS TESTLOG RESULTS FAILURES.

Appends "passed|failed|skipped<tab>name" to RESULTS and, for what failed, its name and the end of its
output to FAILURES. Reads cmocka's lines and TAP; a program that prints neither counts as one test.
A program that dies, or ends badly without naming a failure, is a failure too."""
import json
import re
import sys

SHOWN_LINES = 60

CMOCKA = re.compile(r"^\[ +(RUN|OK|FAILED|ERROR|SKIPPED) +\] (.+)$", re.MULTILINE)
CMOCKA_COUNT = re.compile(r"^(\d+ test\(s\)|---)")  # totals and messages, no names
TAP = re.compile(r"^(not )?ok\b *\d* *-? *([^#\n]*?) *(#.*)?$", re.MULTILINE)
TAP_PLAN = re.compile(r"^1\.\.(\d+)", re.MULTILINE)


def cmocka_results(text):
    """{name: status} of the test functions that a cmocka program started."""
    found = {}
    for word, name in CMOCKA.findall(text):
        if CMOCKA_COUNT.match(name):
            continue
        if word == "RUN":
            found.setdefault(name, "failed")  # until it says that it ended well
        elif word in ("FAILED", "ERROR"):
            found[name] = "failed"
        elif found.get(name) != "failed" or word in ("OK", "SKIPPED"):
            found[name] = "passed" if word == "OK" else "skipped"
    return found


def tap_results(text):
    """{name: status}, with a row for each test that was planned and never reported."""
    found = {}
    for number, (bad, name, directive) in enumerate(TAP.findall(text), 1):
        is_skip = directive.upper().startswith(("# SKIP", "#SKIP"))
        found[name or "test %d" % number] = "failed" if bad else "skipped" if is_skip else "passed"
    plan = TAP_PLAN.search(text)
    for number in range(len(found) + 1, int(plan.group(1)) + 1 if plan else 0):
        found["test %d did not run" % number] = "failed"
    return found


def results_of(row):
    """{name: status} of one row of Meson's log; "" names the program itself."""
    out = row.get("stdout", "")
    text = out + "\n" + row.get("stderr", "")
    if CMOCKA.search(text):
        found = cmocka_results(text)
    elif TAP_PLAN.search(out):
        found = tap_results(out)
    else:
        found = {}
    if row["result"] == "SKIP":
        return found or {"": "skipped"}
    if row["result"] == "OK":
        # Meson saw it succeed: one that reports a failure all the same stays a failure.
        return found or {"": "passed"}
    if "failed" not in found.values():
        found["ended as %s (%s)" % (row["result"], row["returncode"])] = "failed"
    return found


def failure_text(name, names, row):
    text = "".join("%s\n" % row.get(key, "").rstrip() for key in ("stdout", "stderr") if row.get(key))
    lines = text.splitlines()[-SHOWN_LINES:]
    return "\n---- %s: %s\n%s\n" % (name, ", ".join(names) or "failed", "\n".join(lines))


def main():
    stage, status, log, results, failures = sys.argv[1:]
    count = failed = 0
    with open(log, encoding="utf-8") as f, open(results, "a", encoding="utf-8") as out, \
            open(failures, "a", encoding="utf-8") as report:
        for line in f:
            row = json.loads(line)
            name = "%s: %s" % (stage, row["name"].split(" / ")[-1])
            found = results_of(row)
            for test, state in found.items():
                out.write("%s\t%s%s\n" % (state, name, ": " + test if test else ""))
            bad = [test for test, state in found.items() if state == "failed"]
            if bad:
                report.write(failure_text(name, bad, row))
            count += len(found)
            failed += len(bad)
    if count == 0 or (status != "0" and failed == 0):
        print("meson test ended with %s, and no test says why" % status)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
