#!/usr/bin/env python3
"""Change the rules that decide answers, one small fault at a time, and see whether the tests notice.

    .venv/bin/python scripts/mutate.py [--seed 2025] [--count 240] [--only sy_coverage/coverage] [--again]

Each mutant is one operator, constant, comparison or call within a function of a rule's module, changed in memory, never on disk;
the tests that stand beside the module in `GUARDS` are run on it in a process of its own, which has everything loaded already.
What came of each is written to `tests/mutation/mutants.csv` (module, line, what was changed, killed or survived); a run that was
stopped, or ended after `--minutes`, goes on where it was. A survivor that changes no answer is named,
with the reason, in `tests/mutation/equivalent.csv`, and no longer counts. Exits with 1 where more than 5 % live.
"""

from __future__ import annotations

import argparse
import ast
import csv
import hashlib
import importlib
import inspect
import os
import random
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "mutation"
ALIVE_AT_MOST = 0.05
LIMIT_S = 300
QUICK = "not never and not permut and not add_up and not subset and not agree and not no_choice and not no_other and not whatever"
NOT_MADE = 77
"""How a process ends whose fault lies in no function: what is worked out while a module is loaded is not changed."""
GUARDS = {
    "sy_coverage/coverage/counting.py": [
        "tests/coverage/test_scorecard.py",
        "tests/siting/test_policy_rules.py",
    ],
    "sy_coverage/coverage/scorecard.py": ["tests/coverage/test_scorecard.py"],
    "sy_coverage/coverage/units.py": ["tests/coverage/test_units.py"],
    "sy_coverage/coverage/accessibility.py": ["tests/coverage/test_accessibility.py"],
    "sy_coverage/coverage/equity.py": ["tests/coverage/test_equity.py"],
    "sy_coverage/siting/sites.py": ["tests/siting/test_policy_rules.py", "tests/siting/test_policy_plan.py"],
    "sy_coverage/siting/planning/rules/bars.py": [
        "tests/siting/test_policy_rules.py",
        "tests/siting/test_policy_plan.py",
    ],
    "sy_coverage/siting/planning/rules/beds.py": [
        "tests/siting/test_policy_rules.py",
        "tests/siting/test_beds.py",
    ],
    "sy_coverage/siting/planning/rules/conversions.py": ["tests/siting/test_beds.py"],
    "sy_coverage/siting/planning/rules/criteria.py": [
        "tests/siting/test_demonstration.py",
        "tests/siting/test_policy_rules.py",
    ],
    "sy_coverage/siting/planning/rules/nursing.py": [
        "tests/siting/test_beds.py",
        "tests/siting/test_policy_rules.py",
    ],
    "sy_coverage/siting/planning/rules/stations.py": ["tests/siting/test_policy_rules.py"],
    "sy_coverage/siting/planning/rules/targets.py": [
        "tests/siting/test_policy_plan.py",
        "tests/siting/test_policy_rules.py",
    ],
    "sy_coverage/siting/candidates/generate.py": [
        "tests/siting/test_candidates.py",
        "tests/siting/test_station_candidates.py",
    ],
    "sy_coverage/siting/candidates/premises.py": ["tests/siting/test_premises.py"],
    "sy_coverage/siting/candidates/rows.py": [
        "tests/siting/test_candidates.py",
        "tests/siting/test_premises.py",
    ],
    "sy_coverage/places/people/census.py": ["tests/places/test_census.py"],
    "sy_coverage/places/people/cohorts.py": ["tests/places/test_cohorts.py"],
}
"""Module or folder of rules → the tests that hold it."""

COMPARED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
            ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is}  # fmt: skip
REVERSED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.BitAnd: ast.BitOr,
            ast.BitOr: ast.BitAnd, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult}  # fmt: skip
