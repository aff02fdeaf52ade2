"""The images hold all code that their packages import, and the compiled engine."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGES = {"service": ("models", "service"), "training": ("models", "service", "training")}
COMPILED = "service/engines/native/compiled"


def read_stages() -> dict[str, list[list[str]]]:
    """Return the words of each line of the Dockerfile, by stage."""
    stages: dict[str, list[list[str]]] = {}
    lines: list[list[str]] = []  # those before the first stage go nowhere
    for words in map(str.split, (ROOT / "Dockerfile").read_text().splitlines()):
        if words[:1] == ["FROM"]:
            lines = stages[words[-1]] = []
        lines.append(words)
    return stages


def test_every_package_is_copied_into_its_images() -> None:
    stages = read_stages()
    for image, packages in IMAGES.items():
        copied = [words[-2].rstrip("/") for words in stages[image] if words[:1] == ["COPY"]]
        for package in packages:
            folders = [path.parent for path in (ROOT / package).rglob("__init__.py")]
            assert len(folders) > 1
            for folder in folders:
                name = folder.relative_to(ROOT).as_posix()
                parts = {f"{name}/*.py", name, *map(str, Path(name).parents)}
                assert sum(place in parts for place in copied) == 1, (image, name)


def test_images_take_the_native_engine_without_its_compiler() -> None:
    stages = read_stages()
    copied = ["COPY", "--from=native", f"/app/{COMPILED}/", f"{COMPILED}/"]
    assert ["RUN", "python", "-m", "service.engines.native"] in stages["native"]
    for image in IMAGES:
        assert copied in stages[image]
        assert ["FROM", "base", "AS", image] in stages[image]
        assert not any("apt-get" in words for words in stages[image] + stages["base"])
    # What a checkout has compiled may not run in an image.
    assert f"{COMPILED}/" in (ROOT / ".dockerignore").read_text().splitlines()


def test_the_address_to_listen_on_is_seen_by_whoever_runs_something_in_a_container() -> None:
    service = read_stages()["service"]
    assert ["ENV", "GATEWISE_HOST=0.0.0.0"] in service
    *_, command = (words for words in service if words[:1] == ["CMD"])  # after the health check's
    assert command == ["CMD", '["python",', '"-m",', '"service"]']
