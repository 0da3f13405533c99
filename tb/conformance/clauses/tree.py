# SPDX-License-Identifier: Apache-2.0
"""What the lists may refer to: functions and register fields of the models and the driver, tests, vector files. A
reference names one thing and resolves to the file that holds it, or to a message that says why it does not.
"""
import collections
import glob
import os
import re

from clauses import functions

FUNCTION_FOLDERS = ["models/spec", "models/translate", "models/timing", "models/tlm", "models/devices", "sw/drivers"]
TEST = re.compile(r"^(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP|SC_TEST)\((\w+),\s*(\w+)", re.MULTILINE)
FIELD = re.compile(r"^IOMMU_FIELD\((\w+), (\w+), \w+, (\d+), (\d+), k(\w+),", re.MULTILINE)
REGISTERS = "models/spec/registers.def"


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


class Tree:
    def __init__(self, root):
        self.root = root
        self.functions = functions.functions(root, FUNCTION_FOLDERS)
        self.fields = {f"{m[1]}.{m[2]}": (int(m[3]), int(m[4]), m[5]) for m in FIELD.finditer(read(root, REGISTERS))}
        self.tests = collections.defaultdict(list)
        for path in sorted(glob.glob("tb/**/*_test.cpp", root_dir=root, recursive=True)):
            for match in TEST.finditer(read(root, path)):
                self.tests[f"{match[1]}.{match[2]}"].append(path)

    def implementation(self, name):
        """(file, message) of a function or register field."""
        if re.match(r"[a-z_0-9]+\.[a-z_0-9]+$", name):
            return (REGISTERS, None) if name in self.fields else (None, f"there is no register field '{name}'")
        files = sorted({function.file for function in self.functions.get(name, [])})
        if not files:
            return None, f"there is no function '{name}' in {', '.join(FUNCTION_FOLDERS)}"
        if len(files) > 1:
            return None, f"'{name}' is in several files: {', '.join(files)}; name one that is in one file only"
        return files[0], None

    def evidence(self, name):
        """(file, message) of a test, of a file of the vectors, or of the random vectors."""
        if name == "random":
            return "vectors/random", None
        if name.startswith("suite/"):
            files = glob.glob(f"vectors/{name}-*.jsonl", root_dir=self.root)
            return (files[0], None) if len(files) == 1 else (None, f"there is no vector file '{name}-*.jsonl'")
        files = self.tests.get(name, [])
        return (files[0], None) if files else (None, f"there is no test '{name}' in tb")
