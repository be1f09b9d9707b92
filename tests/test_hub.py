"""What Meltano and its Hub are told of the tap: true, and within the Hub's rules."""

from __future__ import annotations

import re
import sys
from copy import deepcopy
from pathlib import Path

import jsonschema
import pytest
import yaml
from support import catalog

from tap_looker.settings_schema import SCHEMA
from tap_looker.tap import TapLooker

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
import hub as generator  # noqa: E402

SETTINGS = generator.settings()
HUB = yaml.safe_load((ROOT / "hub/lookout.yml").read_text("utf-8"))
REFERENCE = yaml.safe_load((ROOT / "tap-looker.yml").read_text("utf-8"))
(EXTRACTOR,) = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))["plugins"]["extractors"]
(VARIANT,) = REFERENCE["variants"]

each_form = pytest.mark.parametrize(
    "form", [HUB, {**REFERENCE, **VARIANT}, EXTRACTOR], ids=["hub", "reference", "project"]
)

KINDS = """array boolean date_iso8601 decimal email file hidden integer oauth object options
    password string"""
CAPABILITIES = """about activate-version batch catalog discover log-based properties
    schema-flattening state stream-maps structured-logging test"""
TEXT_KEYS = """definition description docs domain_url executable label log_parser logo_url name
    namespace next_steps pip_url prereq repo settings_preamble usage variant"""

# What the Hub's own checks ask for: its JSON Schemas of extractors and settings, and its yamllint.
TEXT, TEXTS = {"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string"}}
OPTION = {
    "type": "object",
    "required": ["label", "value"],
    "properties": {"label": TEXT, "value": TEXT},
}
SETTING = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "label", "kind", "description"],
    "properties": {
        **dict.fromkeys(("name", "label", "description", "env", "placeholder"), TEXT),
        "kind": {"enum": KINDS.split()},
        "options": {"type": "array", "items": OPTION},
        "sensitive": {"type": "boolean"},
        "value": {},
    },
}
RULES = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "namespace", "variant", "label", "quality"],
    "properties": {
        **dict.fromkeys(TEXT_KEYS.split(), TEXT),
        "capabilities": {
            "type": "array",
            "uniqueItems": True,
            "items": {"enum": CAPABILITIES.split()},
        },
        "keywords": TEXTS,
        "maintenance_status": {"enum": ["active", "beta", "development", "inactive", "unknown"]},
        "quality": {"enum": ["gold", "silver", "bronze", "unknown"]},
        "select": {"type": "array", "items": {"type": "string", "pattern": r"^!?[^.]+\..+$"}},
        "settings": {"type": "array", "items": SETTING},
        "settings_group_validation": {"type": "array", "items": TEXTS},
        "supported_python_versions": {
            "type": "array",
            "items": {"type": "string", "pattern": r"^3\.\d+$"},
        },
        **{key: {"type": "object"} for key in ("commands", "metadata", "schema")},
    },
}


def broken_rules(definition):
    """What the Hub would refuse, in its order."""
    validator = jsonschema.Draft7Validator(RULES)
    errors = [error.message for error in validator.iter_errors(definition)]
    names = [setting["name"] for setting in definition["settings"]]
    errors += [f"{name} twice" for name in {*names} if names.count(name) > 1]
    required = [name for group in definition["settings_group_validation"] for name in group]
    errors += [f"{name} is no setting" for name in required if name not in names]
    for setting in definition["settings"]:
        values = [option["value"] for option in setting.get("options", [])]
        if (setting["kind"] == "options") != bool(values):
            errors.append(f"{setting['name']}: options without their kind, or the reverse")
        if values and setting.get("value", values[0]) not in values:
            errors.append(f"{setting['name']}: {setting['value']} is not among its options")
    for name in ("docs", "domain_url", "repo"):
        if not re.fullmatch(r"https://[\w.-]+(/[\w.-]+)*", definition[name]):
            errors.append(f"{name}: {definition[name]}")
    return errors


# --------------------------------------------------------------------------------- the Hub's rules


def test_the_hub_would_take_the_definition():
    assert broken_rules(HUB) == []


@pytest.mark.parametrize(
    "change",
    [
        {"ext_repo": "https://example.com"},
        {"quality": None},
        {"capabilities": ["catalog", "telepathy"]},
        {"settings_group_validation": [["api_host_url", "password"]]},
        {"supported_python_versions": [3.11]},
        {"docs": "docs/streams.md"},
        {"settings": [{"name": "one", "label": "One", "kind": "number", "description": "It."}]},
        {"settings": [{"name": "one", "kind": "string", "description": "It."}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_rules_find_what_the_hub_would_refuse(change):
    assert broken_rules({**deepcopy(HUB), **change}) != []


def test_keys_are_in_the_order_of_the_alphabet():
    def check(content):
        if isinstance(content, dict):
            assert [*content] == sorted(content)
            content = content.values()
        for one in content if not isinstance(content, str | int | None) else ():
            check(one)

    check(HUB)


def test_the_style_is_the_hubs():
    text = (ROOT / "hub/lookout.yml").read_text("utf-8")
    assert not text.startswith("---")
    assert text.endswith("variant: lookout\n")
    assert not re.search(r" $", text, re.MULTILINE)
    assert not HUB["description"].endswith(".")
    assert not HUB["label"].startswith("tap-")


def test_links_lead_to_pages_that_exist():
    text = (ROOT / "hub/lookout.yml").read_text("utf-8")
    pages = re.findall(rf"{re.escape(HUB['repo'])}/blob/main/([\w./]+\w)", text)
    assert len(pages) >= 5
    for page in pages:
        assert (ROOT / page).is_file(), page
    assert not re.search(r"[^/]docs/\w+\.md", text)


def test_the_pythons_are_those_of_the_distribution():
    assert HUB["supported_python_versions"] == TapLooker.get_supported_python_versions()
    assert HUB["pip_url"] == TapLooker.package_name == f"{HUB['variant']}-{HUB['name']}"


# ------------------------------------------------------------------------------ what all three say


@each_form
def test_the_settings_are_there_in_their_order(form):
    names = [setting["name"] for setting in form["settings"]]
    assert names[: len(SETTINGS)] == [*SETTINGS]
    assert {*names[len(SETTINGS) :]} == {
        *("stream_maps", "stream_map_config", "flattening_enabled", "flattening_max_depth"),
        *("flattening_max_key_length", "flattening_separator"),
    }
    assert form["settings_group_validation"] == [SCHEMA["required"]]


@each_form
def test_settings_are_said_to_be_what_they_are(form):
    by_name = {setting["name"]: setting for setting in form["settings"]}
    for name, of in SETTINGS.items():
        said = by_name[name]
        assert said["label"] == of["title"]
        told = re.sub(r"https://github\S+/blob/main/(?=docs/)", "", said["description"])
        assert told == of["description"]
        assert said.get("value") == of.get("default")
        assert said.get("sensitive", False) == of.get("secret", False)
        assert [option["value"] for option in said.get("options", [])] == of.get("enum", [])
        assert said["kind"] != "decimal", "Meltano cannot write its values as JSON"


@each_form
def test_the_capabilities_are_the_taps(form):
    assert form["capabilities"] == sorted(each.value for each in TapLooker.capabilities)


@each_form
def test_the_selection_is_the_taps_own(form):
    default = [
        entry["tap_stream_id"]
        for entry in catalog()["streams"]
        for item in entry["metadata"]
        if not item["breadcrumb"] and item["metadata"].get("selected-by-default")
    ]
    assert len(default) > 40
    assert sorted(form["select"]) == sorted(f"{name}.*" for name in default)
