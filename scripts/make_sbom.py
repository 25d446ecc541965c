"""Write the wheel's software bill of materials (CycloneDX 1.6, JSON).

It lists the Python packages of requirements/run.lock, which is the set that was tested, and the npm packages of
frontend/package-lock.json, whose code the built page contains. The same checkout gives the same bytes.

    python scripts/make_sbom.py > understudy.cdx.json
"""

import base64
import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

FILE_NAME = "understudy.cdx.json"

_ROOT = Path(__file__).resolve().parents[1]
_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
# They build the page and leave nothing of themselves in it.
_PAGE_BUILDERS = frozenset({"@tailwindcss/vite", "@vitejs/plugin-react", "vite"})
_NPM_HASHES = {"sha512": "SHA-512", "sha384": "SHA-384", "sha256": "SHA-256", "sha1": "SHA-1"}

Component = dict[str, Any]


def build_sbom(root: Path = _ROOT) -> dict[str, Any]:
    """Return the document for the checkout at `root`."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    version = _read_version(root)
    lock = (root / "requirements" / "run.lock").read_text("utf-8")
    packages = json.loads((root / "frontend" / "package-lock.json").read_text("utf-8"))["packages"]
    direct = {_normalize(re.split(r"[\[<>=!;\s]", each, maxsplit=1)[0]) for each in project["dependencies"]}
    components = [*_list_python(lock, direct), *_list_npm(packages)]
    reference = f"pkg:pypi/{project['name']}@{version}"
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": reference,
                "name": project["name"],
                "version": version,
                "purl": reference,
                "licenses": [{"license": {"id": project["license"]}}],
            },
        },
        "components": components,
        "dependencies": [
            {
                "ref": reference,
                "dependsOn": [each["bom-ref"] for each in components if _normalize(each["name"]) in direct],
            }
        ],
    }
    content = json.dumps(document, sort_keys=True)
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}"
    return document


def write_sbom(folder: Path, root: Path = _ROOT) -> Path:
    """Write the document into `folder` and return its path."""
    path = folder / FILE_NAME
    path.write_text(json.dumps(build_sbom(root), indent=1) + "\n", encoding="utf-8")
    return path


def _read_version(root: Path) -> str:
    source = (root / "backend" / "understudy" / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "([^"]+)"', source, re.MULTILINE)
    if found is None:
        raise ValueError("backend/understudy/__init__.py names no version")
    return found[1]


def _list_python(lock: str, direct: Iterable[str]) -> Iterator[Component]:
    """Yield the packages of a lock file. Those of the extras are optional."""
    for block in re.split(r"\n(?=\S)", lock.strip()):
        if (found := _REQUIREMENT.match(block)) is None:
            raise ValueError(f"this is not a line of a lock file: {block.splitlines()[0]!r}")
        name, version = _normalize(found["name"]), found["version"]
        reference = f"pkg:pypi/{name}@{version}"
        # A distribution has one hash for each of its files; only one of them is installed. Which registry they come
        # from depends on the installation, so the reference is the package's name.
        hashes = [{"alg": "SHA-256", "content": digest} for digest in _HASH.findall(block)]
        yield {
            "type": "library",
            "bom-ref": reference,
            "name": name,
            "version": version,
            "purl": reference,
            "externalReferences": [{"type": "distribution", "url": reference, "hashes": hashes}],
            **({"scope": "required"} if name in direct else {}),
        }


def _list_npm(packages: Mapping[str, Any]) -> Iterator[Component]:
    """Yield the packages whose code the built page contains: what the page imports, without what builds it."""
    wanted = [each for each in packages[""]["dependencies"] if each not in _PAGE_BUILDERS]
    places: dict[str, Any] = {}
    pending = [(f"node_modules/{name}", "") for name in wanted]
    while pending:
        place, parent = pending.pop()
        found = _find_place(packages, place.removeprefix("node_modules/"), parent)
        if found is None or found in places:
            continue
        places[found] = packages[found]
        pending += [(f"node_modules/{name}", found) for name in packages[found].get("dependencies", {})]
    for place, facts in sorted(places.items()):
        name = place.rpartition("node_modules/")[2]
        reference = f"pkg:npm/{name.replace('@', '%40')}@{facts['version']}"
        algorithm, _, digest = str(facts.get("integrity", "")).partition("-")
        yield {
            "type": "library",
            "bom-ref": reference if place.count("node_modules/") == 1 else f"{reference}#{place}",
            "name": name,
            "version": facts["version"],
            "purl": reference,
            "scope": "required",
            **({"licenses": [{"expression": facts["license"]}]} if facts.get("license") else {}),
            **(
                {"hashes": [{"alg": _NPM_HASHES[algorithm], "content": base64.b64decode(digest).hex()}]}
                if digest
                else {}
            ),
        }


def _find_place(packages: Mapping[str, Any], name: str, parent: str) -> str | None:
    """Return where Node.js finds a package that is imported by the one at `parent`: beside it, or further up."""
    while True:
        place = f"{parent}/node_modules/{name}".removeprefix("/")
        if place in packages:
            return place
        if not parent:
            return None  # an optional package of another platform
        parent = parent.rpartition("node_modules/")[0].rstrip("/")


def _normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    json.dump(build_sbom(), sys.stdout, indent=1)
