"""Answers that do not stream: words, documents, vectors, and the headers that say who gave them."""

from pydantic import BaseModel


class Place(BaseModel):
    city: str
    population: int
    rivers: list[str]
    coastal: bool


def test_the_demo_answers_in_words(demo_client, chain, hello):
    answer = demo_client.chat.completions.create(model=chain, messages=hello)
    assert answer.object == "chat.completion"
    assert answer.choices[0].finish_reason == "stop"
    assert "Schöne Grüße, 世界 👋" in answer.choices[0].message.content
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_the_demo_answers_with_a_document_of_the_clients_schema(demo_client, chain, hello):
    answer = demo_client.chat.completions.parse(model=chain, messages=hello, response_format=Place)
    assert isinstance(answer.choices[0].message.parsed, Place)


def test_headers_say_who_answered(demo_client, chain, hello):
    raw = demo_client.chat.completions.with_raw_response.create(model=chain, messages=hello)
    provider, _, model = raw.headers["x-429chain-provider"].partition("/")
    assert provider and model
    assert int(raw.headers["x-429chain-attempts"]) >= 1
    assert raw.headers["x-429chain-chain"] == chain
    assert raw.headers["x-request-id"]
    assert raw.parse().choices[0].message.content


def test_embeddings_walk_their_chain(client):
    raw = client.embeddings.with_raw_response.create(model="vectors", input=["eins", "zwei"])
    assert [entry.embedding for entry in raw.parse().data] == [[0.5, -0.5, 0.25]] * 2
    assert raw.headers["x-429chain-provider"] == "steady/vectors"
