"""Compiled programs that are kept: nothing is compiled twice, nothing foreign or damaged is run, nobody is bothered.

What is loaded must be what was written: the oracle is the list of JAX's own events, and the bytes of the files.
"""

import errno
import functools
import os
import pathlib
import re
import stat
import subprocess
import sys
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mlpjax import activations, losses, mlp, training
from mlpjax.cli import _clock, _compiled, _evaluate, _problem, _store
from mlpjax.data import toy
from mlpjax.training import recipes

ROOT = pathlib.Path(__file__).parents[2]
POSIX = pytest.mark.skipif(os.name != "posix", reason="owners and modes are those of POSIX")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A cache of the test's own, and a JAX that was told nothing about any."""
    monkeypatch.setenv("MLPJAX_CACHE", str(tmp_path / "cache"))
    for name in ("JAX_COMPILATION_CACHE_DIR", "JAX_ENABLE_COMPILATION_CACHE"):
        monkeypatch.delenv(name, raising=False)
    untold = {
        "jax_compilation_cache_dir": None,
        "jax_enable_compilation_cache": True,
        "jax_persistent_cache_min_compile_time_secs": 1.0,
    }
    before = {name: getattr(jax.config, name) for name in untold}
    for name, value in untold.items():
        jax.config.update(name, value)
    yield tmp_path / "cache" / "xla"
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture
def events():
    """How often JAX found a program in its cache, and how often it did not."""
    seen = {"hits": 0, "misses": 0}

    def listen(event, **_):
        for name in seen:
            seen[name] += event == f"/jax/compilation_cache/cache_{name}"

    jax.monitoring.register_event_listener(listen)
    yield seen
    jax.monitoring.unregister_event_listener(listen)


def compute():
    """A program that this process has not compiled before, as far as it knows: three squares and a sum."""
    return float(jax.jit(lambda x: jnp.sum(x * x))(np.arange(4.0, dtype=np.float32)))


def command():
    """What a command does to the cache."""
    with _compiled.kept():
        assert compute() == 14


def programs(root):
    return sorted(root.glob("*/*-cache"))


def test_second_command_compiles_nothing(root, events):
    command()
    assert events == {"hits": 0, "misses": 1} and len(programs(root)) == 1
    command()
    assert events == {"hits": 1, "misses": 1}


def test_commands_keep_what_they_compile(cli, root, events, monkeypatch):
    monkeypatch.setattr(_evaluate, "run", lambda args: int(compute()))
    assert cli("evaluate") == cli("evaluate") == (14, "", "")
    assert events == {"hits": 1, "misses": 1}


def train():
    """A short run on xor, by programs of its own."""
    apply = functools.partial(mlp.apply, activation=activations.tanh)
    objective, optimizer = training.supervised(apply, losses.sigmoid_squared_error), optax.sgd(0.5)

    @jax.jit
    def run(key, data):
        state = training.start(key, mlp.init(key, (2, 3, 1)), optimizer=optimizer)
        return training.run(state, data, objective=objective, optimizer=optimizer, steps=20)[0].params

    return run(jax.random.key(0), toy.xor())


def test_a_run_by_kept_programs_has_the_same_bits(root, events):
    with _compiled.kept():
        cold = train()
        assert events["misses"] > 0
        events.update(hits=0, misses=0)
        warm = train()
    assert events["hits"] > 0 and events["misses"] == 0
    jax.tree.map(np.testing.assert_array_equal, cold, warm)


def test_holding_out_compiles_nothing(root):
    """Eagerly each of its steps would be a program of its own; a fraction that no other test asks for."""
    data = _problem.load(_problem.make(recipes.digits), "train", None)
    with _clock.watch() as clock:
        kept, held = _problem.hold_out(data, 0.1234, seed=5, classes=10)
        assert len(kept.x) + len(held.x) == len(data.x) and clock.compiled() == 0


def test_time_in_the_compiler_counts_what_is_loaded(root):
    command()
    with _clock.watch() as clock, _compiled.kept():
        compute()
        assert clock.compiled() > 0


def test_leaves_jax_as_it_was(root, events):
    names = ("jax_compilation_cache_dir", *_compiled.SETTINGS)
    before = {name: getattr(jax.config, name) for name in names}
    with _compiled.kept():
        assert jax.config.jax_compilation_cache_dir.startswith(str(root))
        assert jax.config.jax_persistent_cache_min_compile_time_secs == 0
    assert {name: getattr(jax.config, name) for name in names} == before
    command()
    compute()
    assert events == {"hits": 0, "misses": 1}


def test_the_library_keeps_nothing(root, tmp_path):
    """A program that imports all of mlpjax, the command line too, and compiles."""
    code = "import jax, mlpjax.cli; from mlpjax import training; jax.jit(lambda x: x + 1)(1.0)"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "HOME": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert not list(tmp_path.rglob("*-cache")) and not root.exists()


