"""Every error of the core has a status, and one body whatever it is."""

import json

import pytest

from service import errors
from service.errors import Invalid, NoRule, Overloaded, ServiceError
from service.web.errors import STATUSES, answer_error, status_of


def kinds(base: type[ServiceError]) -> list[type[ServiceError]]:
    return [base, *(kind for each in base.__subclasses__() for kind in kinds(each))]


def test_every_error_has_a_status() -> None:
    own = [kind for kind in kinds(ServiceError) if kind.__module__ == errors.__name__]
    assert len(own) > 10
    for kind in own:
        if kind is not ServiceError:
            assert any(base in STATUSES for base in kind.__mro__), kind
            assert kind.type != ServiceError.type or kind.__subclasses__(), kind


def test_an_error_takes_the_status_of_what_it_derives_from() -> None:
    assert status_of(NoRule("toy:1")) == 409
    assert status_of(ServiceError("who knows")) == 500


def test_waiting_is_told_in_header_and_body() -> None:
    answer = answer_error(Overloaded("too much", retry_after=3), scope={})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    told = {"type": "overloaded", "message": "too much", "retry_after": 3}
    assert json.loads(bytes(answer.body)) == {"error": told}


@pytest.mark.parametrize("field", ["text", None])
def test_a_field_is_named_where_one_is_to_blame(field: str | None) -> None:
    answer = answer_error(Invalid("no", field=field), scope={})
    assert "retry-after" not in answer.headers
    assert json.loads(bytes(answer.body))["error"].get("field") == field
