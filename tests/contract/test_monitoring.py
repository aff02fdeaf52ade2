"""Dashboard, alerts and documentation name metrics that there are, and there are none beside."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from service.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "monitoring"
MANIFESTS = ROOT / "deploy" / "kubernetes"
DOCS = ROOT / "docs" / "monitoring.md"
DASHBOARD = json.loads((FOLDER / "grafana" / "gatewise.json").read_text())
ALERTS = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
_NAME = re.compile(r"\bgatewise_\w+")


def exported() -> set[str]:
    """Return the names of all series, with the endings that histograms and counters have."""
    metrics = Metrics()
    metrics.watch_rollouts(lambda: ())
    text = metrics.render()[0].decode()
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    endings = {"histogram": ("_bucket", "_sum", "_count")}
    names = {name + ending for name, kind in kinds.items() for ending in endings.get(kind, ("",))}
    return {name for name in names if not name.endswith("_created")}


def asked(*expressions: str) -> set[str]:
    """Return the metrics that expressions name."""
    return {name for expression in expressions for name in _NAME.findall(expression)}


@pytest.mark.medium
@pytest.mark.parametrize("panel", PANELS, ids=[panel["title"] for panel in PANELS])
def test_panels_ask_for_metrics_that_there_are(panel: dict[str, Any]) -> None:
    names = asked(*(target["expr"] for target in panel["targets"])) - {"gatewise"}
    assert names <= exported()
    assert names or "up{" in panel["targets"][0]["expr"]


@pytest.mark.parametrize("rule", ALERTS, ids=[rule["alert"] for rule in ALERTS])
def test_alerts_ask_for_metrics_that_there_are(rule: dict[str, Any]) -> None:
    assert asked(rule["expr"]) <= exported()
    assert rule["labels"]["severity"] in ("page", "ticket")


def test_alerts_are_tested_and_documented() -> None:
    names = [rule["alert"] for rule in ALERTS]
    tests = yaml.safe_load((FOLDER / "alerts_test.yml").read_text())["tests"]
    fired = {t["alertname"] for test in tests for t in test["alert_rule_test"] if "exp_alerts" in t}
    quiet = {t["alertname"] for t in tests[0]["alert_rule_test"]}
    assert fired == quiet == set(names)
    assert re.findall(r"^\| `(Gatewise\w+)` \|", DOCS.read_text(), re.MULTILINE) == names


@pytest.mark.medium
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_alerts_do_as_their_tests_say() -> None:
    done = subprocess.run(
        ["promtool", "test", "rules", "alerts_test.yml"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_documented_job_is_the_one_that_alerts_and_dashboard_ask_for() -> None:
    shown = re.search(
        r"(?:^    .*\n)*^    relabel_configs:\n(?:^     .*\n)*", DOCS.read_text(), re.M
    )
    assert shown is not None
    (rule,) = yaml.safe_load(dedent(shown[0]))["relabel_configs"]
    pod = f"__meta_kubernetes_pod_label_{re.sub(r'[^a-z]', '_', 'app.kubernetes.io/name')}"
    assert (rule["source_labels"], rule["target_label"]) == ([pod], "job")
    deployment = yaml.safe_load((MANIFESTS / "base" / "deployment.yaml").read_text())
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert rule["regex"] == labels["app.kubernetes.io/name"]
    asking = [rule["expr"] for rule in ALERTS]
    asking += [target["expr"] for panel in PANELS for target in panel["targets"]]
    jobs = {job for expression in asking for job in re.findall(r'job="(\w+)"', expression)}
    assert jobs == {rule["replacement"]}


def test_every_metric_is_documented() -> None:
    rows = [line for line in DOCS.read_text().splitlines() if line.startswith("| `gatewise_")]
    documented = asked(*(row.split("|")[1] for row in rows))
    bare = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported()}
    assert documented == bare


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
