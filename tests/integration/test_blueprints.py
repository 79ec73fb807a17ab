#!/usr/bin/env python3
"""Blueprints from folders: what is added, what is refused, and that one migration text serves both tiers."""
import contextlib
import functools
import os

import harness
from harness import check_refusal, refused_sql, shared_server

MANIFEST = """name: hybrid
title: Hybrid
tiers: [row, schema]
plans:
  one: {title: One, default: true, limits: {max_connections: 10}}
  two: {title: Two, limits: {max_connections: 20}}
shared: [currencies]
append_only: [ledger]
partitions:
  - {table: ledger, column: at, every: month, ahead: 1}
seed: seed.sql
"""
SEED = "INSERT INTO accounts (name) VALUES ('first');\n"
FIRST = """CREATE TABLE currencies (code text PRIMARY KEY, title text NOT NULL);
INSERT INTO currencies VALUES ('EUR', 'Euro'), ('USD', 'US dollar');
CREATE TABLE accounts (
    tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(),
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    currency text NOT NULL DEFAULT 'EUR' REFERENCES currencies (code),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);
CREATE TABLE ledger (
    tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(),
    account_id bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    amount numeric NOT NULL,
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id)
) PARTITION BY RANGE (at);
CREATE TABLE ledger_default PARTITION OF ledger DEFAULT;
CREATE FUNCTION post(account text, amount numeric) RETURNS void LANGUAGE sql SECURITY INVOKER BEGIN ATOMIC
    INSERT INTO ledger (account_id, amount) SELECT a.id, post.amount FROM accounts a WHERE a.name = post.account;
END;
CREATE VIEW balances WITH (security_invoker = true) AS
    SELECT a.name, coalesce(sum(l.amount), 0) AS balance FROM accounts a
    LEFT JOIN ledger l ON l.tenant_id = a.tenant_id AND l.account_id = a.id GROUP BY a.name;
"""
SECOND = (
    "ALTER TABLE accounts ADD COLUMN note text;\nCREATE TABLE tags (\n    tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(),\n"
    "    name text NOT NULL,\n    PRIMARY KEY (tenant_id, name)\n);\n"
)
# What an application does: asked in each tier, the answers must be the same.
WORK = (
    "SELECT name FROM accounts; INSERT INTO accounts (name, currency) VALUES ('second', 'USD'); SELECT post('second', 12.50);"
    "SELECT post('second', -2); INSERT INTO ledger (account_id, amount, at) SELECT id, 1, '2001-01-01' FROM accounts WHERE name = 'first';"
    "SELECT * FROM balances ORDER BY name; SELECT code FROM currencies ORDER BY code; UPDATE accounts SET name = 'third' WHERE name = 'second';"
    "SELECT name, currency FROM accounts ORDER BY name; SELECT count(*), sum(amount) FROM ledger; DELETE FROM accounts WHERE name = 'nobody'"
)


def write(folder, path, content):
    full = os.path.join(folder, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())


@contextlib.contextmanager
def pack(name="hybrid", manifest=MANIFEST, seed=SEED, **files):
    """A folder with a blueprint; files by their name, such as V0002__tags=SECOND."""
    with harness.temporary_folder() as folder:
        write(folder, "blueprint.yaml", manifest.replace("name: hybrid", "name: " + name))
        if seed is not None:
            write(folder, "seed.sql", seed)
        for file, text in {"V0001__accounts": FIRST, **files}.items():
            if text is not None:
                write(folder, "migrations/%s.sql" % file, text)
        yield folder


def refuse(folder, code="blueprint_invalid", says=()):
    """The error of lint or add; nothing may change."""
    server = shared_server()
    count = (
        "SELECT (SELECT count(*) FROM tenantry.blueprints), (SELECT count(*) FROM tenantry.blueprint_versions),"
        " (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_extension)"
    )
    before = server.psql(count)
    error = server.refused(code, "blueprint", "add", folder, says=says)
    assert server.psql(count) == before, "changed by a refused add"
    return error


@functools.lru_cache(maxsize=None)
def hybrids():
    """A tenant of each tier of one blueprint."""
    server = shared_server()
    with pack() as folder:
        assert server.tenantry("blueprint", "lint", folder)["findings"] == []
        assert server.tenantry("blueprint", "add", folder)["change"] == "recorded"
    return [server.create("hybrid-" + tier, "hybrid", "--tier", tier) for tier in ("row", "schema")]


