#!/usr/bin/env python3
"""The command line as an operator meets it: help, words, origins of options, pipes, and a server in every state."""
import contextlib
import errno
import json
import functools
import os
import pwd
import re
import shutil
import signal
import subprocess

import harness
from harness import shared_server

ESCAPE = "\x1b"
BUILTIN = {"completion", "help", "man", "version", "docs"}


@functools.lru_cache(maxsize=None)
def operations():
    return harness.tenantry("docs", "operations")["operations"]


def program(*args, env=None, expect=0, **options):
    """The program without any server."""
    return harness.tenantry(*args, json=False, env=env, expect=expect, **options)


def origins(*args, env=None):
    answer = harness.tenantry("config", "show", *args, env=env)
    return {option["name"]: (option["value"], option["from"]) for option in answer["options"]}


def run_to(stdout, *args, env=None):
    """The program with another standard output: (exit status, standard error)."""
    done = subprocess.run(
        [harness.BINARY, *args],
        env=harness.environment({**shared_server().env, **(env or {})}),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=harness.COMMAND_TIMEOUT_S,
        check=False,
    )
    return done.returncode, done.stderr


# --- what is installed ---


def test_links_of_the_installed_documentation_lead_somewhere():
    with harness.temporary_folder() as folder:
        subprocess.run(["meson", "install", "-C", os.path.dirname(harness.BINARY), "--no-rebuild", "--tags", "doc", "--destdir", folder],
                       stdin=subprocess.DEVNULL, capture_output=True, check=True)
        links = set()
        for parent, _, files in os.walk(folder):
            for file in files:
                if file.endswith(".md"):
                    with open(os.path.join(parent, file), encoding="utf-8") as f:
                        found = re.findall(r"\]\(([^)#\s]+)", f.read())
                    links |= {(file, os.path.join(parent, link)) for link in found if ":" not in link}
        assert len(links) > 50, links
        assert [(file, link) for file, link in sorted(links) if not os.path.exists(link)] == []


# --- help and words ---


def test_every_operation_has_help_that_names_every_parameter():
    assert len(operations()) > 25
    for op in operations():
        words = op["name"].split(".")
        text = program(*words, "--help").out
        assert op["summary"] in " ".join(text.split()), (op["name"], text)
        for param in op["params"]:
            wanted = param["name"].upper() if param["is_positional"] else "--" + param["name"]
            assert wanted in text, (op["name"], param["name"])
        assert program("help", *words).out == text
        assert program(*words, "-h").out == text


def test_help_of_a_noun_names_its_verbs():
    for noun in {op["name"].split(".")[0] for op in operations() if "." in op["name"]}:
        text = program(noun, "--help").out
        for op in operations():
            if op["name"].startswith(noun + "."):
                assert op["name"].split(".")[1] in text, op["name"]


def test_the_examples_in_the_help_are_commands_that_exist():
    text = program("docs", "operations").out
    examples = re.findall(r"^    tenantry ([a-z]+)(?: ([a-z]+(?:-[a-z]+)*))?", text, re.MULTILINE)
    known = {tuple((op["name"].replace("_", "-").split(".") + [""])[:2]) for op in operations()}
    for noun, verb in examples:
        assert (noun, verb) in known or (noun, "") in known, (noun, verb)


def test_help_comes_before_a_broken_configuration():
    for args in (["--help"], ["tenant", "create", "--help"], ["version"], ["docs", "options"]):
        program(*args, env={"TENANTRY_CONFIG": "/nonexistent", "TENANTRY_RETRIES": "many"})


def test_a_wrong_word_gets_the_nearest_one():
    for args, meant in (
        (["tenat", "list"], "tenant"),
        (["tenant", "lsit"], "list"),
        (["tenant", "list", "--stat", "active"], "--state"),
        (["tenant", "list", "--tier=rwo"], "row"),
        (["tenant", "list", "--state", "activ"], "active"),
        (["staus"], "status"),
        (["up", "--prot", "1"], "--port"),
        (["--colour"], "--color"),
        (["completion", "bsh"], "bash"),
        (["help", "tenat"], "tenant"),
    ):
        result = program(*args, expect=64)
        assert re.search("did you mean \"([a-z]+ )?%s\"" % meant, result.err) and result.out == "", (
            args,
            result.text(),
        )


def test_a_word_that_is_nothing_alike_gets_the_list():
    result = program("tenant", "xyzzy", expect=64)
    assert "expected one of" in result.err and "create" in result.err and "suspend" in result.err
    assert "did you mean" not in program("qqqqqqqq", expect=64).err


def test_without_words_the_overview_is_shown():
    result = program(expect=None)
    assert "tenant" in result.out + result.err and "up" in result.out + result.err
    assert program("--help").out == program("help").out


# --- options ---


