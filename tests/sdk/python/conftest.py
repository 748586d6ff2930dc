"""Two proxies for the whole run: the demo with its simulated providers, and one in front of a scripted upstream.

Every client has `max_retries=0`: a retry of the SDK would hide exactly the failures that the proxy promises to prevent.
"""

import openai
import pytest

from proxy import Proxy
from upstream import Upstream


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    proxy = Proxy.demo(tmp_path_factory.mktemp("demo"))
    yield proxy
    proxy.stop()


@pytest.fixture(scope="session")
def demo_client(demo):
    with openai.OpenAI(base_url=demo.base_url, api_key=demo.key, max_retries=0) as client:
        yield client


@pytest.fixture(scope="session")
def chain(demo_client):
    """The demo's first chain."""
    return next(model.id for model in demo_client.models.list() if model.owned_by == "429chain")


@pytest.fixture(scope="session")
def upstream():
    server = Upstream()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def served(upstream, tmp_path_factory):
    proxy = Proxy.serve(upstream.url, tmp_path_factory.mktemp("served"))
    yield proxy
    proxy.stop()


@pytest.fixture(scope="session")
def client(served):
    with openai.OpenAI(base_url=served.base_url, api_key=served.key, max_retries=0) as client:
        yield client


@pytest.fixture
def hello():
    return [{"role": "user", "content": "Schöne Grüße, 世界 👋"}]
