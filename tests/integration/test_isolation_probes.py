#!/usr/bin/env python3
"""The isolation probes: for each one a tenant that was broken on purpose, which it must report, and its clean twin,
which it must not; nothing is left behind, and nothing of a neighbour is shown."""
import concurrent.futures
import contextlib
import functools
import os
import pwd
import shutil
import subprocess
import time
import urllib.parse

import harness
from harness import shared_server

PROBE = os.path.abspath(os.environ.get("PROBE_BINARY", "build/tests/integration/probe_main"))
SECRET = "kanarienvogel"  # a value of the neighbour's; it must not be seen anywhere


@functools.lru_cache(maxsize=None)
def tenants():
    """Two tenants of each tier, with rows of the second ones that can be recognised."""
    server = shared_server()
    made = {}
    for blueprint in ("trading", "saas"):
        for number in "12":
            tenant = server.create(blueprint + number, blueprint)
            tenant["app_role"], tenant["readonly_role"] = (c["role"] for c in tenant["connections"])
            tenant["schema"] = server.tenantry("tenant", "show", blueprint + number)["schema"]
            made[blueprint + number] = tenant
    server.psql("INSERT INTO users (email) VALUES ('%s@example.org')" % SECRET, made["saas2"]["app"])
    server.psql("INSERT INTO portfolios (user_id, name) SELECT gen_random_uuid(), '%s' FROM generate_series(1, 9)" % SECRET, made["trading2"]["app"])
    return made


def probe(*options, server=None):
    server = server or shared_server()
    key = os.path.join(server.data_dir, "master.key")
    result = harness.run([PROBE, server.conninfo, key, *options])
    assert SECRET not in result.out + result.err
    return result.json()


def found(tenant, *options):
    """{(probe, object)} of what this tenant could do to any neighbour."""
    answer = probe("tenant=" + tenants()[tenant]["id"], "all=1", *options)
    return {(f["check"], f["object"]): f for f in answer["findings"]}


# Break, mend: rows below say what is broken of the first tenant of a blueprint and must be found. {ra}, {ro} its logins,
# {rb} the second's application login, {ob} the second's owner, {sa}, {sb} their schemas, {guard} the policy's condition.
IN = "GRANT USAGE ON SCHEMA {sb} TO {ra};"
OUT = "REVOKE ALL ON SCHEMA {sb} FROM {ra};"


def right(name, table):
    """Broken and mended: a right on the neighbour's table, and the way there."""
    return (IN + "GRANT %s ON {sb}.%s TO {ra}" % (name, table), OUT + "REVOKE ALL ON {sb}.%s FROM {ra}" % table)


def member(role):
    return ("GRANT %s TO {ra}" % role, "REVOKE %s FROM {ra}" % role)


def policy(clauses):
    return (
        "ALTER POLICY tenant_guard ON saas.users %s" % clauses,
        "ALTER POLICY tenant_guard ON saas.users USING {guard} WITH CHECK {guard}",
    )


WHO_FUNCTION = (
    "CREATE FUNCTION saas.who() RETURNS uuid LANGUAGE plpgsql AS"
    " 'BEGIN RETURN (SELECT tenant_id FROM role_tenants WHERE role_name = current_user); END';"
    "GRANT TEMPORARY ON DATABASE tenantry TO {ra};"
)
LEAK_FUNCTION = (
    "CREATE FUNCTION {sa}.leak() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS"
    " 'DECLARE n bigint; BEGIN EXECUTE ''SELECT count(*) FROM {sb}.portfolios'' INTO n; RETURN n; END';"
    "GRANT EXECUTE ON FUNCTION {sa}.leak() TO {ra}"
)
UNSAFE_LEVEL = "ALTER TABLE saas.users DISABLE ROW LEVEL SECURITY"
SAFE_LEVEL = "ALTER TABLE saas.users ENABLE ROW LEVEL SECURITY"

