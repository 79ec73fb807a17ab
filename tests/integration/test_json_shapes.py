#!/usr/bin/env python3
"""Every operation is run for real, and its answer is held against the shape that it declares. This checker shares
nothing with the program's own."""
import functools
import json
import os
import re

import harness
import rollout_kit
from harness import shared_server

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WITHOUT_ANSWER = {"completion", "docs.errors", "docs.isolation", "docs.operations", "docs.options", "help", "man", "version"}
PACKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "packs")


def is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


CHECKS = {
    "text": lambda v: isinstance(v, str),
    "int": is_int,
    "number": lambda v: is_int(v) or isinstance(v, float),
    "bool": lambda v: isinstance(v, bool),
    "time": lambda v: isinstance(v, str) and TIME.fullmatch(v),
    "uuid": lambda v: isinstance(v, str) and UUID.fullmatch(v),
    "bytes": lambda v: is_int(v) and v >= 0,
    "sql": lambda v: isinstance(v, str),
    "texts": lambda v: isinstance(v, list) and all(isinstance(item, str) for item in v),
    "lines": lambda v: isinstance(v, list) and all(isinstance(item, str) for item in v),
    "map": lambda v: isinstance(v, dict) and not any(isinstance(item, (dict, list)) for item in v.values()),
    "object": lambda v: isinstance(v, dict),
    "list": lambda v: isinstance(v, list),
}


def problems(fields, answer, path):
    """What is wrong with an object, as sentences."""
    if not isinstance(answer, dict):
        return ["%s is no object: %r" % (path, answer)]
    found = ["%s.%s is not declared" % (path, name) for name in answer if name not in {f["name"] for f in fields}]
    for field in fields:
        where = "%s.%s" % (path, field["name"])
        if field["name"] not in answer:
            found.append(where + " is missing")
            continue
        value = answer[field["name"]]
        if value is None and field["is_nullable"]:
            continue
        if not CHECKS[field["type"]](value):
            found.append("%s is no %s: %r" % (where, field["type"], value))
        elif field["type"] == "object":
            found += problems(field["fields"], value, where)
        elif field["type"] == "list":
            for number, item in enumerate(value):
                found += problems(field["fields"], item, "%s[%d]" % (where, number))
    return found


@functools.lru_cache(maxsize=None)
def shapes():
    return {op["name"]: op["result"] for op in harness.tenantry("docs", "operations")["operations"]}


covered = set()


def ask(name, *args, expect=0, env=None):
    """Runs an operation and checks its answer."""
    result = shared_server().tenantry(*name.split("."), *args, "--json", json=False, expect=expect, env=env)
    return check_answer(name, result.json())


def check_answer(name, answer):
    found = problems(shapes()[name], answer, name)
    assert not found, "\n".join(found)
    covered.add(name)
    return answer


def interrupted_job(slug):
    """The number of a job as a crash leaves it."""
    return shared_server().psql(
        "INSERT INTO tenantry.jobs (token, operation, subject, args, state, steps_total, actor) VALUES (gen_random_uuid(),"
        " 'tenant.create', '{0}', '{{\"slug\": \"{0}\", \"blueprint\": \"saas\"}}', 'running', 3, 'os:root') RETURNING id".format(
            slug
        )
    )


def test_the_checker_finds_what_is_wrong():
    fields = [
        {"name": "a", "type": "int", "is_nullable": False, "fields": None},
        {
            "name": "b",
            "type": "list",
            "is_nullable": True,
            "fields": [{"name": "c", "type": "time", "is_nullable": False, "fields": None}],
        },
    ]
    assert problems(fields, {"a": 1, "b": None}, "") == []
    assert problems(fields, {"a": 1, "b": [{"c": "2026-11-21T01:24:00.1+00:00"}]}, "") == []
    for answer in (
        {"a": True, "b": None},
        {"a": None, "b": None},
        {"a": 1},
        {"a": 1, "b": None, "d": 2},
        {"a": 1.0, "b": []},
        {"a": 1, "b": [{"c": "2026-11-21 01:24"}]},
        {"a": 1, "b": [{}]},
        [],
    ):
        assert problems(fields, answer, ""), answer


def test_the_server_and_the_configuration():
    ask("up")
    ask("config.show")
    assert ask("status")["state"] == "running"


def test_the_life_of_a_tenant_in_both_tiers():
    for slug, blueprint in (("shape-row", "saas"), ("shape-schema", "trading")):
        ask("tenant.create", slug, "--blueprint", blueprint)
        ask("tenant.show", slug)
        assert ask("tenant.show", slug, "--connection")["connections"]
        ask("tenant.credentials", slug)
        ask("tenant.rotate", slug)
        ask("tenant.suspend", slug)
        ask("tenant.show", slug, "--connection")
        ask("tenant.resume", slug)
        assert ask("tenant.list")["tenants"]
        ask("tenant.archive", slug, "--drain-timeout", "0s")
        ask("tenant.show", slug)
        ask("tenant.purge", slug, "--yes")
        assert ask("tenant.list", "--state", "purged")["tenants"]


