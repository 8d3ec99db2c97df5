"""Plant pickles and code wherever a file is read, watch the interpreter, and read: `… DIRECTORY COUNT`.

An audit hook sees every unpickling, `exec`, compilation of source, import and process of the interpreter, whichever
library asks for it, and cannot be taken off again: hence a process of its own.
"""

import collections
import contextlib
import gzip
import io
import json
import marshal
import os
import pathlib
import pickle
import sys
import zipfile
import zlib

import numpy as np

from mlpjax import export
from mlpjax.cli import _pictures as reader
from mlpjax.cli import main
from mlpjax.data import idx, mnist
from mlpjax.training import checkpoint
from tests.reliability import _forge, _pictures, _runs, _tensors

WATCHED = {
    "pickle.find_class", "marshal.loads", "marshal.load", "exec", "compile", "os.system", "os.exec", "os.posix_spawn",
    "subprocess.Popen", "ctypes.dlopen", "os.fork", "socket.connect", "socket.getaddrinfo", "shelve.open",
}  # fmt: skip
FIXED = {"dataclasses": "compile exec", "ast": "compile", "importlib._bootstrap_external": "marshal.loads"}
FIXED["importlib._bootstrap"] = "exec"
"""Who does so whatever the files hold: classes for the options of a command, literals, imports, which are listed."""
events, imports, watching = collections.Counter(), set(), False


def hook(name, arguments):
    """Count what would be the doing of a file."""
    if not watching:
        return
    if name == "import":
        imports.add(arguments[0])
    if name in WATCHED and name not in FIXED.get(sys._getframe(1).f_globals.get("__name__"), "").split():
        events[f"{name} {arguments[1] if name == 'pickle.find_class' else ''}".strip()] += 1


class Planted:
    """What loading this would do is make a file."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def payloads(directory, marker):
    """Code in every form that some loader would run, by name; also as a module beside the files."""
    code = f"import os; os.mkdir({marker!r})"
    (directory / "planted.py").write_text(code)
    plain = pickle.dumps(Planted(marker))
    array = io.BytesIO()
    np.save(array, np.array([Planted(marker)] * 3, dtype=object), allow_pickle=True)
    zipped = io.BytesIO()
    np.savez(zipped, a=np.array([Planted(marker)], dtype=object))
    torch = io.BytesIO()
    with zipfile.ZipFile(torch, "w") as made:
        made.writestr("archive/data.pkl", plain)
    return {
        "pickle": plain,
        "pickle, protocol 0": pickle.dumps(Planted(marker), 0),
        "npy": array.getvalue(),
        "npz": zipped.getvalue(),
        "pickle in a zip, as torch saves": torch.getvalue(),
        "marshal": marshal.dumps(compile(code, "planted", "exec")),
        "source": code.encode(),
        "YAML": f"!!python/object/apply:os.mkdir [{marker!r}]\n".encode(),
        "postscript": f"%!PS\n({marker}) (w) file closefile\n".encode(),
    }


def files(marker, payload):
    """The payload as it is, and inside every format that is read here."""
    png, chunk, rows = _pictures.png, _pictures.chunk, _pictures.idat(bytes(156))
    text, good, entry = payload.decode("latin-1"), ("a.npy", _forge.GOOD), _forge.entry
    header, content = _tensors.made(_tensors.good(), {"__reduce__": text, "format": "pickle"})
    named = entry(dtype="planted.Planted", impl="planted")
    asked = _forge.header(f"__import__('os').mkdir({marker!r})")
    return {
        "as it is": payload,
        "gzipped": gzip.compress(payload),
        "IDX": bytes([0, 0, 8, 1]) + len(payload).to_bytes(4, "big") + payload,
        "PNG": png(12, 12, *(chunk(kind, payload) for kind in (b"eXIf", b"iCCP", b"prVt")), rows),
        "PNG, compressed": png(12, 12, chunk(b"iCCP", b"k\0\0" + zlib.compress(payload)), rows),
        "safetensors": _tensors.packed(header, content),
        "safetensors, as numbers": _tensors.packed(header, payload.ljust(len(content))[: len(content)]),
        "checkpoint": checkpoint_of([("a.npy", payload)], entry()),
        "checkpoint of objects": checkpoint_of([("a.npy", payload)], entry(dtype="object")),
        "checkpoint, names": checkpoint_of([good], named, meta={"__reduce__": text, "recipe": "planted.Planted"}),
        "checkpoint, manifest": _forge.sealed(_forge.archive([good], payload)),
        "header of an array": checkpoint_of([("a.npy", asked)], entry()),
    }


def checkpoint_of(members, entry, **meta):
    """A checkpoint with a right checksum."""
    return _forge.sealed(_forge.archive(members, _forge.manifest({"a": entry}, **meta)))


def readers():
    """Every public function that reads a file, by name."""
    return {
        "idx.read": idx.read,
        "mnist.load": lambda path: mnist.load(path.parent, split="train"),
        "checkpoint.read": checkpoint.read,
        "checkpoint.read_meta": checkpoint.read_meta,
        "checkpoint.load": lambda path: checkpoint.load(path, {"a": np.zeros(3, np.float32)}),
        "from_safetensors": export.from_safetensors,
        "read_metadata": export.read_metadata,
        "predict": reader.read,
    }


def attack(directory, count):
    """Every payload in every form, to every reader; then run directories that hold them, to the commands."""
    global watching
    marker, plan = str(directory / "executed"), readers()
    made = [content for payload in payloads(directory, marker).values() for content in files(marker, payload).values()]
    made = [made[5 * i % len(made)] for i in range(min(count, len(made)))]  # few of them are of every form, too
    path, asked = directory / "train-images-idx3-ubyte", collections.Counter()
    (directory / "train-labels-idx1-ubyte").write_bytes(made[0])
    sys.path.insert(0, str(directory))
    sys.addaudithook(hook)
    for contents in (made[:1], made):  # what is imported at the first use is no file's doing
        asked.clear()
        for content in contents:
            path.write_bytes(content)
            for name, read in plan.items():
                with contextlib.suppress(Exception):
                    read(path)
                asked[name] += 1
        commands(directory, contents[::5] if watching else [None], asked, full=count >= 108)
        found = {"events": dict(events), "imports": sorted(imports), "executed": os.path.exists(marker)}
        watching = True
    return {"files": len(made), "asked": dict(asked), **found, "careless": careless(path, made, marker)}


def careless(path, contents, marker):
    """What the same files do to a reader that unpickles: none of it would have gone unseen."""
    for content in contents:
        path.write_bytes(content)
        with contextlib.suppress(Exception):
            np.load(path, allow_pickle=True)
    return {"events": dict(events), "executed": os.path.exists(marker)}


def commands(directory, contents, asked, full):
    """The commands over run directories in which one file is another; of `None`, none is."""
    run = directory / "run"
    for content in contents:
        for name in ("seven.png", "config.toml", "checkpoint.npz", "log.jsonl"):
            _runs.write(run, *_runs.good())
            (run / "seven.png").write_bytes(_pictures.saved(_pictures.digit(), "PNG"))
            if content is not None:
                (run / name).write_bytes(content)
            lines = [("info", run), ("export", run, directory / "x.safetensors")]
            lines += [("predict", run / "seven.png", "--run-dir", run)] * (name == "seven.png")
            lines += [("evaluate", run), ("train", "--resume", run)] * (full and name != "seven.png")
            for line in lines:
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    main([str(word) for word in line])
                asked[f"mlpjax {line[0]}"] += 1


if __name__ == "__main__":
    print(json.dumps(attack(pathlib.Path(sys.argv[1]), int(sys.argv[2]))))
