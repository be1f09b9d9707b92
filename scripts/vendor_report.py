"""Fetch the JavaScript that the report embeds, at the releases that versions.json names.

    python scripts/vendor_report.py            write tap_looker_report/vendor
    python scripts/vendor_report.py --check    write nothing; exit 1 if a file is not the release's

Each package is fetched by npm. A new release is accepted by the checksum that the
registry gives for it; from then on versions.json holds that, and a package that differs is refused.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "tap_looker_report" / "vendor"
VERSIONS = FOLDER / "versions.json"


def main() -> None:
    """Fetch, verify, and write or compare."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="compare, and write nothing")
    options = arguments.parse_args()
    packages = json.loads(VERSIONS.read_text("utf-8"))
    files: dict[Path, bytes] = {}
    for name, package in packages.items():
        members = fetched(name, package)
        stem = name.rpartition("/")[2]
        files[FOLDER / f"{stem}.js"] = members[package["file"]]
        files[FOLDER / f"{stem}.LICENSE"] = members[package["licence"]]
        package["sha256"] = hashlib.sha256(members[package["file"]]).hexdigest()
    files[VERSIONS] = (json.dumps(packages, indent=2) + "\n").encode()
    if options.check:
        differ = [path for path, data in files.items() if not is_same(path, data)]
        sys.exit("\n".join(f"{path.name} differs" for path in differ) or 0)
    for path, data in files.items():
        path.write_bytes(data)


def is_same(path: Path, data: bytes) -> bool:
    """Whether a file holds this."""
    return path.exists() and path.read_bytes() == data


def fetched(name: str, package: dict[str, Any]) -> dict[str, bytes]:
    """The files of a release, by their paths in it, from the registry that npm is set to."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--json", "--pack-destination", folder]
        done = subprocess.run(
            [*command, f"{name}@{package['version']}"], capture_output=True, check=True, cwd=folder
        )
        (told,) = json.loads(done.stdout)
        (archive,) = Path(folder).glob("*.tgz")
        content = archive.read_bytes()
    integrity = package.setdefault("integrity", told["integrity"])
    kind, _, expected = integrity.partition("-")
    actual = base64.b64encode(hashlib.new(kind, content).digest()).decode()
    if actual != expected:
        sys.exit(f"{name} {package['version']}: the package is not the one with {integrity}.")
    members: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        for member in tar:
            data = tar.extractfile(member)
            if data:
                members[member.name.partition("/")[2]] = data.read()
    return members


if __name__ == "__main__":
    main()
