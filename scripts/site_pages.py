"""What the site needs besides docs/: pages that have their place elsewhere, and links that fit.

A hook of MkDocs (``mkdocs.yml``). Pages link to files of the repository, as GitHub shows them. Here
a link leads to the page of the site, if there is one, and to the file in the repository otherwise.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent

#: Pages of the site that are written elsewhere.
ELSEWHERE = {
    "index.md": "README.md",
    "dbt.md": "transform/README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
}
OF_FILE = {file: page for page, file in ELSEWHERE.items()}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are written elsewhere."""
    for page, file in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / file)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Have each link lead to the site, or else to the repository."""
    here = page.file.src_uri
    folder = posixpath.dirname(ELSEWHERE.get(here, f"docs/{here}"))

    def lead(found: re.Match[str]) -> str:
        target, anchor = found["target"], found["anchor"] or ""
        if not target or "://" in target or target.startswith("mailto:"):
            return found[0]
        path = posixpath.normpath(posixpath.join(folder, target))
        uri = OF_FILE.get(path, path.removeprefix("docs/"))
        if path in OF_FILE or (path.startswith("docs/") and files.get_file_from_path(uri)):
            return f"]({posixpath.relpath(uri, posixpath.dirname(here) or '.')}{anchor})"
        if not (ROOT / path).exists():
            return found[0]  # for MkDocs to complain of
        return f"]({config.repo_url}/blob/main/{path}{anchor})"

    return re.sub(r"\]\((?P<target>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)", lead, markdown)
