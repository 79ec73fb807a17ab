#!/usr/bin/env python3
"""The isolation probes in production: nobody waits behind an attempt, what one does is undone, a probe that dies leaves
nothing, and a tenant cannot answer for itself."""
import json
import os
import signal
import subprocess

import harness
from harness import shared_server
from test_isolation_probes import LEFT, PROBE, found, member, names, policy, probe, tenants

DRIVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/isolation/probe_driver.sql")
MASTER_KEY = "master.key"


def logins():
    return ",".join("'%s'" % t[k] for t in tenants().values() for k in ("app_role", "readonly_role"))


def waiting_locks():
    """Those that others could queue behind: rows are read and written past AccessShare, RowShare and RowExclusive,
    which a trigger of a blueprint may wait for, a few milliseconds, where it touches another table than its own."""
    return ("SELECT l.locktype, l.relation::regclass, l.mode, a.usename FROM pg_locks l"
            " JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.usename IN (%s)"
            " AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')" % logins())


def start_probe(*options):
    server = shared_server()
    argv = [PROBE, server.conninfo, os.path.join(server.data_dir, MASTER_KEY), *options]
    return subprocess.Popen(argv, env=harness.environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def probe_watched(*options):
    """The probe's answer; meanwhile no session of a tenant waits for a lock."""
    server = shared_server()
    query = waiting_locks()
    with start_probe(*options) as child, harness.Session(server.superuser) as session:
        waits = set()
        while child.poll() is None:
            waits.update(session.ask(query + ";").splitlines())
        out, err = child.communicate()
    assert child.returncode == 0, err
    assert waits == set(), waits
    return json.loads(out)


def drive(session, attempts):
    """Runs the driver as a probe does; "phase SQLSTATE rows" of each attempt. The transaction stays open."""
    session.ask("SET client_min_messages = error;")
    text = json.dumps([{"setup": [], **attempt} for attempt in attempts]).replace("'", "''")
    with open(DRIVER, encoding="utf-8") as f:
        driver = f.read()
    setting = "SELECT set_config('tenantry_probe.attempts', '%s', true) IS NULL" % text
    out = session.ask("BEGIN; %s;\n%s;\n" % (setting, driver))
    assert out == "f", out
    return session.ask("SELECT current_setting('tenantry_probe.answers');").splitlines()


def test_a_table_that_is_locked_is_said_to_be_and_nobody_queues():
    """Row tier: the prober may open the table, so it would queue behind whoever works on its definition. The rules, beside
    it, read the policies, for which they would wait for an ACCESS EXCLUSIVE lock."""
    tenants()
    with harness.Session(shared_server().superuser) as session:
        assert "" == session.ask("BEGIN; LOCK TABLE saas.users IN EXCLUSIVE MODE;")
        answer = probe_watched("tenant=" + tenants()["saas1"]["id"], "all=1")
        session.ask("ROLLBACK;")
    assert answer["findings"] == [], answer
    reasons = [u["reason"] for u in answer["unchecked"]]
    assert any("table saas.users: SQLSTATE 55P03" in r for r in reasons), answer
    assert all("SQLSTATE 55P03" in r for r in reasons), answer


def test_a_tenant_that_holds_the_numbers_of_sessions_to_come_holds_no_probe_up():
    """Advisory locks are shared by all, and a probe leaves one behind to see whether DISCARD ALL takes it away. How long it
    would wait for one, a login says itself."""
    server = shared_server()
    logins_of_one = [tenants()["saas1"]["app"], tenants()["saas1"]["readonly"]]
    for login in logins_of_one:
        server.psql("SET default_transaction_read_only = off; ALTER ROLE CURRENT_USER SET lock_timeout = 0", login)
    try:
        with harness.Session(tenants()["saas2"]["app"]) as session:
            numbers = "generate_series(pg_backend_pid(), pg_backend_pid() + 3000) p"
            assert session.ask("SELECT count(pg_advisory_lock(p, 0)) FROM %s;" % numbers) == "3001"
            answer = server.tenantry("isolation", "verify", "saas1", "--json", json=False, timeout=60).json()
    finally:
        for login in logins_of_one:
            server.psql("SET default_transaction_read_only = off; ALTER ROLE CURRENT_USER SET lock_timeout = '5s'", login)
    assert {f["check"] for f in answer["findings"]} == {"probe_plan_setting"} and answer["probes"] > 0, answer


def test_a_reader_of_a_neighbour_is_not_held_up_even_where_the_probe_could():
    """Who may TRUNCATE and ALTER the table would wait for the reader, and all others behind it."""
    server, words = shared_server(), names("trading")
    server.psql("GRANT {ob} TO {ra}".format(**words), server.superuser)
    try:
        with harness.Session(server.superuser) as session:
            session.ask("BEGIN; LOCK TABLE {sb}.portfolios IN ACCESS SHARE MODE;".format(**words))
            answer = probe_watched("tenant=" + words["ida"], "all=1")
            session.ask("ROLLBACK;")
        checks = {f["check"] for f in answer["findings"] if f["object"] == "table %s.portfolios" % words["sb"]}
        assert {"probe_truncate", "probe_alter", "probe_reference", "probe_read"} <= checks, checks
    finally:
        server.psql("REVOKE {ob} FROM {ra}".format(**words), server.superuser)


def test_a_lock_of_others_is_no_right_and_does_not_hide_one():
    """A VACUUM FULL, of a catalogue too, says nothing about rights; what rights say counts all the same."""
    schema = tenants()["trading2"]["schema"]
    with harness.Session(shared_server().superuser) as session, harness.Session(shared_server().superuser) as other:
        number = session.ask("SELECT '%s.portfolios'::regclass::oid;" % schema)
        locks = {"sql": "LOCK TABLE %s.portfolios IN ROW EXCLUSIVE MODE NOWAIT" % schema}
        seen = {**locks, "relation": number}
        other.ask("BEGIN; LOCK TABLE %s.portfolios IN ACCESS EXCLUSIVE MODE;" % schema)
        answers = drive(session, [locks, *({**a, "may": "SELECT " + may} for a in (locks, seen) for may in ("false", "true"))])
        other.ask("ROLLBACK;")
        session.ask("ROLLBACK;")
    assert [a.split()[0] for a in answers] == ["statement", "statement", "right", "setup", "right"], answers
    assert {a.split()[1] for a in answers} == {"55P03"}, answers


def test_a_lock_that_was_had_is_given_back_with_its_attempt():
    with harness.Session(shared_server().superuser) as session:
        schema = tenants()["trading2"]["schema"]
        answers = drive(session, [{"sql": "LOCK TABLE %s.portfolios IN ACCESS EXCLUSIVE MODE NOWAIT" % schema},
                                  {"sql": "ALTER TABLE saas.users DISABLE ROW LEVEL SECURITY"}])
        held = session.ask("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'"
                           " AND mode = 'AccessExclusiveLock';")
        session.ask("ROLLBACK;")
    assert answers == ["done TNROL 0", "done TNROL 0"] and held == "0", (answers, held)


def test_a_write_that_would_reach_a_neighbours_row_ends_before_it_touches_it():
    """The two statements of probe_attempts.def, under a policy that is open and under the right one."""
    server, words = shared_server(), names("saas")
    where = " WHERE tenant_id = '{idb}' AND 1 / (length(tenant_id::text) - 36) = 0".format(**words)
    attempts = [{"sql": "DELETE FROM saas.users" + where}, {"sql": "UPDATE saas.users SET tenant_id = DEFAULT" + where}]
    broken, mended = policy("USING (true)")
    answers = []
    for statement in (broken, mended):
        server.psql(statement.format(**words), server.superuser)
        with harness.Session(tenants()["saas1"]["app"]) as session:
            answers.append(drive(session, attempts))
    assert answers == [["statement 22012 0"] * 2, ["done TNROL 0"] * 2], answers


def test_a_time_out_costs_one_attempt():
    with harness.Session(shared_server().superuser) as session:
        session.ask("SET statement_timeout = 200;")
        answers = drive(session, [{"sql": "SELECT 1"}, {"sql": "SELECT pg_sleep(60)"}, {"sql": "SELECT 2"}])
        session.ask("ROLLBACK;")
    assert answers == ["done TNROL 1", "statement 57014 0"], answers


def test_a_function_that_never_ends_does_not_hide_the_rest():
    """A definer of the tenant's own runs into the time-out; what comes after it is tried all the same."""
    server, words = shared_server(), names("trading")
    sleeper = ("CREATE FUNCTION {sa}.sleeper() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'SELECT pg_sleep(60)';"
               "GRANT EXECUTE ON FUNCTION {sa}.sleeper() TO {ra}; GRANT USAGE ON SCHEMA {sb} TO {ra}")
    server.psql(sleeper.format(**words), server.superuser)
    try:
        answer = probe("tenant=" + words["ida"])
        assert "probe_type" in {f["check"] for f in answer["findings"]}, answer
        assert any("function %s.sleeper: SQLSTATE 57014" % words["sa"] in u["reason"] for u in answer["unchecked"])
    finally:
        server.psql("DROP FUNCTION {sa}.sleeper(); REVOKE USAGE ON SCHEMA {sb} FROM {ra}".format(**words),
                    server.superuser)


# What a tenant could write to look innocent: bodies of a SECURITY DEFINER function that reads the neighbour's table and
# then does as if it had been refused, had failed, or turns the prober's question against it.
DISGUISES = (
    "RAISE insufficient_privilege",
    "ASSERT false",
    "PERFORM set_config('tenantry_probe.attempts', '[]', true), set_config('tenantry_probe.answers', '', true)",
    "PERFORM set_config('search_path', '{sa}', false)",
    "PERFORM nextval('{sa}.tickets')",
)


def disguised(words):
    reading = "EXECUTE 'SELECT count(*) FROM {sb}.portfolios' INTO n;"
    made = [("CREATE FUNCTION {sa}.leak() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $leak$"
             " DECLARE n bigint; BEGIN " + reading + last + "; RETURN n; END $leak$;"
             "GRANT EXECUTE ON FUNCTION {sa}.leak() TO {ra}").format(**words) for last in DISGUISES]
    strict = made[0].replace("leak()", "leak(integer, text, uuid)").replace(" SECURITY", " STRICT SECURITY")
    return [*made, strict]


def test_a_function_cannot_hide_what_it_reads():
    """Neither by what it raises or sets, nor by not running with NULL, nor by catalogues and functions of its own in
    the way; what it would draw from a sequence, which no rollback gives back, it does not draw."""
    server, words = shared_server(), names("trading")
    shadows = ("CREATE SEQUENCE {sa}.tickets; CREATE VIEW {sa}.pg_class AS SELECT 0::oid AS oid WHERE false;"
               "CREATE FUNCTION {sa}.pg_stat_get_xact_numscans(oid) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';"
               "ALTER ROLE {ra} SET search_path = {sa}, pg_catalog")
    path = server.psql("SELECT split_part(c, '=', 2) FROM pg_db_role_setting, unnest(setconfig) c"
                       " WHERE setrole = '{ra}'::regrole AND c LIKE 'search_path=%'".format(**words))
    server.psql(shadows.format(**words), server.superuser)
    try:
        for function in disguised(words):
            server.psql(function, server.superuser)
            key = ("probe_call_touches", "function %s.leak" % words["sa"])
            assert key in found("trading1"), function
            server.psql("DROP FUNCTION %s.leak" % words["sa"], server.superuser)
        assert server.psql("SELECT is_called FROM %s.tickets" % words["sa"], server.superuser) == "f"
    finally:
        server.psql(("DROP FUNCTION IF EXISTS {sa}.leak; DROP VIEW {sa}.pg_class; DROP SEQUENCE {sa}.tickets;"
                     "DROP FUNCTION {sa}.pg_stat_get_xact_numscans(oid);"
                     "ALTER ROLE {ra} SET search_path = " + path).format(**words), server.superuser)


def test_what_a_neighbour_raises_is_not_taken_for_a_refusal():
    """A view whose function raises 42501, a table whose trigger does: the right is there all the same."""
    server, words = shared_server(), names("trading")
    trap = ("CREATE FUNCTION {sb}.no() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE insufficient_privilege; END';"
            "CREATE FUNCTION {sb}.no_trigger() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN RAISE insufficient_privilege; END';"
            "CREATE VIEW {sb}.trap AS SELECT name FROM {sb}.portfolios WHERE {sb}.no();"
            "CREATE TRIGGER trap BEFORE INSERT OR DELETE ON {sb}.portfolios FOR EACH STATEMENT"
            " EXECUTE FUNCTION {sb}.no_trigger();"
            "GRANT USAGE ON SCHEMA {sb} TO {ra}; GRANT SELECT ON {sb}.trap TO {ra};"
            "GRANT INSERT, DELETE ON {sb}.portfolios TO {ra}; GRANT EXECUTE ON FUNCTION {sb}.no() TO {ra}")
    server.psql(trap.format(**words), server.superuser)
    try:
        keys = found("trading1")
        for key in (("probe_read", "view {sb}.trap"), ("probe_write", "table {sb}.portfolios"),
                    ("probe_call", "function {sb}.no")):
            assert (key[0], key[1].format(**words)) in keys, (key, sorted(keys))
    finally:
        server.psql(("DROP VIEW {sb}.trap; DROP TRIGGER trap ON {sb}.portfolios; DROP FUNCTION {sb}.no();"
                     "DROP FUNCTION {sb}.no_trigger(); REVOKE ALL ON SCHEMA {sb} FROM {ra};"
                     "REVOKE ALL ON {sb}.portfolios FROM {ra}").format(**words), server.superuser)


def test_settings_that_a_tenant_gives_its_role_change_nothing():
    server, role = shared_server(), tenants()["saas1"]["app_role"]
    settings = {"default_transaction_read_only": "on", "default_transaction_isolation": "serializable", "jit": "on",
                "jit_above_cost": "0", "row_security": "off", "plpgsql.extra_errors": "all",
                "standard_conforming_strings": "off", "quote_all_identifiers": "on"}
    change = "".join("ALTER ROLE %s SET %s = '%s';" % (role, *pair) for pair in settings.items())
    server.psql(change, server.superuser)
    try:
        answer = probe("tenant=" + tenants()["saas1"]["id"])
        assert answer["findings"] == [] and answer["unchecked"] == [], answer
    finally:
        server.psql("".join("ALTER ROLE %s RESET %s;" % (role, name) for name in settings), server.superuser)


def test_canaries_draw_no_numbers():
    """A shared table whose key comes from a sequence, which a rollback does not set back."""
    server = shared_server()
    server.psql("CREATE TABLE saas.aardvark (LIKE saas.users INCLUDING ALL, number bigserial,"
                " other integer GENERATED ALWAYS AS IDENTITY); ALTER TABLE saas.aardvark ENABLE ROW LEVEL SECURITY;"
                "GRANT SELECT, INSERT, UPDATE, DELETE ON saas.aardvark TO %s" % tenants()["saas1"]["app_role"],
                server.superuser)
    try:
        probe("tenant=" + tenants()["saas1"]["id"], "all=1")
        drawn = ("SELECT count(*) FROM pg_sequences WHERE sequencename LIKE 'aardvark%' AND last_value IS NOT NULL")
        assert server.psql(drawn, server.superuser) == "0"
    finally:
        server.psql("DROP TABLE saas.aardvark", server.superuser)


# Counts, past any rollback, what canaries and held rows do that somebody who works could wait for.
COUNT_ROWS = """
CREATE SEQUENCE public.made; CREATE SEQUENCE public.made_today; CREATE SEQUENCE public.made_together;
CREATE TABLE saas.aardvark (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), day date DEFAULT CURRENT_DATE,
                            minute timestamptz(0) NOT NULL DEFAULT now(), UNIQUE (tenant_id, day), UNIQUE (tenant_id, minute));
ALTER TABLE saas.aardvark ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON saas.aardvark USING (tenant_id = tenancy.current_tenant());
GRANT SELECT, INSERT, UPDATE, DELETE ON saas.aardvark TO {app};
CREATE FUNCTION saas.count_rows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM nextval('public.made');
    IF NEW.date >= CURRENT_DATE - 1 THEN PERFORM nextval('public.made_today'); END IF;
    IF session_user = '{rb}' AND EXISTS (
        SELECT FROM pg_locks l WHERE l.pid = pg_backend_pid() AND l.mode = 'RowExclusiveLock'
           AND l.relation = 'saas.aardvark'::regclass) THEN PERFORM nextval('public.made_together'); END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION saas.count_days() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM nextval('public.made');
    IF NEW.day >= CURRENT_DATE - 1 OR NEW.minute >= CURRENT_DATE - 1 THEN PERFORM nextval('public.made_today'); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER count_rows BEFORE INSERT ON saas.tenant_metrics FOR EACH ROW EXECUTE FUNCTION saas.count_rows();
CREATE TRIGGER count_days BEFORE INSERT ON saas.aardvark FOR EACH ROW EXECUTE FUNCTION saas.count_days();
"""
UNCOUNT_ROWS = ("DROP TABLE saas.aardvark; DROP FUNCTION saas.count_rows, saas.count_days CASCADE;"
                "DROP SEQUENCE public.made, public.made_today, public.made_together")


def test_nobody_who_works_waits_for_a_row_that_is_held():
    """No canary has a day that an application writes, and no session of a neighbour holds rows of two tables."""
    server = shared_server()
    tenants()
    app = server.psql("SELECT app_role FROM tenantry.places WHERE schema_name = 'saas'")
    server.psql(COUNT_ROWS.format(app=app, **names("saas")), server.superuser)
    try:
        answer = probe("tenant=" + tenants()["saas1"]["id"])
        drawn = ("SELECT string_agg(sequencename, ' ' ORDER BY sequencename) FROM pg_sequences"
                 " WHERE sequencename LIKE 'made%' AND last_value IS NOT NULL")
        assert server.psql(drawn, server.superuser) == "made", (server.psql(drawn, server.superuser), answer)
    finally:
        server.psql(UNCOUNT_ROWS, server.superuser)


def test_a_row_that_could_not_be_held_is_said():
    """Something that the neighbour's own trigger waits for, whoever the row is of."""
    server = shared_server()
    server.psql("CREATE FUNCTION saas.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " IF current_user = '{rb}' THEN PERFORM pg_advisory_xact_lock(4712); END IF; RETURN NEW; END $$;"
                "CREATE TRIGGER wait BEFORE INSERT ON saas.users FOR EACH ROW EXECUTE FUNCTION saas.wait()"
                .format(**names("saas")), server.superuser)
    try:
        with harness.Session(server.superuser) as session:
            session.ask("SELECT pg_advisory_lock(4712);")
            answer = probe("tenant=" + tenants()["saas1"]["id"])
            told = [u["reason"] for u in answer["unchecked"] if u["check"] == "probe_shared_key"]
            assert len(told) == 1 and "table saas.users: SQLSTATE 55P03" in told[0], answer
        assert probe("tenant=" + tenants()["saas1"]["id"])["unchecked"] == []
    finally:
        server.psql("DROP FUNCTION saas.wait() CASCADE", server.superuser)


def wait_until(query, wanted):
    server = shared_server()
    with harness.Session(server.superuser) as session:
        while session.ask(query + ";") != wanted:
            pass


def check_death(child, number):
    """Ends a probe at work with a signal: its sessions go, and nothing of them is left."""
    sessions = "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename IN (%s)" % logins()
    wait_until(sessions, "t")
    child.send_signal(number)
    child.communicate()
    assert child.returncode == -number, child.returncode
    wait_until(sessions, "f")
    wait_until("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
               " WHERE usename IN ('tenantry', %s)" % logins(), "0")


def test_a_probe_that_is_killed_leaves_nothing():
    server = shared_server()
    tenants()
    before = server.psql(LEFT, server.superuser)
    check_death(start_probe("all=1", "pause=20"), signal.SIGKILL)
    check_death(start_probe("all=1"), signal.SIGKILL)
    assert server.psql(LEFT, server.superuser) == before


def test_an_interrupt_ends_it():
    server = shared_server()
    tenants()
    before = server.psql(LEFT, server.superuser)
    check_death(server.spawn("isolation", "verify", "--probe-pause", "20ms"), signal.SIGINT)
    assert server.psql(LEFT, server.superuser) == before


def test_pairs_and_all_pairs_are_as_many_as_they_say():
    """Of four tenants: N pairs, one neighbour each; two neighbours each (of the same blueprint and of another); all."""
    tenants()
    counts = [probe(*options)["probes"] for options in (("pairs=1",), ("pairs=2",), (), ("all=1",))]
    assert counts == sorted(counts) and len(set(counts)) == 4, counts
    # One after the other: what one holds, the other leaves out.
    again = [probe("pairs=1", "seed=5")["probes"] for _ in range(2)]
    assert again[0] == again[1], again


SAMPLE = ("--pairs", "3", "--seed", "0")


def second_and_third():
    """Of the order in which a run with this seed takes the tenants: the second one's logins, and the third one, whose
    passwords are read when the run begins."""
    made = tenants()
    slugs = shared_server().psql("SELECT slug FROM tenantry.tenants ORDER BY md5('0' || id::text), id").split()
    second = made[slugs[1]]
    return (second["app_role"], second["readonly_role"]), slugs[2]


def watch_while(change):
    """The answer of a watch of the fleet during which something happens to a tenant whose turn is not yet: the program is
    stopped while it tries the second one, so that it surely happens before."""
    server = shared_server()
    second, _ = second_and_third()
    seen = "SELECT pid FROM pg_stat_activity WHERE usename IN ('%s', '%s');" % second
    child = server.spawn("isolation", "watch", *SAMPLE, "--probe-pause", "1ms", "--json")
    try:
        with harness.Session(server.superuser) as session:
            now = before = ""
            while now == "" or now != before:
                assert child.poll() is None, child.communicate()
                child.send_signal(signal.SIGCONT)
                before = session.ask(seen)
                child.send_signal(signal.SIGSTOP)
                now = session.ask(seen)
        change()
    finally:
        child.send_signal(signal.SIGCONT)
        out, err = child.communicate()
    return child.returncode, json.loads(out), err


def test_a_tenant_that_is_suspended_meanwhile_is_no_login_that_could_not_be_tried():
    server = shared_server()
    _, third = second_and_third()
    server.tenantry("isolation", "watch", *SAMPLE)
    try:
        status, answer, err = watch_while(lambda: server.tenantry("tenant", "suspend", third))
    finally:
        server.tenantry("tenant", "resume", third)
    assert (status, answer["untried"]) == (0, []), (answer, err)
    unchecked = server.tenantry("isolation", "list")["unchecked"]
    assert [u["reason"] for u in unchecked if u["check"] == "probes"] == [
        'tenant "%s" is suspended by now: its logins are shut' % third], unchecked


def test_a_tenant_that_gets_new_passwords_meanwhile_is_tried_with_them():
    server = shared_server()
    tenants()
    before = server.tenantry("isolation", "verify", *SAMPLE)
    third = second_and_third()[1]
    try:
        status, answer, err = watch_while(lambda: server.tenantry("tenant", "rotate", third))
    finally:  # tests that come later log in as it
        renewed = server.tenantry("tenant", "credentials", third)["connections"]
        tenants()[third].update({c["login"]: c["uri"] for c in renewed})
    assert (status, answer["untried"]) == (0, []), (answer, err)
    after = server.tenantry("isolation", "list")
    assert after["unchecked"] == before["unchecked"], after


def test_a_sample_is_one_of_tenants_that_can_log_in():
    server = shared_server()
    slugs = list(tenants())
    for slug in slugs[1:]:
        server.tenantry("tenant", "suspend", slug)
    try:
        for seed in range(4):
            answer = probe("pairs=1", "seed=%d" % seed)
            assert answer["probes"] > 50 and [u for u in answer["unchecked"] if u["check"] == "probes"] == [], answer
        assert len([u for u in probe()["unchecked"] if "is suspended" in u["reason"]]) == len(slugs) - 1
        server.tenantry("tenant", "suspend", slugs[0])
        assert [u["reason"] for u in probe("pairs=1")["unchecked"]] == ["no tenant is active: nobody could log in"]
        assert "is suspended" in probe("pairs=1", "tenant=" + tenants()[slugs[0]]["id"])["unchecked"][0]["reason"]
    finally:
        for slug in server.psql("SELECT slug FROM tenantry.tenants WHERE state = 'suspended'").split():
            server.tenantry("tenant", "resume", slug)


LEAVE = ("SET search_path = pg_temp;"
         "PREPARE left_statement AS SELECT count(*) FROM saas.users;"
         "BEGIN; DECLARE left_cursor CURSOR WITH HOLD FOR SELECT email FROM saas.users; COMMIT;"
         "SET app.current_tenant_id = 'left'; SET ROLE {group}; LISTEN left_channel;"
         "SELECT pg_advisory_lock(4711) IS NULL;")
LEFT_OVER = ("SELECT (SELECT count(*) FROM pg_prepared_statements)"
             " + (SELECT count(*) FROM pg_cursors WHERE is_holdable) + (SELECT count(*) FROM pg_listening_channels())"
             " + (current_setting('app.current_tenant_id', true) = 'left')::integer"
             " + (current_user <> session_user)::integer"
             " + (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid());")


def hand_over(reset):
    """What the first tenant leaves for the second on a connection that changes hands."""
    first, second = tenants()["saas2"]["app_role"], tenants()["saas1"]["app_role"]
    group = shared_server().psql("SELECT app_role FROM tenantry.places WHERE schema_name = 'saas'")
    with harness.Session(shared_server().superuser) as session:
        session.ask("SET SESSION AUTHORIZATION %s;" % first)
        assert session.ask(LEAVE.format(group=group)) == "f"
        session.ask(reset + "SET SESSION AUTHORIZATION %s;" % second)
        return session.ask(LEFT_OVER), session.ask("FETCH ALL FROM left_cursor;")


def test_a_connection_that_changes_hands_keeps_nothing_after_discard_all():
    left, rows = hand_over("DISCARD ALL;")
    assert left == "0" and 'cursor "left_cursor" does not exist' in rows, (left, rows)


def test_without_the_reset_a_cursor_would_show_the_other_tenants_rows():
    """The broken twin: why the reset is needed."""
    left, rows = hand_over("RESET SESSION AUTHORIZATION;")
    assert int(left) > 0 and "kanarienvogel" in rows, (left, rows)


def test_the_connection_limit_of_a_login_really_holds():
    """Not done to tenants that work: it would keep their own connections out."""
    server, tenant = shared_server(), tenants()["trading1"]
    limit = int(server.psql("SELECT rolconnlimit FROM pg_roles WHERE rolname = '%s'" % tenant["readonly_role"]))
    sessions = [harness.Session(tenant["readonly"]) for _ in range(limit)]
    try:
        result = harness.psql(tenant["readonly"], "SELECT 1", expect=None)
        assert result.status != 0 and "too many connections for role" in result.err, result.err
        reasons = [u["reason"] for u in probe("tenant=" + tenant["id"])["unchecked"]]
        assert len(reasons) == 1 and "login %s: cannot connect" % tenant["readonly_role"] in reasons[0], reasons
    finally:
        for session in sessions:
            session.close()


def test_membership_of_more_gives_the_probe_nothing_that_it_uses():
    """The session is the tenant's login from the first byte: nothing it runs has Tenantry's own rights."""
    server, words = shared_server(), names("trading")
    server.psql(member("pg_monitor")[0].format(**words), server.superuser)
    try:
        with start_probe("tenant=" + words["ida"], "pause=5") as child, harness.Session(server.superuser) as session:
            seen = set()
            while child.poll() is None:
                seen.update(session.ask("SELECT DISTINCT usename FROM pg_stat_activity WHERE usename LIKE 'tenant%'"
                                        " AND pid <> pg_backend_pid();").split())
            child.communicate()
        assert seen <= {"tenantry", words["ra"], words["ro"]}, seen
    finally:
        server.psql(member("pg_monitor")[1].format(**words), server.superuser)


if __name__ == "__main__":
    harness.main()
