#!/usr/bin/env python3
"""Drift: what somebody changed in a place by hand is found and named, its twin is not, and what Tenantry itself does to
places is none."""
import functools
import os

import crash_state
import harness
from harness import check_refusal, shared_server

MANIFEST = """name: NAME
title: Things that somebody may change
tiers: [schema]
plans:
  one: {title: One, limits: {max_connections: 10}}
append_only: [events]
partitions:
  - {table: events, column: at, every: month, ahead: 1}
"""
SCHEMA = """
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE DOMAIN amount AS numeric(12, 2) CONSTRAINT amount_is_sane CHECK (VALUE < 1000);
CREATE SEQUENCE tickets;
CREATE TABLE owners (id bigint PRIMARY KEY, name text);
CREATE TABLE things (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kept text NOT NULL DEFAULT 'x',
    typed text,
    gone text,
    loose text NOT NULL,
    preset integer DEFAULT 1,
    lower_kept text GENERATED ALWAYS AS (lower(kept)) STORED,
    colour colour DEFAULT 'red',
    price amount,
    owner_id bigint REFERENCES owners (id),
    CONSTRAINT things_loose CHECK (loose <> ''),
    CONSTRAINT things_gone CHECK (preset > 0),
    CONSTRAINT things_unique UNIQUE (kept)
);
CREATE TABLE tags (id bigint PRIMARY KEY, tag text);
CREATE TABLE plain (id bigint PRIMARY KEY, a text, b text);
CREATE TABLE guarded (id bigint PRIMARY KEY, a text);
CREATE TABLE doomed (id bigint PRIMARY KEY);
CREATE TABLE events (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_default PARTITION OF events DEFAULT;
CREATE INDEX plain_gone ON plain (a);
CREATE INDEX plain_other ON plain (a, b DESC);
CREATE INDEX plain_partial ON plain (b) WHERE a = 'x';
CREATE INDEX events_what ON events (what);
CREATE STATISTICS plain_both (dependencies) ON a, b FROM plain;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION body() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION lost(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a';
CREATE TRIGGER plain_touch BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER tags_touch BEFORE INSERT ON tags FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW seen WITH (security_invoker = true) AS SELECT id, a FROM plain;
CREATE RULE tags_stay AS ON DELETE TO tags DO INSTEAD NOTHING;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON guarded USING (a = 'x');
CREATE POLICY theirs ON guarded FOR SELECT USING (true);
COMMENT ON TABLE plain IS 'plain';
"""

