"""Random acts that break the isolation of a fleet, or do not: what to do, as a superuser would, and what undoes it."""
from isolation_fleet import FREE, PREDEFINED, TENANTS, rows_sql

OF_TABLE = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
GUARD = ("DROP POLICY IF EXISTS tenant_guard ON {t}; DO $do$ BEGIN EXECUTE (SELECT format('CREATE POLICY tenant_guard ON {t}"
         " AS RESTRICTIVE USING (%s) WITH CHECK (%s)', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))"
         " FROM pg_policy WHERE polrelid = 'tenantry.guard'::regclass AND polname = 'tenant_guard'); END $do$")


class Acts:
    """Draws acts for one seed; what was made by earlier ones takes part in later ones."""

    def __init__(self, fleet, random):
        self.fleet, self.random, self.count = fleet, random, 0
        self.roles = fleet.roles()
        self.tables = [("a", "notes"), ("a", "bills"), ("b", "notes"), ("b", "bills"), ("p", "users"), ("p", "items")]
        self.views = [("a", "noted"), ("b", "noted"), ("p", "named")]
        self.functions = [("a", "counted"), ("b", "counted"), ("p", "counted")]

    KINDS = ["attribute", "control", "defaults", "function", "grant", "grant", "grant", "inherit", "map", "member",
             "member", "member", "next_table", "ownership", "policy", "policy", "schema", "schema", "sequence", "view"]

    def draw(self):
        """(what it is, do, undo); SQL has the names of the test in braces."""
        kind = self.random.choice(self.KINDS)
        do, undo = getattr(self, "_" + kind)()
        return kind, do, undo

    def sql(self, text):
        """With the server's names in the place of {a_app} (a role) and {a} (a schema)."""
        schemas = {place: names["schema"] for place, names in self.fleet.places.items()}
        return text.format(**self.roles, **schemas)

    # --- parts ---

    def _name(self, stem):
        self.count += 1
        return "%s%d" % (stem, self.count)

    def _chance(self, share):
        return self.random.random() < share

    def _stranger(self, place):
        """Whom a place's things are not for: PUBLIC at times."""
        own = {place + "_owner", place + "_app", place + "_ro"}
        others = [r for r in self.roles if r not in own and r not in ("audit", "control") and r not in PREDEFINED]
        logins = [r for r in self.fleet.logins if r not in own and r != place]
        return "PUBLIC" if self._chance(0.1) else "{%s}" % self.random.choice(others + logins + FREE + FREE)

    def _give(self, place, what, who):
        """A grant and its undoing; most of the time with the way into the schema."""
        option = " WITH GRANT OPTION" if who != "PUBLIC" and self._chance(0.15) else ""
        do, undo = "GRANT %s TO %s%s" % (what, who, option), "REVOKE %s FROM %s CASCADE" % (what, who)
        if self._chance(0.6):
            do += "; GRANT USAGE ON SCHEMA {%s} TO %s" % (place, who)
            undo += "; REVOKE USAGE ON SCHEMA {%s} FROM %s CASCADE" % (place, who)
        return do, undo

    # --- acts ---

    def _grant_own(self, place, name):
        """A right that the place's own logins should not have."""
        who, rights = self.random.choice([("app", ["TRUNCATE", "REFERENCES", "TRIGGER"]),
                                          ("ro", ["INSERT", "UPDATE", "DELETE", "TRUNCATE"])])
        what = "%s ON {%s}.%s" % (self.random.choice(rights), place, name)
        return "GRANT %s TO {%s_%s}" % (what, place, who), "REVOKE %s FROM {%s_%s} CASCADE" % (what, place, who)

    def _grant(self):
        place, name = self.random.choice(self.tables + self.tables + self.views)
        if self._chance(0.1):
            return self._grant_own(place, name)
        if self._chance(0.3):
            right = "%s (v)" % self.random.choice(["SELECT", "UPDATE", "INSERT"])
        else:
            right = ", ".join(self.random.sample(OF_TABLE, self.random.randint(1, 2)))
        return self._give(place, "%s ON {%s}.%s" % (right, place, name), self._stranger(place))

    def _schema(self):
        place = self.random.choice(list(self.fleet.places))
        what = "%s ON SCHEMA {%s}" % ("CREATE" if self._chance(0.2) else "USAGE", place)
        return self._give(place, what, self._stranger(place))

    def _sequence(self):
        place = self.random.choice("ab")
        right = self.random.choice(["SELECT", "USAGE", "UPDATE"])
        return self._give(place, "%s ON SEQUENCE {%s}.numbers" % (right, place), self._stranger(place))

    def _function(self):
        """A function over somebody's table, by plain or by dynamic SQL, that works with this or that role's rights."""
        place, target = self.random.choice(list(self.fleet.places)), self._target()
        name = "{%s}.%s()" % (place, self._name("f"))
        body = "SELECT string_agg(v, '' '') FROM %s" % target
        language = self.random.choice(["sql", "plpgsql", "dynamic", "atomic"])
        text = {"sql": "LANGUAGE sql {0} AS '{1}'", "plpgsql": "LANGUAGE plpgsql {0} AS 'BEGIN RETURN ({1}); END'",
                "dynamic": "LANGUAGE plpgsql {0} AS $f$ DECLARE r text; BEGIN EXECUTE '{1}' INTO r; RETURN r; END $f$",
                "atomic": "LANGUAGE sql {0} BEGIN ATOMIC {1}; END"}[language]
        rights = self.random.choice(["SECURITY DEFINER", "SECURITY DEFINER SET search_path = pg_catalog, pg_temp", ""])
        text = text.format(rights, body.replace("''", "'") if language == "atomic" else body)
        owner = self._owner(place)
        do = ["CREATE FUNCTION %s RETURNS text %s" % (name, text), "REVOKE ALL ON FUNCTION %s FROM PUBLIC" % name,
              "ALTER FUNCTION %s OWNER TO %s" % (name, owner)]
        do += ["GRANT EXECUTE ON FUNCTION %s TO %s" % (name, who) for who in self._callers(place)]
        self.functions.append((place, name.split(".")[1][:-2]))
        return "; ".join(do), "DROP FUNCTION %s CASCADE" % name

    def _target(self):
        """A table or view, of an earlier act too."""
        return "{%s}.%s" % self.random.choice(self.tables + self.views)

    def _owner(self, place):
        other = self.random.choice([p for p in self.fleet.places if p != place])
        return self.random.choice(["{%s_owner}" % place] * 3 + ["{%s_owner}" % other, "postgres"])

    def _callers(self, place):
        return ["{%s_app}" % place] + ([self._stranger(place)] if self._chance(0.4) else [])

    def _view(self):
        place, target = self.random.choice(list(self.fleet.places)), self._target()
        name = self._name("v")
        full = "{%s}.%s" % (place, name)
        kind, options = self.random.choice([("VIEW", ""), ("VIEW", " WITH (security_invoker = true)"), ("VIEW", ""),
                                            ("MATERIALIZED VIEW", "")])
        do = ["CREATE %s %s%s AS SELECT id, v FROM %s" % (kind, full, options, target),
              "ALTER %s %s OWNER TO %s" % (kind, full, self._owner(place))]
        do += ["GRANT SELECT, UPDATE, DELETE ON %s TO %s" % (full, who) for who in self._callers(place)]
        self.views.append((place, name))
        return "; ".join(do), "DROP %s %s CASCADE" % (kind, full)

    def _next_table(self):
        """What a migration would make, with rows of everybody whose place it is."""
        place, name = self.random.choice(list(self.fleet.places)), self._name("t")
        full = "{%s}.%s" % (place, name)
        create = ["SET LOCAL ROLE {%s_owner}" % place]
        if place != "p":
            create += ["CREATE TABLE %s (id bigint, v text)" % full, rows_sql(full, place).rstrip(";")]
        elif self._chance(0.3):
            create += ["CREATE TABLE %s (id bigint, v text)" % full]
            # Without a right to write what is in it is no tenant's.
            right = self.random.choice(["", ", INSERT, DELETE", ", INSERT (v)"])
            create += [rows_sql(full, tenant).rstrip(";") for tenant in "xy" if right]
            create += ["GRANT SELECT%s ON %s TO {p_app}" % (right, full)]
        else:
            create += ["CREATE TABLE %s (tenant_id uuid NOT NULL, id bigint, v text)" % full]
            create += [self._shared_rows(full, tenant) for tenant in "xy"]
            create += ["GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO {p_app}" % full]
            if self._chance(0.5):
                create += ["ALTER TABLE %s ENABLE ROW LEVEL SECURITY" % full]
        self.tables.append((place, name))
        return "; ".join(create + ["RESET ROLE"]), "DROP TABLE %s CASCADE" % full

    def _shared_rows(self, table, tenant):
        rows = rows_sql(table, tenant, "(id, v)").rstrip(";").replace("(id, v) VALUES", "(tenant_id, id, v) VALUES")
        return rows.replace("(7", "('%s', 7" % self.fleet.ids[tenant])

    def _defaults(self):
        place = self.random.choice(list(self.fleet.places))
        where = " IN SCHEMA {%s}" % place if self._chance(0.6) else ""
        what = self.random.choice(["SELECT ON TABLES", "INSERT, DELETE ON TABLES", "USAGE ON SEQUENCES",
                                   "EXECUTE ON FUNCTIONS"])
        who = self._stranger(place)
        head = "ALTER DEFAULT PRIVILEGES FOR ROLE {%s_owner}%s " % (place, where)
        return head + "GRANT %s TO %s" % (what, who), head + "REVOKE %s FROM %s" % (what, who)

    def _member(self):
        """Somebody in somebody, at times through two free roles more."""
        groups = [r for r in self.roles if r not in ("tenants", "control")] + ["control"] + FREE * 2
        members = [r for r in self.roles if r.endswith(("_app", "_ro", "_owner"))] + list(self.fleet.logins) * 2 + FREE * 2
        chain = [self.random.choice(groups), self.random.choice(members)]
        if self._chance(0.3):
            chain[1:1] = self.random.sample(FREE, 2)
        steps = [(group, member) for group, member in zip(chain, chain[1:])]
        option = " WITH ADMIN OPTION" if self._chance(0.25) else ""
        if any((member[0], group[:2], group[3:]) in {(t, "p_", member[2:]) for t in "xy"} for group, member in steps):
            return "SELECT 1 / 0", ""  # the product's own membership, which must not be undone
        return ("; ".join("GRANT {%s} TO {%s}%s" % (*step, option) for step in steps),
                "; ".join("REVOKE {%s} FROM {%s}" % step for step in steps))

    def _attribute(self):
        role = "{%s}" % self.random.choice(list(self.fleet.logins) + FREE)
        if self._chance(0.3):
            return "ALTER ROLE %s BYPASSRLS" % role, "ALTER ROLE %s NOBYPASSRLS" % role
        # What it has by inheriting from the group of tenants is the right to connect: it gets its own.
        return ("ALTER ROLE %s NOINHERIT; GRANT CONNECT ON DATABASE tenantry TO %s" % (role, role),
                "ALTER ROLE %s INHERIT; REVOKE CONNECT ON DATABASE tenantry FROM %s" % (role, role))

    def _ownership(self):
        kind, things = self.random.choice([("TABLE", self.tables), ("TABLE", self.tables), ("FUNCTION", self.functions[:3]),
                                           ("SCHEMA", [("a",), ("b",), ("p",)])])
        place, *name = self.random.choice(things)
        full = ".".join(["{%s}" % place, *name])
        other = [r for r in self.roles if r.endswith(("_owner", "_app")) and not r.startswith(place + "_")]
        return ("ALTER %s %s OWNER TO {%s}" % (kind, full, self.random.choice(other)),
                "ALTER %s %s OWNER TO {%s_owner}" % (kind, full, place))

    def _policy(self):
        table = "{p}." + self.random.choice(["users", "items"])
        setting = "tenant_id::text = current_setting('app.current_tenant_id', true)"
        name = self._name("policy")
        guard = "ALTER POLICY tenant_guard ON %s " % table
        own = GUARD.replace("{t}", table)
        return self.random.choice([
            ("ALTER TABLE %s DISABLE ROW LEVEL SECURITY" % table, "ALTER TABLE %s ENABLE ROW LEVEL SECURITY" % table),
            ("ALTER TABLE %s NO FORCE ROW LEVEL SECURITY" % table, "ALTER TABLE %s FORCE ROW LEVEL SECURITY" % table),
            ("DROP POLICY tenant_guard ON " + table, own),
            (guard + "USING (%s) WITH CHECK (%s)" % (setting, setting), own),
            (guard + "WITH CHECK (true)", own),
            (guard + "USING (true)", own),
            (guard + "TO {p_app}", own),
            ("CREATE POLICY %s ON %s USING (true)" % (name, table), "DROP POLICY %s ON %s" % (name, table)),
            ("CREATE POLICY %s ON %s FOR SELECT TO {x_ro} USING (%s)" % (name, table, setting),
             "DROP POLICY %s ON %s" % (name, table)),
            ("CREATE POLICY %s ON %s AS RESTRICTIVE USING (id > 0)" % (name, table), "DROP POLICY %s ON %s" % (name, table)),
        ])

    def _map(self):
        role = self.random.choice(list(self.fleet.logins))
        tenant = self.random.choice([t for t in TENANTS if t != role[0]])
        set_to = "UPDATE tenancy.role_tenants SET tenant_id = '%s' WHERE role_name = '{%s}'"
        return set_to % (self.fleet.ids[tenant], role), set_to % (self.fleet.ids[role[0]], role)

    def _inherit(self):
        parent, child = self.random.sample("ab", 2)
        link = "INHERIT {%s}.notes" % parent
        return "ALTER TABLE {%s}.notes %s" % (child, link), "ALTER TABLE {%s}.notes NO %s" % (child, link)

    def _control(self):
        who = self._stranger("-")
        table = self.random.choice(["tenants", "credentials", "places"])
        do, undo = "GRANT SELECT ON tenantry.%s TO %s" % (table, who), "REVOKE ALL ON tenantry.%s FROM %s" % (table, who)
        if self._chance(0.5):
            do += "; GRANT USAGE ON SCHEMA tenantry TO %s" % who
            undo += "; REVOKE USAGE ON SCHEMA tenantry FROM %s" % who
        return do, undo
