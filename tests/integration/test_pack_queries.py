#!/usr/bin/env python3
"""What the application of each pack asks, on a tenant with many rows: the plans are those that queries.sql names.
And the picture in the pack's README is that of its tables, and so are the numbers that it gives.

One test for each pack with a queries.sql and each tier that it offers; pack_queries.py says how that file is
written. TEST_PACK=nfe runs those of one pack, an argument one test: test_the_queries_of_nfe_in_the_schema_tier."""
import functools
import glob
import json
import os
import re
import sys

import harness
import pack_queries
from pack_queries import BadFile, Query, Relations

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKS = os.path.join(ROOT, "packs")
sys.path.insert(0, os.path.join(ROOT, "tools"))
import pack_picture  # noqa: E402 (a tool of the source tree, not a package)

ONLY = os.environ.get("TEST_PACK")

# In the row tier the tables hold a large tenant and these, so that a condition on tenant_id leaves rows out.
SMALL_TENANTS = 9
# Enough rows for an index to be worth its while.
LARGE = 50_000
# ANALYZE then reads every row of a table of 100,000, so that a plan does not depend on which rows it drew.
ANALYZE = "SET default_statistics_target = 500; VACUUM (ANALYZE) %s"
SHOWN_LINES = 60  # of the plan of a query that fails


@functools.lru_cache(maxsize=None)
def shared_server():
    """Its statistics are those of ANALYZE below; autovacuum would find the same once more."""
    server = harness.shared_server()
    server.psql("ALTER SYSTEM SET autovacuum = off;\nSELECT pg_reload_conf();", server.superuser)
    return server


class Pack:
    """A folder with a blueprint."""

    def __init__(self, folder):
        self.folder = folder
        self.name = os.path.basename(folder)
        self.manifest = self.read("blueprint.yaml")

    def path(self, file):
        return os.path.join(self.folder, file)

    def read(self, file):
        with open(self.path(file), encoding="utf-8") as f:
            return f.read()

    def tiers(self):
        return re.findall(r"\w+", re.search(r"^tiers:(.*(?:\n *- .*)*)", self.manifest, re.MULTILINE)[1])

    def demo(self):
        named = re.search(r"^demo: *(\S+)", self.manifest, re.MULTILINE)
        return self.read(named[1]) if named else ""

    def variants(self):
        """The extensions that change what its migrations make."""
        return {re.search(r"\.with_(\w+)\.", file)[1] for file in glob.glob(self.path("migrations/*.with_*.sql"))}


def load(server, tenant, sql, file):
    result = server.psql(sql, tenant["app"], expect=None)
    assert result.status == 0, "%s cannot be loaded: %s" % (file, result.text())


def fill(pack, tier):
    """A tenant with the rows of bulk.sql; small ones beside it where they share tables."""
    server = shared_server()
    server.tenantry("blueprint", "add", pack.folder)
    slug = "%s-%s" % (pack.name.replace("_", "-"), tier)
    tenant = server.create(slug, pack.name, "--tier", tier)
    load(server, tenant, pack.read("bulk.sql"), pack.path("bulk.sql"))
    for i in range(SMALL_TENANTS if tier == "row" else 0):
        load(server, server.create("%s-%d" % (slug, i), pack.name, "--tier", tier), pack.demo(), "demo.sql")
    return tenant


def relations_of(tenant):
    """The tables of the tenant, with what ANALYZE has just found in them."""
    server = shared_server()
    schema = server.psql("SELECT current_schema", tenant["app"])
    sql = Relations.SQL.format(schema)
    roots = Relations(schema, json.loads(server.psql(sql, server.superuser))).roots()
    server.psql(ANALYZE % ", ".join('"%s"."%s"' % (schema, root) for root in roots), server.superuser)
    return Relations(schema, json.loads(server.psql(sql, server.superuser)))


def values_of(query, tenant):
    """The row of the query's values, as text."""
    if not query.values:
        return []
    result = shared_server().psql("COPY (%s) TO STDOUT" % query.values, tenant["app"], expect=None)
    assert result.status == 0, "values: " + result.err
    rows = result.out.split("\n")[:-1]
    assert len(rows) == 1, "values: %d rows" % len(rows)
    return pack_queries.copied_row(rows[0])


