"""What processes count together, also after one of them has died."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service.dead_workers import reading
from service.metrics import DIRECTORY

pytestmark = pytest.mark.e2e  # processes, because the client keeps its place from its import on
ROOT = Path(__file__).resolve().parents[2]

COUNT = """
import sys
from service.metrics import Metrics
metrics = Metrics()
metrics.streams.inc(int(sys.argv[1]))
metrics.count_texts("toy", 1, texts=int(sys.argv[1]), tokens=7)
metrics.count_stages({"model": 0.06}, route="/predict")
metrics.show_backlog(tokens=10 * int(sys.argv[1]), seconds=0.5)
metrics.refreshed.set(1000 + int(sys.argv[1]))
there = [("toy", "1", "native")]
metrics.show_versions(loaded=there, labels=[("toy", "stable", "1")], failed=[], unlabelled=[])
metrics.show_versions(loaded=there, labels=[], failed=[("toy", "2")], unlabelled=[("toy",)])
print("counted", flush=True)
sys.stdin.read()
"""
FORGET = """
import sys
from service.metrics import Metrics, forget_process
for pid in sys.argv[1:]:
    try:
        forget_process(int(pid))
    except OSError as error:
        print(error)
metrics = Metrics()
metrics.refreshed.set(2000)
print(metrics.render()[0].decode())
"""
DIE = """
import os
from service.metrics import DIRECTORY, Metrics, count_death  # before there is a folder, as there
os.environ[DIRECTORY] = os.environ.pop("FOLDER")
count_death()
count_death()
print(Metrics().render()[0].decode())
"""


def start(code: str, *arguments: object, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {DIRECTORY: str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def rendered(folder: Path, *dead: int) -> str:
    with start(FORGET, *dead, folder=folder) as process:
        return process.communicate()[0]


def test_the_streams_of_a_killed_process_go_and_its_counts_stay(tmp_path: Path) -> None:
    with start(COUNT, 2, folder=tmp_path) as killed, start(COUNT, 3, folder=tmp_path) as other:
        for process in (killed, other):
            assert process.stdout is not None
            assert process.stdout.readline() == "counted\n"
        assert "gatewise_streams 5.0" in rendered(tmp_path)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert "gatewise_streams 5.0" in rendered(tmp_path)  # nobody has been told of it yet
        after = rendered(tmp_path, killed.pid, 999_999_999)  # and of one that counted nothing
        assert "gatewise_streams 3.0" in after
        assert 'gatewise_texts_total{model="toy",version="1"} 5.0' in after
        other.kill()
        other.wait()
        assert "gatewise_streams 0.0" in rendered(tmp_path, killed.pid, other.pid)
        assert 'gatewise_texts_total{model="toy",version="1"} 5.0' in rendered(tmp_path)


def test_the_counts_of_all_dead_processes_are_in_one_file(tmp_path: Path) -> None:
    def count_and_die(texts: int) -> int:
        with start(COUNT, texts, folder=tmp_path) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "counted\n"
            process.kill()
        return process.pid

    dead = [count_and_die(texts) for texts in (2, 3, 4)]
    own = {f"counter_{pid}.db" for pid in dead} | {f"histogram_{pid}.db" for pid in dead}
    with reading(tmp_path):  # as while the metrics are read
        assert "Resource temporarily unavailable" in rendered(tmp_path, dead[0])
    assert own & {path.name for path in tmp_path.iterdir()} == own
    told = rendered(tmp_path, *dead)
    assert 'gatewise_texts_total{model="toy",version="1"} 9.0' in told
    assert 'gatewise_tokens_total{model="toy",version="1"} 21.0' in told
    assert 'gatewise_stage_seconds_bucket{le="0.1",route="/predict",stage="model"} 3.0' in told
    assert 'gatewise_stage_seconds_sum{route="/predict",stage="model"} 0.18' in told
    assert not own & {path.name for path in tmp_path.iterdir()}
    assert 'gatewise_texts_total{model="toy",version="1"} 9.0' in rendered(tmp_path, *dead)


def test_all_gauges_are_those_of_the_processes_that_live(tmp_path: Path) -> None:
    with start(COUNT, 2, folder=tmp_path) as killed, start(COUNT, 3, folder=tmp_path) as other:
        for process in (killed, other):
            assert process.stdout is not None
            assert process.stdout.readline() == "counted\n"
        both = rendered(tmp_path)
        assert "gatewise_backlog_tokens 50.0" in both
        assert "gatewise_store_refresh_timestamp_seconds 1002.0" in both  # of the one behind
        assert 'gatewise_version_loaded{engine="native",model="toy",version="1"} 2.0' in both
        assert 'gatewise_version_failed{model="toy",version="2"} 2.0' in both
        assert "gatewise_version_label{" not in both  # the label has been taken off
        killed.kill()
        killed.wait()
        left = rendered(tmp_path, killed.pid)
        assert "gatewise_backlog_tokens 30.0" in left
        assert "gatewise_backlog_seconds 0.5" in left
        assert "gatewise_store_refresh_timestamp_seconds 1003.0" in left
        assert 'gatewise_version_loaded{engine="native",model="toy",version="1"} 1.0' in left


def test_deaths_are_counted_by_the_process_that_starts_workers(tmp_path: Path) -> None:
    counted = subprocess.run(
        [sys.executable, "-c", DIE],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != DIRECTORY} | {"FOLDER": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "gatewise_worker_deaths_total 2.0" in counted.stdout
    assert "# TYPE gatewise_worker_deaths_total counter" in counted.stdout


@pytest.mark.parametrize("left", [False, True])
def test_what_others_count_together_is_not_ours(left: bool, tmp_path: Path) -> None:
    folder = tmp_path / "counts"
    if left:  # from a run before
        folder.mkdir()
        (folder / "counter_1.db").write_bytes(b"\xff" * 4_096)
    (tmp_path / "in.txt").write_text("A warm and clever film.\n")
    options = ["--in", "in.txt", "--out", "out.csv", "--model", "imdb-gru"]
    done = subprocess.run(
        [sys.executable, "-m", "service", "score", *options, "--store", ROOT / "models/store"],
        cwd=tmp_path,
        env=os.environ | {DIRECTORY: str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert (tmp_path / "out.csv").exists()
    assert [path.name for path in tmp_path.glob("counts/*")] == ["counter_1.db"] * left
