"""The command that installs more is that of the way Gatewise was installed."""

import sys
from pathlib import Path

import pytest

from models import installation
from models.installation import install_command


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that is no clone, without a distribution of ours."""
    monkeypatch.setattr(installation, "CLONE", tmp_path / "site-packages")
    monkeypatch.setattr(installation, "_origin", lambda: " @ file:///a%20b.whl")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.delenv("UV", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("package", "in_clone", "in_wheel"),
    [
        ("models", "python -m models list", "gatewise models list"),
        ("service", "python -m service list", "gatewise list"),
        ("training", "python -m training list", "gatewise list"),
    ],
)
def test_commands_are_those_of_the_installation(
    package: str, in_clone: str, in_wheel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert installation.command(package, "list") == in_clone
    monkeypatch.setattr(installation, "IN_WHEEL", True)
    assert installation.command(package, "list") == in_wheel


def test_a_clone_makes_it() -> None:
    assert install_command("training") == "make setup"


def test_pip(prefix: Path) -> None:
    assert install_command("otel") == "pip install 'gatewise[otel] @ file:///a%20b.whl'"


@pytest.mark.parametrize(
    ("receipt", "command"),
    [
        ("uv-receipt.toml", "uv tool install --force"),
        ("pipx_metadata.json", "pipx install --force"),
    ],
)
def test_tools_are_installed_anew(prefix: Path, receipt: str, command: str) -> None:
    (prefix / receipt).touch()
    assert install_command("x") == f"{command} 'gatewise[x] @ file:///a%20b.whl'"


def test_uvx_makes_another_environment(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV", "/usr/bin/uv")
    monkeypatch.setattr(installation, "find_spec", lambda name: None)
    assert install_command("x") == "uvx --from 'gatewise[x] @ file:///a%20b.whl' gatewise"


@pytest.mark.parametrize(
    ("written", "origin"), [('{"url": "file:///x.whl"}', " @ file:///x.whl"), (None, "")]
)
def test_the_origin_is_that_of_the_distribution(
    written: str | None, origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Distribution:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return written

    monkeypatch.setattr(installation.metadata, "distribution", lambda name: Distribution())
    assert installation._origin() == origin
