"""`migrate verify` of a fleet: every place compared with what its version should be, as a whole process."""
import resource
import statistics

from server import timed

BLUEPRINT = "synthetic"
TARGET_S = 10


def measure(server, report, size):
    count = size("drift_fleet")
    server.load(BLUEPRINT, count, "schema")
    verify = [server.machine.tenantry, "migrate", "verify", BLUEPRINT]
    for connections in (1, 2):
        argv = [*verify, "--parallel", str(connections)]
        median = statistics.median(timed(argv, server.environment()) for _ in range(size("drift_times")))
        report.add("%s, %d places compared, connections: %d" % (BLUEPRINT, count, connections), median,
                   target="under %d s" % TARGET_S, met=median < TARGET_S * 1000)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print("  the largest process of ours, MiB: %.1f" % largest)
