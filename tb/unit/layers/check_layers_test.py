# SPDX-License-Identifier: Apache-2.0
"""Tests of scripts/check-layers on small trees: each kind of violation is found, with file and line, and what is allowed
is not reported. Usage: check_layers_test.py PATH_OF_CHECK_LAYERS"""
import os
import subprocess
import sys
import tempfile
import unittest

CHECK = ""  # path of the script, from the command line
TABLE = """# SPDX-License-Identifier: Apache-2.0
set(IOMMUSIM_LAYERS
    "base:"
    "timing: base"
    "tlm: timing base"
    "traces: base"
    "hal:"
    "hal_systemc: hal"
    "iommu_hw:"
    "drivers: hal iommu_hw")
"""
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


class CheckLayers(unittest.TestCase):
    def found(self, files, table=TABLE, spdx=True):
        """Output lines and exit status for a tree of these files (text by path)."""
        with tempfile.TemporaryDirectory() as root:
            for path, text in {"cmake/IommusimLayers.cmake": table, **files}.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write((SPDX if spdx and path.endswith((".h", ".hpp", ".cpp")) else "") + text)
            run = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True, check=False)
        return run.stdout.splitlines(), run.returncode

    def expect_clean(self, files, **options):
        self.assertEqual(self.found(files, **options), ([], 0))

    def expect_one(self, where, what, files, **options):
        lines, status = self.found(files, **options)
        self.assertEqual(status, 1)
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith(where + ": "), lines[0])
        self.assertIn(what, lines[0])

    def test_allowed_includes(self):
        self.expect_clean({
            "models/timing/a.cpp": '#include "timing/a.h"\n#include "base/b.h"\n#include <vector>\n',
            "models/tlm/nested/a.h": '#include <systemc>\n#include <tlm_utils/x.h>\n#include "timing/a.h"\n',
            "sw/hal/systemc/os.h": '#include <systemc>\n#include "hal/os.h"\n#include "hal_systemc/b.h"\n',
            "sw/drivers/a.cpp": '#include "iommu_hw/registers.h"\n#include "drivers/a.h"\n',
            "traces/a.cpp": "#include <nlohmann/json.hpp>\n#include <sqlite3.h>\n#include <fmt/format.h>\n",
            "tb/unit/a.cpp": '#include <systemc>\n#include "fixture.h"\n#include "tlm/a.h"\n#include "drivers/a.h"\n',
        })

    def test_upward_include(self):
        self.expect_one("models/base/a.h:3", "'base' may not use 'timing'",
                        {"models/base/a.h": '#pragma once\n#include "timing/a.h"\n'})
        self.expect_one("models/timing/deep/a.cpp:2", "'timing' may not use 'tlm'",
                        {"models/timing/deep/a.cpp": '  #  include <tlm/a.h>\n'})
        self.expect_one("traces/a.cpp:2", "'traces' may not use 'timing'",
                        {"traces/a.cpp": '#include "timing/a.h"\n'})

    def test_hardware_and_software_apart(self):
        self.expect_one("sw/drivers/a.cpp:2", "'drivers' may not use 'base'", {"sw/drivers/a.cpp": '#include "base/a.h"\n'})
        self.expect_one("models/tlm/a.cpp:2", "'tlm' may not use 'hal'", {"models/tlm/a.cpp": '#include "hal/a.h"\n'})

    def test_systemc_binding_is_a_library_of_its_own(self):
        self.expect_one("sw/drivers/a.cpp:2", "'drivers' may not use 'hal_systemc'",
                        {"sw/drivers/a.cpp": '#include "hal_systemc/os.h"\n'})
        self.expect_one("sw/hal/systemc/a.cpp:2", "'hal_systemc' may not use 'iommu_hw'",
                        {"sw/hal/systemc/a.cpp": '#include "iommu_hw/a.h"\n'})

    def test_include_without_folder(self):
        self.expect_one("models/base/a.cpp:2", 'not written "folder/file.h"', {"models/base/a.cpp": '#include "a.h"\n'})
        self.expect_one("sw/hal/a.cpp:2", 'not written "folder/file.h"', {"sw/hal/a.cpp": '#include "../b/a.h"\n'})

    def test_folder_without_row(self):
        self.expect_one("models/novel/a.cpp:1", "folder 'novel' has no row", {"models/novel/a.cpp": ""})

    def expect_each(self, headers, paths, what):
        """One violation for each header in each of the files, in one tree."""
        files = {path: "".join(f"#include <{header}>\n" for header in headers) for path in paths}
        lines, status = self.found(files)
        self.assertEqual(status, 1)
        expected = [f"{path}:{line}" for path in sorted(paths) for line in range(2, 2 + len(headers))]
        self.assertEqual(sorted(line.split(": ")[0] for line in lines), sorted(expected))
        for line in lines:
            self.assertIn(what, line)

    def test_systemc_outside(self):
        self.expect_each(("systemc", "systemc.h", "tlm", "tlm.h", "tlm_utils/a.h", "sysc/a.h", "tlm_core/a.h"),
                         ("models/timing/a.cpp", "sw/hal/a.h", "traces/a.h"), "is for models/tlm")

    def test_third_party_in_header(self):
        self.expect_each(("sqlite3.h", "yaml-cpp/yaml.h", "nlohmann/json.hpp", "fmt/core.h",
                          "google/protobuf/message.h", "trace.pb.h"),
                         ("models/base/a.h", "tb/unit/a.h", "sw/hal/a.hpp"), "in a header")

    def test_forward_declarations_of_json(self):
        include = "#include <nlohmann/json_fwd.hpp>\n"
        self.expect_clean({"tb/unit/a.h": include})
        self.expect_one("models/base/a.h:2", "in a header", {"models/base/a.h": include})

    def test_long_file(self):
        self.expect_clean({"models/base/a.cpp": "\n" * 499})
        self.expect_one("models/base/a.cpp:501", "501 lines", {"models/base/a.cpp": "\n" * 500})
        self.expect_one("rtl/a.sv:501", "600 lines", {"rtl/a.sv": SPDX + "\n" * 599})

    def test_license_line(self):
        self.expect_one("models/base/a.cpp:1", "SPDX", {"models/base/a.cpp": "\n" + SPDX}, spdx=False)
        self.expect_one("tb/CMakeLists.txt:1", "SPDX", {"tb/CMakeLists.txt": "add_subdirectory(unit)\n"})
        self.expect_one("tb/a.py:2", "SPDX", {"tb/a.py": "#!/usr/bin/env python3\n"})
        self.expect_one("CMakeLists.txt:1", "SPDX", {"./CMakeLists.txt": ""})
        self.expect_clean({"tb/a.py": "#!/usr/bin/env python3\n# SPDX-License-Identifier: Apache-2.0\n"})

    def test_table(self):
        self.expect_one("cmake/IommusimLayers.cmake:3", "does not list its 'a'", {},
                        table='# SPDX-License-Identifier: Apache-2.0\n"a:"\n"c: b"\n"b: a"\n')
        self.expect_one("cmake/IommusimLayers.cmake:3", "which has no row", {},
                        table='# SPDX-License-Identifier: Apache-2.0\n"a:"\n"b: z"\n')
        self.expect_one("cmake/IommusimLayers.cmake:3", "two rows", {},
                        table='# SPDX-License-Identifier: Apache-2.0\n"a:"\n"a:"\n')
        lines, status = self.found({}, table='# SPDX-License-Identifier: Apache-2.0\n"a: b"\n"b: a"\n')
        self.assertEqual((len(lines), status), (2, 1), lines)
        self.assertEqual(self.found({}, table=""), ([], 2))


if __name__ == "__main__":
    CHECK = os.path.abspath(sys.argv.pop())
    unittest.main()
