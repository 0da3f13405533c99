# SPDX-License-Identifier: Apache-2.0
"""Where mutants live: a copy of the tree with a build of its own, without optimisation, a file at a time. The checkout is
never touched.
"""
import collections
import glob
import os
import re
import shutil
import subprocess

Result = collections.namedtuple("Result", "state by")  # state: killed, survived, or did not compile; by: what failed
LAYOUT = ["cmake", "models", "sw", "tb", "traces", "CMakeLists.txt", "CMakePresets.json", "LICENSE"]
VECTORS = "tb/conformance/expected_failures.txt"


def copy_if_changed(source, copy):
    """A file whose text is as it was keeps its time, so that nothing is built again for it."""
    if os.path.exists(copy):
        with open(source, "rb") as old, open(copy, "rb") as new:
            if old.read() == new.read():
                return
    shutil.copyfile(source, copy)


class Bench:
    def __init__(self, root, scratch, jobs, timeout):
        self.root, self.tree, self.jobs, self.timeout = root, os.path.join(scratch, "tree"), jobs, timeout
        self.build = os.path.join(scratch, "build")
        self.output = ""  # of the last build
        for entry in LAYOUT:
            source, copy = os.path.join(root, entry), os.path.join(self.tree, entry)
            if os.path.isdir(source):
                shutil.copytree(source, copy, copy_function=copy_if_changed, dirs_exist_ok=True,
                                ignore=shutil.ignore_patterns("__pycache__", "*.zst"))
            elif os.path.exists(source):
                copy_if_changed(source, copy)
        if not os.path.exists(os.path.join(self.tree, "vectors")):
            os.symlink(os.path.join(root, "vectors"), os.path.join(self.tree, "vectors"))
        library = os.path.join(self.tree, "cmake/IommusimLibrary.cmake")
        with open(library, encoding="utf-8") as file:
            text = file.read()
        with open(library, "w", encoding="utf-8") as file:  # one file changes at a time: no batches of files
            file.write(text.replace("UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16", "UNITY_BUILD OFF", 1))
        self.run(["cmake", "-S", self.tree, "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                  "-DCMAKE_CXX_FLAGS_DEBUG=-O0 -w", "-DIOMMUSIM_WITH_SYSTEMC=OFF"], check=True)
        targets = self.run(["ninja", "-C", self.build, "-t", "targets", "all"], check=True)[1]
        self.targets = set(re.findall(r"^(\w+): phony", targets, re.MULTILINE))

    def run(self, command, timeout=1800, check=False):
        """Exit status, or None after `timeout` seconds, and the output."""
        with subprocess.Popen(command, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", start_new_session=True) as process:
            try:
                output = process.communicate(timeout=timeout)[0]
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.communicate()
                return None, ""
        if check and process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}:\n{output[-4000:]}")
        return process.returncode, output

    def make(self, targets):
        status, self.output = self.run(["ninja", "-C", self.build, f"-j{self.jobs}"] + targets)
        return status == 0

    def has(self, test_file):
        """The tests of this file can be built here: without SystemC."""
        return self.target_of(test_file)[0] in self.targets

    def target_of(self, test_file):
        """(target, folder) of the program that holds the tests of a file."""
        folder = os.path.dirname(test_file)
        while folder:
            path = os.path.join(self.root, folder, "CMakeLists.txt")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    match = re.search(r"iommusim_test\(\s*NAME (\w+)", file.read())
                if match:
                    return match[1], folder
            folder = os.path.dirname(folder)
        raise RuntimeError(f"no test program holds {test_file}")

    def judge(self, tests, vectors):
        """`tests`: file -> names, `vectors`: references like suite/09. Stops at the first failure."""
        programs = collections.defaultdict(list)
        for file, names in tests.items():
            programs[self.target_of(file)] += names
        for (target, folder), names in sorted(programs.items(), key=lambda item: (item[0][0] != "unit_spec", item[0])):
            if not self.make([target]):
                return Result("did not compile", "")
            patterns = ":".join(f"{name}:{name}/*:*/{name}:*/{name}/*" for name in names)
            status, output = self.run([os.path.join(self.build, folder, target), f"--gtest_filter={patterns}"], self.timeout)
            if status is None:
                return Result("killed", f"{target} (no end)")
            if status != 0:
                failed = re.findall(r"\[  FAILED  \] (?:\w+/)?(\w+\.\w+)", output)
                return Result("killed", failed[0] if failed else f"{target} (crash)")
        return self.judge_vectors(vectors) if vectors else Result("survived", "")

    def judge_vectors(self, vectors):
        if not self.make(["replay_vectors"]):
            return Result("did not compile", "")
        for reference in vectors:
            pattern = "vectors/random/*.jsonl" if reference == "random" else f"vectors/{reference}-*.jsonl"
            files = sorted(glob.glob(os.path.join(self.root, pattern)))
            program = os.path.join(self.build, "tb/conformance/replay_vectors")
            if self.run([program, VECTORS] + files, self.timeout)[0] != 0:
                return Result("killed", reference)
        return Result("survived", "")

    def try_mutation(self, function, mutation, tests, vectors):
        path = os.path.join(self.tree, function.file)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        lines = text.split("\n")
        lines[mutation.line] = mutation.text
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n".join(lines))
            return self.judge(tests, vectors)
        finally:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
