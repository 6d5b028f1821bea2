"""The rules of the house that import contracts cannot say: one case is one rule over every file of ours."""

import ast
import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("domain", "ingestion", "projections", "dashboards")
FILES = [ROOT / "omniline.py", *(file for name in PACKAGES for file in sorted((ROOT / name).rglob("*.py")))]
ROW_LOOPS = {"map_elements", "iter_rows", "map_rows", "rows_by_key"}
ROW_ROOMS = {
    "projections/evidence.py",
    "projections/frames.py",
    "projections/identity.py",
    "projections/identity_graph.py",
    "projections/identity_nameless.py",
    "projections/identity_rulings.py",
}
"""Where rows are walked one by one: identity is a graph, decisions are few, old class versions are upcast."""
FILE_LINES, FUNCTION_LINES = 300, 40


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def nodes(file: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(file.read_text("utf-8"), filename=str(file)))


def attributes(file: Path) -> set[str]:
    return {node.attr for node in nodes(file) if isinstance(node, ast.Attribute)}


def imported(file: Path) -> set[str]:
    found: set[str] = set()
    for node in nodes(file):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def functions(file: Path) -> Iterator[tuple[str, int]]:
    for node in nodes(file):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name_of(file)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_no_import_is_relative() -> None:
    relative = [
        name_of(file)
        for file in FILES
        for node in nodes(file)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_nobody_imports_the_root_module() -> None:
    assert [name_of(file) for file in FILES if "omniline" in imported(file)] == []


def test_rows_are_walked_only_where_a_graph_asks_for_it() -> None:
    projections = [file for file in FILES if name_of(file).startswith("projections/")]
    walkers = {name_of(file) for file in projections if attributes(file) & ROW_LOOPS}
    assert walkers <= ROW_ROOMS


def test_as_of_joins_stand_in_one_room_that_sorts() -> None:
    joiners = {name_of(file) for file in FILES if "join_asof" in attributes(file)}
    assert joiners <= {"projections/nearest.py"}


def test_every_module_says_what_it_holds() -> None:
    silent = [
        name_of(file)
        for file in FILES
        if file.read_text("utf-8").strip() and not ast.get_docstring(ast.parse(file.read_text("utf-8")))
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("folder", "index"),
    [
        ("projections/facts", "projections/facts/__init__.py"),
        ("projections/kpis", "projections/kpis/__init__.py"),
        ("dashboards/pages", "dashboards/app.py"),
    ],
)
def test_every_file_of_a_drop_in_folder_is_listed(folder: str, index: str) -> None:
    """A file that its tuple forgets would be dead without a sound, unless another file of the folder uses it."""
    files = {file.stem for file in (ROOT / folder).glob("*.py")} - {"__init__"}
    listed = set(re.findall(r"\w+", (ROOT / index).read_text("utf-8")))
    used = {
        name.rpartition(".")[2]
        for file in (ROOT / folder).glob("*.py")
        for node in nodes(file)
        if isinstance(node, ast.ImportFrom) and node.module
        for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
    }
    assert files - listed - used == set()


def test_no_file_and_no_function_passes_its_hard_limit() -> None:
    files = {name_of(file): len(file.read_text("utf-8").splitlines()) for file in FILES}
    long_files = {name: lines for name, lines in files.items() if lines > FILE_LINES}
    long_functions = {
        name: lines for file in FILES for name, lines in functions(file) if lines > FUNCTION_LINES
    }
    assert long_functions == {}
    assert long_files == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_nobody_else_installed_a_package_of_our_name(package: str) -> None:
    owners = set(importlib.metadata.packages_distributions().get(package, []))
    assert owners <= {"omniline"}
