# SPDX-License-Identifier: Apache-2.0
"""Finds the functions that the C++ sources define: name, file, lines of the definition and of its body. It reads text
that clang-format has laid out, not C++ in general: a definition begins on a line of its own, at the indentation of its
namespace or class. It is enough to prove that a function that the documents name is there, and to find its body.
"""
import collections
import glob
import os
import re

Function = collections.namedtuple("Function", "name file first body last")  # lines from 0; the body begins on `body`
SCOPE = re.compile(r"^\s*(?:template <.*>\s*)?(namespace|class|struct)\s+([\w:]*)[^;=()]*\{")
HEAD = re.compile(r"^\s*(?!return\b|if\b|for\b|while\b|switch\b|else\b|case\b|using\b|throw\b|assert|static_assert)"
                  r"(?:[\w:<>,&*\s\[\]~]+[\s&*])?((?:\w+::)*~?\w+)\(")
LITERAL = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'|//.*$')


def blanked(lines):
    """The lines without what literals and comments say, at the same columns."""
    return [LITERAL.sub(lambda m: " " * len(m[0]), line) if not line.startswith("#") else "" for line in lines]


def closing_line(lines, line, column):
    """Line on which the brace at (line, column) is closed."""
    depth = 0
    for number in range(line, len(lines)):
        for character in lines[number][column if number == line else 0:]:
            depth += (character == "{") - (character == "}")
            if depth == 0 and character == "}":
                return number
    return len(lines) - 1


def opening(lines, line, column):
    """(line, column) of the brace that begins the body of the head at (line, column), or None for a declaration."""
    parentheses = braces = 0
    seen = False
    for number in range(line, min(line + 20, len(lines))):
        text = lines[number]
        for position in range(column if number == line else 0, len(text)):
            character = text[position]
            parentheses += (character == "(") - (character == ")")
            seen = seen or character == "("
            if parentheses or not seen:
                continue
            if character == "{" and not braces:
                before = text[:position].rstrip()
                if re.search(r"[\w>]$", before) and not re.search(r"\b(const|noexcept|override|final)$", before) and \
                        not before.endswith(">"):
                    braces += 1  # a member initialised with braces
                    continue
                return number, position
            braces -= bool(braces) and character == "}"
            if character == ";" or (character == "=" and "operator" not in lines[line]):
                return None
    return None


def functions_of(file, lines):
    code = blanked([line.rstrip("\n") for line in lines])
    scopes, number = [], 0  # (name or "", last line)
    while number < len(code):
        while scopes and number > scopes[-1][1]:
            scopes.pop()
        line = code[number]
        scope = SCOPE.match(line)
        if scope:
            named = scope[2] if scope[1] != "namespace" else ""
            scopes.append((named, closing_line(code, number, line.index("{", scope.end() - 1))))
            number += 1
            continue
        head = HEAD.match(line)
        start = opening(code, number, head.start(1)) if head else None
        if start is None:
            number += 1
            continue
        last = closing_line(code, *start)
        outer = [name for name, _ in scopes if name]
        yield Function("::".join(outer + [head[1]]), file, number, start[0], last)
        number = last + 1


def functions(root, folders):
    """All functions of the C++ files under `folders` of the tree: name -> [Function]."""
    found = collections.defaultdict(list)
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(root, folder, "**", "*"), recursive=True)):
            if path.endswith((".cpp", ".h")):
                with open(path, encoding="utf-8") as file:
                    for function in functions_of(os.path.relpath(path, root), file.readlines()):
                        found[function.name].append(function)
    return found
