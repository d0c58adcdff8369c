//! Doubled and trailing slashes are as good as single ones.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::middleware::Next;
use axum::response::Response;

pub(super) async fn single(mut request: Request, next: Next) -> Response {
    if let Some(mended) = mended(request.uri()) {
        *request.uri_mut() = mended;
    }
    next.run(request).await
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
