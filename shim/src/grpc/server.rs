//! Serving on a listener.

use std::io;
use std::sync::Arc;

use qdrant_client::qdrant::collections_server::CollectionsServer;
use qdrant_client::qdrant::points_server::PointsServer;
use qdrant_client::qdrant::qdrant_server::QdrantServer;
use qdrant_client::qdrant::snapshots_server::SnapshotsServer;
use tokio::net::TcpListener;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;

use super::api::Api;
use super::entry::{Entry, Way};
use super::guard::Guard;
use super::intake::{BULK, Intake};
use super::journal::Journal;
use super::points::PointCalls;
use super::reflection;
use crate::connections::{self, Wire};
use crate::limits::{Limits, MAX_QUESTION_BYTES};
use crate::service::{Keys, Service};
use crate::tls::Certificates;

/// Bytes of a message of the calls that need no key or ask what the server is: none of them has much to say.
const SMALL_MESSAGE: usize = 4 << 10;

/// Settings of a server.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// Who may call what.
    pub keys: Keys,
    /// What callers may take.
    pub limits: Limits,
    /// Certificates. Without, calls are in the clear.
    pub tls: Option<Certificates>,
}

/// Serves Qdrant's gRPC interface on a listener until `shutdown` is done; calls that have begun are then finished first.
///
/// # Errors
/// When the listener has no address.
pub async fn serve(
    service: Service,
    options: ServerOptions,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let wire = Wire {
        limits: options.limits,
        tls: options.tls.clone(),
        only_second: true,
    };
    let entry = entry(service, options).await;
    connections::serve(listener, entry, wire, shutdown).await
}

/// All services, behind what every call has to pass.
pub(super) async fn entry(service: Service, options: ServerOptions) -> Entry {
    let api = Api::new(&service);
    // Gzip both ways. Who may make such a call has shown a key, if there are keys, and waits for a turn.
    let question = options.limits.message_bytes.min(MAX_QUESTION_BYTES);
    macro_rules! open {
        ($server:ident($calls:expr), $max:expr) => {
            $server::new($calls)
                .accept_compressed(CompressionEncoding::Gzip)
                .send_compressed(CompressionEncoding::Gzip)
                .max_decoding_message_size($max)
                .max_encoding_message_size(usize::MAX)
        };
    }
    let bulk = open!(PointsServer(api.points.clone()), options.limits.message_bytes);
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_serving::<QdrantServer<super::qdrant::ServerCalls>>()
        .await;
    reporter
        .set_serving::<CollectionsServer<super::collections::CollectionCalls>>()
        .await;
    reporter.set_serving::<PointsServer<PointCalls>>().await;
    reporter
        .set_serving::<SnapshotsServer<super::snapshots::SnapshotCalls>>()
        .await;
    let mut routes = Routes::new(QdrantServer::new(api.server).max_decoding_message_size(SMALL_MESSAGE))
        .add_service(open!(CollectionsServer(api.collections), question))
        .add_service(open!(PointsServer(api.points), question))
        .add_service(open!(SnapshotsServer(api.snapshots), question))
        .add_service(health.max_decoding_message_size(SMALL_MESSAGE));
    if let Some(known) = reflection::known(reflection::builder().build_v1()) {
        routes = routes.add_service(known.max_decoding_message_size(SMALL_MESSAGE));
    }
    if let Some(known) = reflection::known(reflection::builder().build_v1alpha()) {
        routes = routes.add_service(known.max_decoding_message_size(SMALL_MESSAGE));
    }
    let way = Way {
        journal: Journal::new(&service),
        intake: Intake::new(&options.limits),
        points: PointCalls(service.clone()),
        guard: Guard {
            keys: Arc::new(options.keys),
            service,
        },
        // Paths of their own come before that of their service.
        services: BULK
            .into_iter()
            .fold(routes.prepare().into_axum_router(), |routes, path| {
                routes.route_service(path, bulk.clone())
            }),
    };
    way.into()
}