def problems_of(query, tenant, relations):
    """What is wrong with one query in this tenant, in words."""
    try:
        values = values_of(query, tenant)
    except AssertionError as e:
        return [str(e)]
    result = shared_server().psql(pack_queries.script(query, values), tenant["app"], expect=None)
    if result.status != 0:
        return [result.err.strip()]
    problems = pack_queries.plan_problems(query, pack_queries.read_plan(result.out), relations)
    if not problems:
        return []
    shown = shared_server().psql(pack_queries.script(query, values, "EXPLAIN"), tenant["app"])
    return ["plan line %s: %s" % problem for problem in problems] + shown.split("\n")[:SHOWN_LINES]


def check(pack, tier):
    """All queries of a pack in a tenant of a tier."""
    path = pack.path("queries.sql")
    try:
        queries = pack_queries.parse(pack.read("queries.sql"))
    except BadFile as e:
        raise BadFile("%s\n%s" % (path, e)) from None
    tenant = fill(pack, tier)
    offered = set(shared_server().psql("SELECT extname FROM pg_extension").split("\n"))
    if pack.variants() & offered:
        harness.skip("with %s the tables are others" % ", ".join(pack.variants() & offered))
    relations = relations_of(tenant)
    assert relations.most_rows() >= LARGE, "%s: no table has %d rows" % (pack.path("bulk.sql"), LARGE)
    failed = []
    for query in queries:
        problems = problems_of(query, tenant, relations)
        if problems:
            failed.append("query %r (%s:%d)\n  %s" % (query.title, path, query.line, "\n  ".join(problems)))
    assert not failed, "%d of %d queries fail\n%s" % (len(failed), len(queries), "\n".join(failed))


# What a README may count. Partitions, and what is on them, are as many as the day wants.
COUNTS = """
WITH place AS (
    SELECT n.oid FROM tenantry.tenants t JOIN tenantry.places p ON p.id = t.place_id
      JOIN pg_namespace n ON n.nspname = p.schema_name WHERE t.slug = '%s'
), relation AS (
    SELECT c.relkind, c.relispartition FROM pg_class c JOIN place ON c.relnamespace = place.oid
)
SELECT json_build_object(
    'tables', (SELECT count(*) FROM relation WHERE relkind IN ('r', 'p') AND NOT relispartition),
    'indexes', (SELECT count(*) FROM relation WHERE relkind IN ('i', 'I')
                 HAVING NOT coalesce((SELECT bool_or(relispartition) FROM relation), false)),
    'functions', (SELECT count(*) FROM pg_proc f JOIN place ON f.pronamespace = place.oid))
"""


def wrong_counts(readme, counts):
    """Those of "A new tenant has 9 tables and 12 indexes" that are not so."""
    sentences = re.findall(r"tenant\s+has\s+\d+\s+tables.*?[.:]\s", readme, re.DOTALL)
    told = [found for sentence in sentences for found in re.findall(r"(\d+)\s+(tables|indexes|functions)", sentence)]
    return ["%s %s, there are %d" % (number, what, counts[what]) for number, what in told
            if counts[what] is not None and int(number) != counts[what]]


def check_picture(pack):
    """The picture in a pack's README, and what the README counts."""
    slug = pack.name.replace("_", "-") + "-picture"
    made = pack_picture.read_picture(shared_server(), pack.folder, slug)
    different = pack_picture.difference(pack.folder, made)
    assert not different, "tools/pack_picture.py write would change\n" + "\n".join(different)
    wrong = wrong_counts(pack.read("README.md"), json.loads(shared_server().psql(COUNTS % slug, shared_server().superuser)))
    assert not wrong, "%s: %s" % (pack.path("README.md"), "; ".join(wrong))


def packs():
    """Those that have queries, or the one that TEST_PACK names, whether it has some or not."""
    found = [os.path.dirname(path) for path in sorted(glob.glob(os.path.join(PACKS, "*", "queries.sql")))]
    return [Pack(folder) for folder in ([os.path.join(PACKS, ONLY)] if ONLY else found)]


