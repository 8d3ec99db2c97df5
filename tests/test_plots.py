"""Pictures: what they show is looked up in the figure, and nothing global changes."""

import io
import subprocess
import sys

import jax
import numpy as np
import pytest

from mlpjax import data, mlp, plots
from mlpjax.training import History

matplotlib = pytest.importorskip("matplotlib")
RECORDS = [
    {"step": 10 * k, "loss": 2.0**-k, "training": {"loss": 3.0**-k, "accuracy": 1 - 0.5**k}} for k in range(1, 9)
]


def texts(figure):
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


def png(figure):
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()


FIGURES = {
    "curve": lambda: plots.learning_curve(RECORDS, steps_per_epoch=10),
    "confusion": lambda: plots.confusion_matrix(np.array([[9, 1], [0, 10]])),
    "digits": lambda: _digits(),
    "boundary": lambda: plots.decision_boundary(lambda x: x[:, 0], *data.toy.xor()[:2]),
    "weights": lambda: plots.weights(mlp.init(jax.random.key(0), (64, 16, 10))[0].W),
}


def _digits():
    x, y, _ = data.digits.load("test")
    return plots.digits(x[:12], y[:12], y[:12])


@pytest.mark.parametrize("name", FIGURES)
def test_draws_without_global_state(name):
    before = dict(matplotlib.rcParams)
    figure = FIGURES[name]()
    assert type(figure) is matplotlib.figure.Figure and len(png(figure)) > 2000
    assert dict(matplotlib.rcParams) == before
    if "matplotlib.pyplot" in sys.modules:
        assert not sys.modules["matplotlib.pyplot"].get_fignums()


def test_never_imports_pyplot():
    code = "import sys, numpy as np; from mlpjax import plots; plots.confusion_matrix(np.eye(2)).savefig(sys.argv[1]); "
    code += "sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, "/dev/null"], cwd=".", check=False).returncode == 0


def test_learning_curve_of_records():
    figure = plots.learning_curve(RECORDS, steps_per_epoch=10)
    loss, accuracy = figure.axes
    np.testing.assert_allclose(loss.lines[0].get_xdata(), range(1, 9))
    np.testing.assert_allclose(loss.lines[0].get_ydata(), [2.0**-k for k in range(1, 9)])
    np.testing.assert_allclose(loss.lines[1].get_ydata(), [3.0**-k for k in range(1, 9)])
    assert loss.get_yscale() == "log" and accuracy.get_yscale() == "linear"
    assert {"batches\n0.00391", "training\n99.61 %", "epoch"} <= set(texts(figure))


def test_learning_curve_of_a_history():
    loss = np.linspace(4, 2, 200)
    loss[150:] = np.nan
    seen = np.where(np.arange(200) % 50 == 49, np.arange(200.0), np.nan)
    figure = plots.learning_curve(History(loss, {"loss": seen}))
    training, validation = figure.axes[0].lines
    np.testing.assert_allclose(training.get_ydata()[0], loss[:4].mean())
    assert training.get_xdata()[-1] <= 152 and validation.get_ydata().tolist() == [49, 99, 149, 199]


def test_learning_curve_marks_points_that_make_no_line():
    few = plots.learning_curve([{"step": 1, "loss": 0.7}, {"step": 2, "loss": 0.4}]).axes[0].lines[0]
    assert few.get_marker() == "o" and plots.learning_curve(RECORDS).axes[0].lines[0].get_marker() == ""


def test_labels_of_lines_that_end_together_do_not_overlap():
    records = [{"step": k, "loss": 1.0 / k, "validation": {"loss": 1.001 / k}} for k in range(1, 9)]
    notes = [t for t in plots.learning_curve(records).axes[0].texts]
    heights = sorted(note.xy[1] for note in notes)
    assert len(heights) == 2 and heights[1] - heights[0] > 0.15