def test_a_cache_of_the_users_own_is_theirs(root, tmp_path):
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "theirs"))
    with _compiled.kept():
        assert jax.config.jax_compilation_cache_dir == str(tmp_path / "theirs")
        assert jax.config.jax_persistent_cache_min_compile_time_secs == 1
    assert not root.exists()
    assert str(tmp_path / "theirs") in _compiled.describe()


def test_can_be_turned_off(root):
    jax.config.update("jax_enable_compilation_cache", False)
    command()
    assert not root.exists() and "JAX_ENABLE_COMPILATION_CACHE" in _compiled.describe()


def test_help_says_so(cli):
    out = cli("--help").out
    assert "What was compiled is kept" in out and "MLPJAX_CACHE" in out and "JAX_ENABLE_COMPILATION_CACHE=false" in out


@pytest.mark.parametrize("args", [("info",), ("train", "--help"), ("export", "--help")])
def test_is_not_opened_where_nothing_is_compiled(cli, root, args):
    cli(*args)
    assert not root.exists()


def test_info_says_where_and_how_much(cli, root):
    command()
    size = sum(file.stat().st_size for file in programs(root))
    assert re.search(rf"compiled programs +{re.escape(str(root))} \(1 programs, {size / 1e6:.1f} MB\)", cli("info").out)


