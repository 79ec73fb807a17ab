"""The file queries.sql of a pack: what the pack's application asks, and what the plan of each must show.

    -- query: open orders of a customer, newest first
    -- values: SELECT customer_id FROM orders WHERE status = 'open' LIMIT 1
    -- plan: index=ix_orders_customer_id_created_at
    -- plan: pruned=transactions:1
    -- plan: noseq=orders
    SELECT ... WHERE customer_id = $1 ...;

values  optional; one row, whose columns are $1, $2, ...
index   this index is used, ON CONFLICT included; for a partitioned table the index of the parent is named
pruned  at most so many partitions of the table are read
noseq   no sequential scan of the table; partitions without a row do not count

A line that begins with two hyphens and three spaces goes on with the annotation above it. Other comments may not
have the form of an annotation, so that a misspelt one is not taken for a remark.

Plans follow from rows: bulk.sql does well to count times from the beginning of the month, not from today, for the
partition of this month is otherwise empty on its first day."""
import json
import re

ANNOTATION = re.compile(r"--\s*(\w+)\s*:\s*(.*)$")
CONTINUED = re.compile(r"--   \s*(\S.*)$")
PLAN = re.compile(r"(index|noseq)=(\w+)$|(pruned)=(\w+):(\d+)$")
SEQUENTIAL = ("Seq Scan", "Sample Scan")


class Query:
    """One statement with what is said about it."""

    def __init__(self, title, line):
        self.title = title
        self.line = line
        self.values = ""
        self.plans = []
        self.sql = ""

    def problems(self):
        """What is wrong with the way it is written."""
        if not self.title:
            yield "has no title"
        if not self.plans:
            yield "has no plan line"
        for plan in self.plans:
            if not PLAN.match(plan):
                yield "has the unknown plan line %r" % plan
        ends = len(re.findall(r";\s*$", self.sql, re.MULTILINE))
        if ends != 1 or not self.sql.rstrip().endswith(";"):
            yield "is not one statement that ends with a semicolon"


class BadFile(AssertionError):
    """What is wrong with a queries.sql, one line each."""


def _annotate(query, name, text):
    """Takes an annotation up; what is wrong with it, or None."""
    if query is None:
        return "an annotation before the first query"
    if query.sql:
        return "an annotation inside a statement"
    if name == "plan":
        query.plans.append(text)
    elif name != "values":
        return "unknown annotation %r" % name
    elif query.values:
        return "a second line of values"
    else:
        query.values = text.rstrip(";")
    return None


def parse(text):
    """The queries of a file; raises BadFile with all that is wrong."""
    queries, problems, last = [], [], None
    for number, line in enumerate(text.split("\n"), 1):
        query = queries[-1] if queries else None
        found, continued, problem = ANNOTATION.match(line), CONTINUED.match(line), None
        if continued and last == "values":
            query.values += " " + continued[1].rstrip(";")
        elif found and found[1] == "query":
            queries.append(Query(found[2].strip(), number))
        elif found:
            problem = _annotate(query, found[1], found[2].strip())
        elif not line.startswith("--") and line.strip():
            if query is None:
                problem = "a statement without -- query:"
            else:
                query.sql += line + "\n"
        if not continued:
            last = found[1] if found else None
        if problem:
            problems.append("line %d: %s" % (number, problem))
    problems += ["line %d: query %r %s" % (q.line, q.title, p) for q in queries for p in q.problems()]
    if not queries:
        problems.append("no query")
    if problems:
        raise BadFile("\n".join(problems))
    return queries


