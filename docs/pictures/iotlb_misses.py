# SPDX-License-Identifier: Apache-2.0
"""IOTLB misses against IOTLB size for the sample traces: the measurement (docs/plots/iotlb-misses.csv) and its picture
(docs/plots/iotlb-misses.svg). scripts/write-docs makes both. Deterministic: the same counts on any machine."""
import json
import subprocess

from svg import Picture

TRACES = ("nvme-randread-4k", "nic-rx-stream", "mixed-nvme-nic")
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
HEAD = "trace,entries,lookups,misses"


def command(trace, entries):
    """One point. In trace order, one access in flight: look-ups and misses then depend on nothing but the size."""
    return ["iommusim", "run", "systems/nvme-replay.yaml", "--json", "--quiet",
            "--set", f"devices.nvme0.trace=../traces/samples/{trace}.strict.csv.zst",
            "--set", "devices.nvme0.replay.outstanding=1", "--set", f"iommu.engine.iotlb.entries={entries}"]


def measure(root, environment):
    rows = [HEAD]
    for trace in TRACES:
        for entries in SIZES:
            run = subprocess.run(command(trace, entries), cwd=root, env=environment, capture_output=True, text=True,
                                 check=True)
            iotlb = json.loads(run.stdout)["measured"]["system"]["iommu"]["iotlb"]
            rows.append(f"{trace},{entries},{iotlb['lookups']['value']},{iotlb['misses']['value']}")
    return "\n".join(rows) + "\n"


def read(csv):
    """{trace: [(entries, misses in percent of look-ups)]}"""
    series = {}
    for line in csv.splitlines()[1:]:
        trace, entries, lookups, misses = line.split(",")
        series.setdefault(trace, []).append((int(entries), 100 * int(misses) / int(lookups)))
    return series


def draw(csv):
    p = Picture(760, 380, "IOTLB misses against IOTLB size")
    left, right, top, bottom, highest = 64, 540, 46, 322, 100

    def x(index):
        return left + (right - left) * index / (len(SIZES) - 1)

    def y(percent):
        return bottom - (bottom - top) * percent / highest

    p.text(20, 26, "IOTLB misses, % of look-ups", size=14, anchor="start", bold=True)
    for percent in range(0, highest + 1, 20):
        p.line([(left, y(percent)), (right, y(percent))], "grid", 1)
        p.text(left - 10, y(percent) + 4, str(percent), "quiet", 12, "end")
    for index, size in enumerate(SIZES):
        p.text(x(index), bottom + 20, str(size), "quiet", 12)
    p.text((left + right) / 2, bottom + 44, "entries (fully associative, LRU)", "quiet", 12)
    label_at = bottom + 40.0
    for index, (trace, points) in sorted(enumerate(read(csv).items()), key=lambda item: item[1][1][-1][1]):
        colour = f"series{index}"
        places = [(x(SIZES.index(entries)), y(percent)) for entries, percent in points]
        p.line(places, colour, 2)
        for place in places:
            p.dot(*place, colour)
        label_at = min(label_at - 18, places[-1][1] + 4)
        p.text(right + 12, label_at, f"{trace}  {points[-1][1]:.1f} %", colour, 12.5, "start", True)
    return p
