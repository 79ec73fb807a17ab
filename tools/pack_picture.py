#!/usr/bin/env python3
"""The entity-relationship pictures in packs/*/README.md, made from the catalogue of a new tenant.

pack_picture.py write|check [PROGRAM [PACK...]]: starts a server, makes a tenant of each pack and writes what is
between the two marks, or fails when that is not what write would make of it. The test of the packs' queries
checks the same, so that no gate has to start a server for it.

A picture has every table with the columns that are part of a key, and every foreign key. A partition is part of
its table."""
import difflib
import glob
import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BEGIN, END = "<!-- er:begin -->\n", "<!-- er:end -->\n"
TITLE = "entity-relationship picture"

# One JSON value of the schema that stands for %s: [{table, columns: [{name, type, keys}], parents: [{table, columns, optional, single}]}].
# A foreign key is optional when one of its columns may be NULL, and single when its columns are unique.
CATALOGUE = """
WITH tables AS (
    SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = '%s' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
), uniques AS (
    SELECT i.indrelid, i.indisprimary, i.indkey::int2[] AS columns
      FROM pg_index i JOIN tables t ON t.oid = i.indrelid
     WHERE i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
), links AS (
    SELECT k.conname, k.conrelid, k.confrelid, k.conkey
      FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid
     WHERE k.contype = 'f' AND k.conparentid = 0
), keys AS (
    SELECT a.attrelid, a.attnum, a.attname, y.typname,
           array_remove(ARRAY[
               CASE WHEN EXISTS (SELECT FROM uniques u WHERE u.indrelid = a.attrelid AND u.indisprimary
                                    AND a.attnum = ANY (u.columns)) THEN 'PK' END,
               CASE WHEN EXISTS (SELECT FROM links l WHERE l.conrelid = a.attrelid AND a.attnum = ANY (l.conkey))
                    THEN 'FK' END,
               CASE WHEN EXISTS (SELECT FROM uniques u WHERE u.indrelid = a.attrelid AND NOT u.indisprimary
                                    AND a.attnum = ANY (u.columns)) THEN 'UK' END], NULL) AS keys
      FROM pg_attribute a JOIN tables t ON t.oid = a.attrelid JOIN pg_type y ON y.oid = a.atttypid
     WHERE a.attnum > 0 AND NOT a.attisdropped
)
SELECT json_agg(json_build_object(
           'table', t.relname,
           'columns', (SELECT coalesce(json_agg(json_build_object('name', k.attname, 'type', k.typname, 'keys', k.keys)
                                                ORDER BY k.attnum), '[]')
                         FROM keys k WHERE k.attrelid = t.oid AND k.keys <> '{}'),
           'parents', (SELECT coalesce(json_agg(json_build_object(
                                  'table', p.relname,
                                  'columns', (SELECT json_agg(a.attname ORDER BY position)
                                                FROM unnest(l.conkey) WITH ORDINALITY AS x (attnum, position)
                                                JOIN pg_attribute a ON a.attrelid = l.conrelid AND a.attnum = x.attnum),
                                  'optional', EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = l.conrelid
                                                         AND a.attnum = ANY (l.conkey) AND NOT a.attnotnull),
                                  'single', EXISTS (SELECT FROM uniques u WHERE u.indrelid = l.conrelid
                                                       AND u.columns <@ l.conkey))
                                  ORDER BY p.relname, l.conkey, l.conname), '[]')
                         FROM links l JOIN pg_class p ON p.oid = l.confrelid WHERE l.conrelid = t.oid))
       ORDER BY t.relname)
  FROM tables t
"""
TYPES = {"bool": "boolean", "bpchar": "char", "int2": "smallint", "int4": "integer", "int8": "bigint"}


def _entity(table):
    lines = ["        %s %s %s" % (TYPES.get(c["type"], c["type"]), c["name"], ", ".join(c["keys"]))
             for c in table["columns"]]
    return ["    %s {" % table["table"], *lines, "    }"] if lines else ["    " + table["table"]]


def _relationship(table, parent):
    """In the row tier every foreign key has tenant_id; it says nothing about the one at hand."""
    named = [c for c in parent["columns"] if c != "tenant_id"] or parent["columns"]
    ends = ("|o" if parent["optional"] else "||") + "--" + ("o|" if parent["single"] else "o{")
    return '    %s %s %s : "%s"' % (parent["table"], ends, table["table"], ", ".join(named))


def picture(tables):
    """The lines between the marks, from what the statement gives."""
    lines = ["```mermaid", "erDiagram"]
    for table in tables:
        lines += _entity(table)
    lines += [_relationship(table, parent) for table in tables for parent in table["parents"]]
    return "\n".join([*lines, "```", ""])


def with_picture(readme, made):
    """The text of a README with the picture in its place."""
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError("no place for the %s: needs the lines %s and %s" % (TITLE, BEGIN.strip(), END.strip()))
    return head + begin + "\n" + made + "\n" + end + tail


def read_picture(server, folder, slug):
    """Makes a tenant of the pack in a folder and draws it."""
    with open(os.path.join(folder, "blueprint.yaml"), encoding="utf-8") as f:
        name = re.search(r"^name: *(\w+)", f.read(), re.MULTILINE)[1]
    server.tenantry("blueprint", "add", folder)
    tenant = server.create(slug, name)
    schema = server.psql("SELECT current_schema", tenant["app"])
    return picture(json.loads(server.psql(CATALOGUE % schema, server.superuser)))


def difference(folder, made):
    """Lines of a diff between the README that is there and the one with the picture; none when they agree."""
    path = os.path.join(folder, "README.md")
    with open(path, encoding="utf-8") as f:
        there = f.read()
    return list(difflib.unified_diff(there.split("\n"), with_picture(there, made).split("\n"), path, "made", "", "", 1, ""))


def _put(mode, folder, made):
    if mode == "check":
        lines = difference(folder, made)
        print("\n".join(lines), end="\n" if lines else "")
        return not lines
    path = os.path.join(folder, "README.md")
    with open(path, encoding="utf-8") as f:
        there = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(with_picture(there, made))
    return True


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in ("write", "check"):
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 64
    os.environ.setdefault("TENANTRY_BINARY", sys.argv[2] if len(sys.argv) > 2 else os.path.join(ROOT, "build", "tenantry"))
    sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))
    import harness  # reads the program's name when it is loaded

    named = [os.path.join(ROOT, "packs", pack) for pack in sys.argv[3:]]
    folders = named or [os.path.dirname(p) for p in sorted(glob.glob(os.path.join(ROOT, "packs", "*", "blueprint.yaml")))]
    good = True
    with harness.Server() as server:
        server.up()
        for number, folder in enumerate(folders):
            try:
                good &= _put(sys.argv[1], folder, read_picture(server, folder, "picture-%d" % number))
            except (AssertionError, OSError, ValueError) as e:
                print("pack_picture: %s: %s" % (folder, e), file=sys.stderr)
                good = False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
