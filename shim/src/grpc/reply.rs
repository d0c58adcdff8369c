//! Answers of one message, on the wire: headers, the message behind its head, and the status behind that.
//!
//! As gRPC over HTTP/2 has it (`PROTOCOL-HTTP2.md` of gRPC): the head is whether the message is packed, and its length.

use std::convert::Infallible;
use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use http_body::Frame;
use prost::Message;
use prost::bytes::{BufMut as _, BytesMut};
use tonic::Status;

use super::intake::HEAD;
use crate::limits::PACKET;

/// Bytes of a message that takes so long to pack that other connections must not wait for it.
const PACKED_ELSEWHERE: usize = 32 << 10;

const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GZIP: &str = "gzip";

/// Whether messages are sent as they are, or packed as the services know.
pub(super) fn is_known_encoding(headers: &HeaderMap) -> bool {
    let encoding = headers.get(ENCODING).map(HeaderValue::as_bytes);
    encoding.is_none_or(|encoding| [GZIP.as_bytes(), b"identity"].contains(&encoding))
}

/// Whether a caller reads packed answers.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.split(',').any(|one| one.trim() == GZIP))
}

/// A message behind its head, as it is.
pub(super) fn frame(message: &impl Message) -> Result<Bytes, Status> {
    let len = message.encoded_len();
    let mut frame = BytesMut::with_capacity(HEAD + len);
    put_head(&mut frame, false, len)?;
    message
        .encode(&mut frame)
        .map_err(|error| Status::internal(error.to_string()))?;
    Ok(frame.freeze())
}

fn put_head(frame: &mut BytesMut, packed: bool, len: usize) -> Result<(), Status> {
    let len = u32::try_from(len).map_err(|_| {
        Status::resource_exhausted("the answer is larger than a message can be: ask for less")
    })?;
    frame.put_u8(packed.into());
    frame.put_u32(len);
    Ok(())
}

/// The answer that a message is, packed for who takes that where it is worth it.
pub(super) async fn with(frame: Bytes, packs: bool) -> Result<Response<Body>, Status> {
    let (frame, encoding) = if packs && frame.len() >= PACKET.into() {
        (pack(frame).await?, Some(HeaderValue::from_static(GZIP)))
    } else {
        (frame, None)
    };
    let mut response = Response::new(Body::new(Unary {
        message: Some(frame),
        is_over: false,
    }));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    if let Some(encoding) = encoding {
        headers.insert(ENCODING, encoding);
    }
    Ok(response)
}

async fn pack(frame: Bytes) -> Result<Bytes, Status> {
    let failed = || Status::internal("the answer could not be packed");
    if frame.len() < PACKED_ELSEWHERE {
        return packed(&frame).ok_or_else(failed);
    }
    let packed = tokio::task::spawn_blocking(move || packed(&frame)).await;
    packed.ok().flatten().ok_or_else(failed)
}

fn packed(frame: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(frame.get(HEAD..)?).ok()?;
    let message = encoder.finish().ok()?;
    let mut frame = BytesMut::with_capacity(HEAD + message.len());
    put_head(&mut frame, true, message.len()).ok()?;
    frame.extend_from_slice(&message);
    Some(frame.freeze())
}

/// A message and, behind it, that all went well.
struct Unary {
    message: Option<Bytes>,
    is_over: bool,
}

impl HttpBody for Unary {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(message) = self.message.take() {
            return Poll::Ready(Some(Ok(Frame::data(message))));
        }
        if self.is_over {
            return Poll::Ready(None);
        }
        self.is_over = true;
        let status = (Status::GRPC_STATUS, HeaderValue::from_static("0"));
        Poll::Ready(Some(Ok(Frame::trailers(HeaderMap::from_iter([status])))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use qdrant_client::qdrant::CollectionExists;

    use super::*;

    /// The parts of a body, one after the other.
    async fn frames(response: Response<Body>) -> Vec<Frame<Bytes>> {
        let mut body = response.into_body();
        let mut frames = Vec::new();
        while !body.is_end_stream() {
            let next = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
            frames.extend(next.await.map(Result::unwrap));
        }
        frames
    }

    #[tokio::test]
    async fn an_answer_is_a_message_and_a_status() {
        let sent = frame(&CollectionExists { exists: true }).unwrap();
        assert_eq!(*sent, [0, 0, 0, 0, 2, 8, 1]);
        let response = with(sent.clone(), true).await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/grpc");
        assert!(!response.headers().contains_key(ENCODING));
        let frames = frames(response).await;
        assert_eq!(frames.len(), 2);
        assert_eq!(frames[0].data_ref(), Some(&sent));
        assert_eq!(frames[1].trailers_ref().unwrap()["grpc-status"], "0");
    }

    #[tokio::test]
    async fn only_long_answers_are_packed_and_only_for_who_takes_that() {
        for len in [usize::from(PACKET), PACKED_ELSEWHERE] {
            let long = Bytes::from([&[0, 0, 0, 0, 0], vec![7; len].as_slice()].concat());
            assert_eq!(
                frames(with(long.clone(), false).await.unwrap()).await[0].data_ref(),
                Some(&long)
            );
            let response = with(long.clone(), true).await.unwrap();
            assert_eq!(response.headers()[ENCODING], "gzip");
            let frames = frames(response).await;
            let packed = frames[0].data_ref().unwrap();
            assert!(packed[0] == 1 && packed.len() < len);
            let mut message = Vec::new();
            GzDecoder::new(&packed[HEAD..]).read_to_end(&mut message).unwrap();
            assert_eq!(message, long[HEAD..]);
        }
    }

    #[test]
    fn who_takes_gzip_says_so() {
        let of = |value: &'static str| {
            takes_gzip(&HeaderMap::from_iter([(
                ACCEPT_ENCODING,
                HeaderValue::from_static(value),
            )]))
        };
        assert!(of("gzip") && of("identity, deflate, gzip"));
        assert!(!of("identity") && !of("gzipped") && !takes_gzip(&HeaderMap::new()));
    }
}
