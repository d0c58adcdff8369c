//! A process that answers: ports, signals, the end.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::rest::{self, RestOptions};
use crate::service::Service;

/// How long requests that are under way may take when the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until a signal (SIGINT, SIGTERM) asks for the end; requests that are under way are answered first. `ready` is told
/// the address once it is listened on. Runs a runtime of its own: not to be called from within another.
///
/// # Errors
/// When the address cannot be listened on, or threads cannot be started.
pub fn run(
    address: SocketAddr,
    options: RestOptions,
    service: Service,
    ready: impl FnOnce(SocketAddr),
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("vdb-serve")
        .build()?;
    let outcome = runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        ready(listener.local_addr()?);
        serve(listener, options, service, stop_signal()?).await
    });
    runtime.shutdown_timeout(GRACE);
    outcome
}

/// Serves REST on a listener until `stop` is done.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    options: RestOptions,
    service: Service,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, mut stopped) = tokio::sync::watch::channel(false);
    let listener = listener.tap_io(|stream| {
        // Answers are written whole: waiting for more of them only delays.
        let _ = stream.set_nodelay(true);
    });
    let server = axum::serve(listener, rest::router(service, options)).with_graceful_shutdown(async move {
        stop.await;
        tracing::info!("stopping: requests that are under way are answered");
        let _ = stopping.send(true);
    });
    tokio::select! {
        outcome = server => outcome,
        () = async {
            let _ = stopped.wait_for(|&stopping| stopping).await;
            tokio::time::sleep(GRACE).await;
        } => {
            tracing::warn!("stopped with requests under way");
            Ok(())
        }
    }
}

#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
