#!/usr/bin/env python3
"""On a PostgreSQL that is not Tenantry's own, with the least rights that do; and what happens to the master key."""
import contextlib
import functools
import grp
import itertools
import os
import pwd
import re
import shutil
import socket
import struct
import subprocess
import threading
import time

import harness
from harness import check_refusal, refused_sql

PASSWORD = "role-password"
KEY = "0123456789abcdef" * 4
OTHER_KEY = "fedcba9876543210" * 4
HBA = "local all postgres trust\nlocal all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n"
_stack = contextlib.ExitStack()
_numbers = itertools.count(1)


class Postgres:
    """A server with Debian's binaries, on a Unix socket."""

    def __init__(self, folder):
        self.folder = folder
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self.as_user:
            shutil.chown(folder, "postgres")
        self.data = folder + "/data"
        harness.run(
            [
                *self.as_user,
                harness.pg_program("initdb"),
                "-D",
                self.data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-N",
                "--locale=C.UTF-8",
            ],
            cwd=folder,
        )
        with open(self.data + "/pg_hba.conf", "w", encoding="utf-8") as f:
            f.write(HBA)
        # A file for its output: a server that inherits our pipe would keep run() waiting.
        command = [
            *self.as_user,
            harness.pg_program("pg_ctl"),
            "-D",
            self.data,
            "-w",
            "-l",
            folder + "/log",
            "-o",
            "-c listen_addresses='' -c fsync=off -k %s" % folder,
            "start",
        ]
        subprocess.run(
            command,
            env=harness.environment(),
            cwd=folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self):
        harness.run(
            [*self.as_user, harness.pg_program("pg_ctl"), "-D", self.data, "-m", "immediate", "stop"],
            expect=None,
            cwd=self.folder,
        )

    def superuser(self, database="postgres"):
        return "host=%s user=postgres dbname=%s" % (self.folder, database)

    def sql(self, sql, database="postgres"):
        return harness.psql(self.superuser(database), sql)


class Client:
    """A database of its own with a role of its own, and a folder for the key."""

    def __init__(self, rights="CREATEROLE", grants="GRANT CREATE ON DATABASE {0} TO {0}", key=None, with_url=True):
        self.pg = postgres()
        self.name = "client%d" % next(_numbers)
        self.folder = _stack.enter_context(harness.temporary_folder())
        self.pg.sql("CREATE ROLE %s LOGIN %s PASSWORD '%s'" % (self.name, rights, PASSWORD))
        self.pg.sql("CREATE DATABASE " + self.name)
        if grants:
            self.pg.sql(grants.format(self.name))
        self.url = "postgresql://%s@/%s?host=%s" % (self.name, self.name, self.pg.folder)
        self.env = {
            "TENANTRY_DATA_DIR": self.folder + "/data",
            "PGPASSWORD": PASSWORD,
            "TENANTRY_MASTER_KEY": key,
            "TENANTRY_DATABASE_URL": self.url if with_url else None,
        }

    @property
    def key_file(self):
        return self.folder + "/data/master.key"

    def tenantry(self, *args, env=None, **options):
        return harness.tenantry(*args, env={**self.env, **(env or {})}, **options)

    def refused(self, code, *args, says=(), **options):
        return check_refusal(self.tenantry(*args, expect=None, **options), code, *says)

    def create(self, slug, blueprint="saas", **options):
        answer = self.tenantry("tenant", "create", slug, "--blueprint", blueprint, **options)
        return {c["login"]: c["uri"] for c in answer["connections"]}

    def sql(self, sql):
        return self.pg.sql(sql, self.name)


@functools.lru_cache(maxsize=None)
def postgres():
    server = Postgres(_stack.enter_context(harness.temporary_folder()))
    _stack.callback(server.stop)
    return server


@functools.lru_cache(maxsize=None)
def shared_client():
    client = Client()
    client.tenantry("up")
    client.login = client.create("acme")["app"]
    return client


def statement_of(error):
    """The statement that an error's hint tells to run."""
    return re.search(r"(ALTER|GRANT)[^;]*", error["hint"]).group(0).strip()


def test_a_role_with_two_rights_is_enough():
    client = Client()
    answer = client.tenantry("up")
    assert answer["state"] == "external" and answer["control_schema"] == "made" and answer["is_key_new"], answer
    assert answer["master_key_file"] == client.key_file
    assert os.stat(client.key_file).st_mode & 0o777 == 0o600
    for blueprint in ("saas", "trading"):
        logins = client.create(blueprint + "-one", blueprint)
        assert harness.psql(logins["app"], "SELECT 1") == "1"
        client.tenantry("tenant", "suspend", blueprint + "-one")
        client.tenantry("tenant", "archive", blueprint + "-one", "--drain-timeout", "0s")
        client.tenantry("tenant", "purge", blueprint + "-one", "--yes")
    assert client.tenantry("audit", "verify")["is_whole"]
    assert client.sql("SELECT rolsuper FROM pg_roles WHERE rolname = '%s'" % client.name) == "f"


def test_a_database_where_tenants_may_make_temporary_tables_is_told():
    client = Client()
    says = "REVOKE TEMPORARY ON DATABASE \"%s\" FROM PUBLIC" % client.name
    assert client.tenantry("up")["warning"].endswith(says)
    assert client.tenantry("status")["warning"].endswith(says)
    for command in ("up", "status"):
        told = client.tenantry(command, json=False).err
        assert "warning: tenants may make temporary tables" in told and says in told, told
    client.pg.sql(says)
    assert client.tenantry("status")["warning"] is None and client.tenantry("up")["warning"] is None
    assert "warning" not in client.tenantry("up", json=False).err


