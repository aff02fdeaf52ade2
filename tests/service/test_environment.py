"""Settings as shells, env files, Kubernetes and people write them."""

import logging
import os
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from service import environment, metrics
from service.__main__ import app
from service.settings import Settings
from service.web import server, workers


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch):
    """Return what reads settings from variables, and gives what the log says of them."""

    def read(caplog: pytest.LogCaptureFixture, **variables: str) -> tuple[Settings, list[str]]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with caplog.at_level(logging.WARNING):
            settings = Settings()
        return settings, caplog.messages

    return read


KUBERNETES = {
    "GATEWISE_SERVICE_HOST": "10.3.240.10",
    "GATEWISE_SERVICE_PORT": "8000",
    "GATEWISE_SERVICE_PORT_HTTP": "8000",
    "GATEWISE_PORT_8000_TCP": "tcp://10.3.240.10:8000",
    "GATEWISE_PORT_8000_TCP_PROTO": "tcp",
    "GATEWISE_PORT_8000_TCP_PORT": "8000",
    "GATEWISE_PORT_8000_TCP_ADDR": "10.3.240.10",
    "GATEWISE_MODEL_SERVICE_HOST": "10.3.240.11",
    "GATEWISE_MODEL_PORT_80_TCP": "tcp://10.3.240.11:80",
}


@pytest.mark.parametrize(
    "port",
    [
        "tcp://10.3.240.10:8000",
        "udp://10.3.240.10:8000",
        "sctp://10.3.240.10:8000",
        "tcp://[fd00::1]:8000",
    ],
)
def test_the_port_of_a_kubernetes_service_is_none_of_ours(port: str, given, caplog) -> None:
    settings, said = given(caplog, GATEWISE_PORT=port, **KUBERNETES)
    assert settings.port == 8000
    assert len(said) == 1
    assert f"GATEWISE_PORT={port} is ignored: Kubernetes" in said[0]


def test_an_option_is_stronger_than_what_kubernetes_sets(monkeypatch, given, caplog) -> None:
    monkeypatch.setenv("GATEWISE_PORT", "tcp://10.3.240.10:8000")
    assert Settings(port=9000).port == 9000


@pytest.mark.parametrize("port", ["http://10.3.240.10:8000", "10.3.240.10:8000", "http"])
def test_other_ports_that_are_none_are_refused(port: str, monkeypatch) -> None:
    monkeypatch.setenv("GATEWISE_PORT", port)
    with pytest.raises(ValidationError, match="port"):
        Settings()


@pytest.mark.parametrize("blank", ["", " ", "\t", "\r", '""', "''", '" "'])
@pytest.mark.parametrize("name", ["threads", "port", "model", "store", "cors_origins", "engine"])
def test_what_is_blank_counts_as_absent(blank: str, name: str, given, caplog) -> None:
    settings, _ = given(caplog, **{f"GATEWISE_{name.upper()}": blank})
    assert getattr(settings, name) == Settings.model_fields[name].default


@pytest.mark.parametrize("blank", ["", " ", "\n", '""', "''", "\r\n"])
def test_a_blank_secret_is_refused(blank: str, monkeypatch) -> None:
    monkeypatch.setenv("GATEWISE_STREAM_SECRET", blank)
    refused = CliRunner().invoke(app, [])
    assert refused.exit_code == 2
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.startswith("error: GATEWISE_STREAM_SECRET: it is empty")
    assert "unset GATEWISE_STREAM_SECRET" in refused.stderr


@pytest.mark.parametrize(
    ("written", "secrets"),
    [
        ("s3cret", ("s3cret",)),
        (" s3cret\n", ("s3cret",)),
        ("old,new", ("old", "new")),
        (" old , new\r\n", ("old", "new")),
        ('"half,quoted', ('"half', "quoted")),
        ("=,;", ("=", ";")),
        ("two words", ("two words",)),
    ],
)
def test_secrets_are_read_like_other_lists_and_shown_nowhere(
    written: str, secrets: tuple[str, ...], given, caplog
) -> None:
    settings, said = given(caplog, GATEWISE_STREAM_SECRET=written)
    assert settings.stream_secrets == secrets
    assert not any(secret in repr(settings.stream_secret) for secret in secrets)
    assert not said


