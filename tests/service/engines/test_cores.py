import os
from pathlib import Path

import pytest

from service.engines import cores
from service.engines.cores import available_cores, find_share
from service.settings import Settings

TWO = "0::{}\n"
ONE = "12:memory:/other\n4:cpu,cpuacct:{}\n1:name=systemd:/other\n"


def make_root(root: Path, groups: str, **files: str) -> Path:
    """Write what /proc and /sys say; __ in a name stands for a slash."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("cpu_", "cpu.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("limit", "share"),
    [("50000 100000\n", 0.5), ("200000 100000\n", 2.0), ("max 100000\n", None), ("", None)],
)
def test_docker_and_kubernetes_limit_the_share(
    limit: str, share: float | None, tmp_path: Path
) -> None:
    assert find_share(make_root(tmp_path, TWO.format("/"), cpu_max=limit)) == share


@pytest.mark.parametrize(("quota", "share"), [("150000", 1.5), ("-1", None), ("x", None)])
def test_older_systems_have_it_elsewhere(quota: str, share: float | None, tmp_path: Path) -> None:
    files = {"cpu__cpu_cfs_quota_us": quota, "cpu__cpu_cfs_period_us": "100000\n"}
    assert find_share(make_root(tmp_path, ONE.format("/"), **files)) == share


def test_the_least_of_nested_groups_counts(tmp_path: Path) -> None:
    files = {
        "a__b__cpu_max": "max 100000",
        "a__cpu_max": "300000 100000",
        "a__b__c__cpu_max": "400000 100000",
        "d__cpu_max": "1000 100000",  # of others
    }
    assert find_share(make_root(tmp_path, TWO.format("/a/b/c"), **files)) == 3.0


def test_a_container_may_not_see_its_own_group(tmp_path: Path) -> None:
    root = make_root(tmp_path, TWO.format("/docker/abc"), cpu_max="100000 100000")
    assert find_share(root) == 1.0


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert find_share(tmp_path) is None


@pytest.mark.parametrize("groups", ["", "?", "\n\n", "0::", "0::/../..", "4:cpuset:/\n"])
def test_odd_groups_are_no_limit(groups: str, tmp_path: Path) -> None:
    assert find_share(make_root(tmp_path, groups)) is None


@pytest.mark.parametrize(("share", "count"), [(None, 8), (0.5, 1), (1.5, 2), (8.0, 8), (64.0, 8)])
def test_no_more_threads_than_the_share(
    share: float | None, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(cores, "find_share", lambda: share)
    assert available_cores() == count
    assert Settings(workers=1).computing_threads == count
    assert Settings(workers=3).computing_threads == max(1, count // 3)
