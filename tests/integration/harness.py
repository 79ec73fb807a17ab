"""Integration tests in plain Python: functions named test_*, printed as TAP.

A test file imports this, defines its tests and ends with `harness.main()`:

    def test_up_twice_is_one_server():
        with harness.Server() as server:
            first = server.up()
            assert server.tenantry("up")["pid"] == first["pid"]

The file's name and the function's are the test's name. A test fails by raising; skip() leaves it.
Environment of a test file: TENANTRY_BINARY the program, TEST_VERSION its version, TEST_FAULTS "1" when
the fault points are compiled in. None of these, and no TENANTRY_* or PG* variable, reaches the program."""
import base64
import contextlib
import fcntl
import functools
import glob
import hashlib
import hmac
import json as json_module
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

BINARY = os.path.abspath(os.environ.get("TENANTRY_BINARY", "build/tenantry"))
VERSION = os.environ.get("TEST_VERSION", "")
HAS_FAULTS = os.environ.get("TEST_FAULTS") == "1"

COMMAND_TIMEOUT_S = 120
EXIT_TIMEOUT_S = 20  # what a killed server may take to be gone
POLL_S = 0.02
SHOWN_CHARS = 4000  # of what a failed program printed
# A test kills processes, never the machine: what they wrote is there without waiting for the disk. To drop a table looks
# through all buffers, and a test has few pages.
SERVER_SETTINGS = "fsync = off\nfull_page_writes = off\nshared_buffers = '128MB'\n"