def test_one_migration_text_gives_the_same_answers_in_both_tiers():
    row, schema = hybrids()
    server = shared_server()
    answers = [server.psql(WORK, tenant["app"]) for tenant in (row, schema)]
    assert answers[0] == answers[1] and "second|10.50" in answers[0], answers
    reads = [
        server.psql("SELECT name, currency FROM accounts ORDER BY name", tenant["readonly"])
        for tenant in (row, schema)
    ]
    assert reads[0] == reads[1] == "first|EUR\nthird|USD"


def test_both_tiers_refuse_the_same():
    for sql in (
        "INSERT INTO currencies VALUES ('XXX', 'x')",
        "UPDATE currencies SET title = 'x'",
        "DELETE FROM currencies",
        "UPDATE ledger SET amount = 0",
        "DELETE FROM ledger",
        "TRUNCATE ledger",
        "TRUNCATE currencies",
        "UPDATE ledger_default SET amount = 0",
        "DELETE FROM ledger_default",
        "DROP TABLE accounts",
        "ALTER TABLE accounts ADD x int",
    ):
        for tenant in hybrids():
            result = shared_server().psql(sql, tenant["app"], expect=None)
            assert "permission denied" in result.err or "must be owner" in result.err, (
                tenant["tier"],
                sql,
                result.text(),
            )


def test_a_partition_made_later_is_as_append_only_as_its_table():
    server = shared_server()
    for tenant in hybrids():
        place = ["--tenant", tenant["slug"]] if tenant["tier"] == "schema" else ["--blueprint", "hybrid"]
        server.tenantry("partition", "ensure")
        listed = server.tenantry("partition", "list", *place)
        last = [p["partition"] for p in listed["partitions"] if p["partition"] != "ledger_default"][-1]
        server.psql("DROP TABLE %s.%s" % (listed["schema"], last), server.superuser)
        server.tenantry("partition", "ensure")
        assert server.tenantry("partition", "list", *place)["partitions"][-2]["partition"] == last
        result = server.psql("UPDATE %s SET amount = 0" % last, tenant["app"], expect=None)
        assert "permission denied" in result.err, (tenant["tier"], result.text())


def test_the_trading_pack_refuses_what_is_no_trade_and_no_bar():
    server = shared_server()
    tenant = server.create("checked", "trading")
    server.psql("INSERT INTO portfolios (id, user_id, name) VALUES (md5('p')::uuid, md5('u')::uuid, 'p')", tenant["app"])
    trade = {"symbol": "'CORV'", "side": "'BUY'", "quantity": "1", "price": "-37.63", "commission": "0"}
    bar = {"symbol": "'CORV'", "open": "2", "high": "3", "low": "1", "close": "3", "volume": "0"}
    position = {"symbol": "'CORV'", "quantity": "-1", "avg_price": "1", "current_price": "NULL"}
    portfolio = {"user_id": "md5('u')::uuid", "name": "'Growth'", "base_currency": "'EUR'"}
    extra = {
        "trades": {"portfolio_id": "md5('p')::uuid", "executed_at": "now()"},
        "market_data": {"timestamp": "now()"},
        "positions": {"portfolio_id": "md5('p')::uuid"},
        "portfolios": {},
    }

    def insert(table, row):
        values = {**extra[table], **row}
        return "INSERT INTO %s (%s) VALUES (%s)" % (table, ", ".join(values), ", ".join(values.values()))

    rows = {"trades": trade, "market_data": bar, "positions": position, "portfolios": portfolio}
    wrong = {
        "trades": [("symbol", "' '"), ("side", "'buy'"), ("side", "'BUYS'"), ("side", "E'BUY\\n'"), ("quantity", "0"),
                   ("quantity", "-1"), ("quantity", "'NaN'"), ("price", "'NaN'"), ("commission", "'NaN'")],
        "market_data": [("symbol", "''"), ("open", "0.5"), ("open", "4"), ("close", "0.5"), ("close", "4"),
                        ("high", "'NaN'"), ("low", "'NaN'"), ("open", "'NaN'"), ("volume", "-1")],
        "positions": [("symbol", "'  '"), ("quantity", "'NaN'"), ("avg_price", "'NaN'"), ("current_price", "'NaN'")],
        "portfolios": [("name", "'  '"), ("base_currency", "'eur'")],
    }
    for table, row in rows.items():
        server.psql(insert(table, row), tenant["app"])
        for column, value in wrong[table]:
            refused_sql(tenant["app"], insert(table, {**row, column: value}), "violates check constraint")
    refused_sql(tenant["app"], insert("trades", {**trade, "symbol": "'A23456789012345678901'"}), "value too long")
    types = server.psql("SELECT symbol, side, quantity, price FROM trades \\gdesc", tenant["app"])
    assert types == (
        "symbol|character varying(20)\nside|character varying(4)\nquantity|numeric(20,8)\nprice|numeric(20,8)"
    ), types


