"""Read a policy by name or from a file, and say in one sentence what is wrong with one that cannot be used."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from sy_coverage import _files
from sy_coverage.errors import ConfigError, MissingFileError
from sy_coverage.policy import targets
from sy_coverage.policy.targets import Policy

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

_SHIPPED = Path(__file__).resolve().parent
_MEASURES: tuple[type[BaseModel], ...] = (
    targets.UnitCoverage,
    targets.FacilityCount,
    targets.BedShare,
    targets.FlagShare,
    targets.UpgradeCount,
    targets.FloorArea,
    targets.Reported,
)


def shipped_policies() -> tuple[str, ...]:
    """Return the names of the policies that come with the package, sorted."""
    return tuple(sorted(file.stem for file in _SHIPPED.glob("*.toml")))


def load_policy(name_or_path: str | os.PathLike[str]) -> Policy:
    """Return the shipped policy of that name (``"shaoyang_2025"``), or the one in the TOML file at that path.

    Raises
    ------
    ConfigError
        If the file breaks the shape of a policy: all wrong keys, and for each what is allowed.
    MissingFileError
        If there is neither such a name nor such a file.
    """
    written = str(name_or_path)
    if written in shipped_policies():
        path = _SHIPPED / f"{written}.toml"
    elif not written.endswith(".toml") and not _files.is_there(written):
        raise MissingFileError(
            f"policy '{written}': neither a file nor a shipped policy; shipped are: {', '.join(shipped_policies())}"
        )
    else:
        path = Path(written)
    return policy_from(_files.read_toml(path), source=path.name)


def policy_from(data: Mapping[str, Any], *, source: str = "policy") -> Policy:
    """Return the policy that `data` (the content of a policy file) describes.

    Raises
    ------
    ConfigError
        Naming `source`, every wrong key, and for each what is allowed.
    """
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        problems = dict.fromkeys(_sentence(problem, data) for problem in error.errors())
        raise ConfigError(f"{source}: " + "; ".join(problems)) from None


def _sentence(problem: Any, data: Mapping[str, Any]) -> str:
    """Return one problem of pydantic as ``key: what is allowed``."""
    location: tuple[int | str, ...] = problem["loc"]
    key, given = _key(location, data), problem.get("input")
    message: str = problem["msg"]
    match problem["type"]:
        case "extra_forbidden":
            words = f"unknown key{_nearest(str(location[-1]), _model_at(location[:-1]))}"
        case "missing":
            words = "is missing"
        case "string_pattern_mismatch":
            shape = "#RRGGBB" if key.endswith("colour") else "lower-case letters, digits and _"
            words = f"must be written as {shape} (it is {given!r})"
        case "union_tag_not_found":
            tags = ", ".join(get_args(m.model_fields["of"].annotation)[0] for m in _MEASURES)
            key, words = f"{key}.of", f"is missing; it must be one of {tags}"
        case "union_tag_invalid":
            expected = problem["ctx"]["expected_tags"]
            key, words = f"{key}.of", f"{problem['ctx']['tag']!r} is no measure; it must be one of {expected}"
        case "value_error":
            words = message.removeprefix("Value error, ")
        case _:
            shown = f" (it is {given!r})" if isinstance(given, str | int | float) else ""
            words = f"{message[0].lower()}{message[1:]}{shown}"
    return f"{key}: {words}" if key else words


def _key(location: tuple[int | str, ...], data: Any) -> str:
    """Return the dotted key as a planner finds it: a target by its id, the tag of a measure left out."""
    words: list[str] = []
    here: Any = data
    for step in location:
        if isinstance(here, dict) and step not in here and step == here.get("of"):
            continue
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(step, int):
            named = here.get("id") if isinstance(here, dict) else None
            words.append(str(named) if named else f"[{step + 1}]")
        else:
            words.append(step)
    return ".".join(words).replace(".[", "[")


def _model_at(location: tuple[int | str, ...]) -> type[BaseModel] | None:
    """Return the model whose keys are allowed at `location`, as far as it can be told."""
    models: dict[tuple[str, ...], type[BaseModel]] = {
        (): targets.Policy,
        ("readings",): targets.Readings,
        ("kinds", "*"): targets.Kind,
        ("targets", "*"): targets.Target,
    }
    if len(location) == 4 and location[2] == "measure":
        return next((m for m in _MEASURES if location[3] in get_args(m.model_fields["of"].annotation)), None)
    return models.get(tuple("*" if i == 1 else str(step) for i, step in enumerate(location)))


def _nearest(key: str, model: type[BaseModel] | None) -> str:
    if model is None:
        return "; take it out"
    allowed = list(model.model_fields)
    near = difflib.get_close_matches(key, allowed, n=1)
    meant = f"; did you mean '{near[0]}'?" if near else ""
    return f"{meant} (allowed: {', '.join(allowed)})"
