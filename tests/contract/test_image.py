"""The image holds all code that its packages import."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_package_is_copied_into_both_images() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [line.split()[-2].rstrip("/") for line in lines if line.startswith("COPY")]
    for package, images in (("models", 2), ("service", 2), ("training", 1)):
        folders = [path.parent for path in (ROOT / package).rglob("__init__.py")]
        assert len(folders) > 1
        for folder in folders:
            name = folder.relative_to(ROOT).as_posix()
            parts = {f"{name}/*.py", *(name, *map(str, Path(name).parents))}
            assert sum(place in parts for place in copied) == images, name
