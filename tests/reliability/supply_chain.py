"""What comes with the package and who may touch it: the lock, the licenses, the wheel, the workflows.

The lock and the workflows are checked as they stand, then with faults planted in them one at a time, each of which
must be noticed. In full, the wheel is built and compared with the repository, and the package index is asked about
known vulnerabilities of what a plain installation brings; a package that is known to have some shows that it answers.
"""

import random
import re
import subprocess
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

from tests.reliability import _lock, _workflows
from tests.reliability.experiments import Claim

TITLE = "Supply chain"
FULL, QUICK = 1000, 40
HOW = (
    f"The lock file and the workflows are checked as they are, then {FULL:,} times with one fault planted: a hash "
    "removed, a version moved, an action unpinned, a right added. The wheel is built and compared with the repository, "
    "and the package index is asked about every version of what `pip install mlpjax` brings."
)
FLOWS = sorted((_lock.ROOT / ".github/workflows").glob("*.yml"))
FREE = re.compile(r"Apache|BSD|MIT|ISC|Zlib|PSF|Python-2\.0|CC0|HPND", re.I)  # may all be used beside Apache-2.0
BOUND = re.compile(r"(?<!L)GPL(?!.*exception)|AGPL|SSPL|proprietary", re.I)
KNOWN_BAD = ("pycrypto", "2.6.1")  # abandoned, with vulnerabilities that will never be mended


def measure(count, seed):
    """Check everything as it is, then with `count` faults."""
    text = _lock.LOCK.read_text("utf-8")
    packages, _ = _lock.read(text)
    here = _lock.default_environment()
    needs, bare = (_lock.closure(_lock.wanted(extra), here) for extra in ("dev", ""))
    runtime = sorted({name for name, _, _ in bare})
    flows = [file.read_text("utf-8") for file in FLOWS]
    missed = unnoticed(count, random.Random(seed), text, needs, flows)
    found = {
        "locked": len({one.name for one in packages}),
        "versions": len(packages),
        "hashes": sum(len(one.hashes) for one in packages),
        "lock_faults": _lock.faults(text, needs)[:5],
        "runtime": runtime,
        "licenses": {name: license(name) for name in runtime},
        "workflows": len(flows),
        "actions": sum(len(_workflows.uses(flow)) for flow in flows),
        "workflow_faults": [fault for flow in flows for fault in _workflows.faults(flow)][:5],
        "planted": count,
        "unnoticed": missed,
    }
    return found if count < FULL else {**found, "wheel": wheel(), **vulnerabilities(packages, set(runtime))}


def license(name):
    """What a distribution says of its license: the expression, else the classifiers, else the first line."""
    about = metadata.metadata(name)
    classifiers = [line.split(" :: ")[-1] for line in about.get_all("Classifier", []) if line.startswith("License")]
    return about.get("License-Expression") or ", ".join(classifiers) or (about.get("License") or "none").splitlines()[0]


def unnoticed(count, rng, text, needs, flows):
    """The kinds of the planted faults that were not noticed."""
    names = sorted({name for name, _, _ in needs})
    missed = []
    for _ in range(count):
        if rng.random() < 0.5:
            kind = rng.choice(sorted(LOCK_FAULTS))
            noticed = _lock.faults(LOCK_FAULTS[kind](text, rng.choice(names)), needs)
        else:
            kind, flow = rng.choice(sorted(FLOW_FAULTS)), rng.choice(flows)
            noticed = _workflows.faults(once(flow, *FLOW_FAULTS[kind], rng))
        if not noticed:
            missed.append(kind)
    return missed


def entry(name):
    """The lines of a package in the lock."""
    return re.compile(rf"^{re.escape(name)}==.*(?:\n    --hash=.*)+", re.M)


