#!/usr/bin/env python3
"""Checks the architecture that the compiler cannot: layers.py [ROOT].

A module includes only itself and modules below it, a library has one module, and functions that
invite mistakes are not called. Prints file:line and the rule for each violation."""
import os
import re
import sys

# Lowest first. PACKS stands for every folder of packs/, which the faces above do not know either.
PACKS = "packs"
MODULES = [
    "core", "io", "config", "secret", "pg", "store", "job", "blueprint", "tenant", "isolation",
    "rollout", "backup", "events", "observe", "ops", "data", PACKS, "http", "mcp", "cli",
]

# Header (or folder of headers) of a library: the one module that includes it, or the few that read or write its format.
LIBRARIES = {
    "argon2.h": "secret",
    "curl/": "io",
    "jansson.h": "core",
    "jose/": "secret",
    "jwt.h": "secret",
    "libpq-fe.h": "pg",
    "libpq/": "pg",
    "libxml/": ("isolation", "packs/nfe"),
    "llhttp.h": "http",
    "nghttp2/": "http",
    "openssl/": "secret",
    "pg_query.h": "pg",
    "pg_query/": "pg",
    "postgres_ext.h": "pg",
    "protobuf-c/": "pg",
    "uv.h": "io",
    "xmlsec/": "packs/nfe",
    "yaml.h": "core",
    "zstd.h": "backup",
}

# Headers of the C library, POSIX and Linux; everything else in <> must be in LIBRARIES.
SYSTEM = set("""
arpa/inet.h assert.h complex.h ctype.h dirent.h dlfcn.h endian.h err.h errno.h execinfo.h fcntl.h fenv.h
float.h fnmatch.h ftw.h getopt.h glob.h grp.h iconv.h inttypes.h langinfo.h libgen.h limits.h locale.h
math.h netdb.h netinet/in.h netinet/tcp.h poll.h pthread.h pwd.h regex.h sched.h semaphore.h signal.h spawn.h
stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h strings.h
sys/epoll.h sys/eventfd.h sys/file.h sys/fsuid.h sys/inotify.h sys/ioctl.h sys/mman.h sys/pidfd.h sys/prctl.h sys/random.h
sys/resource.h sys/select.h sys/signalfd.h sys/socket.h sys/stat.h sys/statvfs.h sys/syscall.h sys/time.h
sys/timerfd.h sys/types.h sys/uio.h sys/un.h sys/utsname.h sys/wait.h syslog.h tgmath.h threads.h time.h
uchar.h unistd.h wchar.h wctype.h
""".split())
SYSTEM_FOLDERS = ("linux/",)

# Function: why it is refused.
POISONED = {
    "alloca": "the stack has no limit check; use an arena",
    "atof": "it hides errors; use core/text.h",
    "atoi": "it hides errors; use core/text.h",
    "atol": "it hides errors; use core/text.h",
    "atoll": "it hides errors; use core/text.h",
    "gets": "it has no bound",
    "longjmp": "errors are values; return false with an Err",
    "mktemp": "another process can take the name; use mkstemp",
    "popen": "it runs a shell; use core/process.h",
    "rand": "it can be guessed; use secret/secret.h",
    "setjmp": "errors are values; return false with an Err",
    "siglongjmp": "errors are values; return false with an Err",
    "sigsetjmp": "errors are values; return false with an Err",
    "sprintf": "it has no bound; use core/strbuf.h",
    "srand": "it can be guessed; use secret/secret.h",
    "stpcpy": "it has no bound; use core/strbuf.h",
    "strcat": "it has no bound; use core/strbuf.h",
    "strcpy": "it has no bound; use core/strbuf.h",
    "strtok": "it has hidden state; use strcspn",
    "system": "it runs a shell; use core/process.h",
    "tempnam": "another process can take the name; use mkstemp",
    "tmpnam": "another process can take the name; use mkstemp",
    "vsprintf": "it has no bound; use core/strbuf.h",
}

