"""The plan of 2025 stands in the policy file as the document and the table of targets have it."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from sy_coverage.policy import load_policy


@pytest.fixture(scope="module")
def policy():
    return load_policy("shaoyang_2025")


@pytest.fixture(scope="module")
def table(shared_data):
    """Return the rows of the table of targets, and of the table of kinds, as lists of cells."""
    path = shared_data.parent / "policy" / "TARGETS.md"
    if not path.is_file():
        pytest.skip(f"no {path}")
    rows = [
        [cell.strip().strip("`") for cell in line.strip().strip("|").split(" | ")]
        for line in path.read_text("utf-8").splitlines()
        if line.startswith("| `")
    ]
    return {len(cells): [r for r in rows if len(r) == len(cells)] for cells in rows}


def test_every_row_of_the_table_is_a_target_with_its_names_and_section(policy, table):
    # id | zh | en | counted over | rule | value | by | section
    assert len(table[8]) == 19
    assert [(t.id, t.name["zh"], t.name["en"], t.section) for t in policy.targets] == [
        (row[0], row[1], row[2], row[7]) for row in table[8]
    ]


def test_every_value_of_the_table_is_the_targets_value(policy, table):
    for row in table[8]:
        value = policy.target(row[0]).value
        if row[5] == "–":
            assert value is None
        elif row[5].endswith("%"):
            assert value == pytest.approx(float(row[5].removesuffix("%")) / 100, abs=1e-12)
        else:
            assert value == float(row[5])


def test_every_due_date_of_the_table_is_the_targets(policy, table):
    for row in table[8]:
        by = policy.target(row[0]).by
        year = re.fullmatch(r"(?:end )?(\d{4})", row[6])
        assert by == (dt.date(int(year[1]), 12, 31) if year else None), row[0]


def test_every_kind_of_the_table_is_declared_with_its_name(policy, table):
    # kind | 名称 | counted in
    listed = {row[0]: row[1] for row in table[3]}
    assert list(listed) == list(policy.kinds)
    for kind, name in listed.items():
        assert name.startswith(policy.kind(kind).name["zh"])


def test_every_clause_is_quoted_word_for_word(policy, shared_data):
    path = shared_data.parent / "policy" / "SYCR-2025-01004.zh.txt"
    if not path.is_file():
        pytest.skip(f"no {path}")
    document = re.sub(r"\s", "", path.read_text("utf-8"))
    for target in policy.targets:
        assert target.quote in document, target.id
    assert policy.name["zh"] in document
    assert policy.document in document


def test_the_eight_counties_of_the_upgrades_are_named(policy):
    named = policy.target("regional_home_upgrades").counties
    assert len(named) == 8
    assert all(name in policy.target("regional_home_upgrades").quote for name in named)


def test_a_target_without_a_date_is_due_when_the_plan_ends(policy):
    assert policy.due(policy.target("regional_home_upgrades")) == dt.date(2027, 12, 31)
    assert policy.due(policy.target("product_expo_centre")) == dt.date(2025, 12, 31)


def test_a_citation_names_document_and_section(policy):
    assert policy.citation(policy.target("nursing_bed_share")) == "邵市政办发〔2025〕10号 二(一)2"


def test_open_readings_have_the_defaults_of_the_table_and_a_reason_each(policy):
    readings = policy.readings
    assert (readings.scope, readings.rule, readings.elders) == ("county", "presence", "elders")
    assert readings.nursing_bed_base == "destitute_homes"
    assert {
        "scope",
        "rule",
        "share",
        "nursing_bed_base",
        "elders",
        "cutoff_min",
        "no_such_unit",
        "development_zone",
        "rounding",
        "other_units",
    } <= set(readings.reasons)


def _seen(colour: str, blindness: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
    rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return tuple(
        min(max(sum(m * c for m, c in zip(row, linear, strict=True)), 0), 1) ** (1 / 2.2) for row in blindness
    )


@pytest.mark.parametrize(
    "blindness",
    [
        ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        # Machado, Oliveira & Fernandes 2009, severity 1: protanopia, deuteranopia
        ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
        ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    ],
    ids=["usual sight", "protanopia", "deuteranopia"],
)
def test_every_kind_has_a_shape_of_its_own_and_a_colour_the_colour_blind_can_tell(policy, blindness):
    kinds = list(policy.kinds.values())
    assert len({kind.symbol for kind in kinds}) == len(kinds)
    seen = [_seen(kind.colour, blindness) for kind in kinds]
    nearest = min(
        sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5
        for i, one in enumerate(seen)
        for other in seen[:i]
    )
    assert nearest > 0.14


def test_every_target_can_be_counted_from_the_kinds_that_the_policy_declares(policy):
    counted = {kind for target in policy.targets for kind in target.measure.kinds}
    assert counted <= set(policy.kinds)
    assert policy.coverage_kind == "service_centre"
    assert policy.spread_kind == "regional_home"
    assert policy.home_kinds == ("regional_home", "county_welfare_home")
