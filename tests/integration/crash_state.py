"""What must hold at any moment, whatever was killed: check_whole(platform).

It reads the registry and the catalogue as the server's superuser, and then logs in as the tenants do. Each rule
below is a query for what breaks it, one text per row; the names of roles and schemas that Tenantry makes for
tenants begin with tenant_ or shared_, except for a shared schema, which can have its blueprint's name."""
import contextlib
import functools
import json
import os
import time

import harness

QUIET_TIMEOUT_S = 30
POLL_S = 0.01

# A table that each blueprint's tenants have, to see that a login reaches its data.
TABLES = {"saas": "users", "trading": "portfolios", "fortress": "accounts", "notes": "notes", "shelves": "boxes"}

LIVING = "('requested', 'provisioning', 'active', 'suspended', 'draining', 'archived')"
PLACED = "('active', 'suspended', 'draining', 'archived')"
MAPPED = "('active', 'suspended', 'draining')"

# Every name that belongs to a tenant or a place: the rest of the registry is compared with these.
OWNED = """
CREATE TEMP VIEW registered_roles AS
    SELECT r.name FROM tenantry.roles r JOIN tenantry.tenants t ON t.id = r.tenant_id WHERE t.state IN %s
    UNION SELECT unnest(ARRAY[owner_role, app_role, readonly_role]) FROM tenantry.places
    UNION SELECT unnest(ARRAY[stem || '_app', stem || '_ro'])::name FROM tenantry.ready_logins;
CREATE TEMP VIEW tenant_roles AS SELECT oid, rolname, rolcanlogin FROM pg_roles WHERE rolname ~ '^(tenant|shared)_';
""" % PLACED

ROWS_OF_NOBODY = """
SELECT format('%I.%I', p.schema_name, c.relname) FROM tenantry.places p
  JOIN pg_namespace n ON n.nspname = p.schema_name
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
 WHERE p.tier = 'row' AND (xpath('//n/text()', query_to_xml(format(
   'SELECT count(*) AS n FROM %I.%I WHERE tenant_id NOT IN (SELECT id FROM tenantry.tenants WHERE state IN {placed})',
   p.schema_name, c.relname), false, true, '')))[1]::text <> '0'
""".replace("{placed}", PLACED.replace("'", "''"))