# probe: blueprint, break, mend, object of the finding
BROKEN = {
    "probe_activity": ("trading", *member("pg_read_all_stats"), "login {ra}"),
    "probe_alter": ("trading", *member("{ob}"), "table {sb}.portfolios"),
    "probe_attributes": ("saas", "ALTER ROLE {ra} BYPASSRLS", "ALTER ROLE {ra} NOBYPASSRLS", "login {ra}"),
    "probe_call": (
        "trading",
        IN + "CREATE FUNCTION {sb}.ask(a integer, b text DEFAULT '') RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        OUT + "DROP FUNCTION {sb}.ask(integer, text)",
        "function {sb}.ask",
    ),
    "probe_call_touches": ("trading", LEAK_FUNCTION, "DROP FUNCTION {sa}.leak()", "function {sa}.leak"),
    "probe_catalogue_secrets": (
        "saas", "GRANT SELECT ON pg_authid TO {ra}", "REVOKE SELECT ON pg_authid FROM {ra}", "login {ra}",
    ),
    "probe_connection_limit": ("saas", "ALTER ROLE {ra} CONNECTION LIMIT -1", None, "login {ra}"),
    "probe_control_call": (
        "saas",
        "GRANT USAGE ON SCHEMA tenantry_audit TO {ra};"
        "GRANT EXECUTE ON FUNCTION tenantry_audit.ensure_partition(timestamptz) TO {ra}",
        "REVOKE USAGE ON SCHEMA tenantry_audit FROM {ra};"
        "REVOKE EXECUTE ON FUNCTION tenantry_audit.ensure_partition(timestamptz) FROM {ra}",
        "function tenantry_audit.ensure_partition",
    ),
    "probe_control_read": (
        "trading",
        "GRANT USAGE ON SCHEMA tenantry TO {ro}; GRANT SELECT (slug) ON tenantry.tenants TO {ro}",
        "REVOKE USAGE ON SCHEMA tenantry FROM {ro}; REVOKE SELECT (slug) ON tenantry.tenants FROM {ro}",
        "table tenantry.tenants",
    ),
    "probe_control_write": (
        "trading",
        "GRANT USAGE ON SCHEMA tenantry TO {ra}; GRANT INSERT ON tenantry.roles TO {ra}",
        "REVOKE USAGE ON SCHEMA tenantry FROM {ra}; REVOKE INSERT ON tenantry.roles FROM {ra}",
        "table tenantry.roles",
    ),
    "probe_copy": (
        "trading", *(a + ";" + b for a, b in zip(right("SELECT", "portfolios"), member("pg_write_server_files"))),
        "table {sb}.portfolios",
    ),
    "probe_create": (
        "saas", "GRANT CREATE ON SCHEMA {sa} TO {ra}", "REVOKE CREATE ON SCHEMA {sa} FROM {ra}", "login {ra}",
    ),
    "probe_explain": ("trading", *right("SELECT", "trades"), "table {sb}.trades"),
    "probe_identity": (
        "saas",
        "UPDATE tenancy.role_tenants SET tenant_id = '{idb}' WHERE role_name = '{ra}'",
        "UPDATE tenancy.role_tenants SET tenant_id = '{ida}' WHERE role_name = '{ra}'",
        "login {ra}",
    ),
    "probe_large_object": (
        "trading",
        "SELECT lo_from_bytea(424242, 'x'); ALTER LARGE OBJECT 424242 OWNER TO {rb};"
        "GRANT SELECT ON LARGE OBJECT 424242 TO {ra}; GRANT EXECUTE ON FUNCTION lo_get(oid, bigint, integer) TO {ra}",
        "SELECT lo_unlink(424242); REVOKE EXECUTE ON FUNCTION lo_get(oid, bigint, integer) FROM {ra}",
        "large object 424242",
    ),
    "probe_lock": ("trading", *right("SELECT", "positions"), "table {sb}.positions"),
    "probe_map": (
        "saas", "GRANT DELETE ON tenancy.role_tenants TO {ra}", "REVOKE DELETE ON tenancy.role_tenants FROM {ra}",
        "login {ra}",
    ),
    "probe_plan_setting": (
        "trading", "ALTER ROLE {ra} SET statement_timeout = '9h'", None, "setting statement_timeout of login {ra}",
    ),
    "probe_pool": (
        "saas", "ALTER ROLE {ra} SET app.current_tenant_id = 'probe'", "ALTER ROLE {ra} RESET app.current_tenant_id",
        "login {ra}",
    ),
    "probe_power_role": ("trading", *member("pg_monitor"), "login {ra}"),
    "probe_read": ("trading", *right("SELECT (name)", "portfolios"), "table {sb}.portfolios"),
    "probe_readonly_write": (
        "saas", "GRANT DELETE ON saas.items TO {ro}", "REVOKE DELETE ON saas.items FROM {ro}", "table saas.items",
    ),
    "probe_reference": ("trading", *right("REFERENCES", "portfolios"), "table {sb}.portfolios"),
    "probe_role": ("trading", *member("{rb}"), "role {rb}"),
    "probe_role_change": ("trading", "GRANT {rb} TO {ra} WITH ADMIN OPTION", "REVOKE {rb} FROM {ra}", "role {rb}"),
    "probe_row_security_off": ("saas", UNSAFE_LEVEL, SAFE_LEVEL, "table saas.users"),
    "probe_sequence": (
        "trading", "CREATE SEQUENCE {sb}.numbers; GRANT USAGE ON SEQUENCE {sb}.numbers TO {ra}",
        "DROP SEQUENCE {sb}.numbers", "sequence {sb}.numbers",
    ),
    "probe_server_control": ("trading", *member("pg_signal_backend"), "login {ra}"),
    "probe_server_files": ("trading", *member("pg_write_server_files"), "login {ra}"),
    "probe_server_objects": (
        "trading", "GRANT CREATE ON DATABASE tenantry TO {ra}", "REVOKE CREATE ON DATABASE tenantry FROM {ra}",
        "login {ra}",
    ),
    "probe_server_setting": (
        "trading", "GRANT SET ON PARAMETER session_replication_role TO {ra}",
        "REVOKE SET ON PARAMETER session_replication_role FROM {ra}", "login {ra}",
    ),
    "probe_shared_forged": ("saas", *policy("USING (true)"), "table saas.users"),
    "probe_shared_key": (
        "saas", "CREATE UNIQUE INDEX everywhere ON saas.users (id)", "DROP INDEX saas.everywhere", "table saas.users",
    ),
    "probe_shared_leaky": ("saas", *policy("USING (true)"), "table saas.users"),
    "probe_shared_partition": (
        "saas", "GRANT SELECT ON saas.audit_log_default TO {ra}", "REVOKE SELECT ON saas.audit_log_default FROM {ra}",
        "table saas.audit_log_default",
    ),
    "probe_shared_plant": ("saas", *policy("WITH CHECK (true)"), "table saas.users"),
    "probe_shared_read": (
        "saas", *policy("USING (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid)"),
        "table saas.users",
    ),
    "probe_shared_shadow": (
        "saas", WHO_FUNCTION + policy("USING (tenant_id = saas.who())")[0],
        policy("")[1] + "; DROP FUNCTION saas.who(); REVOKE TEMPORARY ON DATABASE tenantry FROM {ra}",
        "table saas.users",
    ),
    "probe_shared_table_rights": (
        "saas", "GRANT TRUNCATE ON saas.items TO {ra}", "REVOKE TRUNCATE ON saas.items FROM {ra}", "table saas.items",
    ),
    "probe_statistics": (
        "trading", right("SELECT", "portfolios")[0] + "; ANALYZE {sb}.portfolios", right("SELECT", "portfolios")[1],
        "table {sb}.portfolios",
    ),
    "probe_truncate": ("trading", *right("TRUNCATE", "portfolios"), "table {sb}.portfolios"),
    "probe_type": ("trading", IN, OUT, "type {sb}.amount"),
    "probe_view_over": (
        "trading", IN + "GRANT CREATE ON SCHEMA {sa} TO {ra}", OUT + "REVOKE CREATE ON SCHEMA {sa} FROM {ra}",
        "table {sb}.portfolios",
    ),
    "probe_write": ("trading", *right("UPDATE (name, id)", "portfolios"), "table {sb}.portfolios"),
}


