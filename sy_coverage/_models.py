"""Say in words what pydantic finds wrong in a policy or study file: which key, what is allowed, what stands there."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong."""

    kind: str
    """What pydantic calls it, such as ``extra_forbidden`` or ``missing``."""
    key: str
    """The dotted key as a reader finds it in the file: an item of a list by its id, the tag of a union left out."""
    words: str
    """What is allowed, or what is wrong; of an unknown key nothing."""
    given: str = ""
    """What stands there, where it is one value."""
    nearest: str = ""
    """Of an unknown key: the one that was probably meant."""
    allowed: tuple[str, ...] = ()
    """Of an unknown key: what may stand there, as far as it can be told."""


def problems(error: ValidationError, model: type[BaseModel], data: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with `data`, which `model` refused with `error`."""
    for fault in error.errors():
        location: tuple[int | str, ...] = fault["loc"]
        key, kind, value = _key(location, data), fault["type"], fault.get("input")
        given = repr(value) if isinstance(value, str | int | float) else ""
        if kind == "extra_forbidden":
            allowed = _keys_at(model, location[:-1])
            near = difflib.get_close_matches(str(location[-1]), allowed, n=1)
            yield Problem(kind=kind, key=key, words="", nearest="".join(near), allowed=allowed)
        elif kind == "missing":
            yield Problem(kind=kind, key=key, words="is missing")
        elif kind == "string_pattern_mismatch":
            shape = "#RRGGBB" if key.endswith("colour") else "lower-case letters, digits and _"
            if "[a-z]" not in str(fault["ctx"]["pattern"]) and shape != "#RRGGBB":
                shape = str(fault["ctx"]["pattern"])
            yield Problem(kind=kind, key=key, words=f"must be written as {shape}", given=given)
        elif kind == "union_tag_not_found":
            tags = ", ".join(_tags(model, location))
            yield Problem(kind=kind, key=f"{key}.of", words=f"is missing; it must be one of {tags}")
        elif kind == "union_tag_invalid":
            tag, expected = fault["ctx"]["tag"], fault["ctx"]["expected_tags"]
            words = f"{tag!r} is no measure; it must be one of {expected}"
            yield Problem(kind=kind, key=f"{key}.of", words=words)
        elif kind == "value_error":
            words = fault["msg"].removeprefix("Value error, ")
            yield Problem(kind=kind, key=key, words=words, given=given)
        else:
            words = fault["msg"]
            yield Problem(kind=kind, key=key, words=f"{words[0].lower()}{words[1:]}", given=given)


def _key(location: tuple[int | str, ...], data: Any) -> str:
    words: list[str] = []
    here: Any = data
    for step in location:
        if isinstance(here, Mapping) and step not in here and step == here.get("of"):
            continue
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(step, int):
            named = here.get("id") if isinstance(here, Mapping) else None
            words.append(str(named) if named else f"[{step + 1}]")
        else:
            words.append(step)
    return ".".join(words).replace(".[", "[")


def _keys_at(model: Any, location: tuple[int | str, ...]) -> tuple[str, ...]:
    """Return the keys of the model that stands at `location`, as far as it can be told."""
    return tuple(dict.fromkeys(key for one in _models_at(model, location) for key in one.model_fields))


def _models_at(model: Any, location: tuple[int | str, ...]) -> list[type[BaseModel]]:
    here: list[Any] = [model]
    for step in location:
        here = [inner for one in here for inner in _inner(one, step)]
    return [one for one in here if isinstance(one, type) and issubclass(one, BaseModel)]


def _inner(kind: Any, step: int | str) -> list[Any]:
    """Return what may stand under `step` of a type: a model's field, an item, or the member of a union with that tag."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(step))
        if field is not None:
            return _members(field.annotation)
        tag = kind.model_fields.get("of")
        return [kind] if tag is not None and step in get_args(tag.annotation) else []
    arguments = get_args(kind)
    if get_origin(kind) is dict:
        return _members(arguments[1])
    return [one for argument in arguments for one in _members(argument)]


def _members(kind: Any) -> list[Any]:
    """Return the types that a union (or an annotated type) is made of."""
    arguments = get_args(kind)
    if isinstance(kind, type) or get_origin(kind) in (dict, list, tuple) or not arguments:
        return [kind]
    if hasattr(kind, "__metadata__"):
        return _members(arguments[0])
    return [one for argument in arguments for one in _members(argument)]


def _tags(model: Any, location: tuple[int | str, ...]) -> list[str]:
    every = _models_at(model, location)
    return [get_args(one.model_fields["of"].annotation)[0] for one in every if "of" in one.model_fields]