def test_config_show_tells_every_origin():
    with harness.temporary_folder() as folder:
        path = folder + "/tenantry.yaml"
        with open(path, "w", encoding="utf-8") as f:
            f.write("retries: 5\nlock-timeout: 7s\nconnect-timeout: 2s\n")
        found = origins("--config", path, "--connect-timeout", "1s", env={"TENANTRY_LOCK_TIMEOUT": "3s"})
    assert (
        found["connect-timeout"] == ("1s", "command line")
        or "flag" in found["connect-timeout"][1]
        or "--" in found["connect-timeout"][1]
    ), found
    assert found["lock-timeout"][0] == "3s" and "TENANTRY_LOCK_TIMEOUT" in found["lock-timeout"][1]
    assert found["retries"][0] == "5" and path in found["retries"][1]
    assert found["port"] == ("0", "default")


def test_every_option_can_come_from_its_variable():
    values = {
        "acceptance-days": "30",
        "color": "never",
        "connect-timeout": "2s",
        "data-dir": "/tmp/x",
        "database-url": "postgresql:///x",
        "isolation-runs": "7",
        "lock-timeout": "2s",
        "port": "5555",
        "master-key-file": "/tmp/k",
        "pg-bin-dir": "/tmp/b",
        "probe-pause": "5ms",
        "quiet": "false",
        "ready-logins": "3",
        "require-signed": "true",
        "retries": "7",
        "server-user": "nobody",
        "socket-dir": "/tmp/s",
        "spares": "5",
        "spares-max": "6",
        "trusted-keys": "/tmp/t",
        "verbose": "false",
    }
    env = {"TENANTRY_" + name.upper().replace("-", "_"): value for name, value in values.items()}
    found = origins(env=env)
    for name, value in values.items():
        assert found[name][0] == value and "environment" in found[name][1], (name, found[name])
    assert set(found) == set(values) | {"config", "json", "master-key"}


def as_user(uid, *args, env=None):
    """The program as another user, when we may be one: (standard output, standard error)."""
    with harness.temporary_folder() as folder:
        binary = shutil.copy(harness.BINARY, folder)  # where every user can reach it
        done = subprocess.run([binary, *args], env=harness.environment({"HOME": None, **(env or {})}), cwd="/", text=True,
                              user=None if uid == os.geteuid() else uid, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=harness.COMMAND_TIMEOUT_S, check=False)
    return done.stdout, done.stderr


def paths_of(uid, env=None):
    options = json.loads(as_user(uid, "config", "show", "--json", env=env)[0])["options"]
    return {o["name"]: o["value"] for o in options if o["name"] in ("data-dir", "master-key-file", "socket-dir")}