RENAMED = {"min": "max", "max": "min", "any": "all", "all": "any", "x": "y", "y": "x", "floor": "ceil", "ceil": "floor",
           "idxmin": "idxmax", "idxmax": "idxmin", "argmin": "argmax", "argmax": "argmin", "cumsum": "copy"}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One fault: which place of which module, and what becomes of it."""

    module: str
    number: int
    line: int
    change: str

    @property
    def key(self) -> str:
        """Return a name that stays as long as the changed line and its neighbours in the list of faults do."""
        text = (ROOT / self.module).read_text(encoding="utf-8").splitlines()[self.line - 1].strip()
        return hashlib.sha256(f"{self.module}|{text}|{self.change}".encode()).hexdigest()[:12]


class Faults(ast.NodeTransformer):
    """Walk a module, name every fault that could be made, and make the one whose number is asked for."""

    def __init__(self, wanted: int | None = None) -> None:
        self.wanted = wanted
        self.found: list[tuple[int, str]] = []

    def _fault(self, node: ast.AST, change: str) -> bool:
        self.found.append((node.lineno, change))
        return len(self.found) - 1 == self.wanted

    def visit_If(self, node: ast.If) -> ast.AST:
        """Leave out what is imported for types alone."""
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Change bodies only: annotations and decorators decide no answer."""
        node.body = [self.visit(part) for part in node.body]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Change the value alone."""
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Leave the words of errors as they are."""
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Leave text as it is."""
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """Turn a comparison over, or move its border."""
        kind = type(node.ops[0])
        if kind in COMPARED and self._fault(node, f"{kind.__name__} → {COMPARED[kind].__name__}"):
            node.ops[0] = COMPARED[kind]()
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Put the opposite operator."""
        kind = type(node.op)
        text = isinstance(node.left, ast.Constant | ast.JoinedStr) and isinstance(
            getattr(node.left, "value", ""), str
        )
        if (
            kind in REVERSED
            and not text
            and self._fault(node, f"{kind.__name__} → {REVERSED[kind].__name__}")
        ):
            node.op = REVERSED[kind]()
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """Put “or” for “and”."""
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        if self._fault(node, f"{type(node.op).__name__} → {other.__name__}"):
            node.op = other()
        return self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """Leave out a “not”, a minus or a tilde."""
        if isinstance(node.op, ast.Not | ast.Invert | ast.USub) and self._fault(
            node, f"{type(node.op).__name__} left out"
        ):
            return self.generic_visit(node.operand)
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Move a number by one; turn a truth over."""
        if isinstance(node.value, bool):
            if self._fault(node, f"{node.value} → {not node.value}"):
                return ast.copy_location(ast.Constant(not node.value), node)
        elif isinstance(node.value, int | float) and self._fault(node, f"{node.value} → {node.value + 1}"):
            return ast.copy_location(ast.Constant(node.value + 1), node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Put max for min, any for all."""
        other = RENAMED.get(node.id)
        if (
            other in {"min", "max", "any", "all"}
            and isinstance(node.ctx, ast.Load)
            and self._fault(node, f"{node.id} → {other}")
        ):
            node.id = other
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Put the other axis, end or rounding."""
        other = RENAMED.get(node.attr)
        if other and isinstance(node.ctx, ast.Load) and self._fault(node, f".{node.attr} → .{other}"):
            node.attr = other
        return self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """Leave out a sum that grows."""
        if self._fault(node, "left out"):
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)


def mutants_of(module: str) -> list[Mutant]:
    """Return every fault that could be made in a module, in its order."""
    walk = Faults()
    walk.visit(ast.parse((ROOT / module).read_text(encoding="utf-8")))
    return [Mutant(module, number, line, change) for number, (line, change) in enumerate(walk.found)]


def guarded(only: str) -> dict[str, list[str]]:
    """Return the modules of rules below `only` with their tests."""
    modules: dict[str, list[str]] = {}
    for place, tests in GUARDS.items():
        path = ROOT / place
        files = [path] if path.is_file() else sorted(path.rglob("*.py"))
        modules |= {f.relative_to(ROOT).as_posix(): tests for f in files}
    return {module: tests for module, tests in modules.items() if module.startswith(only)}


def loaded(module: str) -> ModuleType:
    """Return a module of rules, loaded."""
    name = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return importlib.import_module(name)


def functions_of(module: ModuleType) -> list[FunctionType]:
    """Return the functions of a module and the methods of its classes, those behind properties and wrappers too."""
    inside = [*vars(module).values()]
    inside += [
        item
        for kind in inside
        if isinstance(kind, type) and kind.__module__ == module.__name__
        for item in vars(kind).values()
    ]
    found = []
    for item in inside:
        for face in (
            item,
            getattr(item, "fget", None),
            getattr(item, "func", None),
            getattr(item, "__func__", None),
        ):
            bare = inspect.unwrap(face) if callable(face) else None
            if isinstance(bare, FunctionType) and bare.__module__ == module.__name__:
                found.append(bare)
    return found


def make(mutant: Mutant) -> bool:
    """Put the code of a module with its fault under the functions that everybody holds; say whether there was one to put."""
    file = ROOT / mutant.module
    tree = Faults(mutant.number).visit(ast.parse(file.read_text(encoding="utf-8")))
    known = {
        (code.co_qualname, code.co_firstlineno): code
        for code in _codes(compile(ast.fix_missing_locations(tree), str(file), "exec"))
    }
    put = False
    for function in functions_of(loaded(mutant.module)):
        code = known.get((function.__code__.co_qualname, function.__code__.co_firstlineno))
        if code is not None and code.co_freevars == function.__code__.co_freevars:
            put = put or code != function.__code__
            function.__code__ = code
    return put


def _codes(code: CodeType) -> list[CodeType]:
    """Return the codes of functions and methods, not of what is defined within them."""
    found = []
    for part in code.co_consts:
        if isinstance(part, CodeType):
            found += [part] if part.co_flags & inspect.CO_OPTIMIZED else _codes(part)
    return found


def outcome_of(mutant: Mutant | None, tests: list[str]) -> str:
    """Say whether the tests see a mutant; without one, whether they pass as they are (they survive)."""
    child = os.fork()
    if child:
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                return {0: "survived", NOT_MADE: "not made"}.get(code, "killed")
            time.sleep(0.02)
        os.kill(child, signal.SIGKILL)  # a fault that never ends is a fault that is seen
        os.waitpid(child, 0)
        return "killed"
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    if mutant is not None and not make(mutant):
        os._exit(NOT_MADE)
    code = pytest.main(["-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests])
    os._exit(int(code))


def main() -> int:
    """Make the faults, write what came of them, and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=2025)
    parser.add_argument("--count", type=int, default=240)
    parser.add_argument("--only", default="sy_coverage/", help="modules whose path begins so")
    parser.add_argument("--minutes", type=float, default=600, help="begin no mutant after so long")
    parser.add_argument("--trusted", action="store_true", help="the tests are known to pass without a fault")
    parser.add_argument("--again", action="store_true", help="only the survivors of the last run")
    asked = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    # a fault that needs more examples than these to be seen counts as one that lives
    os.environ.setdefault("HYPOTHESIS_PROFILE", "mutants")
    guards = guarded(asked.only)
    # what the rules and their tests load is loaded once, before the processes part
    for module in guards:
        loaded(module)
    held = sorted({test for tests in guards.values() for test in tests})
    pytest.main(["--collect-only", "-qq", "-n", "0", "-p", "no:cacheprovider", *held])
    if not asked.trusted:
        for test in held:
            if outcome_of(None, [test]) != "survived":
                print(f"{test} fails without any fault: mend it first")
                return 1
    rows = _made(_chosen(asked, guards), guards, minutes=asked.minutes, keep=not asked.again)
    counted = [row for row in rows if row["outcome"] != "equivalent"]
    alive = [row for row in counted if row["outcome"] == "survived"]
    print(f"{len(alive)} of {len(counted)} mutants that change an answer live (seed {asked.seed})")
    return int(len(alive) > ALIVE_AT_MOST * len(counted))


