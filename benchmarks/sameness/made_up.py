"""Makes up data for small trainings; none of it is from a dataset."""

import csv
import json
import random
from pathlib import Path

FILLER = ["the", "plot", "was", "an", "evening", "with", "actors", "and", "music", "it", "long"]
SIGNS = {"like": ["lovely", "superb", "great"], "dislike": ["dull", "awful", "boring"]}
TAGS = {"food": "soup", "price": "expensive", "staff": "waiter"}
MISTAKEN = 0.15  # share of labels, so that no figure is a round one


def write_reviews(folder: Path, *, rows: int = 220) -> Path:
    """Write a folder with train.csv and test.csv; a few words mostly decide the label."""
    folder.mkdir()
    for split, count, seed in (("train", rows, 0), ("test", rows // 3, 1)):
        draw = random.Random(seed)
        with (folder / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            for _ in range(count):
                label = draw.choice(sorted(SIGNS))
                text = _write_text(draw, [draw.choice(SIGNS[label])])
                given = draw.choice(sorted(SIGNS)) if draw.random() < MISTAKEN else label
                writer.writerow([text, given])
    return folder


def write_tags(path: Path, *, rows: int = 220) -> Path:
    """Write messages with zero to three tags, as JSON lines."""
    draw = random.Random(2)
    lines = []
    for _ in range(rows):
        tags = [tag for tag in TAGS if draw.random() < 0.4]
        text = _write_text(draw, [TAGS[tag] for tag in tags if draw.random() > MISTAKEN])
        lines.append(json.dumps({"text": text, "labels": tags}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_unlabeled(path: Path, *, rows: int = 200) -> Path:
    """Write texts of the same kind without labels."""
    draw = random.Random(3)
    signs = sorted(sign for signs in SIGNS.values() for sign in signs)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text"])
        writer.writerows([_write_text(draw, [draw.choice(signs)])] for _ in range(rows))
    return path


def _write_text(draw: random.Random, signs: list[str]) -> str:
    words = [*draw.choices(FILLER, k=draw.randint(3, 30)), *signs]
    draw.shuffle(words)
    return " ".join(words)