# What a superuser does, and what is then told: (kind, name, finding), in the order of the answer.
CHANGES = [
    ("ALTER TABLE things ALTER loose DROP NOT NULL", ("column", "things.loose", "different")),
    ("ALTER TABLE things ALTER preset SET DEFAULT 2", ("column", "things.preset", "different")),
    ("ALTER TABLE things ALTER typed TYPE varchar(9)", ("column", "things.typed", "different")),
    ("ALTER TABLE things ALTER lower_kept DROP EXPRESSION", ("column", "things.lower_kept", "different")),
    ("ALTER TABLE tags DROP COLUMN tag", ("column", "tags.tag", "missing")),
    ("ALTER TABLE plain ADD COLUMN extra integer", ("column", "plain.extra", "unexpected")),
    ("ALTER TABLE things DROP CONSTRAINT things_gone", ("constraint", "things.things_gone", "missing")),
    ("ALTER TABLE plain ADD CONSTRAINT more CHECK (a <> '')", ("constraint", "plain.more", "unexpected")),
    ("ALTER TABLE things DROP CONSTRAINT things_loose, ADD CONSTRAINT things_loose CHECK (loose <> 'y')",
     ("constraint", "things.things_loose", "different")),
    ("ALTER TABLE things DROP CONSTRAINT things_owner_id_fkey", ("constraint", "things.things_owner_id_fkey", "missing")),
    ("DROP INDEX plain_gone", ("index", "plain_gone", "missing")),
    ("DROP INDEX plain_other; CREATE INDEX plain_other ON plain (a, b)", ("index", "plain_other", "different")),
    ("DROP INDEX plain_partial; CREATE INDEX plain_partial ON plain (b) WHERE a = 'z'", ("index", "plain_partial", "different")),
    ("CREATE INDEX plain_more ON plain (b)", ("index", "plain_more", "unexpected")),
    ("DROP STATISTICS plain_both", ("statistics", "plain_both", "missing")),
    ("DROP TRIGGER plain_touch ON plain", ("trigger", "plain.plain_touch", "missing")),
    ("ALTER TABLE tags DISABLE TRIGGER tags_touch", ("trigger", "tags.tags_touch", "different")),
    ("CREATE TRIGGER spy BEFORE INSERT ON owners FOR EACH ROW EXECUTE FUNCTION touch()", ("trigger", "owners.spy", "unexpected")),
    ("CREATE OR REPLACE FUNCTION body() RETURNS integer LANGUAGE sql AS 'SELECT 2'", ("function", "body()", "different")),
    ("DROP FUNCTION lost(integer)", ("function", "lost(a integer)", "missing"), ("grants", "function lost(a integer)", "missing")),
    ("CREATE OR REPLACE VIEW seen AS SELECT id, a FROM plain WHERE id > 1", ("view", "seen", "different")),
    ("DROP RULE tags_stay ON tags", ("rule", "tags.tags_stay", "missing")),
    ("ALTER TABLE guarded DISABLE ROW LEVEL SECURITY", ("table", "guarded", "different")),
    ("ALTER TABLE plain SET (fillfactor = 50)", ("table", "plain", "different")),
    ("ALTER POLICY mine ON guarded USING (true)", ("policy", "guarded.mine", "different")),
    ("DROP POLICY theirs ON guarded", ("policy", "guarded.theirs", "missing")),
    ("CREATE POLICY everybody ON owners USING (true)", ("policy", "owners.everybody", "unexpected")),
    ("GRANT SELECT ON owners TO PUBLIC", ("grants", "table owners", "different")),
    ("REVOKE INSERT ON tags FROM {app}", ("grants", "table tags", "different")),
    ("GRANT UPDATE (what) ON events TO {app}", ("grants", "column events.what", "unexpected")),
    ("GRANT USAGE ON SCHEMA {schema} TO PUBLIC", ("grants", "schema", "different")),
    ("GRANT EXECUTE ON FUNCTION body() TO PUBLIC", ("grants", "function body()", "different")),
    ("ALTER TYPE colour ADD VALUE 'blue'", ("type", "colour", "different")),
    ("ALTER DOMAIN amount DROP CONSTRAINT amount_is_sane", ("domain constraint", "amount.amount_is_sane", "missing")),
    ("ALTER SEQUENCE tickets INCREMENT 7", ("sequence", "tickets", "different")),
    ("ALTER VIEW seen OWNER TO CURRENT_USER", ("owner", "view seen", "unexpected"), ("grants", "view seen", "different")),
    ("ALTER FUNCTION touch() OWNER TO CURRENT_USER", ("owner", "function touch()", "unexpected"),
     ("grants", "function touch()", "different")),
    ("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT ON TABLES TO PUBLIC",
     ("default grants", "tables of {owner} here", "different")),
    ("ALTER ROLE {app} BYPASSRLS", ("role", "{app}", "different")),
    ("GRANT {owner} TO {readonly}", ("role", "{readonly}", "different")),
    ("COMMENT ON TABLE plain IS 'else'", ("comment", "table plain", "different")),
    ("DROP TABLE doomed", ("table", "doomed", "missing"), ("column", "doomed.id", "missing"), ("index", "doomed_pkey", "missing"),
     ("constraint", "doomed.doomed_pkey", "missing"), ("grants", "table doomed", "missing")),
    ("CREATE CAST (colour AS text) WITH INOUT", ("other", "cast colour to text e ", "unexpected")),
    ("ALTER TABLE things DISABLE TRIGGER ALL", ("constraint trigger", None, "unexpected")),
]

# What no statement is told for: rows could be lost, or a table has to be made.
UNMENDED = {("column", "things.typed"), ("column", "things.lower_kept"), ("column", "plain.extra"), ("table", "plain"),
            ("type", "colour"), ("domain constraint", "amount.amount_is_sane"), ("sequence", "tickets"), ("comment", "table plain"),
            ("table", "doomed"), ("column", "doomed.id"), ("index", "doomed_pkey"), ("grants", "table doomed"),
            ("constraint", "doomed.doomed_pkey"), ("default grants", "tables of {owner} here"), ("other", "cast colour to text e ")}


def write(folder, name, migrations, manifest=MANIFEST):
    os.makedirs(os.path.join(folder, "migrations"), exist_ok=True)
    files = {"blueprint.yaml": manifest.replace("NAME", name)}
    files.update({"migrations/V%04d__step.sql" % number: text for number, text in enumerate(migrations, 1)})
    for path, text in files.items():
        with open(os.path.join(folder, path), "w", encoding="utf-8") as f:
            f.write(text)
    return folder


@functools.lru_cache(maxsize=None)
def folder_of(name):
    """A blueprint's folder stays the same over its versions."""
    return os.path.join(shared_server().folder, name)


def add(name, *migrations, manifest=MANIFEST):
    return shared_server().tenantry("blueprint", "add", write(folder_of(name), name, migrations, manifest))


def verify(*args):
    """The answer, which must be clean."""
    answer = shared_server().tenantry("migrate", "verify", *args)
    assert answer["is_clean"] and not answer["places"] and not answer["differences"], answer
    return answer


