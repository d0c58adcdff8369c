//! A process that answers: ports, signals, the end.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::connections::{self, Wire};
use crate::grpc;
use crate::rest::{self, RestOptions};
use crate::service::Service;
use crate::tls::Certificates;

/// How long requests that are under way may take when the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// What is listened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// For REST.
    pub rest: SocketAddr,
    /// For gRPC, if it is served.
    pub grpc: Option<SocketAddr>,
}

/// Settings of both wires.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    /// Those of REST; keys and limits are those of gRPC, too.
    pub rest: RestOptions,
    /// Certificates. Without, everything is in the clear.
    pub tls: Option<Certificates>,
}

impl From<RestOptions> for ServeOptions {
    fn from(rest: RestOptions) -> Self {
        ServeOptions { rest, tls: None }
    }
}

/// Serves until a signal (SIGINT, SIGTERM) asks for the end; requests that are under way are answered first. `ready` is told
/// the addresses once they are listened on. Runs a runtime of its own: not to be called from within another.
///
/// # Errors
/// When an address cannot be listened on, or threads cannot be started.
pub fn run(
    addresses: Addresses,
    options: impl Into<ServeOptions>,
    service: Service,
    ready: impl FnOnce(Addresses),
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("vdb-serve")
        .build()?;
    let outcome = runtime.block_on(async {
        let rest = bind(addresses.rest).await?;
        let grpc = match addresses.grpc {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        // Who reads that it is ready may ask for its end at once.
        let stop = stop_signal()?;
        ready(Addresses {
            rest: rest.local_addr()?,
            grpc: grpc.as_ref().map(TcpListener::local_addr).transpose()?,
        });
        serve(rest, grpc, options, service, stop).await
    });
    runtime.shutdown_timeout(GRACE);
    outcome
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
}

/// Serves REST, and gRPC if there is a listener for it, until `stop` is done.
///
/// # Errors
/// When a listener fails.
pub async fn serve(
    rest: TcpListener,
    grpc: Option<TcpListener>,
    options: impl Into<ServeOptions>,
    service: Service,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let ServeOptions { rest: options, tls } = options.into();
    let (stopping, stopped) = watch::channel(false);
    let stop = async move {
        stop.await;
        tracing::info!("stopping: requests that are under way are answered");
        let _ = stopping.send(true);
        tokio::time::sleep(GRACE).await;
    };
    let grpc_options = grpc::ServerOptions {
        keys: options.keys.clone(),
        limits: options.limits,
        tls: tls.clone(),
    };
    let wire = Wire {
        limits: options.limits,
        tls: tls.clone(),
        only_second: false,
    };
    let router = rest::router(service.clone(), options);
    let rest = connections::serve(rest, router, wire, until(stopped.clone()));
    let grpc = async move {
        match grpc {
            Some(listener) => grpc::serve(service, grpc_options, listener, until(stopped)).await,
            None => Ok(()),
        }
    };
    let fresh = async move {
        match &tls {
            Some(certificates) => certificates.keep_fresh().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        outcome = async { tokio::try_join!(rest, grpc) } => outcome.map(|_| ()),
        () = fresh => Ok(()),
        () = stop => {
            tracing::warn!("stopped with requests under way");
            Ok(())
        }
    }
}

/// Done when the server is to stop.
async fn until(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|&stopping| stopping).await;
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
