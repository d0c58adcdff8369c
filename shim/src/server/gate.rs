//! What is answered while the database is being opened.
//!
//! Ports are listened on from the start. Whether the server lives is answered at once, whether it is ready with no; everything
//! else waits until the database is open, and is then answered as if it had come later.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::rest;

/// The interface, once there is one.
#[derive(Debug)]
pub(super) struct Gate {
    router: OnceLock<Router>,
    /// True once there is, or there will be none.
    decided: watch::Sender<bool>,
}

impl Gate {
    /// Nothing is open yet.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Gate {
            router: OnceLock::new(),
            decided: watch::Sender::new(false),
        })
    }

    /// From now on this answers.
    pub(super) fn open(&self, router: Router) {
        let _ = self.router.set(router);
        self.decided.send_replace(true);
    }

    /// There will be no interface: who waits is told so.
    pub(super) fn close(&self) {
        self.decided.send_replace(true);
    }

    /// A router that answers for the one behind the gate.
    pub(super) fn router(self: &Arc<Self>) -> Router {
        let gate = self.clone();
        Router::new().fallback(move |request: Request| {
            let gate = gate.clone();
            async move { gate.pass(request).await }
        })
    }

    async fn pass(&self, request: Request) -> Response {
        if let Some(router) = self.router.get() {
            return answered(router, request).await;
        }
        if let Some(early) = rest::while_opening(request.uri().path()) {
            return early;
        }
        let mut decided = self.decided.subscribe();
        // The sender is this gate's own: there is an end.
        let _ = decided.wait_for(|&decided| decided).await;
        match self.router.get() {
            Some(router) => answered(router, request).await,
            None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
}

async fn answered(router: &Router, request: Request) -> Response {
    let answer: Result<Response, Infallible> = router.clone().oneshot(request).await;
    answer.unwrap_or_else(|never| match never {})
}

#[cfg(test)]
mod tests;
