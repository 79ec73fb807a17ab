#!/usr/bin/env python3
"""Writes the C table of core/embedded_file.h: embed.py OUTPUT ROOT FILE..., paths shown relative to ROOT."""
import os
import sys


def c_string(data):
    """The bytes as C string literals, one source line each (C17 needs only 4,095 characters per literal)."""
    out = []
    for line in data.splitlines(keepends=True) or [b""]:
        text = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\?' else "\\%03o" % b for b in line)
        out.append('        "%s"' % text)
    return "\n".join(out)


def main():
    output, root, *files = sys.argv[1:]
    rows = []
    for path in sorted(files, key=lambda p: os.path.relpath(p, root)):
        with open(path, "rb") as f:
            data = f.read()
        rows.append('    {"%s",\n%s,\n     %d},' % (os.path.relpath(path, root), c_string(data), len(data)))
    with open(output, "w") as f:
        f.write('#include "core/embedded_file.h"\n\nconst EmbeddedFile embedded_files[] = {\n')
        f.write("\n".join(rows))
        f.write("\n};\nconst size_t embedded_file_count = sizeof embedded_files / sizeof *embedded_files;\n")


main()
