//! A process that answers: ports, signals, the end.

mod gate;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use self::gate::Gate;
use crate::connections::{self, Wire};
use crate::grpc;
use crate::process;
use crate::rest::{self, RestOptions};
use crate::service::Service;
use crate::tls::Certificates;

/// How long requests that are under way may take when the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Of so many files that the process may have open one is a connection of each of the two wires: the database has files, too.
const SHARE_OF_FILES: u64 = 3;

/// Connections at once for metrics alone, at most: whoever comes there shows no key, and must not take the files of the others.
const METRICS_CONNECTIONS: usize = 64;

/// What is listened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// For REST.
    pub rest: SocketAddr,
    /// For gRPC, if it is served.
    pub grpc: Option<SocketAddr>,
    /// For metrics alone, which are told there without a key.
    pub metrics: Option<SocketAddr>,
}

/// What is listened with.
#[derive(Debug)]
struct Listeners {
    rest: TcpListener,
    grpc: Option<TcpListener>,
    metrics: Option<TcpListener>,
}

impl Listeners {
    async fn bind(addresses: Addresses) -> io::Result<Self> {
        Ok(Listeners {
            rest: bind(addresses.rest).await?,
            grpc: bind_if(addresses.grpc).await?,
            metrics: bind_if(addresses.metrics).await?,
        })
    }

    /// Where that is: of a port 0, which one it is.
    fn addresses(&self) -> io::Result<Addresses> {
        Ok(Addresses {
            rest: self.rest.local_addr()?,
            grpc: self.grpc.as_ref().map(TcpListener::local_addr).transpose()?,
            metrics: self.metrics.as_ref().map(TcpListener::local_addr).transpose()?,
        })
    }
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
        ServeOptions {
            rest,
            ..ServeOptions::default()
        }
    }
}

/// Why a process does not serve.
#[derive(Debug, thiserror::Error)]
pub enum RunError<E> {
    /// What was to be served could not be opened.
    #[error("{0}")]
    Open(E),
    /// An address cannot be listened on, or threads cannot be started.
    #[error("cannot serve: {0}")]
    Serve(#[from] io::Error),
}

/// Serves what `open` gives until a signal (SIGINT, SIGTERM) asks for the end; requests that are under way are answered first.
/// The addresses are listened on from the start. While it is being opened, requests wait, but for those that ask how the
/// server is. `ready` is told the addresses once it is open. Runs a runtime of its own: not to be called from within another.
///
/// What was served is returned, to be closed; `None` where the end came before it was open.
///
/// # Errors
/// That of `open`; when an address cannot be listened on, or threads cannot be started.
pub fn run<E: Send + 'static>(
    addresses: Addresses,
    options: impl Into<ServeOptions>,
    open: impl FnOnce() -> Result<Service, E> + Send + 'static,
    ready: impl FnOnce(Addresses),
) -> Result<Option<Service>, RunError<E>> {
    let mut options = options.into();
    if let Some(most) = process::allow_most_files() {
        let limits = &mut options.rest.limits;
        let places = usize::try_from(most / SHARE_OF_FILES).unwrap_or(usize::MAX);
        limits.connections = limits.connections.min(places.max(1));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("vdb-serve")
        .build()?;
    let outcome = runtime.block_on(async {
        let listeners = Listeners::bind(addresses).await?;
        // Who reads that it is ready may ask for its end at once.
        let stop = stop_signal()?;
        let listened = listeners.addresses()?;
        let (opened, opening) = watch::channel(None);
        let open = async {
            let service = tokio::task::spawn_blocking(open).await;
            let service = service.map_err(io::Error::other)?.map_err(RunError::Open)?;
            ready(listened);
            opened.send_replace(Some(service));
            std::future::pending().await
        };
        let served = serve_opening(listeners, options, opening.clone(), Box::pin(stop));
        let failed: Result<Infallible, RunError<E>> = tokio::select! {
            served = served => {
                served?;
                return Ok(opening.borrow().clone());
            }
            failed = open => failed,
        };
        match failed? {}
    });
    runtime.shutdown_timeout(GRACE);
    outcome
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
}

async fn bind_if(address: Option<SocketAddr>) -> io::Result<Option<TcpListener>> {
    match address {
        Some(address) => bind(address).await.map(Some),
        None => Ok(None),
    }
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
    let (_opened, opening) = watch::channel(Some(service));
    let listeners = Listeners {
        rest,
        grpc,
        metrics: None,
    };
    serve_opening(listeners, options.into(), opening, Box::pin(stop)).await
}

/// Something under way. Boxed where it is made, so that everything that answers is compiled with this crate, once, and not with
/// every program that serves.
type UnderWay<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// As [`serve`], with requests that wait until there is a service.
fn serve_opening(
    listeners: Listeners,
    options: ServeOptions,
    opening: watch::Receiver<Option<Service>>,
    stop: UnderWay<()>,
) -> UnderWay<io::Result<()>> {
    Box::pin(serve_all(listeners, options, opening, stop))
}

async fn serve_all(
    listeners: Listeners,
    options: ServeOptions,
    opening: watch::Receiver<Option<Service>>,
    stop: UnderWay<()>,
) -> io::Result<()> {
    let ServeOptions { rest: options, tls } = options;
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
    let Listeners { rest, grpc, metrics } = listeners;
    let gate = Gate::new();
    let rest = connections::serve(rest, gate.clone(), wire.clone(), until(stopped.clone()));
    let metrics_prefix = options.metrics_prefix.clone();
    let (mut coming, ending) = (opening.clone(), stopped.clone());
    let enter = async move {
        tokio::select! {
            service = there(&mut coming) => if let Some(service) = service {
                gate.open(rest::router(service, options));
            },
            // Who waits for it to open is told that it will not.
            () = until(ending) => gate.close(),
        }
        std::future::pending().await
    };
    // Until there is a service, connections wait in the queue of the listener.
    let (mut coming, ending) = (opening.clone(), stopped.clone());
    let mut wire_of_metrics = wire;
    let places = &mut wire_of_metrics.limits.connections;
    *places = (*places).min(METRICS_CONNECTIONS);
    let metrics = async move {
        let Some(listener) = metrics else {
            return Ok(());
        };
        match there_before(&mut coming, ending.clone()).await {
            Some(service) => {
                let router = rest::metrics_router(service, &metrics_prefix);
                connections::serve(listener, router, wire_of_metrics, until(ending)).await
            }
            None => Ok(()),
        }
    };
    let mut coming = opening;
    let grpc = async move {
        let Some(listener) = grpc else {
            return Ok(());
        };
        match there_before(&mut coming, stopped.clone()).await {
            Some(service) => {
                let stop = until(stopped);
                grpc::serve(service, grpc_options, listener, stop).await
            }
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
        outcome = async { tokio::try_join!(rest, grpc, metrics) } => outcome.map(|_| ()),
        () = enter => Ok(()),
        () = fresh => Ok(()),
        () = stop => {
            tracing::warn!("stopped with requests under way");
            Ok(())
        }
    }
}

/// The service, once it is there; `None` when there will be none.
async fn there(opening: &mut watch::Receiver<Option<Service>>) -> Option<Service> {
    let found = opening.wait_for(Option::is_some).await.ok()?;
    found.clone()
}

/// As [`there`], and `None` when the server is to stop before that.
async fn there_before(
    opening: &mut watch::Receiver<Option<Service>>,
    stopped: watch::Receiver<bool>,
) -> Option<Service> {
    tokio::select! {
        service = there(opening) => service,
        () = until(stopped) => None,
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
