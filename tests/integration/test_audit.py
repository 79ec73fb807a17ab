#!/usr/bin/env python3
"""The audit log: what the product's role may not do to it, and what "audit verify" finds when somebody with more
rights did."""
import contextlib
import datetime
import functools

import harness
from harness import check_refusal, refused_sql, shared_server

INSTALLATION = "00000000-0000-0000-0000-000000000000"


@functools.lru_cache(maxsize=None)
def chains():
    """The ids of two tenants whose chains have six entries each."""
    server = shared_server()
    ids = []
    for slug in ("first", "second"):
        ids.append(server.create(slug, "saas")["id"])
        for _ in range(4):
            server.tenantry("tenant", "rotate", slug)
        server.tenantry("tenant", "suspend", slug)
    for chain in ids:
        assert server.psql("SELECT max(seq) FROM tenantry_audit.entries WHERE chain = '%s'" % chain) == "6"
    return ids


@contextlib.contextmanager
def tampered(sql):
    """The log with a change by a superuser who switched the triggers off; put back afterwards."""
    server = shared_server()
    away = "SET session_replication_role = replica; "
    server.psql(
        "CREATE TABLE IF NOT EXISTS public.kept_entries AS TABLE tenantry_audit.entries WITH NO DATA;"
        "CREATE TABLE IF NOT EXISTS public.kept_heads AS TABLE tenantry_audit.heads WITH NO DATA;"
        "TRUNCATE public.kept_entries, public.kept_heads; INSERT INTO public.kept_entries TABLE tenantry_audit.entries;"
        "INSERT INTO public.kept_heads TABLE tenantry_audit.heads;",
        server.superuser,
    )
    try:
        server.psql(away + sql, server.superuser)
        yield
    finally:
        server.psql(
            away + "DELETE FROM tenantry_audit.entries; DELETE FROM tenantry_audit.heads;"
            "INSERT INTO tenantry_audit.entries TABLE public.kept_entries;"
            "INSERT INTO tenantry_audit.heads TABLE public.kept_heads;",
            server.superuser,
        )
    assert server.tenantry("audit", "verify")["is_whole"], "the test put it back wrongly"


def findings_after(sql):
    """What verify finds, as {(chain, entry): finding}."""
    chains()
    with tampered(sql):
        result = shared_server().tenantry("audit", "verify", expect=None)
        error = check_refusal(result, "audit_broken")
        answer = result.json()
        assert result.status == 65 and answer["is_whole"] is False
        found = {(f["chain"], f["seq"]): f["finding"] for f in answer["findings"]}
        first = answer["findings"][0]
        chain = first["chain"] or "(none)"
        assert chain in error["message"] and "entry %d" % first["seq"] in error["message"], error
        human = shared_server().tenantry("audit", "verify", json=False, expect=65)
        assert chain in human.out + human.err, human.text()
    return found


def test_an_untouched_log_is_whole():
    chains()
    server = shared_server()
    answer = server.tenantry("audit", "verify")
    count = server.psql("SELECT count(*), count(DISTINCT chain) FROM tenantry_audit.entries")
    assert answer["findings"] == [] and "%d|%d" % (answer["entries"], answer["chains"]) == count


def test_a_change_of_any_column_is_found():
    chain = chains()[0]
    for change in (
        "actor = 'os:somebody'",
        "action = 'tenant.show'",
        "detail = '{}'",
        "job_id = 1",
        "job_id = 0",
        "job_id = NULL",
        "at = at + interval '1 microsecond'",
        "at = at - interval '2 days'",
        "hash = sha256('x')",
        "previous = sha256('x')",
        "hash = ''",
        "detail = (detail::text || ' ')::json",
    ):
        sql = "SELECT tenantry_audit.ensure_partition(now() - interval '2 days');" if "days" in change else ""
        found = findings_after(
            sql + "UPDATE tenantry_audit.entries SET %s WHERE chain = '%s' AND seq = 3" % (change, chain)
        )
        assert (chain, 3) in found, (change, found)