def drift(*args):
    """The answer of a verification that must find something; nothing less than the error says so."""
    result = shared_server().tenantry("migrate", "verify", *args, expect=None)
    check_refusal(result, "drift_found", "places")
    assert result.status == 80, result.text()
    answer = result.json()
    assert not answer["is_clean"], answer
    return answer


def place_of(slug):
    names = ("schema", "owner", "app", "readonly", "id")
    row = shared_server().psql("SELECT schema_name, owner_role, app_role, readonly_role, p.id FROM tenantry.tenants t"
                               " JOIN tenantry.places p ON p.id = t.place_id WHERE t.slug = '%s'" % slug)
    return dict(zip(names, row.split("|")))


def change(place, sql):
    """As somebody with all rights who has the place before him."""
    text = "SET search_path = %s; SET client_min_messages = error; %s" % (place["schema"], sql)
    for name in ("schema", "owner", "app", "readonly"):
        text = text.replace("{%s}" % name, place[name])
    return shared_server().psql(text, crash_state.admin_conninfo(shared_server()))


def named(answer):
    return {(d["kind"], d["name"], d["finding"]) for d in answer["differences"]}


@functools.lru_cache(maxsize=None)
def changed():
    """The place of one of two tenants, with all the changes."""
    server = shared_server()
    add("things", SCHEMA)
    for slug in ("changed", "twin"):
        server.create(slug, "things")
    assert verify("things")["checked"] == 2
    place = place_of("changed")
    for sql, *_ in CHANGES:
        change(place, sql)
    return place


def test_every_kind_of_change_is_found_and_named_and_the_twin_is_clean():
    place = changed()
    answer = drift("things")
    assert [(p["tenant"], p["state"]) for p in answer["places"]] == [("changed", "different")], answer["places"]
    assert answer["checked"] == 2 and answer["drifted"] == 1 and answer["places"][0]["differences"] == len(answer["differences"])
    found = named(answer)
    wanted = {finding for _, *findings in CHANGES for finding in findings if finding[1] is not None}
    # The triggers of keys are named after the constraint, with a number.
    found = {f for f in found if f[0] != "constraint trigger"}
    assert found == wanted, (sorted(found - wanted), sorted(wanted - found))
    for difference in answer["differences"]:
        assert difference["tenant"] == "changed" and difference["schema"] == place["schema"]
        assert (difference["expected"] is None) == (difference["finding"] == "unexpected"), difference
        assert (difference["found"] is None) == (difference["finding"] == "missing"), difference
    verify("things", "--tenant", "twin")


def test_the_statements_that_are_told_mend_what_they_are_told_for():
    place = changed()
    for difference in drift("things")["differences"]:
        key = (difference["kind"], difference["name"])
        assert (difference["mend"] is None) == (key in UNMENDED), difference
        if difference["mend"] is not None:
            shared_server().psql(difference["mend"], crash_state.admin_conninfo(shared_server()))
    left = {(d["kind"], d["name"]) for d in drift("things")["differences"]}
    assert left == UNMENDED, (sorted(left - UNMENDED), sorted(UNMENDED - left))
    assert place["schema"] not in str(left)


