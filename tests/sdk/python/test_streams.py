"""Streams: every chunk arrives, usage comes when asked for and only then, a cut is never a clean end."""

import openai
import pytest

from upstream import TEXT


def text(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def finishes(chunks):
    return [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]


def test_chunks_arrive_in_order(client, hello):
    chunks = list(client.chat.completions.create(model="default", messages=hello, stream=True))
    assert text(chunks) == "".join(TEXT)
    assert finishes(chunks) == ["stop"]


@pytest.mark.parametrize("asked", [True, False])
def test_usage_comes_once_when_asked_for_and_else_never(client, demo_client, chain, hello, asked):
    options = {"stream_options": {"include_usage": True}} if asked else {}
    for proxy, model in [(client, "default"), (demo_client, chain), (demo_client, chain), (demo_client, chain)]:
        chunks = list(proxy.chat.completions.create(model=model, messages=hello, stream=True, **options))
        with_usage = [chunk for chunk in chunks if chunk.usage]
        assert len(with_usage) == int(asked)
        assert all(chunk.usage.total_tokens > 0 and not chunk.choices for chunk in with_usage)
        assert text(chunks) and finishes(chunks) == ["stop"]


def test_the_proxy_asks_for_the_usage_that_the_client_did_not_want(client, upstream, hello):
    list(client.chat.completions.create(model="default", messages=hello, stream=True))
    provider, body = upstream.bodies[-1]
    assert provider == "steady"
    assert body["stream_options"] == {"include_usage": True}


def test_a_stream_moves_past_a_limited_entry(client, hello):
    with client.chat.completions.with_streaming_response.create(model="crowd", messages=hello, stream=True) as answer:
        assert answer.headers["x-429chain-provider"] == "steady/small"
        assert text(answer.parse()) == "".join(TEXT)


def test_a_cut_stream_raises_while_it_is_read(client, hello):
    stream = client.chat.completions.create(model="torn", messages=hello, stream=True)
    read = []
    with pytest.raises(openai.APIError):
        for chunk in stream:
            read.append(chunk)
    assert text(read) == "".join(TEXT[:2])
    assert finishes(read) == []