LOCK_FAULTS = {  # text of the lock, name of a package that is needed
    "a package left out": lambda text, name: entry(name).sub("", text),
    "hashes left out": lambda text, name: entry(name).sub(lambda m: m[0].splitlines()[0].rstrip(" \\"), text),
    "a hash cut short": lambda text, name: entry(name).sub(lambda m: m[0][:-1], text),
    "a version left open": lambda text, name: re.sub(rf"^{re.escape(name)}==", f"{name}>=", text, flags=re.M),
    "a version of long ago": lambda text, name: re.sub(r"^(jax==|pytest==)[^ ]*", r"\g<1>0.1", text, flags=re.M),
    "two versions at once": lambda text, name: text + entry(name).search(text)[0].replace("==", "==9", 1) + "\n",
    "another index": lambda text, name: f"--extra-index-url https://example.org/simple\n{text}",
    "a package from a repository": lambda text, name: f"{text}{name} @ git+https://example.org/{name}\n",
}
TITLE_OF, SECRET = '"${{ github.event.issue.title }}"', '"${{ secrets.TOKEN }}"'
FLOW_FAULTS = {  # pattern, and what one of its matches becomes
    "an action by its tag": (r"@[0-9a-f]{40}  # (v\d+)[\d.]*", r"@\1"),
    "an action by a short hash": (r"(@[0-9a-f]{7})[0-9a-f]{33}", r"\1"),
    "an action without its version": (r"(@[0-9a-f]{40})  # v[\d.]*", r"\1"),
    "the right to write": (r"^permissions:\n  contents: read", "permissions: write-all"),
    "all default rights": (r"^permissions:\n  contents: read\n", ""),
    "run on what others wrote": (r"^on:", "on:\n  pull_request_target:"),
    "text into a shell": (r"    steps:\n", f"    steps:\n      - run: echo {TITLE_OF}\n"),
    "a secret": (r"    steps:\n", f"    env: {{TOKEN: {SECRET}}}\n    steps:\n"),
    "the right to write, with code of the repository": (
        r"    steps:\n(?=      - uses: actions/checkout)",
        "    permissions: {contents: write}\n    steps:\n",
    ),
    "credentials kept": (r"persist-credentials: false", "persist-credentials: true"),
    "no limit of time": (r" +timeout-minutes: \d+\n", ""),
}


def once(text, pattern, replacement, rng):
    """The text with one of the matches replaced."""
    match = rng.choice(list(re.finditer(pattern, text, re.M)))
    return text[: match.start()] + match.expand(replacement) + text[match.end() :]


def wheel():
    """The wheel's files against those of the repository, byte for byte."""
    listed = subprocess.run(["git", "ls-files", "mlpjax"], cwd=_lock.ROOT, capture_output=True, text=True, check=True)
    ours = {name: (_lock.ROOT / name).read_bytes() for name in listed.stdout.splitlines()}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", folder, str(_lock.ROOT)]
        subprocess.run(command, check=True, capture_output=True)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as built:
            files = {name: built.read(name) for name in built.namelist() if ".dist-info/" not in name}
    return {"files": len(files), "other": sorted(name for name in ours | files if ours.get(name) != files.get(name))}


def vulnerabilities(packages, names):
    """Of every locked version of the packages named, by the package index."""
    if not _lock.advisories(*KNOWN_BAD):
        return {"asked": 0}
    told = {f"{p.name} {p.version}": _lock.advisories(p.name, p.version) for p in packages if p.name in names}
    known = {package: ids for package, ids in told.items() if ids}
    return {"asked": len(told), "silent": [p for p, ids in told.items() if ids is None], "known": known}


def claims(found):
    """What must hold."""
    bound = [f"{n}: {text}" for n, text in found["licenses"].items() if BOUND.search(text) or not FREE.search(text)]
    result = [
        Claim(
            "every tool locked to a version with hashes, as pyproject.toml asks, for Python 3.11 to 3.14",
            f"{found['locked']} packages, {found['hashes']:,} hashes; {len(found['lock_faults'])} faults",
            found["locked"] > 0 and not found["lock_faults"],
        ),
        Claim(
            "workflows read only, unless a job says otherwise; no credentials kept; actions pinned to a commit",
            f"{found['workflows']} workflows, {found['actions']} actions; {len(found['workflow_faults'])} faults",
            found["actions"] > 0 and not found["workflow_faults"],
        ),
        Claim(
            "a fault planted in either is noticed",
            f"{found['planted'] - len(found['unnoticed']):,} of {found['planted']:,}",
            found["planted"] > 0 and not found["unnoticed"],
        ),
        Claim(
            "licenses of what a plain installation brings go with Apache-2.0",
            f"{len(found['licenses']) - len(bound)} of {len(found['licenses'])} packages",
            not bound,
        ),
    ]
    return result + in_full(found)


def in_full(found):
    """What needs a build and a network."""
    if "wheel" not in found:
        return []
    files, other = found["wheel"]["files"], found["wheel"]["other"]
    told = found["asked"] - len(found.get("silent", []))
    return [
        Claim("the wheel is the package as it is in the repository", f"{files} files, {len(other)} differ", not other),
        Claim(
            "no known vulnerability in what a plain installation brings",
            f"{sum(map(len, found.get('known', {}).values()))} in {told} of {found['asked']} versions asked about",
            told > 0 and not found["known"],
        ),
    ]
