"""A page in Chromium, as a process: it has libraries that the tests' own environment has not.

    python tests/browser.py PAGE < steps > results

Steps are a JSON object: ``scheme`` (light or dark), ``width``, and ``steps``, a list of lists: a
name below and its arguments. What comes out is JSON too: what each step gave, what the page wrote
to the console, and what it asked of the network.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update")  # fmt: skip
HEIGHT = 900


def executable() -> str | None:
    """The browser of the system."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def download(page: Page, selector: str) -> str:
    """The file that a click gives, byte for byte."""
    with page.expect_download() as found:
        page.click(selector)
    return Path(found.value.path()).read_bytes().decode("utf-8")


def violations(page: Page) -> list[dict[str, Any]]:
    """What axe finds wrong, contrast above all."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    rules = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
        "resultTypes": ["violations"],  # it takes half the time
    }
    return [
        {
            "id": one["id"],
            "help": one["help"],
            "nodes": [{"html": node["html"][:200], "why": node["failureSummary"][:300]}
                      for node in one["nodes"][:3]],
        }
        for one in Axe().run(page, options=rules).response["violations"]
    ]  # fmt: skip


STEPS = {
    "evaluate": lambda page, script: page.evaluate(script),
    "fill": lambda page, selector, text: page.fill(selector, text),
    "click": lambda page, selector: page.click(selector),
    "press": lambda page, selector, key: page.press(selector, key),
    "select": lambda page, selector, value: page.select_option(selector, value),
    "texts": lambda page, selector: page.locator(selector).all_inner_texts(),
    "wait": lambda page, milliseconds: page.wait_for_timeout(milliseconds),
    "media": lambda page, media: page.emulate_media(media=media),
    "shot": lambda page, path: page.screenshot(path=path) and None,
    "download": download,
    "violations": violations,
}


def main() -> None:
    """Open the page, go through the steps, and print what came of them."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    asked = json.load(sys.stdin)
    heard: list[str] = []
    requests: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=executable(), args=list(QUIET))
        context = browser.new_context(
            color_scheme=asked.get("scheme", "light"),
            viewport={"width": asked.get("width", 1300), "height": asked.get("height", HEIGHT)},
        )
        page = context.new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: requests.append(request.url[:200]))
        page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
        page.goto(Path(sys.argv[1]).resolve().as_uri())
        results = [STEPS[name](page, *arguments) for name, *arguments in asked["steps"]]
        browser.close()
    json.dump({"results": results, "heard": heard, "requests": requests}, sys.stdout)


if __name__ == "__main__":
    main()
