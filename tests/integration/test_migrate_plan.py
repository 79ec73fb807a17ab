#!/usr/bin/env python3
"""What a rollout would run and lock: "migrate plan", held against what PostgreSQL does, "migrate lint" and "migrate new"."""
import functools
import json
import os

import harness
from harness import shared_server

MANIFEST = """name: {name}
title: For plans
tiers: [{tiers}]
plans:
  one: {{title: One, limits: {{max_connections: 10}}}}
"""
# What the tenants have, and statements that PostgreSQL is asked about, one on each line.
FIRST = """CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c varchar(10));
CREATE TABLE u (id bigint PRIMARY KEY, t_id bigint);
CREATE TABLE w (id bigint);
CREATE TABLE r (id bigint PRIMARY KEY);
CREATE TABLE p (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE p_default PARTITION OF p DEFAULT;
CREATE TABLE q (at date NOT NULL);
CREATE UNIQUE INDEX t_a ON t (a);
CREATE INDEX t_b ON t (b);
CREATE MATERIALIZED VIEW m AS SELECT id FROM u;
CREATE UNIQUE INDEX m_id ON m (id);
CREATE VIEW v AS SELECT id FROM w;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER w_f BEFORE INSERT ON w FOR EACH ROW EXECUTE FUNCTION f();
"""
SECOND = """ALTER TABLE t ADD COLUMN plain int;
ALTER TABLE t ADD COLUMN constant int DEFAULT 1;
ALTER TABLE t ADD COLUMN stable timestamptz DEFAULT now();
ALTER TABLE t ADD COLUMN volatile uuid DEFAULT gen_random_uuid();
ALTER TABLE t ADD COLUMN generated int GENERATED ALWAYS AS (a + 1) STORED;
ALTER TABLE t ADD COLUMN identity bigint GENERATED ALWAYS AS IDENTITY;
ALTER TABLE t ADD COLUMN referring bigint REFERENCES r;
ALTER TABLE t ADD CONSTRAINT t_check CHECK (id > 0) NOT VALID;
ALTER TABLE t VALIDATE CONSTRAINT t_check;
ALTER TABLE u ADD CONSTRAINT u_t FOREIGN KEY (t_id) REFERENCES t NOT VALID;
ALTER TABLE u ADD FOREIGN KEY (id) REFERENCES t;
ALTER TABLE t ADD CONSTRAINT t_key UNIQUE USING INDEX t_a;
ALTER TABLE w ADD PRIMARY KEY (id);
ALTER TABLE t ALTER COLUMN b TYPE bytea USING b::bytea;
ALTER TABLE t ALTER COLUMN a SET NOT NULL;
ALTER TABLE t ALTER COLUMN a SET DEFAULT 3;
ALTER TABLE t ALTER COLUMN a SET STATISTICS 10;
ALTER TABLE t ALTER COLUMN a SET (n_distinct = 3);
ALTER TABLE t ALTER COLUMN b SET STORAGE external;
ALTER TABLE t SET (fillfactor = 90);
ALTER TABLE t CLUSTER ON t_pkey;
ALTER TABLE w DISABLE TRIGGER w_f;
ALTER TABLE w ENABLE TRIGGER w_f;
ALTER TABLE w ENABLE ROW LEVEL SECURITY;
ALTER TABLE w REPLICA IDENTITY FULL;
ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
CREATE TABLE p_new PARTITION OF p FOR VALUES FROM ('2021-01-01') TO ('2021-02-01');
CREATE TABLE heir (x int) INHERITS (w);
CREATE TABLE referring (t_id bigint REFERENCES t, u_id bigint REFERENCES u);
CREATE TABLE alike (LIKE t INCLUDING DEFAULTS);
CREATE TABLE copied AS SELECT id FROM t;
CREATE VIEW seen AS SELECT t.id FROM t JOIN u ON u.id = t.id;
CREATE OR REPLACE VIEW v AS SELECT id FROM w WHERE id > 0;
CREATE INDEX t_new ON t (c);
CREATE TRIGGER u_f BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION f();
CREATE POLICY w_p ON w USING (true);
CREATE RULE w_r AS ON DELETE TO w DO ALSO NOTHING;
CREATE STATISTICS t_s ON a, id FROM t;
COMMENT ON TABLE t IS 'x';
COMMENT ON COLUMN t.a IS 'x';
ALTER TABLE w RENAME CONSTRAINT w_pkey TO w_key;
ALTER INDEX t_b RENAME TO t_bb;
ANALYZE t;
REINDEX TABLE t;
CLUSTER u USING u_pkey;
REFRESH MATERIALIZED VIEW m;
INSERT INTO w VALUES (1);
INSERT INTO w SELECT id FROM t;
UPDATE w SET id = 2 FROM u WHERE u.id = w.id;
DELETE FROM w WHERE id = 1;
WITH x AS (SELECT id FROM u) SELECT * FROM x JOIN t USING (id);
SELECT id FROM t FOR UPDATE;
LOCK TABLE t IN EXCLUSIVE MODE;
TRUNCATE w;
ALTER TABLE q SET UNLOGGED;
ALTER TABLE t DROP COLUMN c;
ALTER TABLE t RENAME COLUMN a TO aa;
DROP TRIGGER w_f ON w;
DROP VIEW v;
DROP MATERIALIZED VIEW m;
ALTER TABLE p DETACH PARTITION p_default;
DROP TABLE p_default;
"""
MODES = ["AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
         "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"]