def test_the_seed_is_there_once_for_each_tenant():
    hybrids()
    server = shared_server()
    for tier in ("row", "schema"):
        tenant = server.create("seeded-" + tier, "hybrid", "--tier", tier)
        assert server.psql("SELECT name FROM accounts", tenant["app"]) == "first"


def test_partitions_are_ensured_listed_and_detached():
    server = shared_server()
    hybrids()
    server.tenantry("partition", "ensure")
    for slug, place in (("hybrid-schema", ["--tenant", "hybrid-schema"]), ("hybrid-row", ["--blueprint", "hybrid"])):
        schema = server.tenantry("tenant", "show", slug)["schema"]
        server.psql(
            "SET ROLE %s; CREATE TABLE {0}.ledger_2020_01 PARTITION OF {0}.ledger FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')".format(
                schema
            )
            % server.psql("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = '%s'" % schema),
            server.superuser,
        )
        before = [p["partition"] for p in server.tenantry("partition", "list", *place)["partitions"]]
        assert "ledger_2020_01" in before and len(before) == 4, before
        assert (
            server.tenantry("partition", "detach", *place, "--table", "ledger", "--before", "2020-01-31")["detached"]
            == 0
        )
        assert (
            server.tenantry("partition", "detach", *place, "--table", "ledger", "--before", "2020-02-01")["detached"]
            == 1
        )
        after = [p["partition"] for p in server.tenantry("partition", "list", *place)["partitions"]]
        assert after == [p for p in before if p != "ledger_2020_01"]
        whose = place if place[0] == "--tenant" else []
        entry = server.tenantry("audit", "list", *whose, "--action", "partition.detach")["entries"][0]
        told = {"schema": schema, "table": "ledger", "before": "2020-02-01", "detached": 1}
        if whose:
            assert (entry["tenant"], entry["detail"]) == (slug, told), entry
        else:
            assert (entry["tenant"], entry["detail"]) == (None, {"blueprint": "hybrid", **told}), entry
        assert (
            server.psql("SELECT to_regclass('%s.ledger_2020_01') IS NOT NULL" % schema, server.superuser) == "t"
        ), "it stays as a table"


KEYED_MANIFEST = """name: keyed
title: Keyed
tiers: [row, schema]
plans:
  one: {title: One, limits: {max_connections: 10}}
partitions:
  - {table: events, column: at, every: month, ahead: 2}
  - {table: remarks, column: at, every: month, ahead: 2}
"""
# Keys of every kind that reference a partitioned table: one that deletes, one that waits, one of a partitioned table, one
# to itself.
KEYED = """CREATE TABLE events (
    tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(),
    at timestamptz NOT NULL,
    id bigint NOT NULL,
    after_at timestamptz,
    after_id bigint,
    PRIMARY KEY (tenant_id, at, id),
    CONSTRAINT "after" FOREIGN KEY (tenant_id, after_at, after_id) REFERENCES events
) PARTITION BY RANGE (at);
CREATE TABLE events_default PARTITION OF events DEFAULT;
CREATE TABLE notes (
    tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(),
    at timestamptz NOT NULL,
    event bigint NOT NULL,
    CONSTRAINT "Notes' event" FOREIGN KEY (tenant_id, at, event) REFERENCES events ON DELETE CASCADE
);
CREATE INDEX ON notes (tenant_id, at, event);
COMMENT ON CONSTRAINT "Notes' event" ON notes IS 'a note''s event';
CREATE TABLE remarks (
    tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(),
    at timestamptz NOT NULL,
    event bigint NOT NULL,
    FOREIGN KEY (tenant_id, at, event) REFERENCES events DEFERRABLE INITIALLY DEFERRED
) PARTITION BY RANGE (at);
CREATE TABLE remarks_default PARTITION OF remarks DEFAULT;
CREATE INDEX ON remarks (tenant_id, at, event);
"""
# One in a month that is not made yet, after one that stays in the default partition.
KEYED_ROWS = """INSERT INTO events VALUES (DEFAULT, '2001-01-01', 1);
INSERT INTO events VALUES (DEFAULT, date_trunc('month', now()) + interval '2 months 9 days', 2, '2001-01-01', 1);
INSERT INTO notes (at, event) SELECT at, id FROM events;
INSERT INTO remarks (at, event) SELECT at, id FROM events;
"""
KEYS = (
    "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint') FROM pg_constraint"
    " WHERE contype = 'f' AND conparentid = 0 AND connamespace = '%s'::regnamespace ORDER BY 1, 2"
)
COUNTS = "SELECT (SELECT count(*) FROM {0}), (SELECT count(*) FROM {0}_default)"
NEWEST = (
    "SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class c WHERE c.relnamespace = '%s'::regnamespace"
    " AND c.relname ~ to_char(now() AT TIME ZONE 'UTC' + interval '2 months', '_YYYY_MM$')"
)


