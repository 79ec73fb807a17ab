"""A small fleet of both tiers, and what its tenants can really do to each other, found out by trying.

Two tenants of the schema tier (a, b) with their own places, two of the row tier (x, y) in one shared place (p). Each has
another number of rows in every table, a power of two, so that the number of rows which a statement changed says whose
they were; and each row has values by which it is recognised wherever it turns up."""
import os
import re

import harness

PLANS = "plans:\n  one: {title: One, default: true, limits: {max_connections: 10}}\n"
BLUEPRINTS = {
    "notes": ("schema", """
CREATE TABLE notes (id bigint PRIMARY KEY, v text NOT NULL);
CREATE TABLE bills (id bigint PRIMARY KEY, v text NOT NULL);
CREATE SEQUENCE numbers;
CREATE VIEW noted AS SELECT id, v FROM notes;
CREATE FUNCTION counted() RETURNS text LANGUAGE sql AS 'SELECT count(*)::text FROM notes';
"""),
    "pool": ("row", """
CREATE TABLE users (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), id bigint NOT NULL, v text NOT NULL,
    PRIMARY KEY (tenant_id, id));
CREATE TABLE items (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), id bigint NOT NULL, v text NOT NULL,
    PRIMARY KEY (tenant_id, id));
CREATE VIEW named WITH (security_invoker = true) AS SELECT tenant_id, id, v FROM users;
CREATE FUNCTION counted() RETURNS text LANGUAGE sql AS 'SELECT count(*)::text FROM users';
"""),
}
TENANTS = {"a": "notes", "b": "notes", "x": "pool", "y": "pool"}
ROWS = {"a": 1, "b": 2, "x": 4, "y": 8}
FREE = ["free_one", "free_two", "free_three"]  # roles of nobody, to lie between
PREDEFINED = ["pg_execute_server_program", "pg_monitor", "pg_read_all_data", "pg_read_server_files",
              "pg_signal_backend", "pg_write_all_data"]
CONTROL = ("tenantry", "tenantry_audit", "tenancy")


def canary(tenant, number=0):
    """The values of a row of the tenant's: id and text."""
    return 7000 + 100 * "abxy".index(tenant) + number, "canary-" + tenant


def rows_sql(table, tenant, columns=""):
    """Puts the tenant's rows into a table."""
    values = ", ".join("(%d, '%s')" % canary(tenant, n) for n in range(ROWS[tenant]))
    return "INSERT INTO %s %s VALUES %s;" % (table, columns or "(id, v)", values)


class Fleet:
    """The server, and what roles and schemas of the tenants are called."""

    def __init__(self, server, folder):
        self.server = server
        self.ids, self.uris, self.logins, self.places = {}, {}, {}, {}
        for name, (tier, sql) in BLUEPRINTS.items():
            self._add_blueprint("%s/%s" % (folder, name), name, tier, sql)
        for slug, blueprint in TENANTS.items():
            self._create(slug, blueprint)
        self.tenants_role, self.audit_role = self.ask(
            "SELECT tenants_role, audit_role FROM tenantry.installation").split("|")
        self.control_role = "tenantry"
        self.admin = harness.Session(server.superuser)
        self.change("".join("CREATE ROLE %s;" % role for role in FREE))
        self.kinds = {role: kind for place in self.places.values() for kind, role in place.items() if kind != "schema"}

    def _add_blueprint(self, folder, name, tier, sql):
        os.makedirs(folder + "/migrations")
        with open(folder + "/blueprint.yaml", "w", encoding="utf-8") as f:
            f.write("name: %s\ntitle: %s\ntiers: [%s]\n%s" % (name, name, tier, PLANS))
        with open(folder + "/migrations/V0001__tables.sql", "w", encoding="utf-8") as f:
            f.write(sql)
        self.server.tenantry("blueprint", "add", folder)

    def _create(self, slug, blueprint):
        tenant = self.server.create(slug + "1", blueprint)
        schema = self.server.tenantry("tenant", "show", slug + "1")["schema"]
        self.ids[slug] = tenant["id"]
        for connection in tenant["connections"]:
            login = slug + ("_app" if connection["login"] == "app" else "_ro")
            self.logins[login] = connection["role"]
            self.uris[login] = connection["uri"]
        owner, app, readonly = self.ask("SELECT owner_role, app_role, readonly_role FROM tenantry.places"
                                        " WHERE schema_name = '%s'" % schema).split("|")
        self.places["p" if blueprint == "pool" else slug] = {
            "schema": schema, "owner": owner, "app": app, "ro": readonly}
        tables = re.findall(r"CREATE TABLE (\w+)", BLUEPRINTS[blueprint][1])
        harness.psql(tenant["app"], "".join(rows_sql(table, slug) for table in tables))

    def ask(self, sql):
        return harness.psql(self.server.superuser, sql)

    def change(self, sql):
        """Runs SQL as a superuser in one transaction; what the server has against it, or None."""
        answer = self.admin.ask("BEGIN; %s; COMMIT;" % sql)
        if "ERROR" in answer:
            self.admin.ask("ROLLBACK;")
            return answer
        return None

    def must_change(self, sql):
        answer = self.change(sql)
        assert answer is None, "%s: %s" % (sql, answer)

    def roles(self):
        """Every role that an act may name: what the test calls it, and what the server does."""
        found = {"%s_%s" % (place, kind): names[kind]
                 for place, names in self.places.items() for kind in ("owner", "app", "ro")}
        found.update(self.logins)
        found.update(tenants=self.tenants_role, audit=self.audit_role, control=self.control_role)
        return {**found, **{role: role for role in FREE + PREDEFINED}}

    def schema(self, place):
        return self.places[place]["schema"]

    def is_in(self, tenant, text):
        """Whether values of a row of the tenant's are in the text."""
        numbers = r"(?<![\w-])7%d\d\d(?![\w-])" % "abxy".index(tenant)  # not four digits of a uuid
        return canary(tenant)[1] in text or self.ids[tenant] in text or re.search(numbers, text) is not None

    def verify(self, *args):
        result = self.server.tenantry("isolation", "verify", "--rules-only", *args, expect=None)
        return result.json()


