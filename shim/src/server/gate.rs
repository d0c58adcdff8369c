//! What is answered while the database is being opened.
//!
//! Ports are listened on from the start. Whether the server lives is answered at once, whether it is ready with no; everything
//! else waits until the database is open, and is then answered as if it had come later.

use std::sync::{Arc, OnceLock};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::{BoxError, Router};
use tokio::sync::watch;

use crate::connections::Answers;
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

    async fn pass<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        if let Some(router) = self.router.get() {
            return router.answer(request).await;
        }
        if let Some(early) = rest::while_opening(request.uri().path()) {
            return early;
        }
        let mut decided = self.decided.subscribe();
        // The sender is this gate's own: there is an end.
        let _ = decided.wait_for(|&decided| decided).await;
        match self.router.get() {
            Some(router) => router.answer(request).await,
            None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
}

/// As the one behind the gate does.
impl Answers for Arc<Gate> {
    async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        self.pass(request).await
    }
}

#[cfg(test)]
mod tests;