def test_blueprints():
    assert ask("blueprint.list")["blueprints"]
    assert ask("blueprint.stamp", "trading")["kind"] == "migrations"
    for name in ("saas", "trading"):
        ask("blueprint.show", name)
        ask("blueprint.lint", os.path.join(PACKS, name))
        ask("migrate.lint", os.path.join(PACKS, name))
        ask("migrate.plan", name)
        with harness.temporary_folder() as folder:
            harness.run(["cp", "-r", os.path.join(PACKS, name), folder + "/pack"])
            with open(folder + "/pack/blueprint.yaml", "r+", encoding="utf-8") as f:
                text = f.read().replace("name: ", "name: new_", 1)
                f.seek(0)
                f.write(text)
            assert ask("blueprint.add", folder + "/pack")["change"] == "recorded"
            assert ask("blueprint.add", folder + "/pack")["job"] is None
            ask("migrate.new", folder + "/pack", "more")
            ask("migrate.sign", folder + "/pack", "--new-key", folder + "/key")
            assert ask("migrate.lint", folder + "/pack", "--format", "sarif")["document"]
    with harness.temporary_folder() as folder:
        os.mkdir(folder + "/migrations")
        with open(folder + "/blueprint.yaml", "w", encoding="utf-8") as f:
            f.write(
                "name: bad\ntitle: Bad\ntiers: [row]\nplans:\n  one: {title: One, default: true, limits: {max_connections: 5}}\n"
            )
        with open(folder + "/migrations/V0001__x.sql", "w", encoding="utf-8") as f:
            f.write("CREATE TABLE x (id serial);\nSET ROLE y;\n")
        assert ask("blueprint.lint", folder, expect=None)["findings"]


def test_partitions():
    shared_server().create("parted", "trading")
    for place in (["--tenant", "parted"], ["--blueprint", "saas"]):
        assert ask("partition.list", *place)["partitions"]
    ask("partition.ensure")
    ask("partition.detach", "--tenant", "parted", "--table", "trades", "--before", "2026-01-01")


def test_spares():
    assert ask("spare.list")["spares"]
    assert ask("spare.fill", "trading", "--count", "2")["ready"] == 2
    assert ask("status")["spares"] == {"trading": 2}
    ask("spare.list", "--blueprint", "trading")
    assert ask("spare.drop", "--stale")["left"] == 2
    assert ask("spare.drop", "trading", "--all")["left"] == 0
    child = shared_server().spawn("spare", "keep", "--json")
    while ask("status")["keeper"] != child.pid:
        assert child.poll() is None
    child.terminate()
    check_answer("spare.keep", json.loads(child.communicate()[0]))
    ask("up", env={"TENANTRY_SPARES": "1"})
    ask("up")


def test_rollouts():
    vault = rollout_kit.Vault(shared_server(), "shapevault")
    vault.create("shape-roll-a", "shape-roll-b", "shape-roll-c")
    vault.add_column()
    vault.add_column()
    waves = ("--waves", "1,2,100%")
    assert ask("migrate.up", "shapevault", "--dry-run", *waves)["would_run"]
    flag = os.path.join(shared_server().folder, "gate")
    child = shared_server().spawn("migrate", "up", "shapevault", "--to", "2", *waves, "--json", "--gate",
                                  "until test -e %s; do sleep 0.1; done" % flag)
    rollout_kit.wait_until(lambda: sorted(vault.versions().values()) == [1, 1, 2], "the first wave is not done")
    number = str(ask("migrate.status")["rollouts"][0]["rollout"])
    ask("migrate.pause", number)
    with open(flag, "w", encoding="utf-8"):
        pass
    child.communicate()
    assert ask("migrate.resume", number)["done"] == 3
    vault.refused("up", *waves, "--gate", "false", code="gate_shut")
    ask("migrate.abort", str(ask("migrate.status", "shapevault")["rollouts"][0]["rollout"]))
    ask("migrate.up", "shapevault")
    ask("migrate.down", "shapevault", "--to", "1")
    vault.sql("shape-roll-a", "ALTER TABLE boxes ADD COLUMN extra_2 text")
    vault.migrate("up", "--max-failures", "1", "--waves", "100%")
    assert ask("migrate.status")["quarantine"]
    vault.sql("shape-roll-a", "ALTER TABLE boxes DROP COLUMN extra_2")
    assert ask("migrate.retry", "shapevault")["done"] == 1
    vault.sql("shape-roll-a", "ALTER TABLE boxes DROP COLUMN extra_3")
    known = ("shapevault", "--tenant", "shape-roll-a", "--at")
    assert ask("migrate.baseline", *known, "3", "--dry-run")["differences"]
    assert ask("migrate.baseline", *known, "2")["drifted"] == 0


def test_a_schema_that_is_adopted():
    server = shared_server()
    server.psql("CREATE SCHEMA shape_legacy; CREATE TABLE shape_legacy.boxes (id bigint PRIMARY KEY, what text, more text)")
    whom = ("shape_legacy", "--blueprint", "shapevault", "--slug", "shape-adopted", "--at", "1")
    answer = ask("tenant.adopt", *whom, "--dry-run")
    assert answer["statements"] and answer["differences"] and answer["changes"]
    assert ask("tenant.adopt", *whom, "--allow-drift")["connections"]


