# SPDX-License-Identifier: Apache-2.0
"""The picture of the system: docs/architecture.svg. scripts/write-docs draws it."""
from svg import Picture


def software(p):
    p.box(20, 44, 920, 106, "panel", "grid", 8)
    p.text(32, 36, "software (sw/)", "quiet", 12, "start")
    p.labelled_box(36, 62, 190, 70, "soft", "soft_edge", "user program", "ioctl on /dev/iommu:", "IOAS_MAP, IOAS_UNMAP")
    p.labelled_box(270, 62, 190, 70, "soft", "soft_edge", "iommufd", "IOAS, HWPT, devices,", "accesses, ABI of Linux")
    p.labelled_box(504, 62, 190, 70, "soft", "soft_edge", "mapping core", "IOVA areas, pinned pages,", "reserved ranges")
    p.labelled_box(738, 62, 186, 70, "soft", "soft_edge", "RISC-V IOMMU driver", "page tables, directory,", "queues, interrupts")
    for x in (226, 460, 694):
        p.line([(x + 2, 97), (x + 42, 97)], arrow=True)


def hardware(p):
    p.box(20, 226, 920, 300, "panel", "grid", 8)
    p.text(32, 516, "hardware (models/)", "quiet", 12, "start")
    p.labelled_box(36, 330, 108, 88, "hard", "hard_edge", "devices", "trace replay,", "generator")
    p.labelled_box(178, 330, 108, 88, "hard", "hard_edge", "DMA bus", "framing, credits,", "arbitration")
    p.labelled_box(816, 242, 108, 268, "store", "store_edge", "memory", "buffers", "page tables", "directory", "queues")
    p.line([(144, 361), (176, 361)], arrow=True)
    p.line([(178, 387), (146, 387)], arrow=True)
    p.line([(286, 361), (332, 361)], arrow=True)
    p.line([(334, 387), (288, 387)], arrow=True)


def iommu(p):
    p.box(320, 242, 464, 268, "none", "hard_edge", 8)
    p.text(334, 262, "IOMMU", "ink", 13, "start", True)
    p.labelled_box(334, 276, 120, 40, "hard", "hard_edge", "registers")
    p.labelled_box(476, 276, 292, 40, "hard", "hard_edge", "command, fault and interrupt engines")
    p.line([(454, 296), (476, 296)])
    p.line([(770, 296), (814, 296)], arrow=True, back=True)
    p.labelled_box(334, 346, 84, 56, "hard", "hard_edge", "ingress", "queue")
    p.labelled_box(440, 346, 106, 56, "hard", "hard_edge", "directory", "caches")
    p.labelled_box(568, 346, 96, 56, "hard", "hard_edge", "IOTLB", "permissions")
    p.line([(418, 374), (438, 374)], arrow=True)
    p.line([(546, 374), (566, 374)], arrow=True)
    p.line([(664, 374), (814, 374)], arrow=True)
    p.text(728, 367, "translated DMA", "quiet", 11.5)
    p.labelled_box(440, 434, 106, 56, "hard", "hard_edge", "miss table", "merges")
    p.labelled_box(568, 434, 200, 56, "hard", "hard_edge", "walkers", "with walk caches by level")
    p.line([(616, 402), (616, 418), (493, 418), (493, 432)], arrow=True)
    p.text(624, 418, "miss", "quiet", 11.5, "start")
    p.line([(546, 462), (566, 462)], arrow=True)
    p.line([(770, 462), (814, 462)], arrow=True, back=True)


def between(p):
    """What crosses from software to hardware: registers, memory, interrupts."""
    p.line([(750, 132), (750, 190), (420, 190), (420, 274)], arrow=True)
    p.text(585, 182, "MMIO: registers, tails of queues", "quiet", 11.5)
    p.line([(766, 276), (766, 134)], arrow=True, dashed=True)
    p.text(774, 180, "interrupts", "quiet", 11.5, "start")
    p.line([(906, 132), (906, 240)], arrow=True)
    p.text(899, 202, "page tables,", "quiet", 11.5, "end")
    p.text(899, 217, "commands", "quiet", 11.5, "end")


def draw():
    p = Picture(960, 546, "iommusim: software, IOMMU, DMA bus and memory")
    software(p)
    hardware(p)
    iommu(p)
    between(p)
    return p
