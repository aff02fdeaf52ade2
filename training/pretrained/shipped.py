"""The English networks that are shipped."""

from pathlib import Path
from typing import Any

from models.tokenizer import Tokenizer
from training.console import console
from training.errors import TrainingError
from training.pretrained.files import TOKENIZER, path_of, read_pretrained
from training.pretrained.network import Pretrained
from training.settings import SHAPE, TrainSettings

FOLDER = Path(__file__).parent / "english"


def read_tokenizer() -> Tokenizer:
    """Return the vocabulary of the shipped networks, which all cells share."""
    return Tokenizer.load(FOLDER / TOKENIZER)


def find_offer(settings: TrainSettings) -> Pretrained | None:
    """Return the shipped network, if a training with these settings may start from it.

    Raises:
        TrainingError: It is asked for, and there is none of this shape; or its files are broken.
    """
    if settings.pretrained is False:
        return None
    shape = {name: getattr(settings.network, name) for name in SHAPE}
    found = find_shipped(shape)
    told = ", ".join(f"{name} {value}" for name, value in shape.items())
    if found is None and settings.pretrained:
        raise TrainingError(f"--pretrained: no network is shipped with {told}")
    if found is None:
        console.print(f"note: no pretrained network is shipped with {told}")
    return found


def find_shipped(shape: dict[str, Any]) -> Pretrained | None:
    """Return the shipped network of this shape; None where there is none.

    Raises:
        TrainingError: Its files are broken.
    """
    if not path_of(FOLDER, shape["cell"]).is_file():
        return None
    network = read_pretrained(FOLDER, cell=shape["cell"])
    return network if network.fits(shape) else None
