"""Every reason that siting can give has its words in both languages, found by reading the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pandas as pd
import pytest

from sy_coverage import siting
from sy_coverage.siting.planning.shortfall import GIVEN_UP

ROOM = Path(siting.__file__).parent
NAMED = {"reason", "word"}
"""Variables that hold a reason's id."""
CALLS = {"points": 1, "_about": 1}
"""Functions that take a reason's id, and at which place."""


def texts(node):
    """Yield the texts that an expression may come to: itself, or either side of a choice."""
    if isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def of_call(node):
    """Yield the reason ids that a call hands over."""
    called = getattr(node.func, "id", getattr(node.func, "attr", ""))
    if called in CALLS and len(node.args) > CALLS[called]:
        yield from texts(node.args[CALLS[called]])
    if called == "findings" and node.args and isinstance(node.args[0], ast.List):
        for row in node.args[0].elts:
            yield from texts(row.elts[0])
    if (
        called == "append"
        and isinstance(node.args[0], ast.Tuple)
        and getattr(node.args[0].elts[0], "id", "") == "name"
    ):
        yield from texts(node.args[0].elts[1])


def said_in(path):
    """Yield every reason id that a module writes down."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if getattr(key, "value", None) == "reason_id":
                    yield from texts(value)
        elif isinstance(node, ast.Assign) and {getattr(t, "id", "") for t in node.targets} & NAMED:
            yield from texts(node.value)
        elif isinstance(node, ast.Call):
            yield from of_call(node)


IDS = sorted({reason for path in ROOM.rglob("*.py") for reason in said_in(path)})


def test_reading_the_source_finds_the_reasons_of_every_kind():
    assert {
        "objective_without",
        "capacity_short",
        "no_single_source_plan",
        "capacity_out_of_reach",
        "unreachable_demand",
        "alternative_fewer_elders",
        "left_out_dearer",
        "no_upgrade_candidate",
        "budget_too_small",
    } <= set(IDS)
    assert len(IDS) > 45


# the stages that may get worse where a site is forbidden: what counts towards the targets, cost, elders
@pytest.mark.parametrize(
    "reason",
    [
        *IDS,
        *(f"in_every_optimum_{s}" for s in ("towards_targets", "cost", "elders")),
        *(f"rule_in_the_way_{rule}" for rule in GIVEN_UP),
    ],
)
def test_every_reason_has_its_words_in_both_languages(reason):
    row = {
        "reason_id": reason,
        "subject": "A",
        "value": 1.5,
        "other": 2.5,
        "target": {"zh": "目标", "en": "target"},
    }
    frame = pd.DataFrame([row | {"scope_id": "B", "places": ("C",)}], index=pd.Index(["s"], name="site_id"))
    for language in ("zh", "en"):
        sentence = siting.sentences(frame, language)["sentence"].item()
        assert sentence.endswith("。" if language == "zh" else ".")
        assert "nan" not in sentence


def test_a_classic_plan_speaks_in_sentences():
    from sy_coverage.roads.travel_times import TravelTimes

    times = TravelTimes.from_matrix(
        [[2.0, 40.0], [3.0, 40.0], [90.0, 90.0]], site_ids=("a", "b"), demand_ids=("x", "y", "z")
    )
    plan = siting.lscp(times, 30)
    said = siting.sentences(plan.findings, "en", names={"z": "Zhou Village"})["sentence"].item()
    assert (
        said == "Demand point Zhou Village has too few usable sites within the travel time (its demand: 1)."
    )
    some = siting.mclp(times, 30, [5.0, 6.0, 7.0], p=1)
    assert siting.sentences(some.findings)["sentence"].item() == "需求点z未被覆盖（需求量 7）。"
    assert siting.sentences(some.why(), "en")["sentence"].tolist() == [
        "It serves 2 demand points.",
        "The demand it serves comes to 11.",
        "2 demand points have no other chosen site in reach.",
        "The demand with no other chosen site in reach comes to 11.",
    ]