def test_jobs():
    assert ask("job.list")["jobs"]
    for job in ask("job.list", "--limit", "5")["jobs"]:
        ask("job.show", str(job["id"]))
    number = interrupted_job("shape-cancel")
    assert ask("job.show", number)["state"] == "interrupted"
    assert ask("up")["interrupted_jobs"] == 1
    ask("status")
    assert ask("job.cancel", number)["outcome"] == "cancelled"
    ask("job.show", number)
    ask("job.resume", interrupted_job("shape-resume"))
    interrupted_job("shape-all")
    interrupted_job("shape-resume")  # its slug is taken by now
    outcomes = [job["outcome"] for job in ask("job.resume", expect=None)["jobs"]]
    assert outcomes == ["done", "failed"], outcomes
    ask("job.list")


def test_a_limit_counts_jobs_of_the_state_that_was_asked_for():
    """A newer job that really runs (its lock is held) does not take an interrupted one's place."""
    server = shared_server()
    older, newer = interrupted_job("shape-older"), interrupted_job("shape-newer")
    with harness.Session(server.conninfo) as session:
        session.ask("SELECT pg_advisory_lock(hashtextextended(token::text, 0)) FROM tenantry.jobs WHERE id = %s;" % newer)
        assert ask("job.show", newer)["state"] == "running"
        for state, number in (("interrupted", older), ("running", newer)):
            jobs = ask("job.list", "--state", state, "--limit", "1")["jobs"]
            assert [str(job["id"]) for job in jobs] == [number], (state, jobs)
        server.refused("job_busy", "job", "resume", newer)
    for number in (older, newer):
        ask("job.cancel", number)


def test_keys_and_the_audit_log():
    assert ask("key.list")["keys"]
    ask("key.rotate")
    assert len(ask("key.list")["keys"]) == 2
    assert ask("audit.list")["entries"]
    ask("audit.list", "--limit", "1000", "--tenant", "shape-row")
    assert ask("audit.verify")["is_whole"]
    server = shared_server()
    server.psql(
        "SET session_replication_role = replica; UPDATE tenantry_audit.entries SET actor = 'x' WHERE seq = 1",
        server.superuser,
    )
    assert ask("audit.verify", expect=65)["findings"]


def test_isolation():
    server = shared_server()
    server.create("shape-leak", "trading")
    schema = server.psql("SELECT schema_name FROM tenantry.places p JOIN tenantry.tenants t ON t.place_id = p.id"
                         " WHERE t.slug = 'shape-leak'")
    ask("isolation.key")
    assert ask("isolation.rules")["checks"]
    ask("isolation.verify")
    ask("isolation.watch")
    server.psql("GRANT SELECT ON %s.trades TO PUBLIC" % schema, server.superuser)
    new = ask("isolation.watch", expect=76)["new"][0]
    finding = new["id"]
    assert ask("isolation.verify", "shape-leak", expect=76)["findings"]
    ask("isolation.accept", finding, "--reason", "for a test", "--definition", new["definition"])
    with harness.temporary_folder() as folder:
        report = folder + "/report.json"
        assert ask("isolation.verify", "--rules-only", "--report", report)["findings"][0]["accepted"]
        assert ask("isolation.check-report", report)["findings"] == 1
        with open(report, "a", encoding="utf-8") as f:
            f.write(" ")
        ask("isolation.check-report", report, expect=65)
    assert ask("isolation.list", "shape-leak")["findings"]
    ask("isolation.reopen", finding)
    assert ask("isolation.mend", finding, "--yes")["mended"] == 1
    assert ask("isolation.watch", "--rules-only")["new"] == []


def test_drift():
    server = shared_server()
    server.create("shape-drift", "trading")
    assert ask("migrate.verify", "trading")["is_clean"]
    schema = server.psql("SELECT schema_name FROM tenantry.places p JOIN tenantry.tenants t ON t.place_id = p.id"
                         " WHERE t.slug = 'shape-drift'")
    server.psql("GRANT TRUNCATE ON %s.trades TO PUBLIC" % schema, server.superuser)
    found = ask("migrate.verify", "--tenant", "shape-drift", expect=80)["differences"]
    server.psql(found[0]["mend"], server.superuser)
    assert ask("migrate.verify", "--tenant", "shape-drift")["is_clean"]


def test_the_demo():
    ask("demo")


def test_a_server_that_is_stopped_or_absent():
    assert ask("down")["was_running"] is True
    assert ask("down")["was_running"] is False
    ask("status", expect=None)
    with harness.temporary_folder() as folder:
        ask("status", expect=None, env={"TENANTRY_DATA_DIR": folder + "/none"})


def test_every_operation_was_covered():
    assert {name for name, shape in shapes().items() if shape is None} == WITHOUT_ANSWER
    missing = set(shapes()) - WITHOUT_ANSWER - covered
    assert not missing, missing


if __name__ == "__main__":
    harness.main()
