from __future__ import annotations

import botocore.session
import pytest

from providers.wire.bedrock_errors import USUAL, WORDS, error_type

MODEL = botocore.session.get_session().get_service_model("bedrock-runtime")
SHAPES = {shape.name: shape for shape in MODEL.error_shapes}
# Not in the service's model, but what stands before the service.
OF_THE_DOOR = {
    "ExpiredTokenException", "InvalidSignatureException", "MissingAuthenticationTokenException",
    "RequestEntityTooLargeException", "UnrecognizedClientException",
}  # fmt: skip


def test_every_type_the_service_s_model_names_has_its_words() -> None:
    assert set(SHAPES) <= set(WORDS)
    assert set(WORDS) - set(SHAPES) == OF_THE_DOOR


@pytest.mark.parametrize("status", [400, 403, 404, 408, 424, 429, 500, 503])
def test_the_usual_type_of_a_status_has_that_status_in_the_service_s_model(status: int) -> None:
    type, words = USUAL[status]
    assert SHAPES[type].metadata["error"]["httpStatusCode"] == status
    assert WORDS[type] == words


def test_the_header_names_the_type_and_where_it_comes_from() -> None:
    assert error_type("ThrottlingException") == (
        b"ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"
    )
    door = b"http://internal.amazon.com/coral/com.amazon.coral.service/"
    assert error_type("ExpiredTokenException") == b"ExpiredTokenException:" + door
    assert error_type("AccessDeniedException", is_of_the_door=True) == b"AccessDeniedException:" + door


def test_a_name_that_fits_no_header_loses_what_does_not_fit() -> None:
    assert error_type("No\r\nSuch: Ü").startswith(b"NoSuch::http")
