"""Creates from spares and without them, on a server with few tenants and on one with many, in turns."""
import statistics

from report import median_ratio, percentile

ROUND_CREATES = 5  # in one round, after one that warms the connection up
AT_ONCE_ROUNDS = 3


def _from_spares(server, blueprint):
    """Milliseconds of each create of a round; each took a spare."""
    server.fill_spares(blueprint, ROUND_CREATES + 1)
    samples = server.create_warm(blueprint, ROUND_CREATES + 1, are_logins_ready=False, tier="schema")[1:]
    if server.spares_left(blueprint) != 0:
        raise RuntimeError("creates of blueprint %s left spares where they were" % blueprint)
    return [s["total"] for s in samples]


def _measure_warm(servers, report, rounds, blueprint):
    times = {name: [] for name in servers}
    for _ in range(rounds):
        for name, server in servers.items():
            times[name] += _from_spares(server, blueprint)
    first = statistics.median(times["few tenants"])
    for name, values in times.items():
        p50, p99 = statistics.median(values), percentile(values, 0.99)
        report.add("%s from a spare, %s: median" % (blueprint, name), p50, target="under 10 ms", met=p50 < 10)
        report.add("%s from a spare, %s: 99th percentile" % (blueprint, name), p99, target="under 50 ms", met=p99 < 50)
    report.add_ratio("%s from a spare, many tenants and few: median" % blueprint,
                     statistics.median(times["many tenants"]), first)


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
        for name, server in servers.items():
            server.fill_spares(blueprint, count)
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
    _measure_warm(servers, report, size("spare_rounds"), blueprint)
    _measure_bare(servers, report, size("pairs"), blueprint)
    _measure_at_once(servers, report, size("at_once"), blueprint)
