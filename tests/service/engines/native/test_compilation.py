import stat
import subprocess
import sys
from pathlib import Path

import pytest

from service.engines.native import compilation
from service.engines.native.compilation import CannotCompile, compile_all, find_compiler


def make_compiler(folder: Path, script: str) -> list[str]:
    """Return the command of a program in the place of a compiler; it notes its arguments."""
    path = folder / "cc"
    path.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\n{script}\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return [str(path)]


WRITES = 'while [ "$1" != -o ]; do shift; done; echo library > "$2"'


def test_each_instruction_set_is_compiled_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(compilation.platform, "machine", lambda: "x86_64")
    compiler = make_compiler(tmp_path, WRITES)
    paths = compile_all(compiler=compiler, folder=tmp_path / "new" / "compiled")
    assert [path.name.split("-")[1] for path in paths] == ["avx512vnni", "avx2", "portable"]
    assert sorted(paths) == sorted((tmp_path / "new" / "compiled").iterdir())
    assert all(path.read_text() == "library\n" for path in paths)
    calls = (tmp_path / "calls").read_text()
    assert calls.count("\n") == 3
    assert "-march=native" not in calls
    assert "-ffp-contract=off" in calls
    assert compile_all(compiler=compiler, folder=paths[0].parent) == paths
    assert (tmp_path / "calls").read_text() == calls


def test_other_architectures_have_the_portable_one(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(compilation.platform, "machine", lambda: "aarch64")
    (path,) = compile_all(compiler=make_compiler(tmp_path, WRITES), folder=tmp_path)
    assert path.name.startswith("gatewise-portable-")


def test_other_sources_have_other_names(tmp_path: Path, monkeypatch) -> None:
    before = compilation.library_path("avx2")
    (tmp_path / "cells.c").write_text("int changed;")
    monkeypatch.setattr(compilation, "SOURCE", tmp_path)
    assert compilation.library_path("avx2") != before


def test_a_failed_compilation_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    compiler = make_compiler(tmp_path, f"{WRITES}; echo 'no space for it' >&2; exit 1")
    with pytest.raises(CannotCompile, match="no space for it"):
        compile_all(compiler=compiler, folder=tmp_path / "compiled")
    assert not list((tmp_path / "compiled").iterdir())


def test_a_compiler_is_named_by_the_environment(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("CC", f"{sys.executable} -m compiler")
    assert find_compiler() == [sys.executable, "-m", "compiler"]
    monkeypatch.setenv("CC", str(tmp_path / "none"))
    with pytest.raises(CannotCompile, match=r"there is no C compiler: .*none is not in the path"):
        find_compiler()


@pytest.mark.e2e
@pytest.mark.parametrize(("options", "status"), [([], 1), (["--optional"], 0)])
def test_without_a_compiler_the_command_says_so(options: list[str], status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "service.engines.native", *options],
        cwd=Path(__file__).parents[4],
        env={"CC": "/no/such/compiler", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert "not compiled: there is no C compiler: /no/such/compiler" in done.stderr
