"""The lock of what the tests and the site are built with: read, compared with pyproject.toml, and asked about."""

import functools
import json
import pathlib
import re
import tomllib
import urllib.error
import urllib.request
from importlib import metadata
from typing import NamedTuple

from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = pathlib.Path(__file__).parents[2]
LOCK = ROOT / ".ci/requirements.txt"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
ENTRY = re.compile(r"([a-z0-9][a-z0-9._-]*)==([a-z0-9.!+]+)(?: ; (.+))?")
HASH = re.compile(r"[0-9a-f]{64}")
INDEX = "https://pypi.org/pypi"


class Locked(NamedTuple):
    """One version of one package, for the environments that the marker allows."""

    name: str
    version: str
    marker: Marker | None
    hashes: tuple[str, ...]


def read(text):
    """What is locked, and the lines that are no version with hashes."""
    packages, wrong = [], []
    for line in re.sub(r"^#.*\n", "", text, flags=re.M).replace("\\\n", "").splitlines():
        head, *hashes = re.split(r"\s+--hash=sha256:", line.strip())
        entry = ENTRY.fullmatch(head)
        if entry is None or not hashes or not all(map(HASH.fullmatch, hashes)):
            wrong.append(f"no version with hashes: {line[:60]}")
            continue
        name, version, marker = entry.groups()
        packages.append(Locked(name, version, Marker(marker) if marker else None, tuple(hashes)))
    return packages, wrong


def environment(python):
    """Linux with a Python."""
    linux = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"}
    return {**default_environment(), **linux, "python_version": python, "python_full_version": f"{python}.9"}


def applies(marker, environment, extras=("",)):
    """Whether what a marker is for is wanted."""
    return marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in extras)


@functools.cache
def project():
    """The table `project` of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@functools.cache
def wanted(extra):
    """What pyproject.toml asks for, with the extras that an extra names."""
    lines = project()["optional-dependencies"][extra] if extra else project()["dependencies"]
    asked = [Requirement(line) for line in lines]
    inner = [r for one in asked if one.name == project()["name"] for e in one.extras for r in wanted(e)]
    return [r for r in asked if r.name != project()["name"]] + inner + (wanted("") if extra else [])


def closure(requirements, environment):
    """All that requirements need, as far as it is installed here, each with every requirement on it and who has it."""
    todo, needs, seen = [(r, "pyproject.toml") for r in requirements], [], set()
    while todo:
        requirement, by = todo.pop()
        name = canonicalize_name(requirement.name)
        needs.append((name, requirement, by))
        if (name, *sorted(requirement.extras)) in seen:
            continue
        seen.add((name, *sorted(requirement.extras)))
        try:
            inner = [Requirement(line) for line in metadata.requires(name) or []]
        except metadata.PackageNotFoundError:
            continue
        extras = ("", *requirement.extras)
        todo += [(r, name) for r in inner if applies(r.marker, environment, extras)]
    return needs


def faults(text, needs):
    """What is wrong with a lock: `needs` is the closure of what it must provide in the environment of this process."""
    packages, wrong = read(text)
    for python in PYTHONS:
        there = environment(python)
        versions = chosen(packages, there)
        wrong += [f"{name} has {len(v)} versions for Python {python}" for name, v in versions.items() if len(v) > 1]
        asked = [(canonicalize_name(r.name), r, "pyproject.toml") for r in wanted("dev") if applies(r.marker, there)]
        wrong += [f"Python {python}: {fault}" for fault in unmet(asked, versions)]
    here = chosen(packages, default_environment())
    same = [n for n in needs if n[2] == "pyproject.toml" or here.get(n[2]) == [metadata.version(n[2])]]
    return wrong + unmet(same, here)


def chosen(packages, environment):
    """The versions of each package in an environment."""
    versions = {}
    for one in packages:
        if applies(one.marker, environment):
            versions.setdefault(one.name, []).append(one.version)
    return versions


def unmet(needs, versions):
    """Requirements that no locked version meets."""
    missing = [(name, r, by) for name, r, by in needs if not any(v in r.specifier for v in versions.get(name, []))]
    return [f"{by} needs {r}, locked is {versions.get(name, 'none')}" for name, r, by in missing]


def advisories(name, version):
    """IDs of the known vulnerabilities of a version by the package index; None if it says nothing about it."""
    for path in (f"{name}/{version}", name):
        try:
            with urllib.request.urlopen(f"{INDEX}/{path}/json", timeout=30) as answer:
                found = json.load(answer)
        except urllib.error.HTTPError:
            continue
        if found["info"]["version"] == version:
            return [one["id"] for one in found["vulnerabilities"] if not one.get("withdrawn")]
    return None
