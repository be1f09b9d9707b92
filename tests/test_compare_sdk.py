"""What is said of a newer release of the official client."""

from __future__ import annotations

import inspect
import sys
from importlib import metadata
from pathlib import Path

import pytest
from looker_sdk.sdk.api40 import methods, models

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
import compare_sdk

METHODS = {
    "old": """
class Looker40SDK(api_methods.APIMethods):
    # ### Search Roles
    #
    # GET /roles/search/with_user_count -> Sequence[mdls.RoleSearch]
    def search_roles_with_user_count(
        self,
    ) -> Sequence[mdls.RoleSearch]:
        ...

    # GET /spaces -> Sequence[mdls.Space]
    def all_spaces(
        self,
    ) -> Sequence[mdls.Space]:
        ...
""",
    "new": """
class Looker40SDK(api_methods.APIMethods):
    # GET /roles/search/with_user_count -> Sequence[mdls.RoleSearch]
    def search_roles_with_user_count(
        self,
    ) -> Sequence[mdls.RoleSearch]:
        ...

    # GET /users/search -> Sequence[mdls.User]
    def search_users(
        self,
    ) -> Sequence[mdls.User]:
        ...

    # GET /greenhouses/{greenhouse_id} -> Union[str, bytes]
    def greenhouse(
        self,
    ) -> Union[str, bytes]:
        ...

    # POST /greenhouses -> mdls.Greenhouse
    def create_greenhouse(
        self,
    ) -> mdls.Greenhouse:
        ...
""",
}
MODELS = {
    "old": """
@attr.s(auto_attribs=True, init=False)
class RoleSearch(model.Model):
    id: Optional[str] = None
    model_set: Optional["ModelSet"] = None
    user_count: Optional[str] = None

class ModelSet(model.Model):
    id: Optional[str] = None
    colour: Optional[str] = None

class Space(model.Model):
    id: Optional[str] = None
""",
    "new": """
@attr.s(auto_attribs=True, init=False)
class RoleSearch(model.Model):
    id: Optional[str] = None
    model_set: Optional["ModelSet"] = None
    user_count: Optional[int] = None

class ModelSet(model.Model):
    id: Optional[str] = None
    models: Optional[Sequence[str]] = None

class WriteRole(model.Model):
    id: Optional[str] = None
""",
}


@pytest.fixture
def releases(monkeypatch):
    """Two releases that need no download: 26.20.0 and 26.22.0, which is the newest."""
    known = {
        version: compare_sdk.Release(
            version, compare_sdk.operations(METHODS[age]), compare_sdk.models(MODELS[age])
        )
        for version, age in (("26.20.0", "old"), ("26.22.0", "new"))
    }
    monkeypatch.setattr(compare_sdk, "release", lambda wanted: known[wanted or "26.22.0"])


REPORT = """\
# looker-sdk 26.20.0 → 26.22.0

## New operations

- `greenhouse`: `GET /greenhouses/{greenhouse_id}`, one object; not read
- `search_users`: `GET /users/search`, a list; read by `users`
- 1 that write or run something.

## Gone operations

- `all_spaces`: `GET /spaces`, a list; not read
- 0 that write or run something.

## Properties of what streams read

- `ModelSet` (`roles`, `model_sets`): -`colour`, +`models`
- `RoleSearch` (`roles`): `user_count` is `Optional[int]` and was `Optional[str]`

Models that are new or gone: 1.
"""


@pytest.mark.usefixtures("releases")
def test_what_is_new_and_what_is_gone(capsys):
    assert compare_sdk.main(["26.20.0"]) == 0
    assert capsys.readouterr().out == REPORT


@pytest.mark.usefixtures("releases")
def test_a_release_beside_itself_has_no_news(capsys):
    assert compare_sdk.main(["26.22.0", "26.22.0"]) == 0
    assert "None has changed." in capsys.readouterr().out


@pytest.mark.usefixtures("releases")
def test_the_newest_is_pinned_when_asked_for(tmp_path, monkeypatch):
    project = tmp_path / "pyproject.toml"
    project.write_text('schemas = ["looker-sdk==26.20.0"] # größer\n', encoding="utf-8")
    monkeypatch.setattr(compare_sdk, "PYPROJECT", project)
    assert compare_sdk.main([]) == 0
    assert compare_sdk.pinned() == "26.20.0"
    assert compare_sdk.main(["--pin"]) == 0
    assert project.read_text("utf-8") == 'schemas = ["looker-sdk==26.22.0"] # größer\n'


def test_a_release_that_cannot_be_had_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(compare_sdk.sys, "executable", sys.executable)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert compare_sdk.main(["1.2.3"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("pip cannot download looker-sdk==1.2.3: ")


def test_the_installed_release_is_the_one_that_is_pinned():
    assert metadata.version("looker-sdk") == compare_sdk.pinned()


def test_the_source_of_the_client_is_understood():
    found = compare_sdk.operations(inspect.getsource(methods))
    assert len(found) > 400
    assert found["search_users"] == compare_sdk.Operation(
        "GET", "/users/search", "Sequence[mdls.User]"
    )
    of_models = compare_sdk.models(inspect.getsource(models))
    assert len(of_models) > 200
    assert "email" in of_models["User"]
    assert "users" in compare_sdk.streams_by_model(of_models)["CredentialsEmail"]