# What a program under test keeps of our environment; the sanitizers say there how they report.
KEPT = ("ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "MALLOC_PERTURB_", "PATH", "TMPDIR")


class Skipped(Exception):
    """Leaves a test that cannot run here."""


class CommandFailed(AssertionError):
    """A program ended with another status than expected; the text has all that it printed."""


class Result:
    """How a program ended."""

    def __init__(self, argv, done):
        self.argv = argv
        self.status = done.returncode  # -N: killed by signal N
        self.out = done.stdout
        self.err = done.stderr

    def json(self):
        """Standard output, which must be one JSON value."""
        try:
            return json_module.loads(self.out)
        except ValueError as e:
            raise CommandFailed("%s printed no JSON (%s)\n%s" % (self.command(), e, self.text())) from e

    def error(self):
        """The error as JSON: from the end of standard error, or from standard output."""
        for text in (self.err.strip(), self.out.strip(), self.err.strip().rpartition("\n")[2]):
            with contextlib.suppress(ValueError):
                return json_module.loads(text)
        raise CommandFailed("%s printed no error as JSON\n%s" % (self.command(), self.text()))

    def command(self):
        return " ".join([os.path.basename(self.argv[0]), *self.argv[1:]])

    def text(self):
        shown = [text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "..." for text in (self.out, self.err)]
        return "exit status %d\nstdout: %s\nstderr: %s" % (self.status, *shown)


def skip(reason):
    raise Skipped(reason)


def require_faults():
    """For crash tests: skips where the fault points are compiled out."""
    if not HAS_FAULTS:
        skip("fault points are compiled out (-Dfaults=true)")


def environment(extra=None):
    """A clean environment with the given variables; None as a value removes one."""
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    env.update(HOME="/nonexistent", LC_ALL="C.UTF-8", TZ="UTC")
    env.update(extra or {})
    return {name: value for name, value in env.items() if value is not None}


def run(argv, env=None, expect=0, stdin=None, timeout=COMMAND_TIMEOUT_S, cwd=None):
    """Runs a program to its end. expect is its exit status; None takes any."""
    argv = [str(arg) for arg in argv]
    try:
        done = subprocess.run(argv, env=environment(env), input=stdin or "", capture_output=True, text=True,
                              errors="replace", timeout=timeout, cwd=cwd, check=False)
    except subprocess.TimeoutExpired as e:
        raise CommandFailed("%s did not end within %s s\nstderr: %s" % (" ".join(argv), timeout, e.stderr)) from e
    result = Result(argv, done)
    if expect is not None and result.status != expect:
        raise CommandFailed("%s: expected exit status %d\n%s" % (result.command(), expect, result.text()))
    return result


def tenantry(*args, json=True, env=None, expect=0, stdin=None, timeout=COMMAND_TIMEOUT_S):
    """Runs the program. A success with json gives the parsed answer; all else gives a Result."""
    result = run([BINARY, *args, *(["--json"] if json else [])], env, expect, stdin, timeout)
    return result.json() if json and expect == 0 else result


def pg_program(name):
    """A PostgreSQL program: the newest below /usr/lib/postgresql, or the one in PATH."""
    found = glob.glob("/usr/lib/postgresql/*/bin/" + name)
    if found:
        return max(found, key=lambda path: [int(n) for n in re.findall(r"\d+", path)])
    return shutil.which(name) or skip("no %s on this machine" % name)


def psql(conninfo, sql, expect=0, env=None):
    """Runs SQL as a plain client would. Columns are joined by |, rows by a newline."""
    argv = [pg_program("psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", conninfo, "-f", "-"]
    result = run(argv, env, expect, stdin=sql)
    return result.out.rstrip("\n") if expect == 0 else result


def refused_sql(conninfo, sql, says, **options):
    """The error of SQL that the server must refuse; says is a part of it."""
    result = psql(conninfo, sql, expect=None, **options)
    if result.status == 0 or says not in result.err:
        raise CommandFailed("%s should be refused with %r\n%s" % (sql, says, result.text()))
    return result.err


@functools.lru_cache(maxsize=None)
def exit_statuses():
    """{wire code: exit status}, from the table that the program prints."""
    text = tenantry("docs", "errors", json=False).out
    return {code: int(status) for code, status in re.findall(r"^\| `(\w+)` \|.*\| (\d+) \| \d+ \| \w+ \|$",
                                                             text, re.MULTILINE)}


def check_refusal(result, code, *says):
    """Holds a refusal in --json against the table of errors; gives {code, message, hint, sqlstate}."""
    error = result.error()["error"]
    problems = [] if error["code"] == code else ["code %s expected" % code]
    if result.status != exit_statuses()[code]:
        problems.append("exit status %d expected" % exit_statuses()[code])
    if not error["message"] or set(error) != {"code", "message", "hint", "sqlstate"}:
        problems.append("a message expected, and four members")
    whole = "%s %s" % (error["message"], error["hint"])
    problems += ["%r expected" % part for part in says if part not in whole]
    if problems:
        raise CommandFailed("%s: %s\n%s" % (result.command()[:500], "; ".join(problems), result.text()))
    return error


class Session:
    """A client that stays connected: psql, asked line by line."""

    END = "-- end of answer --"

    def __init__(self, conninfo):
        argv = [pg_program("psql"), "-X", "-A", "-t", "-q", "-d", conninfo]
        self._child = subprocess.Popen(argv, env=environment(), text=True, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert self.ask("SELECT 1;") == "1"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def ask(self, sql):
        """What the server answers, or the error; what there is until the session's end."""
        lines = []
        try:
            self._child.stdin.write("%s\n\\echo %s\n" % (sql, self.END))
            self._child.stdin.flush()
        except BrokenPipeError:
            return self._child.stdout.read()
        for line in self._child.stdout:
            if line.strip() == self.END:
                break
            lines.append(line)
        return "".join(lines).strip()

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self._child.stdin.close()
        self._child.wait(EXIT_TIMEOUT_S)
        self._child.stdout.close()


@contextlib.contextmanager
def temporary_folder():
    """Below /tmp, because a socket's path is short, and open, because a server of root runs as another."""
    path = tempfile.mkdtemp(prefix="tenantry-", dir="/tmp")
    os.chmod(path, 0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def is_running(pid):
    """Whether the process exists and is more than a zombie."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for_exit(pid, timeout=EXIT_TIMEOUT_S):
    """Whether the process is gone in time."""
    end = time.monotonic() + timeout
    while is_running(pid):
        if time.monotonic() > end:
            return False
        time.sleep(POLL_S)
    return True


def one_round(password):
    """A verifier of one round (RFC 5802, section 3) instead of 4096, which a client computes for each connection: that is a
    twentieth of the time of all tests. Only of the server's own roles; tenants get what Tenantry makes."""
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    signed = hmac.digest(salted, b"Server Key", "sha256")
    return "SCRAM-SHA-256$1:%s$%s:%s" % tuple(base64.b64encode(part).decode() for part in (salt, stored, signed))


def copy_new_server(data_dir):
    """A server that "tenantry up" of this build made, once for all tests: to make one for each of them would take a third of
    their time. What a test says of the first "up" itself, it says of one that is really new: Server(is_new=True)."""
    folder = os.path.dirname(BINARY)
    place = os.path.join(folder, "new-server-%d" % os.stat(BINARY).st_mtime_ns)
    with open(os.path.join(folder, "new-server.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(place):
            for old in glob.glob(os.path.join(folder, "new-server-*")):
                shutil.rmtree(old)
            with temporary_folder() as made:
                env = {"TENANTRY_DATA_DIR": os.path.join(made, "data"), "TENANTRY_SPARES": "0"}
                superuser = tenantry("up", env=env)["conninfo"].replace("user=tenantry", "user=postgres")
                with open(os.path.join(made, "data", "server.pass"), encoding="utf-8") as f:
                    for role, password in (line.rstrip("\n").split(":")[3:] for line in f):
                        psql(superuser, "ALTER ROLE %s PASSWORD '%s'" % (role, one_round(password)))
                tenantry("down", env=env)
                with open(os.path.join(made, "data", "postgresql.local.conf"), "a", encoding="utf-8") as f:
                    f.write(SERVER_SETTINGS)
                subprocess.run(["cp", "-a", os.path.join(made, "data"), place + ".part"], check=True)
                os.rename(place + ".part", place)
        subprocess.run(["cp", "-a", place, data_dir], check=True)


class Server:
    """A platform of its own: a data directory that no other test knows, removed at the end."""

    def __init__(self, env=None, is_new=False):
        self.env = dict(env or {})
        self.is_new = is_new or bool(set(self.env) - {"TENANTRY_SPARES"})  # others may be about the first start
        self.status = None
        self._children = []
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        self.folder = self._stack.enter_context(temporary_folder())
        self.data_dir = os.path.join(self.folder, "data")
        self.env.setdefault("TENANTRY_DATA_DIR", self.data_dir)
        # No keeper: it would make places while a test counts them. Tests of spares set their own number.
        self.env.setdefault("TENANTRY_SPARES", "0")
        return self

    def __exit__(self, *exc):
        try:
            self._stop()
        finally:
            self._stack.close()

    @property
    def conninfo(self):
        return self.status["conninfo"]

    def up(self, *args):
        """Starts the server and remembers where it is."""
        if not self.is_new and not args and not os.path.exists(self.data_dir):
            copy_new_server(self.data_dir)
        self.status = self.tenantry("up", *args)
        return self.status

    def tenantry(self, *args, env=None, **options):
        return tenantry(*args, env={**self.env, **(env or {})}, **options)

    def accept(self, finding, *args):
        """Accepts a finding of a report, as whoever has read it."""
        return self.tenantry("isolation", "accept", finding["id"], "--definition", finding["definition"], *args)

    def refused(self, code, *args, says=(), **options):
        """Runs the program with --json, which must refuse with this code."""
        return check_refusal(self.tenantry(*args, expect=None, **options), code, *says)

    def create(self, slug, blueprint, *args):
        """A new tenant's answer, with its connection strings by login: tenant["app"], tenant["readonly"]."""
        answer = self.tenantry("tenant", "create", slug, "--blueprint", blueprint, *args)
        return {**answer, **{c["login"]: c["uri"] for c in answer["connections"]}}

    @property
    def superuser(self):
        return self.conninfo.replace("user=tenantry", "user=postgres")

    def old_partition(self, schema, table):
        """A partition of January 2020, made by the owner of the table; its name."""
        owner = self.psql("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = '%s'" % schema)
        self.psql("SET ROLE {0}; CREATE TABLE {1}.{2}_2020_01 PARTITION OF {1}.{2}"
                  " FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')".format(owner, schema, table), self.superuser)
        return table + "_2020_01"

    def major_version(self):
        """PostgreSQL's: roles and search paths are other things from 16 and 17 on."""
        return int(self.psql("SHOW server_version_num")) // 10000

    def psql(self, sql, conninfo=None, **options):
        return psql(conninfo or self.conninfo, sql, **options)

    def spawn(self, *args, env=None, stderr=subprocess.PIPE):
        """Starts the program and does not wait: a Popen that ends with the test at the latest."""
        child = subprocess.Popen([BINARY, *args], env=environment({**self.env, **(env or {})}), text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
        self._children.append(child)
        return child

    def server_pid(self):
        """The server that works in our data directory, or None. The number in its file alone proves
        nothing: after a crash it can be another program's."""
        place = os.path.join(self.data_dir, "pg")
        try:
            with open(os.path.join(place, "postmaster.pid"), encoding="utf-8") as f:
                pid = int(f.readline())
            return pid if os.path.realpath("/proc/%d/cwd" % pid) == os.path.realpath(place) else None
        except (OSError, ValueError):
            return None

    def _stop(self):
        for child in self._children:
            if child.poll() is None:
                child.kill()
            child.communicate()
        pid = self.server_pid()
        try:
            if os.path.isdir(self.data_dir):
                self.tenantry("down", json=False, expect=None)
        finally:
            self._kill(pid)
            self._kill(self.server_pid())

    @staticmethod
    def _kill(pid):
        """SIGQUIT makes a server end its own processes at once; SIGKILL would leave them."""
        for number in (signal.SIGCONT, signal.SIGQUIT, signal.SIGKILL):
            if pid is None or not is_running(pid):
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            if number != signal.SIGCONT:
                wait_for_exit(pid)


_shared = contextlib.ExitStack()


def share(server):
    """Starts a server that stays until the last test of the file has ended."""
    _shared.enter_context(server).up()
    return server


@functools.lru_cache(maxsize=None)
def shared_server():
    """One server for all the tests of a file; it is started when the first one asks."""
    return share(Server())


def _comment(text):
    """Lines of the TAP stream that say more about the test before them."""
    for line in text.rstrip("\n").split("\n"):
        print("#   " + line)


def _run_test(number, name, function):
    """Prints one test's line; false when it failed."""
    start = time.monotonic()
    try:
        function()
    except Skipped as e:
        print("ok %d - %s # SKIP %s" % (number, name, e))
        return True
    except Exception:  # whatever a test raises is its failure, and the next test still runs
        print("not ok %d - %s" % (number, name))
        _comment(traceback.format_exc())
        return False
    print("ok %d - %s" % (number, name))
    _comment("%.2f s" % (time.monotonic() - start))
    return True


def main(module=None):
    """Runs the tests of the calling file in the order they are written; arguments name some of them."""
    module = module or sys.modules["__main__"]
    tests = {name: value for name, value in vars(module).items() if name.startswith("test_") and callable(value)}
    chosen = sys.argv[1:] or list(tests)
    unknown = [name for name in chosen if name not in tests]
    if unknown or not chosen:
        print("Bail out! no test named %s" % ", ".join(unknown))
        sys.exit(2)
    print("1..%d" % len(chosen), flush=True)
    good = True
    with _shared:
        for number, name in enumerate(chosen, 1):
            good &= _run_test(number, name, tests[name])
            sys.stdout.flush()
    sys.exit(0 if good else 1)
