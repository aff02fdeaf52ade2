"""A command as a teacher: texts in, verdicts out, each kept by the hash of its text.

The command reads one JSON object a line from its standard input, {"text": …}, and writes one answer
a line to its standard output, in the same order. `answers.py` lists the forms of an answer. What it
writes to its standard error goes to the terminal.
"""

import hashlib
import json
import shlex
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from models.atomic import replace_file
from models.metadata import Task
from training.console import console
from training.teachers.answers import AnswerReader, BadAnswer
from training.teachers.verdicts import TeacherCost, TeacherError, Verdicts
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
    """

    command: str
    work: Path
    has_texts = False

    def judge(self, texts: Sequence[str], *, labels: Sequence[str], task: Task) -> Verdicts:
        """See Teacher."""
        words = self._split()
        reader = AnswerReader(labels, task)
        path = self.work / FOLDER / f"{hash_text(self.command)[:16]}.jsonl"
        with writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        busy = f"another training asks this teacher; wait until it has written {path}"
        with lock(path.with_suffix(".lock"), busy=busy):
            kept = _read_kept(path)
            asked = [text for text in texts if hash_text(text) not in kept]
            console.print(
                f"teacher: {len(texts) - len(asked):,} of {len(texts):,} texts are kept in {path}"
            )
            milliseconds = self._ask(words, asked, reader, kept=kept, path=path) if asked else None
        found = [self._understand(reader, kept[hash_text(text)], path=path) for text in texts]
        return Verdicts(
            name=_name(words),
            texts=texts,
            probabilities=np.stack(found),
            cost=TeacherCost(milliseconds=milliseconds),
        )

    def _split(self) -> list[str]:
        try:
            words = shlex.split(self.command)
        except ValueError as error:
            raise TeacherError(f"--teacher-command {self.command!r}: {error}") from error
        if not words:
            raise TeacherError("--teacher-command names no command")
        return words

    def _understand(self, reader: AnswerReader, answer: Any, *, path: Path) -> np.ndarray:
        """Return the probabilities in a kept answer, which was for other labels perhaps."""
        try:
            return reader.read(answer)
        except BadAnswer as fault:
            raise TeacherError(
                f"an answer kept in {path} cannot be used: {fault}; delete it"
            ) from fault

    def _ask(
        self,
        words: Sequence[str],
        texts: Sequence[str],
        reader: AnswerReader,
        *,
        kept: dict[str, Any],
        path: Path,
    ) -> float:
        """Ask the command about texts, keep each answer as it comes; return milliseconds a text."""
        started = time.perf_counter()
        with path.open("ab") as file, self._running(words, texts) as process:
            answers = self._read_answers(process, reader, count=len(texts))
            for text, answer in zip(texts, answers, strict=True):
                line = json.dumps({"text": hash_text(text), "answer": answer}, ensure_ascii=False)
                with writing(path.parent):
                    file.write(line.encode("utf-8", "surrogatepass") + b"\n")
                    file.flush()
                kept[hash_text(text)] = answer
        return 1_000 * (time.perf_counter() - started) / len(texts)

    def _read_answers(
        self, process: "subprocess.Popen[bytes]", reader: AnswerReader, *, count: int
    ) -> Iterator[Any]:
        """Yield the answers of a command.

        Raises:
            TeacherError: It ends early, or an answer cannot be understood.
        """
        assert process.stdout is not None
        for number in console.track(range(count), f"asking the teacher about {count:,} texts"):
            line = process.stdout.readline()
            if not line:
                raise TeacherError(
                    f"the teacher ended with status {process.wait(PATIENCE)} after {number:,} of "
                    f"{count:,} answers; they are kept, and the same command asks for the others"
                )
            try:
                answer = json.loads(line)
                if not isinstance(answer, dict):
                    raise BadAnswer("an answer is an object of JSON")
                reader.read(answer)
            except ValueError as fault:
                shown = line[:LONGEST_SHOWN].decode("utf-8", "replace").strip()
                raise TeacherError(
                    f"answer {number + 1:,} of the teacher cannot be used: {fault}: {shown}"
                ) from fault
            yield answer

    @contextmanager
    def _running(
        self, words: Sequence[str], texts: Sequence[str]
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """Run the command while entered, with the texts on its standard input."""
        try:
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            reason = error.strerror or str(error)
            raise TeacherError(f"--teacher-command cannot run {words[0]}: {reason}") from error
        assert process.stdin is not None
        feeder = threading.Thread(target=_feed, args=(process.stdin, texts), daemon=True)
        feeder.start()
        try:
            yield process
            feeder.join()
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            console.print("note: the teacher has answered all and does not end; it is stopped")
        finally:
            process.kill()
            process.wait()
            feeder.join()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def _name(words: Sequence[str]) -> str:
    """Return the name of the first argument that is a file, such as a script; else the program's.

    Other arguments may be keys, which have no place in metadata.
    """
    files = (word for word in words[1:] if Path(word).is_file())
    return Path(next(files, words[0])).name


def hash_text(text: str) -> str:
    """Return the hash that stands for a text among the kept answers."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _feed(pipe: IO[bytes], texts: Sequence[str]) -> None:
    """Write texts as lines of JSON; stop where the reader is gone."""
    try:
        for text in texts:
            pipe.write(json.dumps({"text": text}).encode() + b"\n")
            pipe.flush()
        pipe.close()
    except (BrokenPipeError, ValueError):  # ValueError: the pipe is closed
        return


def _read_kept(path: Path) -> dict[str, Any]:
    """Return the kept answers by the hash of the text; a torn last line is cut off."""
    if not path.is_file():
        return {}
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    found = {}
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            each = json.loads(line)
            found[each["text"]] = each["answer"]
        except (ValueError, KeyError, TypeError) as error:
            raise TeacherError(f"{path} is broken in line {number:,}; delete it") from error
    if len(whole) < len(content):
        with replace_file(path) as unfinished:
            unfinished.write_bytes(whole)
    return found