def test_what_is_wrong_with_a_file_of_queries_is_said():
    good = "-- A remark.\n-- query: one\n-- values: SELECT 1\n--   AS n\n-- plan: noseq=t\nSELECT $1;\n"
    only = pack_queries.parse(good)[0]
    assert (only.title, only.values, only.plans, only.sql) == ("one", "SELECT 1 AS n", ["noseq=t"], "SELECT $1;\n")
    for text, says in (
        ("", "no query"),
        ("SELECT 1;\n", "line 1: a statement without"),
        ("-- plan: noseq=t\n" + good, "line 1: an annotation before"),
        (good.replace("-- values", "-- Index"), "line 3: unknown annotation 'Index'"),
        (good.replace("plan:", "plans:"), "unknown annotation 'plans'"),
        (good.replace("-- plan: noseq=t\n", ""), "query 'one' has no plan line"),
        (good.replace("noseq=t", "noseq = t"), "unknown plan line 'noseq = t'"),
        (good.replace("noseq=t", "pruned=t"), "unknown plan line 'pruned=t'"),
        (good.replace("noseq=t", "seq=t"), "unknown plan line 'seq=t'"),
        (good.replace("$1;", "$1"), "not one statement"),
        (good + "SELECT 2;\n", "not one statement"),
        (good + "-- plan: index=i\n", "line 7: an annotation inside"),
        (good.replace("query: one", "query:"), "has no title"),
    ):
        try:
            pack_queries.parse(text)
        except BadFile as e:
            assert says in str(e), (says, str(e))
        else:
            raise AssertionError("accepted: " + text)


def test_a_plan_that_is_not_as_its_lines_say_is_noticed():
    rows = [("t", "t", "p", 0), ("t_1", "t", "r", 9), ("t_2", "t", "r", 9), ("t_3", "t", "r", 0), ("u", "u", "r", 9),
            ("ix", "ix", "I", 0), ("t_1_ix", "ix", "i", 0), ("ux", "ux", "i", 0)]
    relations = Relations("s", [dict(zip(("name", "root", "kind", "rows"), row)) for row in rows])

    def scan(table, kind="Seq Scan", schema="s", **more):
        return {"Node Type": kind, "Relation Name": table, "Schema": schema, **more}

    def problems(line, *scans):
        query = Query("q", 1)
        query.plans = [line]
        found = pack_queries.plan_problems(query, [{"Plan": {"Node Type": "Append", "Plans": list(scans)}}], relations)
        return found[0][1] if found else ""

    by_index = scan("t_1", "Index Scan", **{"Index Name": "t_1_ix"})
    assert problems("index=ix", by_index) == ""
    assert problems("index=ux", by_index) == "the index is not used; used: ix"
    assert problems("index=ix", {**by_index, "Schema": "other"}) == "the index is not used; used: none"
    assert problems("index=t_1_ix", by_index) == "there is no such index, only one of a partition"
    assert problems("index=iy", by_index) == "there is no such index"
    assert problems("pruned=t:1", by_index, scan("u")) == ""
    assert problems("pruned=t:1", by_index, scan("t_2")) == "2 partitions are read: t_1, t_2"
    assert problems("pruned=u:1", scan("u")) == "there is no such partitioned table"
    assert problems("noseq=t", by_index, scan("t_3"), scan("u"), scan("t_1", schema="other")) == ""
    assert problems("noseq=t", by_index, scan("t_2")) == "read from end to end: t_2"
    assert problems("noseq=u", scan("u")) == "read from end to end: u"
    assert problems("noseq=t_1", scan("u")) == "there is no such table"


def test_a_wrong_number_in_a_readme_is_noticed():
    text = "An empty tenant has 3 tables (one of them\npartitioned), 9 indexes, 2 functions: 20 relations. 7 tables have none."
    assert wrong_counts(text, {"tables": 3, "indexes": None, "functions": 2}) == []
    assert wrong_counts(text, {"tables": 4, "indexes": 8, "functions": 2}) == ["3 tables, there are 4", "9 indexes, there are 8"]


for _pack in packs():
    globals()["test_the_picture_of_%s_is_that_of_its_tables" % _pack.name] = functools.partial(check_picture, _pack)
    for _tier in _pack.tiers():
        _name = "test_the_queries_of_%s_in_the_%s_tier" % (_pack.name, _tier)
        globals()[_name] = functools.partial(check, _pack, _tier)

if __name__ == "__main__":
    harness.main()
