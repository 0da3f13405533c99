# SPDX-License-Identifier: Apache-2.0
"""Experiments 1, 3 and 4: counts that follow from the architecture, exact; times of a stream."""
import itertools

from bench import Result, Row

LEVELS = {"bare": 0, "sv39": 3, "sv48": 4, "sv57": 5, "sv39x4": 3, "sv48x4": 4, "sv57x4": 5}
DIRECTORIES = {"none": 0, "pd8": 1, "pd17": 2, "pd20": 3}
LEAVES = ("4KiB", "2MiB", "1GiB")


def combinations():
    """(device levels, process directory, first stage, its leaf, second stage, its leaf)"""
    firsts = [("bare", 0)] + list(itertools.product(("sv39", "sv48", "sv57"), range(3)))
    seconds = [("bare", 0)] + list(itertools.product(("sv39x4", "sv48x4", "sv57x4"), range(3)))
    for ddt, pdt, (first, ks), (second, kg) in itertools.product((1, 2, 3), DIRECTORIES, firsts, seconds):
        yield ddt, pdt, first, ks, second, kg


def expected(ddt, pdt, first, ks, second, kg):
    """Reads by (structure, level), and reads of page tables, of process and of device directories."""
    reads = {("ddt", level): 1 for level in range(ddt)}
    processes, s, g = DIRECTORIES[pdt], LEVELS[first], LEVELS[second]
    reads.update({("pdt", level): 1 for level in range(processes)})
    first_reads = s - ks if s else 0
    reads.update({("first_stage", level): 1 for level in range(ks, s)})
    for level in range(kg, g):  # once for each entry that lies in guest memory, once for the page itself
        reads["second_stage", level] = 1
        if processes + first_reads:
            reads["second_stage_implicit", level] = processes + first_reads
    pages = (first_reads + 1) * ((g - kg if g else 0) + 1) - 1
    return reads, pages, processes * ((g - kg if g else 0) + 1), ddt


def settings(ddt, pdt, first, ks, second, kg):
    # A directory of one or two levels because the IOMMU has no deeper one: max_mode.
    return {"iommu.implementation.max_mode": f"{ddt}lvl", "software.tables.process_directory": pdt,
            "software.tables.first_stage": first, "software.tables.first_leaf": LEAVES[ks],
            "software.tables.second_stage": second, "software.tables.second_leaf": LEAVES[kg]}


def reads_of(stats):
    port = stats["iommu.memory_port"]
    out = {}
    for structure in ("ddt", "pdt", "first_stage", "second_stage", "second_stage_implicit"):
        for level in range(5):
            count = port.get(f"{structure}_level{level}", {"value": 0})["value"]
            if count:
                out[structure, level] = count
    return out


def walk_counts(bench):
    result = Result(1, "Walk counts")
    cases = list(combinations())
    stats = bench.runs("walk-counts", [settings(*case) for case in cases])
    wrong, wrong_walks = [], []
    for case, run in zip(cases, stats):
        reads, pages, processes, devices = expected(*case)
        counted = tuple(run[f"iommu.{kind}.reads"]["sum"] for kind in
                        ("walks", "process_directory_walks", "directory_walks"))
        if reads_of(run) != reads or counted != (pages, processes, devices):
            wrong.append(case)
        walks = (int(pages > 0), int(processes > 0), 1)
        if tuple(run[f"iommu.{kind}.started"] for kind in
                 ("walks", "process_directory_walks", "directory_walks")) != walks:
            wrong_walks.append(case)
    result.rows.append(Row("combinations whose reads by structure, stage and level are as derived", "",
                           len(cases), len(cases) - len(wrong), 0))
    result.rows.append(Row("combinations with one walk of each kind that they need", "", len(cases),
                           len(cases) - len(wrong_walks), 0))
    result.notes += [f"differs: {case}" for case in (wrong + wrong_walks)[:10]]
    shown = {case: run for case, run in zip(cases, stats)}
    for case, name in (((1, "none", "sv39", 0, "bare", 0), "Sv39"),
                       ((1, "none", "sv39", 0, "sv39x4", 0), "Sv39 over Sv39x4"),
                       ((1, "none", "sv48", 0, "sv48x4", 0), "Sv48 over Sv48x4"),
                       ((1, "none", "sv57", 0, "sv57x4", 0), "Sv57 over Sv57x4"),
                       ((1, "none", "sv48", 1, "sv48x4", 2), "Sv48, 2 MiB, over Sv48x4, 1 GiB")):
        result.rows.append(Row(f"{name}: reads of page tables", "reads", expected(*case)[1],
                               shown[case]["iommu.walks.reads"]["sum"], 0))
    whole = (3, "pd20", "sv39", 0, "sv39x4", 0)
    result.rows.append(Row("3-level DDT + PD20 + Sv39 over Sv39x4: all reads", "reads", 30,
                           sum(reads_of(shown[whole]).values()), 0))
    return result