def test_confusion_matrix_writes_shares_of_what_there_is():
    matrix = np.array([[1999, 1, 0], [0, 5, 5], [0, 0, 4000]])
    figure = plots.confusion_matrix(matrix, ["a", "b", "c"])
    cells = {(t.get_position()[1], t.get_position()[0]): t.get_text() for t in figure.axes[0].texts}
    assert cells == {(0, 0): "99.9", (0, 1): "0.1", (1, 1): "50.0", (1, 2): "50.0", (2, 2): "100"}
    assert any("accuracy 99.90 %" in text for text in texts(figure)) and {"a", "b", "c"} <= set(texts(figure))


def test_confusion_matrix_shades_mistakes_like_what_is_right():
    figure = plots.confusion_matrix(np.array([[35, 1], [0, 36]]))
    assert any("color: square root" in text for text in texts(figure))
    right, wrong = figure.axes[0].images
    assert right.get_clim() == wrong.get_clim()
    rgb = wrong.to_rgba(wrong.get_array())[0, 1, :3]
    assert 0.03 < 1 - rgb.mean() < 0.15  # visible, but faint
    np.testing.assert_allclose(wrong.get_array()[0, 1], (1 / 36) ** 0.5)


def test_confusion_matrix_of_a_class_without_examples():
    assert png(plots.confusion_matrix(np.array([[3, 0], [0, 0]])))


def test_digits_marks_what_is_wrong():
    x, _, _ = data.digits.load("test")
    figure = plots.digits(x[:3], np.array([1, 2, 3]), np.array([1, 7, 3]))
    titles = [(ax.get_title(), ax.title.get_color()) for ax in figure.axes]
    assert [t for t, _ in titles] == ["1", "2 → 7", "3"] and titles[1][1] != titles[0][1] == titles[2][1]
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), np.asarray(x[0]).reshape(8, 8))


def test_boundary_lies_where_the_classes_tie():
    x, y, _ = data.toy.xor()
    figure = plots.decision_boundary(lambda plane: plane[:, 0], x, y)
    (path,) = figure.axes[0].collections[0].get_paths()
    np.testing.assert_allclose(path.vertices[:, 0], 0.5, atol=1e-6)
    three = plots.decision_boundary(lambda p: np.stack([p[:, 0], p[:, 1], 0 * p[:, 0]], axis=1), x, y)
    assert len(three.axes[0].collections) == 3 + 2


def test_weights_shows_the_largest_on_one_scale():
    W = np.zeros((5, 4))
    W[3] = [1, -2, 3, -4]
    W[1] = 0.5
    figure = plots.weights(W, most=2)
    images = [ax.images[0] for ax in figure.axes if ax.images and ax.images[0].get_array().shape == (2, 2)]
    np.testing.assert_array_equal(images[0].get_array(), [[1, -2], [3, -4]])
    assert len(images) == 2 and images[0].get_clim() == images[1].get_clim()
    assert images[0].get_clim()[0] == -images[0].get_clim()[1]


BAD = {
    "rectangle": (lambda: plots.confusion_matrix(np.ones((2, 3))), "`matrix` must be square"),
    "labels": (lambda: plots.confusion_matrix(np.ones((2, 2)), ["a"]), "with one of 1 `labels` per row"),
    "nothing to draw": (lambda: plots.learning_curve([{"step": 1, "loss": None}]), "nothing to draw"),
    "vmapped": (lambda: plots.learning_curve(History(np.ones((4, 9)), {})), r"tree.map\(lambda a: a\[i\], history\)"),
    "shape": (lambda: plots.digits(np.ones((3, 6))), r"Give `shape=\(height, width\)`"),
    "no digit": (lambda: plots.digits(np.ones((0, 64))), "at least one"),
    "space": (lambda: plots.decision_boundary(lambda x: x, np.ones((3, 3)), np.ones(3)), r"shape \(n, 2\)"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    draw, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        draw()


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'mlpjax\[plots\]'"):
        plots.confusion_matrix(np.eye(2))
