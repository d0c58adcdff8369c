//! The REST interface.
//!
//! ```text
//! request -> slashes made single -> request id, log -> CORS, gzip -> origin, key -> route -> body and parameters -> Service
//!                                                                                   result -> envelope -> response
//! ```
//!
//! | file | what |
//! |---|---|
//! | `envelope.rs` | the shape of every answer; which status an error has |
//! | `extract.rs` | names, parameters and bodies of requests, and what is said of bad ones |
//! | `guard.rs`, `origin.rs` | keys: who may call what; pages that may not |
//! | `journal.rs` | request ids, the log, counts of answers |
//! | `slashes.rs` | doubled and trailing slashes |
//! | `wire/` | shapes that several routes share: vectors, filters, points, selections |
//! | `collections.rs`, `vectors.rs`, `indexes.rs` | collections, aliases, named vectors, payload indexes |
//! | `points.rs` | writes of points |
//! | `reads.rs` | points by id, pages, counts, facets, matrices |
//! | `query/` | queries, and the older searches, recommendations and discoveries |
//! | `snapshots.rs` | snapshots |
//! | `cluster.rs`, `node.rs`, `quotas.rs`, `telemetry.rs` | what a single node says of its cluster and of itself |

mod cluster;
mod collections;
mod envelope;
mod extract;
mod guard;
mod indexes;
mod journal;
mod node;
mod origin;
mod points;
mod query;
mod quotas;
mod reads;
mod slashes;
mod snapshots;
mod telemetry;
mod vectors;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use parking_lot::Mutex;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any, CorsLayer};

use crate::service::{Keys, Service};
use journal::Journal;
use quotas::Quotas;

/// Bytes of the largest body, but for uploads of snapshots.
pub const MAX_BODY_BYTES: usize = 32 << 20;

/// Settings of the REST interface.
#[derive(Clone, Debug, Default)]
pub struct RestOptions {
    /// Who may call what.
    pub keys: Keys,
    /// Answer no requests of pages from elsewhere.
    pub no_cors: bool,
    /// Without keys, answer pages from elsewhere all the same. Otherwise a page that somebody only looks at could read and
    /// change everything through his browser.
    pub any_origin: bool,
}

/// What every route has at hand.
#[derive(Clone, Debug)]
struct App {
    service: Service,
    journal: Arc<Journal>,
    quotas: Arc<Mutex<Quotas>>,
}

/// Whether bytes are a body that a route understands.
type Reader = fn(&[u8]) -> bool;

/// How the bodies of all routes are read, by name.
pub(crate) fn bodies() -> impl Iterator<Item = (&'static str, Reader)> {
    let bodies = [
        collections::BODIES,
        vectors::BODIES,
        indexes::BODIES,
        points::BODIES,
        reads::BODIES,
        query::BODIES,
    ];
    bodies.into_iter().flatten().copied()
}

async fn nothing() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// The REST interface of a service, to be served or called.
pub fn router(service: Service, options: RestOptions) -> Router {
    let app = App {
        service,
        journal: Arc::new(Journal::default()),
        quotas: Arc::default(),
    };
    let origins = origin::Allowed::new(options.any_origin || options.keys.are_required());
    let routes = Router::new()
        .merge(collections::routes())
        .merge(vectors::routes())
        .merge(indexes::routes())
        .merge(points::routes())
        .merge(reads::routes())
        .merge(query::routes())
        .merge(snapshots::routes())
        .merge(cluster::routes())
        .merge(node::routes())
        .merge(quotas::routes())
        .merge(telemetry::routes())
        // A path that is there by another method is not there.
        .fallback(nothing)
        .method_not_allowed_fallback(nothing)
        // Bodies are bounded where they are read, in the words that clients know.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::new(options.keys), guard::guard))
        .layer(from_fn_with_state(origins, origin::check))
        .layer(from_fn_with_state(app.journal.clone(), journal::record))
        .layer(CompressionLayer::new())
        .with_state(app);
    let routes = if options.no_cors {
        routes
    } else {
        let anything = CorsLayer::new()
            .allow_origin(Any)
            .allow_methods(Any)
            .allow_headers(Any);
        routes.layer(anything)
    };
    // Paths are mended before they are matched, which a layer of the router itself would be too late for.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn(slashes::single))
}
