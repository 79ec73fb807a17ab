#!/usr/bin/env python3
"""The command line as a process, over the small table of double.c: test_program.py PROGRAM."""
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1])
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TERM": "xterm"}


def run(*arguments, env=None):
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, cwd=folder,
                              stdin=subprocess.DEVNULL, env=dict(ENVIRONMENT, **(env or {})), timeout=60)


def expect(result, status, out=None, err=None):
    assert result.returncode == status, result
    assert out is None or result.stdout == out, result.stdout
    assert err is None or result.stderr == err, result.stderr


def test_an_answer_goes_to_stdout_and_progress_to_stderr():
    expect(run("tenant", "create", "acme", "--blueprint", "x"), 0,
           "tenant acme is active\nslug  acme\ntier  schema\n", "step make roles\nstep make schema\n")


def test_json_is_one_line_without_progress():
    expect(run("tenant", "create", "acme", "--blueprint", "x", "--json"), 0,
           '{"slug":"acme","tier":"schema"}\n', "")


def test_an_error_in_json_leaves_stdout_empty():
    result = run("tenant", "create", "taken", "--blueprint", "x", "--json")
    expect(result, 73, "")
    assert json.loads(result.stderr)["error"]["code"] == "slug_taken"
    result = run("tenant", "creat", env={"TENANTRY_JSON": "true"})
    expect(result, 64, "")
    assert json.loads(result.stderr)["error"]["code"] == "usage"


def test_quiet_prints_only_what_was_asked_for():
    expect(run("-q", "tenant", "create", "acme", "--blueprint", "x"), 0, "", "")
    expect(run("-q", "tenant", "list", "--limit", "0"), 0, "none\n", "")


def test_text_that_is_no_data_is_not_printed_for_json():
    for args in (["man"], ["completion", "bash"], ["docs", "options"], ["docs", "errors"], ["help", "tenant"]):
        result = run(*args, "--json")
        expect(result, 64, "")
        assert json.loads(result.stderr)["error"]["code"] == "usage"
        expect(run(*args, "--no-json", env={"TENANTRY_JSON": "true"}), 0, err="")
    assert json.loads(run("help", "--json").stdout) == json.loads(run("docs", "operations", "--json").stdout)


def test_no_command_shows_the_overview_as_an_error():
    result = run()
    expect(result, 64, "")
    assert "usage: tenantry" in result.stderr
    expect(run("--help"), 0, err="")


def test_help_works_when_the_configuration_is_broken():
    expect(run("help", env={"TENANTRY_PORT": "x"}), 0, err="")
    result = run("status", env={"TENANTRY_PORT": "x"})
    expect(result, 78, "")
    first, hint = result.stderr.splitlines()
    assert first == 'tenantry: environment TENANTRY_PORT: "x" is not a whole number from 0 to 65535', first
    assert hint.startswith("hint: ") and "docs options" in hint, hint


def test_what_is_checked_names_the_parameter():
    result = run("tenant", "create", "Acme", "--blueprint", "x")
    expect(result, 64, "")
    assert 'hint: write "acme"' in result.stderr, result.stderr