class Relations:
    """Tables and indexes of one schema, partitions by the name of the table that they belong to."""

    # one JSON value; {} stands for the schema's name
    SQL = (
        "SELECT json_agg(json_build_object('name', c.relname, 'root', r.relname, 'kind', c.relkind, 'rows', c.reltuples))"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = '{}'"
        " JOIN pg_class r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid) WHERE c.relkind IN ('r', 'p', 'i', 'I')"
    )

    def __init__(self, schema, rows):
        self.schema = schema
        self.tables = {row["name"]: row for row in rows if row["kind"] in "rp"}
        self.indexes = {row["name"]: row["root"] for row in rows if row["kind"] in "iI"}
        self.partitioned = {row["name"] for row in rows if row["kind"] == "p"}

    def roots(self):
        return sorted({row["root"] for row in self.tables.values()})

    def most_rows(self):
        """Rows of the table that has most, as of the last ANALYZE."""
        return max(row["rows"] for row in self.tables.values())


def nodes(plan, schema):
    """Every node of what EXPLAIN (VERBOSE, FORMAT JSON) printed, but for scans in other schemas."""
    for node in plan:
        node = node.get("Plan", node)
        if node.get("Schema", schema) == schema:
            yield node
            yield from nodes(node.get("Plans", []), schema)


def _index_problem(found, relations, name):
    if relations.indexes.get(name) != name:
        return "there is no such index" + (", only one of a partition" if name in relations.indexes else "")
    named = [node["Index Name"] for node in found if "Index Name" in node]
    named += [arbiter for node in found for arbiter in node.get("Conflict Arbiter Indexes", [])]
    used = sorted({relations.indexes.get(index, index) for index in named})
    return None if name in used else "the index is not used; used: %s" % (", ".join(used) or "none")


def _scanned(found, relations, table):
    """The nodes that read the table or its partitions."""
    return [node for node in found if "Relation Name" in node and "Scan" in node["Node Type"]
            and relations.tables.get(node["Relation Name"], {}).get("root") == table]


def _noseq_problem(found, relations, table):
    if table not in relations.roots():
        return "there is no such table"
    read = [node["Relation Name"] for node in _scanned(found, relations, table) if node["Node Type"] in SEQUENTIAL]
    read = [name for name in read if name == table or relations.tables[name]["rows"] > 0]
    return "read from end to end: %s" % ", ".join(sorted(read)) if read else None


def _pruned_problem(found, relations, table, limit):
    if table not in relations.partitioned:
        return "there is no such partitioned table"
    read = sorted({node["Relation Name"] for node in _scanned(found, relations, table)})
    return "%d partitions are read: %s" % (len(read), ", ".join(read)) if len(read) > limit else None


def plan_problems(query, plan, relations):
    """What the plan does not show although a plan line says so: [(plan line, problem)]."""
    found = list(nodes(plan, relations.schema))
    problems = []
    for line in query.plans:
        kind, name, pruned, table, limit = PLAN.match(line).groups()
        if pruned:
            problem = _pruned_problem(found, relations, table, int(limit))
        elif kind == "index":
            problem = _index_problem(found, relations, name)
        else:
            problem = _noseq_problem(found, relations, name)
        if problem:
            problems.append((line, problem))
    return problems


def copied_row(text):
    """The columns of a row that COPY printed; None is NULL."""
    escapes = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

    def plain(field):
        return None if field == "\\N" else re.sub(r"\\(.)", lambda m: escapes.get(m[1], m[1]), field)

    return [plain(field) for field in text.split("\t")]


def script(query, values, explain="EXPLAIN (VERBOSE, FORMAT JSON)"):
    """What psql runs for one query: its plan is printed, its rows are not, and nothing stays."""
    literals = ["NULL" if value is None else "'%s'" % value.replace("'", "''") for value in values]
    execute = "EXECUTE query" + ("(%s)" % ", ".join(literals) if literals else "")
    return (
        "SET plan_cache_mode = force_custom_plan;\nBEGIN;\nPREPARE query AS\n%s\n%s %s;\n\\o /dev/null\n"
        "%s;\nSET CONSTRAINTS ALL IMMEDIATE;\nROLLBACK;\n" % (query.sql, explain, execute, execute)
    )


def read_plan(text):
    """The plan in what psql printed."""
    return json.loads(text[text.index("[") : text.rindex("]") + 1])
