"""Read a policy by name or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sy_coverage import _files
from sy_coverage.errors import ConfigError, MissingFileError
from sy_coverage.policy.sheet import changed_by_sheet
from sy_coverage.policy.targets import Policy, policy_from

if TYPE_CHECKING:
    import os

_SHIPPED = Path(__file__).resolve().parent


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
    elif not written.endswith((".toml", ".xlsx")) and not _files.is_there(written):
        raise MissingFileError(
            f"policy '{written}': neither a file nor a shipped policy; shipped are: {', '.join(shipped_policies())}"
        )
    else:
        path = Path(written)
    if path.suffix == ".xlsx":
        shipped = _files.read_toml(_SHIPPED / f"{shipped_policies()[0]}.toml")
        return policy_from(changed_by_sheet(shipped, path, None), source=path.name)
    data = _files.read_toml(path)
    if data and not data.keys() & Policy.model_fields.keys():  # what it holds is not repeated
        raise ConfigError(f"{path.name}: is no policy: it has none of its keys; give the right file")
    return policy_from(data, source=path.name)
