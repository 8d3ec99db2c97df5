"""`mlpjax predict`: pictures of every kind, rendered from digits that the network has not seen."""

import io
import json
import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from mlpjax.cli import _model, _pictures, _predict, _problem

R = Image.Resampling
PLACE = dict(height=28, width=28, box=20, mass=1.0, middle=13.5)


def eight_bit(v):
    return np.rint(v * 255).astype(np.uint8)


def scaled(v, by, how):
    return np.clip(
        np.asarray(Image.fromarray(eight_bit(v)).resize((by * v.shape[1], by * v.shape[0]), how)) / 255, 0, 1
    )


def placed(v, margin, i):
    wide = np.zeros((v.shape[0] + 2 * margin, v.shape[1] + 3 * margin))
    y, x = np.random.default_rng(i).integers(0, (2 * margin, 3 * margin))
    wide[y : y + v.shape[0], x : x + v.shape[1]] = v
    return wide


def colored(v, ink, paper):
    return (np.array(paper) * (1 - v[..., None]) + np.array(ink) * v[..., None]).astype(np.uint8)


def transparent(v, color):
    return np.dstack([np.full((*v.shape, 3), color, np.uint8), eight_bit(v)])


RENDERINGS = {
    "native, light on dark": lambda v, i: Image.fromarray(eight_bit(v)),
    "native, dark on light": lambda v, i: Image.fromarray(255 - eight_bit(v)),
    "4 times, nearest": lambda v, i: Image.fromarray(255 - eight_bit(scaled(v, 4, R.NEAREST))),
    "10 times, bicubic": lambda v, i: Image.fromarray(eight_bit(scaled(v, 10, R.BICUBIC))),
    "off center": lambda v, i: Image.fromarray(255 - eight_bit(placed(scaled(v, 7, R.BICUBIC), 40, i))),
    "RGB": lambda v, i: Image.fromarray(colored(scaled(v, 6, R.BICUBIC), (20, 30, 160), (250, 240, 220))),
    "black on transparent": lambda v, i: Image.fromarray(transparent(scaled(v, 5, R.BICUBIC), 0)),
    "white on transparent": lambda v, i: Image.fromarray(transparent(scaled(v, 5, R.BICUBIC), 255)),
    "16 bit": lambda v, i: Image.fromarray((65535 * (1 - scaled(v, 5, R.BICUBIC))).astype(np.uint16)),
    "palette": lambda v, i: Image.fromarray(255 - eight_bit(scaled(v, 5, R.BICUBIC))).convert("P"),
    "gray with alpha": lambda v, i: Image.fromarray(transparent(scaled(v, 5, R.BICUBIC), 0)).convert("LA"),
}


def png(image):
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


@pytest.fixture(scope="module")
def model(digits_run):
    return _model.load(digits_run[0])


@pytest.fixture(scope="module")
def held_out(model):
    test = _problem.load(model.problem, "test", None)
    return np.asarray(test.x), np.asarray(test.y)


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_reads_rendered_digits(model, held_out, tmp_path, rendering, measured):
    """Through files, at least 95 % as many are right as directly."""
    x, y = held_out
    direct = (_predict.predict(model, x).argmax(axis=1) == y).mean()
    rows = []
    for i, digit in enumerate(x):
        path = tmp_path / f"{i}.png"
        path.write_bytes(png(RENDERINGS[rendering](digit.reshape(8, 8) / 16, i)))
        rows.append(_predict.prepare(_pictures.read(path), model.problem.preprocessing))
    right = (_predict.predict(model, np.stack(rows)).argmax(axis=1) == y).mean()
    measured(1 - right / direct, 0.05, oracle="accuracy on the arrays themselves")


def test_answers(cli, tmp_path, digits_run, model, held_out):
    x, _ = held_out
    p = _predict.predict(model, x[:3])
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for path, digit in zip(paths, x, strict=False):
        path.write_bytes(png(Image.fromarray(255 - 15 * digit.reshape(8, 8))))
    code, out, _ = cli("predict", *paths, "--run-dir", digits_run[0], "--json")
    answers = json.loads(out)["pictures"]
    assert code == 0 and [a["digit"] for a in answers] == p.argmax(axis=1).tolist()
    for answer in answers:
        ranked = np.sort(answer["probabilities"])[::-1]
        np.testing.assert_allclose([answer["probability"], answer["runner_up"]["probability"]], ranked[:2])
        np.testing.assert_allclose(sum(answer["probabilities"]), 1, rtol=1e-5)
    code, out, _ = cli("predict", paths[0], "--run-dir", digits_run[0])
    assert code == 0 and "0.png" in out and "█" in out and f"or {answers[0]['runner_up']['digit']}:" in out