def test_paths_are_in_the_home_of_the_user_also_when_home_is_not_set():
    user = pwd.getpwnam("nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    for env, home in (({}, user.pw_dir), ({"HOME": ""}, user.pw_dir), ({"HOME": "/home/other"}, "/home/other")):
        data = home + "/.local/share/tenantry"
        assert paths_of(user.pw_uid, env) == {
            "data-dir": data, "master-key-file": data + "/master.key", "socket-dir": data + "/run"}, env
    found = origins("--data-dir", "/tmp/x", env={"HOME": None})
    assert found["master-key-file"] == ("/tmp/x/master.key", "default") and found["socket-dir"] == ("/tmp/x/run", "default")


def test_config_show_tells_what_became_of_a_path():
    with harness.temporary_folder() as home:
        os.makedirs(home + "/.config/tenantry")
        with open(home + "/.config/tenantry/tenantry.yaml", "w", encoding="utf-8") as f:
            f.write("data-dir: data\ntrusted-keys: ~/keys\n")
        for here in ("/", home):
            answer = harness.run([harness.BINARY, "config", "show", "--json", "--socket-dir=~/run"], {"HOME": home}, cwd=here)
            shown = {o["name"]: o["value"] for o in answer.json()["options"]}
            data = home + "/.config/tenantry/data"
            assert (shown["data-dir"], shown["master-key-file"]) == (data, data + "/master.key"), (here, shown)
            assert (shown["trusted-keys"], shown["socket-dir"]) == (home + "/keys", home + "/run"), (here, shown)
        answer = harness.run([harness.BINARY, "status", "--json", "--data-dir=~ada/data"], {"HOME": home}, 78, cwd=home)
        harness.check_refusal(answer, "config_invalid", "flag --data-dir", "~ada/data")


def test_a_path_that_a_command_takes_may_begin_with_the_home():
    with harness.temporary_folder() as home:
        lint = [harness.BINARY, "blueprint", "lint", "--json"]
        harness.check_refusal(harness.run([*lint, "~/pack"], {"HOME": home}, expect=None, cwd="/"), "blueprint_invalid", home + "/pack")
        harness.check_refusal(harness.run([*lint, "~ada/pack"], {"HOME": home}, expect=None), "input_invalid", "~ada/pack", "./")


def test_a_relative_folder_is_refused_where_the_working_directory_is_of_no_use():
    with harness.temporary_folder() as folder:
        # A shell would run the first; the second is no UTF-8, which no answer may hold.
        for name, shown in ((b"x$(touch ran)", "x$(touch ran)"), (b"caf\xe9", "caf\\xe9")):
            where = os.path.join(os.fsencode(folder), name)
            os.mkdir(where)
            for command in ("up", "status", "down"):
                for args in (("--data-dir", "d"), ("--data-dir", folder + "/data", "--socket-dir", "s")):
                    result = harness.run([harness.BINARY, command, *args, "--json"], expect=None, cwd=where, timeout=60)
                    error = harness.check_refusal(result, "data_dir_unusable", "working directory", shown)
                    assert "--data-dir" in error["hint"], error
            assert os.listdir(where) == [], os.listdir(where)


def test_a_home_that_is_no_text_is_told():
    user = pwd.getpwnam("nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    with harness.temporary_folder() as folder:
        home = os.path.join(os.fsencode(folder), b"\xff")
        for command in (("config", "show"), ("status",)):
            out, err = as_user(user.pw_uid, *command, env={"HOME": home})
            assert out == "" and 'option "data-dir"' in err and "\\xff" in err and "HOME" in err, (out, err)
        os.makedirs(home + b"/.config/tenantry")
        with open(home + b"/.config/tenantry/tenantry.yaml", "w", encoding="utf-8") as f:
            f.write("retries: 1\n")
        result = harness.run([harness.BINARY, "config", "show", "--json", "--data-dir", folder + "/d"], {"HOME": home}, None)
        harness.check_refusal(result, "config_invalid", "configuration file", "\\xff")


def test_a_user_without_any_home_is_told_to_name_a_folder():
    if os.geteuid() != 0:
        harness.skip("only root can be a user whom nobody knows")
    unknown = next(uid for uid in range(54321, 65536) if uid not in {entry.pw_uid for entry in pwd.getpwall()})
    assert set(paths_of(unknown).values()) == {None}
    for command in ("up", "status", "down", "demo"):
        assert as_user(unknown, command) == ("", (
            "tenantry: there is no data directory: HOME is not set, and the password database has no home for user %d\n"
            "hint: set HOME, or name a folder with --data-dir or TENANTRY_DATA_DIR\n" % unknown)), command


def test_a_secret_is_hidden_and_is_no_flag_and_not_in_a_file():
    found = origins(env={"TENANTRY_MASTER_KEY": "ab" * 32})
    assert found["master-key"][0] == "(hidden)"
    assert program("config", "show", "--master-key", "ab" * 32, expect=64).out == ""
    with harness.temporary_folder() as folder:
        with open(folder + "/c.yaml", "w", encoding="utf-8") as f:
            f.write("master-key: " + "ab" * 32 + "\n")
        result = program("config", "show", "-c", folder + "/c.yaml", expect=78)
        assert "abab" not in result.err and "master-key" in result.err


def test_a_broken_configuration_file_is_told_with_file_and_line():
    with harness.temporary_folder() as folder:
        for text, line, says in (
            ("retries: 5\nretires: 5\n", 2, "did you mean \"retries\""),
            ("port: x\n", 1, "port"),
            ("retries: 5\nretries: 6\n", 2, "retries"),
            ("- a\n", 1, ""),
            ("a: [\n", "", ""),
            ("\x00\x01", "", ""),
        ):
            with open(folder + "/c.yaml", "w", encoding="utf-8") as f:
                f.write(text)
            result = program("config", "show", "-c", folder + "/c.yaml", expect=78)
            assert "c.yaml%s" % (":%d" % line if line else "") in result.err and says in result.err, (
                text,
                result.text(),
            )
        program("config", "show", "-c", folder + "/nothing.yaml", expect=78)


# --- generated texts ---


def test_completion_scripts_are_valid_and_name_every_command():
    with harness.temporary_folder() as folder:
        for shell, check in (("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])):
            text = program("completion", shell).out
            for op in operations():
                assert all(re.search(r"\b%s\b" % word, text) for word in op["name"].split(".")), (shell, op["name"])
            if shutil.which(check[0]):
                path = "%s/script.%s" % (folder, shell)
                with open(path, "w", encoding="utf-8") as f:
                    f.write(text)
                harness.run([*check, path])


def test_completion_in_bash_offers_verbs_and_options():
    script = program("completion", "bash").out
    function = re.search(r"complete .*-F (\w+)", script).group(1)
    for words, wanted in (
        (["tenant", "cr"], "create"),
        (["ten"], "tenant"),
        (["tenant", "list", "--st"], "--state"),
        (["tenant", "list", "--tier", "r"], "row"),
    ):
        line = ["tenantry", *words]
        ask = (
            "%s\nCOMP_WORDS=(%s); COMP_CWORD=%d; COMP_LINE='%s'; COMP_POINT=%d; %s; printf '%%s\\n' \"${COMPREPLY[@]}\""
            % (script, " ".join(line), len(line) - 1, " ".join(line), len(" ".join(line)), function)
        )
        found = [word.strip() for word in harness.run(["bash", "-c", ask]).out.split("\n")]
        assert wanted in found, (words, found)


def test_the_manual_page_renders():
    text = program("man").out
    assert text.startswith(".TH TENANTRY 1") or ".TH" in text.split("\n", 3)[0:3][-1] or ".TH" in text[:200]
    for op in operations():
        assert op["name"].split(".")[-1].replace("-", "\\-") in text, op["name"]
    if not shutil.which("groff"):
        harness.skip("no groff here")
    result = harness.run(["groff", "-man", "-Tutf8", "-ww", "-z"], stdin=text)
    assert result.err == "", result.text()


def test_the_references_name_every_error_and_option():
    assert len(harness.exit_statuses()) >= 35 and harness.exit_statuses()["slug_taken"] == 73
    text = program("docs", "options").out
    for name in origins():
        assert name in text, name


# --- output ---


def test_a_pipe_gets_no_escape_codes_and_colour_can_be_forced():
    for env in ({}, {"NO_COLOR": "1"}, {"TERM": "xterm-256color"}):
        result = program("tenant", "xyzzy", env=env, expect=64)
        assert ESCAPE not in result.out + result.err
    for args in (
        ["tenant", "xyzzy", "--color=always"],
        ["--color", "always", "tenant", "xyzzy"],
        ["tenant", "list", "--limit=x", "--color=always"],
    ):
        assert ESCAPE in program(*args, expect=64).err, args
    assert ESCAPE not in program("--help").out


def test_no_color_wins_on_a_terminal():
    for env, has_colour in (
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "TENANTRY_COLOR": "never"}, False),
    ):
        main, other = os.openpty()
        child = subprocess.Popen(
            [harness.BINARY, "tenant", "xyzzy"], env=harness.environment(env), stdin=other, stdout=other, stderr=other
        )
        os.close(other)
        seen = b""
        try:
            while chunk := os.read(main, 4096):
                seen += chunk
        except OSError:
            pass  # what a terminal says at its end
        os.close(main)
        assert child.wait(harness.EXIT_TIMEOUT_S) == 64
        assert (b"\x1b[" in seen) == has_colour, (env, seen)


def test_quiet_prints_errors_only_and_a_question_is_answered_all_the_same():
    server = shared_server()
    result = server.tenantry("tenant", "create", "hush", "--blueprint", "saas", "-q", json=False)
    assert result.out == "" and result.err == "", result.text()
    result = server.tenantry("tenant", "create", "hush", "--blueprint", "saas", "-q", json=False, expect=73)
    assert result.out == "" and "hush" in result.err
    assert "hush" in server.tenantry("tenant", "list", "-q", json=False).out


def test_verbose_logs_json_lines_on_standard_error():
    result = shared_server().tenantry("tenant", "list", "-v", json=False)
    for line in result.err.splitlines():
        assert line.startswith("{") and line.endswith("}"), result.err
    assert {"operation.begin", "pg.connect", "operation.end"} <= {
        json.loads(line)["event"] for line in result.err.splitlines()
    }, result.err


def test_json_output_is_one_value_and_progress_goes_elsewhere():
    server = shared_server()
    result = server.tenantry("tenant", "create", "machine", "--blueprint", "trading", "--json", json=False)
    assert result.json()["slug"] == "machine" and result.err == "", result.text()
    people = server.tenantry("tenant", "rotate", "machine", json=False)
    assert "step" in people.err and "machine has new passwords" in people.out, people.text()


def test_a_reader_that_goes_away_is_no_error():
    read, write = os.pipe()
    os.close(read)
    # "up" does more after its answer.
    for args in (["docs", "operations"], ["up"], ["up", "--json"]):
        status, err = run_to(write, *args)
        assert status == 0 and "bug" not in err, (args, status, err)
    os.close(write)


def test_a_full_disk_under_standard_output_is_an_error():
    with open("/dev/full", "wb") as full:
        for args in (
            ["tenant", "list"],
            ["tenant", "list", "--json"],
            ["up"],
            ["up", "--json"],
            ["docs", "options"],
            ["--help"],
            ["version"],
            ["completion", "bash"],
        ):
            status, err = run_to(full, *args)
            assert status == harness.exit_statuses()["disk_full"], (args, status, err)
            assert "standard output: " + os.strerror(errno.ENOSPC) in err, (args, status, err)


def run_closed(server, closed, *args, expect):
    """The program with some of its three descriptors closed, as "<&-", ">&-" and "2>&-" do."""
    return harness.run(["sh", "-c", 'exec "$0" "$@" ' + closed, harness.BINARY, *args], env=server.env, expect=expect)


def test_a_closed_descriptor_is_never_that_of_a_connection():
    server = shared_server()
    failed = harness.exit_statuses()["io_failed"]
    says = "cannot write to standard output"
    assert says in run_closed(server, ">&-", "tenant", "list", expect=failed).err
    assert says in run_closed(server, ">&-", "tenant", "create", "unheard", "--blueprint", "saas", expect=failed).err
    assert server.tenantry("tenant", "show", "unheard")["state"] == "active", "made, but not told, as on a full disk"
    run_closed(server, "<&- >&- 2>&-", "tenant", "list", expect=failed)
    for args in (["tenant", "list", "-v"], ["tenant", "rotate", "unheard"]):
        assert "unheard" in run_closed(server, "<&- 2>&-", *args, expect=0).out
    assert server.tenantry("audit", "verify")["is_whole"]


def test_what_is_started_with_closed_descriptors_has_its_own():
    with harness.Server(env={"TENANTRY_SPARES": "1"}) as server:
        server.up()
        server.tenantry("down")
        run_closed(server, "<&- >&- 2>&-", "up", expect=harness.exit_statuses()["io_failed"])
        status = server.tenantry("status")
        assert status["state"] == "running", status
        for pid in (status["pid"], status["keeper"]):
            files = [os.readlink("/proc/%d/fd/%d" % (pid, fd)) for fd in range(3)]
            assert files[0] == "/dev/null" and not any(name.startswith("socket:") for name in files), files


def test_exit_statuses_are_those_of_the_table():
    statuses = harness.exit_statuses()
    server = shared_server()
    for args, code in (
        (["frob"], "usage"),
        (["tenant", "show", "nobody"], "tenant_missing"),
        (["job", "show", "999999"], "job_missing"),
        (["blueprint", "show", "nothing"], "blueprint_missing"),
        (["tenant", "list", "--retries=x"], "config_invalid"),
        (["tenant", "list", "--limit=0"], "input_invalid"),
        (["blueprint", "lint", "/nothing"], "blueprint_invalid"),
    ):
        for more in ([], ["--json"]):
            result = server.tenantry(*args, *more, json=False, expect=None)
            assert result.status == statuses[code] and result.out == "", (args, result.text())
            assert more or result.err.startswith("tenantry: "), result.text()


# --- the server's states ---


def test_an_absent_server_is_told_by_everything_that_needs_one():
    with harness.Server(is_new=True) as server:
        status = server.tenantry("status", expect=None)
        assert status.json()["state"] == "absent", status.text()
        server.refused("server_down", "tenant", "list", says=["up"])
        assert server.tenantry("down")["was_running"] is False
        assert not os.path.exists(server.data_dir), "asking makes nothing"


def test_up_down_and_status_in_every_order():
    with harness.Server(is_new=True) as server:
        first = server.up()
        assert first["is_started"] and first["is_key_new"]
        again = server.up()
        assert again["pid"] == first["pid"] and not again["is_started"]
        assert server.tenantry("status")["pid"] == first["pid"]
        assert server.tenantry("down")["was_running"] is True
        assert not harness.is_running(first["pid"])
        assert server.tenantry("down")["was_running"] is False
        stopped = server.tenantry("status", expect=None)
        assert stopped.json()["state"] == "stopped", stopped.text()
        server.refused("server_down", "tenant", "list", says=["up"])
        assert server.up()["control_schema"] == "up to date"


def test_a_killed_server_comes_back_with_its_tenants():
    with harness.Server() as server:
        pid = server.up()["pid"]
        tenant = server.create("lasting", "trading")
        children = [int(line.split("/")[2]) for line in glob_children(pid)]
        os.kill(pid, signal.SIGKILL)
        assert harness.wait_for_exit(pid)
        assert all(harness.wait_for_exit(child) for child in children)
        assert server.tenantry("status", expect=None).json()["state"] == "stopped"
        server.refused("server_down", "tenant", "list")
        assert server.up()["is_started"]
        assert server.psql("SELECT count(*) FROM portfolios", tenant["app"]) == "0"


def without_ptrace(server, *args):
    """The program as root in a container, who may not look at the processes of others."""
    return harness.run(["setpriv", "--bounding-set", "-sys_ptrace", harness.BINARY, *args, "--json"], server.env).json()


def test_without_the_right_to_look_at_processes_only_the_own_server_is_stopped():
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        harness.skip("only root has rights to give up")
    with harness.Server() as server:
        pid = server.up()["pid"]
        assert without_ptrace(server, "up")["pid"] == pid
        assert without_ptrace(server, "down")["was_running"] is True
        assert not harness.is_running(pid)
        # After a crash the number in the file is another server's, of the same user.
        place = os.stat(server.data_dir + "/pg")
        foreign = shutil.copy("/bin/sleep", server.folder + "/postgres")
        other = subprocess.Popen([foreign, "600"], cwd="/", user=place.st_uid, group=place.st_gid, extra_groups=[])
        try:
            with open(server.data_dir + "/pg/postmaster.pid", "w", encoding="ascii") as f:
                f.write("%d\n%s/pg\n1\n5432\n%s/run\n\n0 0\nready   \n" % (other.pid, server.data_dir, server.data_dir))
            assert without_ptrace(server, "down")["was_running"] is False
            assert other.poll() is None, "a process that is not the server was stopped"
            assert without_ptrace(server, "up")["is_started"]
            assert other.poll() is None
        finally:
            other.kill()
            other.wait()


def test_a_killed_server_starts_again_where_its_folder_was_moved_to():
    with harness.Server() as server:
        pid = server.up()["pid"]
        children = [int(line.split("/")[2]) for line in glob_children(pid)]
        os.kill(pid, signal.SIGKILL)
        assert all(map(harness.wait_for_exit, [pid, *children]))
        moved = server.folder + "/moved"
        os.rename(server.data_dir, moved)
        # A server in the old place answers on the socket that the files name.
        with harness.Server(env={"TENANTRY_DATA_DIR": server.data_dir}, is_new=True) as other:
            other.data_dir = server.data_dir
            other.up()
            server.env["TENANTRY_DATA_DIR"] = server.data_dir = moved
            place = os.stat(moved + "/pg")
            owner = {"user": place.st_uid, "group": place.st_gid, "extra_groups": []} if os.getuid() == 0 else {}
            program = subprocess.Popen(["sleep", "600"], **owner)
            try:
                for name in ("pg/postmaster.pid", "run/.s.PGSQL.5432.lock"):
                    with open(os.path.join(moved, name), "r+", encoding="ascii") as f:
                        lines = f.readlines()
                        assert lines[0] == "%d\n" % pid
                        f.seek(0)
                        f.truncate()
                        f.writelines(["%d\n" % program.pid, *lines[1:]])
                assert server.up()["pid"] == server.server_pid()
                assert program.poll() is None
            finally:
                program.kill()
                program.wait()


def test_up_waits_for_a_server_that_recovers_and_says_so():
    with harness.Server() as server:
        pid = server.up()["pid"]
        assert server.psql("SHOW recovery_init_sync_method") == "syncfs"
        children = [int(line.split("/")[2]) for line in glob_children(pid)]
        os.kill(pid, signal.SIGKILL)
        assert all(map(harness.wait_for_exit, [pid, *children]))
        # A standby without its primary recovers until it is told to stop.
        with open(server.data_dir + "/postgresql.local.conf", "a", encoding="utf-8") as f:
            f.write("hot_standby = off\n")
        signal_standby(server, "standby.signal")
        waiting = server.spawn("up")
        told = waiting.stderr.readline()
        while "recovering" not in told:
            assert told, "up ended while the server was recovering"
            told = waiting.stderr.readline()
        assert waiting.poll() is None
        signal_standby(server, "promote")
        os.kill(server.server_pid(), signal.SIGUSR1)
        assert waiting.wait(timeout=60) == 0, waiting.stderr.read()
        assert server.psql("SELECT pg_is_in_recovery()") == "f"


def test_a_server_with_too_few_locks_is_told_what_to_raise():
    with harness.Server() as server:
        server.up()
        server.tenantry("down")
        with open(server.data_dir + "/postgresql.local.conf", "a", encoding="utf-8") as f:
            f.write("max_locks_per_transaction = 10\nmax_connections = 20\nmax_wal_senders = 0\nwal_level = replica\n"
                    "max_worker_processes = 1\n")
        server.up()
        for tables, code in ((3000, "pg_failed"), (3, None)):
            pack = "%s/many_%d" % (server.folder, tables)
            os.makedirs(pack + "/migrations")
            with open(pack + "/blueprint.yaml", "w", encoding="utf-8") as f:
                f.write("name: many_%d\ntitle: Many\ntiers: [schema]\nplans: {one: {title: One, limits: {max_connections: 10}}}\n" % tables)
            with open(pack + "/migrations/V0001__all.sql", "w", encoding="utf-8") as f:
                f.writelines("CREATE TABLE t%d (id int PRIMARY KEY);\n" % n for n in range(tables))
            if code:
                error = server.refused(code, "blueprint", "add", pack, says=["out of shared memory", "max_locks_per_transaction"])
                assert error["sqlstate"] == "53200", error
            else:
                assert server.tenantry("blueprint", "add", pack)["change"] == "recorded"


SLOW_POSTGRES = """#!/bin/sh
case "$1" in -V|--version) ;; *) sleep 4;; esac
exec "%s" "$@"
"""


def test_up_waits_for_a_server_that_is_slow_to_begin():
    with harness.Server() as server:
        server.up()
        server.tenantry("down")
        real = os.path.dirname(harness.pg_program("pg_ctl"))
        programs = server.folder + "/bin"
        os.mkdir(programs)
        for name in ("initdb", "pg_ctl"):  # no links, or it would find the postgres beside the linked one
            shutil.copy(os.path.join(real, name), programs)
        with open(programs + "/postgres", "w", encoding="utf-8") as f:
            f.write(SLOW_POSTGRES % os.path.join(real, "postgres"))
        os.chmod(programs + "/postgres", 0o755)
        # Longer than pg_ctl waits, it is not even there.
        assert server.tenantry("up", "--pg-bin-dir", programs)["pid"] == server.server_pid()
        assert server.psql("SELECT 1") == "1"


def signal_standby(server, name):
    """A file that PostgreSQL looks for, its user's."""
    place = server.data_dir + "/pg"
    with open(os.path.join(place, name), "w", encoding="utf-8"):
        pass
    shutil.chown(os.path.join(place, name), os.stat(place).st_uid, os.stat(place).st_gid)


def glob_children(pid):
    """/proc/N of the processes that a server started."""
    found = []
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % name, encoding="ascii", errors="replace") as f:
                if name.isdigit() and int(f.read().rpartition(")")[2].split()[1]) == pid:
                    found.append("/proc/" + name)
        except (OSError, ValueError, IndexError):
            continue
    return found


def test_a_data_directory_with_wrong_permissions_or_content_is_refused_and_kept():
    with harness.Server(is_new=True) as server:
        os.makedirs(server.data_dir)
        with open(server.data_dir + "/precious", "w", encoding="utf-8") as f:
            f.write("keep me")
        result = server.tenantry("up", expect=None)
        if result.status != 0:
            assert (
                result.status == harness.exit_statuses()["data_dir_unusable"] and server.data_dir in result.err
            ), result.text()
        with open(server.data_dir + "/precious", encoding="utf-8") as f:
            assert f.read() == "keep me"
    with harness.Server(is_new=True) as server:
        with open(server.data_dir, "w", encoding="utf-8") as f:
            f.write("a file")
        server.refused("data_dir_unusable", "up", says=[server.data_dir])
        os.remove(server.data_dir)
    with harness.Server() as server:
        server.up()
        server.tenantry("down")
        os.chmod(server.data_dir + "/pg", 0o777)
        result = server.tenantry("up", expect=None)
        assert result.status == 0 or (
            result.error()["error"]["hint"] and server.data_dir in result.err
        ), result.text()
        os.chmod(server.data_dir + "/pg", 0o700)


def as_server_user(folder):
    """What runs PostgreSQL's programs as a user who may, and gives him the folder; [] when we are one."""
    if os.getuid() != 0:
        return []
    shutil.chown(folder, "postgres")
    return ["runuser", "-u", "postgres", "--"]


def plain_cluster(place):
    """A data directory that another program made, with the trust that a plain initdb gives."""
    harness.run([*as_server_user(os.path.dirname(place)), harness.pg_program("initdb"), "-D", place, "-A", "trust", "-N"], cwd="/")


def test_the_data_directory_of_another_server_is_none_of_ours():
    with harness.Server(is_new=True) as server:
        plain_cluster(server.data_dir)
        before = sorted(os.listdir(server.data_dir))
        server.refused("data_dir_unusable", "up", says=[server.data_dir, "of another PostgreSQL server", "--database-url"])
        assert sorted(os.listdir(server.data_dir)) == before, "its pg_hba.conf would be that of ours"


@contextlib.contextmanager
def plain_server(place):
    """The same with its server running; its process id."""
    plain_cluster(place)
    folder = os.path.dirname(place)
    program = [*as_server_user(folder), harness.pg_program("pg_ctl"), "-D", place, "-w"]
    # A file for its output: a server that inherits our pipe would keep run() waiting.
    harness.run([*program, "-l", folder + "/log", "-o", "-c listen_addresses='' -k " + folder, "start"], cwd="/")
    try:
        with open(place + "/postmaster.pid", encoding="ascii") as f:
            yield int(f.readline())
    finally:
        harness.run([*program, "-m", "immediate", "stop"], expect=None, cwd="/")


def test_a_server_that_tenantry_did_not_make_is_left_alone():
    with harness.Server(is_new=True) as server:
        os.mkdir(server.data_dir)
        with plain_server(server.data_dir + "/pg") as pid:
            before = sorted(os.listdir(server.data_dir))
            for command in (["down"], ["up"], ["status"], ["tenant", "list"]):
                server.refused("data_dir_unusable", *command, says=[server.data_dir + "/pg", "of another PostgreSQL server"])
            assert sorted(os.listdir(server.data_dir)) == before
            assert harness.is_running(pid), "a server of others was stopped"


def test_a_server_that_lost_one_of_its_files_is_still_tenantrys():
    with harness.Server() as server:
        server.up()
        passwords = server.data_dir + "/server.pass"
        os.rename(passwords, passwords + ".away")
        assert server.tenantry("down")["was_running"] is True
        server.refused("data_dir_unusable", "up", says=["the password file", passwords, "restore the file from a backup"])
        os.rename(passwords + ".away", passwords)
        os.remove(server.data_dir + "/pg/postgresql.conf")
        assert server.tenantry("status", expect=None).json()["state"] == "stopped"


def test_a_data_directory_that_others_may_write_to_is_refused():
    with harness.Server(is_new=True) as server:
        os.mkdir(server.data_dir)
        os.chmod(server.data_dir, 0o1777)
        server.refused("data_dir_unusable", "up", says=[server.data_dir, "can be written by every user"])
        if os.getuid() == 0:
            shutil.chown(server.data_dir, group="nogroup")
            os.chmod(server.data_dir, 0o775)
            server.refused("data_dir_unusable", "up", says=[server.data_dir, "can be written by a group"])
        assert not os.listdir(server.data_dir)
        os.chmod(server.data_dir, 0o755)
        server.up()


def test_files_of_the_operator_are_not_those_that_others_could_write():
    with harness.Server(is_new=True) as server:
        os.mkdir(server.data_dir)
        for name in ("pg_hba.conf", "postgresql.local.conf"):
            path = os.path.join(server.data_dir, name)
            with open(path, "w", encoding="ascii") as f:
                f.write("local all all scram-sha-256\n" if name == "pg_hba.conf" else "")
            os.chmod(path, 0o666)
            server.refused("data_dir_unusable", "up", says=[path, "can be written by every user"])
            os.chmod(path, 0o644)
            if os.getuid() == 0:
                shutil.chown(path, "nobody")
                server.refused("data_dir_unusable", "up", says=[path, "belongs to another user"])
                shutil.chown(path, "postgres")
        server.up()


def test_a_data_directory_that_the_servers_user_cannot_enter_is_told():
    if os.getuid() != 0:
        harness.skip("only root starts the server as another user")
    with harness.Server(is_new=True) as server:
        os.chmod(server.folder, 0o700)
        error = server.refused("data_dir_unusable", "up")
        assert error["hint"], error
        os.chmod(server.folder, 0o755)
        server.up()


def test_a_port_in_use_is_told():
    import socket  # only here

    with harness.Server(is_new=True) as server, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server.refused("port_in_use", "up", "--port", str(taken.getsockname()[1]), says=[str(taken.getsockname()[1])])


def test_a_wrong_folder_of_programs_or_user_is_told():
    with harness.Server(is_new=True) as server:
        server.refused("server_binary_missing", "up", "--pg-bin-dir", server.folder, says=[server.folder])
        if os.getuid() == 0:
            result = server.tenantry("up", "--server-user", "no-such-user", expect=None)
            assert result.status != 0 and "no-such-user" in result.err, result.text()
            result = server.tenantry("up", "--server-user", "root", expect=None)
            assert result.status != 0 and "root" in result.err, result.text()
        assert server.server_pid() is None


def test_a_data_directory_of_another_major_version_is_told():
    with harness.Server() as server:
        server.up()
        server.tenantry("down")
        path = server.data_dir + "/pg/PG_VERSION"
        with open(path, "w", encoding="ascii") as f:
            f.write("13\n")
        server.refused("server_version", "up", says=["13"])
        with open(path, "w", encoding="ascii") as f:
            f.write(harness.re.search(r"/(\d+)/", harness.pg_program("postgres")).group(1) + "\n")
        server.up()


def test_a_database_of_another_build_is_told():
    with harness.Server() as server:
        server.up()
        # What a migration of a pack in the binary looks like that was edited between two builds.
        server.psql("UPDATE tenantry.blueprints SET checksum = 'x' WHERE name = 'trading';"
                    " UPDATE tenantry.blueprint_versions SET definition = replace(definition::text,"
                    " definition -> 'migrations' -> 0 ->> 'sha256', repeat('0', 64))::json WHERE blueprint = 'trading'")
        error = server.refused("blueprint_exists", "up", says=["was recorded with SHA-256 0000000000000000"])
        assert "another build recorded it" in error["hint"] and "put the file back" not in error["hint"], error
        server.psql("UPDATE tenantry.migrations SET sha256 = repeat('0', 64) WHERE version = 5")
        error = server.refused("not_installed", "up", says=["was made by another build", "0005_guard"])
        assert "use the build that made it" in error["hint"], error


if __name__ == "__main__":
    harness.main()