# --- trying -------------------------------------------------------------------------------------

# As the login: which roles it can become (SET ROLE, or by passing a membership on to itself, from whatever role), and
# each attempt as each of them. Everything is rolled back at once. Kind r gives a text, w a number of rows.
TRY = """
SET default_transaction_read_only = off; -- a reader's session starts with on, and anybody may change that
DO $try$
DECLARE
    me text := session_user;
    ways text[] := ARRAY['SET LOCAL ROLE NONE'];
    names text[] := ARRAY[session_user::text];
    candidates text[] := ARRAY[%(roles)s];
    i int := 1;
    candidate text; way text; step text; attempt record; answer text; found bigint;
BEGIN
    WHILE i <= array_length(ways, 1) LOOP
        FOREACH candidate IN ARRAY candidates LOOP
            FOREACH step IN ARRAY ARRAY['', format('; GRANT %%I TO %%I', candidate, me)] LOOP
                CONTINUE WHEN candidate = ANY (names);
                way := ways[i] || step || format('; SET LOCAL ROLE NONE; SET LOCAL ROLE %%I', candidate);
                BEGIN
                    EXECUTE way;
                    RAISE EXCEPTION USING ERRCODE = 'ZZ001';
                EXCEPTION
                    WHEN SQLSTATE 'ZZ001' THEN names := names || candidate; ways := ways || way;
                    WHEN OTHERS THEN NULL;
                END;
            END LOOP;
        END LOOP;
        i := i + 1;
    END LOOP;
    FOR i IN 1 .. array_length(ways, 1) LOOP
        FOR attempt IN SELECT * FROM (VALUES %(attempts)s) v (number, kind, before, sql) LOOP
            BEGIN
                EXECUTE ways[i];
                EXECUTE attempt.before;
                answer := NULL;
                IF attempt.kind IN ('r', 'c') THEN
                    EXECUTE attempt.sql INTO answer;
                ELSE
                    EXECUTE attempt.sql;
                    GET DIAGNOSTICS found = ROW_COUNT;
                    answer := found::text;
                END IF;
                RAISE EXCEPTION USING ERRCODE = 'ZZ001', MESSAGE = coalesce(answer, '');
            EXCEPTION
                WHEN OTHERS THEN
                    IF SQLSTATE NOT IN ('42501', '42P01') OR attempt.kind = 'c' THEN
                        RAISE NOTICE 'TRIED|%%|%%|%%|%%', names[i], attempt.number, SQLSTATE, SQLERRM;
                    END IF;
            END;
        END LOOP;
    END LOOP;
END $try$;
"""
RIGHT_WAS_THERE = ("23502", "23503", "23505", "23514")  # constraints are looked at after rights