def test_a_second_up_changes_nothing():
    client = shared_client()
    with open(client.key_file, encoding="utf-8") as f:
        key = f.read()
    answer = client.tenantry("up")
    assert (answer["control_schema"], answer["blueprints_added"], answer["is_key_new"]) == ("up to date", 0, False)
    with open(client.key_file, encoding="utf-8") as f:
        assert f.read() == key


def test_the_url_may_come_from_flag_environment_or_file():
    client = shared_client()
    path = client.folder + "/tenantry.yaml"
    with open(path, "w", encoding="utf-8") as f:
        f.write("database-url: %s\n" % client.url)
    none = {"TENANTRY_DATABASE_URL": None}
    for args, env in (
        ([], {}),
        (["--database-url", client.url], none),
        (["--config", path], none),
        ([], {**none, "TENANTRY_CONFIG": path}),
    ):
        assert client.tenantry("status", *args, env=env)["state"] == "external", args
    # A flag wins over the environment.
    client.tenantry(
        "status", "--database-url", client.url, env={"TENANTRY_DATABASE_URL": "postgresql:///?host=/nowhere"}
    )


def test_a_missing_createrole_is_named_and_its_statement_mends_it():
    client = Client(rights="NOCREATEROLE")
    error = client.refused("pg_right_missing", "up", says=["CREATEROLE", client.name])
    client.sql(statement_of(error))
    client.tenantry("up")
    client.create("acme")


def test_a_missing_create_on_the_database_is_named_and_its_statement_mends_it():
    client = Client(grants=None)
    error = client.refused("pg_right_missing", "up", says=["CREATE", client.name])
    client.sql(statement_of(error))
    client.tenantry("up")
    client.create("acme", "trading")


def test_a_database_closed_to_public_is_named_and_its_statement_mends_it():
    client = Client(grants="GRANT CREATE, CONNECT ON DATABASE {0} TO {0}; REVOKE CONNECT ON DATABASE {0} FROM PUBLIC")
    error = client.refused("pg_right_missing", "up", says=["CONNECT", client.name])
    client.sql(statement_of(error))
    client.tenantry("up")
    assert harness.psql(client.create("acme")["app"], "SELECT 1") == "1"


def test_a_right_taken_away_later_is_named_by_up_and_by_create():
    client = Client()
    client.tenantry("up", "--ready-logins=0")
    client.sql("REVOKE CREATE ON DATABASE {0} FROM {0}".format(client.name))
    create = ["tenant", "create", "acme", "--blueprint", "trading", "--ready-logins=0"]
    for args in (["up"], create):
        error = client.refused("pg_right_missing", *args, says=["lacks CREATE on database", client.name])
        assert statement_of(error) == 'GRANT CREATE ON DATABASE "{0}" TO "{0}"'.format(client.name), error
    client.sql(statement_of(error))
    client.sql("ALTER ROLE %s NOCREATEROLE" % client.name)
    for args in (["up"], ["tenant", "create", "north", "--blueprint", "saas", "--ready-logins=0"]):
        error = client.refused("pg_right_missing", *args, says=["lacks CREATEROLE", client.name])
        assert "CREATEROLE" in statement_of(error), error
    client.sql(statement_of(error))
    client.sql("REVOKE CONNECT ON DATABASE {0} FROM PUBLIC; GRANT CONNECT ON DATABASE {0} TO {0}".format(client.name))
    error = client.refused("pg_right_missing", "up", says=["PUBLIC may not connect"])
    client.sql(statement_of(error))
    client.tenantry("up")


def test_a_role_that_may_not_connect_is_told_all_that_it_needs():
    client = Client()
    client.sql("REVOKE CONNECT ON DATABASE %s FROM PUBLIC" % client.name)
    client.sql(statement_of(client.refused("pg_right_missing", "up", says=["permission denied for database"])))
    client.tenantry("up")


def test_a_refused_up_leaves_nothing_behind():
    client = Client(grants=None)
    before = client.sql("SELECT count(*) FROM pg_roles; SELECT count(*) FROM pg_namespace")
    client.refused("pg_right_missing", "up")
    assert client.sql("SELECT count(*) FROM pg_roles; SELECT count(*) FROM pg_namespace") == before


# What an owner of the database who is nobody else can prepare before the first "up": the control schema's names, with a
# function of his behind them.
TRAP = """CREATE SCHEMA tenantry; GRANT USAGE ON SCHEMA tenantry TO PUBLIC;
CREATE FUNCTION tenantry.trap() RETURNS text LANGUAGE plpgsql AS
    $f$ BEGIN GRANT {role}, pg_execute_server_program TO {owner}; RETURN 'x'; END $f$;
CREATE VIEW tenantry.installation AS SELECT gen_random_uuid() AS id, tenantry.trap() AS tenants_role, 'x' AS audit_role;
CREATE TABLE tenantry.migrations (version bigint, name text, sha256 text);
CREATE TABLE tenantry.keys (id text, state text);
CREATE TABLE tenantry.secrets (name text, key_id text, sealed bytea);
GRANT SELECT ON ALL TABLES IN SCHEMA tenantry TO PUBLIC;"""


def owned_by_another():
    """A client whose database belongs to a role without any right on the server, and what runs SQL as that one."""
    client = Client()
    owner = client.name + "_owner"
    client.pg.sql("CREATE ROLE {0}; ALTER DATABASE {1} OWNER TO {0}".format(owner, client.name))
    return client, owner, lambda sql: client.sql("SET SESSION AUTHORIZATION %s;\n%s" % (owner, sql))