# These need what the statement before them made, so that they cannot be asked about alone.
NEEDED = {"ALTER TABLE t VALIDATE": "ALTER TABLE t ADD CONSTRAINT t_check CHECK (id > 0) NOT VALID; COMMIT; BEGIN",
          "ALTER TABLE w RENAME CONSTRAINT": "ALTER TABLE w ADD PRIMARY KEY (id); COMMIT; BEGIN"}
# A default partition is locked with its parent, and a parent with its partition: which they are, no statement says.
NOT_IN_THE_TEXT = {(statement, table) for statement in SECOND.splitlines() for table, start in (
    ("p_default", "ALTER TABLE p ATTACH"), ("p_default", "CREATE TABLE p_new"), ("p", "DROP TABLE p_default"))
    if statement.startswith(start)}


def write(folder, name, tiers="schema", **migrations):
    os.makedirs(folder + "/migrations", exist_ok=True)
    with open(folder + "/blueprint.yaml", "w", encoding="utf-8") as f:
        f.write(MANIFEST.format(name=name, tiers=tiers))
    for file, text in migrations.items():
        with open("%s/migrations/%s.sql" % (folder, file), "w", encoding="utf-8") as f:
            f.write(text)
    return folder


@functools.lru_cache(maxsize=None)
def locked_tenant():
    """A tenant at version 1 of a blueprint whose second version has all the statements; its schema."""
    with harness.temporary_folder() as folder:
        write(folder, "locks", V0001__first=FIRST)
        shared_server().tenantry("blueprint", "add", folder)
        shared_server().create("red", "locks")
        write(folder, "locks", V0002__second=SECOND)
        shared_server().tenantry("blueprint", "add", folder)
    return shared_server().tenantry("tenant", "show", "red")["schema"]


def really_locked(schema, statement):
    """The strongest lock that PostgreSQL holds on each relation that was there, and which were written anew."""
    before = next((NEEDED[key] for key in NEEDED if statement.startswith(key)), "SELECT")
    undo = "ALTER TABLE t DROP CONSTRAINT IF EXISTS t_check; ALTER TABLE w DROP CONSTRAINT IF EXISTS w_pkey"
    out = shared_server().psql(
        """SET search_path = %s;
        CREATE TEMP TABLE old AS SELECT oid, relname::text, relkind, pg_relation_filenode(oid) AS node
          FROM pg_class WHERE relnamespace = '%s'::regnamespace;
        BEGIN; %s; %s;
        SELECT jsonb_agg(to_jsonb(x)) FROM (SELECT o.relname, o.relkind, array_agg(l.mode) AS modes,
            coalesce(pg_relation_filenode(o.oid), o.node) IS DISTINCT FROM o.node AS is_new
          FROM old o JOIN pg_locks l ON l.relation = o.oid AND l.pid = pg_backend_pid()
          GROUP BY o.oid, o.relname, o.relkind, o.node) x;
        ROLLBACK; %s""" % (schema, schema, before, statement, undo),
        shared_server().superuser, env={"PGOPTIONS": "-c client_min_messages=error"})
    rows = json.loads(next(line for line in out.split("\n") if line.startswith("[")))
    return {row["relname"]: (max(row["modes"], key=MODES.index), row["is_new"], row["relkind"]) for row in rows}


