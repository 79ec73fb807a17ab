"""The rules of isolation: for each a tenant that is broken on purpose, and a twin that is not."""
import contextlib
import functools
import itertools
import os
import re

import harness
import isolation_fleet
from isolation_cases import CASES, LEAKS

# Two tenants of the schema tier (a, b) and two of the row tier (x, y).
TENANTS = [("a", "trading"), ("b", "trading"), ("x", "saas"), ("y", "saas")]

# Rules that have a test of their own, since one statement does not break what they look for.
ELSEWHERE = {"builtin_changed", "builtin_view", "ended_login", "map_stale", "hba_trust", "password_weak", "role_swapped",
             "setting_server"}

# The finding is about the tenant that is named; the check of a single tenant sees it from where the function is.
SEEN_FROM = {"function_names_other": "b1"}


@functools.lru_cache(maxsize=None)
def names():
    """The server with four tenants, and what templates call their roles and schemas."""
    server = harness.shared_server()
    words = {}
    for slug, blueprint in TENANTS:
        words[slug + "_login"] = server.create(slug + "1", blueprint)["app"]
        shown = server.tenantry("tenant", "show", slug + "1")
        words[slug] = shown["schema"]
        words[slug + "_id"] = shown["id"]
        words[slug + "_app"] = shown["roles"]["app"]
        words[slug + "_ro"] = shown["roles"]["readonly"]
        words[slug + "_owner"], words[slug + "_group"], words[slug + "_readers"] = server.psql(
            "SELECT owner_role, app_role, readonly_role FROM tenantry.places WHERE schema_name = '%s'" % shown["schema"]).split("|")
    words["guards"] = server.psql("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'tenancy_guards'")
    words["tenants"], words["audit"] = server.psql("SELECT tenants_role, audit_role FROM tenantry.installation").split("|")
    return server, words


def verify(server, *args, **options):
    result = server.tenantry("isolation", "verify", "--rules-only", *args, "--json", json=False, expect=None, **options)
    answer = result.json()
    assert result.status == (76 if answer["findings"] else 0), result.text()
    return answer


def of_rule(answer, rule):
    return [f for f in answer["findings"] if f["check"] == rule]


# A run of the rules takes long, and there are many cases: a group of them shares a few runs. Each case is broken in half
# of the runs, no two cases in the same ones, so that the runs in which its rule speaks say whether it is the case's.
MOST_TOGETHER = 20  # in six runs
CHECKED_AT_ONCE = 10  # cases, before what is left of them is looked for