def test_control_schemas_that_another_role_made_are_never_used():
    client, owner, as_owner = owned_by_another()
    as_owner(TRAP.format(role=client.name, owner=owner))
    for args in (
        ["status"],
        ["up"],
        ["tenant", "list"],
        ["tenant", "create", "acme", "--blueprint", "saas"],
        ["audit", "verify"],
        ["blueprint", "list"],
    ):
        error = client.refused("not_installed", *args, says=['"tenantry"', owner, "drop or rename"])
        assert error["sqlstate"] is None, "nothing in it was asked"
    as_owner("DROP SCHEMA tenantry CASCADE")
    for schema in ("tenancy", "tenancy_guards", "tenancy_kept", "tenantry_audit"):
        as_owner("CREATE SCHEMA " + schema)
        client.refused("not_installed", "up", says=['"%s"' % schema, owner, "drop or rename"])
        client.refused("not_installed", "status")
        as_owner("DROP SCHEMA " + schema)
    client.sql("CREATE SCHEMA tenantry AUTHORIZATION " + client.name)
    client.refused("not_installed", "up", says=["exists already", "drop or rename"])
    client.sql("DROP SCHEMA tenantry")
    assert client.sql("SELECT count(*) FROM pg_auth_members WHERE member = '%s'::regrole" % owner) == "0"
    client.tenantry("up")
    client.create("acme")


def test_a_control_schema_whose_owner_was_changed_is_not_used():
    client, owner, as_owner = owned_by_another()
    client.tenantry("up")
    for schema in ("tenancy", "tenantry"):
        client.sql("ALTER SCHEMA %s OWNER TO %s" % (schema, owner))
        client.refused("not_installed", "status", says=['"%s"' % schema, owner])
        client.refused("not_installed", "up", says=['"%s"' % schema, owner])
        client.env["TENANTRY_DATABASE_URL"] = client.pg.superuser(client.name)
        client.refused("not_installed", "status", says=['"%s"' % schema, owner])
        client.env["TENANTRY_DATABASE_URL"] = client.url
        client.sql("ALTER SCHEMA %s OWNER TO %s" % (schema, client.name))
    assert client.tenantry("status")["state"] == "external"
    superuser = {"TENANTRY_DATABASE_URL": client.pg.superuser(client.name)}
    assert client.tenantry("status", env=superuser)["state"] == "external", "a superuser may look at a control role's"
    client.sql("DROP SCHEMA tenancy_kept CASCADE; DELETE FROM tenantry.migrations WHERE version >= 8")
    as_owner("CREATE SCHEMA tenancy_kept")
    client.refused("pg_failed", "up", says=['"tenancy_kept" already exists', "drop or rename"])


# What an operator may have set for the role or the database, for other programs. A session is idle, too, between its login
# and its set-up: time for that.
ODD_SETTINGS = """DateStyle 'German, DMY'
IntervalStyle iso_8601
TimeZone 'Asia/Tokyo'
array_nulls off
backslash_quote on
bytea_output escape
check_function_bodies off
client_encoding LATIN1
client_min_messages debug1
default_transaction_deferrable on
default_transaction_isolation serializable
default_transaction_read_only on
escape_string_warning off
exit_on_error on
extra_float_digits -15
gin_fuzzy_search_limit 1
idle_in_transaction_session_timeout 1
idle_session_timeout 500
lock_timeout 1
plpgsql.check_asserts off
plpgsql.extra_errors 'all'
plpgsql.extra_warnings 'all'
quote_all_identifiers on
row_security off
search_path traps, pg_catalog
standard_conforming_strings off
synchronize_seqscans off
transform_null_equals on
xmlbinary hex
xmloption document""".splitlines()


def test_settings_of_role_and_database_change_nothing():
    client, owner, as_owner = owned_by_another()
    as_owner("""CREATE SCHEMA traps; GRANT USAGE ON SCHEMA traps TO {role};
        CREATE FUNCTION traps.eq(name, text) RETURNS boolean LANGUAGE plpgsql AS
            $f$ BEGIN GRANT {role} TO {owner}; RETURN true; END $f$;
        CREATE OPERATOR traps.= (LEFTARG = name, RIGHTARG = text, FUNCTION = traps.eq)""".format(
            role=client.name, owner=owner))
    for setting in ODD_SETTINGS:
        name, _, value = setting.partition(" ")
        client.pg.sql("ALTER ROLE %s SET %s = %s" % (client.name, name, value))
    client.pg.sql("GRANT {0} TO {1}; ALTER ROLE {1} SET role = {0}".format(owner, client.name))
    for setting in ("bytea_output = escape", "DateStyle = 'SQL, DMY'", "quote_all_identifiers = on"):
        as_owner("ALTER DATABASE %s SET %s" % (client.name, setting))
    client.tenantry("up")
    assert client.sql("SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'tenantry'") == client.name
    for name in ("role", "row_security", "search_path"):  # of which the rules of isolation have their own opinion
        client.pg.sql("ALTER ROLE %s RESET %s" % (client.name, name))
    for slug, blueprint in (("rows", "saas"), ("schema", "trading"), ("guarded", "nfe")):
        client.create(slug, blueprint)
    for tenant in client.tenantry("tenant", "list")["tenants"]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]+\+00:00", tenant["created"]), tenant
    report = client.tenantry("isolation", "verify")
    assert report["is_isolated"], report["findings"]
    assert client.tenantry("audit", "verify")["is_whole"]
    client.tenantry("key", "rotate")
    client.tenantry("tenant", "rotate", "rows")
    assert client.tenantry("audit", "verify")["is_whole"]
    assert client.tenantry("migrate", "verify")["drifted"] == 0
    assert client.sql("SELECT count(*) FROM pg_auth_members WHERE member = '%s'::regrole" % owner) == "0"