RULES = {
    "a role of nobody": "SELECT rolname FROM tenant_roles WHERE rolname NOT IN (SELECT name FROM registered_roles)",
    "a role that is gone": "SELECT name FROM registered_roles WHERE name NOT IN (SELECT rolname FROM tenant_roles)",
    "a schema of nobody":
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg|legacy)_' AND nspname NOT IN ('information_schema', 'monitoring',"
        " 'public', 'tenancy', 'tenancy_guards', 'tenancy_kept', 'tenantry', 'tenantry_audit', 'tenantry_ext')"
        " AND nspname NOT IN (SELECT schema_name FROM tenantry.places)",
    "a schema that is gone":
        "SELECT schema_name FROM tenantry.places WHERE schema_name NOT IN (SELECT nspname FROM pg_namespace)",
    "a place of nobody":
        "SELECT p.schema_name FROM tenantry.places p WHERE p.tier = 'schema'"
        " AND NOT EXISTS (SELECT FROM tenantry.spares s WHERE s.place_id = p.id)"
        " AND NOT EXISTS (SELECT FROM tenantry.tenants t WHERE t.place_id = p.id AND t.state IN %s)" % PLACED,
    "a tenant without its place, or a place that it should not have":
        "SELECT slug || ' ' || state FROM tenantry.tenants WHERE (place_id IS NOT NULL) <> (state IN %s)" % PLACED,
    "a state that nobody may see": "SELECT slug FROM tenantry.tenants WHERE state = 'provisioning'",
    "two tenants of one slug":
        "SELECT slug FROM tenantry.tenants WHERE state IN %s GROUP BY slug HAVING count(*) > 1" % LIVING,
    "a reserved slug without a job":
        "SELECT slug FROM tenantry.tenants t WHERE state = 'requested'"
        " AND NOT EXISTS (SELECT FROM tenantry.jobs j WHERE j.tenant_id = t.id AND j.state IN ('running', 'failed'))",
    "registry rows of a tenant that is gone":
        "SELECT x.name FROM (SELECT name, tenant_id FROM tenantry.roles"
        " UNION ALL SELECT role_name, tenant_id FROM tenantry.credentials"
        " UNION ALL SELECT role_name, tenant_id FROM tenancy.role_tenants"
        "  WHERE tenant_id NOT IN (SELECT tenant_id FROM tenantry.spares)) x"
        " WHERE NOT EXISTS (SELECT FROM tenantry.tenants t WHERE t.id = x.tenant_id AND t.state IN %s)" % PLACED,
    "a tenant without exactly its roles":
        "SELECT t.slug FROM tenantry.tenants t WHERE t.state IN %s AND (SELECT string_agg(r.kind, ',' ORDER BY r.kind)"
        " FROM tenantry.roles r WHERE r.tenant_id = t.id) IS DISTINCT FROM"
        " CASE t.tier WHEN 'row' THEN 'app,readonly' ELSE 'app,owner,readonly' END" % PLACED,
    "a login without a credential, or a credential without a login":
        "SELECT r.name FROM tenantry.roles r LEFT JOIN tenantry.credentials c ON c.role_name = r.name"
        " AND c.tenant_id = r.tenant_id WHERE (c.role_name IS NOT NULL) <> (r.kind IN ('app', 'readonly'))",
    "a role that maps to the wrong tenant, or to none":
        "SELECT coalesce(m.role_name, r.name) FROM (SELECT r.* FROM tenantry.roles r JOIN tenantry.tenants t"
        "  ON t.id = r.tenant_id WHERE t.state = 'active' OR t.state IN %s AND t.tier = 'schema') r"
        " FULL JOIN tenancy.role_tenants m ON m.role_name = r.name AND m.tenant_id = r.tenant_id"
        " WHERE (m.role_name IS NULL OR r.name IS NULL)"
        " AND (m.tenant_id IS NULL OR m.tenant_id NOT IN (SELECT tenant_id FROM tenantry.spares))" % MAPPED,
    "a role that may log in, or may not, against its tenant's state":
        "SELECT p.rolname FROM tenant_roles p LEFT JOIN tenantry.roles r ON r.name = p.rolname"
        " LEFT JOIN tenantry.tenants t ON t.id = r.tenant_id"
        " WHERE p.rolcanlogin <> coalesce(t.state = 'active' AND r.kind IN ('app', 'readonly'), false)",
    "a guard that stayed":
        "SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE nspname = 'tenancy_guards'",
    "a membership that Tenantry kept":
        "SELECT g.rolname || ' of ' || m.rolname FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid"
        " JOIN pg_roles m ON m.oid = a.member WHERE g.rolname ~ '^(tenant|shared|tenantry_audit|tenantry_tenants|tenantry_guards)_'"
        " AND (m.rolname !~ '^(tenant|shared)_' OR g.rolname ~ '^tenantry_guards_') AND coalesce((to_jsonb(a)->>'set_option')::boolean, true)",
    "a login made ahead that has a right already":
        "SELECT stem FROM tenantry.ready_logins l JOIN pg_roles r ON r.rolname IN (stem || '_app', stem || '_ro')"
        " JOIN pg_auth_members a ON r.oid IN (a.member, a.roleid)"
        " WHERE coalesce((to_jsonb(a)->>'set_option')::boolean, true)",
    "a spare whose claim and tenant do not agree":
        "SELECT s.tenant_id::text FROM tenantry.spares s LEFT JOIN tenantry.tenants t ON t.id = s.tenant_id"
        " WHERE CASE WHEN s.claimed_at IS NULL THEN t.id IS NOT NULL ELSE t.state IS DISTINCT FROM 'requested' END",
    "a spare whose roles do not map to its tenant":
        "SELECT p.schema_name FROM tenantry.spares s JOIN tenantry.places p ON p.id = s.place_id"
        " WHERE (SELECT array_agg(m.role_name::text ORDER BY m.role_name::text) FROM tenancy.role_tenants m"
        "  WHERE m.tenant_id = s.tenant_id) IS DISTINCT FROM (SELECT array_agg(r ORDER BY r)"
        "  FROM unnest(ARRAY[p.app_role::text, p.owner_role::text, p.readonly_role::text]) r)",
    "a spare that a tenant has, or of a definition that never was":
        "SELECT p.schema_name FROM tenantry.spares s JOIN tenantry.places p ON p.id = s.place_id"
        " WHERE p.tier <> 'schema' OR p.blueprint <> s.blueprint"
        " OR EXISTS (SELECT FROM tenantry.tenants t WHERE t.place_id = p.id)",
    "rows in shared tables that belong to nobody": ROWS_OF_NOBODY,
    "a tenant of the row tier whose roles map to it, or do not, against its state":
        "SELECT t.slug FROM tenantry.tenants t WHERE t.tier = 'row' AND (t.state = 'suspended' OR t.state = 'archived')"
        " AND EXISTS (SELECT FROM tenancy.role_tenants m WHERE m.tenant_id = t.id)",
    "a right that suspending or archiving should have taken, or resuming should have given":
        "SELECT r.name FROM tenantry.tenants t JOIN tenantry.roles r ON r.tenant_id = t.id JOIN tenantry.places p"
        " ON p.id = t.place_id WHERE t.state IN ('active', 'suspended', 'archived') AND t.tier = 'schema' AND r.kind <> 'owner'"
        " AND has_schema_privilege(r.name, p.schema_name, 'USAGE') <> (t.state = 'active')",
    "a place whose ledger does not end at its version":
        "SELECT p.schema_name FROM tenantry.places p WHERE p.version IS DISTINCT FROM"
        " (SELECT max(m.version) FROM tenantry.place_migrations m WHERE m.place_id = p.id)",
    "a job whose steps do not add up":
        "SELECT j.id::text FROM tenantry.jobs j WHERE j.steps_done <> (SELECT count(*) FROM tenantry.job_steps s"
        " WHERE s.job_id = j.id) OR (j.state = 'done') <> (j.steps_done = j.steps_total)",
    "a secret under a key that is no longer used":
        "SELECT c.role_name::text FROM tenantry.credentials c JOIN tenantry.keys k ON k.id = c.key_id"
        " WHERE k.state = 'retired' UNION SELECT l.stem FROM tenantry.ready_logins l"
        " JOIN tenantry.keys k ON k.id = l.key_id WHERE k.state = 'retired' UNION SELECT s.tenant_id::text"
        " FROM tenantry.spares s JOIN tenantry.keys k ON k.id = s.key_id WHERE k.state = 'retired'",
    "not one active key": "SELECT count(*)::text FROM tenantry.keys WHERE state = 'active' HAVING count(*) <> 1",
}