def names(blueprint):
    server = shared_server()
    a, b = tenants()[blueprint + "1"], tenants()[blueprint + "2"]
    owner = server.psql("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = '%s'" % b["schema"])
    guard = server.psql("SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = 'tenant_guard'"
                        " AND polrelid = 'tenantry.guard'::regclass")
    return {"sa": a["schema"], "sb": b["schema"], "ra": a["app_role"], "ro": a["readonly_role"], "rb": b["app_role"],
            "ob": owner, "ida": a["id"], "idb": b["id"], "guard": "(%s)" % guard}


def open_view(view):
    """Broken and mended: a view of extended statistics as it was before CVE-2024-4317, with statistics of the neighbour's."""
    change = "DO $do$ BEGIN EXECUTE (SELECT 'CREATE OR REPLACE VIEW pg_catalog.%s WITH (security_barrier) AS '" % view
    told = " || replace(pg_get_viewdef('pg_catalog." + view + "'::regclass), '%s', '%s')); END $do$;"
    return ("CREATE STATISTICS {sb}.st ON (upper(name)) FROM {sb}.portfolios; ANALYZE {sb}.portfolios;"
            + change + told % ("WHERE (pg_has_role(", "WHERE (true OR pg_has_role("),
            "DROP STATISTICS {sb}.st;" + change + told % ("WHERE (true OR (pg_has_role(", "WHERE ((pg_has_role("))


