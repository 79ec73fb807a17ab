#!/usr/bin/env python3
"""Signed scripts: what nobody who is trusted signed is neither recorded nor rolled out."""
import os

import harness
from rollout_kit import Vault

shared = harness.shared_server


class Signed(Vault):
    """A vault whose versions are written and recorded one by one, and files of keys beside it."""

    def path(self, name):
        return os.path.join(self.server.folder, "%s.%s" % (self.name, name))

    def write(self, number, up, down=None):
        self.version = number
        self._write("migrations/V%04d__step.sql" % number, up)
        if down:
            self._write("migrations/V%04d__step.down.sql" % number, down)

    def sign(self, who, *options):
        """By a key that is made when it is not there yet."""
        key = self.path(who + ".key")
        how = "--key" if os.path.exists(key) else "--new-key"
        return harness.tenantry("migrate", "sign", self.folder, how, key, *options)

    def trust(self, *keys):
        """The options that let only these public keys' signatures count."""
        with open(self.path("trusted"), "w", encoding="utf-8") as f:
            f.write("# who may sign\n" + "".join(key + " # somebody\n" for key in keys))
        return ("--require-signed", "--trusted-keys", self.path("trusted"))

    def record(self, *options):
        return self.server.tenantry("blueprint", "add", self.folder, *options)

    def record_refused(self, *options, says):
        self.server.refused("script_unsigned", "blueprint", "add", self.folder, *options, says=says)

    def recorded(self):
        return self.server.psql("SELECT version FROM tenantry.blueprints WHERE name = '%s'" % self.name)


def test_a_script_that_nobody_signed_is_not_recorded():
    made = Signed(shared(), "ledger")
    made.write(2, "ALTER TABLE boxes ADD COLUMN extra_2 text;\n", "ALTER TABLE boxes DROP COLUMN extra_2;\n")
    other = harness.tenantry("migrate", "sign", Signed(shared(), "elsewhere").folder, "--new-key", made.path("x.key"))
    required = made.trust(other["public_key"])
    made.record_refused(*required, says=("V0001__step.sql (SHA-256 ", "is not signed", "migrate sign"))
    first = made.sign("ana")
    assert (first["signed"], first["signatures"]) == (4, 4), first
    assert os.stat(made.path("ana.key")).st_mode & 0o777 == 0o600
    made.record_refused(*required, says=("is signed by key " + first["fingerprint"], "not trusted"))
    assert made.recorded() == "1"
    required = made.trust(first["public_key"])
    made.record(*required)
    assert made.recorded() == "2"
    made.create("ledger-a")
    made.migrate("down", "--to", "1", *required)
    assert made.migrate("up", *required)["done"] == 1
    harness.check_refusal(made.server.tenantry("migrate", "up", made.name, "--require-signed", expect=None),
                          "config_invalid", "--trusted-keys")
    os.chmod(made.path("trusted"), 0o666)
    harness.check_refusal(made.server.tenantry("migrate", "up", made.name, *required, expect=None),
                          "config_invalid", "can be written by every user")


def test_a_script_that_was_changed_after_it_was_signed_is_refused():
    made = Signed(shared(), "altered")
    made.write(2, "ALTER TABLE boxes ADD COLUMN extra_2 text;\n")
    key = made.sign("ana")
    required = made.trust(key["public_key"])
    made.write(2, "ALTER TABLE boxes ADD COLUMN extra_2 text DEFAULT 'theirs';\n")
    made.record_refused(*required, says=("V0002__step.sql is not what key " + key["fingerprint"], "was expected"))
    harness.check_refusal(harness.tenantry("migrate", "sign", made.folder, "--new-key", made.path("bob.key"), expect=None),
                          "script_unsigned", "V0002__step.sql is not what key", "--all")
    os.remove(made.path("bob.key"))
    assert made.sign("bob", "--all")["signed"] == 3
    made.record_refused(*required, says=("V0002__step.sql is not what key " + key["fingerprint"],))
    with open(os.path.join(made.folder, "signatures"), "a", encoding="utf-8") as f:
        f.write("these are not\n")
    made.server.refused("blueprint_invalid", "blueprint", "add", made.folder, *required,
                        says=("signatures:", "this is no signature"))


