"""Creates from spares and without them, on a server with few tenants and on one with many, in turns."""
import concurrent.futures
import statistics

from report import median_ratio, percentile

# A connection prepares a statement at its sixth use (src/pg/fixed.c): the creates before that are those of a command.
WARMING_CREATES = 8
ROUND_CREATES = 25  # in one round, after those
ROUND_PROCESSES = 5
AT_ONCE_ROUNDS = 2


def _fill(servers, blueprint, count):
    """On all servers at once, before anything is measured: making spares is most of the time that this takes."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda server: server.fill_spares(blueprint, count), servers.values()))


def _from_spares(server, blueprint):
    """The creates of a round on a warm connection, and milliseconds of whole processes; each took a spare."""
    samples = server.create_warm(blueprint, WARMING_CREATES + ROUND_CREATES, are_logins_ready=False, tier="schema")
    processes = [server.time_create(blueprint, "--tier", "schema") for _ in range(ROUND_PROCESSES)]
    if server.spares_left(blueprint) != 0:
        raise RuntimeError("creates of blueprint %s left spares where they were" % blueprint)
    return samples[WARMING_CREATES:], processes


def _measure_warm(servers, report, rounds, blueprint):
    samples, processes = ({name: [] for name in servers} for _ in range(2))
    for _ in range(rounds):
        _fill(servers, blueprint, WARMING_CREATES + ROUND_CREATES + ROUND_PROCESSES)
        for name, server in servers.items():
            warm, whole = _from_spares(server, blueprint)
            samples[name] += warm
            processes[name] += whole
    medians = {}
    for name in servers:
        values = [s["total"] for s in samples[name]]
        medians[name], p99 = statistics.median(values), percentile(values, 0.99)
        report.add("%s from a spare, warm, %s: median of %d" % (blueprint, name, len(values)), medians[name],
                   target="under 10 ms", met=medians[name] < 10)
        report.add("%s from a spare, warm, %s: 99th percentile" % (blueprint, name), p99, target="under 50 ms", met=p99 < 50)
        report.add("%s from a spare, whole process, %s" % (blueprint, name), statistics.median(processes[name]))
        report.add_parts(name, samples[name], statistics.median(processes[name]))
    report.add_ratio("%s from a spare, warm, many tenants and few" % blueprint, medians["many tenants"],
                     medians["few tenants"])


def _measure_bare(servers, report, pairs, blueprint):
    """Without a spare, each create next to the same statements through psql."""
    ours, hand = ({name: [] for name in servers} for _ in range(2))
    for _ in range(pairs):
        for name, server in servers.items():
            hand[name].append(server.time_by_hand(blueprint, "full"))
            ours[name].append(server.time_create(blueprint, "--tier", "schema"))
    for name in servers:
        ratio = median_ratio(ours[name], hand[name])
        report.add("%s without a spare, %s, and psql" % (blueprint, name), statistics.median(ours[name]),
                   statistics.median(hand[name]), ratio, "at most 1.15x", ratio <= 1.15)
    report.add_ratio("%s without a spare, many tenants and few" % blueprint,
                     statistics.median(ours["many tenants"]), statistics.median(ours["few tenants"]))


def _measure_at_once(servers, report, count, blueprint):
    spent, failed = {name: [] for name in servers}, dict.fromkeys(servers, 0)
    for _ in range(AT_ONCE_ROUNDS):
        _fill(servers, blueprint, count)
        for name, server in servers.items():
            milliseconds, failures = server.create_at_once(blueprint, count)
            spent[name].append(milliseconds)
            failed[name] += failures
    for name in servers:
        what = "%s, %d at once, %s: %d failed" % (blueprint, count, name, failed[name])
        report.add(what, statistics.median(spent[name]),
                   target="under 10 s, none failed", met=max(spent[name]) < 10_000 and failed[name] == 0)
    report.add_ratio("%s, %d at once, many tenants and few" % (blueprint, count),
                     statistics.median(spent["many tenants"]), statistics.median(spent["few tenants"]))


def measure(few, many, report, size, blueprint):
    servers = {"few tenants": few, "many tenants": many}
    print("Warm: the job tenant.create on a connection that has run %d before, as an application server's;"
          "\nat once: processes of \"tenantry tenant create\" that are started together, until the last has ended;"
          "\nwithout a spare: whole processes, next to psql with the same statements from a file.\n"
          "Many tenants: %d of this blueprint." % (WARMING_CREATES, size("spare_neighbours")), flush=True)
    _measure_warm(servers, report, size("spare_rounds"), blueprint)
    _measure_bare(servers, report, size("pairs"), blueprint)
    _measure_at_once(servers, report, size("at_once"), blueprint)