class Leak:
    """What a tenant's login could do to another tenant."""

    def __init__(self, login, role, action, name, victim, beneath=()):
        self.login, self.role, self.action, self.name, self.victim = login, role, action, name, victim
        self.names = {name.rstrip("()"), *beneath}  # the object, and what a view of that name reads

    def __repr__(self):
        return "%s as %s: %s %s of %s" % (self.login, self.role, self.action, self.name, self.victim)


class Attempts:
    """What is tried by one login: statements, and how to judge their outcomes. A judge takes SQLSTATE and what came
    out, and gives the tenants whose data or objects were reached."""

    def __init__(self, fleet, login, things):
        self.fleet, self.login, self.tenant = fleet, login, login[0]
        self.others = [t for t in TENANTS if t != self.tenant]
        self.tried = []
        self.beneath = things["beneath"]
        for place, name, kind, columns in things["relations"]:
            self._relation(place, name, kind, columns)
        for place in fleet.places:
            if place != self.tenant:
                self.add("create", fleet.schema(place), "w", "CREATE TABLE %s.zz (i int)" % fleet.schema(place),
                         self._of_place(place))
        for place, name in things["functions"]:
            self.add("call", name, "c", "SELECT %s::text" % name, self._called(place))
        self._control(things["control"])
        self._server()

    def add(self, action, name, kind, sql, judge, before="SELECT"):
        self.tried.append((action, name, kind, before, sql, judge))

    def _relation(self, place, name, kind, columns):
        if kind == "S":
            if place != self.tenant:
                self.add("draw", name, "r", "SELECT last_value::text FROM %s" % name, self._of_place(place))
                self.add("draw", name, "r", "SELECT nextval('%s')::text" % name, self._of_place(place))
            return
        posing = ["SET LOCAL app.current_tenant_id = '%s'" % self.fleet.ids[t] for t in self.others
                  if place == "p" and TENANTS[t] == "pool"]
        for before in ["SELECT", *posing]:
            for column in columns:
                self.add("read", name, "r", "SELECT string_agg(%s::text, ' ') FROM %s" % (column, name), self._seen, before)
            self.add("change", name, "w", "UPDATE %s SET v = 'x'" % name, self._counted, before)
            self.add("delete", name, "w", "DELETE FROM %s" % name, self._counted, before)
            if place == "p" and kind in "rp" and "tenant_id" in columns:
                for other in self.others:
                    self.add("plant", name, "w", "INSERT INTO %s (tenant_id, id, v) VALUES ('%s', 1, 'x')"
                             % (name, self.fleet.ids[other]), lambda *_, other=other: {other}, before)
        if kind in "rp" and place != self.tenant:
            self._table(place, name)

    def _table(self, place, name):
        for values in ("(id, v) VALUES (1, 'x')", "(v) VALUES ('x')") if place != "p" else ():
            self.add("plant", name, "w", "INSERT INTO %s %s" % (name, values), self._of_place(place))
        self.add("truncate", name, "w", "TRUNCATE %s" % name, self._of_place(place))
        self.add("alter", name, "w", "ALTER TABLE %s DISABLE ROW LEVEL SECURITY" % name, self._of_place(place))

    def _control(self, names):
        for name in names:
            if name != "tenancy.role_tenants":
                self.add("read", name, "r", "SELECT count(*)::text FROM %s" % name, lambda *_: {None})
        for other in self.others:
            self.add("change", "tenancy.role_tenants", "w", "UPDATE tenancy.role_tenants SET tenant_id = '%s'"
                     % self.fleet.ids[other], lambda _, n: {None} if n != "0" else set())
        self.add("read", "tenancy.role_tenants", "r", "SELECT string_agg(role_name || ' ' || tenant_id, ' ')"
                 " FROM tenancy.role_tenants", self._seen)

    def _server(self):
        own = "users" if TENANTS[self.tenant] == "pool" else "notes"
        self.add("read", "server", "w", "COPY %s FROM '/dev/null'" % own, lambda *_: {None})
        self.add("run", "server", "w", "COPY (SELECT 1) TO PROGRAM 'true'", lambda *_: {None})

    def _seen(self, _, text):
        return {t for t in self.others if self.fleet.is_in(t, text)}

    def _counted(self, _, text):
        return {t for t in self.others if int(text) & ROWS[t]}

    def _of_place(self, place):
        tenants = [t for t in self.others if t == place or (place == "p" and TENANTS[t] == "pool")]
        return lambda *_: set(tenants)

    def _called(self, place):
        """Calling another's function is a leak whatever comes of it; one's own is when it brings others' rows."""
        strangers = set() if place == "p" and TENANTS[self.tenant] == "pool" else self._of_place(place)()

        def judge(state, text):
            if state == "42501" and re.search("permission denied for (function|schema)", text):
                return set()
            return self._seen(state, text) | strangers
        return judge

    def run(self):
        """The leaks."""
        rows = ", ".join("(%d, '%s', $q$%s$q$, $q$%s$q$)" % (n, kind, before, sql)
                         for n, (_, _, kind, before, sql, _) in enumerate(self.tried))
        roles = ", ".join("'%s'" % role for role in self.fleet.roles().values())
        result = harness.psql(self.fleet.uris[self.login], TRY % {"roles": roles, "attempts": rows}, expect=None)
        if result.status != 0:
            raise harness.CommandFailed(result.text())
        found = {}
        for role, number, state, text in re.findall(r"TRIED\|(\w+)\|(\d+)\|(\w+)\|(.*)", result.err):
            action, name, _, _, _, judge = self.tried[int(number)]
            if state == "ZZ001" or action == "call" or (action == "plant" and state in RIGHT_WAS_THERE):
                for victim in judge(state, text):
                    found[(role, action, name, victim)] = Leak(self.login, role, action, name, victim,
                                                                      self.beneath.get(name, ()))
        return list(found.values())


