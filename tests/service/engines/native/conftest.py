import pytest

from service.engines.native.library import Library, find_library
from service.engines.protocol import EngineUnavailable


@pytest.fixture(scope="session")
def library() -> Library:
    """The library that serves on this machine."""
    try:
        return find_library()
    except EngineUnavailable as error:
        pytest.skip(str(error))
