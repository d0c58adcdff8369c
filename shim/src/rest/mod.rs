//! The REST interface.
//!
//! ```text
//! request -> slashes made single -> CORS, gzip -> entry.rs: request id, origin, key, body taken in -> route -> Service
//!                                                                                   result -> envelope -> response
//! ```
//!
//! | file | what |
//! |---|---|
//! | `entry.rs` | the way of every request to its route |
//! | `envelope.rs` | the shape of every answer; which status an error has |
//! | `extract.rs`, `meant.rs` | names, parameters and bodies of requests, and what is said of bad ones; what bodies ask for |
//! | `guard.rs`, `origin.rs` | who may call what; pages that may not |
//! | `intake.rs` | bodies, taken in and bounded |
//! | `journal.rs` | request ids, the log, counts of answers |
//! | `slashes.rs` | doubled and trailing slashes |
//! | `wire/` | shapes that several routes share: vectors, filters, points, selections |
//! | `dashboard.rs` | a page for people |
//! | `collections.rs`, `vectors.rs`, `indexes.rs` | collections, aliases, named vectors, payload indexes |
//! | `points.rs` | writes of points |
//! | `reads.rs` | points by id, pages, counts, facets, matrices |
//! | `query/` | queries, and the older searches, recommendations and discoveries |
//! | `snapshots.rs`, `partial.rs` | snapshots; what of a shard another node lacks |
//! | `optimizations.rs`, `issues.rs` | what the background does with a collection; what somebody had better mend |
//! | `cluster.rs`, `node.rs`, `quotas.rs`, `telemetry.rs` | what a single node says of its cluster and of itself |
//! | `absent.rs` | what there is not |

mod absent;
mod cluster;
mod collections;
mod dashboard;
mod entry;
mod envelope;
mod extract;
mod guard;
mod indexes;
mod intake;
mod issues;
mod journal;
mod meant;
mod node;
mod optimizations;
mod origin;
mod partial;
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

use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use crate::limits::{Bodies, Limits, PACKET};
use crate::request_ids::REQUEST_ID;
use crate::service::access::Access;
use crate::service::{Caller, Keys, Service};
use entry::Entry;
use guard::Guard;
use journal::Journal;
pub(crate) use node::while_opening;
use origin::Allowed;
use slashes::Single;

pub use crate::limits::MAX_BODY_BYTES;

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
    /// Do not show the page for people.
    pub no_dashboard: bool,
    /// What names of metrics begin with.
    pub metrics_prefix: String,
    /// What callers may take.
    pub limits: Limits,
}

/// What every route has at hand.
#[derive(Clone, Debug)]
struct App {
    /// For nobody: what lists collections, or reads others than the one that a call names, does it for the caller.
    service: Service,
    /// Whether callers may show tokens.
    tokens: bool,
    /// What names of metrics begin with.
    metrics_prefix: Arc<str>,
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
        partial::BODIES,
        reads::BODIES,
        query::BODIES,
    ];
    bodies.into_iter().flatten().copied()
}

async fn nothing() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// All routes but those of the page for people.
fn calls() -> Router<App> {
    Router::new()
        .merge(collections::routes())
        .merge(vectors::routes())
        .merge(indexes::routes())
        .merge(issues::routes())
        .merge(points::routes())
        .merge(reads::routes())
        .merge(query::routes())
        .merge(snapshots::routes())
        .merge(partial::routes())
        .merge(cluster::routes())
        .merge(node::routes())
        .merge(optimizations::routes())
        .merge(quotas::routes())
        .merge(telemetry::routes())
        .merge(absent::routes())
}

/// The REST interface of a service, to be served or called.
pub fn router(service: Service, options: RestOptions) -> Router {
    let app = App {
        service: service.on_behalf_of(&Caller::with(Access::nothing())),
        tokens: options.keys.take_tokens(),
        metrics_prefix: options.metrics_prefix.into(),
    };
    let entry = Entry {
        journal: Journal::new(&service),
        origins: Allowed::new(options.any_origin || options.keys.are_required()),
        bodies: Bodies::new(options.limits.body_bytes, &options.limits),
        guard: Guard {
            keys: Arc::new(options.keys),
            service,
        },
    };
    // Snapshots say how long they are, and are packed as far as they can be.
    let packed = SizeAbove::new(PACKET).and(NotForContentType::const_new("application/octet-stream"));
    let routes = if options.no_dashboard {
        calls()
    } else {
        calls().merge(dashboard::routes())
    };
    let routes = routes
        // A path that is there by another method is not there.
        .fallback(nothing)
        .method_not_allowed_fallback(nothing)
        // Bodies are bounded where they are taken in, in the words that clients know.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::new(entry), entry::enter))
        .layer(CompressionLayer::new().compress_when(packed))
        .with_state(app);
    let routes = if options.no_cors {
        routes
    } else {
        let anything = CorsLayer::new()
            .allow_origin(Any)
            .allow_methods(Any)
            // By name: a star stands for all headers but the one with a token.
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers([header::RETRY_AFTER, REQUEST_ID]);
        routes.layer(anything)
    };
    // Paths are mended before they are matched, which a layer of the router itself would be too late for.
    Router::new().fallback_service(Single(routes))
}

/// The metrics of a service and nothing else, for whoever asks.
pub(crate) fn metrics_router(service: Service, prefix: &str) -> Router {
    let app = App {
        service,
        tokens: false,
        metrics_prefix: prefix.into(),
    };
    telemetry::metrics_routes()
        .fallback(nothing)
        .method_not_allowed_fallback(nothing)
        .layer(Extension(Caller::with(Access::Manage)))
        .with_state(app)
}

#[cfg(test)]
mod tests;
