"""What a tenant of the schema tier weighs while it is empty: relations, files, bytes of its own, and what the
catalogues that all tenants share grow by. Sizes are of whole pages, so the growth is that of several tenants."""
import statistics

from report import median_ratio

# The catalogues that many tenants make large; all else is in the sum.
SHOWN = ("pg_attribute", "pg_class", "pg_constraint", "pg_depend", "pg_index", "pg_proc", "pg_shdepend", "pg_trigger",
         "pg_type")

CATALOGUES = """
SELECT json_object_agg(relname, pg_total_relation_size(oid)) FROM pg_class
 WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'
"""

# All that has files, of the newest tenant: its tables and indexes, and their TOAST.
TENANT = """
WITH place AS (
    SELECT s.oid FROM tenantry.places p JOIN pg_namespace s ON s.nspname = p.schema_name
     WHERE p.tier = 'schema' ORDER BY p.created_at DESC LIMIT 1
), own AS (
    SELECT c.oid, c.relkind, c.reltoastrelid FROM pg_class c JOIN place ON c.relnamespace = place.oid
     WHERE c.relkind IN ('r', 'p', 'i', 'I', 'S', 'm')
), toast AS (
    SELECT c.oid FROM own JOIN pg_class c ON c.oid = own.reltoastrelid
    UNION ALL
    SELECT i.indexrelid FROM own JOIN pg_index i ON i.indrelid = own.reltoastrelid
), stored AS (
    SELECT oid FROM own WHERE relkind IN ('r', 'i', 'S', 'm') UNION ALL SELECT oid FROM toast
), forks AS (
    SELECT fork, pg_relation_size(stored.oid, fork) AS bytes
      FROM stored, unnest(ARRAY['main', 'fsm', 'vm']) AS fork
)
SELECT json_build_object(
    'tables', (SELECT count(*) FROM own WHERE relkind IN ('r', 'p')),
    'indexes', (SELECT count(*) FROM own WHERE relkind IN ('i', 'I')),
    'relations', (SELECT count(*) FROM own) + (SELECT count(*) FROM toast),
    'files', (SELECT count(*) FROM forks WHERE fork = 'main' OR bytes > 0),
    'bytes', (SELECT sum(bytes) FROM forks))
"""


def _weigh(server, blueprint, count):
    server.create_warm(blueprint, 1, tier="schema")  # what the first one makes is not a tenant's
    before = server.query(CATALOGUES)
    server.create_warm(blueprint, count, tier="schema")
    after = server.query(CATALOGUES)
    return {name: (after[name] - before[name]) / count / 1024 for name in after}


def _times(server, blueprint, count):
    raw, ours = [], []
    for _ in range(count):
        raw.append(server.time_by_hand(blueprint, "ddl"))
        ours.append(server.time_create(blueprint, "--tier", "schema"))
    return statistics.median(raw), statistics.median(ours), median_ratio(ours, raw)


def measure(server, report, count):
    """One weight per blueprint that offers the schema tier."""
    for blueprint in server.schema_blueprints():
        grown = _weigh(server, blueprint, count)
        tenant = server.query(TENANT)
        raw, ours, ratio = _times(server, blueprint, count)
        figures = {"tables, partitions included": tenant["tables"], "indexes": tenant["indexes"],
                   "relations, TOAST and its indexes included": tenant["relations"],
                   "files": tenant["files"], "own files, kB": tenant["bytes"] / 1024,
                   "growth of the catalogues, kB": sum(grown.values())}
        figures.update(("  %s" % name, grown[name]) for name in SHOWN)
        figures.update({"migrations through psql, whole process, ms": raw, "tenant create, whole process, ms": ours,
                        "  ratio, median of neighbours in time": ratio})
        report.weights.append({"name": blueprint, "figures": {k: round(v, 2) for k, v in figures.items()}})
