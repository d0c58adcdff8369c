//! Who may call what.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{Extensions, HeaderMap};
use tonic::Status;

use crate::service::access::{Needs, of_method};
use crate::service::{Caller, Keys, Service, ServiceError};

/// What callers are known by, and where conditions of tokens are looked up.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) keys: Arc<Keys>,
    pub(super) service: Service,
}

/// Who makes a call and what it needs, until its message is there and says of which collection.
#[derive(Clone, Debug)]
struct Admitted {
    caller: Caller,
    needs: Needs,
}

pub(super) async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    match admit(&guard, request.uri().path(), request.headers()).await {
        Ok(admitted) => {
            let caller = admitted.caller.clone();
            request.extensions_mut().insert(admitted);
            let mut response = next.run(request).await;
            // For the log.
            response.extensions_mut().insert(caller);
            response
        }
        Err(error) => Status::from(error)
            .into_http::<axum::body::Body>()
            .into_response(),
    }
}

async fn admit(guard: &Guard, path: &str, headers: &HeaderMap) -> Result<Admitted, ServiceError> {
    let needs = of_method(path);
    if needs == Needs::Nothing {
        let caller = Caller::with(crate::service::access::Access::nothing());
        return Ok(Admitted { caller, needs });
    }
    let caller = guard.keys.identify(key(headers))?;
    guard.service.check_condition(&caller).await?;
    // What concerns one collection has to wait for its name.
    if !matches!(needs, Needs::On(_)) {
        needs.check(caller.access(), None)?;
    }
    Ok(Admitted { caller, needs })
}

/// The key of a call: the header `api-key`, or the token of a bearer.
fn key(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text("api-key").or_else(|| {
        let (scheme, token) = text("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    })
}

/// Who makes a call, of which the message names this collection.
///
/// # Errors
/// [`Forbidden`](crate::service::ErrorKind::Forbidden) when he may not make it.
pub(super) fn caller<'a>(
    extensions: &'a Extensions,
    collection: Option<&str>,
) -> Result<&'a Caller, ServiceError> {
    let admitted: Option<&Admitted> = extensions.get();
    let admitted = admitted.ok_or_else(|| ServiceError::internal("nobody has asked who calls"))?;
    admitted.needs.check(admitted.caller.access(), collection)?;
    Ok(&admitted.caller)
}

#[cfg(test)]
mod tests;
