"""What the documentation, meltano.yml and .env.example say is what the code does."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values
from support import Runner, catalog, run_cli, selecting

from benchmarks.peers import singer_io
from looker_emulator import Emulator
from tap_looker import settings
from tap_looker.settings_schema import SCHEMA
from tap_looker.streams import own_entries

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
import generate_docs as generator  # noqa: E402
import site_pages  # noqa: E402

import hub  # noqa: E402

PREFIX = "TAP_LOOKER_"
PLACES = ("*.md", "docs/**/*.md", ".github/**/*.md", "examples/**/*.md", "transform/*.md")
PAGES = [page for place in PLACES for page in sorted(ROOT.glob(place))]
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
        path.parent.mkdir(parents=True, exist_ok=True)
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
        "users\n<!-- begin settings: written by me -->\nusers\n<!-- end settings -->\nusers\n"
    )
    assert generator.main([]) == 0
    before, *table, after = page.read_text("utf-8").splitlines()
    assert before == after == "users"
    assert "users" not in table
    assert any(line.startswith("| `api_host_url`") for line in table)


def test_every_block_is_in_a_file():
    begun = re.findall(
        r"begin (.+): written by",
        "".join((ROOT / name).read_text("utf-8") for name in generator.FILES),
    )
    assert sorted(begun) == sorted(generator.BLOCKS)


@pytest.mark.parametrize("name", STREAMS)
def test_every_stream_of_the_catalog_is_documented(name):
    rows = [line for line in page_text("docs/streams.md") if line.startswith(f"| [`{name}`](")]
    ((page, what),) = re.findall(r"\((streams/.*?)#\w+\) \| (.*?) \|", "".join(rows))
    assert what, "the first sentence of its section: One row per …"
    assert rows[0].endswith("| yes |") == bool(selected_by_default(STREAMS[name]))
    text = (ROOT / "docs" / page).read_text("utf-8")
    section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert section.startswith("\nOne row per ")
    listed = section.partition("<summary>")[2]
    columns = re.findall(r"^\| `(\w+)`( \(key\))? \|", listed, re.MULTILINE)
    assert [column for column, _ in columns] == list(STREAMS[name]["schema"]["properties"])
    keys = {column for column, is_key in columns if is_key}
    assert keys == {*STREAMS[name]["key_properties"]}


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


def test_links_lead_somewhere_on_the_site_too():
    on_site = site_pages.files()
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    assert site["repo_url"] == hub.REPOSITORY
    assert {*nav_of(site["nav"])} == {page for page in on_site.values() if page.endswith(".md")}
    for path, here in on_site.items():
        if path.endswith(".md"):
            for target in re.findall(r"\]\(([^)#]+)", site_pages.page(path, on_site)):
                if ":" not in target:
                    there = os.path.normpath(os.path.join(os.path.dirname(here), target))  # noqa: PTH118, PTH120
                    assert there in on_site.values(), (path, target)


def nav_of(entries):
    for entry in entries:
        for one in entry.values() if isinstance(entry, dict) else [entry]:
            yield from nav_of(one) if isinstance(one, list) else [one]


@each_page
def test_columns_that_are_named_exist(page):
    for name, column in re.findall(r"`(\w+)\.(\w+)`", page.read_text("utf-8")):
        if name in STREAMS and column not in ("csv", "json", "jsonl", "md", "parquet"):
            assert column in STREAMS[name]["schema"]["properties"], f"{name}.{column}"


@each_page
def test_streams_that_are_named_exist(page):
    for name in re.findall(r"`(system_activity_\w+)`", page.read_text("utf-8")):
        columns = {one for entry in STREAMS.values() for one in entry["schema"]["properties"]}
        assert name in STREAMS or name in columns, name


def test_messages_to_look_up_are_those_of_the_tap():
    code = "".join(path.read_text("utf-8") for path in (ROOT / "tap_looker").rglob("*.py"))
    said = re.sub(r'"\s*\n\s*f?"', "", code)
    page = " ".join((ROOT / "docs/howto/troubleshoot.md").read_text("utf-8").split())
    messages = [one for one in re.findall(r"`([^`]+)`", page) if len(one.split()) > 2]
    messages = [one for one in messages if not one.startswith(("--", "meltano"))]
    assert len(messages) > 15
    assert [one for one in messages if one not in said] == []


def test_whoever_comes_from_another_tap_finds_each_stream():
    text = (ROOT / "docs/howto/switch.md").read_text("utf-8")
    renamed, same = text.partition("## Streams with the same name")[::2]
    for name, ours in singer_io.OURS.items():
        row = [line for line in renamed.splitlines() if line.startswith(f"| `{name}`")]
        if ours[0] == name and not row:
            assert f"`{name}`" in same, name
        else:
            assert row, name
    for name in re.findall(r"`(\w+)`", same.partition("In these")[0]):
        assert name in STREAMS, name
    assert set(singer_io.GONE) <= set(re.findall(r"^\| `(\w+)`", renamed, re.MULTILINE))


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
        assert config.keys() <= {*SETTINGS, "stream_maps"}  # the SDK's
        assert settings.prepare(config, SCHEMA) == []
        assert own_entries(config)[1] == []


# ------------------------------------------------------------------------------ without addresses

PERSONAL_DATA = (ROOT / "docs/howto/personal-data.md").read_text("utf-8")


@pytest.fixture(scope="module")
def in_use(tmp_path_factory):
    """Runs the tap against an instance whose users are in its System Activity too."""
    with Emulator(activity_rows=300) as emulator:
        yield Runner(emulator, tmp_path_factory.mktemp("tap"))


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PERSONAL_DATA, re.DOTALL | re.MULTILINE)


def addresses(run):
    """The columns with email addresses; that of a git remote names no person."""
    return {
        f"{stream}.{column}"
        for stream, rows in run.succeeded().records.items()
        for row in rows
        for column, value in row.items()
        if re.search(r"(?!git@)\b[\w.+-]+@[\w-]+\.\w", json.dumps(value))
    }


def everything(in_use, without=None, **settings):
    chosen = selecting(*STREAMS, among=(), without=without)
    return in_use(catalog=chosen, start_date="2020-01-01", **settings)


def test_the_maps_leave_out_all_addresses(in_use):
    maps = json.loads(blocks("json")[0])
    config, path, *_ = in_use.arguments(**maps)
    by_default = run_cli(config, path)
    assert addresses(by_default) == addresses(everything(in_use, **maps)) == set()
    assert by_default.records.keys() == {
        name for name, entry in STREAMS.items() if selected_by_default(entry)
    }


def test_the_lines_for_meltano_leave_out_all_addresses(in_use):
    """Its patterns match the whole path of a property, a dot within it or not."""
    without = {}
    for line in yaml.safe_load(blocks("yaml")[0]):
        stream, _, pattern = line.removeprefix("!").partition(".")
        paths = [".".join(of["breadcrumb"][1::2]) for of in STREAMS[stream]["metadata"]]
        matching = set(fnmatch.filter(paths, pattern))
        assert matching, line
        without[stream] = without.get(stream, set()) | matching
    assert addresses(everything(in_use, without)) == set()


def test_a_hash_in_place_of_an_address(in_use):
    maps, hashed = ({**json.loads(one)["stream_maps"]} for one in blocks("json"))
    assert maps["users"].keys() == hashed["users"].keys()
    run = everything(in_use, stream_maps=maps | hashed)
    assert addresses(run) == set()
    emails = {one["email"] for one in run.records["users"]} - {None}
    assert emails
    assert all(re.fullmatch("[0-9a-f]{32}", email) for email in emails)


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