def test_a_session_without_triggers_is_refused():
    client = shared_client()
    client.pg.sql("ALTER ROLE %s SET session_replication_role = replica" % client.name)
    error = client.refused("config_invalid", "tenant", "list", says=["run no triggers"])
    client.pg.sql(statement_of(error))
    client.tenantry("tenant", "list")


def test_an_odd_name_of_role_and_database_is_quoted():
    pg = postgres()
    pg.sql("CREATE ROLE \"odd \"\"role\" LOGIN PASSWORD '%s'" % PASSWORD)
    pg.sql("CREATE DATABASE \"odd 'base\"")
    client = Client()
    client.env["TENANTRY_DATABASE_URL"] = "postgresql://odd%%20%%22role@/odd%%20%%27base?host=%s" % pg.folder
    for _ in range(2):
        pg.sql(statement_of(client.refused("pg_right_missing", "up")))
    client.tenantry("up")
    assert harness.psql(client.create("acme")["app"], "SELECT 1") == "1"


def test_a_database_that_is_not_in_utf8_is_refused_with_the_statement_for_one_that_is():
    client = Client()
    for encoding in ("LATIN1", "SQL_ASCII"):
        name = "%s_%s" % (client.name, encoding.lower())
        client.pg.sql("CREATE DATABASE %s TEMPLATE template0 ENCODING '%s' LOCALE 'C'" % (name, encoding))
        client.pg.sql("GRANT CREATE ON DATABASE %s TO %s" % (name, client.name))
        env = {"TENANTRY_DATABASE_URL": client.url.replace("/%s?" % client.name, "/%s?" % name)}
        count = "SELECT count(*) FROM pg_roles; SELECT count(*) FROM pg_namespace"
        before = client.pg.sql(count, name)
        error = client.refused("config_invalid", "up", env=env, says=['"%s"' % name, encoding, "UTF8 was expected"])
        assert client.pg.sql(count, name) == before
        client.pg.sql("ALTER DATABASE {0} RENAME TO {0}_old".format(name))
        client.pg.sql(re.search("CREATE DATABASE [^;]*", error["hint"]).group(0))
        client.pg.sql("GRANT CREATE ON DATABASE %s TO %s" % (name, client.name))
        client.tenantry("up", env=env)
        client.tenantry("tenant", "create", "kanji", "--blueprint", "saas", "--name", "漢字", env=env)
        assert client.tenantry("tenant", "show", "kanji", env=env)["name"] == "漢字"


def test_before_up_every_operation_says_to_run_it():
    client = Client()
    for args in (
        ["tenant", "list"],
        ["audit", "verify"],
        ["tenant", "create", "acme", "--blueprint", "saas"],
        ["status"],
    ):
        client.refused("not_installed", *args, says=["up"])


def test_a_wrong_password_is_told_at_once():
    client = shared_client()
    result = client.tenantry("tenant", "list", json=False, expect=None, env={"PGPASSWORD": "wrong-secret"})
    assert result.status == 69 or result.status == 77, result.text()
    assert "password authentication failed" in result.err and "wrong-secret" not in result.err, result.text()
    assert "trying again" not in result.err, "a password does not become right: " + result.err


def test_a_wrong_database_or_role_is_told_at_once():
    client = shared_client()
    for url, code, says in (
        ("postgresql://%s@/not-here?host=%s" % (client.name, client.pg.folder), "config_invalid", "not-here"),
        ("postgresql://nobody@/%s?host=%s" % (client.name, client.pg.folder), "pg_right_missing", "nobody"),
    ):
        result = client.tenantry("tenant", "list", expect=None, env={"TENANTRY_DATABASE_URL": url})
        error = check_refusal(result, code, says)
        assert "trying again" not in result.err, result.text()
        assert code != "config_invalid" or 'CREATE DATABASE "not-here"' in error["hint"], error


class Refusing:
    """A server that refuses each client with a SQLSTATE and a message, in whatever language."""

    def __init__(self, sqlstate, message):
        self.folder = _stack.enter_context(harness.temporary_folder())
        fields = "SFATAL\0VFATAL\0C%s\0M%s\0Fauth.c\0L339\0Rauth_failed\0\0" % (sqlstate, message)
        self.answer = b"E" + struct.pack("!I", len(fields.encode()) + 4) + fields.encode()
        self.clients = 0
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.folder + "/.s.PGSQL.5432")
        self.socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                self.clients += 1
                client.recv(4096)
                client.sendall(self.answer)
                client.close()

    @property
    def env(self):
        return {"TENANTRY_DATABASE_URL": "postgresql://platform@/app?host=" + self.folder}


def test_a_refusal_is_understood_in_any_language():
    client = shared_client()
    for sqlstate, message, code, hint, tries in (
        ("28P01", "Passwort-Authentifizierung für Benutzer »platform« fehlgeschlagen", "pg_right_missing", "PGPASSWORD", 1),
        ("28000", "kein pg_hba.conf-Eintrag für Host »[local]«", "pg_right_missing", "role exists and has LOGIN", 1),
        ("3D000", "Datenbank »app« existiert nicht", "config_invalid", 'CREATE DATABASE "app"', 1),
        ("42501", "keine Berechtigung für Datenbank »app«", "pg_right_missing", 'CONNECT ON DATABASE "app" TO "platform" WITH', 1),
        ("53300", "tut mir leid, schon zu viele Verbindungen", "pg_unavailable", "max_connections", 2),
        ("57P03", "das Datenbanksystem startet", "pg_unavailable", "starting", 2),
        ("XX000", "etwas ging schief", "pg_unavailable", "look at its log", 2),
    ):
        server = Refusing(sqlstate, message)
        result = client.tenantry("tenant", "list", "--retries", "1", expect=None, env=server.env)
        error = check_refusal(result, code, "FATAL:  " + message, hint)
        assert sqlstate not in error["message"] and "LOCATION" not in error["message"], error
        assert server.clients == tries, (sqlstate, server.clients)