def test_a_removed_entry_is_found_first_middle_and_last():
    chain = chains()[0]
    for seq in (1, 3, 6):
        found = findings_after("DELETE FROM tenantry_audit.entries WHERE chain = '%s' AND seq = %d" % (chain, seq))
        assert "removed" in found.get((chain, seq), ""), (seq, found)


def test_removing_the_end_together_with_the_head_is_found():
    chain = chains()[0]
    found = findings_after(
        "DELETE FROM tenantry_audit.entries WHERE chain = '{0}' AND seq = 6; DELETE FROM tenantry_audit.heads WHERE chain = '{0}'".format(
            chain
        )
    )
    assert any(key[0] == chain for key in found), found


def test_two_entries_that_changed_places_are_found():
    chain = chains()[0]
    found = findings_after(
        "UPDATE tenantry_audit.entries SET seq = CASE seq WHEN 2 THEN 103 ELSE 102 END WHERE chain = '{0}' AND seq IN (2, 3);"
        "UPDATE tenantry_audit.entries SET seq = seq - 100 WHERE chain = '{0}' AND seq > 100".format(chain)
    )
    assert (chain, 2) in found and (chain, 3) in found, found


def test_a_whole_chain_that_was_removed_is_found():
    chain = chains()[0]
    found = findings_after("DELETE FROM tenantry_audit.entries WHERE chain = '%s'" % chain)
    assert found and all(key[0] == chain for key in found), found
    found = findings_after(
        "DELETE FROM tenantry_audit.entries WHERE chain = '{0}'; DELETE FROM tenantry_audit.heads WHERE chain = '{0}'".format(
            chain
        )
    )
    assert found and all(key[0] == chain for key in found), found


def test_a_chain_that_was_removed_does_not_begin_again():
    server, chain = shared_server(), chains()[0]
    with tampered("DELETE FROM tenantry_audit.entries WHERE chain = '{0}';"
                  " DELETE FROM tenantry_audit.heads WHERE chain = '{0}'".format(chain)):
        server.refused("audit_broken", "tenant", "resume", "first", says=(chain, "is gone"))
        assert server.tenantry("tenant", "show", "first")["state"] == "suspended"


def test_the_chain_of_the_installation_is_watched_like_the_others():
    found = findings_after(
        "DELETE FROM tenantry_audit.entries WHERE chain = '{0}'; DELETE FROM tenantry_audit.heads WHERE chain = '{0}'".format(
            INSTALLATION
        )
    )
    assert any(key[0] == INSTALLATION for key in found), found


def test_a_log_that_was_emptied_is_found():
    found = findings_after("DELETE FROM tenantry_audit.entries; DELETE FROM tenantry_audit.heads")
    assert {key[0] for key in found} >= {INSTALLATION, *chains()}, found


def test_a_changed_head_is_found():
    chain = chains()[0]
    for change in (
        "seq = 5",
        "seq = 7",
        "hash = sha256('x')",
        "hash = ''",
        "seq = 5, hash = (SELECT hash FROM tenantry_audit.entries e WHERE e.chain = h.chain AND e.seq = 5)",
    ):
        found = findings_after("UPDATE tenantry_audit.heads h SET %s WHERE chain = '%s'" % (change, chain))
        assert any(key[0] == chain for key in found), (change, found)


@contextlib.contextmanager
def altered(change, back):
    """The tables of the log with other constraints for a while."""
    server = shared_server()
    server.psql(change, server.superuser)
    try:
        yield
    finally:
        server.psql(back, server.superuser)


def heads_without_constraints():
    table = "ALTER TABLE tenantry_audit.heads "
    return altered(
        table + "DROP CONSTRAINT heads_pkey, ALTER chain DROP NOT NULL, ALTER seq DROP NOT NULL, ALTER hash DROP NOT NULL",
        table + "ADD PRIMARY KEY (chain), ALTER seq SET NOT NULL, ALTER hash SET NOT NULL",
    )


