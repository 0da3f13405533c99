# SPDX-License-Identifier: Apache-2.0
"""Reads the specification (AsciiDoc) and lists its clauses: every sentence with one of KEYWORDS, every item of a list
that such a sentence introduces, and every row of a register table that has an attribute. A clause has an id that tells
where it stands (section number, keyword, ordinal) and a hash of its words, so that a changed text is noticed. The words
themselves never enter this repository.
"""
import collections
import glob
import hashlib
import os
import re

# Chapter numbers are the file order of the published text; the preface has none.
CHAPTERS = [("0", "preface"), ("1", "intro"), ("2", "data_structures"), ("3", "in_memory_queues"), ("4", "debug"),
            ("5", "registers"), ("6", "sw_guidelines"), ("7", "hw_guidelines"), ("8", "extensions")]
KEYWORDS = [("stop", re.compile(r"\bstop\s+and\s+report\b", re.I)), ("must", re.compile(r"\bmust\b", re.I)),
            ("shall", re.compile(r"\bshall\b", re.I)), ("may-not", re.compile(r"\bmay\s+not\b", re.I)),
            ("reserved", re.compile(r"\b(?:is|are)\s+reserved\b", re.I))]
ATTRIBUTE = re.compile(r"^(RO|RW|RW1C|RW1S|WARL|WPRI|WLRL)$")
ITEM = re.compile(r"^\s*(\*+|\.+|-|\d+\.|[a-z]\.)\s+(\S.*)$")
SENTENCE_END = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!vs\.)(?<!etc\.)[)\"”]*\s+(?=[A-Z`*\"(<])")
CELL = re.compile(r"(?<!\\)[\^<>.a-z0-9+*]*(?<!\\)[|!]")

Clause = collections.namedtuple("Clause", "id hash kind section title note line file text")
Block = collections.namedtuple("Block", "text line note item")
Row = collections.namedtuple("Row", "bits name attribute line")


def digest(text):
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:8]