# The same in another way.
MORE = [
    ("probe_statistics", ("trading", *open_view("pg_stats_ext"), "login {ra}")),
    ("probe_statistics", ("trading", *open_view("pg_stats_ext_exprs"), "login {ra}")),
    ("probe_sequence", ("trading", "GRANT USAGE ON SEQUENCE tenantry.jobs_id_seq TO {ra}",
                        "REVOKE USAGE ON SEQUENCE tenantry.jobs_id_seq FROM {ra}", "sequence tenantry.jobs_id_seq")),
    ("probe_sequence", ("saas", "CREATE SEQUENCE saas.numbers; GRANT UPDATE ON SEQUENCE saas.numbers TO {ra}",
                        "DROP SEQUENCE saas.numbers", "sequence saas.numbers")),
    ("probe_server_control", ("trading", "CREATE EXTENSION dblink SCHEMA tenantry_ext", "DROP EXTENSION dblink", "login {ra}")),
    ("probe_server_objects", ("trading", "ALTER TYPE pg_catalog.uuid OWNER TO {ra}",
                              "ALTER TYPE pg_catalog.uuid OWNER TO postgres", "login {ra}")),
]


def check_broken(name, case):
    blueprint, break_it, mend_it, where = case
    words, server = names(blueprint), shared_server()
    server.psql(break_it.format(**words), server.superuser)
    try:
        answer = found(blueprint + "1")
        key = (name, where.format(**words))
        assert key in answer, "%s not in %s" % (key, sorted(answer))
        mend_it = mend_it or answer[key]["mend"]
        others = [f for f in found(blueprint + "2").values() if f["check"] == name]
        assert words["ra"] not in str(others) or name.startswith("probe_shared"), others
    finally:
        server.psql((mend_it or "").format(**words), server.superuser)


def test_every_probe_has_a_tenant_that_is_broken_for_it():
    text = open(os.path.join(os.path.dirname(__file__), "../../src/isolation/probes.def"), encoding="utf-8").read()
    probes = [line.split('"')[1] for line in text.splitlines() if line.startswith("PROBE(")]
    assert probes == sorted(probes) and set(probes) == set(BROKEN), set(probes) ^ set(BROKEN)


def test_packs_in_both_tiers_give_no_finding():
    with harness.Server() as server:
        server.up()
        for blueprint in server.tenantry("blueprint", "list")["blueprints"]:
            name = blueprint["name"]
            for tier in server.tenantry("blueprint", "show", name)["tiers"]:
                for number in "12":
                    server.create("%s-%s-%s" % (name, tier, number), name, "--tier", tier)
        for options in ((), ("all=1",), ("seed=7",), ("pairs=3",)):
            answer = probe(*options, server=server)
            assert answer["findings"] == [] and answer["unchecked"] == [], answer
            assert answer["probes"] > 100


def test_every_probe_reports_its_broken_tenant():
    failures = {}
    for name, case in [*BROKEN.items(), *MORE]:
        try:
            check_broken(name, case)
        except AssertionError as e:
            failures[name] = str(e)[:1000]
    assert not failures, "\n".join("%s: %s" % item for item in failures.items())


def test_the_clean_twins_are_clean_again():
    answer = probe("all=1")
    assert answer["findings"] == [], answer["findings"]


