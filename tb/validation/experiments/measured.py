# SPDX-License-Identifier: Apache-2.0
"""Experiments 2, 5, 6 and 7: curves that others measured."""
import math

from bench import Curve, Result, Row

KIB = 1024
WINDOWS = (256, 512, 1024, 1536, 2048, 4096, 8192, 16384, 65536)  # KiB


def name_of(kib):
    return f"{kib} KiB" if kib < 1024 else f"{kib / 1024:g} MiB"


def ticks():
    return [(math.log2(kib), name_of(kib)) for kib in (256, 512, 1024, 2048, 4096, 8192, 16384, 65536)]


def window(kib, count, **more):
    return {"devices.reader.uniform.window_bytes": kib * KIB, "devices.reader.uniform.count": count, **more}


def reach(bench):
    result = Result(2, "Reach of the IOTLB seen by latency")
    published = (603.1, 619.7, 726.1, 761.7, 779.4, 806.6, 819.8, 827.1, 832.1)
    count = 40_000 if bench.quick else 200_000
    off = {"software.tables.translation": "bare"}
    runs = bench.runs("reach", [window(kib, count) for kib in WINDOWS] +
                      [window(kib, count // 10, **off) for kib in (256, 65536)])
    latency = [run.mean("reader.dma.latency_ps") / 1000 for run in runs]
    for kib, theirs, ours in zip(WINDOWS, published, latency):
        result.rows.append(Row(f"window of {name_of(kib)}", "ns", theirs, ours, 0.01))
    # Where the IOTLB does not hold the window, latency = L_hit + L_miss - T L_miss / P: a line in 1/P.
    xs = [4 / kib for kib in WINDOWS[1:]]
    ys = latency[1:len(WINDOWS)]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / sum((x - mean_x) ** 2 for x in xs)
    hit, plateau = latency[0], mean_y - slope * mean_x
    result.rows.append(Row("entries, recovered from the simulated curve", "entries", 119, -slope / (plateau - hit), 2,
                           True))
    result.rows.append(Row("a miss, recovered from the simulated curve", "ns", 228, plateau - hit, 0.02))
    for kib, ours in zip((256, 65536), latency[len(WINDOWS):]):
        result.rows.append(Row(f"IOMMU off, {name_of(kib)}", "ns", 604, ours, 0.01))
    points = [math.log2(kib) for kib in WINDOWS]
    result.curves.append(Curve("reach", "Latency of a 64-byte read against the window", "window", "ns, average",
                               list(zip(points, published)), list(zip(points, latency)), ("measured", "simulated"),
                               ticks=ticks(), lowest=580))
    return result


def full_link(bench):
    result = Result(7, "A full link against the walkers")
    published = (15.8, 22.9, 33.7, 39.3, 42.2, 46.9, 49.2, 50.5, 52.1)
    count = 40_000 if bench.quick else 200_000
    runs = bench.runs("full-link", [window(kib, count) for kib in WINDOWS] +
                      [window(65536, count, **{"software.tables.translation": "bare"})])
    each = [run.run["workload_ps"] / run.run["transfers"] / 1000 for run in runs]
    for kib, theirs, ours in zip(WINDOWS, published, each):
        tolerance = None if kib < 512 else 0.25 if kib <= 2048 else 0.05
        result.rows.append(Row(f"window of {name_of(kib)}", "ns a transaction", theirs, ours, tolerance))
    middle = (15.7 + 18) / 2
    result.rows.append(Row("IOMMU off (measured: 15.7 to 18)", "ns a transaction", middle, each[-1], 18 - middle, True))
    points = [math.log2(kib) for kib in WINDOWS]
    result.curves.append(Curve("full-link", "Time of a 64-byte read on a full link against the window", "window",
                               "ns a transaction", list(zip(points, published)), list(zip(points, each)),
                               ("measured", "simulated"), ticks=ticks()))
    return result


def law(reads):
    """Gb/s of a 4 KiB transfer with so many page-table reads, on a link of 100 Gb/s."""
    return min(100, 4096 * 8 / (65 + 197 * reads))


def contention(bench):
    result = Result(5, "Throughput under IOMMU contention")
    points = [(5, 16), (5, 24), (5, 32), (5, 40), (5, 64), (5, 128), (5, 256), (8, 256), (9, 256), (10, 64), (10, 256),
              (12, 64), (12, 256), (16, 64)]
    if bench.quick:
        points = points[1::3]
    count = 10_000 if bench.quick else 40_000
    runs = bench.runs("contention", [{
        "devices.nic.uniform.flows": flows, "devices.nic.uniform.window_bytes": mib << 20,
        "devices.nic.uniform.count": count} for flows, mib in points])
    simulated = []
    for (flows, mib), run in zip(points, runs):
        reads = run["iommu.walks.reads"]["sum"] / run.run["transfers"]
        rate = run.run["bytes_moved"] * 8000 / run.run["workload_ps"]
        judged = 0.03 if 0.995 <= reads <= 2.505 else None
        result.rows.append(Row(f"{flows} flows of {mib} MiB: M = {reads:.3f}", "Gb/s", law(reads), rate, judged))
        simulated.append((reads, rate))
    curve = [(0.9 + i / 40, law(0.9 + i / 40)) for i in range(73)]
    result.curves.append(Curve("contention", "Throughput against page-table reads for 4 KiB",
                               "M, memory reads for 4 KiB", "Gb/s", curve, sorted(simulated), ("law, as measured",
                                                                                           "simulated"), True,
                               [(m, f"{m:g}") for m in (1, 1.5, 2, 2.5)]))
    return result


def tenants(bench):
    result = Result(6, "Multi-tenant collapse")
    published = {1: 199.6, 4: 199.1, 8: 12.6, 64: 12.0}
    others = () if bench.quick else (2, 3, 5, 6, 16, 32)
    numbers = sorted([*published, *others])
    packets = {tenant: 8000 if tenant <= 4 or not bench.quick else 200 for tenant in numbers}
    runs = bench.runs("tenants", [{"devices.nic.packets.tenants": n, "devices.nic.packets.packets_per_tenant":
                                   packets[n] if n in published else 1000} for n in numbers])
    rates, slots = {}, {}
    for n, run in zip(numbers, runs):
        slots[n] = run["nic.offered"] / run["nic.accepted"]
        rates[n] = run["nic.bytes"] * 8000 / (run["nic.offered"] * 61_000)
    for n, theirs in published.items():
        result.rows.append(Row(f"{n} tenants" if n > 1 else "1 tenant", "Gb/s", theirs, rates[n],
                               0.02 if theirs > 100 else 0.05))
    # Closed form: link, context, page cache, reads, link; rounded up to arrivals. The first packets' walks are longer.
    for n, reads in ((8, 1), (64, 2)):
        closed = math.ceil((450 + 1 + 5 + 50 * reads + 450) / 61)
        result.rows.append(Row(f"{n} tenants: arrivals a packet, closed form with {reads} reads", "", closed, slots[n],
                               0.05))
    result.curves.append(Curve("tenants", "Throughput against tenants with the same IOVAs", "tenants", "Gb/s",
                               [(math.log2(n), rate) for n, rate in published.items()],
                               [(math.log2(n), rates[n]) for n in numbers], ("published", "simulated"),
                               ticks=[(math.log2(n), str(n)) for n in (1, 2, 4, 8, 16, 32, 64)]))
    return result
