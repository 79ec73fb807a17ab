#!/usr/bin/env python3
"""Down scripts that have run stay as they are; those that have not may still be mended."""
import hashlib
import os

import harness
from rollout_kit import Vault

shared = harness.shared_server

UP = "ALTER TABLE boxes ADD COLUMN extra_2 text;\n"
DOWN = "ALTER TABLE boxes DROP COLUMN extra_2;\n"
OTHER = DOWN + "DROP TABLE boxes;\n"
INDEX = ("CREATE INDEX CONCURRENTLY boxes_what ON boxes (what);\n", "DROP INDEX CONCURRENTLY boxes_what;\n")


def vault(name, *slugs, **options):
    made = Vault(shared(), name, **options)
    made.create(*slugs)
    return made


def down_file(made, version=2):
    return os.path.join(made.folder, "migrations/V%04d__step.down.sql" % version)


def write_down(made, text, version=2):
    with open(down_file(made, version), "w", encoding="utf-8") as f:
        f.write(text)


def add(made):
    return made.server.tenantry("blueprint", "add", made.folder)["change"]


def refuse_change(made, before, now, version=2):
    """Adding the folder with another down script is refused with both sums."""
    write_down(made, now, version)
    sums = [hashlib.sha256(text.encode()).hexdigest() for text in (before, now)]
    made.server.refused("blueprint_exists", "blueprint", "add", made.folder,
                        says=("V%04d__step.sql, down" % version, *sums))
    write_down(made, before, version)
    assert add(made) == "none"


def test_a_down_script_that_ran_is_refused_when_it_changed():
    for tier in ("schema", "row"):
        made = vault("ran_" + tier, "ran-" + tier, tier=tier)
        made.add(UP, DOWN)
        made.migrate("up")
        made.migrate("down", "--to", "1")
        refuse_change(made, DOWN, OTHER)
        os.remove(down_file(made))
        made.server.refused("blueprint_exists", "blueprint", "add", made.folder, says=("V0002__step.sql, down", "is gone now"))
        write_down(made, DOWN)
        made.migrate("up")
        made.migrate("down", "--to", "1")


def test_a_down_script_that_did_not_run_may_be_added_and_changed():
    made = vault("fresh", "fresh-a")
    made.add(UP)
    for text in (OTHER, "ALTER TABLE boxes DROP COLUMN no_such;\n"):
        write_down(made, text)
        assert add(made) == "recorded"
    made.migrate("up")
    made.refused("down", "--to", "1", code="places_failed")
    made.server.tenantry("migrate", "abort", str(made.newest()["rollout"]))
    write_down(made, DOWN)
    assert add(made) == "recorded", "one that failed left nothing, and may be mended"
    made.migrate("retry")
    assert made.migrate("down", "--to", "1")["done"] == 1
    assert made.versions() == {"fresh-a": 1}


def test_a_down_script_that_ran_in_an_undo_or_in_steps_counts():
    undone = vault("undone", "undone-a", "undone-b")
    undone.add(UP, DOWN)
    unique = "ALTER TABLE boxes ADD CONSTRAINT boxes_what UNIQUE (what);\n"
    undone.add(unique, "ALTER TABLE boxes DROP CONSTRAINT boxes_what;\n")
    order = shared().psql("SELECT t.slug FROM tenantry.tenants t JOIN tenantry.places p ON p.id = t.place_id"
                          " WHERE p.blueprint = 'undone' ORDER BY p.id").split()
    undone.sql(order[1], "INSERT INTO boxes (id, what) VALUES (1, 'same'), (2, 'same')")
    undone.refused("up", "--waves", "1,100%", "--on-failure", "undo", code="places_failed", says=("are as they were",))
    refuse_change(undone, DOWN, OTHER)

    steps = vault("stepping", "stepping-a")
    steps.add(INDEX[0] + UP, INDEX[1] + DOWN)
    steps.migrate("up")
    steps.migrate("down", "--to", "1")
    refuse_change(steps, INDEX[1] + DOWN, INDEX[1] + OTHER)


if __name__ == "__main__":
    harness.main()