# All that a probe could leave, each with what it counts; sequences by what was drawn from them.
LEFT = """
SELECT 'relations', count(*) FROM pg_class UNION ALL SELECT 'functions', count(*) FROM pg_proc
UNION ALL SELECT 'types', count(*) FROM pg_type UNION ALL SELECT 'schemas', count(*) FROM pg_namespace
UNION ALL SELECT 'roles', count(*) FROM pg_roles UNION ALL SELECT 'settings', count(*) FROM pg_db_role_setting
UNION ALL SELECT 'members', count(*) FROM pg_auth_members UNION ALL SELECT 'policies', count(*) FROM pg_policy
UNION ALL SELECT 'large objects', count(*) FROM pg_largeobject_metadata
UNION ALL SELECT 'rights', sum(hashtext(relacl::text)) FROM pg_class
UNION ALL SELECT 'drawn', sum(last_value) FROM pg_sequences WHERE schemaname <> 'tenantry'
UNION ALL SELECT 'rows of ' || s || t, (xpath('/row/c/text()', query_to_xml(format(
    'SELECT count(*) AS c FROM %I.%I', s, t), false, true, '')))[1]::text::bigint
  FROM (SELECT schemaname, tablename FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema')) x (s, t)
ORDER BY 1
"""


def test_nothing_is_left_of_a_run():
    tenants()
    server = shared_server()
    before = server.psql(LEFT, server.superuser)
    probe("all=1")
    assert server.psql(LEFT, server.superuser) == before
    roles = ",".join("'%s'" % t[k] for t in tenants().values() for k in ("app_role", "readonly_role"))
    held = "SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE a.usename IN (%s)" % roles
    assert server.psql(held, server.superuser) == "0"


def test_nothing_is_left_when_the_tenant_could_do_everything():
    """The neighbour's role with ADMIN OPTION: what is refused elsewhere succeeds here, and is rolled back."""
    server, words = shared_server(), names("trading")
    everything = "GRANT {rb}, {ob} TO {ra} WITH ADMIN OPTION; GRANT CREATE ON DATABASE tenantry TO {ra}"
    server.psql(everything.format(**words), server.superuser)
    try:
        before = server.psql(LEFT, server.superuser)
        assert ("probe_truncate", "table %s.portfolios" % words["sb"]) in found("trading1")
        assert server.psql(LEFT, server.superuser) == before
    finally:
        server.psql("REVOKE {rb}, {ob} FROM {ra}; REVOKE CREATE ON DATABASE tenantry FROM {ra}".format(**words),
                    server.superuser)


def test_the_neighbours_values_are_in_no_log():
    tenants()
    server = shared_server()
    with open(os.path.join(server.data_dir, "server.log"), encoding="utf-8") as f:
        assert SECRET not in f.read()


def test_refusals_are_not_written_to_the_servers_log():
    tenants()
    path = os.path.join(shared_server().data_dir, "server.log")
    before = os.path.getsize(path)
    probe()
    with open(path, encoding="utf-8") as f:
        f.seek(before)
        assert "permission denied" not in f.read()


def test_a_locked_table_of_a_neighbour_is_not_waited_for():
    """A neighbour that works, with a transaction open, is not disturbed and does not disturb."""
    schema = tenants()["trading2"]["schema"]
    with harness.Session(shared_server().superuser) as session:
        session.ask("BEGIN; LOCK TABLE %s.portfolios, saas.users IN ACCESS EXCLUSIVE MODE;" % schema)
        answer = probe("tenant=" + tenants()["trading1"]["id"])
        assert answer["findings"] == [] and answer["unchecked"] == [], answer
        session.ask("ROLLBACK;")


# A wait for somebody else, at just those moments: the first tenant's session waits for a third one, while the second's has
# rows of the table in its transaction.
WAIT_FOR_ANOTHER = """
CREATE FUNCTION saas.wait() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = '{ra}' AND EXISTS (
        SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE a.usename = '{rb}' AND l.relation = TG_RELID AND l.mode = 'RowExclusiveLock') THEN
        PERFORM pg_advisory_xact_lock(4711);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER wait BEFORE INSERT ON saas.users FOR EACH ROW EXECUTE FUNCTION saas.wait()
"""