def test_heads_that_the_table_would_not_take_are_found():
    chain, copy = chains()[0], "INSERT INTO tenantry_audit.heads SELECT %s FROM tenantry_audit.heads WHERE chain = '%s'"
    with heads_without_constraints():
        for sql, key in (
            ("INSERT INTO tenantry_audit.heads VALUES (NULL, 1, '\\x00')", (None, 1)),
            ("INSERT INTO tenantry_audit.heads VALUES (NULL, NULL, NULL)", (None, 0)),
            (copy % ("*", chain), (chain, 6)),
            (copy % ("chain, NULL, NULL", chain), (chain, 0)),
            ("UPDATE tenantry_audit.heads SET chain = NULL WHERE chain = '%s'" % chain, (chain, 6)),
            ("UPDATE tenantry_audit.heads SET seq = NULL WHERE chain = '%s'" % chain, (chain, 6)),
            ("UPDATE tenantry_audit.heads SET hash = NULL WHERE chain = '%s'" % chain, (chain, 6)),
        ):
            found = findings_after(sql)
            assert key in found, (sql, found)


def entries_without_constraints():
    """A default partition too, which takes rows without a time."""
    table, columns = "ALTER TABLE tenantry_audit.entries ", ("actor", "action", "detail", "previous", "hash")
    dropped, key = ["ALTER %s DROP NOT NULL" % c for c in columns], ("chain", "seq", "at")
    return altered(
        table + "DROP CONSTRAINT entries_pkey;" + table + ", ".join(["ALTER %s DROP NOT NULL" % c for c in key] + dropped)
        + ", DROP CONSTRAINT entries_seq_check; CREATE TABLE tenantry_audit.entries_rest PARTITION OF"
        " tenantry_audit.entries DEFAULT",
        "DROP TABLE tenantry_audit.entries_rest;" + table + "ADD PRIMARY KEY (chain, seq, at), ADD CHECK (seq > 0), "
        + ", ".join("ALTER %s SET NOT NULL" % c for c in columns),
    )


def test_entries_that_the_table_would_not_take_are_found():
    chain = chains()[0]
    forged = "INSERT INTO tenantry_audit.entries SELECT %s, 'os:mallory', 'tenant.purge', NULL, '{}', previous, hash" \
             " FROM tenantry_audit.entries WHERE chain = '" + chain + "' AND seq = 6"
    with entries_without_constraints():
        for values, key in (
            ("NULL, 1, now()", (None, 1)),
            ("NULL, NULL, now()", (None, 0)),
            ("NULL, NULL, NULL", (None, 0)),
            ("'%s', NULL, now()" % chain, (chain, 0)),
            ("'%s', NULL, NULL" % chain, (chain, 0)),
            ("'%s', 7, NULL" % chain, (chain, 7)),
            ("'%s', 6, NULL" % chain, (chain, 6)),
            ("'%s', 0, now()" % chain, (chain, 0)),
            ("'%s', -3, '-infinity'" % chain, (chain, -3)),
            ("'%s', 7, 'infinity'" % chain, (chain, 7)),
        ):
            found = findings_after(forged % values)
            assert key in found, (values, found)
        for column in ("chain", "seq", "at", "actor", "action", "detail", "previous", "hash"):
            found = findings_after(
                "UPDATE tenantry_audit.entries SET %s = NULL WHERE chain = '%s' AND seq = 3" % (column, chain)
            )
            assert (chain, 3) in found, (column, found)


def test_a_job_given_to_an_entry_that_had_none_is_found():
    """None and 0 are hashed alike."""
    rows = "FROM tenantry_audit.entries WHERE job_id IS NULL ORDER BY chain, seq LIMIT 1"
    chain, seq = shared_server().psql("SELECT chain, seq " + rows).split("|")
    for job in (0, 1):
        found = findings_after("UPDATE tenantry_audit.entries SET job_id = %d WHERE chain = '%s' AND seq = %s" % (job, chain, seq))
        assert found == {(chain, int(seq)): "the entry was changed"}, (job, found)