def test_takes_the_newest_classifier(cli, tmp_path, digits_run, xor_run, held_out):
    import shutil

    runs = tmp_path / "runs"
    for name, source, age in (("old", digits_run[0], 100), ("new", digits_run[0], 50), ("xor", xor_run[0], 0)):
        shutil.copytree(source, runs / name)
        os.utime(runs / name / "checkpoint.npz", (1e9 - age, 1e9 - age))
    (tmp_path / "d.png").write_bytes(png(Image.fromarray(15 * held_out[0][0].reshape(8, 8))))
    code, out, err = cli("predict", "d.png")
    assert code == 0 and "read by runs/new" in out, err


def spoilt(run, **leaves):
    """A run whose checkpoint says something else."""
    from mlpjax.training import checkpoint

    path = run / "checkpoint.npz"
    tree = {**checkpoint.read(path), **{name: np.uint32(value) for name, value in leaves.items()}}
    nested = {}
    for name, leaf in tree.items():
        *parents, last = name.split("/")
        node = nested
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = leaf
    checkpoint.save(path, nested, meta=checkpoint.read_meta(path))


def test_passes_over_what_diverged_and_prefers_what_is_complete(cli, tmp_path, digits_run, held_out):
    import shutil

    runs = tmp_path / "runs"
    changes = {"diverged": {"stop_state/first_bad_step": 7}, "stopped": {"step": 23}, "whole": {}}
    for age, (name, change) in enumerate(changes.items()):
        shutil.copytree(digits_run[0], runs / name)
        spoilt(runs / name, **change)
        os.utime(runs / name / "checkpoint.npz", (1e9 - age, 1e9 - age))
    (tmp_path / "d.png").write_bytes(png(Image.fromarray(15 * held_out[0][0].reshape(8, 8))))
    code, out, err = cli("predict", "d.png")
    assert code == 0 and "read by runs/whole" in out and err == ""
    shutil.rmtree(runs / "whole")
    code, out, err = cli("predict", "d.png", "--json")
    assert code == 0 and json.loads(out)["run"] == "runs/stopped" and "interrupted at step 23 of 460" in err
    shutil.rmtree(runs / "stopped")
    code, _, err = cli("predict", "d.png")
    assert code == 2 and "that did not diverge" in err


def test_no_number_is_no_answer(tmp_path):
    answer = _predict._answer(tmp_path / "d.png", np.full(10, np.nan))
    assert "not finite" in answer["error"] and set(answer) == {"file", "error"}


def test_no_run(cli):
    code, _, err = cli("predict", "d.png")
    assert code == 2 and "there is no run on digits or mnist" in err and "mlpjax train" in err


def test_run_without_pictures(cli, xor_run):
    code, _, err = cli("predict", "d.png", "--run-dir", xor_run[0])
    assert code == 2 and "has no pictures" in err


def test_no_picture_named(cli, digits_run):
    assert cli("predict", "--run-dir", digits_run[0]).code == 2


def chunk(kind, content):
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def header(width, height):
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))