# Each part stands on another one, by names that sort the other way round.
STACK = """
CREATE DOMAIN amount AS numeric CHECK (VALUE >= 0);
CREATE FUNCTION zero() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 0';
CREATE FUNCTION is_good(a text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$SELECT a <> ''$$;
CREATE TABLE z_parents (id bigint PRIMARY KEY, code text NOT NULL, CONSTRAINT z_code UNIQUE (code));
CREATE TABLE children (id bigint PRIMARY KEY, parent_id bigint, code text, total amount, rank integer DEFAULT zero());
ALTER TABLE children ADD CONSTRAINT a_parent FOREIGN KEY (parent_id) REFERENCES z_parents (id),
    ADD CONSTRAINT a_code FOREIGN KEY (code) REFERENCES z_parents (code), ADD CONSTRAINT good CHECK (is_good(code));
CREATE INDEX children_good ON children (is_good(code));
CREATE VIEW z_first WITH (security_invoker = true) AS SELECT id, code, zero() AS nothing FROM children;
CREATE FUNCTION m_second() RETURNS SETOF z_first LANGUAGE sql AS 'SELECT * FROM z_first';
CREATE VIEW a_third WITH (security_invoker = true) AS SELECT id, nothing FROM m_second();
CREATE FUNCTION rounded(a amount, VARIADIC more amount[]) RETURNS amount LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touched INSTEAD OF INSERT ON a_third FOR EACH ROW EXECUTE FUNCTION touch();
CREATE RULE stays AS ON DELETE TO a_third DO INSTEAD NOTHING;
ALTER VIEW a_third ALTER COLUMN nothing SET DEFAULT 5;
COMMENT ON VIEW a_third IS 'the third';
COMMENT ON COLUMN a_third.id IS 'of a child';
COMMENT ON TRIGGER touched ON a_third IS 'by whom';
CREATE PROCEDURE act(a integer) LANGUAGE sql AS 'SELECT 1';
COMMENT ON PROCEDURE act IS 'acts';
ALTER TABLE children ENABLE ROW LEVEL SECURITY;
CREATE POLICY good_ones ON children USING (is_good(code));
"""
DAMAGES = {
    "all that can be dropped": """DROP FUNCTION zero() CASCADE; DROP FUNCTION is_good(text) CASCADE;
        DROP PROCEDURE act(integer); DROP FUNCTION touch(); ALTER TABLE z_parents DROP CONSTRAINT z_parents_pkey CASCADE, DROP CONSTRAINT z_code CASCADE;
        ALTER TABLE children DROP COLUMN rank""",
    "functions of a type of the place": """DROP FUNCTION rounded(amount, amount[]); CREATE FUNCTION more_of(a amount) RETURNS amount LANGUAGE sql AS 'SELECT a'""",
    "another result and owner": """DROP FUNCTION rounded(amount, amount[]);
        CREATE FUNCTION rounded(a amount, VARIADIC more amount[]) RETURNS numeric LANGUAGE sql AS 'SELECT 1.0'; ALTER FUNCTION rounded(amount, amount[]) OWNER TO CURRENT_USER""",
    "rights and owner": """GRANT EXECUTE ON FUNCTION rounded(amount, amount[]) TO PUBLIC; REVOKE EXECUTE ON FUNCTION rounded(amount, amount[]) FROM {app};
        ALTER FUNCTION rounded(amount, amount[]) OWNER TO CURRENT_USER""",
    "a view that has got a column": """CREATE OR REPLACE VIEW a_third AS SELECT id, nothing, 2 AS more FROM m_second();
        GRANT UPDATE (more) ON a_third TO {app}""",
    "a view that has got a column, and what is on it": """CREATE OR REPLACE VIEW a_third AS SELECT id, nothing, 2 AS more FROM m_second();
        CREATE OR REPLACE RULE stays AS ON UPDATE TO a_third DO INSTEAD NOTHING; COMMENT ON VIEW a_third IS NULL;
        CREATE OR REPLACE TRIGGER touched INSTEAD OF UPDATE ON a_third FOR EACH ROW EXECUTE FUNCTION touch();
        ALTER VIEW a_third ALTER COLUMN nothing DROP DEFAULT; COMMENT ON PROCEDURE act IS 'else'""",
    "what cannot be replaced": """DROP VIEW a_third; CREATE VIEW a_third AS SELECT id, 1::bigint AS nothing, 2 AS more FROM children;
        DROP PROCEDURE act(integer); CREATE PROCEDURE act(a integer DEFAULT 1) LANGUAGE sql AS 'SELECT 1';
        GRANT SELECT ON a_third TO PUBLIC; ALTER VIEW a_third OWNER TO CURRENT_USER""",
    "what stands on another": """CREATE VIEW b_extra AS SELECT id FROM children; CREATE VIEW c_extra AS SELECT id FROM b_extra;
        CREATE FUNCTION a_extra() RETURNS SETOF c_extra LANGUAGE sql AS 'SELECT 1::bigint'; CREATE VIEW d_extra AS SELECT * FROM a_extra();
        CREATE FUNCTION plain_extra() RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true -- is inherited';
        ALTER TABLE children ADD CONSTRAINT extra CHECK (plain_extra()); CREATE INDEX extra ON children ((plain_extra()));
        CREATE UNIQUE INDEX z_extra ON z_parents (id, code); ALTER TABLE z_parents ADD CONSTRAINT b_key UNIQUE (code, id);
        ALTER TABLE children ADD CONSTRAINT z_extra FOREIGN KEY (code, parent_id) REFERENCES z_parents (code, id)""",
    "what is changed to stand on what is too much": """CREATE FUNCTION a_extra() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 7';
        CREATE VIEW b_extra AS SELECT id, code, a_extra() AS more FROM children; CREATE FUNCTION c_extra() RETURNS SETOF b_extra LANGUAGE sql AS 'SELECT * FROM b_extra';
        CREATE FUNCTION d_extra() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        ALTER TABLE children ALTER rank SET DEFAULT a_extra(), DROP CONSTRAINT good, ADD CONSTRAINT good CHECK (a_extra() > 0);
        ALTER POLICY good_ones ON children USING (id < a_extra());
        DROP INDEX children_good; CREATE INDEX children_good ON children (a_extra());
        CREATE OR REPLACE TRIGGER touched INSTEAD OF INSERT ON a_third FOR EACH ROW EXECUTE FUNCTION d_extra();
        CREATE OR REPLACE VIEW a_third WITH (security_invoker = true) AS SELECT id, more AS nothing FROM c_extra()""",
    "what is too much on what is made anew": """CREATE OR REPLACE VIEW a_third AS SELECT id, nothing, 2 AS more FROM m_second();
        CREATE VIEW extra AS SELECT more FROM a_third; CREATE FUNCTION f_extra() RETURNS SETOF extra LANGUAGE sql AS 'SELECT 1';
        CREATE VIEW g_extra AS SELECT * FROM f_extra()""",
    "names that are needed": """DROP FUNCTION is_good(text) CASCADE; CREATE FUNCTION is_good(b text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
        ALTER TABLE children ADD CONSTRAINT extra CHECK (is_good(code)); CREATE VIEW children_good AS SELECT id FROM z_parents;
        CREATE POLICY extra ON children USING (id IN (SELECT id FROM children_good))""",
}