def test_a_number_that_only_begins_like_the_one_that_was_hashed_is_found():
    chain = chains()[0]
    column = "ALTER TABLE tenantry_audit.entries ALTER job_id TYPE %s"
    with altered(column % "numeric", column % "bigint"):
        found = findings_after("UPDATE tenantry_audit.entries SET job_id = job_id + 0.4 WHERE chain = '%s' AND seq = 3" % chain)
        assert found == {(chain, 3): "the entry was changed"}, found


def test_a_copy_of_an_entry_is_found_wherever_a_page_ends():
    chain = chains()[0]
    copies = "INSERT INTO tenantry_audit.entries SELECT e.* FROM tenantry_audit.entries e, generate_series(1, %d)" \
             " WHERE chain = '%s' AND seq = 6"
    with entries_without_constraints():
        for count in (1, 6000):
            with tampered(copies % (count, chain)):
                answer = shared_server().tenantry("audit", "verify", expect=65).json()
                whole = shared_server().psql("SELECT count(*) FROM tenantry_audit.entries")
                assert str(answer["entries"]) == whole and {f["chain"] for f in answer["findings"]} == {chain}


def test_an_entry_copied_to_another_chain_is_found():
    ours, theirs = chains()
    for seq in (3, 7):
        found = findings_after(
            "DELETE FROM tenantry_audit.entries WHERE chain = '{1}' AND seq = {2};"
            "INSERT INTO tenantry_audit.entries SELECT '{1}', {2}, at, actor, action, job_id, detail, previous, hash"
            " FROM tenantry_audit.entries WHERE chain = '{0}' AND seq = 3".format(ours, theirs, seq)
        )
        assert (theirs, seq) in found, found


def test_an_entry_that_is_there_twice_is_found():
    chain = chains()[0]
    found = findings_after(
        "INSERT INTO tenantry_audit.entries SELECT chain, seq, at + interval '1 second', actor, action, job_id, detail,"
        " previous, hash FROM tenantry_audit.entries WHERE chain = '%s' AND seq = 3" % chain
    )
    assert (chain, 3) in found, found


def test_an_edit_with_a_plain_hash_recomputed_down_the_chain_is_found():
    """The hashes are keyed: who can write the table still cannot make a false entry fit."""
    chain = chains()[0]
    found = findings_after(
        """
        DO $$ DECLARE e record; p bytea := (SELECT hash FROM tenantry_audit.entries WHERE chain = '{0}' AND seq = 2); BEGIN
            UPDATE tenantry_audit.entries SET actor = 'os:nobody' WHERE chain = '{0}' AND seq = 3;
            FOR e IN SELECT * FROM tenantry_audit.entries WHERE chain = '{0}' AND seq >= 3 ORDER BY seq LOOP
                UPDATE tenantry_audit.entries SET previous = p, hash = sha256(convert_to(concat_ws('|', e.chain, e.seq, e.at, e.actor,
                       e.action, e.job_id, e.detail, p), 'UTF8')) WHERE chain = '{0}' AND seq = e.seq RETURNING hash INTO p;
            END LOOP;
            UPDATE tenantry_audit.heads SET hash = p WHERE chain = '{0}';
        END $$""".format(
            chain
        )
    )
    assert (chain, 3) in found, found


def test_a_chain_that_nobody_has_is_found():
    unknown = "11111111-2222-4333-8444-555555555555"
    found = findings_after(
        "INSERT INTO tenantry_audit.entries SELECT '%s', 1, at, actor, action, job_id, detail, previous, hash"
        " FROM tenantry_audit.entries WHERE chain = '%s' AND seq = 1" % (unknown, chains()[0])
    )
    assert any(key[0] == unknown for key in found), found