def on_a_full_disk(*arguments):
    """The hint of a command whose answer cannot be written."""
    with open("/dev/full", "w") as full:
        process = subprocess.run([PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True,
                                 env=ENVIRONMENT, timeout=60)
    assert process.returncode == 74, process
    assert "No space left" in process.stderr, process.stderr
    return process.stderr.splitlines()[-1]


def test_a_full_disk_is_reported():
    assert on_a_full_disk("tenant", "list") == "hint: nothing was changed: write it elsewhere"
    on_a_full_disk("tenant", "list", "--limit", "9000")  # more than a buffer


def test_what_was_done_is_told_when_its_answer_cannot_be_written():
    done = "hint: the command itself was done, only its answer is lost: see "
    create = ["tenant", "create", "acme", "--blueprint", "x"]
    assert on_a_full_disk(*create) == done + '"tenantry tenant credentials acme"'
    assert on_a_full_disk("tenant", "purge", "acme", "--yes") == done + '"tenantry job list"'


def test_a_reader_that_goes_away_is_no_error():
    process = subprocess.Popen([PROGRAM, "tenant", "list", "--limit", "90000"], env=ENVIRONMENT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 0


def test_destruction_is_not_confirmed_without_a_terminal():
    result = run("tenant", "purge", "acme")
    expect(result, 64, "", 'tenantry: purging "acme" was not confirmed\nhint: add --yes\n')
    expect(run("tenant", "purge", "acme", "--yes"), 0, "purged\n")


def in_terminal(typed, *arguments):
    child, terminal = pty.fork()
    if child == 0:
        os.execve(PROGRAM, [PROGRAM, *arguments], ENVIRONMENT)
    os.write(terminal, typed)
    output = b""
    while select.select([terminal], [], [], 60)[0]:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # Linux says EIO when the other side is closed
            break
        if not piece:
            break
        output += piece
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), output.decode()


def test_a_person_confirms_by_typing_the_name():
    status, output = in_terminal(b"acme\n", "tenant", "purge", "acme")
    assert status == 0 and "type acme to confirm:" in output and "purged" in output, output
    assert in_terminal(b"yes\n", "tenant", "purge", "acme")[0] == 64


def test_a_terminal_sees_a_bar_and_colour():
    status, output = in_terminal(b"", "tenant", "create", "acme", "--blueprint", "x")
    assert status == 0 and "2/2 100%" in output, output
    assert "\x1b[31mtenantry:" in in_terminal(b"", "zebra")[1]


def test_config_show_says_where_values_come_from():
    result = run("config", "show", "--json", "--port", "7", env={"TENANTRY_RETRIES": "5",
                                                               "TENANTRY_MASTER_KEY": "ab" * 32})
    expect(result, 0, err="")
    options = {option["name"]: option for option in json.loads(result.stdout)["options"]}
    assert options["port"]["value"] == "7" and options["port"]["from"] == "flag --port"
    assert options["retries"]["from"] == "environment TENANTRY_RETRIES"
    assert options["color"]["from"] == "default"
    assert options["master-key"]["value"] == "(hidden)"
    assert "abab" not in result.stdout


def test_manual_page_is_clean_roff():
    page = run("man").stdout
    if shutil.which("mandoc"):
        lint = subprocess.run(["mandoc", "-Tlint", "-Wwarning"], input=page, capture_output=True, text=True)
        assert lint.returncode == 0, lint.stdout
    if shutil.which("groff"):
        groff = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-P-cbou"], input=page, capture_output=True, text=True)
        assert groff.stderr == "" and "EXIT STATUS" in groff.stdout, groff.stderr


def complete_in_bash(*words):
    """What bash would offer for the last word."""
    script = run("completion", "bash").stdout
    script += "COMP_WORDS=(%s); COMP_CWORD=%d; _tenantry; printf '%%s\\n' \"${COMPREPLY[@]}\"\n" % (
        " ".join("'%s'" % word for word in ("tenantry", *words)), len(words))
    result = subprocess.run(["bash", "--norc", "-c", "compopt() { :; }\n" + script], capture_output=True, text=True,
                            cwd="/", timeout=60)
    assert result.stderr == "", result.stderr
    return result.stdout.split()


def test_bash_completes_from_the_tables():
    assert complete_in_bash("te") == ["tenant"]
    assert complete_in_bash("tenant", "") == ["create", "list", "purge"]
    assert complete_in_bash("--color", "never", "tenant", "c") == ["create"]
    assert complete_in_bash("tenant", "create", "acme", "--bl") == ["--blueprint"]
    assert complete_in_bash("tenant", "create", "acme", "--tier", "") == ["row", "schema"]
    assert complete_in_bash("tenant", "create", "acme", "--tier", "=", "s") == ["schema"]
    assert complete_in_bash("status", "--color", "a") == ["auto", "always"]
    assert complete_in_bash("completion", "") == ["bash", "zsh", "fish"]
    assert "etc" in complete_in_bash("blueprint", "add", "et")
    assert complete_in_bash("tenant", "create", "") == []
    assert complete_in_bash("help", "te") == ["tenant"]
    assert complete_in_bash("help", "tenant", "") == ["create", "list", "purge"]
    assert "docs" in complete_in_bash("") and "help" in complete_in_bash("")
    assert complete_in_bash("docs", "") == ["errors", "isolation", "operations", "options"]


def test_every_shell_can_read_its_script():
    for shell in ("bash", "zsh", "fish"):
        if shutil.which(shell):
            script = run("completion", shell).stdout
            with tempfile.NamedTemporaryFile("w", suffix="." + shell) as file:
                file.write(script)
                file.flush()
                result = subprocess.run([shell, "-n", file.name], capture_output=True, text=True)
            assert result.returncode == 0 and result.stderr == "", result.stderr


def test_fish_completes_from_the_tables():
    if not shutil.which("fish"):
        return
    with tempfile.TemporaryDirectory() as home:
        def complete(line):
            script = run("completion", "fish").stdout + "complete -C '%s'\n" % line
            result = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True,
                                    env=dict(ENVIRONMENT, HOME=home), timeout=60)
            assert result.stderr == "", result.stderr
            return [offer.split("\t")[0] for offer in result.stdout.splitlines()]
        assert complete("tenantry tenant ") == ["create", "list", "purge"]
        assert complete("tenantry tenant create acme --tier ") == ["row", "schema"]
        assert complete("tenantry completion ") == ["bash", "fish", "zsh"]
        assert "--blueprint" in complete("tenantry tenant create --b")


def main():
    tests = [test for name, test in globals().items() if name.startswith("test_")]
    for test in tests:
        test()
        print("ok", test.__name__)


if __name__ == "__main__":
    main()
