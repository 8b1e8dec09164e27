"""Only the doors reach disk and network, heavy libraries stay where they belong, and nothing is opened by an import."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "sy_coverage"
MODULES = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}
DOORS = {name for name in MODULES if name.startswith(("_files/", "_osm/")) or name == "_fetch.py"}

OPENERS = {  # calls that reach disk or network, whoever is called
    "open", "read_text", "read_bytes", "write_text", "write_bytes", "unlink", "rename", "rmdir", "mkdir", "touch",
    "rmtree", "mkdtemp", "mkstemp", "NamedTemporaryFile", "TemporaryDirectory", "TemporaryFile",
    "read_csv", "read_excel", "read_parquet", "read_feather", "read_file", "read_dataframe", "read_arrow",
    "read_pickle", "read_sql", "read_sql_query", "read_postgis", "read_html", "read_xml", "read_graphml",
    "to_file", "to_csv", "to_excel", "to_parquet", "to_pickle", "to_feather", "to_sql", "to_postgis",
    "write_dataframe", "savefig", "urlopen", "urlretrieve", "getaddrinfo", "create_connection", "load_workbook",
    "apply_file", "load_graphml", "save_graphml", "features_from_place", "graph_from_place", "fromfile", "tofile",
    "memmap", "loadtxt", "savetxt", "system", "popen", "Popen", "check_output", "check_call",
}  # fmt: skip
NETWORK = {
    "socket",
    "ssl",
    "http",
    "httpcore",
    "urllib.request",
    "httpx",
    "requests",
    "aiohttp",
    "urllib3",
    "ftplib",
    "smtplib",
}
LISTENS = {  # takes requests of this machine, and sends none
    "desk/guard.py": {"http.cookies", "http.cookies.SimpleCookie", "http.cookies.CookieError"},
    "desk/server.py": {"socket"},
}
PACKAGE_DATA = {  # reads what is shipped inside the package, and nothing a user names
    "desk/pages/frame.py": {"read_text"},
    "labels.py": {"read_text"},
    "outputs/figures/small_map.py": {"read_bytes"},
    "outputs/maps/shell.py": {"read_bytes", "read_text"},
    "places/sheets/words.py": {"read_text"},
    "roads/travel_modes.py": {"read_text"},
    "study/config/new.py": {"read_text"},
}
ALLOWED = {  # each with its reason
    # our own reader of graphs, whose bytes come through the door
    "roads/read/osm.py": {"read_graphml"},
    # into a buffer in memory
    "outputs/figures/canvas.py": {"savefig"},
    # the process of a run that outlives the desk: its log, and the sign that it shall stop
    "desk/running.py": {"open", "unlink", "Popen"},
    # opens the link in the browser
    "desk/server.py": {"open"},
    # shows a dialog of the page
    "desk/pages/plan.py": {"open"},
    "desk/pages/verify.py": {"open"},
}  # fmt: skip


def calls(path: Path) -> list[tuple[str, int, str]]:
    """Return every call in a module: the name that is called, its line, and the whole call."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            found.append((name, node.lineno, ast.unparse(node)))
    return found


def imports(path: Path) -> set[str]:
    """Return the dotted name of every module that a module imports, wherever in it that happens."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            found |= {str(a.value) for a in node.args if isinstance(a, ast.Constant)}
    return found


def users_of(library: str) -> set[str]:
    return {
        name
        for name, path in MODULES.items()
        if any(i == library or i.startswith(f"{library}.") for i in imports(path))
    }


@pytest.mark.parametrize("name", sorted(set(MODULES) - DOORS))
def test_nothing_but_the_doors_opens_a_file(name):
    allowed = PACKAGE_DATA.get(name, set()) | ALLOWED.get(name, set())
    through_the_doors = re.compile(r"_files\.|_fetch\.|_osm\.")
    found = [
        f"line {line}: {whole[:80]}"
        for called, line, whole in calls(MODULES[name])
        if called in OPENERS - allowed
        and not through_the_doors.match(whole)
        and not _in_memory(called, whole)
    ]
    assert found == []


def _in_memory(called: str, whole: str) -> bool:
    """Tell writers that give text or fill a buffer, and words that are no file's, from those that reach disk."""
    if called in {"to_csv", "to_excel"}:  # without a path they return text; a buffer is named as one
        return bool(re.search(r"\.to_csv\(\)|\.to_csv\([a-z_]+=|\((buffer|out|memory)\b", whole))
    if called == "rename":  # of columns and indices; a path's takes a path
        return "columns=" in whole or (
            "rename(" in whole and not re.search(r"(path|file|part)\w*\.rename\(", whole)
        )
    return called == "savefig" and bool(re.search(r"savefig\((out|buffer|memory)\b", whole))