def test_a_missing_password_is_told_at_once():
    client = shared_client()
    result = client.tenantry("tenant", "list", json=False, expect=None, env={"PGPASSWORD": None})
    assert result.status == harness.exit_statuses()["pg_right_missing"], result.text()
    assert "PGPASSWORD" in result.err and "trying again" not in result.err, result.text()


def test_no_server_is_told_after_as_many_tries_as_wanted():
    client = shared_client()
    for retries in (0, 1, 2):
        start = time.monotonic()
        result = client.tenantry(
            "tenant",
            "list",
            "--retries",
            str(retries),
            json=False,
            expect=None,
            env={"TENANTRY_DATABASE_URL": "postgresql://x@/x?host=/nonexistent"},
        )
        assert result.status == harness.exit_statuses()["pg_unavailable"], result.text()
        assert result.err.count("trying again") == retries, result.text()
        assert time.monotonic() - start < 15
    pauses = [float(p) for p in re.findall(r"in ([\d.]+) ?m?s", result.err)]
    assert pauses == sorted(pauses) and len(pauses) == 2, result.err


def test_a_server_that_does_not_answer_is_given_up_in_time():
    import socket  # only here

    client = shared_client()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        url = "postgresql://x@127.0.0.1:%d/x" % silent.getsockname()[1]
        start = time.monotonic()
        client.refused(
            "pg_unavailable",
            "tenant",
            "list",
            "--retries=0",
            "--connect-timeout=300ms",
            env={"TENANTRY_DATABASE_URL": url},
        )
        assert time.monotonic() - start < 5


def test_a_url_that_is_none_is_refused_without_printing_its_password():
    client = shared_client()
    for url in (
        "postgresql://u:hidden-word@h:port/x",
        "postgresql://u:hidden-word@h/x?nothing=1",
        "postgresql://u:hidden-word@[::1/x",
        "postgresql://u:hidden-word/rest@h/x",
        "postgresql://u:5/hidden-word@h/x",
        "postgresql://u:hidden-word@h/x?hidden-word",
        "postgresql://u:hidden-word%zz@h/x",
        "postgresql://u:hidden-word@h/x?sslmode=bad",
        "postgres:/u:hidden-word@h/x",
        "mysql://u:hidden-word@h/x",
        "host=h password=a hidden-word dbname=x",
        "password='hidden-word",
        "hidden-word",
        "'",
    ):
        result = client.tenantry("tenant", "list", "-v", expect=None, env={"TENANTRY_DATABASE_URL": url})
        assert result.status == harness.exit_statuses()["config_invalid"], (url, result.text())
        assert "hidden-word" not in result.out + result.err and "trying again" not in result.err, result.text()
        assert result.error()["error"]["hint"], (url, result.text())


def test_a_password_in_the_url_is_not_shown():
    client = shared_client()
    url = client.url.replace("@/", ":%s@/" % PASSWORD)
    env = {"TENANTRY_DATABASE_URL": url, "PGPASSWORD": None}
    assert client.tenantry("tenant", "list", env=env)["tenants"]
    for args in (
        ["config", "show"],
        ["status"],
        ["up"],
        ["tenant", "show", "acme", "--connection"],
        ["tenant", "list", "-v"],
    ):
        result = client.tenantry(*args, json=False, env=env)
        assert PASSWORD not in result.out + result.err, result.text()


def test_down_is_not_for_a_server_of_others():
    shared_client().refused("usage", "down", says=["external"])


def test_variables_of_libpq_do_not_break_or_redirect():
    client = shared_client()
    wild = {
        "PGOPTIONS": "-c search_path=pg_temp -c statement_timeout=1 -c default_transaction_read_only=on",
        "PGHOSTADDR": "192.0.2.1",
        "PGHOST": "/nonexistent",
        "PGUSER": "nobody",
        "PGDATABASE": "nothere",
        "PGAPPNAME": "x",
        "PGTZ": "Asia/Tokyo",
        "PGDATESTYLE": "German",
        "PGCLIENTENCODING": "LATIN1",
        "PGTARGETSESSIONATTRS": "standby",
        "PGCONNECT_TIMEOUT": "x",
        "PGSERVICE": "nothere",
        "PGSSLMODE": "verify-full",
        "PGGEQO": "off",
    }
    for name, value in wild.items():
        result = client.tenantry("tenant", "list", json=False, env={name: value}, expect=None)
        assert result.status == 0, (name, result.text())
    client.tenantry(
        "tenant",
        "rotate",
        "acme",
        env={"PGOPTIONS": wild["PGOPTIONS"], "PGDATESTYLE": "German", "PGTZ": "Asia/Tokyo"},
    )
    assert client.tenantry("audit", "verify", env={"PGDATESTYLE": "German", "PGTZ": "Asia/Tokyo"})["is_whole"]