@POSIX
def test_is_private(root):
    old = os.umask(0)
    try:
        command()
    finally:
        os.umask(old)
    for path in (root, programs(root)[0].parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def refused(capsys, reason):
    """One line with the reason; the command goes on."""
    command()
    err = capsys.readouterr().err
    assert err.startswith("mlpjax: warning: compiled programs are not kept") and err.count("\n") == 1
    assert reason in err and "MLPJAX_CACHE=DIR names another place." in err
    return err


@POSIX
@pytest.mark.parametrize("mode", [0o770, 0o707])
@pytest.mark.parametrize("which", ["root", "place"])
def test_refuses_what_others_may_write_to(root, capsys, mode, which):
    command()
    (root if which == "root" else programs(root)[0].parent).chmod(mode)
    before = {file: file.stat().st_mtime_ns for file in programs(root)}
    refused(capsys, "can be written to by others, and what lies there would be run as yours")
    assert {file: file.stat().st_mtime_ns for file in programs(root)} == before


@POSIX
def test_refuses_what_belongs_to_another(root, capsys, monkeypatch, events):
    command()
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    refused(capsys, "belongs to another user")
    assert events["hits"] == 0


def test_no_place_to_write_to(tmp_path, root, capsys, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLPJAX_CACHE", str(tmp_path / "file"))
    refused(capsys, f"{tmp_path / 'file' / 'xla'}: Not a directory.")


@pytest.mark.parametrize("answer", ["~/.cache/mlpjax", RuntimeError("could not determine the home directory")])
def test_no_home(root, capsys, monkeypatch, tmp_path, answer):
    """What platformdirs answers then, in older versions and in newer ones."""
    import platformdirs

    def user_cache_dir(name):
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLPJAX_CACHE")
    monkeypatch.setattr(platformdirs, "user_cache_dir", user_cache_dir)
    refused(capsys, "There is no home directory.")
    assert _compiled.describe() == "There is no home directory." and not list(tmp_path.iterdir())


def test_is_in_the_users_cache_by_default(root, monkeypatch):
    import platformdirs

    monkeypatch.delenv("MLPJAX_CACHE")
    assert _store.directory() == pathlib.Path(platformdirs.user_cache_dir("mlpjax"), "xla")


DAMAGE = {
    "flipped bit": lambda content: content[:40] + bytes([content[40] ^ 1]) + content[41:],
    "cut off": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    # whole, as far as anything in it can tell: what zstd without a checksum makes of a flipped bit
    "other code": lambda content: zlib.compress(zlib.decompress(content).replace(b"mul", b"sub")),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_what_is_damaged_is_compiled_anew(root, capsys, events, damage):
    command()
    (file,) = programs(root)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert file.read_bytes() != whole
    _store.opened(root)
    assert not file.exists()
    file.write_bytes(damage(whole))
    command()
    assert events == {"hits": 0, "misses": 2} and programs(root) == [file]
    command()
    assert events == {"hits": 1, "misses": 2} and capsys.readouterr().err == ""


def test_what_a_killed_command_left_is_removed(root):
    command()
    (file,) = programs(root)
    other = file.with_name("jit_other-0123-cache")
    other.write_bytes(file.read_bytes())
    _store.opened(root)
    assert programs(root) == [file]


@pytest.mark.parametrize("content", ["garbage", "\x00"])
def test_damaged_sums_mean_nothing_is_trusted(root, events, content):
    command()
    (programs(root)[0].parent / _store.SUMS).write_bytes(content.encode() + b"\xff")
    command()
    command()
    assert events == {"hits": 1, "misses": 2}


def test_full_disk_is_told_of_once(root, capsys, events):
    """Half a file, as JAX leaves it then, with a warning that the user does not see."""
    command()
    (file,) = programs(root)
    torn = file.with_name("jit_torn-0123-cache")
    with _compiled.kept():
        torn.write_bytes(file.read_bytes()[:-20])
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "Not all of them could be written" in err and "Is the disk full?" in err
    assert programs(root) == [file]
    command()
    assert events["hits"] == 1


def test_disk_that_refuses_is_told_of_once(root, capsys, monkeypatch):
    def full(path):
        raise OSError(errno.ENOSPC, f"could not write {path}: No space left on device.")

    with monkeypatch.context() as patch:
        patch.setattr(_store._files, "replacing", full)
        refused(capsys, "No space left on device.")
    command()
    assert capsys.readouterr().err == ""


def test_what_jax_cannot_write_is_no_news(root, capsys, monkeypatch):
    """JAX warns of each program; warnings are errors in these tests."""
    with _compiled.kept():
        place = pathlib.Path(jax.config.jax_compilation_cache_dir)
        place.rename(place.with_name("elsewhere"))
        place.write_text("")
        assert compute() == 14
        place.unlink()
        place.with_name("elsewhere").rename(place)
    assert capsys.readouterr().err == ""


def test_says_nothing_beside_an_error(root, capsys, monkeypatch):
    def full(place):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(_store, "note", full)
    with pytest.raises(ZeroDivisionError), _compiled.kept():
        raise ZeroDivisionError
    assert capsys.readouterr().err == ""


def test_an_error_keeps_what_was_compiled(root, events):
    with pytest.raises(ZeroDivisionError), _compiled.kept():
        compute()
        raise ZeroDivisionError
    command()
    assert events == {"hits": 1, "misses": 1}


def test_two_commands_at_once(root, events, capsys):
    """The second starts while the first has written but not finished: both go on, and what is left is whole."""
    with _compiled.kept():
        compute()
        command()
        assert compute() == 14
    assert capsys.readouterr().err == ""
    assert len(_store.opened(root).sums) == len(programs(root)) == 1
    events["hits"] = 0
    command()
    assert events["hits"] == 1


def test_size_is_bounded(root, monkeypatch):
    """Over all machines; the oldest go."""
    command()
    (file,) = programs(root)
    content = file.read_bytes()
    other = root / "another-machine"
    other.mkdir()
    for i in range(5):
        (other / f"{i}-cache").write_bytes(content)
        os.utime(other / f"{i}-cache", (1000 + i, 1000 + i))
    monkeypatch.setattr(_store, "LIMIT", 3 * len(content))
    with _compiled.kept():
        file.with_name("new-cache").write_bytes(content)
    assert {path.name for path in programs(root)} == {"4-cache", file.name, "new-cache"}


CPUINFO = """processor\t: 0
model name\t: A processor
cpu MHz\t\t: 2596.{}
flags\t\t: fpu sse {}

processor\t: 1
flags\t\t: {}
"""


def test_another_processor_has_another_directory(tmp_path, monkeypatch):
    def name(*facts):
        monkeypatch.setattr(_store, "CPUINFO", str(tmp_path / "cpuinfo"))
        (tmp_path / "cpuinfo").write_text(CPUINFO.format(*facts))
        return _store._machine()

    assert name(1, "avx2", "x") == name(2, "avx2", "y") != name(1, "avx512f", "x")
    (tmp_path / "cpuinfo").unlink()
    assert _store._processor().strip()
    assert re.fullmatch(r"jaxlib-[\w.]+-[0-9a-f]{12}", _store._machine())


def test_another_number_of_cores_has_another_directory(monkeypatch):
    """XLA divides a program among the cores that it may use; JAX's key says nothing of it."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2}, raising=False)
    three = _store._machine()
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0}, raising=False)
    assert _store._machine() != three


def test_nothing_is_heard_of_the_processor(root):
    """XLA remarks on each program compiled for another processor; here one that says it needs what none has."""
    code = "from mlpjax.cli import _compiled\nwith _compiled.kept():\n import jax; print(jax.jit(lambda x: x + 1)(1.0))"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    env.pop("TF_CPP_MIN_LOG_LEVEL", None)
    start = lambda: subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert start().stdout == "2.0\n"
    changed = 0
    for file in programs(root):
        content = zlib.decompress(file.read_bytes())
        changed += re.search(rb"\+aes,", content) is not None
        file.write_bytes(zlib.compress(content.replace(b"+aes,", b"+zzz,")))
    if not changed:
        pytest.skip("the name of no instruction set is known here")
    sums = "".join(f"{_store._sha256(file.read_bytes())}  {file.name}\n" for file in programs(root))
    (programs(root)[0].parent / _store.SUMS).write_text(sums)
    run = start()
    assert (run.stdout, run.stderr) == ("2.0\n", "") and len(programs(root)) == changed