def test_the_statements_told_run_one_after_the_other_and_leave_no_difference():
    server = shared_server()
    add("stacked", STACK, manifest=SMALL)
    server.create("stacked", "stacked")
    place = place_of("stacked")
    for what, sql in DAMAGES.items():
        change(place, sql)
        for difference in drift("stacked")["differences"]:
            if difference["mend"] is not None:
                server.psql(difference["mend"], crash_state.admin_conninfo(server))
        answer = server.tenantry("migrate", "verify", "stacked", expect=None).json()
        assert answer["is_clean"], (what, answer["differences"])


# What is told for a part must not fail where the part goes with another, and must not say what is as it should be.
HANGING = """
CREATE TABLE counted (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number serial, note text NOT NULL DEFAULT 'x',
    size integer, kept text DEFAULT 'y', ranked text COLLATE "C" DEFAULT 'z');
ALTER TABLE counted ALTER kept SET STORAGE EXTERNAL, ALTER kept SET STATISTICS 50, ALTER kept SET (n_distinct = 3);
CREATE TABLE logs (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE a_logs PARTITION OF logs DEFAULT;
CREATE INDEX logs_what ON logs (what) WHERE what <> '';
CREATE UNIQUE INDEX "Logs ON ONLY" ON logs (at);
CREATE AGGREGATE summed(integer) (SFUNC = int4pl, STYPE = integer);
"""
# What is done, and what none of the statements told for it may say.
HANGING_DAMAGES = [
    ("ALTER TABLE counted OWNER TO CURRENT_USER", "ALTER SEQUENCE"),
    ("ALTER TABLE logs ADD CONSTRAINT extra CHECK (what <> ''); ALTER TABLE a_logs ADD CONSTRAINT own CHECK (what <> 'x')",
     "a_logs DROP CONSTRAINT extra"),
    ("ALTER TABLE counted ALTER note SET STORAGE EXTERNAL, ALTER id SET STATISTICS 9", "DEFAULT"),
    ("ALTER TABLE counted ALTER size SET STATISTICS 7, ALTER size SET (n_distinct = 5, n_distinct_inherited = 6)", "NOT NULL"),
    ("ALTER TABLE counted ALTER kept SET STORAGE MAIN, ALTER kept SET STATISTICS -1, ALTER kept RESET (n_distinct)", "DEFAULT"),
    ("ALTER TABLE counted ALTER note SET COMPRESSION pglz, ALTER ranked SET STATISTICS 3", "DEFAULT"),
    ("ALTER TABLE counted ALTER note DROP NOT NULL", "DEFAULT"),
    ("ALTER TABLE counted ALTER note SET DEFAULT 'storage e'", "NOT NULL"),
    ("ALTER TABLE counted ALTER note DROP DEFAULT, ALTER note DROP NOT NULL, ALTER note SET STORAGE PLAIN", "kept"),
    ("DROP INDEX logs_what", 'ONLY "'),
    ('DROP INDEX "Logs ON ONLY"; CREATE INDEX "Logs ON ONLY" ON logs (at)', "ON ONLY tenant"),
]


def test_statements_told_for_what_hangs_on_another_part_run_and_say_what_differs():
    server = shared_server()
    add("hanging", HANGING, manifest=SMALL)
    server.create("hanging", "hanging")
    place = place_of("hanging")
    for sql, unsaid in HANGING_DAMAGES:
        change(place, sql)
        for difference in drift("hanging")["differences"]:
            if difference["mend"] is not None:
                assert unsaid not in difference["mend"], (sql, difference)
                server.psql(difference["mend"], crash_state.admin_conninfo(server))
        answer = server.tenantry("migrate", "verify", "hanging", expect=None).json()
        assert answer["is_clean"], (sql, answer["differences"])
    change(place, "DROP AGGREGATE summed(integer)")
    mends = {d["name"]: d["mend"] for d in drift("hanging")["differences"]}
    assert mends == {"summed(integer)": None, "function summed(integer)": None}, mends