class Reader:
    """One chapter: its blocks of prose (paragraphs, list items, table cells) and its attribute rows, by section."""

    def __init__(self, number, lines):
        self.sections = []  # (number, title, [Block], [Row])
        self.levels = [int(number)]
        self.note = False
        self.pending = []
        self.pending_line = 0
        self.item = 0
        self.fence = None
        self.table = None
        self.fresh_note = False
        self.note_blocks = 0
        for line_number, line in enumerate(lines, 1):
            self.read_line(line_number, line.rstrip("\n"))
        self.flush()

    def flush(self):
        if self.pending and self.sections:
            text = " ".join(" ".join(self.pending).split())
            text = re.sub(r"\s\+(?=\s|$)", "", text)
            self.sections[-1][2].append(Block(text, self.pending_line, self.note or self.fresh_note, self.item))
            self.fresh_note = False
        self.pending, self.item = [], 0

    def heading(self, level, title):
        self.flush()
        depth = level - 2
        while len(self.levels) <= depth:
            self.levels.append(0)
        self.levels = self.levels[:depth + 1]
        if depth > 0:
            self.levels[depth] += 1
        self.sections.append((".".join(map(str, self.levels)), title.replace("`", ""), [], []))

    def read_line(self, number, line):
        if self.fence:
            if line.strip() == self.fence:
                self.fence = None
            return
        stripped = line.strip()
        match = re.match(r"^(={2,6})\s+(\S.*)$", line)
        if match:
            return self.heading(len(match[1]), match[2])
        if stripped in ("....", "----", "++++"):
            self.flush()
            self.fence = stripped
            return
        if stripped in ("|===", "!==="):
            self.end_table_row()
            self.table = None if stripped == "|===" and self.table is not None else (self.table or [])
            return
        if stripped == "====":
            self.flush()
            self.note = not self.note
            self.fresh_note = False
            return
        if re.match(r"^\[(NOTE|TIP|WARNING|IMPORTANT|CAUTION)\]$", stripped):
            self.flush()
            self.fresh_note = True
            return
        if self.table is not None:
            return self.read_table_line(number, line)
        if not stripped or stripped == "+" or stripped == "<<<" or stripped.startswith("//"):
            return self.flush()
        if re.match(r"^\[.*\]$", stripped) or re.match(r"^\.[A-Z`]", line) or stripped.startswith("image::"):
            return self.flush()
        match = ITEM.match(line)
        if match:
            self.flush()
            self.item = len(match[1]) if match[1][0] in "*." else 1
            self.pending_line = number
            self.pending.append(match[2])
            return
        if not self.pending:
            self.pending_line = number
        self.pending.append(stripped)

    # Tables: a row begins on a line with a cell mark; cells may run over many lines.
    def read_table_line(self, number, line):
        stripped = line.strip()
        if not stripped:
            return
        if re.match(r"^\[.*\]$", stripped):
            return
        mark = re.match(r"^\s*[\^<>.a-z0-9+*]*[|!]", line)
        if mark and line.count("|") + line.count("!") >= 1:
            if line.lstrip().startswith("|") and self.starts_row(line):
                self.end_table_row()
            elif "!" in mark[0]:
                self.end_table_row(keep=False)
        if self.table is None:
            return
        self.table.append((number, line))

    def starts_row(self, line):
        """A line of the register tables begins a row; a lone cell continues one."""
        return line.count("|") > 1 or not self.table

    def end_table_row(self, keep=False):
        if not self.table:
            return
        lines, self.table = self.table, []
        number = lines[0][0]
        text = "\n".join(line for _, line in lines)
        separator = "!" if text.lstrip().lstrip("^").startswith("!") else "|"
        cells = [c.strip() for c in re.split(r"[\^<>]?(?:(?<=\s)a)?" + re.escape(separator), text)]
        cells = [c for c in cells[1:]]
        for cell in cells:
            for part in re.split(r"\s\+\s*\n\s*\+?\s*\n|\s\+\n\s{20,}\+\n", cell):
                words = " ".join(re.sub(r"\s\+(?=\s|$)", " ", part).split())
                if words:
                    self.sections[-1][2].append(Block(words, number, self.note, 0))
        if len(cells) >= 3 and ATTRIBUTE.match(re.sub(r"\s+a$", "", cells[2])):
            name = re.sub(r"\s+a$", "", cells[1]).strip("` ")
            self.sections[-1][3].append(
                Row(re.sub(r"\s+a$", "", cells[0]).strip(), name, re.sub(r"\s+a$", "", cells[2]), number))


def sentences(text):
    return [s for s in SENTENCE_END.split(text) if s.strip()]


def keyword_of(sentence):
    return next((name for name, pattern in KEYWORDS if pattern.search(sentence)), None)


def section_clauses(file, number, title, blocks, rows):
    counts = collections.Counter()

    def clause(kind, key, text, line, note):
        counts[key] += 1
        ordinal = f"/{counts[key]}" if kind != "attribute" or counts[key] > 1 else ""
        return Clause(f"{number}/{key}{ordinal}", digest(text), kind, number, title, note, line, file, text)

    lead = None  # (keyword, item depth) of the sentence whose list follows
    for block in blocks:
        found = [(keyword_of(sentence), sentence) for sentence in sentences(block.text)]
        found_any = any(keyword for keyword, _ in found)
        for keyword, sentence in found:
            if keyword:
                yield clause("sentence", keyword, sentence, block.line, block.note)
        if block.item and lead is not None and block.item > lead and not found_any and number[0] not in "67":
            yield clause("item", "item", block.text, block.line, block.note)
        introduces = found_any and re.search(r"following|:$", block.text)
        if not block.item or (lead is not None and block.item <= lead):
            lead = block.item if introduces else None
        elif introduces and lead is None:
            lead = block.item
    for row in rows:
        yield clause("attribute", f"{row.attribute}/{row.bits.replace(' ', '')}", f"{row.bits}|{row.name}|{row.attribute}",
                     row.line, False)


def clauses(shared):
    """All clauses of the specification in $IOMMUSIM_SHARED, in its order."""
    found = []
    for number, name in CHAPTERS:
        path = os.path.join(shared, "spec", f"iommu_{name}.adoc")
        with open(path, encoding="utf-8") as file:
            reader = Reader(number, file.readlines())
        for section, title, blocks, rows in reader.sections:
            found += section_clauses(os.path.basename(path), section, title, blocks, rows)
    return found
