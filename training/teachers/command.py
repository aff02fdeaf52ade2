"""A command as a teacher: texts in, verdicts out, each kept by the hash of its text.

The command reads one JSON object a line from its standard input, {"text": …}, and writes one answer
a line to its standard output, in the same order. `answers.py` lists the forms of an answer. What it
writes to its standard error goes to the terminal.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from models.metadata import Task
from training.console import console
from training.data.digest import digest_text
from training.teachers.answers import AnswerReader, BadAnswer
from training.teachers.verdicts import TeacherCost, TeacherError, Verdicts
from training.workspace.atomic import save_bytes
from training.workspace.lock import lock
from training.workspace.space import writing

FOLDER = "teachers"
LONGEST_SHOWN = 200  # characters of a line that cannot be read
PATIENCE = 10.0  # seconds that a command has to end once it has answered all


@dataclass(frozen=True)
class CommandTeacher:
    """A command that labels texts.

    Args:
        command: The command with its arguments, as in a shell, but run without one.
        work: Folder of the answers that are kept.
        skip_unusable: Whether texts whose answer cannot be used are left out.
    """

    command: str
    work: Path
    skip_unusable: bool = False
    has_texts = False

    def judge(
        self, texts: Sequence[str], *, labels: Sequence[str], task: Task, column: str = ""
    ) -> Verdicts:
        """See Teacher."""
        words, reader = self._split(), AnswerReader(labels, task)
        name = _name(words)
        path = self.work / FOLDER / f"{hash_text(self.command)[:16]}.jsonl"
        with writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        busy = f"another training asks this teacher; wait until it has written {path}"
        with lock(path.with_suffix(".lock"), busy=busy):
            kept = _read_kept(path)
            asked = [text for text in texts if hash_text(text) not in kept.answers]
            console.print(
                f"teacher: {len(texts) - len(asked):,} of {len(texts):,} texts are kept in {path}"
            )
            if asked:
                self._ask(words, asked, reader, kept=kept, path=path)
        return self._understand(name, texts, reader, kept=kept, path=path)

    def _split(self) -> list[str]:
        try:
            words = shlex.split(self.command)
        except ValueError as error:
            raise TeacherError(f"--teacher-command {self.command!r}: {error}") from error
        if not words:
            raise TeacherError("--teacher-command names no command")
        return words

    def _understand(
        self, name: str, texts: Sequence[str], reader: AnswerReader, *, kept: "Kept", path: Path
    ) -> Verdicts:
        """Return the verdicts in kept answers, some of which were for other labels perhaps."""
        found: dict[str, NDArray[np.float32]] = {}
        faults: list[str] = []
        for text in texts:
            try:
                found[text] = reader.read(kept.answers[hash_text(text)])
            except BadAnswer as fault:
                faults.append(str(fault))
        if faults and not self.skip_unusable:
            raise TeacherError(
                f"{len(faults):,} answers kept in {path} cannot be used: {faults[0]}; "
                "--skip-unusable leaves their texts out, and without the file all are asked again"
            )
        if not found:
            raise TeacherError(f"the teacher gave no answer that can be used: {faults[0]}")
        left = f"{len(faults):,} texts are left out, their answers cannot be used: "
        return Verdicts(
            name=name,
            texts=list(found),
            probabilities=np.stack(list(found.values())),
            notes=(left + faults[0],) if faults else (),
            cost=TeacherCost(milliseconds=kept.milliseconds),
        )

    def _ask(
        self,
        words: Sequence[str],
        texts: Sequence[str],
        reader: AnswerReader,
        *,
        kept: "Kept",
        path: Path,
    ) -> None:
        """Ask the command about texts; keep each answer as it comes, and how long they took."""
        started = time.perf_counter()
        with _appending(path) as file, _running(words, texts) as answers:
            for number in console.track(
                range(len(texts)), f"asking the teacher about {len(texts):,} texts"
            ):
                answer = self._read_answer(answers, number, reader, count=len(texts))
                key = hash_text(texts[number])
                _append(file, {"text": key, "answer": answer}, path=path)
                kept.answers[key] = answer
            if extra := answers.finish():
                raise TeacherError(
                    f"the teacher wrote more than one line a text: {_shorten(extra)}; "
                    f"delete {path}, for answers may stand at the wrong text"
                )
            kept.milliseconds = 1_000 * (time.perf_counter() - started) / len(texts)
            _append(file, {"milliseconds": kept.milliseconds}, path=path)

    def _read_answer(
        self, answers: "Answers", number: int, reader: AnswerReader, *, count: int
    ) -> Any:
        """Return the next answer of a command.

        Raises:
            TeacherError: It has ended, or the answer cannot be understood.
        """
        line = answers.read_line()
        if not line:
            raise TeacherError(
                f"the teacher ended {answers.describe_end()} after {number:,} of {count:,} "
                "answers; they are kept, and the same command asks for the others"
            )
        try:
            answer = json.loads(line)
            if not isinstance(answer, dict):
                raise BadAnswer("an answer is an object of JSON")
            if not self.skip_unusable:
                reader.read(answer)
        except ValueError as fault:
            raise TeacherError(
                f"answer {number + 1:,} of the teacher cannot be used: {fault}: {_shorten(line)}"
            ) from fault
        return answer


@dataclass(frozen=True)
class Answers:
    """The lines that a command writes."""

    process: "subprocess.Popen[bytes]"

    def read_line(self) -> bytes:
        """Return the next line; nothing at the end."""
        return self._pipe.readline()

    def finish(self) -> bytes:
        """Let the command end; return what it writes after the last answer, if anything."""
        rest: list[bytes] = []
        reader = threading.Thread(target=lambda: rest.append(self.read_line()), daemon=True)
        reader.start()
        reader.join(PATIENCE)
        with suppress(subprocess.TimeoutExpired):
            if rest == [b""]:
                self.process.wait(PATIENCE)
                return b""
        if not rest or not rest[0]:
            console.print("note: the teacher has answered all and does not end; it is stopped")
        return rest[0] if rest else b""

    def describe_end(self) -> str:
        """Say how the command has ended."""
        try:
            return f"with status {self.process.wait(PATIENCE)}"
        except subprocess.TimeoutExpired:
            return "its output, and runs on,"

    @property
    def _pipe(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout


@contextmanager
def _running(words: Sequence[str], texts: Sequence[str]) -> Iterator[Answers]:
    """Run a command while entered, with the texts on its standard input."""
    try:
        # A group of its own: what a shell has started is stopped with it.
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise TeacherError(f"--teacher-command cannot run {words[0]}: {reason}") from error
    assert process.stdin is not None
    assert process.stdout is not None
    feeder = threading.Thread(target=_feed, args=(process.stdin, texts), daemon=True)
    feeder.start()
    try:
        yield Answers(process)
    finally:
        _kill(process)
        process.wait()
        process.stdout.close()
        feeder.join(PATIENCE)  # nobody reads its pipe any more, so it ends


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a command and what it has started."""
    if sys.platform == "win32":  # which has no groups of processes
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):  # the whole group has ended
        os.killpg(process.pid, signal.SIGKILL)


