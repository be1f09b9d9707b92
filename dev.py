#!/usr/bin/env python3
"""Everything a developer does here, on a machine with nothing but Python and pip.

python3 dev.py demo           see the tap at work, no Looker account needed
python3 dev.py test [ARGS]    run the tests; ARGS go to pytest
python3 dev.py check          lint, types, spelling, workflows, generated files, the site
python3 dev.py fix            format, and write the generated files anew
python3 dev.py docs [ARGS]    build the site, strictly, into site/; ARGS go to mkdocs: serve
python3 dev.py mutate [ARGS]  mutate the rules that rows depend on; ARGS go to mutmut
python3 dev.py bench [ARGS]   measure the tap beside other extractors; --tiny for a quick look
python3 dev.py targets [ARGS] load into real targets, and compare; ARGS: which, --check
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HAS_DBT = sys.version_info < (3, 14)  # where this dbt-core ends
BIN = "Scripts" if os.name == "nt" else "bin"
ENVIRONMENTS = {
    ".venv": ["--group", "dev", "--editable", "."],
    # Targets pin old releases of what the tap needs new ones of: they live by themselves.
    ".venv-target": ["target-jsonl==0.1.4"],
    ".venv-check": ["singer-tools==0.4.1"],
    ".venv-target-postgres": ["meltanolabs-target-postgres==0.8.1"],
    ".venv-report": ["--editable", ".[report]"],  # dbt too
    ".venv-adapters": ["dbt-core>=1.11,<1.12", "dbt-bigquery>=1.9,<2", "dbt-snowflake>=1.9,<2"],
    ".venv-browser": ["playwright>=1.49,<2", "axe-playwright-python>=0.1.4,<0.2"],
    ".venv-meltano": ["meltano>=4.4,<5"],
    # Of the examples.
    ".venv-dagster": ["dagster>=1.13,<1.14"],
    ".venv-airflow": ["apache-airflow>=3.3,<3.4"],
    ".venv-docs": ["--group", "docs"],
    ".venv-mutation": ["--group", "mutation", "--editable", "."],
}

#: JSON Schemas that come with check-jsonschema, and the files that have to fit them.
SCHEMAS = (
    ("dependabot", ".github/dependabot.yml"),
    ("github-issue-forms", ".github/ISSUE_TEMPLATE/*.yml"),
    ("github-workflows", ".github/workflows/*.yml"),
    ("github-workflows", "examples/github-actions/*.yml"),
    ("meltano", "meltano.yml"),
)


def run(*command: str | Path) -> None:
    """Run a command in the checkout; its failure is ours."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def environment(name: str) -> Path:
    """The folder of executables of a virtual environment, made if it is not there or outdated."""
    wants = ENVIRONMENTS[name]
    folder = ROOT / name
    stamp = folder / "made-from"
    recipe = (ROOT / "pyproject.toml").read_bytes() + repr(wants).encode()
    made_from = hashlib.sha256(recipe).hexdigest()
    if not stamp.exists() or stamp.read_text() != made_from:
        print(f"Making {name} …", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        run(sys.executable, "-m", "venv", "--without-pip", folder)
        python = folder / BIN / "python"
        # Debian's Python comes without ensurepip; pip can install into another environment.
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
        run(*pip, "install", "--quiet", "pip>=25.1")
        run(python, "-m", "pip", "install", "--quiet", *wants)
        stamp.write_text(made_from)
    return folder / BIN


def build_site(*command: str) -> None:
    """Write the pages of the site, and hand them to MkDocs."""
    os.environ["NO_MKDOCS_2_WARNING"] = "1"  # pyproject.toml says below which release it stays
    folder = environment(".venv-docs")
    run(folder / "python", "scripts/site_pages.py")
    run(folder / "mkdocs", *command)


def check(here: Path) -> None:
    """All that CI checks besides the tests; `here` is the folder of executables."""
    run(here / "ruff", "check", ".")
    run(here / "ruff", "format", "--check", ".")
    run(here / "mypy")
    run(here / "typos")
    run(here / "zizmor", "--offline", "--quiet", "--persona=pedantic", ".",
        *sorted(ROOT.glob("examples/github-actions/*.yml")))  # fmt: skip
    for schema, files in SCHEMAS:
        run(here / "check-jsonschema", "--quiet", "--builtin-schema", f"vendor.{schema}",
            *sorted(ROOT.glob(files)))  # fmt: skip
    run(here / "python", "scripts/generate_schemas.py", "--check")
    run(here / "python", "scripts/generate_docs.py", "--check")
    run(here / "python", "scripts/generate_transform.py", "--check")
    build_site("build", "--quiet")


def name_programs(*, slow: bool) -> None:
    """Tell the tests where the programs are that they run, as variables."""
    os.environ["TARGET_JSONL"] = str(environment(".venv-target") / "target-jsonl")
    os.environ["SINGER_CHECK_TAP"] = str(environment(".venv-check") / "singer-check-tap")
    os.environ["TARGET_POSTGRES"] = str(environment(".venv-target-postgres") / "target-postgres")
    os.environ["BROWSER_PYTHON"] = str(environment(".venv-browser") / "python")
    if HAS_DBT:
        os.environ["DBT"] = str(environment(".venv-report") / "dbt")
        os.environ["REPORT"] = str(environment(".venv-report") / "tap-looker-report")
    os.environ["MELTANO"] = str(environment(".venv-meltano") / "meltano")
    if slow and HAS_DBT:
        os.environ["DBT_ADAPTERS"] = str(environment(".venv-adapters") / "python")
    if slow and os.name != "nt":
        os.environ["DAGSTER"] = str(environment(".venv-dagster") / "dagster")
        if sys.version_info < (3, 14):  # not tried with newer ones
            os.environ["AIRFLOW"] = str(environment(".venv-airflow") / "airflow")


def main(arguments: list[str]) -> None:
    """Do what the first argument names."""
    oldest = re.search(r'requires-python = ">=3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    if oldest and sys.version_info < (3, int(oldest[1])):
        sys.exit(f"tap-looker needs Python 3.{oldest[1]} or newer, not {sys.version.split()[0]}.")
    task, *rest = arguments or ["help"]
    if task not in ("demo", "test", "check", "fix", "docs", "mutate", "bench", "targets"):
        sys.exit(__doc__)
    os.environ["PIP_ROOT_USER_ACTION"] = "ignore"
    os.environ["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    if task == "mutate":
        run(environment(".venv-mutation") / "mutmut", *(rest or ["run"]))
        return
    if task == "docs":
        build_site(*(rest or ["build"]))
        return
    here = environment(".venv")
    python = here / "python"
    if task == "demo":
        report = ("--report", environment(".venv-report") / "tap-looker-report") if HAS_DBT else ()
        target = environment(".venv-target") / "target-jsonl"
        run(python, "scripts/demo.py", "--target", target, *report)
    elif task == "test":
        name_programs(slow="not slow" not in rest)
        run(python, "-m", "pytest", "-n", "2", "--dist", "loadgroup", *rest)
    elif task in ("bench", "targets"):
        run(python, "-m", {"bench": "benchmarks"}.get(task, task), *rest)
    elif task == "check":
        check(here)
    else:
        run(here / "ruff", "check", "--fix-only", "--quiet", ".")
        run(here / "ruff", "format", ".")
        run(python, "scripts/generate_schemas.py")
        run(python, "scripts/generate_docs.py")
        run(python, "scripts/generate_transform.py")


if __name__ == "__main__":
    main(sys.argv[1:])
