"""The command `train`: what is wrong is one line and status 2, and leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from models.errors import ModelNotFound
from models.registry import Store
from models.steering import give_label
from models.versions import Version
from tests.training.command import places, refusal, run_command
from tests.training.labelled_files import make_rows, write_csv
from tests.training.loader import ROOT, clean_environment
from tests.versions import publish
from training.__main__ import app
from training.errors import CannotWrite, TrainingError
from training.workspace.lock import lock_training


class TestOptions:
    """Options are refused before any work; nothing of theirs starts a library."""

    @pytest.fixture
    def call(self, run_here):
        """Return a function that runs `train` up to the first piece of work."""

        def call(*arguments: str) -> str:
            done = run_here("train", "--dataset=nowhere.csv", "--name=fine", *arguments)
            assert done.stderr.count("\n") == 1
            return refusal(done)

        return call

    def test_fine_ones_get_as_far_as_the_data(self, call) -> None:
        assert call() == "no file or folder nowhere.csv"

    @pytest.mark.parametrize(
        "name", ["", ".", "..", "../x", "a/b", "Bad Name", "UPPER", "-x", ".hidden", "é", "x" * 65]
    )
    def test_name(self, call, name: str) -> None:
        assert call(f"--name={name}") == (
            f"Invalid value for '--name': {name!r} is no name: 1 to 64 of a-z, 0-9, "
            "'.', '_' and '-', a letter or digit first"
        )

    @pytest.mark.parametrize(
        ("option", "values"),
        [
            ("--vocabulary", ["99", "many", "1.5"]),
            ("--max-tokens", ["0"]),
            ("--units", ["0", "-1"]),
            ("--layers", ["0", "9"]),
            ("--embedding", ["0"]),
            ("--dropout", ["-0.1", "1", "nan"]),
            ("--word-dropout", ["0.95", "nan"]),
            ("--epochs", ["0"]),
            ("--pretraining", ["0", "once"]),
            ("--patience", ["0"]),
            ("--batch", ["0"]),
            ("--learning-rate", ["0", "-1", "inf", "nan", "fast"]),
            ("--seed", ["-1", str(2**32)]),
            ("--cell", ["transformer"]),
            ("--class-weight", ["most"]),
        ],
    )
    def test_numbers(self, call, option: str, values: list[str]) -> None:
        for value in values:
            assert call(f"{option}={value}").startswith(f"Invalid value for '{option}': ")

    @pytest.mark.medium
    def test_a_second_training_of_a_name(self, call, tmp_path: Path) -> None:
        with lock_training("fine", work=tmp_path):
            assert call(f"--work={tmp_path}") == (
                f"another training of fine is at work in {tmp_path}; "
                "wait for its end, or give another --name or --work"
            )
        assert call(f"--work={tmp_path}") == "no file or folder nowhere.csv"

    def test_a_teacher_needs_texts(self, call, tmp_path: Path) -> None:
        needs = "needs texts to label; name them with --unlabeled"
        assert call("--teacher=imdb-gru") == f"--teacher {needs}"
        assert call("--teacher-command=python label.py") == f"--teacher-command {needs}"
        path = write_csv(tmp_path / "verdicts.csv")
        assert call(f"--teacher={path}") == "no file or folder nowhere.csv"
        assert call(f"--teacher={path}", "--unlabeled=u.csv").startswith(
            "--teacher names a file that has its texts; leave --unlabeled out, or give"
        )

    def test_a_teacher_that_is_not_there(self, call) -> None:
        assert call("--teacher=imdb-grue", "--unlabeled=u.csv") == (
            "--teacher imdb-grue: no such file or folder, and no model 'imdb-grue' in "
            "models/store; there are: imdb-gru, imdb-lstm; did you mean 'imdb-gru'?"
        )

    @pytest.mark.parametrize("option", ["--pretraining", "--self-training"])
    def test_what_is_for_texts_without_labels(self, call, option: str) -> None:
        assert call(f"{option}=1") == (
            f"{option} needs texts without labels; name them with --unlabeled"
        )
        assert call(f"{option}=1", "--unlabeled=more.csv") == "no file or folder nowhere.csv"
        assert call("--self-training=0") == "no file or folder nowhere.csv"

    def test_passes_that_are_not_made(self, call) -> None:
        assert call("--teaching=2") == (
            "--teaching needs an encoder that teaches; name it with --encoder"
        )
        assert call("--pretraining=2", "--encoder=e", "--unlabeled=more.csv") == (
            "with --encoder no language model is learned; leave --pretraining out, or --encoder "
            "(--teaching says how often the encoder teaches)"
        )

    def test_an_empty_text_between_labels(self, call) -> None:
        assert call("--split-labels=") == (
            "Invalid value for '--split-labels': it is empty; leave the option out, or name a "
            "character"
        )

    def test_unknown_option(self, call) -> None:
        assert call("--unit=3").startswith("No such option: --unit")


@pytest.mark.parametrize(
    ("arguments", "epochs", "units"),
    [
        ([], 3, 256),
        (["--pretraining=4", "--units=64"], 4, 64),
    ],
)
def test_pretraining_as_told(
    arguments: list[str], epochs: int, units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training import prepare
    from training.settings import TrainSettings

    def stop(settings: TrainSettings, **_: object) -> None:
        raise LookupError(settings)

    monkeypatch.setattr(prepare, "prepare", stop)
    given = ["train", "--dataset=a.csv", "--name=a", "--unlabeled=b.csv", *arguments]
    with pytest.raises(LookupError) as caught:
        app(given, standalone_mode=False)
    (settings,) = caught.value.args
    assert (settings.pretrain.epochs, settings.network.units) == (epochs, units)


@pytest.mark.e2e
def test_what_is_said_of_wrong_data_needs_no_tensorflow(tmp_path: Path) -> None:
    script = (
        "import sys; from training.__main__ import app\n"
        "try: app(sys.argv[1:], standalone_mode=False)\n"
        "except Exception as error: print(type(error).__name__, error)\n"
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    path = write_csv(tmp_path / "r.csv", make_rows(labels=["same"]))
    arguments = ["train", f"--dataset={path}", "--name=x", f"--store={tmp_path}"]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env=clean_environment(HF_HOME=str(tmp_path / "huggingface")),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("DataError column 'label': all rows of train have the label")
    assert done.stdout.endswith("\n[]\n")


@pytest.mark.parametrize(
    ("name", "content", "message", "before"),
    [
        ("r.xlsx", b"x", "{path}: unknown kind of file; known are .csv, .tsv, ", 0),
        ("r.parquet", b"PAR1 rubbish", "cannot read {path}: Parquet magic bytes not found", 0),
        ("r.json", b'[{"text": "a"},\nx', "{path}: line 2, column 1 is not JSON", 0),
        (
            "r.jsonl",
            b'{"text": "a", "label": 1}\nx',
            "1 of 2 rows of split 'train' cannot be read: in r.jsonl, line 2: not JSON",
            1,
        ),
        ("r.csv", b"a,b,c\n1,2,3\n", "which column is the label? name it with --label-column", 1),
        ("r.csv", b"text,label\na,b\nc,\n", "1 of 2 rows of split 'train' cannot be used", 1),
    ],
)
def test_wrong_data(
    run_here, tmp_path: Path, name: str, content: bytes, message: str, before: int
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    done = run_here("train", f"--dataset={path}", "--name=x", *places(tmp_path))
    assert refusal(done).startswith(message.format(path=path))
    # What comes before says what was read, if it could be.
    assert done.stderr.splitlines()[:-1] == [f"data: local file {path}"] * before
    assert not (tmp_path / "store").exists()
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("error", "status"), [(CannotWrite("it is full"), 1), (TrainingError("it is full"), 2)]
)
def test_a_full_disk_is_no_wrong_command(
    run_here, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    from training import prepare

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(prepare, "prepare", fail)
    done = run_here("train", "--dataset=a.csv", "--name=fine")
    assert (done.returncode, done.stderr) == (status, "error: it is full\n")


@pytest.mark.tensorflow
@pytest.mark.parametrize("folder", ["store", "work"])
def test_a_folder_that_cannot_be(run_here, folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).touch()
    dataset = write_csv(tmp_path / "r.csv")
    done = run_here("train", f"--dataset={dataset}", "--name=x", *places(tmp_path))
    assert f"'{tmp_path / folder}/" in refusal(done)


class TestGate:
    """What the new version is compared with is found before any work."""

    def test_the_version_with_a_label(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        first, second = publish(tmp_path), publish(tmp_path)
        assert find_gate(store, "stable") == second  # the one that answers, without labels
        assert find_gate(store, "1") == first
        give_label(store, first, "stable")
        assert find_gate(store, "stable") == first
        with pytest.raises(ModelNotFound, match="has no version 'best'; there are: 1, 2, stable"):
            find_gate(store, "best")

    def test_nothing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert find_gate(Store(tmp_path), None) is None
        assert capsys.readouterr().err == ""
        assert find_gate(Store(tmp_path), "stable") is None
        assert "nothing to compare with" in capsys.readouterr().err


def find_gate(store: Store, gate: str | None) -> "Version | None":
    from training.commands.train import _find_gate

    return _find_gate(gate, name="toy", store=store)


@pytest.mark.medium
def test_a_refusal_has_a_status_of_its_own() -> None:
    script = (
        "from training import __main__ as main\n"
        "from training.errors import GateRefused\n"
        "def refuse(**_): raise GateRefused('not published: it is worse')\n"
        "main.app = refuse; main.run_app()\n"
    )
    done = run_command("train", program=("-c", script))
    assert (done.returncode, done.stderr) == (3, "error: not published: it is worse\n")
