"""The tap as Meltano knows it, made of the settings and the streams.

``tap-looker.yml`` is for ``meltano add tap-looker --from-ref``; ``hub/lookout.yml`` is for Meltano
Hub, in its format and with what it shows besides; ``meltano.yml`` has what its extractor needs.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from tap_looker.looker.auth import WHERE_KEYS_ARE
from tap_looker.queries.activities import ACTIVITIES
from tap_looker.resources.table import RESOURCES
from tap_looker.tap import TapLooker

PROJECT = tomllib.loads(
    (Path(__file__).resolve().parent.parent / "pyproject.toml").read_text(encoding="utf-8")
)["project"]
REPOSITORY = PROJECT["urls"]["Homepage"]

#: Meltano's kinds of settings. It cannot write the values of its kind "decimal" as JSON.
KINDS = {
    "string": "string",
    "integer": "integer",
    "number": "integer",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
}

#: For a package that the tap does not bring.
LEFT_OUT = ("faker_config",)

PREREQUISITES = f"""\
An API key, ideally of a service account that nothing else uses. Where keys are made:
{WHERE_KEYS_ARE}. A key sees what its user sees; only the Admin role sees the whole instance.
"""

PREAMBLE = """\
Required are the address of the API and an API key. If none of the three is set, the tap takes
`LOOKERSDK_BASE_URL`, `LOOKERSDK_CLIENT_ID` and `LOOKERSDK_CLIENT_SECRET`, as Looker's own SDK does.
"""

USAGE = """\
### Before the first run

See what the key may read, and what a run costs in API calls:

```bash
meltano invoke tap-looker --access
```

### Streams

The default selection leaves out streams that cost one call for each user, explore or the like. To
add some of them:

```bash
meltano select tap-looker explores "*"
meltano select tap-looker explore_fields "*"
```

[All streams](docs/streams.md), with their keys, costs and the permissions they need.

### Rows of looks and queries

The settings `looks` and `queries` add streams with [their rows](docs/results.md). Select these by
their names too.
"""


def settings(*, builtin: bool = False) -> dict[str, dict[str, Any]]:
    """The tap's own settings, or those that the SDK gives to every tap."""
    of_every_tap: dict[str, Any] = {}
    TapLooker.append_builtin_config(of_every_tap)
    if builtin:
        return dict(of_every_tap["properties"])
    return {
        name: definition
        for name, definition in TapLooker.config_jsonschema["properties"].items()
        if name not in of_every_tap["properties"]
    }


def kind_of(definition: dict[str, Any]) -> str:
    """Of which kind a setting is for Meltano."""
    if "enum" in definition:
        return "options"
    if definition.get("format") == "date-time":
        return "date_iso8601"
    return KINDS[definition["type"][0]]


def setting(name: str, of: dict[str, Any]) -> dict[str, Any]:
    """A setting as Meltano has it declared."""
    declared = {
        "name": name,
        "label": of["title"],
        "kind": kind_of(of),
        "description": of["description"],
    }
    if of.get("secret"):
        declared["sensitive"] = True
    if "default" in of:
        declared["value"] = of["default"]
    if "enum" in of:
        declared["options"] = [{"label": one.capitalize(), "value": one} for one in of["enum"]]
    return declared


def extractor() -> dict[str, Any]:
    """What Meltano needs to run the tap, wherever it is installed from."""
    known = {**settings(), **settings(builtin=True)}
    return {
        "name": TapLooker.name,
        "namespace": "tap_looker",
        "executable": TapLooker.name,
        "capabilities": sorted(one.value for one in TapLooker.capabilities),
        # Without a selection of its own, Meltano selects every stream, also those that cost one
        # call for each user or explore.
        "select": [f"{row.name}.*" for row in (*RESOURCES, *ACTIVITIES) if row.default],
        "settings_group_validation": [TapLooker.config_jsonschema["required"]],
        "settings": [setting(name, of) for name, of in known.items() if name not in LEFT_OUT],
    }


def described() -> dict[str, Any]:
    """The extractor, and what people see of it."""
    return {
        **extractor(),
        "variant": "lookout",
        "label": "Looker",
        "description": "Business intelligence (BI) and data analytics platform",
        "pip_url": PROJECT["name"],
        "repo": REPOSITORY,
        "docs": PROJECT["urls"]["Documentation"],
    }


def reference() -> dict[str, Any]:
    """The definition for ``meltano add --from-ref``.

    Meltano 4.4 drops a selection that does not belong to a variant, and would select every stream.
    """
    of = described()
    of_plugin = {key: of.pop(key) for key in ("name", "namespace", "label", "variant")}
    return _linked({**of_plugin, "variants": [{"name": of_plugin["variant"], **of}]})


def definition() -> dict[str, Any]:
    """The definition for Meltano Hub."""
    python = "Programming Language :: Python :: "
    return _linked(
        {
            **described(),
            "domain_url": "https://cloud.google.com/looker/docs/reference/looker-api/latest",
            "logo_url": "/assets/logos/extractors/looker.png",
            "keywords": ["api", "meltano_sdk"],
            "maintenance_status": "active",
            "quality": "unknown",  # the Hub rates it
            "log_parser": "singer-sdk",
            "supported_python_versions": [
                one.removeprefix(python) for one in PROJECT["classifiers"] if one.startswith(python)
            ],
            "prereq": PREREQUISITES,
            "settings_preamble": PREAMBLE,
            "usage": USAGE,
        }
    )


def _linked(content: Any) -> Any:
    """With the pages of the documentation where everybody finds them."""
    if isinstance(content, str):
        return re.sub(r"\bdocs/(?=[\w/-]+\.md)", f"{REPOSITORY}/blob/main/docs/", content)
    if isinstance(content, dict):
        return {key: _linked(value) for key, value in content.items()}
    return [_linked(one) for one in content] if isinstance(content, list) else content


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as such, and nothing by reference."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.Dumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def as_yaml(content: Any, *, sort: bool = False) -> list[str]:
    """Lines of YAML, with keys in the order given or, as the Hub wants it, of the alphabet."""
    text = yaml.dump(content, Dumper=_Dumper, allow_unicode=True, width=100, sort_keys=sort)
    return text.splitlines()


def of_hub() -> list[str]:
    """All lines of hub/lookout.yml."""
    return as_yaml(definition(), sort=True)


def of_reference() -> list[str]:
    """All lines of tap-looker.yml."""
    return as_yaml(reference())


def of_project() -> list[str]:
    """The extractor of meltano.yml, but for its name and where it is installed from."""
    content = {key: value for key, value in extractor().items() if key != "name"}
    return [f"    {line}".rstrip() for line in as_yaml(content)]
