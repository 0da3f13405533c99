# SPDX-License-Identifier: Apache-2.0
"""Tests of the changes that scripts/mutants makes: each on a small function, and none outside of it.
Usage: mutants_test.py ROOT_OF_THE_TREE"""
import os
import sys
import unittest

ROOT = sys.argv[1] if len(sys.argv) > 1 else "."
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tb/conformance"))
from clauses import functions  # noqa: E402 (the path comes first)
from mutants import operators  # noqa: E402


class Operators(unittest.TestCase):
    def texts(self, body):
        """The changed lines of a function of this body."""
        lines = ["int before = 1;", "int f(int a = 1) {"] + body + ["}", "int after = 1;"]
        function = next(f for f in functions.functions_of("a.cpp", lines) if f.name == "f")
        found = list(operators.mutations(lines, function))
        self.assertTrue(all(0 < m.line < len(lines) - 2 for m in found))
        return [m.text for m in found]

    def test_comparison_and_logic(self):
        self.assertIn("  return a != b && c;", self.texts(["  return a == b && c;"]))
        self.assertIn("  return a == b || c;", self.texts(["  return a == b && c;"]))

    def test_condition(self):
        self.assertIn("  if (!(a)) g();", self.texts(["  if (a) g();"]))
        self.assertIn("  if (a) g();", self.texts(["  if (!a) g();"]))

    def test_constants(self):
        self.assertEqual(["  g(3);", "  ;"], self.texts(["  g(2);"]))
        self.assertIn("  return fault(Cause::kInternalDataPathError);", self.texts(["  return fault(Cause::kDdtNotValid);"]))
        self.assertIn("  return false;", self.texts(["  return true;"]))

    def test_statements_are_dropped(self):
        self.assertIn("  ;", self.texts(["  a.b = c;"]))
        self.assertIn("  ;", self.texts(["  run(x);"]))
        self.assertNotIn("  ;", self.texts(["  const int b = c;"]))
        self.assertNotIn("  ;", self.texts(["  return run(x);"]))

    def test_return_values(self):
        self.assertIn("  return !(run(x));", self.texts(["  return run(x);"]))

    def test_literals_and_comments_stay(self):
        self.assertEqual([], self.texts(["  // a == b, true", "  g(\"1 == 2\"), h(\"true\")"]))
        self.assertEqual([], self.texts([]))

    def test_what_is_shown(self):
        self.assertEqual(operators.shown("  if (first == second) run();", "  if (first != second) run();"),
                         "if (first == second) run(); → if (first != second) run();")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
