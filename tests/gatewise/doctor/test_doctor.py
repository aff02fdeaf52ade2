"""The doctor names what is broken, and what mends it."""

import json
import shutil
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gatewise.doctor import machine, packages, versions
from gatewise.program import app
from models.errors import VersionCorrupt
from models.installation import command
from models.versions import Version
from service.engines import loading
from service.engines.loading import OpenedEngine
from service.engines.native import library
from service.engines.native.compilation import CannotCompile
from service.engines.protocol import EngineUnavailable
from tests.versions import CountingEngine, publish

Findings = dict[str, dict[str, Any]]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with two versions of a model, which any engine serves; a port that is free."""
    for name in ("HOST", "WORKERS", "KEYS", "OPEN", "MODEL", "ENGINE", "MAX_CONNECTIONS"):
        monkeypatch.delenv(f"GATEWISE_{name}", raising=False)
    monkeypatch.setattr(
        versions, "open_engine", lambda version, **_: OpenedEngine(CountingEngine(), {})
    )
    publish(tmp_path / "store")
    publish(tmp_path / "store")
    monkeypatch.setenv("GATEWISE_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("GATEWISE_PORT", "0")
    return tmp_path / "store"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *arguments])


def look() -> Findings:
    done = run("--json")
    found = {each.pop("topic"): each for each in json.loads(done.stdout)}
    faulty = any(each["level"] == "fault" for each in found.values())
    assert done.exit_code == int(faulty)
    return found


def test_nothing_is_wrong() -> None:
    done = run()
    assert done.exit_code == 0, done.stdout
    assert done.stdout.endswith("nothing is wrong\n")
    found = look()
    assert found["toy:2"] == {"level": "ok", "found": "the counting engine", "mend": ""}
    assert found["access"]["found"] == "this machine alone"
    assert "GATEWISE_PORT" in found["settings"]["found"]
    assert found["[training]"]["level"] == "ok"


def test_each_fault_is_shown_with_what_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWISE_WORKERS", "none")
    done = run()
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    line = next(number for number, line in enumerate(lines) if line.startswith("fault"))
    assert "GATEWISE_WORKERS" in lines[line]
    assert lines[line + 1].split() == ["→", "correct", "or", "unset", "it"]
    assert lines[-1] == "1 fault"


class TestSettings:
    @pytest.mark.medium
    def test_a_bad_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GATEWISE_PORT", "http")
        assert look()["settings"]["level"] == "fault"
        assert look()["settings"]["found"].startswith("GATEWISE_PORT: Input should be a valid int")

    def test_a_misspelt_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GATEWISE_WORKER", "2")
        assert look()["settings"]["found"] == (
            "GATEWISE_WORKER is no setting; did you mean GATEWISE_WORKERS?"
        )

    @pytest.mark.medium
    def test_a_port_that_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            monkeypatch.setenv("GATEWISE_PORT", str(taken.getsockname()[1]))
            found = look()["port"]
        assert found["level"] == "fault"
        assert found["found"].endswith("address already in use")
        assert found["mend"] == "set another --port or GATEWISE_PORT"

    @pytest.mark.parametrize(
        ("answer", "level"), [(b'{"status":"ok"}', "ok"), (b"{}", "fault"), (b"", "fault")]
    )
    def test_a_port_where_something_answers(
        self, answer: bytes, level: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Print nothing."""

        with HTTPServer(("127.0.0.1", 0), Answer) as server:
            monkeypatch.setenv("GATEWISE_PORT", str(server.server_port))
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            assert look()["port"]["level"] == level
            thread.join()

    def test_others_could_ask(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GATEWISE_HOST", "0.0.0.0")
        found = look()["access"]
        assert (found["level"], found["found"]) == (
            "fault",
            "other machines reach 0.0.0.0, and no keys are asked for",
        )
        assert "service keys create" in found["mend"]
        monkeypatch.setenv("GATEWISE_OPEN", "1")
        assert look()["access"]["level"] == "note"

    def test_keys_that_are_not_there(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("GATEWISE_KEYS", str(tmp_path / "keys.json"))
        assert look()["access"]["level"] == "fault"


class TestStore:
    def test_none(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("GATEWISE_STORE", str(tmp_path / "nowhere"))
        found = look()["store"]
        assert found["level"] == "fault"
        assert "nowhere is not there" in found["found"]
        assert "train" in found["mend"]

    def test_an_empty_one(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        monkeypatch.setenv("GATEWISE_STORE", str(tmp_path / "empty"))
        assert "there is no model in it" in look()["store"]["found"]

    def test_a_damaged_version(self, store: Path) -> None:
        (store / "toy/2/assets.extra/tokenizer.json").write_text("{}")
        found = look()["toy"]
        assert found["level"] == "fault"
        assert "tokenizer.json" in found["found"]
        assert found["mend"].startswith(f"{command('models', 'rollback toy')}, or publish it again")

    def test_the_only_version_is_damaged(self, store: Path) -> None:
        shutil.rmtree(store / "toy/1")
        (store / "toy/2/assets.extra/tokenizer.json").write_text("{}")
        assert look()["toy"]["mend"].startswith("publish it again")

    def test_a_default_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GATEWISE_MODEL", "tory")
        found = look()["default model"]
        assert found["level"] == "fault"
        assert "did you mean 'toy'?" in found["found"]

    def test_an_engine_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(version: Version, **_: Any) -> OpenedEngine:
            raise EngineUnavailable("the savedmodel engine is not installed here")

        monkeypatch.setattr(versions, "open_engine", refuse)
        monkeypatch.setenv("GATEWISE_ENGINE", "savedmodel")
        found = look()["toy:2"]
        assert found["level"] == "fault"
        assert found["mend"] == "make setup, or GATEWISE_ENGINE=auto takes another"

    @pytest.mark.medium
    def test_an_engine_that_gives_other_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        passed_over = {"native": VersionCorrupt("other answers")}
        monkeypatch.setattr(
            versions,
            "open_engine",
            lambda version, **_: OpenedEngine(CountingEngine(), passed_over),
        )
        assert look()["toy:2"]["level"] == "note"
        assert look()["toy:2"]["found"] == "the counting engine (not native: other answers)"


class TestMachine:
    @pytest.fixture(autouse=True)
    def nothing_compiled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse() -> None:
            raise EngineUnavailable("it is not compiled in /x; python -m … does that")

        monkeypatch.setattr(library, "find_library", refuse)

    def test_the_native_engine_could_be_compiled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "find_compiler", lambda: ["cc"])
        assert look()["native engine"] == {
            "level": "note",
            "found": "it is not compiled in /x",
            "mend": "cc is here: python -m service.engines.native compiles it",
        }

    def test_there_is_no_compiler(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse() -> None:
            raise CannotCompile("there is no C compiler: cc is not in the path")

        monkeypatch.setattr(machine, "find_compiler", refuse)
        assert "install one (Debian: apt install gcc" in look()["native engine"]["mend"]

    def test_more_workers_than_cores(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "available_cores", lambda: 2)
        monkeypatch.setenv("GATEWISE_WORKERS", "3")
        assert look()["cores"]["level"] == "note"
        assert look()["cores"]["mend"].startswith("GATEWISE_WORKERS=2")

    def test_too_little_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "find_memory", lambda: 100 * 1024**2)
        assert look()["memory"]["level"] == "fault"

    def test_few_files(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine.resource, "getrlimit", lambda _: (64, 64))
        found = look()["open files"]
        assert (found["level"], found["found"]) == ("note", "64 may be open in a process")
        assert found["mend"].startswith("ulimit -n 8192")

    def test_no_temporary_files(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse() -> str:
            raise FileNotFoundError("No usable temporary directory found")

        monkeypatch.setattr(machine.tempfile, "gettempdir", refuse)
        assert look()["temporary files"]["level"] == "fault"


class TestFreeMemory:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        """A system with 8,192 bytes that are free."""
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 8 kB\n")
        return tmp_path

    @staticmethod
    def add_group(root: Path, path: str, **files: str) -> None:
        folder = root / "sys/fs/cgroup" / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.stat").write_text("anon 1\ninactive_file 100\n")
        for name, text in files.items():
            (folder / f"memory.{name}").write_text(text)

    def test_nothing_says_it(self, tmp_path: Path) -> None:
        assert machine.find_memory(tmp_path) is None

    def test_without_groups_it_is_that_of_the_machine(self, root: Path) -> None:
        assert machine.find_memory(root) == 8 * 1024

    @pytest.mark.parametrize(("limit", "free"), [("max", 8 * 1024), ("3000", 2_100), ("500", 0)])
    def test_a_container_sees_its_group_at_the_top(self, limit: str, free: int, root: Path) -> None:
        (root / "proc/self/cgroup").write_text("0::/\n")
        self.add_group(root, "", max=limit, current="1000\n")
        assert machine.find_memory(root) == free

    def test_the_least_of_nested_groups_counts(self, root: Path) -> None:
        (root / "proc/self/cgroup").write_text("0::/user/service\n")
        self.add_group(root, "user", max="3000", current="1000\n")
        self.add_group(root, "user/service", max="max", current="1000\n")
        self.add_group(root, "other", max="10", current="10\n")
        assert machine.find_memory(root) == 2_100

    def test_older_systems_have_it_elsewhere(self, root: Path) -> None:
        (root / "proc/self/cgroup").write_text("4:cpu:/a\n2:memory:/a\n")
        self.add_group(root, "memory/a", limit_in_bytes="3000", usage_in_bytes="1000\n")
        assert machine.find_memory(root) == 2_100


class TestPackages:
    def test_a_missing_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        version = packages.metadata.version

        def find(name: str) -> str:
            if name in ("tensorflow", "redis"):
                raise packages.metadata.PackageNotFoundError(name)
            return version(name)

        monkeypatch.setattr(packages.metadata, "version", find)
        found = look()
        assert found["[training]"] == {
            "level": "note",
            "found": f"not installed (tensorflow): {packages.EXTRAS['training']}",
            "mend": "make setup",
        }
        assert found["[redis]"]["level"] == "note"
        assert found["packages"]["level"] == "ok"

    def test_one_that_is_too_old(self, monkeypatch: pytest.MonkeyPatch) -> None:
        version = packages.metadata.version
        monkeypatch.setattr(
            packages.metadata, "version", lambda name: "1.0" if name == "numpy" else version(name)
        )
        found = look()["packages"]
        assert (found["level"], found["mend"]) == ("fault", "install Gatewise again")
        assert found["found"] == "numpy 1.0, not >=2.2"

    def test_a_distribution_says_what_it_needs(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        class Distribution:
            requires = (
                "numpy>=2.2",
                "uvloop; sys_platform == 'nowhere'",
                "tensorflow>=9; extra == 'training'",
            )

            class metadata:  # noqa: N801, as importlib has it
                @staticmethod
                def get_all(name: str) -> list[str]:
                    return ["training"]

        monkeypatch.setattr(packages, "CLONE", tmp_path)
        monkeypatch.setattr(packages.metadata, "distribution", lambda name: Distribution)
        found = {
            extra: [each.name for each in each_one]
            for extra, each_one in packages.read_declarations().items()
        }
        assert found == {"": ["numpy"], "training": ["tensorflow"]}

    def test_nothing_says_what_is_needed(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def refuse(name: str) -> None:
            raise packages.metadata.PackageNotFoundError(name)

        monkeypatch.setattr(packages, "CLONE", tmp_path)
        monkeypatch.setattr(packages.metadata, "distribution", refuse)
        assert look()["packages"]["level"] == "note"


@pytest.mark.medium
@pytest.mark.fastest
def test_the_shipped_versions_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "open_engine", loading.open_engine)
    monkeypatch.setenv("GATEWISE_STORE", "models/store")
    assert {look()[name]["level"] for name in ("imdb-gru:1", "imdb-lstm:1")} == {"ok"}
