# SPDX-License-Identifier: Apache-2.0
"""Results as text for a terminal, and as docs/validation.md: explained in validation.in.md beside this, where
`@rows N@` stands for the table of an experiment and `@cycles@` for the summary of the cycle counts."""
import os
import re

HEAD = ("", "unit", "published", "simulated", "error", "tolerance", "verdict")
SOURCE = "tb/validation/experiments/validation.in.md"


def show(result):
    print(f"{result.number}. {result.title}")
    cells = [row.cells() for row in result.rows]
    table = [list(HEAD), *cells]
    widths = [max(len(row[i]) for row in table) for i in range(len(HEAD))]
    for row in table:
        print("  " + "  ".join(text.ljust(width) if i < 2 or i == 6 else text.rjust(width)
                               for i, (text, width) in enumerate(zip(row, widths))).rstrip())
    for note in result.notes:
        print("  " + note)
    print(flush=True)


def markdown(result):
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---|--:|--:|--:|--:|---|"]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in result.rows]
    for curve in result.curves:
        lines += ["", f"![{curve.title}: {curve.names[0]} and {curve.names[1]}](plots/validation-{curve.file}.svg)"]
    return "\n".join(lines)


def write(results, cycles, root):
    import plot  # needs a program that others do not

    for result in results:
        for curve in result.curves:
            plot.write(curve, os.path.join(root, "docs/plots"))
    with open(os.path.join(root, SOURCE), encoding="utf-8") as file:
        text = file.read()
    for result in results:
        text = text.replace(f"@rows {result.number}@", markdown(result))
    text = text.replace("@cycles@", cycles)
    if left := re.search(r"@\w+ ?\d*@", text):
        raise RuntimeError(f"{SOURCE}: {left[0]} is not known")
    with open(os.path.join(root, "docs/validation.md"), "w", encoding="utf-8") as file:
        file.write(text)
    print("written: docs/validation.md, docs/plots/validation-*")
