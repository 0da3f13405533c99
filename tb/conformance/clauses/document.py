# SPDX-License-Identifier: Apache-2.0
"""Writes docs/conformance.md: the template docs/clauses/conformance.in.md, in which three marks are replaced by the
totals, by the list of what earlier models got wrong and by the list of all clauses.
"""
import os

from clauses import records as lists

TEMPLATE = "docs/clauses/conformance.in.md"
DOCUMENT = "docs/conformance.md"
KINDS = [("sentence", "sentences with must, shall, may not, is reserved, stop and report"),
         ("item", "items of the lists that such sentences introduce"), ("attribute", "attribute rows of registers")]
CHAPTERS = {"0": "Preface", "1": "Introduction", "2": "Data structures", "3": "In-memory queues", "4": "Debug support",
            "5": "Registers", "6": "Software guidelines", "7": "Hardware guidelines", "8": "Extensions"}


def kind_of(record):
    key = record.id.split("/")[1]
    return "item" if key == "item" else "attribute" if key[0].isupper() else "sentence"


def order(record):
    section, key = record.id.split("/")[:2]
    return [int(part) for part in section.split(".")], key[0].isupper()


def totals(records):
    table = ["| clauses | implemented and exercised | informative | total |", "|---|---|---|---|"]
    for kind, text in KINDS:
        of_kind = [r for r in records if kind_of(r) == kind]
        informative = sum(bool(r.reason) for r in of_kind)
        table.append(f"| {text} | {len(of_kind) - informative} | {informative} | {len(of_kind)} |")
    informative = sum(bool(r.reason) for r in records)
    table.append(f"| **all** | **{len(records) - informative}** | **{informative}** | **{len(records)}** |")
    return "\n".join(table)


def link(name, file, text=None):
    return f"[{text or name}](../{file})"


def earlier_table(tree):
    table = ["| what earlier models got wrong | tests |", "|---|---|"]
    for _, what, tests in lists.earlier(tree.root):
        table.append(f"| {what} | {', '.join(link(name, tree.evidence(name)[0]) for name in tests)} |")
    return "\n".join(table)


def clause_tables(tree, records):
    parts, chapter = [], None
    for record in sorted(records, key=order):
        number = record.id[0]
        if number != chapter:
            chapter = number
            title = f"{number}. {CHAPTERS[number]}" if number != "0" else CHAPTERS[number]
            parts += ["", f"### {title}", "", "| clause | rule | implemented by | exercised by |", "|---|---|---|---|"]
        if record.reason:
            parts.append(f"| {record.id} | {record.rule} | informative | {record.reason} |")
            continue
        functions = ", ".join(link(name, tree.implementation(name)[0]) for name in record.functions)
        evidence = ", ".join(link(name, tree.evidence(name)[0]) for name in record.evidence)
        parts.append(f"| {record.id} | {record.rule} | {functions} | {evidence} |")
    return "\n".join(parts[1:])


def document(tree, records):
    with open(os.path.join(tree.root, TEMPLATE), encoding="utf-8") as file:
        text = file.read()
    for mark, content in (("totals", totals(records)), ("earlier models", earlier_table(tree)),
                          ("list", clause_tables(tree, records))):
        text = text.replace(f"<!-- clauses: {mark} -->", content)
    return text