# Functions that only one file may call.
PROCESS_FILE = "src/core/process.c"
ONE_FILE = dict.fromkeys(
    ["clone", "execl", "execle", "execlp", "execv", "execve", "execvp", "execvpe", "fork",
     "posix_spawn", "posix_spawnp", "vfork"], PROCESS_FILE)

ENTRY = "src/main.c"  # puts the program together: may include every module
EXTENSIONS = (".c", ".h", ".def", ".inc")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
CALL = re.compile(r"(?<![\w.])(?<!->)(%s)\s*\(" % "|".join([*POISONED, *ONE_FILE]))
# In this order: what starts first in the text wins, so that a quote in a comment is no string.
COMMENT_OR_STRING = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def blank(text, keep_strings):
    """The text without comments (and strings), every newline kept so that line numbers hold."""
    def replace(match):
        found = match.group()
        if keep_strings and found[0] in "\"'":
            return found
        return " " + "\n" * found.count("\n")
    return COMMENT_OR_STRING.sub(replace, text)


def module_of(path):
    """("core", "core") for src/core/x.c, ("packs", "packs/nfe") for packs/nfe/x.c, else None."""
    parts = path.split("/")
    if parts[0] == "packs" and len(parts) > 2:
        return PACKS, "packs/" + parts[1]
    if parts[0] == "src" and len(parts) > 2:
        return parts[1], parts[1]
    return None


def check_library(owner, header):
    """A sentence when the module may not include <header>."""
    if header in SYSTEM or header.startswith(SYSTEM_FOLDERS):
        return None
    for library, home in LIBRARIES.items():
        if header == library or (library.endswith("/") and header.startswith(library)):
            homes = (home,) if isinstance(home, str) else home
            if owner in homes:
                return None
            return "<%s> belongs to %s alone" % (header, " and ".join(homes))
    return "<%s> is of no known library: name its one module in tools/layers.py" % header


def check_own_header(path, header):
    """A sentence when the file may not include "header"."""
    if path == ENTRY:
        return None
    name, owner = module_of(path)
    if header.startswith("packs/"):
        other = "/".join(header.split("/")[:2])
        return None if other == owner else 'only %s and the pack itself may include "%s"' % (ENTRY, header)
    target = header.split("/")[0]
    if "/" not in header or target not in MODULES:
        return 'write "%s" as a path below src/ (module/file.h)' % header
    if MODULES.index(target) > MODULES.index(name):
        return "%s is above %s and may not be included" % (target, owner)
    return None


def check_file(path, text):
    """Yields (line, sentence)."""
    module = module_of(path)
    if path != ENTRY and (module is None or module[0] not in MODULES):
        yield 1, "the file is in no module that tools/layers.py knows"
        return
    code = blank(text, keep_strings=True)
    for match in INCLUDE.finditer(code):
        header = match.group(2)
        line = code.count("\n", 0, match.start(2)) + 1
        if match.group(1) == "<":
            problem = check_library(ENTRY if path == ENTRY else module[1], header)
        else:
            problem = check_own_header(path, header)
        if problem:
            yield line, problem
    code = blank(text, keep_strings=False)
    for match in CALL.finditer(code):
        name = match.group(1)
        line = code.count("\n", 0, match.start()) + 1
        if name in POISONED:
            yield line, "%s() is not used here: %s" % (name, POISONED[name])
        elif path != ONE_FILE[name]:
            yield line, "only %s may call %s()" % (ONE_FILE[name], name)


def check_tree(root):
    """Every violation as "file:line: sentence", and how many files were read."""
    problems, count = [], 0
    for top in ("src", "packs"):
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders.sort()
            for name in sorted(names):
                if not name.endswith(EXTENSIONS):
                    continue
                full = os.path.join(folder, name)
                path = os.path.relpath(full, root).replace(os.sep, "/")
                with open(full, encoding="utf-8") as f:
                    text = f.read()
                count += 1
                problems += ["%s:%d: %s" % (path, line, what) for line, what in check_file(path, text)]
    return problems, count


def main():
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    problems, count = check_tree(sys.argv[1] if len(sys.argv) > 1 else default)
    for problem in problems:
        print(problem)
    print("layers: %d files, %d violations" % (count, len(problems)))
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
