"""What the tests of tenants share: a run per tier, and what a tenant's names and connections tell."""
import urllib.parse

from harness import shared_server

# Per tier: the blueprint, and what an application does in it.
TIERS = {
    "schema": (
        "trading",
        "INSERT INTO portfolios (user_id, name) VALUES (gen_random_uuid(), 'main');",
        "SELECT count(*) FROM portfolios;",
        "portfolios",
    ),
    "row": (
        "saas",
        "INSERT INTO users (email) VALUES ('a' || gen_random_uuid() || '@example.org');",
        "SELECT count(*) FROM users;",
        "users",
    ),
}


def in_both_tiers(test, server=shared_server):
    """Runs a test once per tier, with a tenant that it may do anything to."""

    def run():
        for tier in TIERS:
            slug = "t%s-%s" % (tier[0], test.__name__.replace("test_", "").replace("_", "-")[:50].rstrip("-"))
            test(server(), slug, *TIERS[tier])

    run.__doc__ = test.__doc__
    return run


def stem_of(tenant):
    return tenant["connections"][0]["role"].rpartition("_")[0]


def password_of(uri):
    return urllib.parse.unquote(urllib.parse.urlsplit(uri).password)