def streaming(bench):
    result = Result(3, "Streaming at 800 Gb/s")
    plain, lines, few = (bench.pool.submit(bench.run, *what) for what in (
        ("streaming",), ("streaming-lines",), ("streaming", {"iommu.engine.walkers.count": 4})))
    plain, lines, few = plain.result(), lines.result(), few.result()

    def reads(run):
        return run["iommu.walks.reads"]["sum"] / 8000

    def rate(run):  # from the first arrival at the IOMMU to the last answer, without the way to and from it
        return 8000 / (run.run["workload_ps"] - 2 * 200_000) * 1e6
    nanoseconds = plain.run["workload_ps"] / 1000
    result.rows += [
        Row("(a) reads a page", "reads", 3, reads(plain), 0),
        Row("(a) one walk", "ns", 300, plain.mean("iommu.walks.cycles"), 0.02),
        Row("(a) walks in flight, average", "walks", 7.32, plain["iommu.walks.active"]["integral"] / nanoseconds, 0.02),
        Row("(a) walks in flight, peak", "walks", 8, plain["iommu.walks.active"]["max"], 0),
        Row("(a) translations", "M/s", 24.41, rate(plain), 0.02),
        Row("(b) reads a page", "reads", (1000 + 16 + 1) / 8000, reads(lines), 0),
        Row("(b) translations", "M/s", 24.41, rate(lines), 0.02),
        Row("(c) four walkers: reads a page", "reads", 3, reads(few), 0),
        Row("(c) four walkers: translations", "M/s", 13.33, rate(few), 0.02),
    ]
    return result


def walk_cache(bench):
    """One page at a time, so that a look-up does not come before the fill of the one before. The walk cache is asked
    first here and kept lines after it: a look-up whose walk then finds its entry in a line has not `reached` it."""
    result = Result(4, "Walk-cache hit rates on a stream")
    sizes = (512, 4096, 65536) if bench.quick else (512, 4096, 65536, 262144)
    runs = bench.runs("streaming-lines", [{
        "devices.stream.uniform.window_bytes": pages * 4096, "devices.stream.uniform.count": pages,
        "devices.stream.uniform.interval_ps": 400_000} for pages in sizes])
    for pages, run in zip(sizes, runs):
        kept = run["iommu.walk_lines.hits"]
        first, second = (run[f"iommu.walk_cache.first_stage.level{level}"] for level in (1, 2))
        lookups, hits = first["lookups"]["value"] - kept, first["hits"]["value"] - kept
        result.rows.append(Row(f"{pages} pages: 2 MiB entries hit", "%", 100 * (1 - 1 / 64), 100 * hits / lookups, 0))
        gigabytes = pages // 512
        result.rows.append(Row(f"{pages} pages: 1 GiB entries hit", "%", 100 * (1 - 1 / gigabytes),
                               100 * second["hits"]["value"] / second["lookups"]["value"], 0))
    return result