ROW_MANIFEST = """name: NAME
title: Shared things
tiers: [row]
plans:
  one: {title: One, limits: {max_connections: 10}}
shared: [kinds]
partitions:
  - {table: logs, column: at, every: month, ahead: 1}
"""
# A table and a column named like the blueprint, which is the schema's name.
ROW_SCHEMA = """
CREATE TABLE kinds (code text PRIMARY KEY);
CREATE TABLE shared_things (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), id bigint NOT NULL,
    shared_things text DEFAULT 'shared_things', PRIMARY KEY (tenant_id, id));
CREATE TABLE logs (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), at timestamptz NOT NULL, what text)
    PARTITION BY RANGE (at);
CREATE TABLE logs_default PARTITION OF logs DEFAULT;
CREATE INDEX logs_what ON logs (tenant_id, what);
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM shared_things';
CREATE VIEW latest WITH (security_invoker = true) AS SELECT tenant_id, max(at) AS at FROM logs GROUP BY tenant_id;
CREATE DOMAIN share AS numeric;
CREATE FUNCTION part(a share) RETURNS share LANGUAGE sql AS 'SELECT a';
COMMENT ON TABLE shared_things IS 'all of shared_things';
"""
ROW_CHANGES = [
    ("DROP POLICY tenant_guard ON shared_things", ("policy", "shared_things.tenant_guard", "missing")),
    ("ALTER TABLE logs NO FORCE ROW LEVEL SECURITY", ("table", "logs", "different")),
    ("GRANT TRUNCATE ON shared_things TO {app}", ("grants", "table shared_things", "different")),
    ("ALTER TABLE shared_things DROP COLUMN shared_things", ("column", "shared_things.shared_things", "missing")),
    ("CREATE INDEX more ON shared_things (id)", ("index", "more", "unexpected")),
    ("ALTER FUNCTION total() SECURITY DEFINER", ("function", "total()", "different")),
    ("GRANT EXECUTE ON FUNCTION part(share) TO PUBLIC", ("grants", "function part(a shared_things.share)", "different")),
    ("ALTER ROLE {app} BYPASSRLS", ("role", "{app}", "different")),
    ("ALTER TABLE kinds OWNER TO CURRENT_USER", ("owner", "table kinds", "unexpected"), ("grants", "table kinds", "different")),
]


@functools.lru_cache(maxsize=None)
def shared_place():
    """The place of two tenants of the row tier."""
    add("shared_things", ROW_SCHEMA, manifest=ROW_MANIFEST)
    for slug in ("one", "two"):
        shared_server().create(slug, "shared_things")
    return place_of("one")


def test_the_shared_place_of_the_row_tier_is_compared_too():
    server = shared_server()
    place = shared_place()
    assert verify("shared_things")["checked"] == 1, "the place is one, whatever the number of tenants"
    server.tenantry("partition", "ensure")
    verify("shared_things", "--tenant", "two")
    assert place["schema"] == "shared_things"
    for sql, *_ in ROW_CHANGES:
        change(place, sql)
    answer = drift("shared_things", "--tenant", "one")
    wanted = {finding for _, *findings in ROW_CHANGES for finding in findings}
    assert named(answer) == wanted, (sorted(named(answer) ^ wanted))
    assert [(p["tier"], p["tenant"], p["is_spare"]) for p in answer["places"]] == [("row", None, False)]
    for difference in answer["differences"]:
        assert difference["mend"] is not None, difference
        server.psql(difference["mend"], crash_state.admin_conninfo(server))
    verify("shared_things")


def test_the_packs_are_clean_however_their_tenants_were_made():
    server = shared_server()
    for blueprint in [b for b in server.tenantry("blueprint", "list")["blueprints"] if b["source"] == "embedded"]:
        name = blueprint["name"]
        for tier in blueprint["tiers"]:
            server.create("%s-%s-stamp" % (name, tier), name, "--tier", tier)
        if "schema" not in blueprint["tiers"]:
            continue
        server.tenantry("spare", "fill", name, "--count", "1")
        waiting = server.psql("SELECT tenant_id FROM tenantry.spares WHERE blueprint = '%s'" % name)
        claimed = server.create(name + "-spare", name, "--tier", "schema")
        assert claimed["id"] == waiting, name
        with harness.temporary_folder() as empty:
            server.tenantry("blueprint", "stamp", name, "--force", "--pg-bin-dir", empty)
        server.create(name + "-steps", name, "--tier", "schema")
        server.tenantry("blueprint", "stamp", name, "--force")
        server.tenantry("spare", "fill", name, "--count", "1")
        assert verify(name)["checked"] == 4 + ("row" in blueprint["tiers"]), name
    # A row of a month that is not made yet: "partition ensure" moves it out of the default partition.
    trader = server.create("trading-early", "trading")
    server.psql("INSERT INTO market_data VALUES ('ACME', date_trunc('month', now()) + interval '1 month 9 days', 1, 2, 1, 2, 5)",
                trader["app"])
    server.tenantry("partition", "ensure")
    assert server.psql("SELECT count(*) FROM market_data_default", trader["app"]) == "0", "it was moved"
    for name in ("trading", "saas", "nfe"):
        verify(name)


