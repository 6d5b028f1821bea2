"""The wheel holds everything that the command needs, and installs under names that are ours."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.command import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def test_every_file_of_the_packages_is_in_the_wheel(wheel: set[str]) -> None:
    kinds = {".py", ".toml", ".json", ".png", ".svg", ".css", ".md", ".typed"}
    ours = {
        path.relative_to(ROOT).as_posix()
        for package in ("domain", "ingestion", "projections", "dashboards")
        for path in Path(ROOT / package).rglob("*")
        if path.suffix in kinds
    }
    assert ours | {"omniline.py", "dashboards/.streamlit/config.toml"} <= wheel


def test_nothing_else_is_in_the_wheel(wheel: set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if ".dist-info" not in top} == {
        "domain", "ingestion", "projections", "dashboards", "omniline.py",
    }  # fmt: skip
