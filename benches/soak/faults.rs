//! All that providers do wrong here.

use crate::manner::Manner;
use crate::step::Step::{
    Answer, Close, Comments, Done, End, Event, Good, GoodAndMore, GoodHalf, GoodHalfChunked, GoodHalfDocument,
    GoodHead, GoodLarge, GoodSlowly, Hang, Huge, HugeStart, Open, Reset, Say, Send, Stop, Wait,
};

/// How a key is rejected.
pub(crate) const KEY: &str =
    r#"{"error":{"message":"Invalid API key","type":"authentication_error","code":"invalid_api_key"}}"#;
const MONEY: &str = r#"{"error":{"message":"Insufficient balance","type":"billing","code":"payment_required"}}"#;
const DENIED: &str = r#"{"error":{"message":"You may not do that","type":"permission_error","code":null}}"#;
const GONE: &str = r#"{"error":{"message":"No such model","type":"invalid_request_error","code":"model_not_found"}}"#;
const LARGE: &str = r#"{"error":{"message":"The request is too large","type":"tokens","code":null}}"#;
const VAGUE: &str = r#"{"error":{"message":"We would rather not","type":null,"code":null}}"#;
const TYPED: &str = r#"{"error":{"message":"n must be 1","type":"invalid_request_error","param":"n","code":null}}"#;
const LIMIT: &str = r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#;
const SICK: &str = r#"{"error":{"message":"Something went wrong","type":"server_error","code":null}}"#;
const BUSY: &str = r#"{"error":{"message":"The engine is overloaded","type":"overloaded_error","code":null}}"#;
const PAGE: &str = "<!doctype html><html><head><title>Hello</title></head><body><h1>It works!</h1></body></html>";
const HTML: &str = "content-type: text/html\r\n";
const SOON: &str = "retry-after: 1\r\n";

