"""The download, against a server on this machine that answers well and badly."""

import gzip
import hashlib
import http.server
import multiprocessing
import os
import sys
import threading
import time

import numpy as np
import pytest

from mlpjax.data import idx, mnist

pytest.importorskip("pooch", reason="downloads need the extra `data`")

IMAGES, LABELS = mnist.FILES["test"]
CONTENT = {
    IMAGES: idx.encode(np.random.default_rng(0).integers(0, 256, (40, 28, 28)).astype(np.uint8)),
    LABELS: idx.encode((np.arange(40) % 10).astype(np.uint8)),
}
SHA256 = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


class Mirror(http.server.BaseHTTPRequestHandler):
    """The first part of a path says how to answer."""

    def do_GET(self):
        _, how, name = self.path.split("/")
        self.server.asked.append(self.path)
        body = gzip.compress(CONTENT[name.removesuffix(".gz")], mtime=0)
        getattr(self, how)(body)

    def answer(self, body, status=200, length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for header, value in headers.items():
            self.send_header(header.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def good(self, body):
        self.answer(body)

    def plain(self, body):
        self.answer(gzip.decompress(body))

    def encoded(self, body):
        self.answer(body, Content_Encoding="gzip")

    def truncated(self, body):
        self.answer(body[: len(body) // 2], length=len(body))
        self.close_connection = True

    def cut(self, body):
        self.answer(body[: len(body) // 2])

    def wrong(self, body):
        self.answer(gzip.compress(CONTENT[LABELS][:-1] + b"\7"))

    def busy(self, body):
        self.answer(b"try later", status=503)

    def html(self, body):
        self.answer(b"<!DOCTYPE html><html><body>Moved</body></html>", Content_Type="text/html")

    def slow(self, body):
        self.server.released.wait(30)

    def stalling(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.server.released.wait(30)
        self.close_connection = True

    def bomb(self, body):
        self.answer(gzip.compress(CONTENT[LABELS] + bytes(1 << 24)))

    def endless(self, body):
        self.answer(bytes(1 << 20), length=1 << 30)
        self.close_connection = True

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        server.asked, server.released = [], threading.Event()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def fetch(server, tmp_path):
    """`fetch("busy", "good")`: from mirrors that answer so, in this order."""

    def call(*how, timeout=10.0, **keywords):
        mirrors = [f"http://127.0.0.1:{server.server_port}/{name}/" for name in how]
        return mnist.fetch(split="test", cache=tmp_path, mirrors=mirrors, sha256=SHA256, timeout=timeout, **keywords)

    return call


def patience(how, brief):
    """A brief timeout only where it is to be exceeded: this machine may be busy."""
    return brief if how in ("slow", "stalling") else 10.0


def files(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.ledger("MNI1")
@pytest.mark.parametrize("how", ["good", "plain", "encoded"])
def test_a_good_mirror_fills_the_cache_once(fetch, server, tmp_path, how, caplog, capfd):
    directory = fetch(how)
    assert directory == tmp_path / "mnist" and files(directory) == CONTENT
    assert mnist.load(directory, split="test").y.tolist() == [i % 10 for i in range(40)]
    assert len(server.asked) == 2
    assert fetch(how) == directory and fetch() == directory
    assert len(server.asked) == 2
    assert not caplog.records and capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("truncated", "IncompleteRead|Connection|Chunked"),
        ("cut", "damaged gzip"),
        ("wrong", f"other content: SHA-256 [0-9a-f]{{64}}, not {SHA256[IMAGES]}"),
        ("busy", "503"),
        ("html", "not an IDX file"),
        ("slow", r"read timeout=0\.3"),
        ("stalling", "[Tt]imed? ?out"),
        ("bomb", "trailing bytes"),
        ("endless", "Incomplete|Connection|Chunked"),
    ],
)
def test_a_bad_answer_is_told_and_leaves_nothing(fetch, tmp_path, how, says):
    with pytest.raises(mnist.DownloadError, match=says) as caught:
        fetch(how, timeout=patience(how, 0.3))
    for part in (f"/{how}/{IMAGES}.gz", "Without a network", f"{LABELS}.gz", "--data-dir DIR", 'mnist.load("DIR"'):
        assert part in str(caught.value)
    assert not any(tmp_path.rglob("*.*")) and not any(tmp_path.rglob("t10k*"))


@pytest.mark.parametrize("how", ["truncated", "cut", "wrong", "busy", "html", "slow", "stalling", "bomb", "endless"])
def test_a_bad_mirror_does_not_keep_the_next_from_being_asked(fetch, server, how):
    assert files(fetch(how, "good", "busy", timeout=patience(how, 1.0))) == CONTENT
    order = [path.split("/")[1] for path in server.asked]
    assert order == [how, "good", how, "good"]


def test_every_mirror_is_listed_in_order(fetch):
    with pytest.raises(mnist.DownloadError) as caught:
        fetch("busy", "html", "cut")
    places = [str(caught.value).index(f"/{how}/") for how in ("busy", "html", "cut")]
    assert places == sorted(places)


def test_no_server_at_all(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(mnist.DownloadError, match=r"http://127.0.0.1:9/.*\n.*Connection(.|\n)*Without a network"):
        mnist.fetch(split="test", cache=tmp_path, mirrors=["http://127.0.0.1:9/"], timeout=1.0)


def test_an_answer_without_end_is_cut_off(fetch, monkeypatch):
    monkeypatch.setattr(idx, "MAX_BYTES", 1 << 18)
    with pytest.raises(mnist.DownloadError, match="more than 262144 bytes"):
        fetch("endless")


@pytest.mark.parametrize(
    "damage", [b"", CONTENT[IMAGES][:-1], b"\1" + CONTENT[IMAGES][1:]], ids=["empty", "cut", "flipped"]
)
def test_a_damaged_cache_is_fetched_anew(fetch, server, tmp_path, damage):
    (fetch("good") / IMAGES).write_bytes(damage)
    with pytest.raises(mnist.DownloadError):
        fetch("busy")
    assert files(fetch("good")) == CONTENT
    assert server.asked[-1] == f"/good/{IMAGES}.gz" and len(server.asked) == 4


def test_interrupted_before_the_rename_and_started_again(fetch, tmp_path, monkeypatch):
    def killed(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", killed)
        fetch("good")
    assert files(tmp_path / "mnist") == {}
    assert files(fetch("good")) == CONTENT


def test_leftovers_are_swept_but_not_what_another_process_writes(fetch, tmp_path):
    directory = tmp_path / "mnist"
    directory.mkdir()
    old, young = directory / f".{IMAGES}.abc.tmp", directory / f".{IMAGES}.def.tmp"
    for path in (old, young):
        path.write_bytes(CONTENT[IMAGES][:99])
    os.utime(old, (time.time() - 7200,) * 2)
    assert files(fetch("good")) == {**CONTENT, young.name: CONTENT[IMAGES][:99]}
    os.utime(young, (time.time() - 7200,) * 2)
    assert files(fetch()) == CONTENT


def _process(port, cache):
    mnist.fetch(split="test", cache=cache, mirrors=[f"http://127.0.0.1:{port}/good/"], sha256=SHA256)


def test_two_processes_at_once(server, tmp_path):
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_process, args=(server.server_port, tmp_path)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert files(tmp_path / "mnist") == CONTENT


def test_threads_at_once(fetch, tmp_path):
    errors, start = [], threading.Barrier(4)

    def one():
        try:
            start.wait()
            fetch("good")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and files(tmp_path / "mnist") == CONTENT


def test_where_the_cache_is(fetch, tmp_path, monkeypatch):
    fetch("good")
    monkeypatch.setattr(mnist, "SHA256", SHA256)  # `fetch` binds its default early: the environment must be read late
    keywords = {"split": "test", "mirrors": (), "sha256": SHA256}
    monkeypatch.setenv("MLPJAX_CACHE", str(tmp_path))
    assert mnist.fetch(**keywords) == tmp_path / "mnist"
    monkeypatch.setenv("MLPJAX_CACHE", str(tmp_path / "elsewhere"))
    assert mnist.fetch(**keywords, cache=tmp_path) == tmp_path / "mnist"
    with pytest.raises(mnist.DownloadError):
        mnist.fetch(**keywords)
    monkeypatch.delenv("MLPJAX_CACHE")
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "user" / name)
    (tmp_path / "user" / "mlpjax").mkdir(parents=True)
    (tmp_path / "mnist").rename(tmp_path / "user" / "mlpjax" / "mnist")
    assert mnist.fetch(**keywords) == tmp_path / "user" / "mlpjax" / "mnist"


def test_load_without_a_directory_fetches(monkeypatch, fetch, tmp_path):
    directory = fetch("good")
    asked = []
    monkeypatch.setattr(mnist, "fetch", lambda **keywords: asked.append(keywords) or directory)
    assert len(mnist.load(split="test", cache=tmp_path).x) == 40
    assert asked == [{"split": "test", "cache": tmp_path, "progress": False}]


def test_a_cache_that_cannot_be_written_to(fetch, tmp_path):
    (tmp_path / "mnist").write_text("a file where the directory should be")
    with pytest.raises(OSError, match=r"`cache` must be a directory that can be written to.*MLPJAX_CACHE"):
        fetch("good")


def test_without_pooch(monkeypatch, tmp_path, fetch):
    directory = fetch("good")
    monkeypatch.setitem(sys.modules, "pooch", None)
    assert fetch() == directory  # what is in the cache needs no downloader
    (directory / LABELS).unlink()
    with pytest.raises(ImportError, match=r"pip install 'mlpjax\[data\]'"):
        fetch("good")


def test_progress_bar_is_shown_on_request(fetch, capfd):
    pytest.importorskip("tqdm")
    assert files(fetch("good", progress=True)) == CONTENT
    assert "%" in capfd.readouterr().err