@pytest.mark.parametrize("name", sorted(n for n in MODULES if not n.startswith("_files/")))
def test_the_door_to_disk_is_entered_by_its_front(name):
    inside = {n.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for n in MODULES}
    inside = {n for n in inside if n.startswith("_files.")}
    found = {i for i in imports(MODULES[name]) if i.removeprefix("sy_coverage.") in inside}
    assert found == set()


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"_fetch.py"}))
def test_nothing_but_the_door_to_the_network_imports_a_network_library(name):
    found = {i for i in imports(MODULES[name]) for n in NETWORK if i == n or i.startswith(f"{n}.")}
    assert found == LISTENS.get(name, set())


@pytest.mark.parametrize(
    ("library", "doors"),
    [
        ("sqlite3", "_files/"),
        ("sqlalchemy", "_files/"),
        ("geoalchemy2", "_files/"),
        ("psycopg", "_files/"),
        ("rasterio", "_files/"),
        ("pyogrio", "_files/"),
        # outputs, and the forms an office fills in, are workbooks in memory
        (
            "openpyxl",
            (
                "_files/",
                "outputs/",
                "study/config/form.py",
                "study/results/lists/to_verify.py",
                "study/results/lists/answering.py",
            ),
        ),
        ("osmium", "_osm/"),
        ("osmnx", "roads/"),
    ],
)
def test_libraries_that_open_things_stay_behind_their_door(library, doors):
    assert {name for name in users_of(library) if not name.startswith(doors)} == set()


def test_a_cluster_is_asked_only_where_the_user_names_one():
    assert users_of("distributed") | users_of("dask") == {"counties/cluster.py"}


def test_package_data_is_read_from_inside_the_package():
    for name in PACKAGE_DATA:
        if name in MODULES:
            text = MODULES[name].read_text(encoding="utf-8")
            assert "files(" in text, f"{name} reads what is not shipped"


def test_only_maps_import_folium():
    assert {name.rpartition("/")[0] for name in users_of("folium") | users_of("branca")} == {"outputs/maps"}


def test_only_the_solver_s_module_imports_highspy():
    assert users_of("highspy") == {"siting/solve/highs.py"}


def test_row_68_tables_of_users_are_never_explored():
    found = [n for n, p in MODULES.items() for called, _, _ in calls(p) if called == "explore"]
    assert found == []


def test_nothing_is_evaluated_or_unpickled_but_what_our_own_parent_sent():
    found = {
        (name, called)
        for name, path in MODULES.items()
        for called, _, whole in calls(path)
        if (called in {"eval", "exec"} and re.match(r"eval\(|exec\(", whole))
        or re.match(r"(pickle|marshal|shelve|joblib|yaml)\.load", whole)
        or "allow_pickle=True" in whole
        or "shell=True" in whole
    }
    assert found == {("counties/processes.py", "loads")}


def test_only_the_command_line_prints():
    found = {n for n, p in MODULES.items() for called, _, whole in calls(p) if whole.startswith("print(")}
    assert {name.partition("/")[0] for name in found} <= {"cli"}


def test_importing_the_package_opens_no_heavy_library():
    heavy = [
        "pandas",
        "numpy",
        "geopandas",
        "shapely",
        "scipy",
        "networkx",
        "osmnx",
        "sklearn",
        "matplotlib",
        "folium",
        "numba",
        "highspy",
        "osmium",
        "openpyxl",
        "docx",
        "jinja2",
        "httpx",
        "distributed",
    ]
    asked = f"import sys, sy_coverage; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert done.stdout.strip() == "[]"


def test_reading_a_study_opens_neither_drawing_nor_mapping_libraries():
    asked = (
        "import sys\nfrom sy_coverage import places, roads, coverage, policy\n"
        "print([m for m in ['osmnx', 'sklearn', 'matplotlib', 'folium', 'docx', 'httpx', 'distributed'] if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert done.stdout.strip() == "[]"
