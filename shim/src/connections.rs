//! Connections: taken in, served, and let go, for both wires.
//!
//! ```text
//! accepted, if there is a place -> TLS -> greeting in time (patience.rs) -> HTTP/1 or 2 -> the router of a wire
//! ```

mod patience;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::{Service as _, service_fn};

use crate::limits::{Limits, MAX_HEAD_BYTES};
use crate::tls::Certificates;
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

/// Serves a router on a listener until `shutdown` is done; calls that have begun are then finished first.
///
/// # Errors
/// When the listener has no address.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
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
            let (router, wire, closed) = (router.clone(), wire.clone(), closing.subscribe());
            tokio::spawn(async move {
                if let Err(error) = connection(stream, router, &wire, closed).await {
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
    router: Router,
    wire: &Wire,
    mut closed: watch::Receiver<()>,
) -> Result<(), Failed> {
    let patience = wire.limits.patience;
    match &wire.tls {
        None => talk(Patient::new(stream, patience), router, wire, closed).await,
        Some(certificates) => {
            let shaken = certificates.acceptor(wire.only_second).accept(stream);
            let stream = tokio::select! {
                shaken = tokio::time::timeout(patience, shaken) => shaken??,
                _ = closed.changed() => return Ok(()),
            };
            talk(Patient::new(stream, patience), router, wire, closed).await
        }
    }
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    router: Router,
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
    let (calls, watched) = watch::channel(0_usize);
    let counted = service_fn(move |request| {
        let (mut router, call) = (router.clone(), UnderWay::begin(&calls));
        async move {
            let answer = router.call(request).await;
            drop(call);
            answer
        }
    });
    let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(counted));
    let mut served = std::pin::pin!(served);
    tokio::select! {
        outcome = served.as_mut() => return outcome,
        _ = closed.changed() => served.as_mut().graceful_shutdown(),
        // An answer that is still being sent is sent to its end.
        () = idle(watched), if !wire.only_second => served.as_mut().graceful_shutdown(),
    }
    served.await
}

/// A call that counts as under way until this is dropped.
struct UnderWay(watch::Sender<usize>);

impl UnderWay {
    fn begin(calls: &watch::Sender<usize>) -> Self {
        calls.send_modify(|count| *count += 1);
        UnderWay(calls.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Done when no call has been under way for as long as a connection may be idle.
async fn idle(mut calls: watch::Receiver<usize>) {
    while calls.wait_for(|&count| count == 0).await.is_ok() {
        match tokio::time::timeout(IDLE, calls.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => break,
            Err(_) => return,
        }
    }
    // Its service is gone, and the connection with it.
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_when_it_has_had_no_call_for_long() {
        let (calls, watched) = watch::channel(0);
        let mut idle = tokio::spawn(idle(watched));
        let begun = UnderWay::begin(&calls);
        assert!(tokio::time::timeout(10 * IDLE, &mut idle).await.is_err());
        drop(begun);
        assert!(tokio::time::timeout(IDLE / 2, &mut idle).await.is_err());
        // One that is over at once counts, too.
        drop(UnderWay::begin(&calls));
        assert!(tokio::time::timeout(IDLE - PAUSE, &mut idle).await.is_err());
        assert!(tokio::time::timeout(2 * PAUSE, &mut idle).await.is_ok());
    }
}
