"""The list of all messages: each is found, each says what to do, and what is listed is what is raised."""

import ast
import logging
import re

import jax
import jax.numpy as jnp
import pytest

pytest.importorskip("markdown", reason="the site's tools are in the [docs] extra")

from docs._ext import messages, messages_html, modules, raises, reached, thrown
from docs._ext.templates import Choice, Hole, Scope, evaluate
from mlpjax import activations, data, layers, losses, mlp, training, trees
from mlpjax.data import idx

CARDS = list(messages.cards())


def one(words, **fields):
    """The card whose general text has these words."""
    (found,) = [
        c for c in CARDS if words in messages.flat(c.general) and all(getattr(c, k) == v for k, v in fields.items())
    ]
    return found


def walked(text, module="mlpjax.mlp"):
    """The messages of a function given as text, as if it stood in a module."""
    walk = raises.Walk(Scope(module, ast.parse(text).body[0]))
    walk.visit(walk.scope.function)
    return [messages.flat(m.template) for m in walk.found]


def test_every_raise_of_the_package_is_listed():
    assert [str(place) for place in reached.unreached()] == []
    assert len(CARDS) > 200


@pytest.mark.parametrize(
    "text",
    [
        "raise ValueError(text)",
        "raise ValueError(' '.join(parts))",
        "raise ValueError",
        "error = ValueError('`x` is wrong. Mend it.') if text else parts; raise error",
        "error = ValueError('`x` is wrong. Mend it.'); error = parts; raise error",
        "raise ValueError(text.upper() + '\\n' + text)",
    ],
)
def test_a_message_that_is_computed_is_refused_with_its_place(text):
    with pytest.raises(thrown.MessageError, match=r"^mlpjax/mlp\.py:2: "):
        walked(f"def f(text, parts):\n    {text}")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("raise ValueError(f'`x` is {x!r}. Mend it.')", "`x` is ⟨x⟩. Mend it."),
        ("error = ValueError('`x` is wrong. Mend it.'); error.x = x; raise error", "`x` is wrong. Mend it."),
        ("why = 'too long' if x else 'too short'; raise ValueError(f'`x` is {why}.')", "`x` is too long / too short."),
        ("raise ValueError('`x` is wrong.' + ' Sort it.' * bool(x))", "`x` is wrong. Sort it. / "),
        ("_check.count('x', x, 2, 'Two make a pair.')", "`x` must be an integer ≥ 2; got ⟨value⟩. Two make a pair."),
        ("warnings.warn(f'{len(x)} are too many')", "⟨len(x)⟩ are too many"),
        (
            "try:\n        int(x)\n    except ValueError as error:\n        raise TypeError(f'bad: {error}')",
            "bad: ⟨error⟩",
        ),
    ],
)
def test_a_template(text, expected):
    assert walked(f"def f(x):\n    {text}") == [expected]


def test_what_a_handler_catches_is_not_met():
    inner = "try:\n        raise ValueError('`x` is wrong.')\n    except {}"
    assert walked(f"def f(x):\n    {inner.format('ValueError: pass')}") == []
    assert walked(f"def f(x):\n    {inner.format('KeyError: pass')}") == ["`x` is wrong."]


def test_every_message_says_what_it_is_about_and_what_to_do():
    texts = [(c, t) for c in CARDS if "standard error" not in c.errors for t, _ in c.variants]
    lacking = [f"{messages.flat(t)} lacks {found}" for c, t in texts if (found := messages.lacks(t, c.why))]
    assert lacking == []


@pytest.mark.parametrize("text", ["something is wrong. Try again.", "`x` must be positive; got {x}."])
def test_a_message_without_subject_or_remedy_is_noticed(text):
    template = evaluate(ast.parse(f"f{text!r}").body[0].value, Scope("mlpjax.mlp"))
    assert messages.lacks(template)


def test_anchors():
    """Unique, made of words, and the same wherever the line is."""
    names = [card.anchor for card in CARDS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z][a-z0-9_-]+", name) for name in names)
    assert one("must not exceed the number of examples").anchor.startswith(
        "training-batch-size-must-not-exceed-the-number"
    )


