"""The nation: what planning every county of the country would take, from tasks measured on this machine."""

from __future__ import annotations

import pickle
import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import _memory

if TYPE_CHECKING:
    import argparse

COUNTIES = 2_800
"""County-level divisions of the country, rounded (2,843 at the end of 2023)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the national benchmark needs to know."""
    parser.add_argument("--study", help="a study to measure on; by default the shipped Shaoyang sample")
    parser.add_argument("--counties", type=int, default=COUNTIES)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 8, 32, 128])


def run(arguments: argparse.Namespace) -> None:
    """Measure one study's reading, planning and drawing by county, the cost of handing tasks over, and scale them up."""
    from sy_coverage import counties, read_study, sample_study

    study = read_study(arguments.study) if arguments.study else sample_study()
    begun = time.monotonic()
    case = study.case
    shared_s = time.monotonic() - begun
    plan_s, compare_s, why_s = [], [], []
    for county_id in study.counties:
        begun = time.monotonic()
        plan = counties.plan_county(case, county_id)
        plan_s.append(time.monotonic() - begun)
        begun = time.monotonic()
        tables = counties.compared(case, county_id, plan, study.config.compare)
        compare_s.append(time.monotonic() - begun)
        begun = time.monotonic()
        plan.why()
        why_s.append(time.monotonic() - begun)
        study.adopt({county_id: plan}, {county_id: tables})
    begun = time.monotonic()
    findings = study.findings
    gather_s = time.monotonic() - begun
    files_s, file_bytes = [], 0
    for county_id in study.counties:
        begun = time.monotonic()
        made = list(counties.made_here(findings, [county_id]))
        files_s.append(time.monotonic() - begun)
        file_bytes += sum(len(content) for _, content in made)
    handing_s, start_s, job_bytes, worker_mb = _overhead(case, findings, list(study.counties))

    n, scale = len(study.counties), arguments.counties
    each = np.array([plan_s, compare_s, why_s, files_s])
    print(f"measured on {n} counties, {len(study.units)} units, {len(study.demand):,} villages:")
    print(f"  once a study   reading, roads and travel times {shared_s:7.1f} s, gathering {gather_s:.1f} s")
    for name, seconds in zip(("plan", "compared", "reasons", "files"), each, strict=True):
        print(
            f"  a county       {name:<9} mean {seconds.mean():6.2f} s, worst {seconds.max():6.2f} s, sum {seconds.sum():7.1f} s"
        )
    print(
        f"  a worker       starts in {start_s:.1f} s, is sent {job_bytes / 1e6:.1f} MB once, and peaks at {worker_mb:,.0f} MB"
    )
    print(f"  a task         goes there and back in {1000 * handing_s:.2f} ms")
    print(f"  a county       leaves {file_bytes / n / 1e6:.2f} MB of files")
    peak = _memory.peak_mb()
    print(f"  this process   peak {peak:,.0f} MB")
    studies = -(-scale // n)
    serial = studies * (shared_s + gather_s)
    work = scale * (each.mean(axis=1).sum() + 2 * handing_s)
    print(f"estimated for {scale:,} counties in {studies} studies of {n} (not run):")
    print("  workers   all studies one after another   studies side by side   worker-hours")
    for workers in arguments.workers:
        after = serial + work / min(workers, n) + studies * start_s
        beside = (serial + work) / workers + start_s + each.sum(axis=0).max()
        print(
            f"  {workers:7,d}   {after / 3600:26.1f} h   {beside / 3600:18.1f} h   {(serial + work) / 3600:12.1f}"
        )
    print(
        f"  results: {scale * file_bytes / n / 1e9:.1f} GB; memory: {peak:,.0f} MB a study and {worker_mb:,.0f} MB a worker"
    )


def _overhead(
    case: dict[str, object], findings: object, county_ids: list[str]
) -> tuple[float, float, int, int]:
    """Return the seconds to hand over a task of no work and to start a worker, the bytes it is sent, and its peak in MB."""
    from sy_coverage import counties

    keys = [str(i) for i in range(200)]
    with counties.crew_of(workers=1) as crew:
        begun = time.monotonic()
        list(crew.work(_nothing, case, keys[:1]))
        start = time.monotonic() - begun
        begun = time.monotonic()
        list(crew.work(_nothing, None, keys))
        handing = (time.monotonic() - begun) / len(keys)
        peaks = [mb for _, mb in crew.work(_planned, case, county_ids)]
        peaks += [mb for _, mb in crew.work(_drawn, findings, county_ids)]
    return handing, start, len(pickle.dumps(case)), max(peaks)


def _nothing(shared: object, key: str) -> str:
    del shared
    return key


def _planned(case: dict[str, object], county_id: str) -> int:
    from sy_coverage import counties

    counties.plan_county(case, county_id).why()
    return _memory.peak_mb()


def _drawn(findings: object, county_id: str) -> int:
    from sy_coverage import counties

    list(counties.made_here(findings, [county_id]))
    return _memory.peak_mb()
