"""Write the pages of the site: those of docs/, and those that have their place elsewhere.

    python scripts/site_pages.py            write .site, which mkdocs.yml names

Pages link to each other and to files of the repository as GitHub shows them. On the site, a link
leads to the page of the site, if there is one, and else to the file in the repository.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / ".site"

#: Pages of the site that are written elsewhere, and what they are there.
ELSEWHERE = {
    "README.md": "index.md",
    "transform/README.md": "dbt.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}


def files() -> dict[str, str]:
    """What is on the site: path in the repository → path on the site."""
    docs = ROOT / "docs"
    found = {path.relative_to(ROOT).as_posix() for path in docs.rglob("*") if path.is_file()}
    return {path: path.removeprefix("docs/") for path in sorted(found)} | ELSEWHERE


@cache
def repository() -> str:
    """Where files of the main branch are shown."""
    found = re.search(r"^repo_url: (\S+)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError("mkdocs.yml names no repo_url")
    return f"{found[1]}/blob/main"


def page(path: str, on_site: dict[str, str]) -> str:
    """The text of a page, with links that fit the site.

    Args:
        path: Of the page in the repository.
        on_site: As `files` gives it.
    """
    here = posixpath.dirname(on_site[path])

    def lead(found: re.Match[str]) -> str:
        target, anchor = found["target"], found["anchor"] or ""
        if not target or ":" in target:
            return found[0]
        file = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if file in on_site:
            return f"]({posixpath.relpath(on_site[file], here or '.')}{anchor})"
        if not (ROOT / file).exists():
            return found[0]  # for the strict build to complain of
        return f"]({repository()}/{file}{anchor})"

    text = (ROOT / path).read_text(encoding="utf-8")
    return re.sub(r"\]\((?P<target>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)", lead, text)


def main() -> None:
    """Write them."""
    shutil.rmtree(SITE, ignore_errors=True)
    on_site = files()
    for path, there in on_site.items():
        target = SITE / there
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".md"):
            target.write_text(page(path, on_site), encoding="utf-8", newline="\n")
        else:
            shutil.copyfile(ROOT / path, target)


if __name__ == "__main__":
    main()
