"""What the documentation, meltano.yml and .env.example say is what the code does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values
from support import catalog, run_cli

from tap_looker import settings
from tap_looker.settings_schema import SCHEMA
from tap_looker.streams import own_entries

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
import generate_docs as generator  # noqa: E402

PREFIX = "TAP_LOOKER_"
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("examples/**/*.md"),
    *ROOT.glob(".github/**/*.md"),
]
SETTINGS = generator.settings()
STREAMS = {entry["tap_stream_id"]: entry for entry in catalog()["streams"]}

each_setting = pytest.mark.parametrize("name", SETTINGS)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def selected_by_default(entry):
    """Whether a stream of a catalog is read where nobody has selected anything."""
    (of_stream,) = (item["metadata"] for item in entry["metadata"] if not item["breadcrumb"])
    return of_stream.get("selected", of_stream.get("selected-by-default", False))


# ---------------------------------------------------------------------------------- the generator


def test_files_are_what_the_generator_writes(capsys):
    assert generator.main(["--check"]) == 0, capsys.readouterr().out


def test_check_names_the_files_that_are_out_of_step(tmp_path, monkeypatch, capsys):
    names = [*generator.FILES, *generator.WHOLE]
    right = {name: (ROOT / name).read_text("utf-8") for name in names}
    for name, text in right.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        blocks = r"(begin (?:.+): written by.*\n)(?:.*\n)*?(.*\bend )"
        emptied = "" if name in generator.WHOLE else re.sub(blocks, r"\1\2", text)
        path.write_text(emptied, encoding="utf-8")
    monkeypatch.setattr(generator, "ROOT", tmp_path)

    assert generator.main(["--check"]) == 1
    *differences, advice = capsys.readouterr().out.splitlines()
    assert differences == [f"{name} differs" for name in names]
    assert "generate_docs.py" in advice

    assert generator.main([]) == 0
    assert {name: (tmp_path / name).read_text("utf-8") for name in right} == right


def test_what_is_written_by_hand_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(generator, "FILES", ["page.md"])
    monkeypatch.setattr(generator, "WHOLE", {})
    monkeypatch.setattr(generator, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "users\n<!-- begin LookML: written by me -->\nusers\n<!-- end LookML -->\nusers\n"
    )
    assert generator.main([]) == 0
    before, *table, after = page.read_text("utf-8").splitlines()
    assert before == after == "users"
    assert "users" not in table
    assert any(line.startswith("| `lookml_models`") for line in table)


def test_every_block_is_in_a_file():
    begun = re.findall(
        r"begin (.+): written by",
        "".join((ROOT / name).read_text("utf-8") for name in generator.FILES),
    )
    assert sorted(begun) == sorted(generator.BLOCKS)


@pytest.mark.parametrize("name", STREAMS)
def test_every_stream_of_the_catalog_is_documented(name):
    rows = [line for line in page_text("docs/streams.md") if line.startswith(f"| `{name}`")]
    assert len(rows) == 1
    assert all(f"`{key}`" in rows[0] for key in STREAMS[name]["key_properties"])
    assert rows[0].endswith("| yes |") == bool(selected_by_default(STREAMS[name]))
    assert any(f"`{name}`" in line for line in page_text("README.md"))


def page_text(name):
    return (ROOT / name).read_text("utf-8").splitlines()


# ---------------------------------------------------------------------------------------- dotenv


@each_setting
def test_pages_that_a_setting_names_exist(name):
    for page in re.findall(r"docs/\w+\.md", SETTINGS[name]["description"]):
        assert (ROOT / page).exists()


def test_env_example_has_every_setting():
    lines = page_text(".env.example")
    named = [line.lstrip("# ").partition("=")[0] for line in lines if PREFIX in line]
    assert named == [PREFIX + name.upper() for name in SETTINGS]


def test_env_example_sets_nothing_as_it_is(monkeypatch):
    given = dotenv_values(ROOT / ".env.example")
    assert given == {PREFIX + name.upper(): "" for name in SCHEMA["required"]}
    for name, text in given.items():
        monkeypatch.setenv(name, text)
    assert settings.from_environment(SCHEMA, PREFIX, "") == {}


def test_env_example_shows_the_defaults(tmp_path, monkeypatch):
    for name in SETTINGS:  # set and deleted, so that what comes of the file is taken out again
        monkeypatch.setenv(PREFIX + name.upper(), "")
        monkeypatch.delenv(PREFIX + name.upper())
    text = (ROOT / ".env.example").read_text("utf-8")
    (tmp_path / ".env").write_text(re.sub(f"^# (?={PREFIX})", "", text, flags=re.MULTILINE))
    found = settings.from_environment(SCHEMA, PREFIX, str(tmp_path / ".env"))
    assert found == {name: of["default"] for name, of in SETTINGS.items() if "default" in of}


# -------------------------------------------------------------------------------------- the pages


@each_page
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        linked = page.parent / path if path else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text("utf-8"), re.MULTILINE)
            assert anchor in {
                re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings
            }


@each_page
def test_files_that_are_named_exist(page):
    text = page.read_text("utf-8")
    for name in re.findall(r"`((?:tap_looker|looker_emulator|scripts|tests|docs)/[\w/.]+)`", text):
        assert (ROOT / name).exists(), name


@each_page
def test_settings_that_are_shown_are_right(page):
    for block in re.findall(
        r"^```json\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    ):
        config = {"api_host_url": "https://company.cloud.looker.com", "client_id": "…"}
        config |= {"client_secret": "…", **json.loads(block)}
        assert config.keys() <= SETTINGS.keys()
        assert settings.prepare(config, SCHEMA) == []
        assert own_entries(config)[1] == []


@each_page
def test_commands_exist(page):
    text = page.read_text("utf-8")
    done = subprocess.run(
        [sys.executable, ROOT / "dev.py"], capture_output=True, text=True, check=False
    )
    tasks = re.findall(r"^python3 dev\.py (\w+)", done.stderr, re.MULTILINE)
    assert tasks
    assert set(re.findall(r"python3 dev\.py (\w+)", text)) <= {*tasks}
    options = set(re.findall(r"^ +(--[\w-]+)", run_cli("--help").stdout, re.MULTILINE))
    for line in re.findall(r"^(?:\S*/)?tap-looker (.*)$", text, re.MULTILINE):
        used = re.findall(r"--[\w-]+", line.partition("|")[0])
        assert set(used) <= options, line


def test_the_readme_shows_how_to_see_it_work_and_how_to_test():
    assert {"python3 dev.py demo", "python3 dev.py test"} <= set(page_text("README.md"))


def test_the_pythons_are_the_same_everywhere():
    """pyproject.toml says which; the classifiers, the workflow and the pages follow."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    oldest = int(re.search(r'requires-python = ">=3\.(\d+)"', text)[1])
    minors = [int(minor) for minor in re.findall(r"Python :: 3\.(\d+)", text)]
    assert minors == list(range(oldest, max(minors) + 1))
    assert f'target-version = "py3{oldest}"' in text
    assert f'python_version = "3.{oldest}"' in text
    workflow = (ROOT / ".github/workflows/test.yml").read_text("utf-8")
    (matrix,) = re.findall(r"python: \[(.*)\]", workflow)
    assert matrix == ", ".join(f'"3.{minor}"' for minor in minors)
    for page in ("README.md", "CONTRIBUTING.md"):
        assert f"Python 3.{oldest} or newer" in (ROOT / page).read_text("utf-8")


def test_ci_runs_the_commands_of_the_readme():
    ci = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert {"python3 dev.py demo", "python3 dev.py test", "python3 dev.py check"} <= set(ci)


def test_every_module_is_in_the_guide():
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named, room = set(), ""
    for indent, name in re.findall(r"^(  |    )(\w+(?:\.py|/)) {2,}", guide, re.MULTILINE):
        room = name if name.endswith("/") else room if indent == "    " else ""
        named.add(name if room == name else f"{room}{name}")
    tap = ROOT / "tap_looker"
    there = {str(path.relative_to(tap)) for path in tap.rglob("*.py") if path.name != "__init__.py"}
    there |= {f"{path.parent.name}/" for path in tap.glob("*/__init__.py")}
    assert named == there


def test_no_page_names_this_machine():
    for page in PAGES:
        text = page.read_text("utf-8")
        assert os.path.expanduser("~") + os.sep not in text  # noqa: PTH111
        assert str(ROOT) not in text
