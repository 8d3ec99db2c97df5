"""The commands of CONTRIBUTING say what they do, and refuse what is not there."""

import importlib

import pytest

pytest.importorskip("quickjs", reason="the site's tools are in the [docs] extra")

COMMANDS = ["check", "execute", "finish", "inventories", "offline", "prepare", "preview"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help(name, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", [name, "--help"])
    with pytest.raises(SystemExit, match="0"):
        importlib.import_module(f"docs._ext.{name}").main()
    assert "usage" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name, said", [("check", "no built site"), ("finish", "no built site"), ("execute", "no page")]
)
def test_nothing_there(name, said, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("sys.argv", [name, str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit, match="2"):
        importlib.import_module(f"docs._ext.{name}").main()
    assert said in capsys.readouterr().err
