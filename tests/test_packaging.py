"""What is published: the distribution, its version, and what is in it."""

from __future__ import annotations

import email
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from support import run_cli

from tap_looker.tap import TapLooker

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NAME = PROJECT["name"]
FILES = ("pyproject.toml", ".git_archival.txt", ".gitattributes", ".gitignore", "README.md",
         "LICENSE", "tap_looker", "tap_looker_report", "transform")  # fmt: skip

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")


def git(folder, *arguments):
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def hatch(folder, *arguments):
    """What the build backend prints."""
    variables = {key: value for key, value in os.environ.items() if "SETUPTOOLS_SCM" not in key}
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", *arguments],
        cwd=folder,
        env={**variables, "GIT_CEILING_DIRECTORIES": str(folder.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def copied(folder):
    for name in FILES:
        if (ROOT / name).is_dir():
            leave_out = shutil.ignore_patterns("__pycache__", "target", "logs", "dbt_packages")
            shutil.copytree(ROOT / name, folder / name, ignore=leave_out)
        else:
            shutil.copy(ROOT / name, folder / name)


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit, of what the build needs."""
    folder = tmp_path / "repository"
    folder.mkdir()
    copied(folder)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


# ------------------------------------------------------------------------------------ the version


def test_the_tag_is_the_version(repository):
    git(repository, "tag", "v1.2.3")
    assert hatch(repository, "version") == "1.2.3"


def test_a_commit_after_the_tag_comes_before_the_next_version(repository):
    git(repository, "tag", "v1.2.3")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "Go on")
    assert re.fullmatch(r"1\.2\.4\.dev1\+g[0-9a-f]+", hatch(repository, "version"))


def test_without_tags_the_version_names_the_commit(repository):
    assert re.fullmatch(r"0\.0\.1\.dev1\+g[0-9a-f]+", hatch(repository, "version"))


def test_without_git_there_is_a_version_before_every_release(tmp_path):
    copied(tmp_path)
    assert hatch(tmp_path, "version") == "0.0.0"


def test_an_archive_of_a_tag_knows_its_version(repository, tmp_path):
    git(repository, "tag", "v1.2.3")
    git(repository, "archive", "--output", "../archive.tar", "--prefix=archive/", "HEAD")
    with tarfile.open(tmp_path / "archive.tar") as archive:
        archive.extractall(tmp_path, filter="data")
    assert hatch(tmp_path / "archive", "version") == "1.2.3"


def test_the_command_tells_the_version_of_the_distribution():
    version = metadata.version(NAME)
    assert TapLooker.package_name == NAME
    assert run_cli("--version").stdout.startswith(f"tap-looker v{version}, ")
    assert f'"version": "{version}"' in run_cli("--about", "--format=json").stdout


# ------------------------------------------------------------------------------ what is published


def test_the_wheel_holds_the_tap_the_report_and_nothing_else(repository):
    git(repository, "tag", "v1.2.3")
    (repository / "config.json").write_text("{}")
    (repository / "tests").mkdir()
    (repository / "tests/test_it.py").touch()
    hatch(repository, "build", "--target", "wheel")
    wheel = repository / "dist/lookout_tap_looker-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        about = "lookout_tap_looker-1.2.3.dist-info"
        said = email.message_from_bytes(archive.read(f"{about}/METADATA"))
        commands = archive.read(f"{about}/entry_points.txt").decode()
    places = {"tap_looker": "", "tap_looker_report": "", "transform": "tap_looker_report/"}
    assert {name for name in names if not name.startswith(about)} == {
        above + one.relative_to(repository).as_posix()
        for folder, above in places.items()
        for one in (repository / folder).rglob("*")
        if one.is_file()
    }
    licences = [one for one in names if one.startswith(f"{about}/licenses/")]
    assert f"{about}/licenses/LICENSE" in licences
    assert f"{about}/licenses/tap_looker_report/vendor/d3.LICENSE" in licences
    assert commands.splitlines() == [
        "[console_scripts]",
        "tap-looker = tap_looker.__main__:main",
        "tap-looker-report = tap_looker_report.__main__:main",
    ]
    assert (said["Name"], said["Version"]) == (NAME, "1.2.3")


def test_the_source_distribution_knows_its_version(repository, tmp_path):
    git(repository, "tag", "v1.2.3")
    hatch(repository, "build", "--target", "sdist")
    with tarfile.open(repository / "dist/lookout_tap_looker-1.2.3.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    assert hatch(tmp_path / "lookout_tap_looker-1.2.3", "version") == "1.2.3"


def test_links_on_the_page_of_the_index_lead_to_the_repository():
    page = metadata.metadata(NAME).get_payload() or metadata.metadata(NAME)["Description"]
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert len(links) >= 5
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    repository = PROJECT["urls"]["Homepage"]
    assert f"{repository}/blob/main/docs/streams.md" in {link.partition("#")[0] for link in links}


# ---------------------------------------------------------------------------------- the container


def test_no_secret_and_nothing_else_that_git_ignores_gets_into_the_image():
    def patterns(name):
        lines = (ROOT / name).read_text("utf-8").splitlines()
        return {line.removeprefix("**/").rstrip("/") for line in lines if line[:1] not in ("", "#")}

    assert patterns(".dockerignore") == patterns(".gitignore")
    assert ".env" in patterns(".dockerignore")


def test_the_container_runs_the_command_as_nobody_in_particular():
    lines = (ROOT / "Containerfile").read_text("utf-8").splitlines()
    images = [line.split()[1] for line in lines if line.startswith("FROM ")]
    newest = max(re.findall(r"Python :: 3\.(\d+)", "\n".join(PROJECT["classifiers"])), key=int)
    for image in images:
        (minor,) = re.fullmatch(r"docker\.io/library/python:3\.(\d+)-[a-z-]+", image).groups()
        assert int(minor) <= int(newest)
    command = next(iter(PROJECT["scripts"]))
    last = lines[len(lines) - lines[::-1].index(f"FROM {images[-1]}") :]
    assert f'ENTRYPOINT ["{command}"]' in last
    assert "USER 10001" in last


# -------------------------------------------------------------------------------------- the names


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".github/workflows/audit.yml", f"pip freeze --exclude {NAME} "),
        (".github/workflows/release.yml", "dist/{}-".format(NAME.replace("-", "_"))),
        ("tap_looker/resources/sql_tables.py", f"{NAME}[lineage]"),
    ],
)
def test_what_names_the_distribution_follows(file, text):
    assert text in (ROOT / file).read_text("utf-8")


def test_the_build_is_the_same_here():
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert groups["dependency-groups"]["build"] == groups["build-system"]["requires"]