@functools.lru_cache(maxsize=None)
def keyed():
    server = shared_server()
    with pack("keyed", KEYED_MANIFEST, seed=None, V0001__accounts=KEYED) as folder:
        server.tenantry("blueprint", "add", folder)


def create_keyed(slug, tier):
    """A tenant with rows that have to move when their partition is made."""
    keyed()
    server = shared_server()
    tenant = server.create(slug, "keyed", "--tier", tier)
    tenant["schema"] = server.psql("SELECT current_schema", tenant["app"])
    server.psql(KEYED_ROWS, tenant["app"])
    return tenant


def test_rows_that_foreign_keys_reference_move_and_the_keys_stay_as_they_were():
    server = shared_server()
    tenants = [create_keyed("keyed-" + tier, tier) for tier in ("row", "schema")]
    keys = [server.psql(KEYS % tenant["schema"], server.superuser) for tenant in tenants]
    server.tenantry("partition", "ensure")
    for tenant, before in zip(tenants, keys):
        app = tenant["app"]
        assert server.psql(KEYS % tenant["schema"], server.superuser) == before, tenant["tier"]
        for table in ("events", "remarks"):
            counts = COUNTS.format("%s.%s" % (tenant["schema"], table))
            assert server.psql(counts, server.superuser) == "2|1", (tenant["tier"], table)
        assert server.psql("SELECT count(*) FROM notes", app) == "2"
        refused_sql(app, "INSERT INTO notes VALUES (DEFAULT, now(), 3)", "violates foreign key constraint \"Notes' event\"")
        refused_sql(app, "INSERT INTO events VALUES (DEFAULT, now(), 3, now(), 4)", 'violates foreign key constraint "after"')
        refused_sql(app, "DELETE FROM events WHERE id = 1", "violates foreign key constraint")
        server.psql("BEGIN; DELETE FROM events; DELETE FROM remarks; COMMIT", app)
        assert server.psql("SELECT count(*) FROM notes", app) == "0", "the key deletes as before"
    server.tenantry("migrate", "verify", "keyed")


def test_a_key_that_is_in_the_way_is_named_with_what_to_do_and_holds_up_its_table_only():
    server = shared_server()
    schema = create_keyed("keyed-copied", "schema")["schema"]
    server.psql("CREATE SCHEMA reports; CREATE TABLE reports.copies AS SELECT tenant_id, at, id FROM %s.events" % schema,
                server.superuser)
    drop = "ALTER TABLE reports.copies DROP CONSTRAINT original"
    add = "ALTER TABLE reports.copies ADD CONSTRAINT original FOREIGN KEY (tenant_id, at, id) REFERENCES %s.%s(tenant_id, at, id)"
    for target, more, helps in (
        ("events_default", " ON DELETE CASCADE", 'it must reference "events", not the partition: %s, and add one that does' % drop),
        ("events", "", "its table has another owner: %s; run this again; %s" % (drop, add % (schema, "events"))),
    ):
        server.psql(add % (schema, target) + more, server.superuser)
        error = server.refused("pg_failed", "partition", "ensure", says=[
            'foreign key "original" of table reports.copies is in the way of rows that have to leave the default partition of "events"'])
        assert error["hint"] == helps, error
        assert server.psql(NEWEST % schema, server.superuser).startswith("remarks_"), "the other table has its partitions"
        server.psql(drop, server.superuser)
    server.tenantry("partition", "ensure")
    server.psql(add % (schema, "events") + "; DROP SCHEMA reports CASCADE", server.superuser)
    assert len(server.psql(NEWEST % schema, server.superuser).split()) == 2