def test_the_locks_of_a_plan_are_those_that_postgresql_takes():
    schema = locked_tenant()
    plan = shared_server().tenantry("migrate", "plan", "locks")
    told = {}
    for lock in plan["locks"]:
        told.setdefault(lock["line"], {})[lock["table"]] = lock
    wrong = []
    for line, statement in enumerate(SECOND.splitlines(), 1):
        real = really_locked(schema, statement.rstrip(";"))
        for table, lock in told.get(line, {}).items():
            if table not in real:
                continue  # made by an earlier statement of the script
            mode, is_new, _ = real[table]
            if MODES.index(mode) != [m.replace("Lock", "").upper() for m in MODES].index(lock["mode"].replace(" ", "")):
                wrong.append("%s: %s has %s, told %s" % (statement, table, mode, lock["mode"]))
            is_dropped = statement.startswith("DROP")
            if not is_dropped and is_new != (lock["work"] in ("rewrites", "empties")):
                wrong.append("%s: %s written anew: %s, told %s" % (statement, table, is_new, lock["work"]))
        for table, (mode, _, kind) in real.items():
            if (statement, table) in NOT_IN_THE_TEXT:
                continue
            if table not in told.get(line, {}) and kind in "rpm" and MODES.index(mode) > 2:
                wrong.append("%s: %s has %s, told nothing" % (statement, table, mode))
    assert not wrong, "\n".join(wrong)


def test_a_plan_groups_places_by_version_and_counts_what_they_get():
    server = shared_server()
    with harness.temporary_folder() as folder:
        write(folder, "grouped", V0001__a="CREATE TABLE a (id bigint PRIMARY KEY);\n")
        server.tenantry("blueprint", "add", folder)
        for slug in ("one", "two"):
            server.create(slug, "grouped")
        assert server.tenantry("migrate", "plan", "grouped")["places"] == 0
        write(folder, "grouped", V0002__b="CREATE TABLE b (id bigint PRIMARY KEY, t text);\n")
        server.tenantry("blueprint", "add", folder)
        server.create("three", "grouped")
        write(folder, "grouped", V0003__c="ALTER TABLE b ADD COLUMN n int;\n\nCREATE INDEX b_n ON b (n);\n", **{
            "V0003__c.down": "DROP INDEX b_n; ALTER TABLE b DROP COLUMN n;\n"})
        server.tenantry("blueprint", "add", folder)
    server.create("four", "grouped")
    server.psql("UPDATE tenantry.places SET quarantine = 1 WHERE id ="
                " (SELECT place_id FROM tenantry.tenants WHERE slug = 'two')")
    plan = server.tenantry("migrate", "plan", "grouped")
    assert (plan["version"], plan["places"], plan["quarantined"], plan["relations"]) == (3, 3, 1, 11)
    assert plan["groups"] == [
        {"from_version": 1, "to_version": 3, "places": 2, "quarantined": 1, "scripts": 2, "relations": 5,
         "relations_of_all": 10},
        {"from_version": 2, "to_version": 3, "places": 1, "quarantined": 0, "scripts": 1, "relations": 1,
         "relations_of_all": 1}]
    assert [(s["version"], s["statements"], s["relations"], s["strongest_lock"], s["has_down"])
            for s in plan["scripts"]] == [(2, 1, 4, None, False), (3, 2, 1, "ACCESS EXCLUSIVE", True)]
    assert plan["statements"][1:] == [
        {"file": "migrations/V0003__c.sql", "line": 1, "statement": "ALTER TABLE b ADD COLUMN n int",
         "locks": ["b ACCESS EXCLUSIVE"]},
        {"file": "migrations/V0003__c.sql", "line": 3, "statement": "CREATE INDEX b_n ON b (n)",
         "locks": ["b SHARE indexes"]}]
    assert [(h["file"], h["line"], h["rule"]) for h in plan["hazards"]] == [
        ("migrations/V0003__c.sql", 3, "create_index")]
    one = server.tenantry("migrate", "plan", "grouped", "--tenant", "three")
    assert one["places"] == 1, one
    server.refused("input_invalid", "migrate", "plan", "grouped", "--tenant", "three", "--where", "true", says=["together"])
    earlier = server.tenantry("migrate", "plan", "grouped", "--to", "2")
    assert (earlier["version"], earlier["places"], len(earlier["scripts"])) == (2, 2, 1)
    server.refused("input_invalid", "migrate", "plan", "grouped", "--to", "4", says=["has no version 4; its newest is 3"])
    server.refused("blueprint_missing", "migrate", "plan", "groupd", says=["groupd"])


