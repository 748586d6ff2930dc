"""Each error arrives as the SDK's own exception for it."""

import openai
import pytest


def refusal(kind, client, **request):
    with pytest.raises(kind) as raised:
        client.chat.completions.create(**request)
    return raised.value


def test_a_wrong_key_is_an_authentication_error(served, hello):
    with openai.OpenAI(base_url=served.base_url, api_key="wrong", max_retries=0) as stranger:
        error = refusal(openai.AuthenticationError, stranger, model="default", messages=hello)
    assert (error.status_code, error.code) == (401, "invalid_api_key")


def test_no_messages_is_a_bad_request(demo_client, chain):
    error = refusal(openai.BadRequestError, demo_client, model=chain, messages=[])
    assert error.status_code == 400


def test_a_model_that_is_not_there_is_not_found(client, hello):
    error = refusal(openai.NotFoundError, client, model="no-such-model", messages=hello)
    assert (error.status_code, error.code) == (404, "model_not_found")


def test_a_body_beyond_the_cap_is_too_large(client):
    messages = [{"role": "user", "content": "x" * 100_000}]
    error = refusal(openai.APIStatusError, client, model="default", messages=messages)
    assert (error.status_code, error.code) == (413, "request_too_large")


@pytest.mark.parametrize("stream", [False, True])
def test_an_exhausted_chain_says_when_to_come_back(client, hello, stream):
    error = refusal(openai.InternalServerError, client, model="exhausted", messages=hello, stream=stream)
    assert (error.status_code, error.code) == (503, "all_providers_exhausted")
    assert 1 <= int(error.response.headers["retry-after"]) <= 60
    assert "dry/small" in error.message and "dry/large" in error.message
    assert error.body["trail"]


def test_a_providers_own_400_comes_back_as_it_came(client, hello):
    error = refusal(openai.BadRequestError, client, model="refused", messages=hello)
    assert error.body["message"] == "'top_p' must lie between 0 and 1"


def test_a_providers_own_422_comes_back_as_it_came(client, hello):
    error = refusal(openai.UnprocessableEntityError, client, model="unprocessable", messages=hello)
    assert error.body["message"] == "'messages[0].content' has the wrong type"
