"""A command labels texts; its answers are kept, and nobody is asked twice."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from training.errors import CannotWrite
from training.teachers.command import CommandTeacher, hash_text
from training.teachers.verdicts import TeacherError, Verdicts

LABELS = ("neg", "pos")
TEXTS = [f"good number {row}" if row % 3 else f"bad number {row}" for row in range(30)]
HONEST = """
import json, sys
for line in sys.stdin:
    text = json.loads(line)["text"]
    open("asked.txt", "a").write("x")
    print(json.dumps({"probabilities": {"pos": 0.9, "neg": 0.1} if "good" in text
                      else {"pos": 0.2, "neg": 0.8}}), flush=True)
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_script(content: str) -> str:
    Path("label.py").write_text(content)
    return f"{sys.executable} label.py --key secret"


def judge(command: str, texts: list[str] = TEXTS, *, skip_unusable: bool = False) -> Verdicts:
    teacher = CommandTeacher(command, Path("work"), skip_unusable)
    return teacher.judge(texts, labels=LABELS, task="single_label")


def asked() -> int:
    return len(Path("asked.txt").read_text())


def kept() -> Path:
    (path,) = Path("work/teachers").glob("*.jsonl")
    return path


def test_texts_in_and_probabilities_out() -> None:
    found = judge(write_script(HONEST))
    wanted = [[0.1, 0.9] if "good" in text else [0.8, 0.2] for text in TEXTS]
    np.testing.assert_allclose(found.probabilities, wanted, atol=1e-6)
    assert found.name == "label.py"
    assert "secret" not in repr(found.record)
    assert found.cost.milliseconds is not None
    assert asked() == len(TEXTS)


def test_nobody_is_asked_twice() -> None:
    command = write_script(HONEST)
    first = judge(command)
    again = judge(command, [*TEXTS, "good and new"])
    assert asked() == len(TEXTS) + 1
    np.testing.assert_array_equal(first.probabilities, again.probabilities[: len(TEXTS)])
    third = judge(command, [*TEXTS, "good and new"])
    assert third.cost.milliseconds == again.cost.milliseconds is not None


def test_all_at_the_end_is_fine_too() -> None:
    script = 'import sys\nfor _ in sys.stdin.readlines(): print(\'{"label": "pos"}\')\n'
    assert judge(write_script(script)).probabilities[:, 1].tolist() == [1.0] * len(TEXTS)


@pytest.mark.parametrize("text", ["two\nlines", "half \ud83d", "", '"quoted"', "\x00"])
def test_any_text_goes_through(text: str) -> None:
    script = (
        "import sys, json\nfor line in sys.stdin:\n"
        "    json.loads(line)['text']\n    print('{\"label\": \"pos\"}', flush=True)\n"
    )
    assert judge(write_script(script), [text]).probabilities.tolist() == [[0, 1]]


def test_a_teacher_that_dies_is_asked_for_the_rest() -> None:
    dying = HONEST.replace("open(", "len(open('asked.txt').read()) < 12 or sys.exit(3)\n    open(")
    Path("asked.txt").write_text("")
    command = write_script(dying)
    told = "ended with status 3 after 12 of 30 answers; they are kept, and the same command asks"
    with pytest.raises(TeacherError, match=told):
        judge(command)
    write_script(HONEST)
    assert len(judge(command)) == len(TEXTS)
    assert asked() == len(TEXTS)


def test_a_torn_line_is_asked_for_again() -> None:
    command = write_script(HONEST)
    judge(command)
    whole = kept().read_bytes()
    kept().write_bytes(whole[:-7])
    judge(command)
    assert b"milliseconds" in whole.splitlines()[-1]
    assert asked() == len(TEXTS)  # only the time was lost
    kept().write_bytes(whole[: whole.index(b'{"milliseconds')][:-7])
    judge(command)
    assert asked() == len(TEXTS) + 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_a_full_disk() -> None:
    command = write_script(HONEST)
    judge(command)
    path = kept()
    path.unlink()
    path.symlink_to("/dev/full")
    with pytest.raises(CannotWrite, match=r"^cannot write to work/teachers: No space left"):
        judge(command)


def test_a_broken_line_is_named() -> None:
    command = write_script(HONEST)
    judge(command)
    kept().write_bytes(b"rubbish\n" + kept().read_bytes())
    with pytest.raises(TeacherError, match=r"\.jsonl is broken in line 1; delete it"):
        judge(command)


