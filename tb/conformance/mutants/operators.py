# SPDX-License-Identifier: Apache-2.0
"""The changes that make a mutant: each is one edit on one line of a function's body. They are made on text; whether one
compiles, the compiler tells.
"""
import collections
import re

from clauses import functions

Mutation = collections.namedtuple("Mutation", "line text shown")  # line from 0, the new text, "old → new" for people

SWAPS = [(" == ", " != "), (" != ", " == "), (" && ", " || "), (" || ", " && "), (" <= ", " > "), (" >= ", " < "),
         (" < ", " >= "), (" > ", " <= "), (" + ", " - "), (" - ", " + "), (" | ", " & "), (" & ", " | "), (" |= ", " &= "),
         (" &= ", " |= "), (" << ", " >> "), (" >> ", " << "), ("true", "false"), ("false", "true"), ("~", ""), ("++", "--"),
         ("--", "++"), ("kRead", "kWrite"), ("kWrite", "kRead")]
NUMBER = re.compile(r"(?<![\w.'\"<:])(\d+)(?=[UL]*[\s;,)\]?:])")
CAUSE = re.compile(r"\bCause::k\w+")
NOT = re.compile(r"!(?=[\w(])")
STATEMENT = re.compile(r"^(\s+)([\w:.\[\]>()*-]+ (?:=|\|=|&=|\+=|-=) [^;]*;|[\w:.>-]+\([^;]*\);|[+-]{2}\w+;)$")
RETURN = re.compile(r"\breturn ([^;]+);")
IF = re.compile(r"\bif \((.+?)\)(?= [\w+-]| \{|$)")


def balanced(text):
    return text.count("(") == text.count(")")


def shown(old, new):
    """The change with a little of what surrounds it."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    left, right = max(0, start - 22), max(0, end - 22)
    while left > 0 and re.match(r"\w", old[left - 1]):
        left -= 1
    while right > 0 and re.match(r"\w", old[len(old) - right]):
        right -= 1
    return f"{old[left:len(old) - right].strip()} → {new[left:len(new) - right].strip() or 'nothing'}"


def edits(code, line):
    """(start, end, replacement) on a line; `code` is the line without literals and comments."""
    for old, new in SWAPS:
        start = code.find(old)
        while start >= 0:
            word = re.match(r"\w", old) is None or not (re.match(r"\w", code[start - 1:start] or " ") or
                                                        re.match(r"\w", code[start + len(old):start + len(old) + 1] or " "))
            if word:
                yield start, start + len(old), new
            start = code.find(old, start + len(old))
    for match in NUMBER.finditer(code):
        yield match.start(1), match.end(1), str(int(match[1]) + 1)
    for match in CAUSE.finditer(code):
        yield match.start(), match.end(), "Cause::kInternalDataPathError"
    for match in NOT.finditer(code):
        yield match.start(), match.end(), ""
    for match in IF.finditer(code):
        if balanced(match[1]):
            yield match.start(1), match.end(1), f"!({line[match.start(1):match.end(1)]})"
    for match in RETURN.finditer(code):
        if not re.fullmatch(r"\s*|true|false|\d+|\{\}", match[1]):
            value = line[match.start(1):match.end(1)]
            yield match.start(1), match.end(1), f"!({value})"
            yield match.start(1), match.end(1), f"({value}) + 1"
    match = STATEMENT.match(code)
    if match and not re.match(r"\s*(?:return|const|auto|std::uint|unsigned|bool|base::ensure|hal::ensure)\b", code):
        yield match.start(2), match.end(2), ";"


def mutations(lines, function):
    """All of one function, in the order of its text. `lines` are those of its file, without line ends."""
    code = functions.blanked(lines)
    for number in range(function.body, function.last + 1):
        first = code[number].find("{") + 1 if number == function.body else 0
        for start, end, replacement in edits(code[number], lines[number]):
            if start < first:
                continue
            text = lines[number][:start] + replacement + lines[number][end:]
            yield Mutation(number, text, shown(lines[number], text))
