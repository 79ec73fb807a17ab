#!/usr/bin/env python3
"""Scripts that are more than one transaction: statements outside of one, values of enums, batched backfills."""
import os
import signal
import subprocess

import crash_state
import harness
from rollout_kit import KILLED, Vault, check, ended, wait_until

shared = harness.shared_server

INDEX = ("CREATE INDEX CONCURRENTLY boxes_what ON boxes (what);\n", "DROP INDEX CONCURRENTLY boxes_what;\n")


def vault(name, *slugs, tier="schema", **options):
    made = Vault(shared(), name, tier, **options)
    made.create(*slugs)
    return made


def indexes(made, slug):
    """{name: is valid} of the table boxes."""
    rows = made.sql(slug, "SELECT c.relname || '=' || i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                    " WHERE i.indrelid = 'boxes'::regclass").split()
    return {name: valid == "true" for name, _, valid in (row.partition("=") for row in rows if "=" in row)}


def steps(made):
    return made.status()["steps"]


def ledger(made, slug):
    rows = made.server.psql("SELECT s.version, s.is_down, s.step, s.state FROM tenantry.place_steps s JOIN tenantry.tenants t"
                            " USING (place_id) WHERE t.slug = '%s' ORDER BY 1, 2, 3" % slug)
    return rows.split()


def owner(made, slug):
    return made.schema(slug) + "_owner"


# --- statements outside of a transaction


def test_an_index_is_made_concurrently_between_two_transactions():
    made = vault("between", "between-a", "between-b")
    made.add("ALTER TABLE boxes ADD COLUMN extra_2 text;\n" + INDEX[0] + "COMMENT ON INDEX boxes_what IS 'by what';\n",
             INDEX[1] + "ALTER TABLE boxes DROP COLUMN extra_2;\n")
    answer = made.migrate("up")
    assert (answer["done"], answer["failed"]) == (2, 0), answer
    assert set(made.versions().values()) == {2}
    for slug in ("between-a", "between-b"):
        assert indexes(made, slug) == {"boxes_pkey": True, "boxes_what": True}
        assert ledger(made, slug) == ["2|f|%d|done" % n for n in (1, 2, 3)]
    made.check_columns()
    assert steps(made) == []
    made.create("between-new")
    assert indexes(made, "between-new")["boxes_what"], "a new tenant has it too, from a stamp or the plain form"
    assert made.migrate("down", "--to", "1")["done"] == 3
    assert indexes(made, "between-a") == {"boxes_pkey": True} and ledger(made, "between-a") == []
    made.check_columns()
    check(shared())


if __name__ == "__main__":
    harness.main()