def test_a_new_version_migrates_the_row_tier_and_new_tenants_of_the_schema_tier():
    server = shared_server()
    with pack("growing") as folder:
        server.tenantry("blueprint", "add", folder)
        old = {tier: server.create("old-" + tier, "growing", "--tier", tier) for tier in ("row", "schema")}
        write(folder, "migrations/V0002__tags.sql", SECOND)
        answer = server.tenantry("blueprint", "add", folder)
    assert (answer["version"], answer["change"]) == (2, "recorded")
    new = {tier: server.create("new-" + tier, "growing", "--tier", tier) for tier in ("row", "schema")}
    use = "INSERT INTO tags (name) VALUES ('x'); UPDATE accounts SET note = 'x'; SELECT count(*) FROM tags"
    for tenant in (old["row"], new["row"], new["schema"]):
        assert server.psql(use, tenant["app"]) == "1"
    refused_sql(old["schema"]["app"], use, "does not exist")
    versions = {
        t["slug"]: t["version"] for t in server.tenantry("tenant", "list", "--blueprint", "growing")["tenants"]
    }
    assert versions == {"old-row": 2, "old-schema": 1, "new-row": 2, "new-schema": 2}


def test_a_migration_that_fails_in_the_shared_tables_leaves_the_old_version_working():
    server = shared_server()
    with pack("halting") as folder:
        server.tenantry("blueprint", "add", folder)
        tenant = server.create("halting-row", "halting")
        server.psql("INSERT INTO accounts (name) VALUES ('in the way')", tenant["app"])
        write(
            folder,
            "migrations/V0002__bad.sql",
            "ALTER TABLE accounts ADD COLUMN note text;\nALTER TABLE accounts ADD CHECK (name <> 'in the way');\n",
        )
        refuse(folder, says=["V0002__bad.sql:2", "shared tables"])
    refused_sql(tenant["app"], "SELECT note FROM accounts", "does not exist")
    assert server.psql("SELECT name FROM accounts ORDER BY name", tenant["app"]) == "first\nin the way"


def test_a_migration_that_was_recorded_cannot_change_or_go():
    hybrids()
    for files in ({"V0001__accounts": FIRST + "\n"}, {"V0001__accounts": None, "V0001__other": FIRST + " "}):
        with pack(**files) as folder:
            error = refuse(folder, "blueprint_exists", says=["V0001"])
            assert error["hint"], error


def test_a_plan_that_tenants_use_cannot_go_and_an_unused_one_can():
    hybrids()
    with pack(
        manifest=MANIFEST.replace("  one: {title: One, default: true", "  uno: {title: One, default: true")
    ) as folder:
        refuse(folder, "blueprint_exists", says=["\"one\""])
    with pack(manifest=MANIFEST.replace("  two: {title: Two, limits: {max_connections: 20}}\n", "")) as folder:
        assert shared_server().tenantry("blueprint", "add", folder)["change"] == "recorded"
    assert [p["plan"] for p in shared_server().tenantry("blueprint", "show", "hybrid")["plans"]] == ["one"]


def test_a_missing_extension_is_refused_before_anything_changes():
    with pack("needy", manifest=MANIFEST + "extensions: {wanted: [no_such_extension], optional: []}\n") as folder:
        error = refuse(folder, "extension_missing", says=["no_such_extension", "needy"])
        assert "install" in error["hint"], error


def test_the_variant_for_an_extension_that_is_offered_is_chosen():
    server = shared_server()
    plain = "CREATE INDEX accounts_name ON accounts (tenant_id, name text_pattern_ops);\n"
    variant = "CREATE INDEX accounts_name ON accounts USING gin (name gin_trgm_ops);\n"
    for name, extension, method in (("fuzzy", "pg_trgm", "gin"), ("plainer", "no_such_extension", "btree")):
        with pack(
            name,
            manifest=MANIFEST + "extensions: {wanted: [], optional: [%s]}\n" % extension,
            **{"V0002__search": plain, "V0002__search.with_" + extension: variant}
        ) as folder:
            server.tenantry("blueprint", "add", folder)
        for tier in ("row", "schema"):
            tenant = server.create("%s-%s" % (name, tier), name, "--tier", tier)
            found = server.psql(
                "SELECT amname FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE c.oid = 'accounts_name'::regclass",
                tenant["app"],
            )
            assert found == method, (name, tier, found)


