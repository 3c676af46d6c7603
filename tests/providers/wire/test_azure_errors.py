"""The words and the heads of Azure OpenAI's refusals."""

from __future__ import annotations

import pytest

from providers.wire.azure_errors import reply_head, usual


@pytest.mark.parametrize("status", range(400, 600))
def test_something_is_said_with_every_status(status: int) -> None:
    code, message = usual(status)
    assert code
    assert message


def test_a_head_names_the_deployment_only_if_a_header_can_hold_its_name() -> None:
    request_id = "01997a00-0000-7000-8000-00000000abcd"
    assert dict(reply_head(request_id, "ducks"))[b"x-ms-deployment-name"] == b"ducks"
    assert dict(reply_head(request_id, "ducks"))[b"apim-request-id"] == request_id.encode()
    for name in (None, "enten\r\n", "\u00e4hnlich"):
        assert b"x-ms-deployment-name" not in dict(reply_head(request_id, name))