def test_variables_of_libpq_do_not_reach_the_embedded_server():
    with harness.Server(
        env={
            "PGPASSWORD": "wrong",
            "PGHOSTADDR": "192.0.2.1",
            "PGHOST": "/nonexistent",
            "PGSERVICE": "nothere",
            "PGOPTIONS": "-c statement_timeout=1",
            "PGUSER": "nobody",
            "PGPASSFILE": "/nonexistent",
            "PGPORT": "1",
            "PGDATA": "/nonexistent",
            "PGTARGETSESSIONATTRS": "standby",
            "PGCHANNELBINDING": "require",
            "PGREQUIREPEER": "nobody",
        }
    ) as server:
        server.up()
        assert server.create("acme", "saas")["state"] == "active"
        assert server.tenantry("status")["state"] == "running"


# --- connection strings of tenants ---


def test_tenants_get_the_hosts_and_the_tls_of_the_operator_and_nothing_else():
    client = shared_client()
    hosts = "/nonexistent,%s" % client.pg.folder
    carried = {
        "host": hosts.replace("/", "%2F"),
        "port": "5433,5432",
        "sslmode": "verify-full",
        "sslrootcert": "%2Fetc%2Four%20c.pem",
        "sslcrl": "%2Fetc%2Fcrl.pem",
        "sslcrldir": "%2Fetc%2Fcrls",
        "ssl_min_protocol_version": "TLSv1.3",
        "channel_binding": "disable",
        "target_session_attrs": "read-write",
    }
    dropped = {
        "application_name": "operator",
        "connect_timeout": "7",
        "options": "-c%20work_mem%3D8MB",
        "passfile": "%2Fnonexistent",
        "password": PASSWORD,
        "sslcert": "%2Fetc%2Foperator.pem",
        "sslkey": "%2Fetc%2Foperator.key",
    }
    query = "&".join("%s=%s" % pair for pair in [*carried.items(), *dropped.items()])
    env = {"TENANTRY_DATABASE_URL": "postgresql://%s@/%s?%s" % (client.name, client.name, query), "PGPASSWORD": None}
    shown = client.tenantry("tenant", "show", "acme", "--connection", env=env)["connections"]
    for connection in shown:
        start, _, rest = connection["uri"].partition("?")
        assert start == "postgresql://%s@/%s" % (connection["role"], client.name), connection
        assert rest == "&".join("%s=%s" % pair for pair in carried.items()), connection
    made = client.create("hosts", env=env)
    assert harness.psql(made["app"], "SELECT current_user LIKE 'tenant%'") == "t"
    assert client.tenantry("isolation", "verify", "hosts", env=env)["is_isolated"]
    plain = client.tenantry("tenant", "show", "acme", "--connection")["connections"][0]
    folder = client.pg.folder.replace("/", "%2F")
    assert plain["uri"] == "postgresql://%s@/%s?host=%s&port=5432" % (plain["role"], client.name, folder)


# --- the master key ---


def test_a_key_from_the_environment_makes_no_file():
    client = Client(key=KEY)
    assert client.tenantry("up")["master_key_file"] is None
    client.create("acme")
    assert not os.path.exists(client.key_file)
    assert KEY not in client.tenantry("config", "show", json=False).out
    client.refused("key_missing", "tenant", "credentials", "acme", env={"TENANTRY_MASTER_KEY": None})
    assert not os.path.exists(client.key_file), "an installation that has a key gets no second one"


def test_up_with_a_lost_key_makes_no_new_one():
    client = Client()
    client.tenantry("up")
    os.rename(client.key_file, client.key_file + ".lost")
    result = client.tenantry("up", expect=None)
    check_refusal(result, "key_missing")
    assert result.json()["is_key_new"] is False, "the server is up all the same"
    assert not os.path.exists(client.key_file)
    os.rename(client.key_file + ".lost", client.key_file)
    client.tenantry("up")


def give_key_file(client, mode):
    os.mkdir(client.folder + "/data")
    with open(client.key_file, "w", encoding="utf-8") as f:
        f.write(KEY + "\n")
    os.chmod(client.key_file, mode)


def keys_in(path):
    with open(path, encoding="utf-8") as f:
        return [line.split()[0] for line in f if not line.startswith("#")]


def active_key(client):
    return next(key["id"] for key in client.tenantry("key", "list")["keys"] if key["state"] == "active")


def test_a_given_key_file_is_not_called_new():
    """One that may not be written is given to be used as it is."""
    client = Client()
    give_key_file(client, 0o400)
    assert client.tenantry("up")["is_key_new"] is False
    assert keys_in(client.key_file) == [KEY]
    client.create("acme")
    client.refused("data_dir_unusable", "key", "rotate", says=[client.key_file])
    assert keys_in(client.key_file) == [KEY]
    os.chmod(client.key_file, 0o600)
    client.tenantry("job", "resume", str(client.tenantry("job", "list", "--state", "failed")["jobs"][0]["id"]))
    assert len(keys_in(client.key_file)) == 1 and keys_in(client.key_file) != [KEY]
    assert client.tenantry("tenant", "credentials", "acme")["connections"]


def test_an_installation_adds_a_key_of_its_own_to_a_file_that_is_there():
    client = Client()
    give_key_file(client, 0o600)
    assert client.tenantry("up")["is_key_new"] is True
    keys = keys_in(client.key_file)
    assert keys[0] == KEY and len(keys) == 2, "what was there stays"
    client.create("acme")
    client.refused("key_wrong", "tenant", "credentials", "acme", env={"TENANTRY_MASTER_KEY": KEY})
    assert client.tenantry("tenant", "credentials", "acme", env={"TENANTRY_MASTER_KEY": keys[1]})["connections"]


