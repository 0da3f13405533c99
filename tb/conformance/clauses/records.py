# SPDX-License-Identifier: Apache-2.0
"""The lists in docs/clauses: one line a clause, `ID HASH | rule | functions | tests and vectors`, or
`ID HASH | rule | informative | reason`. Everything that refers to something is resolved here.
"""
import collections
import glob
import os
import re

Record = collections.namedtuple("Record", "id hash rule functions evidence reason file line")
EARLIER = "earlier-models.txt"


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip() and not line.startswith("#"):
                yield number, [cell.strip() for cell in line.rstrip("\n").split(" | ")]


def names(cell):
    return [name.strip() for name in cell.split(",") if name.strip()]


def load(root):
    """All records, in the order of the files, and what is wrong with their form."""
    records, found = [], []
    for path in sorted(glob.glob(os.path.join(root, "docs/clauses/[0-9]*.txt"))):
        file = os.path.relpath(path, root)
        for line, cells in lines_of(path):
            if len(cells) != 4 or not re.match(r"\S+( [0-9a-f]{8})?$", cells[0]):
                found.append((file, line, "expected 'ID HASH | rule | functions | tests' or '... | informative | reason'"))
                continue
            identity, _, digest = cells[0].partition(" ")
            informative = cells[2] == "informative"
            records.append(Record(identity, digest, cells[1], [] if informative else names(cells[2]),
                                  [] if informative else names(cells[3]), cells[3] if informative else "", file, line))
    return records, found


def earlier(root):
    """The list of what earlier models got wrong: [(line, what, [test])]."""
    path = os.path.join(root, "docs/clauses", EARLIER)
    return [(line, cells[0], names(cells[1])) for line, cells in lines_of(path)]


def check_references(tree, records):
    """Every function, field, test and vector file that is named exists."""
    seen = {}
    for record in records:
        if record.id in seen:
            yield record.file, record.line, f"{record.id} stands in {seen[record.id]} already"
        seen[record.id] = f"{record.file}:{record.line}"
        if not record.reason and not (record.functions and record.evidence):
            yield record.file, record.line, f"{record.id} names no function, or no test"
        for name in record.functions:
            message = tree.implementation(name)[1]
            if message:
                yield record.file, record.line, f"{record.id}: {message}"
        for name in record.evidence:
            message = tree.evidence(name)[1]
            if message:
                yield record.file, record.line, f"{record.id}: {message}"
    for line, what, tests in earlier(tree.root):
        for name in tests:
            message = tree.evidence(name)[1]
            if message:
                yield f"docs/clauses/{EARLIER}", line, f"{what}: {message}"


def check_against(tree, records, clauses):
    """Every clause of the specification has its record, with the hash of the text as it is."""
    by_id = {record.id: record for record in records}
    for clause in clauses:
        record = by_id.pop(clause.id, None)
        place = f"{clause.file}:{clause.line}"
        if record is None:
            yield "docs/clauses", 0, f"{clause.id} ({place}) has no line"
        elif record.hash != clause.hash:
            yield record.file, record.line, f"{clause.id}: its text at {place} has the hash {clause.hash} now; read it again"
        elif clause.note != record.rule.startswith("note: "):
            yield record.file, record.line, f"{clause.id}: a rule begins with 'note: ' where the specification has a note"
        elif clause.kind == "attribute":
            yield from check_attribute(tree, record, clause)
    for record in by_id.values():
        yield record.file, record.line, f"the specification has no clause {record.id}"


def check_attribute(tree, record, clause):
    """The field that a row names has the bits and the attribute of the specification's row."""
    bits, _, attribute = clause.text.split("|")
    high, _, low = bits.replace(" ", "").partition(":")
    wanted = (int(low or high), int(high) - int(low or high) + 1,
              {"RO": "ReadOnly", "RW": "ReadWrite", "RW1C": "WriteOneClear", "RW1S": "WriteOneSet"}.get(attribute, "Warl"))
    for name in record.functions:
        if name in tree.fields and tree.fields[name] != wanted:
            yield record.file, record.line, f"{name} has (lsb, width, attribute) {tree.fields[name]}, expected {wanted}"