def _chosen(asked: argparse.Namespace, guards: dict[str, list[str]]) -> list[Mutant]:
    everything = [mutant for module in guards for mutant in mutants_of(module)]
    if asked.again:
        last = {row["key"] for row in _rows(FOLDER / "mutants.csv") if row["outcome"] == "survived"}
        return [mutant for mutant in everything if mutant.key in last]
    return random.Random(asked.seed).sample(everything, min(asked.count, len(everything)))  # noqa: S311


def _made(
    chosen: list[Mutant], guards: dict[str, list[str]], *, minutes: float, keep: bool
) -> list[dict[str, object]]:
    """Make mutants until the minutes are over: first without the tests that draw many examples; who lives meets them all."""
    FOLDER.mkdir(exist_ok=True)
    equivalent = {row["key"] for row in _rows(FOLDER / "equivalent.csv")}
    done = {row["key"]: row["outcome"] for row in _rows(FOLDER / "mutants.csv")} if keep else {}
    rows: list[dict[str, object]] = []
    until, lived = time.monotonic() + 60 * minutes, []
    for mutant in chosen:
        outcome = "equivalent" if mutant.key in equivalent else done.get(mutant.key, "")
        if not outcome and time.monotonic() > until:
            break
        outcome = outcome or outcome_of(mutant, ["-k", QUICK, *guards[mutant.module]])
        if outcome == "survived" and mutant.key not in done:
            lived.append(mutant)
        elif outcome != "not made":
            _note(rows, mutant, outcome, keep=keep)
    for mutant in lived:
        _note(rows, mutant, outcome_of(mutant, guards[mutant.module]), keep=keep)
    return rows


def _note(rows: list[dict[str, object]], mutant: Mutant, outcome: str, *, keep: bool) -> None:
    place = {"key": mutant.key, "module": mutant.module, "line": mutant.line}
    rows.append({**place, "change": mutant.change, "outcome": outcome})
    print(f"{len(rows):4}  {outcome:10} {mutant.module}:{mutant.line}  {mutant.change}", flush=True)
    if keep:
        ordered = sorted(rows, key=lambda row: (str(row["module"]), int(str(row["line"])), str(row["key"])))
        _write(FOLDER / "mutants.csv", ordered)


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    raise SystemExit(main())
