//! Pages that a browser shows, and names that it was led here by.
//!
//! A server that asks for no key trusts this machine. Browsers run on it, too, and send requests for any page that somebody looks
//! at: those say which page it is (`Origin`), or by which name it got here, if its own name was made to mean this machine
//! (`Host`). Programs that are no browsers send no `Origin`.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};

use super::envelope::{Failure, Part};
use crate::service::ServiceError;

/// Whether pages from elsewhere are answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    all: bool,
}

impl Allowed {
    pub(super) fn new(all: bool) -> Self {
        Allowed { all }
    }

    /// What a request with these headers is answered, if it is not to be.
    pub(super) fn refusal(self, headers: &HeaderMap) -> Option<Response> {
        if self.all {
            return None;
        }
        let name = foreign(headers)?;
        let error = ServiceError::forbidden(format!(
            "{name} is not of this machine: set an API key, or enable_cors: true if every page may read and change \
             everything"
        ));
        Some(Failure::of(error, Part::Body).into_response())
    }
}

/// The header that names something that is not this machine, if one does.
fn foreign(headers: &HeaderMap) -> Option<&'static str> {
    let origin = headers.get(header::ORIGIN).is_some_and(|value| {
        let uri: Option<Uri> = value.to_str().ok().and_then(|text| text.parse().ok());
        // Pages without an origin, such as files, say `null`.
        !uri.as_ref().and_then(Uri::host).is_some_and(is_local)
    });
    if origin {
        return Some("the page (Origin)");
    }
    let host = headers.get(header::HOST).is_some_and(|value| {
        let uri: Option<Uri> = value.to_str().ok().and_then(|text| text.parse().ok());
        !uri.as_ref().and_then(Uri::host).is_some_and(is_local)
    });
    host.then_some("the name that was asked for (Host)")
}

/// Whether a host is this machine and cannot be another.
fn is_local(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = host.parse::<IpAddr>() {
        return address.is_loopback();
    }
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, header::HeaderValue::from_static(value))])
    }

    #[test]
    fn this_machine_is_told_from_others() {
        for host in [
            "localhost",
            "localhost:6333",
            "127.0.0.1:80",
            "[::1]:6333",
            "LOCALHOST",
        ] {
            assert_eq!(foreign(&with(header::HOST, host)), None, "{host}");
        }
        for host in [
            "evil.example",
            "192.168.0.7:6333",
            "localhost.evil.example",
            "",
            "127.0.0.1.evil",
        ] {
            assert!(foreign(&with(header::HOST, host)).is_some(), "{host}");
        }
        for origin in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:8000"] {
            assert_eq!(foreign(&with(header::ORIGIN, origin)), None, "{origin}");
        }
        for origin in ["null", "https://evil.example", "http://10.0.0.1", "x"] {
            assert!(foreign(&with(header::ORIGIN, origin)).is_some(), "{origin}");
        }
        assert_eq!(foreign(&HeaderMap::new()), None);
    }
}