def test_a_plan_says_how_long_writers_would_wait_by_the_size_of_each_places_table():
    server = shared_server()
    with harness.temporary_folder() as folder:
        write(folder, "sized", V0001__a="CREATE TABLE a (id bigint PRIMARY KEY, t text);\n"
              "CREATE TABLE p (at date NOT NULL) PARTITION BY RANGE (at);\nCREATE TABLE p_rest PARTITION OF p DEFAULT;\n")
        server.tenantry("blueprint", "add", folder)
        rows = {"sized-small": 1000, "sized-large": 20000}
        for slug, count in rows.items():
            tenant = server.create(slug, "sized")
            server.psql("INSERT INTO a SELECT n, repeat('x', 100) FROM generate_series(1, %d) n;"
                        " INSERT INTO p SELECT '2020-01-01' FROM generate_series(1, %d);"
                        % (count, count), tenant["app"])
            schema = server.tenantry("tenant", "show", slug)["schema"]
            server.psql('ANALYZE "{0}".a, "{0}".p'.format(schema), server.superuser)
        write(folder, "sized", V0002__b="ALTER TABLE a ALTER COLUMN t SET NOT NULL;\nCREATE INDEX a_t ON a (t);\n"
              "ALTER TABLE a ALTER COLUMN id TYPE numeric;\nCREATE INDEX p_at ON p (at);\nALTER TABLE a ADD COLUMN n int;\n"
              "UPDATE a SET n = 1;\n")
        server.tenantry("blueprint", "add", folder)
    plan = server.tenantry("migrate", "plan", "sized")
    by_line = {lock["line"]: lock for lock in plan["locks"]}
    assert [by_line[n]["work"] for n in range(1, 7)] == ["scans", "indexes", "rewrites", "indexes", None, "rewrites"], plan
    large = by_line[1]["largest_bytes"]
    assert large > 20000 * 100 and by_line[4]["largest_bytes"] > 20000 * 20, by_line
    times = [by_line[n]["largest_ms"] for n in range(1, 4)]
    assert 0 < times[0] < times[1] < times[2] < by_line[3]["all_ms"], times
    assert [by_line[n]["all_ms"] for n in (5, 6)] == [None, None], "nothing is done, or writers do not wait"
    assert plan["lock_ms"] == sum(by_line[n]["all_ms"] for n in range(1, 5)), plan
    one = server.tenantry("migrate", "plan", "sized", "--tenant", "sized-small")
    assert 0 < one["locks"][0]["largest_bytes"] < large and one["lock_ms"] < plan["lock_ms"], one["locks"]
    shown = server.tenantry("migrate", "plan", "sized", json=False).out
    assert "a ACCESS EXCLUSIVE rewrites, about %dms in the largest place, %dms in all" % (times[2], by_line[3]["all_ms"]) in shown


