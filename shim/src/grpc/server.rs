//! Serving on a listener.

use std::time::Duration;

use qdrant_client::qdrant::collections_server::CollectionsServer;
use qdrant_client::qdrant::points_server::PointsServer;
use qdrant_client::qdrant::qdrant_server::QdrantServer;
use qdrant_client::qdrant::snapshots_server::SnapshotsServer;
use tokio::net::TcpListener;
use tonic::codec::CompressionEncoding;
use tonic::service::LayerExt;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Server, ServerTlsConfig};
use tower::limit::GlobalConcurrencyLimitLayer;

use super::api::Api;
use super::guard::Guard;
use super::journal::Journal;
use super::reflection;
use crate::service::{Keys, Service};

/// Calls at once over all connections, where nobody says. Messages may be of any size, so that their number is what bounds the
/// memory they take; how many are at work is for the service to say.
const CALLS: usize = 1_024;
/// Bytes of a message of the calls that need no key or ask what the server is: none of them has much to say.
const SMALL_MESSAGE: usize = 4 << 10;
/// How often connections that say nothing are asked whether they are still there, and how long they have to answer.
const KEEPALIVE: Duration = Duration::from_secs(60);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Bytes that a call, and all calls of a connection together, may send before somebody reads them. The protocol's own 64 KiB
/// make a batch of vectors wait for the way there and back a dozen times.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;

/// Settings of a server.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Who may call what.
    pub keys: Keys,
    /// Calls at once over all connections; those beyond wait for their turn.
    pub calls: usize,
    /// Certificates. Without, calls are in the clear.
    pub tls: Option<ServerTlsConfig>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        ServerOptions {
            keys: Keys::none(),
            calls: CALLS,
            tls: None,
        }
    }
}

/// Serves Qdrant's gRPC interface on a listener until `shutdown` is done; calls that have begun are then finished first.
///
/// # Errors
/// When the certificates cannot be used, or the listener fails.
pub async fn serve(
    service: Service,
    options: ServerOptions,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let api = Api::new(&service);
    let turns = GlobalConcurrencyLimitLayer::new(options.calls.max(1));
    // Gzip both ways, and messages of any size: who may make such a call has shown a key, if there are keys, and waits for a
    // turn.
    macro_rules! open {
        ($server:ident($calls:expr)) => {
            turns.named_layer(
                $server::new($calls)
                    .accept_compressed(CompressionEncoding::Gzip)
                    .send_compressed(CompressionEncoding::Gzip)
                    .max_decoding_message_size(usize::MAX)
                    .max_encoding_message_size(usize::MAX),
            )
        };
    }
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_serving::<QdrantServer<super::qdrant::ServerCalls>>()
        .await;
    reporter
        .set_serving::<CollectionsServer<super::collections::CollectionCalls>>()
        .await;
    reporter
        .set_serving::<PointsServer<super::points::PointCalls>>()
        .await;
    reporter
        .set_serving::<SnapshotsServer<super::snapshots::SnapshotCalls>>()
        .await;
    let mut server = Server::builder()
        .initial_stream_window_size(Some(STREAM_WINDOW))
        .initial_connection_window_size(Some(CONNECTION_WINDOW))
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .layer(Journal::new(service.grpc_tallies().clone()))
        // Who may not call takes nobody's turn.
        .layer(Guard::new(options.keys));
    if let Some(tls) = options.tls {
        server = server.tls_config(tls)?;
    }
    server
        .add_service(QdrantServer::new(api.server).max_decoding_message_size(SMALL_MESSAGE))
        .add_service(open!(CollectionsServer(api.collections)))
        .add_service(open!(PointsServer(api.points)))
        .add_service(open!(SnapshotsServer(api.snapshots)))
        .add_service(health.max_decoding_message_size(SMALL_MESSAGE))
        .add_optional_service(
            reflection::known(reflection::builder().build_v1())
                .map(|service| service.max_decoding_message_size(SMALL_MESSAGE)),
        )
        .add_optional_service(
            reflection::known(reflection::builder().build_v1alpha())
                .map(|service| service.max_decoding_message_size(SMALL_MESSAGE)),
        )
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), shutdown)
        .await
}
