"""The promise: a limited entry is the proxy's business and never the client's."""

import asyncio

import openai


async def ask_all(proxy, model, messages, count):
    async with openai.AsyncOpenAI(base_url=proxy.base_url, api_key=proxy.key, max_retries=0) as client:
        asked = (client.chat.completions.with_raw_response.create(model=model, messages=messages) for _ in range(count))
        return await asyncio.gather(*asked)


def test_twenty_at_once_pass_a_limited_entry(served, upstream, hello):
    answers = asyncio.run(ask_all(served, "crowd", hello, 20))
    assert {answer.headers["x-429chain-provider"] for answer in answers} == {"steady/small"}
    met = upstream.calls["limited", "crowded"]
    assert met >= 1
    asyncio.run(ask_all(served, "crowd", hello, 20))
    assert upstream.calls["limited", "crowded"] == met, "a cooling entry was called"


def test_twenty_at_once_are_served_by_the_demo(demo, chain, hello):
    answers = asyncio.run(ask_all(demo, chain, hello, 20))
    assert all(answer.parse().choices[0].message.content for answer in answers)
    assert len({answer.headers["x-request-id"] for answer in answers}) == 20


def test_a_limited_entry_is_tried_once_and_then_left_alone(client, upstream, hello):
    attempts = []
    for _ in range(3):
        raw = client.chat.completions.with_raw_response.create(model="failover", messages=hello)
        assert raw.headers["x-429chain-provider"] == "steady/small"
        assert raw.headers["x-429chain-chain"] == "failover"
        attempts.append(raw.headers["x-429chain-attempts"])
    assert attempts == ["2", "1", "1"]
    assert upstream.calls["limited", "small"] == 1
