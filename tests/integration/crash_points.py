"""The fault points that the source has, so that one that no test passes is noticed.

A point is a literal, FAULT("tenant.purge.dropped"), or one of those that the job runner has for each step of each
kind of job: the names come from the tables of steps."""
import os
import re

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src")

LITERAL = re.compile(r'\bFAULT\("([^"]+)"\)')
STEPS = re.compile(r"JobStep (\w+)\[\] = \{(.*?)\{0\}", re.S)
STEP = re.compile(r'\{"(\w+)",.*?,\s*(JOB_STEP_\w+),', re.S)
KIND = re.compile(r'JobKind \w+\s*=\s*\{\s*\.operation = "([\w.]+)",\s*\.steps = (\w+)', re.S)

MOMENTS = {
    "JOB_STEP_TRANSACTION": ("begin", "before_commit", "after_commit"),
    "JOB_STEP_FREE": ("begin", "after"),
}


def sources():
    """The text of each C file."""
    for folder, _, names in os.walk(SOURCE):
        for name in sorted(names):
            if name.endswith(".c") and name != "fault.c":
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    yield f.read()


def literals():
    """The points that are written out."""
    return {name for text in sources() for name in LITERAL.findall(text)}


def of_steps():
    """The points of the job runner: {operation: set of names}."""
    found = {}
    for text in sources():
        steps = dict(STEPS.findall(text))
        for operation, table in KIND.findall(text):
            found[operation] = {"%s.%s.%s" % (operation, name, moment)
                                for name, mode in STEP.findall(steps[table]) for moment in MOMENTS[mode]}
    return found
