"""The house stays one in which things are found: small folders, small modules, short functions, imports at the top."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import sy_coverage

HOUSE = Path(sy_coverage.__file__).parent
MOST_THINGS = 10
MOST_LINES = 450
"""Lines of a module, its docstrings aside: a face with many public methods says at length what each of them returns."""
MOST_LINES_OF_A_FUNCTION = 75
HEAVY = {
    "branca": "only maps need it",
    "defusedxml": "only a GraphML needs it",
    "docx": "only a .docx needs it",
    "folium": "only maps need it",
    "fastapi": "an extra: the desk",
    "geoalchemy2": "an extra: databases",
    "highspy": "only a plan needs the solver",
    "httpcore": "only who asks a map service needs it",
    "httpx": "only who asks a map service needs it",
    "jinja2": "only a document needs it",
    "matplotlib": "only a figure needs it",
    "networkx": "only graphs for other programs and beds over a city need it",
    "nicegui": "an extra: the desk",
    "openpyxl": "only a workbook needs it",
    "osmium": "only an OpenStreetMap file needs it",
    "osmnx": "only who asks OpenStreetMap needs it",
    "psycopg": "an extra: databases",
    "pyarrow": "only a Parquet file needs it",
    "pyogrio": "only a layer of a file needs it, and it opens GDAL",
    "pypinyin": "only the search of a map needs it",
    "python_calamine": "only an old or open spreadsheet needs it",
    "rasterio": "an extra: rasters",
    "resource": "not on every system",
    "scipy.optimize": "only fitted speeds need it, and it takes half a second",
    "sklearn": "an extra second: only suggested sites and doubts about doubles need it",
    "sqlalchemy": "an extra: databases",
    "tomlkit": "an extra: the desk",
    "uvicorn": "an extra: the desk",
}
"""Libraries that are loaded by the function that needs them, and why; every other import stands at the top of its module."""
LATER = {
    "cli": "a command loads what it works with, so that help comes at once",
    "desk/server.py": "the desk's framework is an extra, and its pages are built on it",
    "__main__.py": "Ctrl-C is to end it while everything else is still being loaded",
    "outputs/maps/__init__.py": "folium's own map is drawn with folium alone",
}
"""Who else loads modules of the house later, and why."""


def modules() -> list[Path]:
    return sorted(HOUSE.rglob("*.py"))


def name_of(module: Path) -> str:
    return module.relative_to(HOUSE).as_posix()


@cache
def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def lines_of_docstrings(node: ast.AST) -> int:
    """Return how many lines the docstrings within `node` take, those of its attributes too."""
    return sum(
        statement.end_lineno - statement.lineno + 1
        for statement in ast.walk(node)
        if isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
        and statement.end_lineno is not None
    )


def things_in(folder: Path) -> list[str]:
    """Return the modules and the folders with modules that lie in `folder`."""
    inside = [one for one in folder.iterdir() if one.suffix == ".py" and one.stem != "__init__"]
    return sorted(one.name for one in [*inside, *(f for f in folder.iterdir() if any(f.rglob("*.py")))])


def test_no_folder_holds_more_than_ten_things() -> None:
    # the house itself is its list of rooms and doors, as the layers name them
    folders = {module.parent for module in modules()} - {HOUSE}
    full = {name_of(folder): things_in(folder) for folder in folders if len(things_in(folder)) > MOST_THINGS}

    assert full == {}


def test_no_module_is_longer_than_a_concept() -> None:
    lines = {
        name_of(module): len(module.read_text(encoding="utf-8").splitlines())
        - lines_of_docstrings(tree_of(module))
        for module in modules()
    }

    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    found = {}
    # a compiled loop is one function: what it calls besides would be compiled with it
    for module in (m for m in modules() if m.parent.name not in {"kernel", "kernels"}):
        for node in ast.walk(tree_of(module)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None:
                # what it takes and says of itself is read elsewhere: in the help
                count = node.end_lineno - node.body[0].lineno + 1 - lines_of_docstrings(node)
                if count > MOST_LINES_OF_A_FUNCTION:
                    found[f"{name_of(module)}:{node.name}"] = count

    assert found == {}


def imports_in_functions(module: Path) -> list[str]:
    found = []
    for function in ast.walk(tree_of(module)):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    found += [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    found.append(node.module or "")
    return found


def test_modules_are_imported_at_the_top_but_for_heavy_libraries() -> None:
    needless, used = [], set()
    for module in modules():
        name = name_of(module)
        for imported in imports_in_functions(module):
            heavy = {library for library in HEAVY if f"{imported}.".startswith(f"{library}.")}
            later = {place for place in LATER if name == place or name.startswith(f"{place}/")}
            used |= heavy | later
            if not heavy | later:
                needless.append(f"{name}: {imported}")

    assert needless == []
    assert used == HEAVY.keys() | LATER.keys(), "a reason without its import"


def test_no_modules_import_each_other_in_a_circle_not_even_for_types() -> None:
    # the contracts of import-linter order the rooms and what lies in them; here every module, however it is imported
    below: dict[str, set[str]] = {}
    names = {f"sy_coverage.{name_of(m).removesuffix('.py').replace('/', '.')}": m for m in modules()}
    names = {name.removesuffix(".__init__"): module for name, module in names.items()}
    for name, module in names.items():
        asked = set()
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.ImportFrom) and node.module in names:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                asked |= (inner & names.keys()) or {node.module}
            elif isinstance(node, ast.Import):
                asked |= {alias.name for alias in node.names} & names.keys()
        # a folder's face hands out what lies in it
        below[name] = {one for one in asked if one != name and not name.startswith(f"{one}.")}

    left = dict(below)
    while free := [name for name, asked in left.items() if not asked & left.keys()]:
        for name in free:
            del left[name]
    assert left == {}