GOOD = png(Image.fromarray(np.arange(400, dtype=np.uint16).astype(np.uint8).reshape(20, 20)))
HOSTILE = {
    "nothing": (b"", "not a picture"),
    "text": (b"hello" * 100, "not a picture"),
    "truncated": (GOOD[:-30], "not a picture"),
    "flipped": (GOOD[:20] + bytes([GOOD[20] ^ 255]) + GOOD[21:], "not a picture"),
    "promises 10 gigapixels": (header(100_000, 100_000) + chunk(b"IDAT", zlib.compress(b"")), "more pixels than"),
    "promises 64 megapixels": (header(8000, 8000) + chunk(b"IDAT", zlib.compress(b"")), "8000 × 8000 pixels"),
    "zero size": (header(0, 0) + chunk(b"IEND", b""), "not a picture"),
    "text bomb": (
        header(20, 20) + chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(1 << 27))) + chunk(b"IEND", b""), "not a picture"
    ),
    "blank": (png(Image.new("L", (30, 30), 255)), "is blank"),
    "transparent throughout": (png(Image.new("RGBA", (30, 30), (0, 0, 0, 0))), "is blank"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "not a picture"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pictures(tmp_path, name):
    content, message = HOSTILE[name]
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(_pictures.PictureError, match=message) as info:
        _pictures.read(tmp_path / "x.png")
    assert "x.png" in str(info.value) and "\n" not in str(info.value)


def test_one_bad_picture_does_not_hide_the_good_ones(cli, tmp_path, digits_run, held_out):
    (tmp_path / "good.png").write_bytes(png(Image.fromarray(15 * held_out[0][0].reshape(8, 8))))
    (tmp_path / "bad.png").write_bytes(b"no")
    args = ("predict", "bad.png", "missing.png", "good.png", "--run-dir", digits_run[0])
    code, out, err = cli(*args)
    assert code == 1 and "good.png" in out and "bad.png is not a picture" in err and "missing.png: No such file" in err
    answers = json.loads(cli(*args, "--json").out)["pictures"]
    assert ["error" in answer for answer in answers] == [True, True, False]


def test_normalization_by_hand():
    """A square of ink, wherever and however large, comes out in the same place."""
    for size, at in ((20, (3, 40)), (40, (20, 5)), (33, (20, 5)), (10, (44, 0))):
        amount = np.zeros((60, 70))
        amount[at[0] : at[0] + size, at[1] : at[1] + size] = 1
        result = _pictures.normalize(amount, height=28, width=28, box=20, mass=1.0, middle=13.5)
        expected = np.zeros((28, 28))
        expected[4:24, 4:24] = 1
        np.testing.assert_array_equal(result > 0.4, expected > 0)
        if size % 20 == 0:
            np.testing.assert_allclose(result, expected, atol=1e-6)


def test_aspect_is_kept():
    result = _pictures.normalize(np.ones((40, 10)), height=8, width=8, box=8, mass=0.0, middle=3.5)
    assert (result > 0.5).sum(axis=1).tolist() == [2] * 8


def test_mass_is_centered():
    """More ink on one side moves the picture to the other, as in MNIST."""
    amount = np.zeros((40, 40))
    amount[10:30, 10:14], amount[10:14, 10:30] = 1, 1
    result = _pictures.normalize(amount, height=28, width=28, box=20, mass=1.0, middle=13.5)
    rows, columns = np.indices(result.shape)
    center = [(grid * result).sum() / result.sum() for grid in (rows, columns)]
    np.testing.assert_allclose(center, [13.5, 13.5], atol=0.5)


def test_bytes_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(_pictures, "MAX_BYTES", 10)
    (tmp_path / "x.png").write_bytes(GOOD)
    with pytest.raises(_pictures.PictureError, match="MiB"):
        _pictures.read(tmp_path / "x.png")


def test_a_line_of_ink_takes_no_more_memory_than_its_pixels(tmp_path):
    """A window around 40,000 × 1 pixels is 56,000 pixels high: it must not be made."""
    for shape in ((1, 40_000), (40_000, 1)):
        (tmp_path / "x.png").write_bytes(
            png(Image.fromarray((np.arange(40_000) % 251).astype(np.uint8).reshape(shape)))
        )
        tracemalloc.start()
        result = _pictures.normalize(_pictures.read(tmp_path / "x.png"), **PLACE)
        assert tracemalloc.get_traced_memory()[1] < 1 << 27 and np.isfinite(result).all()
        tracemalloc.stop()


def test_averages_and_interpolation_are_those_of_pillow():
    """On pictures that fill their window, where Pillow needs no margin; it weighs whole pixels, not their parts."""
    amount = np.random.default_rng(0).uniform(size=(56, 84))
    ours = _pictures._resample(amount, (0, 56), (0, 84), (28, 28))
    np.testing.assert_allclose(ours, amount.reshape(28, 2, 28, 3).mean(axis=(1, 3)), atol=1e-12)
    small = amount[:20, :20]
    theirs = np.asarray(Image.fromarray(small.astype(np.float32)).resize((28, 28), R.BILINEAR, box=(4, 4, 16, 16)))
    np.testing.assert_allclose(_pictures._resample(small, (4, 16), (4, 16), (28, 28)), theirs, atol=1e-6)


def test_a_large_picture_is_averaged_down(tmp_path):
    page = np.full((3000, 3000), 255, np.uint8)
    page[1000:2000, 1400:1600] = 0
    for image in (Image.fromarray(page), Image.fromarray(page).convert("RGBA")):
        (tmp_path / "x.png").write_bytes(png(image))
        assert _pictures.read(tmp_path / "x.png").shape == (1500, 1500)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_no_picture(tmp_path, value):
    pixels = np.zeros((12, 12), np.float32)
    pixels[3, 3] = value
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "TIFF")
    (tmp_path / "x.tiff").write_bytes(content.getvalue())
    with pytest.raises(_pictures.PictureError, match=r"x\.tiff is not a picture .*not finite"):
        _pictures.read(tmp_path / "x.tiff")
