#!/usr/bin/env python3
"""Self-test of layers.py: makes trees in a temporary folder and sees what is refused."""
import os
import sys
import tempfile

import layers

# What the file says, where it is, and the words of the refusal (None: allowed).
CASES = [
    ("src/store/a.c", '#include "core/err.h"\n', None),
    ("src/store/a.c", '#include "store/a.h"\n', None),
    ("src/store/a.c", '\n#  include "tenant/tenant.h"\n', "src/store/a.c:2: tenant is above store"),
    ("src/core/a.h", '#include "config/config.h"\n', "src/core/a.h:1: config is above core"),
    ("src/cli/a.c", '#include "http/server.h"\n', None),
    ("src/http/a.c", '#include "cli/cli.h"\n', "cli is above http"),
    ("src/core/a.c", '#include "err.h"\n', "path below src/"),
    ("src/core/a.c", '#include "../core/err.h"\n', "path below src/"),
    ("src/core/a.c", '/* #include "cli/cli.h" */\n', None),
    ("src/strange/a.c", "", "in no module"),
    ("src/main.c", '#include "cli/cli.h"\n#include "packs/nfe/ops.h"\n', None),
    ("src/cli/a.c", '#include "packs/nfe/ops.h"\n', "only src/main.c and the pack itself"),
    ("packs/nfe/a.c", '#include "packs/nfe/a.h"\n#include "ops/op.h"\n', None),
    ("packs/nfe/a.c", '#include "packs/saas/a.h"\n', "only src/main.c and the pack itself"),
    ("packs/nfe/a.c", '#include "cli/cli.h"\n', "cli is above packs/nfe"),
    ("src/secret/a.c", "#include <openssl/evp.h>\n", None),
    ("src/cli/a.c", "#include <openssl/evp.h>\n", "belongs to secret alone"),
    ("src/pg/a.c", "#include <libpq-fe.h>\n#include <pg_query.h>\n", None),
    ("src/store/a.c", "#include <libpq-fe.h>\n", "belongs to pg alone"),
    ("src/pg/a.c", "#include <jansson.h>\n", "belongs to core alone"),
    ("src/blueprint/a.c", "#include <yaml.h>\n", "belongs to core alone"),
    ("src/blueprint/a.c", '#include "core/yaml.h"\n', None),
    ("src/main.c", "#include <libpq-fe.h>\n", "belongs to pg alone"),
    ("packs/nfe/a.c", "#include <libxml/tree.h>\n", None),
    ("packs/saas/a.c", "#include <libxml/tree.h>\n", "belongs to isolation and packs/nfe alone"),
    ("src/core/a.c", "#include <lua.h>\n", "no known library"),
    ("src/core/a.c", "#include <linux/limits.h>\n#include <sys/stat.h>\n", None),
    ("src/core/a.c", "int f(void)\n{\n    return system(0);\n}\n", "src/core/a.c:3: system() is not used"),
    ("src/core/a.c", "char *s = strcpy (a, b);\n", "strcpy() is not used"),
    ("src/core/a.c", "/* strcpy(a, b) */ const char *s = \"system(1)\"; // rand()\n", None),
    ("src/core/a.c", "my_strcpy(a, b); x->system(1); x.rand(2); strtok_r(a, b, c);\n", None),
    ("src/core/a.c", "char c = '\"'; strcat(a, b); char d = '\"';\n", "strcat() is not used"),
    ("src/core/process.c", "pid_t p = fork();\n", None),
    ("src/core/file.c", "pid_t p = fork();\n", "only src/core/process.c may call fork()"),
]


def run(path, text):
    """The violations in a tree of this one file."""
    with tempfile.TemporaryDirectory() as root:
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full))
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)
        return layers.check_tree(root)[0]


def main():
    failed = 0
    for path, text, expected in CASES:
        problems = run(path, text)
        good = not problems if expected is None else any(expected in p for p in problems)
        if not good:
            failed += 1
            print("%s with %r: expected %s, got %s" % (path, text, expected or "no refusal", problems))
    print("test_layers: %d cases, %d failed" % (len(CASES), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
