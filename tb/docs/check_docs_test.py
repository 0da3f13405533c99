# SPDX-License-Identifier: Apache-2.0
"""Tests of scripts/check-docs on small trees: each thing that it looks for is found, with file and line.
Usage: check_docs_test.py FOLDER_OF_SCRIPTS"""
import os
import subprocess
import sys
import tempfile
import unittest

CHECK = ""  # path of the script, from the command line


class CheckDocs(unittest.TestCase):
    def found(self, files):
        """Output lines and exit status for a tree of these files (text by path)."""
        with tempfile.TemporaryDirectory() as root:
            for path, text in {"README.md": "", "CHANGELOG.md": "", **files}.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
            os.makedirs(os.path.join(root, "build/release"), exist_ok=True)
            run = subprocess.run([sys.executable, CHECK, "--root", root], capture_output=True, text=True, check=False)
            left = sorted(os.listdir(root))
        self.assertNotIn("written", left)  # whatever a command writes, it writes into the copy
        return run.stdout.splitlines(), run.returncode

    def expect_clean(self, files):
        self.assertEqual(self.found(files), ([], 0))

    def expect_one(self, where, what, files):
        lines, status = self.found(files)
        self.assertEqual(status, 1)
        self.assertTrue(lines[0].startswith(where + ": "), lines)
        self.assertIn(what, "\n".join(lines))

    def test_clean(self):
        self.expect_clean({
            "README.md": "# The head\n[a](docs/a.md#b-c) [b](#the-head) `docs/*.md` [c](https://example.org/x)\n"
                         "```sh\ntouch written\ncmake --build nothing\n```\n```sh\ntest -e written\n```\n"
                         "```text\nexit 1\n```\n",
            "docs/a.md": "## B, c!\n",
        })

    def test_failing_command(self):
        self.expect_one("README.md:2", "exit status 3", {"README.md": "x\n```sh\nexit 3\n```\n"})
        self.expect_one("docs/a.md:1", "exit status", {"docs/a.md": "```sh\nfalse\ntrue\n```\n"})
        self.expect_one("docs/a.md:1", "said this", {"docs/a.md": "```sh\necho said this | cat\nfalse | cat\n```\n"})

    def test_unknown_program(self):
        self.expect_one("README.md:1", "no-such-program", {"README.md": "```sh\nno-such-program\n```\n"})

    def test_block_without_language(self):
        self.expect_one("README.md:1", "expected one of", {"README.md": "```\nls\n```\n"})
        self.expect_one("README.md:1", "expected one of", {"README.md": "```bash\nls\n```\n"})

    def test_open_block_is_checked(self):
        self.expect_one("README.md:1", "exit status 1", {"README.md": "```sh\nfalse\n"})

    def test_quotes(self):
        quote = "<!-- from: tb/a.cpp -->\n```cpp\none;\ntwo;\n```\n"
        self.expect_clean({"README.md": quote, "tb/a.cpp": "  one;\nother;\n  two;\n"})
        self.expect_one("README.md:4", "no such line", {"README.md": quote, "tb/a.cpp": "one;\n"})
        self.expect_one("README.md:4", "no such line", {"README.md": quote, "tb/a.cpp": "two;\none;\n"})
        self.expect_one("README.md:3", "no such line", {"README.md": quote})

    def test_links(self):
        self.expect_one("README.md:1", "leads nowhere", {"README.md": "[a](docs/a.md)\n"})
        self.expect_one("README.md:1", "leads nowhere", {"README.md": '<img alt="" src="a.svg">\n'})
        self.expect_one("README.md:2", "heading", {"README.md": "# One\n[a](#two)\n"})

    def test_paths_in_code(self):
        self.expect_one("README.md:1", "models/x.h", {"README.md": "see `models/x.h`\n"})

    def test_changelog(self):
        self.expect_one("CHANGELOG.md:1", "`abc123`", {"docs/statistics.md": "List `abc123`.\n"})
        self.expect_one("docs/statistics.md:1", "no line", {"docs/statistics.md": "nothing\n"})
        self.expect_clean({"docs/statistics.md": "List `abc123`.\n", "CHANGELOG.md": "- list `abc123`: new\n"})


if __name__ == "__main__":
    CHECK = os.path.join(os.path.abspath(sys.argv.pop()), "check-docs")
    unittest.main()