@pytest.mark.parametrize("written", ['"old, new"', "'old,new'", ' "old,new"\r'])
def test_quotes_around_secrets_are_left_out_too(written: str, given, caplog) -> None:
    settings, said = given(caplog, GATEWISE_STREAM_SECRET=written)
    assert settings.stream_secrets == ("old", "new")
    assert said == ["GATEWISE_STREAM_SECRET: the quotes around its value are left out"]


@pytest.mark.parametrize("written", ["new, ", ",old", "new,,old", "new,'',old", '"new,"'])
def test_a_blank_secret_among_others_is_refused(written: str, monkeypatch) -> None:
    monkeypatch.setenv("GATEWISE_STREAM_SECRET", written)
    refused = CliRunner().invoke(app, ["--store", "/nowhere"])  # where it would not start either
    assert refused.exit_code == 2
    last = refused.stderr.splitlines()[-1]
    assert last.startswith("error: GATEWISE_STREAM_SECRET: one of its secrets is empty")
    assert "new" not in last


@pytest.mark.parametrize(
    ("written", "value"),
    [('"imdb-gru"', "imdb-gru"), ("'imdb-gru:2'", "imdb-gru:2"), (' "imdb-gru"\r', "imdb-gru")],
)
def test_quotes_of_env_files_are_left_out_and_said(written, value, given, caplog) -> None:
    settings, said = given(caplog, GATEWISE_MODEL=written)
    assert settings.model == value
    assert said == ["GATEWISE_MODEL: the quotes around its value are left out"]


@pytest.mark.parametrize(("written", "port"), [(" 9000", 9000), ("9000\r", 9000), ("'9000'", 9000)])
def test_numbers_of_env_files_are_read(written: str, port: int, given, caplog) -> None:
    assert given(caplog, GATEWISE_PORT=written)[0].port == port


@pytest.mark.parametrize("written", ['"imdb', "'", "imdb'gru'"])
def test_half_quotes_stay(written: str, given, caplog) -> None:
    settings, said = given(caplog, GATEWISE_MODEL=written)
    assert settings.model == written
    assert not said


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("GATEWISE_THREAD", "GATEWISE_THREADS"),
        ("GATEWISE_MAX_TEXT", "GATEWISE_MAX_TEXTS"),
        ("GATEWISE_POLL", "GATEWISE_POLL_SECONDS"),
        ("GATEWISE_SECRET", "GATEWISE_STREAM_SECRET"),
        ("GATEWISE_SERVER_PORT", "GATEWISE_PORT"),
        ("GATEWISE_ROOTPATH", "GATEWISE_ROOT_PATH"),
        ("gatewise_cors_origin", "GATEWISE_CORS_ORIGINS"),
    ],
)
def test_a_misspelt_setting_is_told_with_the_nearest(variable, setting, given, caplog) -> None:
    _, said = given(caplog, **{variable: "5"})
    assert said == [f"{variable.upper()} is no setting; did you mean {setting}?"]


@pytest.mark.parametrize(
    "variable",
    # of docker-compose.yml, the Dockerfile and the trainer
    ["TAG", "BIND", "DATA", "WORK", "TENSORFLOW", "API_MEMORY", "TRAINER_MEMORY", "NAME", "X"],
)
def test_variables_of_others_are_nothing_to_speak_of(variable: str, given, caplog) -> None:
    assert given(caplog, **{f"GATEWISE_{variable}": "5"})[1] == []


def test_small_letters_do_too(given, caplog) -> None:
    assert given(caplog, gatewise_port="9000")[0].port == 9000
    assert given(caplog, GATEWISE_PORT="9001")[0].port == 9001


@pytest.mark.parametrize("variable", ["PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"])
@pytest.mark.parametrize("options", [[], ["--workers", "2"]])
def test_a_folder_of_shared_counts_is_left_out(
    variable: str, options: list[str], tmp_path: Path, monkeypatch, caplog
) -> None:
    """Base images and other programs set it; the Prometheus client stops if it is not there."""
    monkeypatch.setenv(variable, "/not/there")
    seen: list[bool] = []

    def look(_: Settings) -> None:
        seen.append(variable in os.environ)

    monkeypatch.setattr(server, "run_server", look)
    monkeypatch.setattr(workers, "run_workers", look)
    done = CliRunner().invoke(app, [*options, "--store", str(tmp_path)])
    assert (done.exit_code, seen) == (0, [False])
    assert f"{variable}=/not/there is ignored: the service counts by itself" in caplog.text


def test_the_variable_is_that_of_the_metrics() -> None:
    assert environment.SHARED_COUNTS == metrics.DIRECTORY
