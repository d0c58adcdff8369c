//! Doubled and trailing slashes are as good as single ones.

use std::task::{Context, Poll};

use axum::http::uri::PathAndQuery;
use axum::http::{Request, Uri};
use tower::Service;

/// A service that is asked by paths with single slashes only.
#[derive(Clone, Debug)]
pub(super) struct Single<S>(pub(super) S);

impl<S: Service<Request<B>>, B> Service<Request<B>> for Single<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        if let Some(mended) = mended(request.uri()) {
            *request.uri_mut() = mended;
        }
        self.0.call(request)
    }
}

/// The address with single slashes, if it has others.
fn mended(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let trailing = path.len() > 1 && path.ends_with('/');
    if !trailing && !path.contains("//") {
        return None;
    }
    let mut text = String::with_capacity(path.len());
    for part in path.split('/').filter(|part| !part.is_empty()) {
        text.push('/');
        text.push_str(part);
    }
    if text.is_empty() {
        text.push('/');
    }
    if let Some(query) = uri.query() {
        text.push('?');
        text.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slashes_change() {
        let mended = |uri: &str| mended(&uri.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(mended("/a/b?c=d//"), None);
        assert_eq!(mended("/"), None);
        assert_eq!(mended("//a//b/?c=d"), Some("/a/b?c=d".into()));
        assert_eq!(mended("//"), Some("/".into()));
    }
}
