"""Compares pages, descriptions, lists of models and metrics."""

import json
import re
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.sameness.checkout import MODELS, Checkout
from benchmarks.sameness.report import Report
from benchmarks.sameness.server import Server, Servers

PATHS = ("/livez", "/readyz", "/", "/docs", "/explanations", "/models")
WORDS = {"description", "summary"}  # of OpenAPI, which may have other words
# Counts of times alone: stages may be measured for more kinds of requests.
TIMES = re.compile(r"_bucket$|_sum$|_created$|^gatewise_stage_seconds")

Counters = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""Values by name and labels of a sample."""


def compare_documents(servers: Servers, report: Report, name: str) -> None:
    """Compare all answers to GET and HEAD, except the metrics."""
    files = _page_files(servers.before.checkout)
    report.require("files of the page", files, _page_files(servers.after.checkout))
    paths = [*PATHS, *(f"/models/{model}" for model in MODELS), *(f"/page/{f}" for f in files)]
    for path in paths:
        for method in ("GET", "HEAD"):
            servers.require_same(f"{method} {path}", *servers.ask(method, path))
    report.same(f"{name}: GET and HEAD, {len(paths)} paths")
    _compare_openapi(servers, report)
    report.same(f"{name}: GET /openapi.json, but for its words")


def compare_metrics(
    servers: Servers, report: Report, name: str, since: tuple[Counters, Counters]
) -> None:
    """Compare names, types and labels of all metrics, and the growth of the counters."""
    pages = [answer.body.decode() for answer in servers.ask("GET", "/metrics")]
    families = [{f.name: f for f in text_string_to_metric_families(page)} for page in pages]
    kinds = [{metric: f.type for metric, f in found.items()} for found in families]
    report.require("GET /metrics: names and types", *kinds)
    for metric, family in families[0].items():
        words = families[1][metric].documentation
        report.reword(f"metric {metric}", family.documentation, words)
    grown = [
        {
            str(key): value - before.get(key, 0)
            for key, value in _counters(page).items()
            if value != before.get(key, 0)
        }
        for page, before in zip(pages, since, strict=True)
    ]
    report.require("GET /metrics: counters", *grown)
    labels = [_labels(found.values()) for found in families]
    report.require("GET /metrics: samples and the names of their labels", *labels)
    report.same(f"{name}: GET /metrics, {len(kinds[0])} metrics, {len(grown[0])} counts")


def read_counters(server: Server) -> Counters:
    """Return all samples of a service that do not depend on time."""
    return _counters(server.request("GET", "/metrics").body.decode())


def _counters(page: str) -> Counters:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if not TIMES.search(sample.name)
    }


def _labels(families: Any) -> list[tuple[str, str]]:
    """Return each name of a sample with the names of its labels."""
    return sorted(
        {
            (sample.name, " ".join(sorted(sample.labels)))
            for family in families
            for sample in family.samples
        }
    )


def _compare_openapi(servers: Servers, report: Report) -> None:
    before, after = servers.ask("GET", "/openapi.json")
    servers.require_same_names("GET /openapi.json", before, after)
    found = [json.loads(answer.body) for answer in (before, after)]
    report.require("GET /openapi.json", *map(_without_words, found))
    said = [dict(_words(document, "$")) for document in found]
    for place in sorted({*said[0], *said[1]}):
        report.reword(f"openapi {place}", said[0].get(place, ""), said[1].get(place, ""))


def _without_words(document: Any) -> Any:
    if isinstance(document, list):
        return [_without_words(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        key: _without_words(value)
        for key, value in document.items()
        if not (key in WORDS and isinstance(value, str))
    }


def _words(document: Any, place: str) -> list[tuple[str, str]]:
    members = enumerate(document) if isinstance(document, list) else document.items()
    found: list[tuple[str, str]] = []
    for key, value in members:
        if isinstance(value, dict | list):
            found += _words(value, f"{place}.{key}")
        elif key in WORDS:
            found.append((f"{place}.{key}", value))
    return found


def _page_files(checkout: Checkout) -> list[str]:
    """Return the names of the files of the page, wherever its folder is."""
    (index,) = (checkout.folder / "service").rglob("page/index.html")
    folder = Path(index).parent
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