def owner_of(path):
    status = os.stat(path)
    return pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid).gr_name, status.st_mode & 0o777


def test_root_leaves_the_key_file_to_its_owner():
    """Who works with the installation as another user can read it after each change by root."""
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        harness.skip("only root writes the files of others")
    client = Client()
    give_key_file(client, 0o600)
    shutil.chown(client.key_file, "nobody", "nogroup")
    his = ("nobody", "nogroup", 0o600)
    client.tenantry("up")
    keys = keys_in(client.key_file)
    assert len(keys) == 2 and owner_of(client.key_file) == his, owner_of(client.key_file)
    client.create("acme")
    # Without the right to give files away nothing is replaced, and no key made active that only root could read.
    active = active_key(client)
    without = harness.run(["setpriv", "--bounding-set", "-chown", harness.BINARY, "key", "rotate", "--json"], client.env, None)
    error = check_refusal(without, "data_dir_unusable", client.key_file, "user nobody")
    assert error["hint"] == "run this as user nobody", error
    assert keys_in(client.key_file) == keys and active_key(client) == active
    assert os.listdir(os.path.dirname(client.key_file)) == ["master.key"]
    client.tenantry("job", "resume", str(client.tenantry("job", "list", "--state", "failed")["jobs"][0]["id"]))
    assert active_key(client) != active and owner_of(client.key_file) == his, owner_of(client.key_file)
    client.tenantry("key", "rotate")
    assert owner_of(client.key_file) == his, owner_of(client.key_file)
    assert client.tenantry("tenant", "credentials", "acme")["connections"]


def test_a_rotation_leaves_the_keys_of_other_installations_in_the_file():
    """Two databases, one data directory: the key file has a key of each, whoever rotates."""
    first, second = Client(), Client()
    second.env["TENANTRY_DATA_DIR"] = first.env["TENANTRY_DATA_DIR"]
    clients = {"first": first, "second": second}
    for slug, client in clients.items():
        client.tenantry("up")
        client.create(slug)
    for rotating, other in ((first, second), (second, first), (first, second)):
        before = active_key(rotating), active_key(other)
        rotating.tenantry("key", "rotate")
        assert active_key(rotating) not in before and active_key(other) == before[1]
        for slug, client in clients.items():
            assert client.tenantry("tenant", "credentials", slug)["connections"]
            assert client.tenantry("audit", "verify")["is_whole"]
            assert client.tenantry("status")["master_key"] == "ok"
        assert len(keys_in(first.key_file)) == 2


def test_a_rotation_takes_no_key_from_the_environment_that_may_be_anothers():
    client = Client(key=KEY)
    client.tenantry("up")
    several = {"TENANTRY_MASTER_KEY": "\n".join((KEY, OTHER_KEY, "ab" * 32))}
    client.refused("key_wrong", "key", "rotate", env=several, says=["2 keys"])
    job = client.tenantry("job", "list", "--state", "failed")["jobs"][0]["id"]
    client.tenantry("job", "resume", str(job), env={"TENANTRY_MASTER_KEY": KEY + "\n" + OTHER_KEY})
    assert client.tenantry("status", env={"TENANTRY_MASTER_KEY": OTHER_KEY})["master_key"] == "ok"


def test_a_lost_key_stops_what_needs_secrets_and_nothing_else():
    client = shared_client()
    hidden = {"TENANTRY_MASTER_KEY_FILE": client.folder + "/nothing.key"}
    for args in (
        ["tenant", "credentials", "acme"],
        ["tenant", "rotate", "acme"],
        ["audit", "verify"],
        ["key", "rotate"],
        ["tenant", "create", "lost", "--blueprint", "saas"],
    ):
        error = client.refused("key_missing", *args, env=hidden)
        assert "nothing.key" in error["message"] and error["hint"], error
    assert client.tenantry("tenant", "list", env=hidden)["tenants"]
    assert client.tenantry("status", env=hidden)["master_key"] == "key_missing"
    client.tenantry("up")
    assert harness.psql(client.create("after-lost")["app"], "SELECT 1") == "1"


def test_a_wrong_key_is_an_error_and_never_garbage():
    client = shared_client()
    for args in (
        ["tenant", "credentials", "acme"],
        ["tenant", "rotate", "acme"],
        ["audit", "verify"],
        ["key", "rotate"],
        ["up"],
    ):
        result = client.tenantry(*args, expect=None, env={"TENANTRY_MASTER_KEY": OTHER_KEY})
        check_refusal(result, "key_wrong")
        assert (result.out == "" or args == ["up"]) and OTHER_KEY not in result.err, result.text()
    assert client.tenantry("status", env={"TENANTRY_MASTER_KEY": OTHER_KEY})["master_key"] == "key_wrong"


def test_a_key_that_is_none_is_refused_without_being_printed():
    client = shared_client()
    for text in ("x", "secretword" * 6, KEY[:-1], KEY + "0", KEY[:-1] + "g", KEY + "\nrubbish-line", "é" * 64):
        result = client.tenantry("audit", "verify", expect=None, env={"TENANTRY_MASTER_KEY": text})
        assert result.status == 78, result.text()
        assert text[:20] not in result.err or len(text) < 20, result.text()


def test_a_key_file_that_others_may_read_is_refused():
    client = shared_client()
    os.chmod(client.key_file, 0o644)
    try:
        result = client.tenantry("audit", "verify", expect=None)
        check_refusal(result, "data_dir_unusable", "0644", "chmod 600 " + client.key_file)
    finally:
        os.chmod(client.key_file, 0o600)
    assert client.tenantry("audit", "verify")["is_whole"]