def test_the_role_of_the_product_may_only_append_through_the_function():
    chains()
    server = shared_server()
    partition = server.psql(
        "SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'tenantry_audit.entries'::regclass LIMIT 1"
    )
    for table in ("tenantry_audit.entries", "tenantry_audit.heads", partition):
        for sql in (
            "UPDATE %s SET chain = chain",
            "DELETE FROM %s",
            "TRUNCATE %s",
            "INSERT INTO %s SELECT * FROM %s LIMIT 1",
            "DROP TABLE %s",
            "ALTER TABLE %s DISABLE TRIGGER ALL",
            "ALTER TABLE %s ADD COLUMN x int",
            "ALTER TABLE %s OWNER TO tenantry",
            "GRANT ALL ON %s TO tenantry",
            "CREATE INDEX ON %s (chain)",
            "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE",
            "CREATE RULE r AS ON INSERT TO %s DO INSTEAD NOTHING",
            "CREATE TRIGGER t BEFORE INSERT ON %s EXECUTE FUNCTION now()",
        ):
            result = server.psql("BEGIN; " + sql.replace("%s", table), expect=None)
            says = ("permission denied", "must be owner", "no privileges were granted")
            assert any(part in result.err for part in says), (sql, table, result.text())
    assert server.tenantry("audit", "verify")["is_whole"]


def test_the_role_of_the_product_cannot_become_the_owner_of_the_log():
    server = shared_server()
    owner = server.psql("SELECT audit_role FROM tenantry.installation")
    for sql in (
        "SET ROLE %s",
        "SET SESSION AUTHORIZATION %s",
        "DROP SCHEMA tenantry_audit CASCADE",
        "CREATE TABLE tenantry_audit.x ()",
        "DROP FUNCTION tenantry_audit.refuse() CASCADE",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION tenantry_audit.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    ):
        sql = sql.replace("%s", owner)
        result = server.psql(sql, expect=None)
        assert "permission denied" in result.err or "must be owner" in result.err, (sql, result.text())
    assert server.psql("SELECT count(*) FROM pg_auth_members WHERE roleid = '%s'::regrole" % owner) == "0"


def test_even_the_owner_of_the_log_changes_no_entry_while_the_triggers_are_on():
    server = shared_server()
    chains()
    for sql in (
        "UPDATE tenantry_audit.entries SET actor = 'x'",
        "DELETE FROM tenantry_audit.entries",
        "TRUNCATE tenantry_audit.entries",
    ):
        refused_sql(server.superuser, sql, "append-only")


def test_an_entry_that_does_not_continue_its_chain_is_refused():
    chain = chains()[0]
    append = "SELECT tenantry_audit.append('%s', %d, 1, 'os:x', 'x', NULL, '{}', sha256('x'), sha256('y'))"
    for seq in (1, 3, 6, 7, 8):
        refused_sql(shared_server().conninfo, append % (chain, seq), "continued by another session")


def test_entries_are_kept_in_a_partition_of_their_month():
    server = shared_server()
    month = datetime.datetime.now(datetime.timezone.utc)
    wrong = server.psql(
        "SELECT count(*) FROM tenantry_audit.entries WHERE tableoid::regclass::text <>"
        " 'tenantry_audit.entries_' || to_char(at AT TIME ZONE 'UTC', 'YYYY_MM')"
    )
    assert wrong == "0"
    server.tenantry("partition", "ensure")
    names = server.psql(
        "SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'tenantry_audit.entries'::regclass"
    )
    assert "tenantry_audit.entries_%04d_%02d" % (month.year, month.month) in names, names


def test_the_chain_of_a_purged_tenant_stays_and_is_verified():
    server = shared_server()
    tenant = server.create("gone", "trading")
    server.tenantry("tenant", "archive", "gone", "--drain-timeout", "0s")
    server.tenantry("tenant", "purge", "gone", "--yes")
    assert server.tenantry("audit", "verify")["is_whole"]
    found = findings_after(
        "DELETE FROM tenantry_audit.entries WHERE chain = '{0}'; DELETE FROM tenantry_audit.heads WHERE chain = '{0}'".format(
            tenant["id"]
        )
    )
    assert any(key[0] == tenant["id"] for key in found), found


