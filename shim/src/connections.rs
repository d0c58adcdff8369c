//! Connections: taken in, served, and let go, for both wires.
//!
//! ```text
//! accepted, if there is a place -> TLS -> greeting in time (patience.rs) -> HTTP/1 or 2 -> what answers the wire
//! ```

mod activity;
mod patience;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use axum::{BoxError, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::{Service as _, service_fn};

use crate::limits::{Limits, MAX_HEAD_BYTES};
use crate::tls::Certificates;
use activity::Activity;
use patience::Patient;

/// Headers of a request of HTTP/1.
const MAX_HEADERS: usize = 100;
/// Calls at once on one connection of HTTP/2.
const MAX_STREAMS: u32 = 256;
/// Bytes that a call of HTTP/2, and all calls of a connection together, may send before somebody reads them. The protocol's own
/// 64 KiB make a batch of vectors wait for the way there and back a dozen times.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
/// How often connections that say nothing are asked whether they are still there, and how long they have to answer.
const KEEPALIVE: Duration = Duration::from_secs(60);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a connection of HTTP/2 may have no call under way, where callers are many and each comes by itself. Those of HTTP/1 are
/// held to the patience with a head.
const IDLE: Duration = Duration::from_secs(300);
/// How long to wait where the system has no more connections to give.
const PAUSE: Duration = Duration::from_millis(200);

/// What answers the requests of a wire. Every request is answered by a clone.
pub(crate) trait Answers: Clone + Send + Sync + 'static {
    /// The answer to a request.
    fn answer<B>(&self, request: Request<B>) -> impl Future<Output = Response<Body>> + Send
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>;
}

impl Answers for Router {
    async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let answer: Result<Response<Body>, Infallible> = self.clone().call(request).await;
        answer.unwrap_or_else(|never| match never {})
    }
}

/// How connections of a wire are taken in.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    /// What callers may take.
    pub(crate) limits: Limits,
    /// Certificates. Without, everything is in the clear.
    pub(crate) tls: Option<Certificates>,
    /// Whether callers have to speak HTTP/2.
    pub(crate) only_second: bool,
}

/// Answers on a listener until `shutdown` is done; calls that have begun are then finished first.
///
/// # Errors
/// When the listener has no address.
pub(crate) async fn serve(
    listener: TcpListener,
    answers: impl Answers,
    wire: Wire,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(wire.limits.connections.max(1)));
    let (closing, _) = watch::channel(());
    tracing::debug!(address = %listener.local_addr()?, "listening");
    let accepting = async {
        // There is always another place, sooner or later: nobody closes the semaphore.
        while let Ok(place) = places.clone().acquire_owned().await {
            let stream = accept(&listener).await;
            let (answers, wire, closed) = (answers.clone(), wire.clone(), closing.subscribe());
            tokio::spawn(async move {
                if let Err(error) = connection(stream, answers, &wire, closed).await {
                    tracing::debug!(%error, "connection");
                }
                drop(place);
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = shutdown => {}
    }
    // Who comes now is told at once that nobody is here.
    drop(listener);
    let _ = closing.send(());
    closing.closed().await;
    Ok(())
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are written whole: waiting for more of them only delays.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) if is_of_one_caller(&error) => {}
            Err(error) => {
                tracing::error!(%error, "connections cannot be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Whether somebody went away before he was let in.
fn is_of_one_caller(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    [ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted].contains(&error.kind())
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

async fn connection(
    stream: TcpStream,
    answers: impl Answers,
    wire: &Wire,
    mut closed: watch::Receiver<()>,
) -> Result<(), Failed> {
    let patience = wire.limits.patience;
    match &wire.tls {
        None => talk(Patient::new(stream, patience), answers, wire, closed).await,
        Some(certificates) => {
            let shaken = certificates.acceptor(wire.only_second).accept(stream);
            let stream = tokio::select! {
                shaken = tokio::time::timeout(patience, shaken) => shaken??,
                _ = closed.changed() => return Ok(()),
            };
            talk(Patient::new(stream, patience), answers, wire, closed).await
        }
    }
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    answers: impl Answers,
    wire: &Wire,
    mut closed: watch::Receiver<()>,
) -> Result<(), Failed> {
    let mut builder = Builder::new(TokioExecutor::new());
    if wire.only_second {
        builder = builder.http2_only();
    }
    builder
        .http1()
        .timer(TokioTimer::new())
        // Counts from the end of the call before, too: it is how long a connection may be idle.
        .header_read_timeout(wire.limits.patience)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MAX_HEAD_BYTES);
    let activity = Activity::new();
    let counted = activity.clone();
    let answered = service_fn(move |request| {
        let (answers, call) = (answers.clone(), counted.begin());
        async move {
            let answer = answers.answer(request).await;
            drop(call);
            Ok::<_, Infallible>(answer)
        }
    });
    let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(answered));
    let mut served = std::pin::pin!(served);
    tokio::select! {
        outcome = served.as_mut() => return outcome,
        _ = closed.changed() => served.as_mut().graceful_shutdown(),
        // An answer that is still being sent is sent to its end.
        () = activity.idle_for(IDLE), if !wire.only_second => served.as_mut().graceful_shutdown(),
    }
    served.await
}