def test_a_tenant_that_a_rollout_moved_is_like_one_that_was_born_there():
    server = shared_server()
    second = ("ALTER TABLE plain ADD COLUMN c integer; CREATE INDEX plain_c ON plain (c);"
              "ALTER TABLE events ADD COLUMN more text; CREATE TABLE later (id bigint PRIMARY KEY);")
    add("moving", SCHEMA)
    for slug in ("moved", "left"):
        server.create(slug, "moving")
    server.tenantry("partition", "ensure")
    server.tenantry("spare", "fill", "moving", "--count", "1")
    add("moving", SCHEMA, second)
    assert verify("moving")["checked"] == 2, "both at version 1, and the spare is an old one"
    server.tenantry("migrate", "up", "moving", "--tenant", "moved")
    server.create("born", "moving")
    assert verify("moving")["checked"] == 3
    change(place_of("left"), "CREATE TABLE later (id bigint PRIMARY KEY)")
    answer = drift("moving")
    assert [(p["tenant"], p["version"]) for p in answer["places"]] == [("left", 1)]
    assert ("table", "later", "unexpected") in named(answer)


def test_what_happens_to_places_by_themselves_is_no_drift():
    server = shared_server()
    add("living", SCHEMA)
    for slug in ("busy", "stored", "halted"):
        server.create(slug, "living")
    place = place_of("busy")
    change(place, "INSERT INTO owners VALUES (1, 'x'); SELECT nextval('tickets'); ANALYZE; REINDEX TABLE plain;"
                  "INSERT INTO things (loose) VALUES ('a'); CREATE TEMP TABLE scratch (id int)")
    server.tenantry("partition", "ensure")
    old = server.old_partition(place["schema"], "events")
    change(place, "REVOKE INSERT, UPDATE, DELETE ON %s FROM {app}" % old)  # as those that Tenantry makes
    server.tenantry("partition", "detach", "--tenant", "busy", "--table", "events", "--before", "2020-02-01")
    server.tenantry("tenant", "rotate", "busy")
    server.tenantry("tenant", "suspend", "halted")
    server.tenantry("tenant", "archive", "stored", "--drain-timeout", "1s")
    assert verify("living")["checked"] == 3


def test_a_partition_that_is_less_guarded_than_its_table_is_told():
    server = shared_server()
    add("parted", SCHEMA)
    server.create("parted", "parted")
    place = place_of("parted")
    partition = change(place, "SELECT relname FROM pg_class WHERE relname ~ '^events_2' AND relnamespace = '{schema}'::regnamespace"
                              " AND relkind = 'r' LIMIT 1")
    verify("parted")
    change(place, "GRANT TRUNCATE ON {0} TO {{app}}; ALTER TABLE {0} OWNER TO CURRENT_USER;"
                  "CREATE TRIGGER spy BEFORE INSERT ON {0} FOR EACH ROW EXECUTE FUNCTION touch()".format(partition))
    answer = drift("parted")
    assert named(answer) == {
        ("partition grants", partition, "unexpected"), ("owner", "table " + partition, "unexpected"),
        ("trigger", partition + ".spy", "unexpected")}
    for difference in answer["differences"]:
        server.psql(difference["mend"], crash_state.admin_conninfo(server))
    verify("parted")
    place = shared_place()
    partition = change(place, "SELECT relname FROM pg_class WHERE relname ~ '^logs_2' AND relnamespace = '{schema}'::regnamespace"
                              " AND relkind = 'r' LIMIT 1")
    change(place, "ALTER TABLE %s DISABLE ROW LEVEL SECURITY" % partition)
    answer = drift("shared_things")
    assert named(answer) == {("partition", partition, "unexpected")}, answer
    server.psql(answer["differences"][0]["mend"], crash_state.admin_conninfo(server))
    verify("shared_things")


def test_a_spare_that_differs_is_not_claimed():
    server = shared_server()
    add("waiting", SCHEMA)
    server.tenantry("spare", "fill", "waiting", "--count", "2")
    row = server.psql("SELECT p.schema_name, s.tenant_id FROM tenantry.spares s JOIN tenantry.places p ON p.id = s.place_id"
                      " WHERE s.blueprint = 'waiting' ORDER BY s.created_at LIMIT 1")
    schema, bad = row.split("|")
    change({"schema": schema, "owner": "", "app": "", "readonly": ""}, "ALTER TABLE plain DISABLE TRIGGER plain_touch")
    answer = drift("waiting")
    assert [(p["schema"], p["is_spare"], p["tenant"]) for p in answer["places"]] == [(schema, True, None)], answer
    assert answer["spares_refused"] == 1
    first, second = (server.create("claims-%d" % n, "waiting") for n in (1, 2))
    assert bad not in (first["id"], second["id"])
    verify("waiting")
    server.tenantry("spare", "drop", "waiting", "--stale")
    assert server.psql("SELECT count(*) FROM pg_namespace WHERE nspname = '%s'" % schema) == "0"


