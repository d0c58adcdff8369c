//! Who may call what.

use std::sync::Arc;

use axum::RequestExt as _;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::envelope::{Failure, Part};
use crate::service::access::{Needs, of_route};
use crate::service::{Caller, ErrorKind, Keys, Service, ServiceError};

/// What paths begin with that are there for everybody, or would be if they were there at all.
const OPEN_BELOW: [&str; 3] = ["/readyz", "/livez", "/dashboard"];

/// What callers are known by, and where conditions of tokens are looked up.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) keys: Arc<Keys>,
    pub(super) service: Service,
}

impl Guard {
    /// Who makes a request; nobody, where no key is needed.
    ///
    /// A browser asks whether it may ask without showing a key. What comes with such a question is not to be read: whoever asks may
    /// be anybody, and room for bodies is for those who show a key.
    pub(super) async fn admit(&self, request: &mut Request) -> Result<Option<Caller>, Response> {
        let needs = needs(request);
        if needs == Needs::Nothing || request.method() == Method::OPTIONS {
            return Ok(None);
        }
        let caller = self.identify(request.headers()).await.map_err(refuse)?;
        let collection = collection(request).await;
        needs
            .check(caller.access(), collection.as_deref())
            .map_err(refuse)?;
        Ok(Some(caller))
    }

    async fn identify(&self, headers: &HeaderMap) -> Result<Caller, ServiceError> {
        let caller = self.keys.identify(key(headers))?;
        self.service.check_condition(&caller).await?;
        Ok(caller)
    }
}

fn needs(request: &Request) -> Needs {
    if let Some(route) = request.extensions().get::<MatchedPath>() {
        return of_route(request.method().as_str(), route.as_str());
    }
    let path = request.uri().path();
    if OPEN_BELOW.iter().any(|start| path.starts_with(start)) {
        Needs::Nothing
    } else {
        Needs::Key
    }
}

/// The collection that the path names.
async fn collection(request: &mut Request) -> Option<String> {
    let params: RawPathParams = request.extract_parts().await.ok()?;
    let named = params.iter().find(|(name, _)| *name == "collection_name");
    named.map(|(_, value)| value.to_owned())
}

fn refuse(error: ServiceError) -> Response {
    if error.kind == ErrorKind::Unauthorized {
        return (StatusCode::UNAUTHORIZED, error.message).into_response();
    }
    Failure::of(error, Part::Body).into_response()
}

fn key(headers: &HeaderMap) -> Option<&str> {
    let own = headers.get("api-key").and_then(|value| value.to_str().ok());
    own.or_else(|| {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    })
}

/// Whoever the guard has let in.
pub(super) struct By(pub(super) Caller);

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let caller = parts.extensions.get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| ServiceError::internal("nobody has asked who calls"))?;
        Ok(By(caller))
    }
}