def test_a_recorded_version_gets_no_variant_and_a_new_one_may_have_one():
    server = shared_server()
    plain = "CREATE INDEX accounts_name ON accounts (tenant_id, name text_pattern_ops);\n"
    variant = "CREATE INDEX accounts_gin ON accounts USING gin (name gin_trgm_ops);\n"
    manifest = MANIFEST + "extensions: {wanted: [], optional: [pg_trgm]}\n"
    with pack("late_variant", manifest=manifest, V0002__search=plain) as folder:
        server.tenantry("blueprint", "add", folder)
    with pack("late_variant", manifest=manifest, V0002__search=plain, **{"V0002__search.with_pg_trgm": variant}) as folder:
        refuse(folder, "blueprint_exists", says=["version 2 was recorded without", "V0002__search.with_pg_trgm.sql"])
    with pack(
        "late_variant", manifest=manifest, V0002__search=plain, V0003__gin="SELECT 1;\n", **{"V0003__gin.with_pg_trgm": variant}
    ) as folder:
        assert server.tenantry("blueprint", "add", folder)["version"] == 3


def test_lint_names_rule_file_and_line_and_ends_badly_on_errors():
    server = shared_server()
    bad = (
        "CREATE TABLE a (id int PRIMARY KEY);\nSET ROLE postgres;\nCREATE TABLE public.b (tenant_id uuid NOT NULL);\nGRANT ALL ON a TO PUBLIC;\n"
        "COMMIT;\nCREATE TABLE c (\n    tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(),\n    price money);\n"
        "CREATE FUNCTION f() RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT 1';\nSET search_path = public;\nDROP DATABASE x;\n"
    )
    with pack("sloppy", V0002__bad=bad) as folder:
        result = server.tenantry("blueprint", "lint", folder, expect=65)
        answer = result.json()
        found = {(f["line"], f["rule"]) for f in answer["findings"]}
        assert {
            (2, "set_role"),
            (3, "qualified_name"),
            (4, "grant"),
            (5, "transaction_control"),
            (10, "search_path"),
            (11, "server_object"),
        } <= found, found
        assert any(line in (9, 10) and rule == "security_definer" for line, rule in found), found
        assert {"row_table_without_tenant_id", "money_type"} <= {rule for _, rule in found}, found
        assert all(
            f["file"].endswith("migrations/V0002__bad.sql") and f["message"] for f in answer["findings"]
        ), answer
        assert answer["errors"] >= 8 and answer["warnings"] >= 1
        refuse(folder, says=["V0002__bad.sql:"])


def test_lint_lets_warnings_pass():
    with pack(
        "warned",
        V0002__w="CREATE TABLE w (\n    tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(),\n    id uuid,\n    price money,\n"
        "    PRIMARY KEY (tenant_id, id)\n);\n",
    ) as folder:
        answer = shared_server().tenantry("blueprint", "lint", folder)
        assert (answer["errors"], answer["warnings"]) == (0, 1)
        assert [f["line"] for f in answer["findings"]] == [4] or answer["findings"][0]["line"] in (1, 4), answer


def test_sql_that_is_none_is_told_with_file_and_line():
    with pack(
        "broken", V0002__x="CREATE TABLE fine (\n    tenant_id uuid NOT NULL\n);\nCREATE TABEL x ();\n"
    ) as folder:
        refuse(folder, says=["V0002__x.sql:4"])


