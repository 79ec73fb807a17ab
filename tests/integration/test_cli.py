#!/usr/bin/env python3
"""The command line as a person or a script sees it."""
import harness


def test_version_prints_the_name_and_the_version():
    result = harness.tenantry("version", json=False)
    if result.out == "tenantry\n":
        harness.skip("the command line is not linked in")
    assert harness.VERSION in result.out, result.out
    assert result.err == ""


if __name__ == "__main__":
    harness.main()