# What holds as soon as nothing is interrupted any more.
RULES_AT_REST = {
    "an interrupted job": "SELECT id || ' ' || operation FROM tenantry.jobs WHERE state = 'running'",
    "a tenant on its way": "SELECT slug FROM tenantry.tenants WHERE state IN ('requested', 'draining')",
    "a key on its way": "SELECT id FROM tenantry.keys WHERE state NOT IN ('active', 'retired')",
    "a blueprint that its shared tables lag behind":
        "SELECT p.blueprint FROM tenantry.places p JOIN tenantry.blueprints b ON b.name = p.blueprint"
        " WHERE p.tier = 'row' AND p.version <> b.version",
}


def admin_conninfo(server):
    """The superuser of an embedded server."""
    return server.conninfo.replace("user=tenantry", "user=postgres")


def broken_rules(conninfo, rules):
    """The rules that do not hold, with what breaks them."""
    parts = ["SELECT '%s', x::text FROM (%s) AS q(x)" % (name.replace("'", "''"), sql) for name, sql in rules.items()]
    found = harness.psql(conninfo, OWNED + "\nUNION ALL\n".join(parts))
    return found.split("\n") if found else []


def wait_until_quiet(server, conninfo=None):
    """After a kill -9 of the program, until its session on the server has noticed and rolled back."""
    end = time.monotonic() + QUIET_TIMEOUT_S
    sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tenantry'"
    while harness.psql(conninfo or admin_conninfo(server), sql) != "0":
        assert time.monotonic() < end, "a session of a killed program stays"
        time.sleep(POLL_S)