def test_kept_answers_about_other_labels() -> None:
    command = write_script(HONEST)
    judge(command)
    line = json.dumps({"text": hash_text(TEXTS[0]), "answer": {"label": "ugly"}})
    kept().write_text(kept().read_text() + line + "\n")
    with pytest.raises(TeacherError, match="1 answers kept in .* the label is 'ugly'; .* all are"):
        judge(command)
    found = judge(command, skip_unusable=True)
    assert list(found.texts) == TEXTS[1:]
    assert found.notes[0].startswith("1 texts are left out, their answers cannot be used: the la")


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("sorry", "answer 1 of the teacher cannot be used: .*: sorry"),
        ("[1]", "an answer is an object of JSON: \\[1\\]"),
        ('{"label": "ugly"}', "the label is 'ugly'; there are: neg, pos"),
        ('{"pos": 2, "neg": 0}', "2 is no probability"),
    ],
)
def test_answers_that_cannot_be_understood(answer: str, fault: str) -> None:
    with pytest.raises(TeacherError, match=fault):
        judge(write_script(f"import sys\nsys.stdin.readline()\nprint({answer!r}, flush=True)\n"))


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("", "--teacher-command names no command"),
        ("python 'label.py", "No closing quotation"),
        ("./nothing here", "cannot run ./nothing: No such file or directory"),
    ],
)
def test_commands_that_cannot_run(command: str, fault: str) -> None:
    with pytest.raises(TeacherError, match=fault):
        judge(command)


def test_a_teacher_that_does_not_end_is_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("training.teachers.command.PATIENCE", 0.2)
    judge(write_script(HONEST + "import time\ntime.sleep(60)\n"))
    assert "has answered all and does not end; it is stopped" in capsys.readouterr().err


def test_one_bad_answer_may_be_left_out() -> None:
    script = HONEST.replace(
        "    print(", "    print('{\"logprobs\": []}', flush=True) if 'bad' in text else print("
    )
    command = write_script(script)
    with pytest.raises(TeacherError, match="answer 1 of the teacher cannot be used: 'logprobs'"):
        judge(command)
    found = judge(command, skip_unusable=True)
    assert list(found.texts) == [text for text in TEXTS if "good" in text]
    assert found.notes[0].startswith("10 texts are left out")


def test_nothing_that_can_be_used() -> None:
    command = write_script("import sys\nfor line in sys.stdin: print('{}', flush=True)\n")
    with pytest.raises(TeacherError, match="gave no answer that can be used: no verdict in it"):
        judge(command, skip_unusable=True)


def test_two_lines_a_text_are_noticed() -> None:
    twice = HONEST.replace("    print(", "    for _ in range(2): print(")
    with pytest.raises(TeacherError, match="more than one line a text: .*delete .*jsonl"):
        judge(write_script(twice))


@pytest.mark.medium
def test_output_that_ends_before_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.teachers.command.PATIENCE", 0.3)
    script = "import os, time\nos.close(1)\ntime.sleep(60)\n"
    with pytest.raises(TeacherError, match="ended its output, and runs on, after 0 of 30"):
        judge(write_script(script))


@pytest.mark.timeout(60)
def test_what_a_shell_has_started_is_stopped_with_it() -> None:
    Path("label.py").write_text(
        "import sys\nprint('rubbish', flush=True)\n"
        'while True: print(\'{"label": "pos"}\', flush=True)\n'
    )
    command = f"sh -c '{sys.executable} label.py; true'"
    with pytest.raises(TeacherError, match="answer 1 of the teacher cannot be used: .*rubbish"):
        judge(command, [f"{text} {'long ' * 50}" for text in TEXTS * 100])


@pytest.mark.timeout(60)
def test_a_command_that_reads_nothing() -> None:
    Path("label.py").write_text('while True: print(\'{"label": "pos"}\', flush=True)\n')
    with pytest.raises(TeacherError, match="more than one line a text"):
        judge(f"{sys.executable} label.py", [f"{n} {'long ' * 50}" for n in range(2_000)])


def test_a_long_argument_is_no_file() -> None:
    command = write_script(HONEST) + " --prompt '" + "be kind " * 100 + "'"
    assert judge(command).name == "label.py"
