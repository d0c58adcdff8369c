//! The way of every call: who makes it may, its message is there, it has a turn; then it is answered, and told of.
//!
//! A router with a layer for each of these would do the same, at the price of a dozen boxes and clones a call. That is nothing to
//! most calls, and as much as all the rest to those that are made most often: these are answered here
//! ([`direct.rs`](super::direct)), the others by the router of the services.

use std::pin::pin;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::IntoResponse as _;
use axum::{BoxError, Router};
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use tokio::time::Instant;
use tonic::{Code, Status};

use super::call::OnBehalf as _;
use super::deadline;
use super::direct::Direct;
use super::guard::{Admitted, Guard};
use super::intake::{Intake, Message};
use super::journal::{Journal, Subject, Told};
use super::points::PointCalls;
use super::reply;
use super::status::unreadable;
use crate::connections::Answers;
use crate::service::Caller;

/// What errors begin with that the services have for a message that cannot be read.
const UNREAD: [&str; 4] = [
    "failed to decode Protobuf message: ",
    "protocol error: ",
    "Error decompressing: ",
    "Unexpected EOF decoding stream",
];

/// Answers all calls of gRPC.
#[derive(Clone, Debug)]
pub(super) struct Entry(Arc<Way>);

/// What calls come by.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) journal: Journal,
    pub(super) guard: Guard,
    pub(super) intake: Intake,
    /// Those who answer directly.
    pub(super) points: PointCalls,
    /// Who answers all other calls.
    pub(super) services: Router,
}

impl From<Way> for Entry {
    fn from(way: Way) -> Self {
        Entry(Arc::new(way))
    }
}

/// What a call is answered, and what is told of it.
struct Answered {
    response: Response<Body>,
    /// Why it failed.
    failed: Option<Status>,
    /// The collection that it was about.
    collection: Option<String>,
    /// Who made it, where he was let in.
    caller: Option<Caller>,
}

impl Answered {
    fn refused(status: Status, caller: Option<Caller>) -> Self {
        Answered {
            response: status.clone().into_http::<Body>().into_response(),
            failed: Some(status),
            collection: None,
            caller,
        }
    }
}

impl Answers for Entry {
    async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let way = &*self.0;
        let (head, body) = request.into_parts();
        let begun = way.journal.begin(&head.headers);
        let uri = head.uri.clone();
        let answered = way.answer(head, body).await;
        let told = Told {
            path: uri.path(),
            failed: answered.failed.as_ref(),
            collection: answered.collection.as_deref(),
            caller: answered.caller.as_ref(),
        };
        let mut response = answered.response;
        way.journal.end(begun, &told, response.headers_mut());
        response
    }
}

impl Way {
    async fn answer<B>(&self, head: Parts, body: B) -> Answered
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        // Whoever calls waits for being let in, too. A time too far off to be told never comes.
        let patience = deadline::patience(&head.headers);
        let deadline = patience.and_then(|patience| Instant::now().checked_add(patience));
        // Who may not call takes nobody's turn.
        let admitted = match self.guard.admit(head.uri.path(), &head.headers).await {
            Ok(admitted) => admitted,
            Err(error) => return Answered::refused(error.into(), None),
        };
        let caller = admitted.caller.clone();
        let answered = pin!(self.answer_admitted(head, body, admitted));
        match deadline {
            None => answered.await,
            Some(deadline) => tokio::time::timeout_at(deadline, answered)
                .await
                .unwrap_or_else(|_| Answered::refused(deadline::over(), Some(caller))),
        }
    }

    /// Answers whoever may make the call, for as long as it takes.
    async fn answer_admitted<B>(&self, mut head: Parts, body: B, admitted: Admitted) -> Answered
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        if !Intake::takes_in(head.uri.path()) {
            let caller = admitted.caller.clone();
            head.extensions.insert(admitted);
            let request = Request::from_parts(head, Body::new(body));
            return serve(self.services.clone(), request, caller).await;
        }
        match self.intake.message(head.uri.path(), body).await {
            Ok(message) => self.answer_message(head, message, admitted).await,
            Err(status) => Answered::refused(status, Some(admitted.caller)),
        }
    }

    /// Answers a call of which the message is there.
    async fn answer_message(&self, mut head: Parts, message: Message, admitted: Admitted) -> Answered {
        let caller = admitted.caller.clone();
        let refused = |status| Answered::refused(status, Some(caller.clone()));
        let large = message.is_large();
        let Message { bytes, packed, room } = message;
        let turn = match self.intake.turn().await {
            Ok(turn) => turn,
            Err(status) => return refused(status),
        };
        let plain = !packed && reply::is_known_encoding(&head.headers);
        let direct = Direct::of(head.uri.path()).filter(|_| plain);
        let answered = if let Some(direct) = direct {
            let packs = reply::takes_gzip(&head.headers);
            let points = self.points.on_behalf_of(&admitted.caller);
            let work = answer_directly(direct, points, admitted, bytes, packs);
            self.intake.begin(large, work).await
        } else {
            head.extensions.insert(admitted);
            let request = Request::from_parts(head, Body::from(bytes));
            let work = serve(self.services.clone(), request, caller.clone());
            self.intake.begin(large, work).await
        };
        drop(turn);
        // What was made of the message took it, too.
        drop(room);
        answered.unwrap_or_else(refused)
    }
}

async fn answer_directly(
    direct: Direct,
    points: PointCalls,
    admitted: Admitted,
    message: Bytes,
    packs: bool,
) -> Answered {
    let caller = Some(admitted.caller.clone());
    let replied = async {
        let (frame, collection) = direct.answer(&points, &admitted, message).await?;
        Ok::<_, Status>((reply::with(frame, packs).await?, collection))
    };
    match replied.await {
        Ok((response, collection)) => Answered {
            response,
            failed: None,
            collection: Some(collection),
            caller,
        },
        Err(status) => Answered::refused(status, caller),
    }
}

/// What the services answer.
async fn serve(services: Router, request: Request<Body>, caller: Caller) -> Answered {
    let mut response = services.answer(request).await;
    let failed = failure(response.headers());
    if let Some(unread) = failed.as_ref().filter(|status| is_unread(status)) {
        return Answered::refused(unreadable(unread.message()), Some(caller));
    }
    Answered {
        failed,
        collection: response
            .extensions_mut()
            .remove::<Subject>()
            .map(|Subject(name)| name),
        caller: Some(caller),
        response,
    }
}

/// The error that an answer is. It is told in the headers, as there is no message; a success behind the message, which is yet to
/// come.
fn failure(headers: &HeaderMap) -> Option<Status> {
    Status::from_header_map(headers).filter(|status| status.code() != Code::Ok)
}

/// Whether the services could not read the message. They take that for a failure of their own.
fn is_unread(status: &Status) -> bool {
    status.code() == Code::Internal
        && UNREAD
            .iter()
            .any(|beginning| status.message().starts_with(beginning))
}

#[cfg(test)]
mod tests;