def test_people_see_a_plan_as_tables():
    locked_tenant()
    out = shared_server().tenantry("migrate", "plan", "locks", json=False).out
    for words in ("FROM VERSION", "STRONGEST LOCK", "t ACCESS EXCLUSIVE rewrites", "add_volatile_default"):
        assert words in out, out


BAD = "ALTER TABLE x ADD COLUMN y uuid DEFAULT gen_random_uuid();\nDROP TABLE \"a%b\";\n"


def lint(*args, expect=0, cwd=None, **options):
    return harness.run([harness.BINARY, "migrate", "lint", *args], expect=expect, cwd=cwd, **options)


def test_a_file_alone_is_linted_and_warnings_fail_when_asked():
    with harness.temporary_folder() as folder:
        with open(folder + "/x.sql", "w", encoding="utf-8") as f:
            f.write(BAD)
        answer = harness.tenantry("migrate", "lint", folder + "/x.sql")
        assert (answer["name"], answer["errors"], answer["warnings"]) == (None, 0, 3)
        assert answer["document"] is None
        failed = lint("x.sql", "--strict", expect=65, cwd=folder)
        assert "\"x.sql\" has 3 warnings" in failed.err and "add_volatile_default" in failed.out
        with open(folder + "/x.sql", "w", encoding="utf-8") as f:
            f.write("SELECT 1;\nSET ROLE y;\n")
        assert "\"x.sql\" has 1 error" in lint("x.sql", expect=65, cwd=folder).err
        role = json.loads(lint("x.sql", "--format", "json", expect=65, cwd=folder).out)["findings"]
        assert [(f["rule"], f["docs"]) for f in role] == [("set_role", "docs/reference/lint.md#set_role")]
        sarif = json.loads(lint("x.sql", "--format", "sarif", expect=65, cwd=folder).out)
        assert "docs/reference/lint.md#set_role" in sarif["runs"][0]["tool"]["driver"]["rules"][0]["help"]["text"]
        with open(folder + "/x.sql", "w", encoding="utf-8") as f:
            f.write("SELECT 1;\nSELEC 2;\n")
        syntax = harness.tenantry("migrate", "lint", folder + "/x.sql", expect=65).json()["findings"]
        assert [(f["rule"], f["line"], f["file"]) for f in syntax] == [("syntax", 2, folder + "/x.sql")]
        assert syntax[0]["docs"] == "docs/blueprints.md#migrations"
        with open(folder + "/x.sql", "wb") as f:
            f.write(b"SELECT '\xff';\n")
        assert "not UTF-8" in lint(folder + "/x.sql", expect=65).err
    assert "cannot open" in lint(folder + "/x.sql", expect=None).err


def test_the_formats_of_other_programs_are_whole():
    with harness.temporary_folder() as folder:
        write(folder + "/pa ck", "formats", V0001__a="CREATE TABLE x (a int);\nCREATE TABLE \"a%b\" (a int);\n",
              V0002__b=BAD)
        github = lint("pa ck", "--format", "github", cwd=folder).out.splitlines()
        assert len(github) == 3, github
        assert github[0].startswith("::warning file=pa ck/migrations/V0002__b.sql,line=1,col=1,title=add_volatile_default::")
        assert "a%25b" in github[1] and "a%b" not in github[1]
        assert json.loads(lint("pa ck", "--format", "json", cwd=folder).out)["warnings"] == 3
        sarif = json.loads(lint("./pa ck/", "--format", "sarif", cwd=folder).out)
        assert sarif["version"] == "2.1.0" and len(sarif["runs"]) == 1
        results, rules = sarif["runs"][0]["results"], sarif["runs"][0]["tool"]["driver"]["rules"]
        assert len(results) == 3 and all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in results)
        assert results[0]["locations"] == [{"physicalLocation": {
            "artifactLocation": {"uri": "pa%20ck/migrations/V0002__b.sql"}, "region": {"startLine": 1, "startColumn": 1}}}]
        assert "docs/rollout-lint.md#add_volatile_default" in rules[0]["help"]["text"]
        # The same in the JSON of all operations, and of a pack's file only what is in it.
        answer = harness.tenantry("migrate", "lint", folder + "/pa ck", "--format", "sarif")
        assert json.loads(answer["document"])["version"] == "2.1.0" and answer["warnings"] == 3
        one = harness.tenantry("migrate", "lint", folder + "/pa ck/migrations/V0001__a.sql")
        assert (one["name"], one["findings"]) == ("formats", [])
        blueprint = harness.tenantry("blueprint", "lint", folder + "/pa ck")
        assert blueprint["findings"] == answer["findings"]