def test_a_key_file_of_garbage_names_the_file_and_the_line():
    client = shared_client()
    path = client.folder + "/garbage.key"
    for content, line in (
        (b"\x00\x01\x02" * 30, "1"),
        (b"# fine\n" + KEY.encode() + b"\nnonsense\n", "3"),
        (b"", ""),
        (b"\xff" * 100000, ""),
        (b"# only a comment\n", ""),
    ):
        with open(path, "wb") as f:
            f.write(content)
        os.chmod(path, 0o600)
        result = client.tenantry("audit", "verify", expect=None, env={"TENANTRY_MASTER_KEY_FILE": path})
        assert result.status in (78, 65) and "garbage.key" in result.err, result.text()
        assert not line or (":" + line) in result.err or ("line " + line) in result.err, result.text()
    os.remove(path)
    os.mkdir(path)
    result = client.tenantry("audit", "verify", expect=None, env={"TENANTRY_MASTER_KEY_FILE": path})
    assert result.status in (78, 73) and "garbage.key" in result.err, result.text()


def test_after_a_rotation_everything_opens_and_old_copies_are_useless():
    client = Client()
    client.tenantry("up")
    logins = client.create("acme")
    shutil.copy(client.key_file, client.folder + "/old.key")
    old_rows = client.sql("SELECT role_name, key_id, encode(sealed, 'hex') FROM tenantry.credentials").split("\n")
    client.tenantry("key", "rotate")
    states = sorted(key["state"] for key in client.tenantry("key", "list")["keys"])
    assert states == ["active", "retired"], states
    shown = {c["login"]: c["uri"] for c in client.tenantry("tenant", "credentials", "acme")["connections"]}
    assert shown == logins
    assert client.tenantry("audit", "verify")["is_whole"]
    client.refused(
        "key_wrong", "tenant", "credentials", "acme", env={"TENANTRY_MASTER_KEY_FILE": client.folder + "/old.key"}
    )
    new_rows = client.sql("SELECT role_name, key_id, encode(sealed, 'hex') FROM tenantry.credentials").split("\n")
    assert not set(old_rows) & set(new_rows)
    assert os.stat(client.key_file).st_mode & 0o777 == 0o600
    role, key_id, sealed = old_rows[0].split("|")
    client.sql(
        "UPDATE tenantry.credentials SET key_id = '%s', sealed = decode('%s', 'hex') WHERE role_name = '%s'"
        % (key_id, sealed, role)
    )
    result = client.tenantry("tenant", "credentials", "acme", expect=None)
    assert result.status != 0 and result.out == "" and role in result.err, result.text()


def test_a_key_from_the_environment_is_rotated_with_two_lines():
    client = Client(key=KEY)
    client.tenantry("up")
    logins = client.create("acme")
    client.refused("key_missing", "key", "rotate", says=["second line"])
    job = client.tenantry("job", "list", "--limit", "1")["jobs"][0]
    both = {"TENANTRY_MASTER_KEY": KEY + "\n" + OTHER_KEY}
    client.tenantry("job", "resume", str(job["id"]), env=both)
    new = {"TENANTRY_MASTER_KEY": OTHER_KEY}
    shown = {c["login"]: c["uri"] for c in client.tenantry("tenant", "credentials", "acme", env=new)["connections"]}
    assert shown == logins
    client.refused("key_wrong", "tenant", "credentials", "acme")
    assert client.tenantry("audit", "verify", env=new)["is_whole"]


def test_a_secret_moved_to_another_row_or_changed_does_not_open():
    client = Client()
    client.tenantry("up")
    client.create("one")
    client.create("two")
    swap = (
        "UPDATE tenantry.credentials c SET sealed = o.sealed FROM tenantry.credentials o JOIN tenantry.roles r ON r.name = o.role_name"
        " JOIN tenantry.roles m ON m.kind = r.kind AND m.tenant_id <> r.tenant_id WHERE m.name = c.role_name"
    )
    client.sql(swap)
    for slug in ("one", "two"):
        result = client.tenantry("tenant", "credentials", slug, expect=None)
        check_refusal(result, "secret_corrupt")
        assert result.out == ""
    client.sql(swap)
    client.tenantry("tenant", "credentials", "one")
    client.sql(
        "UPDATE tenantry.credentials SET sealed = set_byte(sealed, length(sealed) - 1, get_byte(sealed, length(sealed) - 1) # 1)"
    )
    error = client.refused("secret_corrupt", "tenant", "credentials", "one")
    rotate = re.search("tenantry (tenant rotate .*)$", error["hint"])
    assert rotate and rotate.group(1) == "tenant rotate one", error
    client.tenantry(*rotate.group(1).split())
    client.tenantry("tenant", "credentials", "one")


def test_a_control_schema_of_a_newer_program_is_refused():
    client = Client()
    client.tenantry("up")
    table = client.sql(
        "SELECT c.oid::regclass FROM pg_class c WHERE relname = 'migrations' AND relnamespace = 'tenantry'::regnamespace"
    )
    assert table, "where the versions are kept"
    client.sql(
        "INSERT INTO %s SELECT (jsonb_populate_record(m, '{\"version\": 9999}')).* FROM %s m ORDER BY version DESC LIMIT 1"
        % (table, table)
    )
    client.refused("not_installed", "tenant", "list", says=["newer"])
    refused_sql(client.pg.superuser(client.name), "SELECT 1/0", "division by zero")
    result = client.tenantry("up", expect=None)
    check_refusal(result, "not_installed", "newer")


if __name__ == "__main__":
    with _stack:
        harness.main()
