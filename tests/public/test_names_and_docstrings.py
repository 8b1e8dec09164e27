"""The public face: names that are there after one import, and docstrings that numpydoc itself finds whole."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest
from numpydoc.validate import validate

import sy_coverage as sy

ROOMS = ("policy", "places", "roads", "coverage", "siting", "outputs", "study")
LEFT_OUT = {
    "PR04": "types stand in the signature alone",
    "SA01": "names are found by search and in the reference",
    "ES01": "one sentence is often all there is to say",
    "RT01": "the first sentence says what is returned",
    "EX01": "what a user meets first has an example; the documentation's own tests hold which",
}


def public_names():
    """Yield the dotted name of every public function, class, method and property of the rooms."""
    for room in ROOMS:
        module = importlib.import_module(f"sy_coverage.{room}")
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.ismodule(thing) or not hasattr(thing, "__qualname__"):
                continue
            whole = f"{thing.__module__}.{thing.__qualname__}"
            yield whole
            if inspect.isclass(thing):
                for key, inside in vars(thing).items():
                    if not key.startswith("_") and (
                        inspect.isfunction(inside) or isinstance(inside, property)
                    ):
                        yield f"{whole}.{key}"


def faults(name):
    """Return what numpydoc finds, without what this project does otherwise on purpose."""
    found = [(code, text) for code, text in validate(name)["errors"] if code not in LEFT_OUT]
    if "Parameters\n" not in (inspect.getdoc(_thing(name)) or ""):
        # fields of a class are described where they stand; a sentence may name the arguments of a small function
        found = [(code, text) for code, text in found if code != "PR01"]
    return found


def _thing(name):
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            thing = getattr(thing, part)
        return thing
    raise LookupError(name)


def test_numpydoc_finds_every_public_docstring_whole():
    names = sorted(set(public_names()))
    assert len(names) > 150
    assert {name: found for name in names if (found := faults(name))} == {}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_shows_its_public_names_only(room):
    module = importlib.import_module(f"sy_coverage.{room}")
    assert [name for name in dir(module) if not name.startswith("__")] == sorted(module.__all__)


@pytest.mark.parametrize("room", ROOMS)
def test_a_public_function_may_share_its_name_only_with_the_module_it_stands_in(room):
    module = importlib.import_module(f"sy_coverage.{room}")
    for name in module.__all__:
        thing = getattr(module, name)
        if not inspect.ismodule(thing) and importlib.util.find_spec(f"sy_coverage.{room}.{name}") is not None:
            assert thing.__module__ == f"sy_coverage.{room}.{name}"


def test_every_room_opens_after_one_import():
    asked = "import sy_coverage as sy; sy.outputs.maps, sy.errors, sy.counties, sy.study, sy.roads, sy.siting"
    subprocess.run([sys.executable, "-W", "error", "-c", asked], check=True)


def test_the_package_shows_its_public_names_only():
    assert [name for name in dir(sy) if not name.startswith("__")] == sorted(sy.__all__)
