"""`GET /v1/models`: chains first, then every entry; each id selects what it names."""


def test_the_list_has_every_chain_before_every_entry(client):
    models = list(client.models.list())
    chains = [model.id for model in models if model.owned_by == "429chain"]
    assert chains == ["default", "crowd", "failover", "exhausted", "refused", "unprocessable", "torn", "vectors"]
    assert [model.id for model in models[: len(chains)]] == chains
    entries = {model.id for model in models[len(chains) :]}
    assert {"steady/small", "limited/crowded", "dry/large"} <= entries


def test_a_chain_and_an_entry_can_be_retrieved(client):
    assert client.models.retrieve("crowd").id == "crowd"
    # The SDK sends the slash as %2F.
    assert client.models.retrieve("steady/small").id == "steady/small"


def test_every_id_of_the_demo_can_be_retrieved(demo_client):
    for model in demo_client.models.list():
        assert demo_client.models.retrieve(model.id).id == model.id


def test_an_entry_of_the_list_can_be_asked(client, hello):
    answer = client.chat.completions.with_raw_response.create(model="steady/small", messages=hello)
    assert answer.headers["x-429chain-provider"] == "steady/small"