def test_an_unknown_key_or_value_is_told_with_file_line_and_key():
    for old, new, line, says in (
        ("title: Hybrid", "titel: Hybrid", 2, ["titel", "did you mean \"title\""]),
        ("tiers: [row, schema]", "tiers: [rows]", 3, ["rows", "row or schema"]),
        (
            "default: true, limits: {max_connections: 10}",
            "default: true, limit: {max_connections: 10}",
            5,
            ["limit", "did you mean \"limits\""],
        ),
        ("max_connections: 20", "max_connections: many", 6, ["max_connections"]),
        ("every: month", "every: fortnight", 10, ["fortnight", "month"]),
        ("name: hybrid", "name: Hy-Brid", 1, ["name"]),
        (
            "limits: {max_connections: 20}",
            "settings: {work_memm: 4MB}, limits: {max_connections: 20}",
            6,
            ["work_memm", "work_mem"],
        ),
        (
            "limits: {max_connections: 20}",
            "settings: {session_preload_libraries: x}, limits: {max_connections: 20}",
            6,
            ["session_preload_libraries"],
        ),
        ("seed: seed.sql", "seed: other.sql", 11, ["other.sql"]),
    ):
        with pack("hybrid2", manifest=MANIFEST.replace(old, new)) as folder:
            if "name: Hy" in new:
                write(folder, "blueprint.yaml", MANIFEST.replace(old, new))
            error = refuse(folder, says=says)
            assert "blueprint.yaml:%d" % line in error["message"] or "other.sql" in error["message"], error


def test_names_in_the_manifest_that_no_migration_creates_are_found():
    for old, new in (
        ("shared: [currencies]", "shared: [nothing]"),
        ("append_only: [ledger]", "append_only: [nothing]"),
        ("table: ledger, column: at", "table: accounts, column: id"),
    ):
        with pack("misnamed", manifest=MANIFEST.replace(old, new)) as folder:
            refuse(folder, says=["blueprint.yaml"])


def test_binary_garbage_is_refused_with_the_name_of_the_file():
    garbage = bytes(range(256)) * 40
    with pack("garbled") as folder:
        write(folder, "blueprint.yaml", garbage)
        refuse(folder, says=["blueprint.yaml"])
    for content in (garbage, b"CREATE TABLE x ();\x00", b"SELECT '\xff\xfe';"):
        with pack("garbled", V0002__x=content) as folder:
            refuse(folder, says=["V0002__x.sql"])
    with pack("garbled", seed=garbage) as folder:
        refuse(folder, says=["seed.sql"])


def test_a_huge_file_is_refused():
    with pack("huge", V0002__x=b"-- " + b"x" * (17 << 20)) as folder:
        result = shared_server().tenantry("blueprint", "add", folder, expect=None)
        assert result.status == 65 and "V0002__x.sql" in result.err and "16" in result.err, result.text()
    with pack("huge") as folder:
        write(folder, "blueprint.yaml", MANIFEST + "#" * (2 << 20))
        result = shared_server().tenantry("blueprint", "add", folder, expect=None)
        assert result.status == 65 and "blueprint.yaml" in result.err, result.text()


def test_a_manifest_that_nests_or_repeats_without_end_is_refused():
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c]\n"
    for text in (
        bomb,
        "x: " + "[" * 1000 + "]" * 1000,
        "name: one\nname: two\n",
        "",
        "- a\n- b\n",
        "\t",
        "just text",
    ):
        with pack("deep") as folder:
            write(folder, "blueprint.yaml", text)
            refuse(folder, says=["blueprint.yaml"])


def test_a_link_out_of_the_folder_is_not_followed():
    with pack("linked") as folder, harness.temporary_folder() as other:
        write(other, "V0002__secret.sql", "SELECT 'secret-content';")
        os.symlink(other + "/V0002__secret.sql", folder + "/migrations/V0002__secret.sql")
        error = refuse(folder, says=["V0002__secret.sql"])
        assert "secret-content" not in error["message"]
    with pack("linked") as folder:
        os.remove(folder + "/seed.sql")
        os.symlink("/etc/passwd", folder + "/seed.sql")
        refuse(folder, says=["seed.sql"])
    with pack("linked", manifest=MANIFEST.replace("seed: seed.sql", "seed: ../../etc/passwd")) as folder:
        refuse(folder, says=["seed"])


def test_a_path_that_is_no_pack_is_refused():
    with harness.temporary_folder() as folder:
        for path in (folder + "/nothing", folder, __file__, "/dev/null", "/proc/self/mem"):
            result = shared_server().tenantry("blueprint", "add", path, expect=None)
            check_refusal(result, "blueprint_invalid")


def test_the_embedded_blueprints_cannot_be_replaced_by_others_of_their_name():
    with pack("trading") as folder:
        refuse(folder, "blueprint_exists", says=["trading"])


if __name__ == "__main__":
    harness.main()