def test_a_schema_that_is_gone_is_told():
    server = shared_server()
    add("vanishing", SCHEMA)
    for slug in ("lost", "there"):
        server.create(slug, "vanishing")
    place = place_of("lost")
    change(place, "DROP SCHEMA {schema} CASCADE")
    answer = drift("vanishing")
    assert [(p["tenant"], p["state"], p["differences"]) for p in answer["places"]] == [("lost", "gone", 0)]
    assert answer["differences"] == []


def test_a_place_that_is_being_changed_is_not_judged():
    server = shared_server()
    add("contested", SCHEMA)
    server.create("contested", "contested")
    place = place_of("contested")
    change(place, "DROP INDEX plain_gone")
    with harness.Session(crash_state.admin_conninfo(server)) as session:
        session.ask("BEGIN; SELECT FROM tenantry.places WHERE id = '%s' FOR UPDATE;" % place["id"])
        answer = server.tenantry("migrate", "verify", "contested")
    assert answer["is_clean"] and answer["moving"] == 1 and answer["places"][0]["state"] == "moving", answer
    assert named(drift("contested")) == {("index", "plain_gone", "missing")}


def test_a_version_that_cannot_be_made_any_more_is_told_and_the_others_are_compared():
    server = shared_server()
    add("unmakeable", SCHEMA)
    server.create("unknowable", "unmakeable")
    add("unmakeable", SCHEMA, "CREATE TABLE later (id bigint PRIMARY KEY);")
    server.create("knowable", "unmakeable")
    server.psql("UPDATE tenantry.blueprint_versions SET definition = replace(definition::text, 'CREATE SEQUENCE', 'CREATE NOTHING')::json"
                " WHERE blueprint = 'unmakeable' AND version = 1")
    answer = drift("unmakeable")
    assert answer["drifted"] == 0 and answer["unknown"] == 1, answer
    assert [(p["tenant"], p["state"]) for p in answer["places"]] == [("unknowable", "unknown")]
    assert "syntax error" in answer["places"][0]["reason"], answer["places"]


SMALL = """name: NAME
title: Small
tiers: [schema]
plans:
  one: {title: One, limits: {max_connections: 10}}
"""


def test_a_fleet_of_several_pages_is_compared_to_the_last_place():
    server = shared_server()
    add("small", "CREATE TABLE t (id bigint PRIMARY KEY); CREATE INDEX t_id ON t (id);", manifest=SMALL)
    server.tenantry("spare", "fill", "small", "--count", "64")
    for number in range(4):
        server.create("small-%d" % number, "small")
    server.tenantry("spare", "fill", "small", "--count", "64")
    assert verify("small", "--parallel", "3")["checked"] == 68
    schemas = server.psql("SELECT schema_name FROM tenantry.places WHERE blueprint = 'small' ORDER BY schema_name COLLATE \"C\"").split()
    for schema in (schemas[0], schemas[61], schemas[-1]):
        server.psql("DROP INDEX %s.t_id" % schema, crash_state.admin_conninfo(server))
    answer = drift("small", "--parallel", "3")
    assert [p["schema"] for p in answer["places"]] == [schemas[0], schemas[61], schemas[-1]], answer["places"]
    assert named(answer) == {("index", "t_id", "missing")} and len(answer["differences"]) == 3


@functools.lru_cache(maxsize=None)
def limited():
    """A tenant that lacks three indexes."""
    add("limited", SCHEMA)
    shared_server().create("limited", "limited")
    change(place_of("limited"), "DROP INDEX plain_gone; DROP INDEX plain_other; DROP INDEX plain_partial")


def test_all_are_counted_where_few_are_told():
    limited()
    answer = drift("limited", "--limit", "1")
    assert len(answer["differences"]) == 1 and answer["places"][0]["differences"] == 3


def test_people_see_what_to_do():
    limited()
    result = shared_server().tenantry("migrate", "verify", "limited", "-v", json=False, expect=80)
    for part in ("limited", "plain_gone", "missing", "CREATE INDEX plain_gone ON tenant_"):
        assert part in result.out, result.text()
    assert "1 of 1 places are not what the version of their blueprint should be" in result.err, result.text()


def test_names_that_nobody_has_are_refused():
    server = shared_server()
    limited()
    server.refused("blueprint_missing", "migrate", "verify", "nothing", says=["nothing"])
    server.refused("tenant_missing", "migrate", "verify", "--tenant", "nobody", says=["nobody"])
    server.refused("input_invalid", "migrate", "verify", "trading", "--tenant", "limited", says=["limited", "trading"])


if __name__ == "__main__":
    harness.main()
