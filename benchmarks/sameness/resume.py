"""Resumes a training of one checkout in the other, and compares the rejected checkpoints."""

import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.sameness.checkout import Checkout, Pair
from benchmarks.sameness.made_up import write_reviews
from benchmarks.sameness.published import require_same_version
from benchmarks.sameness.report import Difference, Report
from benchmarks.sameness.trainings import command, published, train_well

OPTIONS = ("--epochs=20", "--patience=20", "--seed=3")  # long enough to be stopped in time
PATIENCE = 600  # seconds until the first epoch is over, and until it has stopped
INTERRUPTED = 128 + signal.SIGINT
REFUSED = 2


def compare_resuming(pair: Pair, report: Report) -> None:
    """Stop a training in one checkout, and resume it in the other."""
    # Started in the background of a shell, this process would hand on that SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = pair.folder("resume")
    given = [f"--dataset={write_reviews(folder / 'reviews')}", *OPTIONS]
    with ThreadPoolExecutor(1) as pool:
        whole = pool.submit(train_well, pair.before, folder / "whole", *given)
        stopped = folder / "stopped"
        checkpoints = _stop_after_an_epoch(pair.before, stopped, *given)
        undisturbed = whole.result()
    report.same(f"a training of before is stopped and leaves {', '.join(checkpoints)}")
    _compare_refusals(pair, report, stopped, given)
    pair.after.run_well(*command(stopped, *given, "--resume"))
    files = require_same_version(
        "resumed after, undisturbed before", undisturbed, published(stopped)
    )
    report.require("checkpoints at the end", [], _checkpoints(stopped))
    report.same(f"resumed by after, as if undisturbed: {files} published files")


def _compare_refusals(pair: Pair, report: Report, stopped: Path, given: list[str]) -> None:
    """Compare the messages on the checkpoint of a training with other options."""

    def resume(checkout: Checkout) -> subprocess.CompletedProcess[str]:
        # Under the same name on both sides, because the message has the path of the checkpoint.
        folder = stopped.with_name(f"refused-{checkout.side}")
        shutil.copytree(stopped, folder)
        return checkout.run(*command(folder, *given, "--learning-rate=0.01", "--resume"))

    found = pair.both(resume)
    for checkout, done in zip((pair.before, pair.after), found, strict=True):
        folder = stopped.with_name(f"refused-{checkout.side}")
        last = done.stderr.strip().splitlines()[-1]
        if (
            done.returncode != REFUSED
            or not last.startswith("error: ")
            or "Traceback" in done.stderr
        ):
            raise Difference(
                f"{checkout.side} does not refuse other options:\n{done.stderr[-2000:]}"
            )
        if not (names := _checkpoints(folder)) or not any(name in last for name in names):
            raise Difference(f"{checkout.side}: the refusal does not name the checkpoint: {last}")
        if "learning_rate" not in last or published(folder).exists():
            raise Difference(f"{checkout.side}: the refusal does not name the option: {last}")
    before, after = (done.stderr.strip().splitlines()[-1] for done in found)
    report.reword("--resume with other options", before, after.replace("-after", "-before"))
    report.same("both refuse to resume with another learning rate, and keep the checkpoint")


def _stop_after_an_epoch(checkout: Checkout, folder: Path, *options: str) -> list[str]:
    """Interrupt a training after its first epoch; return the names of the checkpoints it leaves."""
    folder.mkdir()
    with checkout.start(*command(folder, *options), log=folder / "log.txt") as process:
        try:
            _wait_for_an_epoch(process, folder)
            process.send_signal(signal.SIGINT)
            status = process.wait(PATIENCE)
        finally:
            process.kill()
    if status != INTERRUPTED or published(folder).exists() or not _checkpoints(folder):
        said = (folder / "log.txt").read_text()[-2000:]
        raise Difference(f"{checkout.side}: interrupted, it ends with {status}\n{said}")
    return _checkpoints(folder)


def _wait_for_an_epoch(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until the file of the learning curves is there; it is written after each epoch."""
    end = time.monotonic() + PATIENCE
    first: int | None = None
    while time.monotonic() < end and process.poll() is None:
        sizes = [path.stat().st_size for path in (folder / "work").rglob("*tfevents*")]
        if sizes and first is None:
            first = sum(sizes)
        if first is not None and sum(sizes) > first:
            return
        time.sleep(0.02)
    raise Difference(f"no epoch was seen\n{(folder / 'log.txt').read_text()[-2000:]}")


def _checkpoints(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "work").rglob("*.npz"))
