# SPDX-License-Identifier: Apache-2.0
"""Runs of the simulator, and rows that compare what they say with what others published. Everything that is read of a
run is in its stats.json."""
import concurrent.futures
import dataclasses
import json
import os
import subprocess

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
SYSTEMS = "systems/validation"


@dataclasses.dataclass
class Row:
    """`tolerance` is a fraction of what was published; 0: exact; None: shown, not judged."""
    what: str
    unit: str
    published: float
    simulated: float
    tolerance: float | None
    absolute: bool = False  # the tolerance is in the row's unit

    @property
    def error(self):
        difference = self.simulated - self.published
        return difference if self.absolute else difference / self.published if self.published else difference

    @property
    def good(self):
        return self.tolerance is None or abs(self.error) <= self.tolerance + 1e-9

    @property
    def verdict(self):
        return "shown" if self.tolerance is None else "within" if self.good else "OUTSIDE"

    def cells(self):
        def number(value):
            return f"{value:,.0f}".replace(",", " ") if float(value).is_integer() else f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}"
        if self.tolerance == 0:
            error, tolerance = ("0" if self.good else f"{self.simulated - self.published:+g}"), "exact"
        elif self.absolute:
            error = f"{self.error:+.2f}"
            tolerance = "-" if self.tolerance is None else f"{self.tolerance:g} {self.unit}"
        else:
            error = f"{100 * self.error:+.2f} %"
            tolerance = "-" if self.tolerance is None else f"{100 * self.tolerance:g} %"
        return [self.what, self.unit, number(self.published), number(self.simulated), error, tolerance, self.verdict]


@dataclasses.dataclass
class Curve:
    """Points (x, y) of two lines; `names`: of the published and of the simulated one."""
    file: str
    title: str
    x_label: str
    y_label: str
    published: list
    simulated: list
    names: tuple = ("published", "simulated")
    scatter: bool = False
    ticks: list = None  # [(x, text)]
    lowest: float = 0  # of the y axis


@dataclasses.dataclass
class Result:
    number: int
    title: str
    rows: list = dataclasses.field(default_factory=list)
    curves: list = dataclasses.field(default_factory=list)
    notes: list = dataclasses.field(default_factory=list)


class Stats:
    def __init__(self, text):
        self.all = json.loads(text)
        self.run = self.all["run"]

    def __getitem__(self, path):
        """A counter's value; another statistic is given as it is."""
        at = self.all["measured"]["system"]
        for name in path.split("."):
            at = at[name]
        return at["value"] if at.get("kind") == "counter" else at

    def mean(self, path):
        return self[path]["sum"] / self[path]["count"]


class Bench:
    def __init__(self, program, quick):
        self.program, self.quick = program, quick
        self.pool = concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 1)

    def run(self, system, sets=()):
        """One run; a failed transfer is a failed run."""
        command = [self.program, "run", f"{SYSTEMS}/{system}.yaml", "--json", "--quiet"]
        for path, value in dict(sets).items():
            command += ["--set", f"{path}={value}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
        stats = Stats(done.stdout)
        if stats.run["failed_transfers"] != 0:
            raise RuntimeError(f"{' '.join(command)}: {stats.run['failed_transfers']} transfers failed")
        return stats

    def runs(self, system, all_sets):
        """As many as there are processors at a time; results in the order of the settings."""
        return list(self.pool.map(lambda sets: self.run(system, sets), all_sets))
