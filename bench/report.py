"""What was measured: printed at once, and kept for the file of results."""
import statistics

PARTS = [  # of bench/bench.c, and what a person calls them
    ("round_trips", "single statements: job, reservation, registry"),
    ("blueprint", "loading the blueprint"),
    ("parse", "splitting the migrations"),
    ("verifiers", "password verifiers, while the server works"),
    ("pipeline", "waiting for the server's DDL, roles and rows"),
    ("commit", "commits"),
    ("other", "all else"),
]


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median_ratio(ours, raw):
    return statistics.median(a / b for a, b in zip(ours, raw))


class Report:
    def __init__(self):
        self.rows = []
        self.parts = []
        self.weights = []

    def add(self, what, ours, raw=None, ratio=None, target=None, met=None):
        """Times in ms. target is a sentence; met says whether it was, or None where there is none."""
        self.rows.append({"what": what, "ours_ms": round(ours, 2), "raw_ms": raw and round(raw, 2),
                          "ratio": ratio and round(ratio, 3), "target": target, "met": met})
        print("%-56s %9.2f ms" % (what, ours) + (" %9.2f ms" % raw if raw else " " * 13) +
              (" %7.2fx" % ratio if ratio else " " * 9) +
              ("  %s: %s" % (target, "met" if met else "NOT MET") if target else ""), flush=True)

    def add_count(self, what, count, target, met):
        self.rows.append({"what": what, "count": count, "target": target, "met": met})
        print("%-56s %9d %34s: %s" % (what, count, target, "met" if met else "NOT MET"), flush=True)

    def add_ratio(self, what, crowded, alone):
        """What many neighbours cost: the target of every create."""
        self.add(what, crowded, alone, crowded / alone, "at most 1.2x", crowded / alone <= 1.2)

    def add_parts(self, blueprint, samples, whole_ms):
        medians = {name: statistics.median(s[name] for s in samples) for name, _ in PARTS}
        total = statistics.median(s["total"] for s in samples)
        self.parts.append({"name": blueprint, "warm_ms": total, "whole_process_ms": whole_ms, "parts_ms": medians})

    def print_parts(self):
        if not self.parts:
            return

        def line(title, cells):
            print("%-50s" % title + "".join("%12s" % cell for cell in cells))

        print("\nWhere the time of one create goes (ms, medians)")
        line("", [p["name"] for p in self.parts])
        for key, title in PARTS:
            line(title, ["%.2f" % p["parts_ms"][key] for p in self.parts])
        line("on a warm connection", ["%.2f" % p["warm_ms"] for p in self.parts])
        line("process, connection, cold caches, answer",
             ["%.2f" % (p["whole_process_ms"] - p["warm_ms"]) for p in self.parts])
        line("as a whole process", ["%.2f" % p["whole_process_ms"] for p in self.parts])

    def print_weights(self):
        """One column per blueprint."""
        if not self.weights:
            return
        print("\nWhat an empty tenant of the schema tier weighs")
        print("%-50s" % "" + "".join("%12s" % w["name"] for w in self.weights))
        for title in self.weights[0]["figures"]:
            cells = [w["figures"][title] for w in self.weights]
            print("%-50s" % title + "".join("%12s" % ("%.2f" % c if isinstance(c, float) else c) for c in cells))
