"""A report is written whole: plots that can be seen, figures that can be read, one page."""

import html.parser
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.report.known_results import multi_split, results, single_split
from training.report.drawing import DARK, LIGHT
from training.report.figures import draw, names
from training.report.results import Cost
from training.report.summary import headline, summarize
from training.report.write import write_report

pytestmark = pytest.mark.slow  # which draws every plot

HOSTILE = ["<script>alert(1)</script>", "costs $5 or $6_x", "中文", "a \"quoted\" & 'odd' name"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("version") / "report"
    splits = single_split(classes=4, leaked=0.1), single_split(classes=4, name="validation")
    write_report(results(*splits, labels=HOSTILE), folder=folder)
    return folder


class Page(html.parser.HTMLParser):
    """Collects tags, addresses and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        addresses = {"src", "srcset", "href", "action", "data"}
        self.addresses += [value or "" for name, value in attrs if name in addresses]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_files(folder: Path) -> None:
    plots = ["classes", "confusion", "length", "reliability"]
    expected = [f"{plot}-{split}.png" for plot in plots for split in ("test", "validation")]
    expected += ["learning-loss.png", "learning-score.png", "report.html", "report.json"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(expected)
    assert [path.name for path in folder.parent.iterdir()] == ["report"]


def test_figures_are_the_summary(folder: Path) -> None:
    splits = single_split(classes=4, leaked=0.1), single_split(classes=4, name="validation")
    summary = summarize(results(*splits, labels=HOSTILE))
    assert json.loads((folder / "report.json").read_text(encoding="utf-8")) == summary
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert headline(summary) in page.text


def test_the_page_needs_nothing_else(folder: Path) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert len(page.addresses) == 20  # ten plots, light and dark
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
    assert not {"script", "link", "iframe", "object", "embed"} & set(page.tags)
    assert not re.search(r"url\(|@import|https?:", text)
    assert "default-src 'none'" in text
    assert len(text) < 1_500_000


def test_names_are_text_and_nothing_more(folder: Path) -> None:
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert all(label in page.text for label in HOSTILE)


def test_plots_are_not_blank(folder: Path) -> None:
    for path in folder.glob("*.png"):
        with Image.open(path) as image:
            assert image.width >= 800, path
            assert np.std(np.asarray(image.convert("L"), float)) > 5, path


def test_plots_for_dark_pages_are_dark() -> None:
    summary = summarize(results(single_split()))
    light, dark = (draw(summary, theme=theme) for theme in (LIGHT, DARK))
    assert light.keys() == dark.keys()
    assert brightness(light["length-test"]) > 200
    assert brightness(dark["length-test"]) < 60


def brightness(png: bytes) -> float:
    with Image.open(io.BytesIO(png)) as image:
        return float(np.median(np.asarray(image.convert("L"))))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_colours_differ_from_paper_in_greyscale(theme) -> None:
    from matplotlib.colors import to_rgb

    def light(colour: str) -> float:
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)
        ]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    for colour in (theme.ink, theme.network, theme.other):
        high, low = sorted((light(colour), light(theme.paper)), reverse=True)
        assert (high + 0.05) / (low + 0.05) > 3  # what WCAG 2 asks of graphics


def test_labels_that_no_font_can_write_go_by_number() -> None:
    labels = ["$5 or $6_x", "中文", "a" * 30, "b" * 21]
    split = summarize(results(single_split(classes=4), labels=labels))["splits"][0]
    short = "a" * 10 + "…" + "a" * 10
    assert names(split["classes"]) == ["$5 or $6_x", "label no. 1", short, "b" * 21]


def test_a_report_of_little(tmp_path: Path) -> None:
    """No baseline, no curves, no calibration, no cost, three rows of many labels."""
    split = replace(multi_split(rows=3, classes=2, baseline=None), uncalibrated=None)
    little = results(split, epochs=[], best_epoch=None, cost=Cost())
    write_report(little, folder=tmp_path / "report")
    page = Page((tmp_path / "report" / "report.html").read_text(encoding="utf-8"))
    assert "before calibration" not in page.text
    assert "tokens/s" not in page.text


def test_very_many_labels(tmp_path: Path) -> None:
    summary = write_report(results(single_split(rows=500, classes=120)), folder=tmp_path / "report")
    page = Page((tmp_path / "report" / "report.html").read_text(encoding="utf-8"))
    assert "The 100 labels of least F1 among 120" in page.text
    assert len(summary["splits"][0]["classes"]) == 120
    assert not list((tmp_path / "report").glob("confusion-*"))


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(FileExistsError, match="holds something already"):
        write_report(results(single_split()), folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_report_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError("no room")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="no room"):
        write_report(results(single_split()), folder=tmp_path / "report")
    assert list(tmp_path.iterdir()) == []


def test_times_are_shown_with_what_was_timed(folder: Path) -> None:
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert "to answer a text of 174 tokens, onnx1.20\xa0ms" in page.text.replace("\n", "")
    assert "one text, savedmodel2.60 ms" in page.text
    assert "the median of their lengths is 174 tokens" in page.text