def test_what_a_comment_silences_is_a_suppressed_result():
    with harness.temporary_folder() as folder:
        silenced = "-- lint:ignore drop_table nobody uses it\nDROP TABLE x;\n"
        write(folder + "/pack", "silenced", V0001__a="CREATE TABLE x (a int);\nCREATE TABLE y (a int);\n",
              V0002__b=silenced + "DROP TABLE y;\n")
        path = folder + "/pack"
        answer = harness.tenantry("migrate", "lint", path)
        counted = [f for f in answer["findings"] if f["rule"] == "drop_table"]
        assert [f["line"] for f in counted] == [3] and answer["warnings"] == len(answer["findings"]), answer
        assert harness.tenantry("blueprint", "lint", path)["findings"] == answer["findings"]
        assert lint(path, "--format", "github").out.count("title=drop_table") == 1
        results = json.loads(lint(path, "--format", "sarif").out)["runs"][0]["results"]
        found = {r["locations"][0]["physicalLocation"]["region"]["startLine"]: r["suppressions"] for r in results
                 if r["ruleId"] == "drop_table"}
        assert found[3] == [] and len(found[2]) == 1 and all("suppressions" in r for r in results), found
        place = found[2][0].pop("location")["physicalLocation"]
        assert found[2][0] == {"kind": "inSource", "status": "accepted", "justification": "nobody uses it"}, found
        assert place["artifactLocation"]["uri"].endswith("V0002__b.sql") and place["region"] == {"startLine": 1}, place
        with open(path + "/migrations/V0002__b.sql", "w", encoding="utf-8") as f:
            f.write(silenced)
        assert lint(path, "--strict").status == 0


def test_the_next_migration_is_made_once_and_lints_as_empty():
    with harness.temporary_folder() as folder:
        write(folder, "fresh")
        first = harness.tenantry("migrate", "new", folder, "begin")
        assert first == {"version": 1, "up": "migrations/V0001__begin.sql", "down": "migrations/V0001__begin.down.sql"}
        with open(os.path.join(folder, first["up"]), "a", encoding="utf-8") as f:
            f.write("CREATE TABLE a (id bigint);\n")
        assert harness.tenantry("migrate", "new", folder, "begin")["version"] == 2
        with open(os.path.join(folder, first["up"]), encoding="utf-8") as f:
            assert f.read().endswith("CREATE TABLE a (id bigint);\n")
        assert sorted(os.listdir(folder + "/migrations")) == [
            "V0001__begin.down.sql", "V0001__begin.sql", "V0002__begin.down.sql", "V0002__begin.sql"]
        found = harness.tenantry("migrate", "lint", folder)["findings"]
        assert {f["rule"] for f in found} == {"empty_script"} and len(found) == 3
        for name in ("Begin", "a-b", "a/b", "", "a" * 64):
            harness.check_refusal(harness.tenantry("migrate", "new", folder, name, expect=None), "input_invalid")
        with open(folder + "/blueprint.yaml", "a", encoding="utf-8") as f:
            f.write("migrations: {layout: flyway, path: sql}\n")
        harness.check_refusal(harness.tenantry("migrate", "new", folder, "x", expect=None), "blueprint_invalid",
                              "are in the layout of flyway")
        os.remove(folder + "/blueprint.yaml")
        harness.check_refusal(harness.tenantry("migrate", "new", folder, "x", expect=None), "blueprint_invalid",
                              "has no blueprint.yaml")


if __name__ == "__main__":
    harness.main()