def runs_of(count):
    """For each of so many cases the runs in which it is broken: as few runs as there can be."""
    for number in itertools.count(1):
        found = list(itertools.combinations(range(number), (number + 1) // 2))
        if len(found) >= count:
            return [set(runs) for runs in found[:count]]


@functools.lru_cache(maxsize=None)
def superuser():
    return harness.Session(names()[0].superuser)


def change(sql):
    """Runs SQL; what the server has against it, or ""."""
    if "\\" in sql:  # psql's own, which would lead the session elsewhere
        return names()[0].psql(sql, names()[0].superuser)
    answer = superuser().ask("BEGIN; %s; COMMIT;" % sql)
    if "ERROR" not in answer:
        return ""
    superuser().ask("ROLLBACK;")
    return answer


class Case:
    """A row of CASES, and in which runs its rule spoke."""

    def __init__(self, rule, whom, break_sql, undo):
        words = names()[1]
        self.rule, self.break_sql, self.undo = rule, break_sql.format(**words), undo and undo.format(**words)
        self.slug = whom and whom + "1"
        self.made = set(re.findall(r"CREATE (?:[A-Z]+ )+([a-z][\w.]*)", self.break_sql))
        self.asked = [()] + ([(SEEN_FROM.get(rule, self.slug),)] if whom else [])  # the fleet, and the tenant

    def __str__(self):
        return "%s: %s: %s" % (self.rule, self.slug, self.break_sql)

    def begin(self):
        self.seen_in = {args: set() for args in self.asked}
        self.problem, self.mends = "", set()

    def break_it(self):
        self.problem = self.problem or change(self.break_sql)

    def look(self, run, args, answer):
        found = of_rule(answer, self.rule) if args in self.asked else []
        if found:
            self.seen_in[args].add(run)
            self.mends |= {f["mend"] for f in found if f["mend"]}
        if found and not args and {f["tenant"] for f in found} != {self.slug}:
            self.problem = "found in %s" % found

    def mend(self):
        """A mend may come too late, for what went with another case."""
        for sql in [self.undo] if self.undo else sorted(self.mends):
            change(sql)

    def wrong(self, runs):
        """What is wrong when it was broken in these runs, or ""."""
        seen = {args: seen_in for args, seen_in in self.seen_in.items() if seen_in != runs}
        return self.problem or ("broken in runs %s, seen in %s" % (runs, seen) if seen else "")


def check_together(cases, runs):
    """Breaks each case in its runs; the cases about which something is wrong, with what."""
    for case in cases:
        case.begin()
    for run in sorted(set().union(*runs)):
        broken = [case for case, own in zip(cases, runs) if run in own]
        for case in broken:
            case.break_it()
        for args in sorted({args for case in broken for args in case.asked}):
            answer = verify(names()[0], *args)
            for case in cases:
                case.look(run, args, answer)
        for case in reversed(broken):
            case.mend()
    return {case: case.wrong(own) for case, own in zip(cases, runs) if case.wrong(own)}


def groups():
    """Cases that can be broken at once: of different rules, about one tenant, making things of different names."""
    made = []
    for row in CASES:
        case = Case(*row)
        for group in made:
            if len(group) < MOST_TOGETHER and all(
                    case.slug == other.slug and case.rule != other.rule and not case.made & other.made for other in group):
                group.append(case)
                break
        else:
            made.append([case])
    return made


def test_suspended_and_archived_tenants_are_isolated():
    """Active ones of all packs in both tiers: test_isolation_packs.py."""
    server, _ = names()
    for slug, blueprint in (("idle-schema", "trading"), ("idle-row", "saas")):
        server.create(slug, blueprint)
        server.tenantry("tenant", "suspend", slug)
        assert verify(server)["findings"] == []
        server.tenantry("tenant", "resume", slug)
        server.tenantry("tenant", "archive", slug, "--drain-timeout", "1ms")
    assert verify(server)["findings"] == []
    for slug in ("idle-schema", "idle-row"):
        server.tenantry("tenant", "purge", slug, "--yes")


def test_each_broken_tenant_is_reported_and_its_twin_is_not():
    problems, mended = [], []
    for group in groups():
        wrong = check_together(group, runs_of(len(group)))
        # Some cases break more than their rule, or stand in another's way: alone there is no doubt whose a finding is.
        for case in wrong if len(group) > 1 else {}:
            wrong[case] = check_together([case], runs_of(1)).get(case)
        problems += ["%s: %s" % row for row in wrong.items() if row[1]]
        mended += map(str, group)
        if len(mended) >= CHECKED_AT_ONCE:
            problems += what_is_left(mended)
            mended = []
    problems += what_is_left(mended) if mended else []
    assert not problems, "\n".join(problems)


def what_is_left(cases):
    """What the fleet still shows after these cases."""
    left = verify(names()[0])
    return [] if left["is_isolated"] else ["not mended, of %s: %s" % ("; ".join(cases), left["findings"])]


def test_what_leads_past_the_places_is_really_a_leak():
    server, words = names()
    for rule, slug, break_sql, read, undo in LEAKS:
        login = words[slug + "_login"]
        server.psql(break_sql.format(**words), server.superuser)
        try:
            assert server.psql(read, login) == "t", (rule, "cannot be read")
            assert of_rule(verify(server), rule) and of_rule(verify(server, slug + "1"), rule), (rule, "is not reported")
        finally:
            server.psql(undo.format(**words), server.superuser)
        assert harness.psql(login, read, expect=None).out.strip() != "t", (rule, "is open still")
        assert verify(server)["is_isolated"]


# Kinds of things that a migration may make and that no rule looks into.
KINDS = """CREATE STATISTICS {s}.st ON id, name FROM {s}.portfolios;
CREATE TYPE {s}.span AS RANGE (subtype = numeric);
CREATE TYPE {s}.pair AS (a int);
CREATE TEXT SEARCH DICTIONARY {s}.words (TEMPLATE = pg_catalog.simple);
CREATE TEXT SEARCH CONFIGURATION {s}.texts (COPY = pg_catalog.simple);
CREATE COLLATION {s}.sorted FROM "C";
CREATE CONVERSION {s}.narrow FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
CREATE FUNCTION {s}.same({s}.pair, {s}.pair) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR {s}.=== (FUNCTION = {s}.same, LEFTARG = {s}.pair, RIGHTARG = {s}.pair);
CREATE FUNCTION {s}.first({s}.pair) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
CREATE CAST ({s}.pair AS int) WITH FUNCTION {s}.first({s}.pair);
CREATE AGGREGATE {s}.total(int) (sfunc = int4pl, stype = int);"""


def test_nothing_that_a_migration_makes_in_its_own_place_is_outside_of_it():
    server, words = names()
    server.create("kinds1", "trading")
    shown = server.tenantry("tenant", "show", "kinds1")
    schema, owner = shown["schema"], shown["schema"] + "_owner"
    server.psql("SET ROLE %s; %s" % (owner, KINDS.format(s=schema)), server.superuser)
    assert verify(server, "kinds1")["findings"] == [] and verify(server)["findings"] == []
    server.psql("CREATE STATISTICS {a}.st ON id, name FROM {a}.portfolios; ALTER STATISTICS {a}.st OWNER TO {o}"
                .format(o=owner, **words), server.superuser)
    try:
        for args in ([], ["kinds1"]):
            assert [f["object"] for f in of_rule(verify(server, *args), "owns_outside")] == [
                "statistics object %s.st" % words["a"]], "in another's place"
    finally:
        server.psql("DROP STATISTICS %s.st" % words["a"], server.superuser)


# Things of no place that two tenants were let into, one of each kind that a right can be on.
LENT = """CREATE SCHEMA "the rep"; SET search_path = "the rep";
CREATE TABLE "a b" (i int, "c d" int); CREATE VIEW v AS SELECT 1 AS i; CREATE SEQUENCE s; CREATE TYPE "e f" AS ENUM ('x');
CREATE FUNCTION f(int, text) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE p(int) LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int);
REVOKE ALL ON FUNCTION f FROM PUBLIC; REVOKE ALL ON PROCEDURE p FROM PUBLIC; REVOKE ALL ON FUNCTION total(int) FROM PUBLIC;
GRANT USAGE ON SCHEMA "the rep" TO {a_app}, {b_app}; GRANT SELECT ON "a b" TO {a_app}; GRANT UPDATE ("c d") ON "a b" TO {b_app};
GRANT SELECT ON v, s TO {a_app}; GRANT USAGE ON TYPE "e f" TO {a_app}; GRANT EXECUTE ON FUNCTION f(int, text) TO {b_app};
GRANT EXECUTE ON PROCEDURE p(int) TO {a_app}; GRANT EXECUTE ON FUNCTION total(int) TO {a_app};
GRANT CREATE ON TABLESPACE pg_default TO {b_app}"""


# Extensions that come with PostgreSQL, and need no library that is loaded at the start.
CONTRIB = ("amcheck autoinc bloom btree_gin btree_gist citext cube dict_int dict_xsyn earthdistance fuzzystrmatch hstore insert_username"
           " intagg intarray isn lo ltree moddatetime pageinspect pg_buffercache pg_freespacemap pg_trgm pg_visibility pgcrypto"
           " pgrowlocks pgstattuple refint seg sslinfo tablefunc tcn tsm_system_rows tsm_system_time unaccent uuid-ossp xml2")


def test_of_an_extension_only_what_it_does_not_give_itself_is_reported_and_taken_back():
    server, _ = names()
    extensions = server.psql("SELECT string_agg(name, ' ' ORDER BY name) FROM pg_available_extensions WHERE installed_version IS NULL"
                             " AND name = ANY (string_to_array('%s', ' '))" % CONTRIB, server.superuser).split()
    server.psql("CREATE SCHEMA contrib; GRANT USAGE ON SCHEMA contrib TO PUBLIC;"
                + "".join('CREATE EXTENSION "%s" SCHEMA contrib;' % name for name in extensions), server.superuser)
    try:
        # As extensions have them that share a table with all: what its script makes, and gives, is its own.
        server.psql("CREATE TABLE contrib.systems (i int, \"a b\" text); GRANT SELECT ON contrib.systems TO PUBLIC;"
                    " ALTER EXTENSION hstore ADD TABLE contrib.systems", server.superuser)
        reset = server.psql("SELECT 'monitoring.pg_stat_statements_reset'::regproc::regprocedure", server.superuser)
        before = verify(server)["findings"]
        assert before == [], before
        server.psql("GRANT INSERT, UPDATE (\"a b\") ON contrib.systems TO PUBLIC;"
                    " GRANT EXECUTE ON FUNCTION monitoring.pg_stat_statements_reset TO PUBLIC;"
                    " GRANT SELECT ON contrib.pg_buffercache TO PUBLIC", server.superuser)
        found = of_rule(verify(server), "extension_grant")
        assert sorted(f["mend"] for f in found) == [
            "REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC" % reset,
            "REVOKE INSERT ON TABLE contrib.systems FROM PUBLIC",
            "REVOKE SELECT ON TABLE contrib.pg_buffercache FROM PUBLIC",
            'REVOKE UPDATE ("a b") ON TABLE contrib.systems FROM PUBLIC'], found
        assert {f["id"] for f in of_rule(verify(server, "a1"), "extension_grant")} == {f["id"] for f in found}
        server.psql(";".join(f["mend"] for f in found), server.superuser)
        assert verify(server)["findings"] == []
        assert server.psql("SELECT has_table_privilege('%s', 'contrib.systems', 'SELECT')" % names()[1]["a_app"],
                           server.superuser) == "t"
    finally:
        server.psql("DROP SCHEMA contrib CASCADE", server.superuser)


def test_what_is_said_to_be_revoked_comes_with_the_statement_that_does():
    server, words = names()
    server.psql(LENT.format(**words), server.superuser)
    try:
        found = verify(server)["findings"]
        assert {f["check"] for f in found} == {"shared_schema", "outside_grant"} and len(found) == 12, found
        shared = [f["mend"] for f in found if f["check"] == "shared_schema"]
        assert shared == ['REVOKE ALL ON SCHEMA "the rep" FROM ' + ", ".join(sorted([words["a_app"], words["b_app"]]))], shared
        for finding in found:
            server.psql(finding["mend"], server.superuser)
            left = [f["id"] for f in verify(server)["findings"]]
            assert finding["id"] not in left, finding
        assert left == []
    finally:
        server.psql('DROP SCHEMA "the rep" CASCADE; REVOKE ALL ON TABLESPACE pg_default FROM ' + words["b_app"], server.superuser)


def test_every_rule_is_tested():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/isolation/rules.def")
    with open(folder, encoding="utf-8") as f:
        rules = set(re.findall(r'^RULE\("(\w+)"', f.read(), re.MULTILINE))
    assert rules == {case[0] for case in CASES} | ELSEWHERE


def test_a_shared_place_that_has_no_tenants_is_looked_at():
    server, _ = names()
    tier, sql = isolation_fleet.BLUEPRINTS["pool"]
    with harness.temporary_folder() as folder:
        os.makedirs(folder + "/pool/migrations")
        with open(folder + "/pool/blueprint.yaml", "w", encoding="utf-8") as f:
            f.write("name: pool\ntitle: Pool\ntiers: [%s]\n%s" % (tier, isolation_fleet.PLANS))
        with open(folder + "/pool/migrations/V0001__tables.sql", "w", encoding="utf-8") as f:
            f.write(sql)
        server.tenantry("blueprint", "add", folder + "/pool")
    server.create("lone1", "pool")
    table = server.tenantry("tenant", "show", "lone1")["schema"] + ".users"
    server.tenantry("tenant", "archive", "lone1", "--drain-timeout", "1ms")
    server.tenantry("tenant", "purge", "lone1", "--yes")
    before = verify(server)
    assert before["findings"] == [], before
    server.psql("ALTER TABLE %s DISABLE ROW LEVEL SECURITY" % table, server.superuser)
    found = verify(server)
    assert [(f["check"], f["object"]) for f in found["findings"]] == [("rls_off", "table " + table)], found
    assert found["tenants"] == before["tenants"]
    server.psql(found["findings"][0]["mend"], server.superuser)
    assert verify(server)["findings"] == []


def test_logins_of_tenants_that_are_not_active_are_reported():
    server, _ = names()
    server.create("gone1", "trading")
    role = server.tenantry("tenant", "show", "gone1")["roles"]["app"]
    tenant = server.tenantry("tenant", "show", "gone1")["id"]
    server.tenantry("tenant", "suspend", "gone1")
    server.psql("ALTER ROLE %s LOGIN" % role, server.superuser)
    found = verify(server, "gone1")["findings"]
    assert [f["check"] for f in found] == ["ended_login"] and role in found[0]["object"], found
    server.psql(found[0]["mend"], server.superuser)
    server.tenantry("tenant", "archive", "gone1", "--drain-timeout", "1ms")
    server.psql("INSERT INTO tenancy.role_tenants VALUES ('%s', '%s')" % (role, tenant), server.superuser)
    found = verify(server)["findings"]
    assert [f["check"] for f in found] == ["map_stale"], found
    server.psql(found[0]["mend"], server.superuser)
    server.create("gone2", "saas")
    gone = server.tenantry("tenant", "show", "gone2")
    server.tenantry("tenant", "suspend", "gone2")
    server.psql("INSERT INTO tenancy.role_tenants VALUES ('%s', '%s')" % (gone["roles"]["app"], gone["id"]), server.superuser)
    for found in (verify(server)["findings"], verify(server, "gone2")["findings"]):
        assert [f["check"] for f in found] == ["map_stale"] and "suspended" in found[0]["evidence"], found
    server.psql(found[0]["mend"], server.superuser)
    assert verify(server)["is_isolated"]


def test_roles_of_two_tenants_that_have_each_others_names_are_reported():
    server, words = names()
    for one, other in (("x", "y"), ("a", "x")):
        pair = [words[one + "_app"], words[other + "_app"]]
        swap = ("BEGIN; ALTER ROLE {0} RENAME TO between; ALTER ROLE {1} RENAME TO {0}; ALTER ROLE between RENAME TO {1}; COMMIT"
                .format(*pair))
        server.psql(swap, server.superuser)
        try:
            found = {f["object"]: f for f in of_rule(verify(server), "role_swapped")}
            assert set(found) == {"role " + role for role in pair}, found
            assert found["role " + pair[0]]["tenant"] == one + "1" and pair[1] in found["role " + pair[0]]["evidence"], found
            assert len(of_rule(verify(server, other + "1"), "role_swapped")) == 1
        finally:
            server.psql(swap, server.superuser)
        assert verify(server)["findings"] == []
    # On another server the numbers are others.
    numbers = "UPDATE tenantry.installation SET tenants_role_oid = {0}; UPDATE tenantry.roles SET role_oid = {1}"
    server.psql(numbers.format(10, 10))
    assert verify(server)["findings"] == []
    server.psql(numbers.format("to_regrole(quote_ident(tenants_role))", "to_regrole(quote_ident(name))"))
    assert verify(server)["findings"] == []


def test_a_superuser_checks_what_others_cannot():
    server, words = names()
    env = {"TENANTRY_DATABASE_URL": server.superuser}
    assert verify(server, env=env)["unchecked"] == []
    server.psql("ALTER ROLE {a_app} PASSWORD NULL".format(**words), server.superuser)
    hba = server.psql("SHOW hba_file", server.superuser)
    with open(hba, encoding="utf-8") as f:
        before = f.read()
    try:
        with open(hba, "a", encoding="utf-8") as f:
            f.write("\nhost all all 127.0.0.1/32 trust\n")
        assert {f["check"] for f in verify(server, env=env)["findings"]} == {"hba_trust", "password_weak"}
    finally:
        with open(hba, "w", encoding="utf-8") as f:
            f.write(before)
        server.tenantry("tenant", "rotate", "a1")
    assert verify(server, env=env)["is_isolated"]


def test_a_line_of_pg_hba_for_the_group_of_tenants_is_reported():
    server, words = names()
    hba = server.psql("SHOW hba_file", server.superuser)
    with open(hba, encoding="utf-8") as f:
        before = f.read()
    try:
        with open(hba, "a", encoding="utf-8") as f:
            f.write("\nhost all +%s 127.0.0.1/32 trust\n" % words["tenants"])
        found = verify(server, env={"TENANTRY_DATABASE_URL": server.superuser})["findings"]
        assert [f["check"] for f in found] == ["hba_trust"], found
    finally:
        with open(hba, "w", encoding="utf-8") as f:
            f.write(before)


def test_what_is_purged_while_the_rules_read_is_not_taken_for_gone():
    """The registry and the catalogue are read in one snapshot."""
    server = names()[0]
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/isolation")
    rule, target = (open(os.path.join(folder, name), encoding="utf-8").read()
                    for name in ("rules/place_gone.sql", "snapshot/iso_target_fleet.sql"))
    for slug, blueprint in (("brief", "trading"), ("short", "saas")):
        server.create(slug, blueprint)
    with harness.Session(server.superuser) as session:
        session.ask("BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE TEMP TABLE iso_target ON COMMIT DROP AS %s;" % target)
        for slug in ("brief", "short"):
            server.tenantry("tenant", "archive", slug, "--drain-timeout", "1ms")
            server.tenantry("tenant", "purge", slug, "--yes")
        assert session.ask("SELECT count(*) FROM tenantry.tenants WHERE slug IN ('brief', 'short') AND state <> 'purged';") == "2"
        assert session.ask("SELECT object FROM (%s) r;" % rule) == ""


def test_a_function_of_postgresql_that_was_changed_is_reported_and_changed_rights_are_not():
    with harness.Server() as server:
        server.up()
        server.create("first", "trading")
        assert verify(server)["findings"] == []
        # Rights that were taken away, as hardening does, and marks that were put on and taken off again.
        server.psql("REVOKE EXECUTE ON FUNCTION pg_catalog.lo_import(text) FROM PUBLIC;"
                    " ALTER FUNCTION pg_catalog.regclass(text) LEAKPROOF; ALTER FUNCTION pg_catalog.regclass(text) NOT LEAKPROOF",
                    server.superuser)
        assert verify(server)["findings"] == []
        server.psql("CREATE OR REPLACE FUNCTION pg_catalog.pg_sleep_for(interval) RETURNS void LANGUAGE sql AS 'SELECT 1'",
                    server.superuser)
        for args in ((), ("first",)):
            found = verify(server, *args)["findings"]
            assert [(f["check"], f["object"]) for f in found] == [("builtin_changed", "function pg_sleep_for(interval)")], found


STATISTICS_VIEWS = ("pg_stats_ext", "pg_stats_ext_exprs")


def views_of_old(server):
    """Puts the views of extended statistics as servers have them that were made before CVE-2024-4317 was mended: without
    the condition, and of the transaction that made their row types. Gives what PostgreSQL's script runs to mend them."""
    mends = ""
    for view in STATISTICS_VIEWS:
        text = server.psql("SELECT pg_get_viewdef('pg_catalog.%s'::regclass)" % view, server.superuser)
        create = "CREATE OR REPLACE VIEW pg_catalog.%s WITH (security_barrier) AS " % view
        mends += create + text
        server.psql("BEGIN; %s; UPDATE pg_type SET typname = typname WHERE oid = 'pg_catalog.%s'::regtype; COMMIT"
                    % (create + text[:text.rindex("WHERE (pg_has_role(")], view), server.superuser)
    return mends


def test_a_view_of_postgresql_that_was_changed_is_reported_and_those_that_its_script_mended_are_not():
    with harness.Server() as server:
        server.up()
        owner, reader = (server.create(slug, "trading")["app"] for slug in ("first", "second"))
        schema = server.tenantry("tenant", "show", "first")["schema"]
        harness.psql(owner, "INSERT INTO portfolios (user_id, name) SELECT gen_random_uuid(), 'secret' FROM generate_series(1, 9)")
        server.psql("CREATE STATISTICS {0}.st ON (upper(name)) FROM {0}.portfolios; ANALYZE {0}.portfolios;"
                    " REVOKE SELECT ON pg_catalog.pg_user FROM PUBLIC; GRANT SELECT ON pg_catalog.pg_user TO PUBLIC".format(schema),
                    server.superuser)
        sees = "SELECT count(*) FROM pg_stats_ext_exprs WHERE most_common_vals::text LIKE '%SECRET%'"
        assert harness.psql(reader, sees) == "0" and verify(server)["findings"] == []

        mends = views_of_old(server)
        assert harness.psql(reader, sees) == "1"
        for args in ((), ("second",)):
            found = verify(server, *args)["findings"]
            assert [(f["check"], f["object"]) for f in found] == [("builtin_view", "view " + v) for v in STATISTICS_VIEWS], found
            assert all("CVE-2024-4317" in f["evidence"] for f in found), found
        server.psql(mends, server.superuser)
        assert harness.psql(reader, sees) == "0" and verify(server)["findings"] == []

        server.psql("ALTER VIEW pg_catalog.pg_stats SET (security_barrier = false);"
                    " CREATE RULE kept AS ON UPDATE TO pg_catalog.pg_user DO INSTEAD NOTHING;"
                    " CREATE OR REPLACE VIEW pg_catalog.pg_stats_ext AS %s;"
                    % mends[mends.index("SELECT"):mends.index(";")].replace("WHERE (pg_has_role(", "WHERE (true OR pg_has_role("),
                    server.superuser)
        for args in ((), ("second",)):
            found = verify(server, *args)["findings"]
            assert [(f["check"], f["object"]) for f in found] == [
                ("builtin_view", "view " + v) for v in ("pg_stats", "pg_stats_ext", "pg_user")], found


def test_a_neighbour_that_reaches_everybody_is_reported_in_the_check_of_one_tenant():
    server, words = names()
    cases = [("GRANT pg_read_all_data TO {b_app}", "REVOKE pg_read_all_data FROM {b_app}", "member_predefined", "a1"),
             ("CREATE ROLE readers; GRANT pg_write_all_data TO readers; GRANT readers TO {y_app}", "DROP ROLE readers",
              "member_predefined", "b1"),
             ("ALTER ROLE {y_app} BYPASSRLS", "ALTER ROLE {y_app} NOBYPASSRLS", "role_bypassrls", "x1"),
             ("ALTER ROLE {b_ro} SUPERUSER", "ALTER ROLE {b_ro} NOSUPERUSER", "role_superuser", "x1"),
             ("GRANT {audit} TO {b_owner}", "REVOKE {audit} FROM {b_owner}", "member_control", "y1")]
    for break_sql, undo, rule, asked in cases:
        server.psql(break_sql.format(**words), server.superuser)
        try:
            fleet = [(f["id"], f["tenant"]) for f in of_rule(verify(server), rule)]
            assert fleet and fleet == [(f["id"], f["tenant"]) for f in of_rule(verify(server, asked), rule)], (break_sql, fleet)
        finally:
            server.psql(undo.format(**words), server.superuser)
        assert verify(server, asked)["is_isolated"]


def configure(server, change, value, name="lo_compat_privileges"):
    """Changes the configuration; new sessions have it as soon as the server has read the file again."""
    server.psql(change, server.superuser)
    server.psql("SELECT pg_reload_conf()", server.superuser)
    while server.psql("SHOW " + name, server.superuser) != value:
        pass


def test_a_setting_of_the_server_is_reported_and_mended_whatever_file_has_it():
    server, _ = names()
    path = os.path.join(server.data_dir, "postgresql.local.conf")
    size = os.path.getsize(path)
    with open(path, "a", encoding="utf-8") as f:
        f.write("lo_compat_privileges = on\n")
    try:
        configure(server, "SELECT", "on")
        found = verify(server)["findings"]
        assert [(f["check"], f["object"]) for f in found] == [("setting_server", "setting lo_compat_privileges")], found
        configure(server, found[0]["mend"], "off")
        assert verify(server)["is_isolated"]
    finally:
        os.truncate(path, size)
        configure(server, "ALTER SYSTEM RESET lo_compat_privileges", "off")


def test_a_lock_on_the_view_of_settings_does_not_shut_the_rules():
    """PUBLIC may UPDATE pg_settings as initdb leaves it, so any tenant may lock it; on our own server none may."""
    server, words = names()
    with harness.Session(server.superuser) as holder:
        assert holder.ask("BEGIN; LOCK TABLE pg_catalog.pg_settings IN ACCESS EXCLUSIVE MODE;") == ""
        assert verify(server)["is_isolated"]
        assert verify(server, "a1")["is_isolated"]
    tenant = "SET ROLE %s; BEGIN; " % words["a_app"]
    harness.refused_sql(server.superuser, tenant + "LOCK TABLE pg_catalog.pg_settings IN ACCESS EXCLUSIVE MODE", "permission denied")
    server.psql(tenant + "SELECT FROM pg_settings; SET work_mem = '5MB'", server.superuser)


def test_several_tenants_in_one_statement_are_judged_like_each_by_itself():
    """So is a fleet whose control role may make no temporary tables, and the sample of a rollout."""
    server, words = names()
    database = '"%s"' % server.psql("SELECT current_database()")
    may_make = "SELECT has_database_privilege('tenantry', current_database(), 'TEMPORARY')"
    change("REVOKE TEMPORARY ON DATABASE %s FROM PUBLIC, tenantry" % database)
    assert server.psql(may_make) == "f"
    try:
        assert verify(server)["is_isolated"]
        change("GRANT {x_group} TO {a_app}".format(**words))
        assert [f["tenant"] for f in of_rule(verify(server), "member_of_group")] == ["a1"]
        change("REVOKE {x_group} FROM {a_app}".format(**words))
    finally:
        change("GRANT TEMPORARY ON DATABASE %s TO tenantry" % database)
    assert verify(server)["is_isolated"]


def test_the_rules_of_a_tenant_that_is_isolated_are_one_statement():
    """Planning is most of what they cost, so nothing of a sound tenant may come through a sieve."""
    server, _ = names()
    log = os.path.join(server.data_dir, "server.log")
    configure(server, "ALTER SYSTEM SET log_statement = 'all'", "all", "log_statement")
    try:
        for slug, _ in TENANTS:
            before = os.path.getsize(log)
            assert verify(server, slug + "1")["is_isolated"]
            with open(log, encoding="utf-8") as f:
                f.seek(before)
                assert f.read().count("WITH iso_target AS") == 1, slug
    finally:
        configure(server, "ALTER SYSTEM RESET log_statement", "none", "log_statement")


def test_what_a_role_may_not_read_is_told_as_unchecked():
    server, _ = names()
    unchecked = {u["check"]: u["reason"] for u in verify(server)["unchecked"]}
    assert set(unchecked) == {"hba_trust", "password_weak"}, unchecked
    assert all("no superuser" in reason for reason in unchecked.values()), unchecked
    server.psql("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w; CREATE ROLE clerk;"
                " CREATE USER MAPPING FOR clerk SERVER far OPTIONS (password 'x')", server.superuser)
    try:
        for args in ((), ("a1",)):
            unchecked = {u["check"]: u["reason"] for u in verify(server, *args)["unchecked"]}
            assert "options of user mappings" in unchecked["user_mapping"], unchecked
        assert verify(server, env={"TENANTRY_DATABASE_URL": server.superuser})["unchecked"] == []
    finally:
        server.psql("DROP FOREIGN DATA WRAPPER w CASCADE; DROP ROLE clerk", server.superuser)


def test_a_finding_keeps_its_id():
    server, words = names()
    server.psql("GRANT SELECT ON {a}.portfolios TO {b_app}".format(**words), server.superuser)
    try:
        ids = [[f["id"] for f in verify(server, *args)["findings"]] for args in ((), (), ("a1",), ("b1",))]
        assert len(ids[0]) == 1 and ids.count(ids[0]) == 4, ids
    finally:
        server.psql("REVOKE SELECT ON {a}.portfolios FROM {b_app}".format(**words), server.superuser)


def test_the_digest_changes_with_the_catalogue_only():
    server, words = names()
    before = verify(server)["catalogue"]
    assert verify(server)["catalogue"] == before
    server.psql("GRANT SELECT ON {a}.portfolios TO {b_app}".format(**words), server.superuser)
    assert verify(server)["catalogue"] != before
    server.psql("REVOKE SELECT ON {a}.portfolios FROM {b_app}".format(**words), server.superuser)


def test_a_leak_that_comes_with_the_next_table_is_reported_before_and_after():
    server, words = names()
    server.psql("ALTER DEFAULT PRIVILEGES FOR ROLE {a_owner} IN SCHEMA {a} GRANT SELECT ON TABLES TO {b_app}"
                .format(**words), server.superuser)
    assert {f["check"] for f in verify(server)["findings"]} == {"default_privileges"}
    server.psql("SET ROLE {a_owner}; CREATE TABLE {a}.next (i int)".format(**words), server.superuser)
    answer = verify(server)
    assert {f["check"] for f in answer["findings"]} == {"default_privileges", "grant_table"}, answer
    server.psql(";".join(f["mend"] for f in answer["findings"]), server.superuser)
    server.psql("DROP TABLE {a}.next".format(**words), server.superuser)
    assert verify(server)["is_isolated"]


def test_default_privileges_that_reach_no_place_or_are_postgresql_s_own_are_no_finding():
    server, _ = names()
    # The second spells out what PUBLIC has on functions by itself.
    server.psql("CREATE ROLE webapp; ALTER DEFAULT PRIVILEGES FOR ROLE webapp GRANT SELECT ON TABLES TO PUBLIC;"
                " ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT EXECUTE ON FUNCTIONS TO webapp", server.superuser)
    try:
        assert verify(server)["findings"] == [] and verify(server, "a1")["findings"] == []
    finally:
        server.psql("DROP OWNED BY webapp; DROP ROLE webapp", server.superuser)


# What "reporting" has with the grant option and passes on, and whose finding that is.
PASSED_ON = [
    ("grant_table", "SELECT ON {a}.portfolios", "{b_app}"),
    ("grant_table", "SELECT ON {x}.users", "{b_app}"),
    ("grant_column", "SELECT (id) ON {a}.portfolios", "{b_app}"),
    ("grant_sequence", "USAGE ON SEQUENCE {a}.counted", "{b_app}"),
    ("grant_function", "EXECUTE ON FUNCTION {a}.touch_updated_at()", "{b_app}"),
    ("grant_type", "USAGE ON TYPE {a}.trade_side", "{b_app}"),
    ("grant_schema", "CREATE ON SCHEMA {a}", "{b_app}"),
    ("public_grant_function", "EXECUTE ON FUNCTION {a}.touch_updated_at()", "PUBLIC"),
    ("grant_option", "SELECT ON {a}.portfolios", "{a_app} WITH GRANT OPTION"),
    ("readonly_write", "DELETE ON {a}.portfolios", "{a_ro}"),
    ("truncate_own", "TRUNCATE ON {a}.portfolios", "{a_app}"),
    ("truncate_right", "TRUNCATE ON {x}.users", "{x_group}"),
    ("references_right", "REFERENCES (id) ON {x}.users", "{x_group}"),
    ("trigger_right", "TRIGGER ON {a}.portfolios", "{a_app}"),
    ("schema_create_right", "CREATE ON SCHEMA {a}", "{a_app}"),
    ("control_grant", "SELECT ON tenantry.tenants", "{b_app}"),
]
PASS_ON = ("GRANT {what} TO reporting WITH GRANT OPTION; SET LOCAL ROLE reporting; GRANT {what} TO deputy WITH GRANT OPTION;"
           " SET LOCAL ROLE deputy; GRANT {what} TO {whom}; RESET ROLE")


def passed_on_by(giver, rule, *args):
    return [f for f in of_rule(verify(names()[0], *args), rule) if "(granted by %s)" % giver in f["evidence"]]


def check_passed_on(giver, rule, *args):
    """The rule tells who passed the right on, and its statement alone takes the right back."""
    found = passed_on_by(giver, rule, *args)
    assert found, (rule, args)
    for finding in found:
        assert change(finding["mend"]) == "", finding
    assert passed_on_by(giver, rule, *args) == [], (rule, args, found)


def mend_the_rest():
    """In whatever order."""
    for finding in reversed(verify(names()[0])["findings"]):
        assert change(finding["mend"]) == "", finding
    assert verify(names()[0])["is_isolated"]


@contextlib.contextmanager
def reporting():
    """Two roles that are of no tenant, and a sequence."""
    words = names()[1]
    assert change("CREATE ROLE reporting; CREATE ROLE deputy; CREATE SEQUENCE {a}.counted; ALTER SEQUENCE {a}.counted OWNER TO"
                  " {a_owner}; GRANT USAGE ON SCHEMA {a}, {x}, tenantry TO reporting, deputy".format(**words)) == ""
    try:
        yield words
    finally:
        change("DROP OWNED BY deputy CASCADE; DROP OWNED BY reporting CASCADE; DROP ROLE reporting, deputy;"
               "DROP SEQUENCE {a}.counted".format(**words))


def test_what_somebody_else_than_the_owner_granted_is_mended():
    """Neither the owner nor a superuser takes that back by a REVOKE from who got it."""
    for rule, what, whom in PASSED_ON:
        with reporting() as words:
            is_far = whom == "{b_app}" and "{a}" in what  # one tenant's rules look at it in another way
            for args in [(), ("b1",)] if is_far else [()]:
                assert change(PASS_ON.format(what=what, whom=whom).format(**words)) == ""
                check_passed_on("deputy", rule, *args)
            mend_the_rest()


def test_a_column_of_a_table_that_somebody_passed_on_is_mended():
    """The grant option is on the table: revoking it, CASCADE, leaves what was passed on of a column."""
    with reporting() as words:
        assert change(("GRANT SELECT ON {a}.portfolios TO reporting WITH GRANT OPTION; SET LOCAL ROLE reporting;"
                       "GRANT SELECT (name) ON {a}.portfolios TO {b_app}").format(**words)) == ""
        check_passed_on("reporting", "grant_column")
        mend_the_rest()


def test_isolation_mend_takes_back_what_was_passed_on():
    with reporting() as words:
        assert change(PASS_ON.format(what="SELECT ON {a}.portfolios", whom="{b_app}").format(**words)) == ""
        names()[0].tenantry("isolation", "mend", "--all", "--yes")
        assert verify(names()[0])["is_isolated"]


def test_all_settings_of_a_role_are_told_and_mended_at_once():
    server, words = names()
    server.psql("ALTER ROLE {a_app} SET lo_compat_privileges = on; ALTER ROLE {a_app} SET session_replication_role = local"
                .format(**words), server.superuser)
    found = of_rule(verify(server), "setting_role")
    server.psql("; ".join(f["mend"] for f in found), server.superuser)
    assert len(found) == 1 and "lo_compat_privileges = on, session_replication_role = local" in found[0]["evidence"], found
    assert not of_rule(verify(server), "setting_role")


def test_what_a_login_sets_for_itself_stops_nobody():
    server, words = names()
    own = ["row_security = off", "role = {b_app}", "check_function_bodies = off"]
    server.psql("; ".join("ALTER ROLE CURRENT_USER SET " + setting for setting in own).format(**words)
                + "; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC", words["b_login"])
    try:
        found = verify(server, "b1")["findings"]
        assert {(f["check"], f["severity"]) for f in found} == {("setting_own", "low"), ("default_own", "low")}, found
        server.tenantry("tenant", "suspend", "b1")
        server.tenantry("tenant", "resume", "b1")
    finally:
        server.psql("; ".join(f["mend"] for f in found), server.superuser)
    assert verify(server, "b1")["findings"] == []


def test_an_aggregate_of_functions_that_all_may_call_is_no_finding():
    server = names()[0]
    server.psql("CREATE SCHEMA util; GRANT USAGE ON SCHEMA util TO PUBLIC; CREATE AGGREGATE util.product(numeric)"
                " (sfunc = numeric_mul, stype = numeric)", server.superuser)
    try:
        assert not of_rule(verify(server), "outside_untrusted")
    finally:
        server.psql("DROP SCHEMA util CASCADE", server.superuser)


def test_a_definer_that_keeps_to_its_own_schema_is_no_finding():
    server, words = names()
    server.psql("CREATE FUNCTION {b}.f(t text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER"
                " SET search_path = pg_catalog, {b}, pg_temp AS $$ DECLARE n bigint; BEGIN EXECUTE 'SELECT count(*) FROM portfolios'"
                " INTO n; FOR n IN SELECT count(*) FROM {b}.portfolios LOOP PERFORM lower(t); END LOOP;"
                " RETURN n + (SELECT count(*) FROM pg_catalog.pg_class); END $$;"
                " ALTER FUNCTION {b}.f(text) OWNER TO {b_owner}; REVOKE ALL ON FUNCTION {b}.f(text) FROM PUBLIC;"
                " GRANT EXECUTE ON FUNCTION {b}.f(text) TO {b_app}".format(**words), server.superuser)
    try:
        assert verify(server)["findings"] == [] and verify(server, "b1")["findings"] == []
    finally:
        server.psql("DROP FUNCTION {b}.f(text)".format(**words), server.superuser)


def test_a_check_that_uses_what_is_of_no_place_is_taken_off_its_domain():
    server, words = names()
    server.psql("CREATE SCHEMA util; CREATE FUNCTION util.f(int) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
                " CREATE DOMAIN {a}.\"a number\" AS int CONSTRAINT \"a check\" CHECK (util.f(VALUE));"
                " ALTER DOMAIN {a}.\"a number\" OWNER TO {a_owner}; REVOKE ALL ON DOMAIN {a}.\"a number\" FROM PUBLIC"
                .format(**words), server.superuser)
    try:
        for args in ((), ("a1",)):
            mends = [f["mend"] for f in of_rule(verify(server, *args), "uses_outside")]
            assert mends == ['ALTER DOMAIN {a}."a number" DROP CONSTRAINT "a check"'.format(**words)], mends
        server.psql(mends[0], server.superuser)
        assert verify(server)["findings"] == []
    finally:
        server.psql("DROP DOMAIN {a}.\"a number\"; DROP SCHEMA util CASCADE".format(**words), server.superuser)


def test_code_of_a_shared_place_that_row_level_security_holds_is_no_finding():
    server, words = names()
    head = ("CREATE FUNCTION {x}.f() RETURNS %s LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {x}, pg_temp"
            " AS $$ BEGIN %s END $$; ALTER FUNCTION {x}.f() OWNER TO {x_owner}; REVOKE ALL ON FUNCTION {x}.f() FROM PUBLIC;")
    table = "CREATE TABLE {x}.board (t text); ALTER TABLE {x}.board OWNER TO {x_owner};"
    trigger = "CREATE TRIGGER copied AFTER INSERT ON {x}.users FOR EACH ROW EXECUTE FUNCTION {x}.f();"
    copy = head % ("trigger", "INSERT INTO board VALUES (NEW.email); RETURN NULL;")
    peek = ("CREATE FUNCTION {x}.peek() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN SELECT t INTO NEW.t FROM {x}.board; RETURN NEW;"
            " END'; ALTER FUNCTION {x}.peek() OWNER TO {x_owner}; REVOKE ALL ON FUNCTION {x}.peek() FROM PUBLIC;"
            " CREATE TRIGGER peek BEFORE INSERT ON {x}.board FOR EACH ROW EXECUTE FUNCTION {x}.peek();")
    reads = "it reads %s, whose content is of no tenant"
    cases = [(head % ("void", "CREATE TEMP TABLE t AS SELECT 1; DELETE FROM users; NOTIFY x;"), None),
             (head % ("void", "ALTER TABLE users NO FORCE ROW LEVEL SECURITY;"), "it runs ALTER"),
             (head % ("void", "EXECUTE 'DROP POLICY tenant_guard ON users';"), "it runs DROP"),
             (table + copy + trigger, None),
             (table + "GRANT SELECT (t) ON {x}.board TO {x_group};" + copy + trigger,
              "it writes table board, which all tenants read"),
             (table + head % ("bigint", "RETURN (SELECT count(*) FROM board);"), reads % "board"),
             (table + head % ("void", "INSERT INTO board VALUES (1) ON CONFLICT DO NOTHING;"), reads % "board"),
             (table + "CREATE VIEW {x}.v WITH (security_invoker) AS TABLE {x}.board; ALTER VIEW {x}.v OWNER TO {x_owner};"
              + head % ("bigint", "RETURN (SELECT count(*) FROM v);"), reads % "v"),
             # The trigger works with the owner's rights where the function writes.
             (table + head % ("void", "INSERT INTO board VALUES (1);") + peek, reads % "board"),
             (head % ("void", "PERFORM setval('\"the count\"', 1);"), "it sets a sequence, which is of all tenants")]
    for sql, says in cases:
        server.psql(sql.format(**words), server.superuser)
        try:
            for args in ((), ("x1",)):
                found = of_rule(verify(server, *args), "shared_code")
                assert [f["evidence"].split(" (")[0] for f in found] == ([says] if says else []), (sql, found)
        finally:
            server.psql("DROP FUNCTION {x}.f() CASCADE; DROP TABLE IF EXISTS {x}.board CASCADE;"
                        " DROP FUNCTION IF EXISTS {x}.peek()".format(**words), server.superuser)
    assert verify(server)["findings"] == []


def test_a_create_that_is_not_isolated_leaves_nothing():
    with harness.Server() as server:
        server.up()
        server.create("first", "saas")
        owner = server.psql("SELECT owner_role FROM tenantry.places WHERE tier = 'row'")
        group = server.psql("SELECT app_role FROM tenantry.places WHERE tier = 'row'")
        tenants = server.psql("SELECT tenants_role FROM tenantry.installation")
        # Whoever joins the group of tenants would own the shared tables.
        server.psql("GRANT pg_read_all_data TO %s" % tenants, server.superuser)
        server.psql("GRANT %s TO %s" % (owner, group), server.superuser)
        roles = server.psql("SELECT count(*) FROM pg_roles")
        server.refused("isolation_violated", "tenant", "create", "second", "--blueprint", "trading",
                       says=("pg_read_all_data",))
        assert server.psql("SELECT count(*) FROM tenantry.places WHERE tier = 'schema'") == "0"
        assert server.psql("SELECT count(*) FROM pg_roles") == roles
        assert server.psql("SELECT state FROM tenantry.tenants WHERE slug = 'second'") == "failed"


def test_a_create_in_a_place_that_was_there_is_refused_when_its_roles_are_more_than_they_should_be():
    # What is done to the login that the create will take, what the error names, and what undoes it.
    breaks = [("GRANT pg_read_all_data TO {}", "member_predefined", "REVOKE pg_read_all_data FROM {}"),
              ("GRANT {tenants} TO {} WITH ADMIN OPTION", "member_admin", "REVOKE ADMIN OPTION FOR {tenants} FROM {}"),
              ("ALTER ROLE {} BYPASSRLS", "role_bypassrls", "ALTER ROLE {} NOBYPASSRLS"),
              ("GRANT {} TO {first}", "member_of_tenant", "REVOKE {} FROM {first}"),
              ("ALTER ROLE {} SET session_replication_role = replica", "setting_role",
               "ALTER ROLE {} RESET session_replication_role"),
              ("ALTER ROLE {} SET lo_compat_privileges = on", "setting_role", "ALTER ROLE {} RESET lo_compat_privileges")]
    with harness.Server() as server:
        server.up()
        first = server.create("first", "saas")
        assert first["state"] == "active"
        words = {"tenants": server.psql("SELECT tenants_role FROM tenantry.installation"),
                 "first": server.tenantry("tenant", "show", "first")["roles"]["app"]}
        ready = {"trading": "SELECT p.app_role FROM tenantry.spares s JOIN tenantry.places p ON p.id = s.place_id",
                 "saas": "SELECT stem || '_app' FROM tenantry.ready_logins"}
        for blueprint, which in ready.items():
            for number, (break_sql, rule, undo) in enumerate(breaks):
                server.tenantry("spare", "fill", "trading", "--count", "1")
                logins = server.psql(which).split()
                assert logins, "nothing is ready for %s" % blueprint
                for login in logins:
                    server.psql(break_sql.format(login, **words), server.superuser)
                server.refused("isolation_violated", "tenant", "create", "%s-%d" % (blueprint, number),
                               "--blueprint", blueprint, says=(rule,))
                assert server.psql("SELECT count(*) FROM tenantry.tenants WHERE state = 'active'") == "1"
                for login in logins:  # an undone create drops the spare that it took
                    if server.psql("SELECT 1 FROM pg_roles WHERE rolname = '%s'" % login):
                        server.psql(undo.format(login, **words), server.superuser)
        server.create("second", "saas")


def test_a_resume_of_a_tenant_that_is_not_isolated_is_refused():
    server, words = names()
    server.tenantry("tenant", "suspend", "b1")
    server.psql("GRANT SELECT ON {b}.portfolios TO PUBLIC".format(**words), server.superuser)
    server.refused("isolation_violated", "tenant", "resume", "b1", says=("public_grant_table", "REVOKE"))
    assert server.tenantry("tenant", "show", "b1")["state"] == "suspended"
    server.psql("REVOKE SELECT ON {b}.portfolios FROM PUBLIC".format(**words), server.superuser)
    server.tenantry("tenant", "resume", "b1")


if __name__ == "__main__":
    harness.main()