def of_keys(answer, what):
    return [entry for entry in answer[what] if entry["check"] == "probe_shared_key"]


def test_a_wait_for_another_than_the_neighbour_is_no_finding():
    server = shared_server()
    server.psql(WAIT_FOR_ANOTHER.format(**names("saas")), server.superuser)
    try:
        with harness.Session(server.superuser) as session:
            session.ask("SELECT pg_advisory_lock(4711);")
            answer = probe("tenant=" + tenants()["saas1"]["id"])
            assert of_keys(answer, "findings") == [], answer
            assert ["table saas.users" in u["reason"] for u in of_keys(answer, "unchecked")] == [True], answer
        answer = probe("tenant=" + tenants()["saas1"]["id"])
        assert of_keys(answer, "findings") == of_keys(answer, "unchecked") == [], answer
    finally:
        server.psql("DROP FUNCTION saas.wait() CASCADE", server.superuser)


def test_runs_beside_each_other_find_nothing_in_each_other():
    """Each holds rows that the other's sessions want to make."""
    tenants()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: probe("all=1", "seed=%d" % number), range(16)))
    assert [of_keys(answer, "findings") for answer in answers] == [[]] * len(answers)


def test_what_could_not_be_tried_is_said():
    server, tenant = shared_server(), tenants()["saas1"]
    server.tenantry("tenant", "suspend", "saas1")
    try:
        answer = probe("tenant=" + tenant["id"])
        assert [u["reason"] for u in answer["unchecked"]] == ['tenant "saas1" is suspended: its logins are shut']
    finally:
        server.tenantry("tenant", "resume", "saas1")
    server.psql("ALTER ROLE %s PASSWORD 'another'" % tenant["readonly_role"], server.superuser)
    answer = probe("tenant=" + tenant["id"])
    assert len(answer["unchecked"]) == 1 and answer["probes"] > 50, answer
    assert "login %s: cannot connect" % tenant["readonly_role"] in answer["unchecked"][0]["reason"]
    server.tenantry("tenant", "rotate", "saas1")
    server.psql("ALTER ROLE %s PASSWORD 'another'" % tenants()["saas2"]["app_role"], server.superuser)
    answer = probe("tenant=" + tenant["id"])
    assert [u["check"] for u in answer["unchecked"]] == ["probe_shared_key"] and answer["probes"] > 200, answer
    assert 'neighbour "saas2": cannot connect' in answer["unchecked"][0]["reason"]
    server.tenantry("tenant", "rotate", "saas2")
    assert probe("tenant=" + tenant["id"])["unchecked"] == []


# What a tenant may do to its own login, so that a session of it ends or never begins.
HIDING = ["exit_on_error = on", "idle_session_timeout = '1ms'", "statement_timeout = '1ms'",
          "local_preload_libraries = 'not_there'", "default_transaction_read_only = on"]


def test_settings_of_its_own_keep_no_login_from_trying():
    server, tenant = shared_server(), tenants()["trading1"]
    for setting in HIDING:
        for role in (tenant["app_role"], tenant["readonly_role"]):
            server.psql("ALTER ROLE %s SET %s" % (role, setting), server.superuser)
        try:
            answer = probe("tenant=" + tenant["id"])
            assert answer["unchecked"] == [] and answer["probes"] > 200, (setting, answer)
            # What the plan says is compared with what sessions begin with all the same.
            assert {f["check"] for f in answer["findings"]} <= {"probe_plan_setting"}, (setting, answer)
            assert bool(answer["findings"]) == setting.startswith("statement_timeout"), (setting, answer)
        finally:
            for role in (tenant["app_role"], tenant["readonly_role"]):
                server.psql("ALTER ROLE %s RESET %s" % (role, setting.split()[0]), server.superuser)
        for finding in answer["findings"]:
            server.psql(finding["mend"], server.superuser)
        assert probe("tenant=" + tenant["id"])["findings"] == []


def test_a_tenant_without_a_neighbour_is_said():
    with harness.Server() as server:
        server.up()
        server.create("alone", "saas")
        answer = probe(server=server)
        assert [u["reason"] for u in answer["unchecked"]] == ['tenant "alone" has no neighbour'], answer
        assert answer["findings"] == []


