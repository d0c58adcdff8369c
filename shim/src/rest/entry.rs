//! The way of every request to its route: told of, from a page that may ask, by somebody who may, with its body there.
//!
//! One layer for all of it: each layer of a router is cloned and boxed for every request, with all that are below it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::guard::Guard;
use super::intake::{self, Sent};
use super::journal::Journal;
use super::origin::Allowed;
use crate::limits::Bodies;
use crate::service::Caller;

/// What requests come by.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) journal: Journal,
    pub(super) origins: Allowed,
    pub(super) guard: Guard,
    pub(super) bodies: Bodies,
}

pub(super) async fn enter(State(entry): State<Arc<Entry>>, request: Request, next: Next) -> Response {
    let begun = entry.journal.begin(&request);
    let (mut response, caller) = entry.pass(request, next).await;
    entry.journal.end(begun, caller.as_ref(), &mut response);
    response
}

impl Entry {
    /// The answer to a request, and who made it, where he was let in.
    async fn pass(&self, mut request: Request, next: Next) -> (Response, Option<Caller>) {
        let sent = Sent::with(&request);
        if let Some(mut refusal) = self.origins.refusal(request.headers()) {
            sent.unread(&mut refusal);
            return (refusal, None);
        }
        match self.guard.admit(&mut request).await {
            Ok(Some(caller)) => {
                request.extensions_mut().insert(caller.clone());
                (intake::take_in(&self.bodies, request, next).await, Some(caller))
            }
            Ok(None) => {
                let (parts, _) = request.into_parts();
                let mut response = next.run(Request::from_parts(parts, Body::empty())).await;
                sent.unread(&mut response);
                (response, None)
            }
            Err(mut refusal) => {
                sent.unread(&mut refusal);
                (refusal, None)
            }
        }
    }
}
