use std::future::poll_fn;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

const REQUEST: &[u8] = b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A channel whose request has arrived, and the provider's end.
async fn asked(room: usize) -> (Channel<DuplexStream>, DuplexStream) {
    let (ours, mut theirs) = duplex(room);
    let mut channel = Channel::new(ours);
    channel.write_all(REQUEST).await.unwrap();
    let mut request = vec![0; REQUEST.len()];
    theirs.read_exact(&mut request).await.unwrap();
    assert_eq!(request, REQUEST);
    (channel, theirs)
}

/// What is read of an answer that arrives in these parts, until the provider closes.
async fn read(parts: &[&[u8]]) -> Vec<u8> {
    let (mut channel, mut theirs) = asked(1 << 20).await;
    let mut seen = Vec::new();
    for part in parts {
        theirs.write_all(part).await.unwrap();
        // Whatever can be read is read before the next part comes.
        let mut piece = [0; 64];
        let mut buf = ReadBuf::new(&mut piece);
        while poll_fn(|cx| {
            buf.clear();
            Poll::Ready(Pin::new(&mut channel).poll_read(cx, &mut buf))
        })
        .await
        .is_ready()
        {
            seen.extend_from_slice(buf.filled());
        }
    }
    drop(theirs);
    channel.read_to_end(&mut seen).await.unwrap();
    seen
}

#[actix_rt::test]
async fn an_ordinary_answer_is_passed_on_as_it_is_however_it_is_cut() {
    for cut in 1..OK.len() {
        let (left, right) = OK.split_at(cut);
        assert_eq!(read(&[left, right]).await, OK, "{cut}");
    }
}

#[actix_rt::test]
async fn interim_answers_are_left_out_however_they_are_cut() {
    let all = [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", OK].concat();
    for cut in 1..all.len() {
        let (left, right) = all.split_at(cut);
        assert_eq!(read(&[left, right]).await, OK, "{cut}");
    }
}

#[actix_rt::test]
async fn an_answer_that_ends_with_the_connection_is_one_of_http_1_0() {
    let endless = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: x\n\ndata: y\n\n";
    let seen = b"HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: x\n\ndata: y\n\n";
    for cut in 1..endless.len() {
        let (left, right) = endless.split_at(cut);
        assert_eq!(read(&[left, right]).await, seen, "{cut}");
    }
}

#[actix_rt::test]
async fn what_is_no_http_is_for_others_to_judge() {
    for odd in [&b"hello\r\n\r\n"[..], b"\0\0"] {
        assert_eq!(read(&[odd]).await, odd);
    }
    let long = [&b"HTTP/1.1 200 OK\r\nx: "[..], &vec![b'x'; MAX_HEAD + PIECE]].concat();
    assert_eq!(read(&[&long]).await, long);
}

/// The provider has begun to answer: nobody may take the connection for one that had been closed before.
#[actix_rt::test]
async fn half_a_head_is_told_from_none() {
    let (mut channel, theirs) = asked(1 << 20).await;
    drop(theirs);
    assert_eq!(channel.read(&mut [0; 8]).await.unwrap(), 0);
    for half in [&b"H"[..], b"HTTP/1.1", b"HTTP/1.1 200 OK\r\nx: y\r\n", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 2"] {
        let (mut channel, mut theirs) = asked(1 << 20).await;
        theirs.write_all(half).await.unwrap();
        drop(theirs);
        let fault = channel.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(fault.kind(), io::ErrorKind::UnexpectedEof);
    }
}

/// The second request on a connection is told from the rest of the first.
#[actix_rt::test]
async fn a_connection_serves_one_request_after_another() {
    let (mut channel, mut theirs) = asked(1 << 20).await;
    for _ in 0..3 {
        theirs.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        theirs.write_all(OK).await.unwrap();
        let mut answer = vec![0; OK.len()];
        channel.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, OK);
        channel.write_all(REQUEST).await.unwrap();
        let mut request = vec![0; REQUEST.len()];
        theirs.read_exact(&mut request).await.unwrap();
    }
}

/// A provider that refuses a long request while it is being sent, and reads no more of it.
#[actix_rt::test]
async fn an_early_answer_ends_the_sending_and_is_read() {
    let (ours, mut theirs) = duplex(256);
    let mut channel = Channel::new(ours);
    let refusing = async {
        let mut start = [0; 100];
        theirs.read_exact(&mut start).await.unwrap();
        theirs.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno").await.unwrap();
        theirs
    };
    let sending = async { channel.write_all(&vec![b'x'; 1 << 20]).await };
    let (theirs, sent) = tokio::join!(refusing, sending);
    sent.unwrap();
    channel.flush().await.unwrap();
    drop(theirs);
    let mut answer = Vec::new();
    channel.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno");
}

/// TLS takes what it is given, and has not sent all of it when nothing more is to be written.
#[actix_rt::test]
async fn an_early_answer_is_seen_while_the_last_of_a_request_is_flushed() {
    let (ours, mut theirs) = duplex(256);
    let mut channel = Channel::new(tokio::io::BufWriter::with_capacity(4_096, ours));
    channel.write_all(&[b'x'; 2_000]).await.unwrap();
    let refusing = async {
        let mut start = [0; 100];
        theirs.read_exact(&mut start).await.unwrap();
        theirs.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno").await.unwrap();
        theirs
    };
    let (_theirs, flushed) = tokio::join!(refusing, channel.flush());
    flushed.unwrap();
    let mut answer = [0; 64];
    let read = channel.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 413 Too Large\r\nconnection: close\r\n"));
}

#[actix_rt::test]
async fn a_provider_that_hangs_up_while_it_is_sent_a_request_has_given_no_answer() {
    let (ours, theirs) = duplex(256);
    let mut channel = Channel::new(ours);
    let (sent, ()) = tokio::join!(channel.write_all(&[b'x'; 4096]), async { drop(theirs) });
    sent.unwrap();
    let mut answer = Vec::new();
    assert_eq!(channel.read_to_end(&mut answer).await.unwrap_or_default(), 0);
}

#[actix_rt::test]
async fn an_answer_that_comes_before_the_request_is_not_taken_for_one_to_it() {
    let (ours, mut theirs) = duplex(1 << 20);
    let mut channel = Channel::new(ours);
    theirs.write_all(OK).await.unwrap();
    let fault = channel.write_all(REQUEST).await.unwrap_err();
    assert!(fault.to_string().contains("before the request"), "{fault}");

    let (mut channel, mut theirs) = asked(1 << 20).await;
    theirs.write_all(OK).await.unwrap();
    let mut answer = vec![0; OK.len()];
    channel.read_exact(&mut answer).await.unwrap();
    drop(theirs);
    let fault = channel.write_all(REQUEST).await.unwrap_err();
    assert!(fault.to_string().contains("closed"), "{fault}");
}
