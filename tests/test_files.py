"""The files of the options, as people's tools write them, and what is printed on any console."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import COMMAND, finished, run_cli, selecting, settings_of

from tap_looker.errors import LookerError
from tap_looker.files import read_last_object, read_object
from tap_looker.stdout import accept_all_letters, say

ENCODINGS = {
    "utf-8": ("utf-8", b""),
    "utf-8 with a mark": ("utf-8-sig", b""),
    "utf-16 little endian": ("utf-16-le", b"\xff\xfe"),
    "utf-16 big endian": ("utf-16-be", b"\xfe\xff"),
}


@pytest.fixture(params=ENCODINGS)
def saved(request, tmp_path, monkeypatch):
    """Writes a file into the current folder, in one of the encodings, with CRLF."""
    monkeypatch.chdir(tmp_path)
    encoding, mark = ENCODINGS[request.param]

    def save(name, text):
        content = text.replace("\n", "\r\n").encode(encoding)
        (tmp_path / name).write_bytes(mark + content)
        return name

    return save


def pretty(content):
    return json.dumps(content, indent=2, ensure_ascii=False)


def test_all_files_in_any_encoding(saved, emulator):
    config = saved("config.json", pretty(settings_of(emulator, user_agent="a b")))
    catalog = saved("catalog.json", pretty(selecting("roles")))
    state = saved("state.json", pretty({"bookmarks": {"roles": {"note": "größer"}}}) + "\n")
    result = run_cli("--config", config, "--catalog", catalog, "--state", state).succeeded()
    assert result.records.keys() == {"roles"}
    assert result.states[-1]["bookmarks"]["roles"]["note"] == "größer"


def test_a_dotenv_file_in_any_encoding(saved, emulator, monkeypatch):
    variables = {
        "TAP_LOOKER_API_HOST_URL": emulator.url,
        "TAP_LOOKER_CLIENT_ID": emulator.client_id,
        "TAP_LOOKER_CLIENT_SECRET": emulator.client_secret,
    }
    for name in variables:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    saved(".env", "".join(f"{name}={text}\n" for name, text in variables.items()))
    catalog = saved("catalog.json", json.dumps(selecting("roles")))
    run_cli("--config=ENV", "--catalog", catalog).succeeded()


def test_of_several_configs_the_last_counts(saved, emulator):
    first = saved("a.json", pretty(settings_of(emulator, client_secret="wrong", models=["a"])))
    second = saved("b.json", pretty({"client_secret": emulator.client_secret}))
    catalog = saved("catalog.json", json.dumps(selecting("roles")))
    run_cli("--config", first, "--config", second, "--catalog", catalog).succeeded()
    other_way = run_cli("--config", second, "--config", first, "--catalog", catalog)
    assert other_way.exit_code == 1
    for option in ("--discover", "--test=schema"):
        assert run_cli("--config", first, "--config", second, option).exit_code == 0


# ------------------------------------------------------------------------------------------- states

OLD, NEW = ({"bookmarks": {"roles": {"note": note}}} for note in ("old", "new"))


@pytest.mark.parametrize(
    "text",
    [
        f"{json.dumps(OLD)}\n{json.dumps(NEW)}\n",
        f"{json.dumps(OLD)}\n\n{json.dumps(NEW)}\n\n  \n",
        f"{json.dumps(NEW)}",
        f"no JSON\n{json.dumps(NEW)}",
        f"\n\n{pretty(NEW)}\n",
    ],
    ids=["two lines", "empty lines", "one line", "a log line before", "pretty"],
)
def test_the_last_line_of_a_state_file_counts(saved, text):
    assert read_last_object("--state", saved("state.json", text)) == NEW


@pytest.mark.parametrize("text", ["", "\n", " \n\n"])
def test_an_empty_state_file_is_no_state(saved, emulator, text):
    config = saved("config.json", json.dumps(settings_of(emulator)))
    catalog = saved("catalog.json", json.dumps(selecting("roles")))
    state = saved("state.json", text)
    result = run_cli("--config", config, "--catalog", catalog, "--state", state).succeeded()
    assert [line for line in result.log("INFO") if "state.json" in line] == [
        "--state state.json is empty. The run starts without a state."
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{json.dumps(OLD)}\n{json.dumps(NEW)[:-3]}\n", "is not valid JSON (line 2)"),
        (pretty(NEW)[:-3], "is not valid JSON (line 6)"),
        ("[1]", "must hold a JSON object"),
        ("null", "must hold a JSON object"),
    ],
)
def test_a_broken_state_is_an_error(saved, text, reason):
    with pytest.raises(LookerError) as raised:
        read_last_object("--state x", saved("state.json", text))
    assert raised.value.message == f"--state x {reason}."


@pytest.mark.parametrize("option", ["config", "catalog"])
def test_an_empty_file_is_said_to_be_empty(saved, option):
    result = run_cli(f"--{option}", saved("x.json", "\n"))
    assert result.exit_code == 1
    assert result.errors == [f"--{option} x.json is empty."]


def test_a_text_in_another_encoding_is_no_json(tmp_path):
    (tmp_path / "a.json").write_bytes('{"a": "größer"}'.encode("cp1252"))
    with pytest.raises(LookerError, match="is not UTF-8 text"):
        read_object("a.json", str(tmp_path / "a.json"))


@pytest.mark.parametrize("option", ["config", "catalog", "state"])
def test_files_that_are_not_there_or_no_files(tmp_path, option):
    for path, reason in (
        (tmp_path / "none.json", "No such file or directory"),
        (tmp_path, "Is a directory"),
    ):
        result = run_cli(f"--{option}", str(path))
        assert result.exit_code == 1
        assert result.errors == [f"--{option} {path} cannot be read ({reason})."]


# ------------------------------------------------------------------------------------- the console

LOOK_OF = "résumé → 日本"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "utf-8"])
@pytest.mark.parametrize(
    "option",
    ["--about", "--help", "--version", "--access", "--discover", "--about --format=json"],
)
def test_what_is_printed_fits_every_console(emulator, tmp_path, monkeypatch, encoding, option):
    emulator.instance.users[0]["display_name"] = LOOK_OF
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    config = tmp_path / "config.json"
    settings = settings_of(emulator)
    if option == "--discover":
        settings["looks"] = [{"id": emulator.instance.looks[0]["id"], "name": "größer"}]
    config.write_text(json.dumps(settings))
    command = [COMMAND, "--config", str(config), *option.split()]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert b"Error" not in done.stderr
    text = done.stdout.decode(encoding)
    if "json" in option or option == "--discover":
        assert json.loads(text)


def test_a_console_without_arrows_shows_some(monkeypatch):
    output = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", output)
    accept_all_letters()
    say("Admin → “Users” … größer")
    assert output.buffer.getvalue() == b'Admin -> "Users" ... gr??er\n'


# --------------------------------------------------------------------------- what cannot be written

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "option",
    ["", "--discover", "--about", "--help", "--version", "--access", "--test=schema"],
)
def test_a_full_disk_is_one_line(run, option):
    with FULL.open("w") as output:
        process = subprocess.Popen(
            [COMMAND, *run.arguments(), *([option] if option else [])],
            stdout=output,
            stderr=subprocess.PIPE,
        )
        _, stderr = process.communicate(timeout=60)
    text = stderr.decode()
    assert process.returncode == 1, text
    assert "Traceback" not in text
    assert "Exception ignored" not in text
    errors = [line for line in text.splitlines() if "ERROR" in line]
    assert len(errors) == 1, text
    assert "Standard output cannot be written: No space left on device." in errors[0]


@pytest.mark.parametrize("option", ["", "--discover", "--about"])
def test_a_closed_output_is_one_line(run, option):
    command = f'exec "$0" "$@" {option} >&-'
    process = subprocess.Popen(
        ["sh", "-c", command, COMMAND, *run.arguments()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    done = finished(process)
    assert done.exit_code == 1
    assert "Traceback" not in done.stderr
    assert done.errors == [
        "Standard output cannot be written: it is closed. The last line written may be incomplete."
    ]