def things(fleet):
    """Everything that could be tried: relations and functions of the places, and the control tables."""
    of_schema = {names["schema"]: place for place, names in fleet.places.items()}
    found = {"relations": [], "functions": [], "control": [], "beneath": {}}
    for line in fleet.admin.ask("""
        SELECT concat_ws('|', 'relation', n.nspname, c.relname, c.relkind,
               (SELECT string_agg(a.attname, ' ' ORDER BY a.attnum) FROM pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
           AND n.nspname !~ '^pg_|information_schema' ORDER BY 1;
        SELECT concat_ws('|', 'function', n.nspname, p.proname)
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE p.pronargs = 0 AND p.prorettype = 'text'::regtype AND n.nspname !~ '^pg_|information_schema' ORDER BY 1;
        WITH RECURSIVE direct (reader, relation) AS (
            SELECT w.ev_class, d.refobjid FROM pg_rewrite w
              JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
             WHERE d.refclassid = 'pg_class'::regclass AND w.ev_class >= 16384 AND d.refobjid <> w.ev_class
        ), used (reader, relation) AS (
            SELECT u.reader, u.relation FROM direct u
            UNION SELECT u.reader, d.relation FROM used u JOIN direct d ON d.reader = u.relation
        ) SELECT DISTINCT concat_ws('|', 'beneath', reader::regclass, relation::regclass) FROM used;
        """).splitlines():
        if line.startswith("beneath|"):
            found["beneath"].setdefault(line.split("|")[1], set()).add(line.split("|")[2])
            continue
        what, schema, name, *more = line.split("|")
        full = "%s.%s" % (schema, name)
        if schema in of_schema and what == "relation":
            found["relations"].append((of_schema[schema], full, more[0], more[1].split()))
        elif schema in of_schema:
            found["functions"].append((of_schema[schema], full + "()"))
        elif schema in CONTROL and what == "relation" and more[0] in "rp":
            found["control"].append(full)
    return found


def leaks(fleet):
    """Every login of every tenant tries everything."""
    present = things(fleet)
    return [leak for login in fleet.logins for leak in Attempts(fleet, login, present).run()]


def leaks_with_doors_open(fleet):
    """The same while everybody may use every schema: what rights inside are worth once the way there is open."""
    closed = fleet.admin.ask("SELECT n.nspname FROM pg_namespace n WHERE (n.nspname IN (%s) OR n.nspname LIKE 'tenantry%%')"
                             " AND NOT EXISTS (SELECT FROM aclexplode(n.nspacl) x"
                             " WHERE x.grantee = 0 AND x.privilege_type = 'USAGE');"
                             % ", ".join("'%s'" % fleet.schema(place) for place in fleet.places)).split()
    fleet.must_change("GRANT USAGE ON SCHEMA %s TO PUBLIC" % ", ".join(closed))
    try:
        return leaks(fleet)
    finally:
        fleet.must_change("REVOKE USAGE ON SCHEMA %s FROM PUBLIC" % ", ".join(closed))