FILL = "table: boxes\nkey: id\nbatch_size: %d\nundo: nothing\nstatement: UPDATE boxes SET what = '' WHERE id BETWEEN $1 AND $2\n"


def test_all_of_a_backfill_is_signed_and_not_its_statement_alone():
    made = Signed(shared(), "filled")
    made._write("migrations/V0002__fill.backfill.yaml", FILL % 1000)
    key = made.sign("ana")
    required = made.trust(key["public_key"])
    made._write("migrations/V0002__fill.backfill.yaml", FILL % 1000000)
    made.record_refused(*required, says=("V0002__fill.backfill.yaml is not what key " + key["fingerprint"],))
    made._write("migrations/V0002__fill.backfill.yaml", FILL % 1000)
    made.record(*required)
    made.create("filled-a")
    made.migrate("down", "--to", "1", *required)
    assert made.migrate("up", *required)["done"] == 1


def test_who_adds_a_migration_signs_that_one_and_both_are_needed():
    made = Signed(shared(), "pair")
    ana = made.sign("ana")["public_key"]
    made.write(2, "ALTER TABLE boxes ADD COLUMN extra_2 text;\n")
    bob = made.sign("bob")
    assert (bob["signed"], bob["signatures"]) == (1, 3), bob
    made.record_refused(*made.trust(ana), says=("V0002__step.sql", "is signed by key " + bob["fingerprint"]))
    made.record(*made.trust(ana, bob["public_key"]))
    assert made.recorded() == "2"


def test_what_was_recorded_unsigned_is_not_rolled_out_until_it_is_signed():
    made = Signed(shared(), "later")
    made.create("later-a", "later-b")
    made.add_column()
    key = made.sign("ana")
    required = made.trust(key["public_key"])
    jobs = shared().tenantry("job", "list")["jobs"]
    for verb in (("up",), ("up", "--dry-run"), ("down", "--to", "0"), ("retry",)):
        made.refused(*verb, *required, code="script_unsigned", says=("V0001__step.sql", "is not signed"))
    configured = {"TENANTRY_REQUIRE_SIGNED": "true", "TENANTRY_TRUSTED_KEYS": made.path("trusted")}
    made.refused("up", env=configured, code="script_unsigned", says=("is not signed",))
    shared().refused("script_unsigned", "tenant", "create", "later-c", "--blueprint", "later", *required,
                     says=("is not signed",))
    assert shared().tenantry("job", "list")["jobs"] == jobs
    made.refused("up", "--waves", "1,100%", "--gate", "false", code="gate_shut")
    number = str(made.newest()["rollout"])
    for how in ("migrate", "job"):
        shared().refused("script_unsigned", how, "resume", number, *required, says=("is not signed",))
    assert shared().tenantry("migrate", "abort", number, *required)["done"] == 1
    made.record()
    assert made.migrate("up", *required)["done"] == 1
    assert set(made.versions().values()) == {2}


def test_a_rollout_that_began_with_signatures_needs_them_when_it_is_resumed():
    made = Signed(shared(), "resumed")
    made.create("resumed-a", "resumed-b")
    made.add_column()
    key = made.sign("ana")
    made.record()
    required = made.trust(key["public_key"])
    flag = made.path("open")
    made.refused("up", "--waves", "1,100%", "--gate", "test -e " + flag, *required, code="gate_shut")
    with open(flag, "w", encoding="utf-8"):
        pass
    os.remove(os.path.join(made.folder, "signatures"))
    made.record()
    again = ("migrate", "resume", str(made.newest()["rollout"]))
    shared().refused("script_unsigned", *again, says=("is not signed",))
    shared().refused("script_unsigned", "job", "resume", again[-1], says=("is not signed",))
    made.sign("ana")
    made.record()
    assert shared().tenantry(*again)["done"] == 2
    made.refused("down", "--to", "1", "--waves", "1,100%", "--gate", "false", *required, code="gate_shut")
    os.remove(os.path.join(made.folder, "signatures"))
    made.record()
    number = str(made.newest()["rollout"])
    shared().refused("script_unsigned", "migrate", "resume", number)
    assert shared().tenantry("migrate", "abort", number)["done"] == 1, "what may not go on may still be ended"


