"""What the document cannot say, so that schemathesis does not take it for right: relations between parameters."""

import schemathesis
from schemathesis import GenerationMode


@schemathesis.hook
def before_call(context, case, kwargs):
    """`range` goes with neither `from` nor `to`, `from` lies before `to`, a series is of one thing, and a file has no
    pages. All of it is refused with words of its own, which is tested elsewhere; of questions that mean to be wrong nothing
    is changed."""
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    complete(case)
    query = case.query
    if not query:
        return
    if query.get("range"):
        query.pop("from", None)
        query.pop("to", None)
    elif query.get("from"):
        query.pop("to", None)
    if query.get("format") in ("csv", "jsonl"):
        query.pop("limit", None)
        query.pop("before", None)
    for name in [name for name in ("chain", "provider", "entry", "client") if query.get(name)][1:]:
        if case.operation.path == "/v1/stats/series":
            query.pop(name)


def complete(case):
    """A cooldown is ended of an entry or of a provider; a change names its revision in the head or in the body."""
    path, body = case.operation.path, case.body
    if path == "/v1/admin/entries/thaw" and isinstance(body, dict):
        if (body.get("entry") is None) == (body.get("provider") is None):
            body.pop("provider", None)
            body["entry"] = "x/y"
    elif path.startswith("/v1/admin/") and (case.method in ("PUT", "PATCH", "DELETE") or path == "/v1/admin/restore"):
        case.headers = {**(case.headers or {}), "If-Match": "0" * 16}