def _name(words: Sequence[str]) -> str:
    """Return the name of the first argument that is a file, such as a script; else the program's.

    Other arguments may be keys, which have no place in metadata.
    """
    files = (word for word in words[1:] if os.path.isfile(word))  # of any length
    return Path(next(files, words[0])).name


def hash_text(text: str) -> str:
    """Return the hash that stands for a text among the kept answers."""
    return digest_text(text).hex()


def _feed(pipe: IO[bytes], texts: Sequence[str]) -> None:
    """Write texts as lines of JSON; stop where the reader is gone."""
    try:
        for text in texts:
            pipe.write(json.dumps({"text": text}).encode() + b"\n")
            pipe.flush()
        pipe.close()
    except (OSError, ValueError):  # the reader is gone
        with suppress(OSError):
            pipe.close()


@dataclass
class Kept:
    """Answers by the hash of their text, and the milliseconds of a text in the last run."""

    answers: dict[str, Any] = field(default_factory=dict)
    milliseconds: float | None = None


@contextmanager
def _appending(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file to append to."""
    with writing(path.parent):
        file = path.open("ab")
    try:
        yield file
    finally:
        with writing(path.parent):  # it tries once more to write what did not fit
            file.close()


def _append(file: IO[bytes], line: Mapping[str, Any], *, path: Path) -> None:
    with writing(path.parent):
        file.write(json.dumps(line).encode() + b"\n")
        file.flush()


def _shorten(line: bytes) -> str:
    return line[:LONGEST_SHOWN].decode("utf-8", "replace").strip()


def _read_kept(path: Path) -> Kept:
    """Return what is kept; a torn last line is cut off."""
    kept = Kept()
    if not path.is_file():
        return kept
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            each = json.loads(line)
            if "milliseconds" in each:
                kept.milliseconds = float(each["milliseconds"])
            else:
                kept.answers[each["text"]] = each["answer"]
        except (ValueError, KeyError, TypeError) as error:
            raise TeacherError(f"{path} is broken in line {number:,}; delete it") from error
    if len(whole) < len(content):
        save_bytes(whole, path=path)
    return kept