def test_keys_of_openssl_sign_and_others_are_refused():
    made = Signed(shared(), "keys")
    key = made.path("openssl.key")
    harness.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key])
    os.chmod(key, 0o600)
    signed = harness.tenantry("migrate", "sign", made.folder, "--key", key)
    public = harness.run(["openssl", "pkey", "-in", key, "-noout", "-text"]).out.replace(":", "").split("pub")[1].split()
    assert signed["public_key"] == "".join(public), (signed, public)
    made.record(*made.trust(signed["public_key"]))
    pem = made.path("made.key")
    made_here = harness.tenantry("migrate", "sign", made.folder, "--all", "--new-key", pem)
    assert harness.run(["openssl", "pkey", "-in", pem, "-pubout"]).out.startswith("-----BEGIN PUBLIC KEY")
    assert made_here["signed"] == 2, made_here
    os.chmod(pem, 0o644)
    rsa = made.path("rsa.key")
    harness.run(["openssl", "genpkey", "-algorithm", "rsa", "-out", rsa])
    locked = made.path("locked.key")
    harness.run(["openssl", "genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:x", "-out", locked])
    for path in (rsa, locked):
        os.chmod(path, 0o600)
    for options, code, says in (
            (("--key", pem), "data_dir_unusable", ("0644", "chmod 600")),
            (("--key", rsa), "key_wrong", ("no private key of Ed25519",)),
            (("--key", locked), "key_wrong", ("without a passphrase",)),
            (("--key", made.path("nowhere")), "key_missing", ("is not there", "genpkey")),
            (("--new-key", pem), "data_dir_unusable", ("exists",)),
            ((), "input_invalid", ("--key and --new-key",))):
        harness.check_refusal(harness.tenantry("migrate", "sign", made.folder, *options, expect=None), code, *says)


def test_folders_of_other_tools_are_signed_too():
    made = Signed(shared(), "flown")
    made._write("blueprint.yaml", open(os.path.join(made.folder, "blueprint.yaml"), encoding="utf-8").read()
                .replace("name: flown", "name: flyer") + "migrations: {layout: flyway, path: sql}\n")
    os.makedirs(os.path.join(made.folder, "sql"))
    made.name = "flyer"
    made._write("sql/V1__boxes.sql", "CREATE TABLE public.boxes (id bigint PRIMARY KEY, what text);\n")
    made._write("sql/U1__boxes.sql", "DROP TABLE public.boxes;\n")
    made._write("sql/R__view.sql", "CREATE OR REPLACE VIEW seen AS SELECT id FROM boxes;\n")
    required = made.trust(made.sign("ana")["public_key"])
    made.record(*required)
    made.create("flyer-a")
    made._write("sql/R__view.sql", "CREATE OR REPLACE VIEW seen AS SELECT id, what FROM boxes;\n")
    made.record_refused(*required, says=("R__view.sql is not what key",))
    made.sign("ana")
    made.record(*required)
    assert made.migrate("up", *required)["done"] == 1
    made._write("sql/R__view.sql", "CREATE OR REPLACE VIEW seen AS SELECT id FROM boxes;\n")
    made.record_refused(*required, says=("R__view.sql has the text of an older version again",))
    made._write("sql/R__view.sql", "DROP VIEW seen; CREATE VIEW seen AS SELECT id FROM boxes; -- as it was\n")
    made.record_refused(*required, says=("R__view.sql is not what key",))
    made.sign("ana")
    made.record(*required)
    assert made.migrate("up", *required)["done"] == 1


if __name__ == "__main__":
    harness.main()