def test_every_room_has_a_heading():
    rooms = {name.split(".")[1] for name in modules.files() if "." in name}
    assert {room for room in rooms if messages.home(f"mlpjax.{room}") == "any"} <= {
        "__main__",
        "_check",
        "_text",
        "_types",
        "_values",
    }


def test_who_can_raise_it():
    functions = lambda card: {name for _, names in card.variants for name in names}
    assert {"mlpjax.training.run", "mlpjax.training.fit"} <= functions(one("`optimizer` must be the one"))
    assert functions(one("`v` must be floats")) == {"mlpjax.neuron.nearest_point", "mlpjax.neuron.separator"}
    assert "mlpjax.mlp.init" in functions(one("`sizes` must hold"))
    assert functions(one("is not an IDX file")) == {"mlpjax.data.idx.read", "mlpjax.data.mnist.load"}, (
        "a download quotes it"
    )
    assert functions(one("is blank")) == {"mlpjax predict"}
    warned = set().union(*(functions(card) for card in CARDS if "UserWarning" in card.errors))
    assert warned == {"mlpjax.training.fit"}, "as docs/errors.md says"


def test_what_a_message_quotes_stands_with_it():
    card = one("although its checksum is right")
    assert "its members are compressed" in [messages.flat(reason) for reason in card.reasons]
    assert one("could not write").errors == ("OSError", "CheckpointError"), "`checkpoint.save` gives it another class"


def pattern(template):
    """A regular expression for what a template may become."""
    alternatives = lambda piece: f"(?:{'|'.join(map(pattern, piece.options))})"
    kinds = ((str, re.escape), (Hole, lambda _: ".*"), (Choice, alternatives))
    return "".join(next(make for kind, make in kinds if isinstance(p, kind))(p) for p in template)


@pytest.mark.parametrize(
    "call",
    [
        lambda: mlp.init(jax.random.key(0), (3,)),
        lambda: activations.by_name("rellu"),
        lambda: activations.leaky_relu(2.0),
        lambda: losses.smoothed_cross_entropy(1.5),
        lambda: layers.norm.layer_init(0),
        lambda: training.stopping.patience(0),
        lambda: trees.stack([]),
        lambda: idx.read(b"PNG picture"),
        lambda: data.toy.moons(jax.random.key(0), 1),
        lambda: training.checkpoint.read("nowhere.npz"),
        lambda: training.recipes.optimizer("sgd", 0.1, clip=-1.0),
    ],
)
def test_what_is_raised_is_what_is_listed(call):
    with pytest.raises(Exception) as caught:
        call()
    error = caught.value
    text = getattr(error, "strerror", None) or str(error)
    found = [c for c in CARDS for t, _ in c.variants if re.fullmatch(pattern(t), text, re.S)]
    assert any(type(error).__name__ in card.errors for card in found)


def test_classes_of_errors_are_described():
    (shown,) = messages_html.exceptions()
    assert all(
        name in shown for name in ("IDXError", "CheckpointError", "NonFiniteError", "Interrupted", "DownloadError")
    )
    assert "<code>state</code>: the last good state" in shown


def test_html_of_a_template():
    template = ("`x` < ", Hole("n"), "; got it.", Choice(((" Sort",), ())), Choice((("a",), ("b",))))
    assert messages_html.shown(template) == (
        '`x` &lt; <i>n</i>; got it.<span class="mx-may"> Sort</span>'
        '<span class="mx-either"><span>a</span><span class="mx-or"> or </span><span>b</span></span>'
    )


def test_the_line_about_a_missing_gpu_is_that_of_jax(monkeypatch, caplog):
    """The page quotes it, and no block of code there can bring it about."""
    from jax._src import hardware_utils, xla_bridge

    jnp.zeros(()).block_until_ready()  # there are backends now
    monkeypatch.setattr(hardware_utils, "has_visible_nvidia_gpu", lambda: True)
    with caplog.at_level(logging.WARNING):
        xla_bridge._suggest_missing_backends()
    page = (messages.sources.ROOT / "docs" / "errors.md").read_text("utf-8")
    assert all(record.getMessage() in page for record in caplog.records)
