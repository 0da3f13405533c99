# SPDX-License-Identifier: Apache-2.0
"""What judges the experiments can say no; the derived counts against the arithmetic of the specification."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "experiments"))
import plot  # noqa: E402
from bench import Curve, Row  # noqa: E402
from exact import combinations, expected  # noqa: E402
from measured import law  # noqa: E402


class Rows(unittest.TestCase):
    def test_edges_of_a_relative_tolerance(self):
        self.assertTrue(Row("", "", 100, 101, 0.01).good)
        self.assertFalse(Row("", "", 100, 101.1, 0.01).good)
        self.assertFalse(Row("", "", 100, 98.9, 0.01).good)

    def test_exact_is_exact(self):
        self.assertTrue(Row("", "", 15, 15, 0).good)
        self.assertFalse(Row("", "", 15, 16, 0).good)
        self.assertFalse(Row("", "", 0, 1, 0).good)
        self.assertEqual(Row("", "", 15, 16, 0).verdict, "OUTSIDE")

    def test_a_tolerance_in_the_unit(self):
        self.assertTrue(Row("", "", 119, 121, 2, True).good)
        self.assertFalse(Row("", "", 119, 116.9, 2, True).good)

    def test_shown_is_not_judged(self):
        self.assertEqual(Row("", "", 1, 9, None).verdict, "shown")


class Counts(unittest.TestCase):
    def test_published_ones(self):
        for case, pages in (((1, "none", "sv39", 0, "bare", 0), 3), ((1, "none", "sv57", 0, "bare", 0), 5),
                            ((1, "none", "sv39", 0, "sv39x4", 0), 15), ((1, "none", "sv48", 0, "sv48x4", 0), 24),
                            ((1, "none", "sv57", 0, "sv57x4", 0), 35), ((1, "none", "bare", 0, "sv48x4", 1), 3)):
            self.assertEqual(expected(*case)[1], pages, case)
        self.assertEqual(sum(expected(3, "pd20", "sv39", 0, "sv39x4", 0)[0].values()), 30)

    def test_reads_add_up(self):
        cases = list(combinations())
        self.assertEqual(len(cases), 1200)
        for case in cases:
            reads, pages, processes, devices = expected(*case)
            self.assertEqual(sum(reads.values()), pages + processes + devices, case)


class Others(unittest.TestCase):
    def test_law(self):
        self.assertAlmostEqual(law(1.76), 79.6, delta=0.05)
        self.assertEqual(law(1), 100)

    def test_a_curve_is_drawn(self):
        curve = Curve("x", "title", "x", "y", [(0, 1), (1, 2)], [(0, 1.1), (1, 2.1)], ticks=[(0, "a"), (1, "b")])
        self.assertIn("<svg", plot.draw(curve).svg())


if __name__ == "__main__":
    unittest.main()