/// Every fault, one provider each.
pub(crate) const FAULTS: &[Manner] = &[
    // Statuses.
    Manner::both("s401", &[Answer(401, "", KEY)]).always().keys("dead"),
    Manner::both("s401-one-key", &[Answer(500, "", SICK)]).keys("dead-one, live-two"),
    Manner::both("s402", &[Answer(402, "", MONEY)]).always(),
    Manner::both("s403", &[Answer(403, "", DENIED)]).always(),
    Manner::both("s404", &[Answer(404, "", GONE)]).always(),
    Manner::both("s404-page", &[Answer(404, HTML, PAGE)]).always(),
    Manner::both("s302", &[Answer(302, "location: http://127.0.0.1:9/\r\n", "")]).always(),
    Manner::both("s408", &[Answer(408, "", SICK)]),
    Manner::both("s413", &[Answer(413, "", LARGE)]).blames(),
    Manner::both("s422", &[Answer(422, "", VAGUE)]).blames(),
    Manner::both("s422-typed", &[Answer(422, "", TYPED)]).sure(),
    Manner::both("s429", &[Answer(429, "", LIMIT)]),
    Manner::both("s429-told", &[Answer(429, SOON, LIMIT)]),
    Manner::both("s500", &[Answer(500, "", SICK)]),
    Manner::both("s500-told", &[Answer(500, SOON, SICK)]),
    Manner::both("s502", &[Answer(502, HTML, PAGE)]),
    Manner::both("s503", &[Answer(503, "", BUSY)]),
    Manner::both("s503-told", &[Answer(503, SOON, BUSY)]),
    Manner::both("s529", &[Answer(529, SOON, BUSY)]),
    // Connections.
    Manner::both("refused", &[]).always().absent(),
    Manner::both("hang-up", &[Close]),
    Manner::both("reset", &[Reset]),
    Manner::both("reset-in-head", &[Send("HTTP/1.1 200 OK\r\ncontent-ty"), Wait(5), Reset]),
    Manner::each("reset-in-body", &[GoodHalf, Wait(5), Reset], &[Open, Say, Wait(5), Reset]).breaks().in_rows(),
    Manner::both("no-http", &[Send("SSH-2.0-OpenSSH_9.2\r\n"), Close]),
    Manner::each("closes", &[Good, Close], &[Open, Say, Stop, Done, End, Close]).always(),
    Manner::both("early", &[Answer(503, SOON, BUSY), Close]).early(),
    Manner::both("early-good", &[Good, Close]).early(),
    Manner::both("interim-100", &[Send("HTTP/1.1 100 Continue\r\n\r\n"), Wait(150), Good]),
    Manner::both("interim-103", &[Send("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"), Wait(150), Good]),
    Manner::both("two-answers", &[GoodAndMore]),
    // Silence.
    Manner::both("silent", &[Hang]),
    Manner::each("silent-after-head", &[GoodHead, Hang], &[Open, Hang]),
    Manner::each("silent-midway", &[GoodHalf, Hang], &[Open, Say, Say, Hang]).breaks().in_rows(),
    Manner::each("trickles", &[GoodSlowly(4)], &[Open, Comments(20, 5), Say, Wait(100), Say, Stop, Done, End]),
    Manner::each("trickles-on", &[GoodSlowly(300)], &[Open, Comments(100, 50)]),
    // Bodies.
    Manner::each("cut", &[GoodHalf, Close], &[Open, Say, Close]).breaks().in_rows(),
    Manner::each("cut-chunked", &[GoodHalfChunked, Close], &[Open, Event("data: {\"choi"), Close]),
    Manner::each("half-document", &[GoodHalfDocument], &[Open, Event("data: {\"choices\":[{\"del\n\n"), End]),
    Manner::both("wrong-shape", &[Answer(200, "", r#"{"hello":["world",{"a":null}],"choices":"none"}"#)]),
    Manner::both("page", &[Answer(200, HTML, PAGE)]),
    Manner::both("empty", &[Answer(200, "", "")]),
    Manner::both("bodiless", &[Send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"), Close]),
    Manner::both("compressed", &[Answer(200, "content-encoding: gzip\r\n", "\x1f\x0b\x08 and so on")]),
    Manner::each("error-in-200", &[Answer(200, "", SICK)], &[Answer(200, "", SICK)]),
    Manner::each("limit-in-200", &[Answer(200, "", LIMIT)], &[Open, Event(LIMITED), End]),
    Manner::each("large", &[GoodLarge(1_200)], &[Open, Huge(900), Stop, Done, End]),
    // Streams.
    Manner::streams("error-first", &[Open, Event(FAILED), End]),
    Manner::streams("error-later", &[Open, Say, Wait(5), Say, Event(FAILED), End]).breaks().in_rows(),
    Manner::streams("error-event", &[Open, Say, Event(NAMED), End]).breaks(),
    Manner::streams("no-done", &[Open, Say, Say, Stop, End]),
    Manner::streams("no-finish", &[Open, Say, Wait(5), Say, End]).breaks(),
    Manner::streams("garbage", &[Open, Say, Event("data: }{ no JSON \u{fffd}\n\n"), Say, Stop, Done, End]),
    Manner::streams("bad-chunk", &[Open, Say, Wait(5), Send("xyz\r\nwhat\r\n"), Close]).breaks(),
    Manner::streams("huge", &[Open, Huge(1_100), Stop, Done, End]),
    Manner::streams("huge-later", &[Open, Say, Wait(5), Huge(1_100), Say, Stop, Done, End]),
    Manner::streams("huge-cut", &[Open, Say, HugeStart(1_100), Close]).breaks(),
    Manner::streams("nothing", &[Open, Done, End]),
    Manner::streams("no-stream", &[Good]),
];

const FAILED: &str =
    "data: {\"error\":{\"message\":\"Something went wrong\",\"type\":\"server_error\",\"code\":500}}\n\n";
const LIMITED: &str = "data: {\"error\":{\"message\":\"Rate limit reached\",\"code\":\"rate_limit_exceeded\"}}\n\n";
const NAMED: &str = "event: error\ndata: {\"message\":\"Something went wrong\"}\n\n";