@contextlib.contextmanager
def forgotten(chain):
    """The tenant's row is gone from the registry, so that nothing there says that it must have a chain."""
    server, away = shared_server(), "SET session_replication_role = replica; "
    server.psql(away + "CREATE TABLE public.kept_tenant AS SELECT * FROM tenantry.tenants WHERE id = '{0}';"
                " DELETE FROM tenantry.tenants WHERE id = '{0}'".format(chain), server.superuser)
    try:
        yield
    finally:
        server.psql(away + "INSERT INTO tenantry.tenants TABLE public.kept_tenant; DROP TABLE public.kept_tenant",
                    server.superuser)


REMOVE_CHAIN = "DELETE FROM tenantry_audit.entries WHERE chain = '{0}'; DELETE FROM tenantry_audit.heads WHERE chain = '{0}'"


def check_end_is_noted(chain):
    """The installation's chain says where this one ended."""
    with forgotten(chain):
        found = findings_after(REMOVE_CHAIN.format(chain))
    assert list(found.items())[0][0][0] == chain and set(found.values()) == {"the whole chain was removed"}, found
    found = findings_after(
        "UPDATE tenantry_audit.heads h SET hash = sha256('x') WHERE chain = '{0}'".format(chain)
    )
    assert [key[0] for key in found] == [chain], found
    assert shared_server().tenantry("audit", "verify")["is_whole"]


def test_the_chain_of_a_purged_tenant_is_missed_when_the_registry_forgot_it():
    server = shared_server()
    tenant = server.create("forgotten", "saas")
    server.tenantry("tenant", "archive", "forgotten", "--drain-timeout", "0s")
    server.tenantry("tenant", "purge", "forgotten", "--yes")
    check_end_is_noted(tenant["id"])
    note = server.tenantry("audit", "list", "--action", "audit.chain.end", "--limit", "1")["entries"][0]
    assert note["tenant"] is None and note["detail"]["chain"] == tenant["id"] and note["job"], note
    found = findings_after(
        "DELETE FROM tenantry_audit.entries WHERE chain = '{0}' AND seq = {1};"
        "UPDATE tenantry_audit.heads h SET seq = e.seq, hash = e.hash FROM tenantry_audit.entries e"
        " WHERE h.chain = '{0}' AND e.chain = h.chain AND e.seq = {1} - 1".format(tenant["id"], note["detail"]["seq"])
    )
    assert found == {(tenant["id"], note["detail"]["seq"]): "the newest entries were removed"}, found


def test_the_chain_of_a_create_that_was_taken_back_is_missed_when_the_registry_forgot_it():
    harness.require_faults()
    server = shared_server()
    stop = {"TENANTRY_FAULT_AT": "tenant.create.ground.begin", "TENANTRY_FAULT_STEPWISE": "1"}
    server.tenantry("tenant", "create", "taken-back", "--blueprint", "saas", env=stop, expect=-9)
    chain = server.psql("SELECT id FROM tenantry.tenants WHERE slug = 'taken-back'")
    job = server.psql("SELECT max(id) FROM tenantry.jobs WHERE tenant_id = '%s'" % chain)
    server.tenantry("job", "cancel", job)
    check_end_is_noted(chain)


def test_who_did_what_and_by_which_job_can_be_asked():
    chains()
    entries = shared_server().tenantry("audit", "list", "--tenant", "first")["entries"]
    assert [e["action"] for e in entries] == ["tenant.suspend"] + ["tenant.rotate"] * 4 + ["tenant.create"]
    assert [e["seq"] for e in entries] == [6, 5, 4, 3, 2, 1]
    assert all(e["actor"].startswith("os:") and e["tenant"] == "first" and e["job"] for e in entries)
    rotations = shared_server().tenantry("audit", "list", "--action", "tenant.rotate", "--limit", "3")["entries"]
    assert len(rotations) == 3 and {e["action"] for e in rotations} == {"tenant.rotate"}
    assert shared_server().tenantry("audit", "list", "--action", "no.such")["entries"] == []


if __name__ == "__main__":
    harness.main()