def tenants(server, state=None):
    """Tenants by slug; those that are gone only when asked for."""
    args = ["--state", state] if state else []
    return {t["slug"]: t for t in server.tenantry("tenant", "list", *args)["tenants"]}


def interrupted(server):
    return server.tenantry("job", "list", "--state", "interrupted", "--limit", "100000")["jobs"]


def check_logins(server, tenant):
    """Both logins open with what "tenant credentials" prints, and see the tenant's tables."""
    shown = server.tenantry("tenant", "credentials", tenant["slug"])["connections"]
    assert {c["login"] for c in shown} == {"app", "readonly"}, shown
    for connection in shown:
        seen = harness.psql(connection["uri"], "SELECT count(*) >= 0, tenancy.current_tenant() FROM %s" %
                            TABLES.get(tenant["blueprint"], "notes"))
        assert seen == "t|" + tenant["id"], (tenant, seen)


def check_whole(server, at_rest=True, logins=None):
    """Everything that must hold. at_rest: also what a resume or cancel has to bring about. logins: the slugs
    whose logins are tried when they are active; None tries all."""
    rules = {**RULES, **(RULES_AT_REST if at_rest else {})}
    broken = broken_rules(admin_conninfo(server), rules)
    assert not broken, "\n".join(broken)
    assert server.tenantry("audit", "verify")["is_whole"]
    for slug, tenant in tenants(server, "active").items():
        if logins is None or slug in logins:
            check_logins(server, tenant)


def write_blueprint(folder, name, version, tier="row"):
    """A small blueprint with `version` migrations."""
    path = os.path.join(folder, name)
    os.makedirs(os.path.join(path, "migrations"), exist_ok=True)
    with open(os.path.join(path, "blueprint.yaml"), "w", encoding="utf-8") as f:
        f.write("name: %s\ntitle: Notes\ndescription: Notes of many people.\ntiers: [%s]\nplans:\n  basic:\n"
                "    title: Basic\n    description: The only one\n    default: true\n    features: [all]\n"
                "    limits: {max_connections: 5}\n" % (name, tier))
    texts = ["CREATE TABLE boxes (id bigint PRIMARY KEY, what text);\n"] if tier == "schema" else ["CREATE TABLE notes (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), id bigint NOT NULL,"
             " CONSTRAINT notes_pkey PRIMARY KEY (tenant_id, id));\n"]
    texts += ["ALTER TABLE notes ADD COLUMN text_%d text;\n" % n for n in range(2, version + 1)]
    for number, text in enumerate(texts, 1):
        with open(os.path.join(path, "migrations", "V%04d__notes.sql" % number), "w", encoding="utf-8") as f:
            f.write(text)
    return path


@contextlib.contextmanager
def platform():
    """A server that is up, with one tenant of each tier whose rows must never be touched."""
    with harness.Server() as server:
        server.up()
        yield populated(server)


def populated(server):
    for slug, blueprint in (("near", "saas"), ("far", "trading")):
        server.tenantry("tenant", "create", slug, "--blueprint", blueprint)
    return server


@functools.lru_cache(maxsize=None)
def shared_platform():
    """The same, one for all the tests of a file: each ends with nothing interrupted and everything whole."""
    return populated(harness.shared_server())


def trace(path):
    """The fault points that a run with TENANTRY_FAULT_TRACE passed."""
    with contextlib.suppress(FileNotFoundError):
        with open(path, encoding="utf-8") as f:
            return f.read().split()
    return []


def error_code(text):
    """The wire code of an error that a --json run printed."""
    try:
        return json.loads(text)["error"]["code"]
    except ValueError as e:
        raise AssertionError("not the error of a --json run: %r" % text) from e
