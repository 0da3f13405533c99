# SPDX-License-Identifier: Apache-2.0
"""Tests of scripts/clauses: what it reads out of a specification, and that each thing that it looks for is found.
Usage: clauses_test.py ROOT_OF_THE_TREE"""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = sys.argv[1] if len(sys.argv) > 1 else "."
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tb/conformance"))
from clauses import functions, specification  # noqa: E402

CHAPTER = """== Registers
First words. A reader must
see this. No rule, e.g. Here.

=== One
.. The list must not be seen.

Stop and report when any of the following holds:

. a is 1
.. b is 2
. c must be 3

[NOTE]
====
It may not.
====

|===
|Bits |Field |Attribute | Description
|0    |`go`  |RW1S      | Is set. It shall end,
                           or not. +
                                      +
                           The rest is reserved.
|3:1  |reserved |WPRI a  | x
|===
"""
SOURCE = """namespace n {
/// Text with f() {
class C {
 public:
  int get() const { return 1; }
  int declared();
};
int C::declared() {
  if (x) { g("}"); }
  return 2;
}
C::C(int a)
    : a_(a), b_{1} {
  run();
}
}
"""
REGISTERS = "IOMMU_FIELD(reg, go, Go, 0, 1, kWriteOneSet, \"x\")\n"


class Extraction(unittest.TestCase):
    def clauses(self, text):
        reader = specification.Reader("5", text.splitlines(keepends=True))
        return [clause for section, title, blocks, rows in reader.sections
                for clause in specification.section_clauses("f.adoc", section, title, blocks, rows)]

    def test_ids(self):
        self.assertEqual([clause.id for clause in self.clauses(CHAPTER)],
                         ["5/must/1", "5.1/must/1", "5.1/stop/1", "5.1/item/1", "5.1/item/2", "5.1/must/2", "5.1/may-not/1",
                          "5.1/shall/1", "5.1/reserved/1", "5.1/RW1S/0", "5.1/WPRI/3:1"])

    def test_sentences(self):
        by_id = {clause.id: clause for clause in self.clauses(CHAPTER)}
        self.assertEqual(by_id["5/must/1"].text, "A reader must see this.")
        self.assertEqual(by_id["5.1/shall/1"].text, "It shall end, or not.")
        self.assertTrue(by_id["5.1/may-not/1"].note)
        self.assertFalse(by_id["5/must/1"].note)

    def test_hash_follows_the_words_alone(self):
        same = CHAPTER.replace("must\nsee", "must   see")
        other = CHAPTER.replace("see this", "see that")
        first = self.clauses(CHAPTER)[0].hash
        self.assertEqual(self.clauses(same)[0].hash, first)
        self.assertNotEqual(self.clauses(other)[0].hash, first)


class Functions(unittest.TestCase):
    def test_definitions(self):
        found = {f.name: (f.first, f.body, f.last) for f in functions.functions_of("a.cpp", SOURCE.splitlines())}
        self.assertEqual(found, {"C::get": (4, 4, 4), "C::declared": (7, 7, 10), "C::C": (11, 12, 14)})


class Check(unittest.TestCase):
    FILES = {"docs/clauses/conformance.in.md": "<!-- clauses: totals -->\n", "docs/clauses/earlier-models.txt": "",
             "models/spec/registers.def": REGISTERS, "models/spec/a.cpp": SOURCE,
             "tb/unit/a_test.cpp": "TEST(Suite, Name) {}\n", "vectors/suite/09-x.jsonl": "", "docs/conformance.md": ""}

    def run_script(self, files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**self.FILES, **files}.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            spec = os.path.join(root, "shared/spec")
            os.makedirs(spec)
            for number, name in specification.CHAPTERS:
                with open(os.path.join(spec, f"iommu_{name}.adoc"), "w", encoding="utf-8") as file:
                    file.write("== X\nIt must be.\n|===\n|0|`go`|RW1S|y\n|===\n" if number == "5" else "== X\n")
            environment = dict(os.environ, IOMMUSIM_SHARED=os.path.join(root, "shared"))
            script = [sys.executable, os.path.join(ROOT, "scripts/clauses")]
            for command in ("rehash", "write"):
                subprocess.run(script + [command, "--root", root], env=environment, check=False, capture_output=True)
            if "docs/conformance.md" in files:
                with open(os.path.join(root, "docs/conformance.md"), "w", encoding="utf-8") as file:
                    file.write(files["docs/conformance.md"])
            run = subprocess.run(script + ["check", "--root", root], env=environment, check=False, capture_output=True,
                                 text=True)
        return run.returncode, run.stdout

    ATTRIBUTE = "5/RW1S/0 | x | reg.go | Suite.Name\n"

    def expect(self, lines, what):
        status, output = self.run_script({"docs/clauses/5.txt": lines})
        self.assertEqual(status, 1 if what else 0, output)
        self.assertIn(what, output)

    def test_clean(self):
        self.expect("5/must/1 | x | C::declared | Suite.Name, suite/09\n" + self.ATTRIBUTE, "")

    def test_references(self):
        self.expect("5/must/1 | x | C::gone | Suite.Name\n" + self.ATTRIBUTE, "no function 'C::gone'")
        self.expect("5/must/1 | x | C::get | Suite.Gone\n" + self.ATTRIBUTE, "no test 'Suite.Gone'")
        self.expect("5/must/1 | x | C::get | suite/10\n" + self.ATTRIBUTE, "no vector file")
        self.expect("5/must/1 | x | reg.gone | Suite.Name\n" + self.ATTRIBUTE, "no register field 'reg.gone'")

    def test_lines(self):
        self.expect("5/must/1 | x | C::get\n" + self.ATTRIBUTE, "expected 'ID HASH")
        self.expect(self.ATTRIBUTE, "5/must/1 (iommu_registers.adoc:2) has no line")
        self.expect("5/must/1 | x | informative | y\n5/must/2 | x | informative | y\n" + self.ATTRIBUTE, "no clause 5/must/2")
        self.expect("5/must/1 | x | informative | y\n" * 2 + self.ATTRIBUTE, "stands in")

    def test_attribute_of_another_kind(self):
        status, output = self.run_script({
            "docs/clauses/5.txt": "5/must/1 | x | informative | y\n" + self.ATTRIBUTE,
            "models/spec/registers.def": REGISTERS.replace("kWriteOneSet", "kReadOnly")})
        self.assertEqual(status, 1)
        self.assertIn("reg.go has", output)

    def test_page_is_not_current(self):
        status, output = self.run_script({"docs/clauses/5.txt": "5/must/1 | x | informative | y\n" + self.ATTRIBUTE,
                                          "docs/conformance.md": "something else\n"})
        self.assertEqual(status, 1)
        self.assertIn("is not what scripts/clauses write makes", output)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