def test_a_pause_is_made_between_attempts_and_changes_nothing():
    answer = probe("pairs=1", "pause=1")
    assert answer["findings"] == [] and answer["took_us"] >= answer["probes"] * 500, answer


POOLER = """[databases]
tenantry = host={host} port={port}
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = {folder}
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 1
logfile = {folder}/log
"""


@contextlib.contextmanager
def pooler(*logins):
    """PgBouncer with one connection for each login, given on after each transaction; gives the logins' new addresses."""
    program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin") or harness.skip("no PgBouncer")
    parsed = [urllib.parse.urlsplit(login) for login in logins]
    options = urllib.parse.parse_qs(parsed[0].query)
    server = shared_server()
    with harness.temporary_folder() as folder:
        host = options.get("host", [os.path.join(server.data_dir, "run")])[0]
        port = options.get("port", [parsed[0].port or 5432])[0]
        with open(os.path.join(folder, "ini"), "w", encoding="utf-8") as f:
            f.write(POOLER.format(folder=folder, host=host, port=port))
        with open(os.path.join(folder, "users"), "w", encoding="utf-8") as f:
            f.writelines('"%s" "%s"\n' % (p.username, urllib.parse.unquote(p.password)) for p in parsed)
        argv = [program, os.path.join(folder, "ini")]
        if os.geteuid() == 0:  # it does not work as root
            shutil.chown(folder, "postgres")
            argv[1:1] = ["-u", pwd.getpwnam("postgres").pw_name]
        child = subprocess.Popen(argv, env=harness.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not os.path.exists(os.path.join(folder, ".s.PGSQL.6432")):
                assert child.poll() is None, "PgBouncer ended"
                time.sleep(harness.POLL_S)
            yield ["host='%s' port=6432 dbname=tenantry user=%s password='%s'"
                   % (folder, p.username, urllib.parse.unquote(p.password)) for p in parsed]
        finally:
            child.terminate()
            child.wait(harness.EXIT_TIMEOUT_S)


# What a client of a transaction pool may leave on the connection, where nothing resets it.
LEAVE = """SET app.current_tenant_id = '{other}';
SET search_path = pg_catalog;
PREPARE left_behind AS SELECT count(*) FROM saas.users;
DECLARE held CURSOR WITH HOLD FOR SELECT count(*) FROM saas.users;"""
LEFTOVERS = ("SELECT concat_ws(' ', (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_cursors"
             " WHERE name = 'held'), coalesce(nullif(current_setting('app.current_tenant_id', true), ''), 'none'));")
PID = "SELECT pg_backend_pid();"


@functools.lru_cache(maxsize=None)
def pair():
    """Two tenants of the row tier whose passwords nobody changed."""
    tenants()
    made = []
    for number in "12":
        tenant = shared_server().create("paired" + number, "saas")
        tenant["app_role"] = tenant["connections"][0]["role"]
        shared_server().psql("INSERT INTO users (email) VALUES ('%s.%s@example.org')" % (SECRET, number), tenant["app"])
        made.append(tenant)
    return tuple(made)


def test_what_is_left_on_a_pooled_connection_reaches_no_neighbour():
    one, two = pair()
    rows = {t["id"]: shared_server().psql("SELECT count(*) FROM saas.users", t["app"]) for t in (one, two)}
    assert rows[two["id"]] != "0"
    with pooler(one["app"], two["app"]) as (first, second):
        with harness.Session(first) as session:
            pid = session.ask(PID)
            for line in LEAVE.format(other=two["id"]).splitlines():
                assert session.ask(line) == "", line
        # The neighbour has a connection of its own: pools are by login.
        with harness.Session(second) as session:
            assert session.ask(PID) != pid
            assert session.ask(LEFTOVERS) == "0 0 none"
            assert session.ask("SELECT count(*) FROM saas.users;") == rows[two["id"]]
            assert "does not exist" in session.ask("EXECUTE left_behind;")
        # The next client of the same login has the connection, with all that was left. It only narrows.
        with harness.Session(first) as session:
            assert session.ask(PID) == pid
            assert session.ask(LEFTOVERS) == "1 1 %s" % two["id"]
            assert session.ask("EXECUTE left_behind;") == "0"
            assert session.ask("FETCH held;") == "0"
            session.ask("RESET app.current_tenant_id;")
            assert session.ask("EXECUTE left_behind;") == rows[one["id"]]


def test_what_probes_try_holds_through_a_pool_too():
    one, two = pair()
    with pooler(one["app"], two["app"]) as (first, second):
        for login, own, other in ((first, one, two), (second, two, one)):
            words = {"role": other["app_role"], "id": other["id"]}
            harness.refused_sql(login, "SET ROLE {role}".format(**words), "permission denied")
            harness.refused_sql(login, "SET SESSION AUTHORIZATION {role}".format(**words), "permission denied")
            forged = "BEGIN; SET LOCAL app.current_tenant_id = '{id}'; SELECT count(*) FROM saas.users; COMMIT".format(**words)
            assert harness.psql(login, forged) == "0"
            harness.refused_sql(login, "SET row_security = off; SELECT FROM saas.users", "row-level security")
            harness.psql(login, "RESET ALL")
            assert harness.psql(login, "SELECT tenancy.current_tenant()") == own["id"]


# What one session does and keeps open, and what the neighbour's then does. A wait ends in SQLSTATE 55P03.
USER = "'00000000-0000-4000-8000-0000000000aa'"
KEYS = [
    ("INSERT INTO users (id, email) VALUES ({u}, 'key@example.org')", "INSERT INTO users (email) VALUES ('key@example.org')"),
    ("INSERT INTO users (id, email) VALUES ({u}, 'one@example.org')",
     "INSERT INTO users (id, email) VALUES ({u}, 'two@example.org')"),
    ("INSERT INTO tenant_metrics (date) VALUES ('2026-01-01')", "INSERT INTO tenant_metrics (date) VALUES ('2026-01-01')"),
]


def told(holder, prober, hold, ask):
    """SQLSTATEs of the statement before the neighbour has the key, while it holds it uncommitted, and afterwards."""
    states = []
    with harness.Session(holder) as one, harness.Session(prober) as two:
        two.ask("SET lock_timeout = '200ms';")

        def attempt():
            two.ask("BEGIN;")
            two.ask(ask.format(u=USER) + ";")
            states.append(two.ask("\\echo :LAST_ERROR_SQLSTATE :SQLSTATE"))
            two.ask("ROLLBACK;")
        attempt()
        assert one.ask("BEGIN; " + hold.format(u=USER) + ";") == ""
        attempt()
        one.ask("COMMIT;")
        attempt()
    return [state.split()[-1] for state in states]


def forget(tenant):
    shared_server().psql("DELETE FROM users WHERE id = %s OR email LIKE '%%@example.org' AND email NOT LIKE '%s%%';"
                         " DELETE FROM tenant_metrics WHERE date = '2026-01-01'" % (USER, SECRET), tenant["app"])


def test_a_key_of_a_neighbour_is_neither_waited_for_nor_told():
    one, two = pair()
    for hold, ask in KEYS:
        try:
            states = told(one["app"], two["app"], hold, ask)
            assert states == ["00000"] * 3, (ask, states)
        finally:
            forget(one)
    # A reference to a row of the neighbour's is refused alike, whether the row is there, is being made, or is not.
    refer = "INSERT INTO items (title, owner_id) VALUES ('of another', {u})"
    try:
        states = told(one["app"], two["app"], KEYS[1][0], refer)
        assert len(set(states)) == 1 and states[0] == "23503", states
    finally:
        forget(one)


def test_a_key_without_the_tenant_is_waited_for_and_told():
    """The broken twin: what the test above would see, and the rule sees."""
    server, one, two = (shared_server(), *pair())
    server.psql("CREATE UNIQUE INDEX everywhere ON saas.users (email)", server.superuser)
    try:
        assert told(one["app"], two["app"], *KEYS[0]) == ["00000", "55P03", "23505"]
        answer = server.tenantry("isolation", "verify", "paired1", "--rules-only", "--json", json=False, expect=76).json()
        assert [f["check"] for f in answer["findings"]] == ["unique_without_tenant"], answer["findings"]
    finally:
        server.psql("DROP INDEX saas.everywhere", server.superuser)
        forget(one)


if __name__ == "__main__":
    harness.main()
