//! Snapshots on other servers, fetched over HTTP.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Error, RequestBuilder};

use super::room::Room;
use super::{failed, location::Source};
use crate::service::error::{ErrorKind, Result, ServiceError};

/// How long a server may take to be there, and to begin with its answer: it may have to make the snapshot first. It may not be
/// silent for longer than that later, either.
const CONNECT: Duration = Duration::from_secs(10);
const BEGIN: Duration = Duration::from_secs(600);
/// How long all of it may take.
const WHOLE: Duration = Duration::from_secs(6 * 3_600);

/// Redirections that are followed, where no key is sent that another server must not see.
const REDIRECTIONS: u32 = 5;

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 18;

/// The header that a key goes in.
const KEY: &str = "api-key";

/// The certificates that this machine trusts, read once.
static TRUSTED: LazyLock<Arc<Vec<Certificate<'static>>>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    let certificates = found.certs.iter();
    Arc::new(
        certificates
            .map(|der| Certificate::from_der(der).to_owned())
            .collect(),
    )
});

/// What came of asking for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fetched {
    /// It is there.
    Whole,
    /// There is none, as what was sent along says that it is not needed.
    Unchanged,
}

/// Writes what is at a URL to a new file, as far as there is room for it. With a body (of JSON) that is sent along, the server
/// may say that what it describes has not changed.
///
/// # Errors
/// When the server is not there, answers with anything but the file, or ends before its end; when the disk is full or fails.
pub(super) fn fetch(
    source: &Source,
    api_key: Option<&str>,
    body: Option<&[u8]>,
    path: &Path,
    room: &mut Room,
) -> Result<Fetched> {
    let shown = source.shown();
    let agent: Agent = Agent::config_builder()
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(BEGIN))
        .timeout_per_read(Some(BEGIN))
        .timeout_global(Some(WHOLE))
        .max_redirects(if api_key.is_some() || body.is_some() {
            0
        } else {
            REDIRECTIONS
        })
        .http_status_as_error(false)
        .tls_config(tls())
        .build()
        .into();
    let asked = match body {
        None => keyed(agent.get(source.url()), api_key).call(),
        Some(body) => keyed(agent.post(source.url()), api_key)
            .content_type("application/json")
            .send(body),
    };
    let response = asked.map_err(|error| unreachable_source(source, &error))?;
    let status = response.status();
    if body.is_some() && status.as_u16() == 304 {
        return Ok(Fetched::Unchanged);
    }
    if status.as_u16() != 200 {
        return Err(refused(format!("{shown} answers with the status {status}")));
    }
    let length = response.body().content_length();
    if let Some(length) = length {
        room.expect(length)?;
    }
    let read = copy(response.into_body().into_reader(), &shown, path, room)?;
    match length {
        Some(length) if length != read => {
            Err(refused(format!("{shown} ended after {read} of {length} bytes")))
        }
        Some(_) | None => Ok(Fetched::Whole),
    }
}

fn keyed<B>(request: RequestBuilder<B>, key: Option<&str>) -> RequestBuilder<B> {
    match key {
        Some(key) => request.header(KEY, key),
        None => request,
    }
}

fn copy(mut body: impl Read, shown: &str, path: &Path, room: &mut Room) -> Result<u64> {
    let disk = |error: std::io::Error| failed("writing", path, &error);
    let mut file = std::fs::File::create_new(path).map_err(disk)?;
    let mut chunk = vec![0; CHUNK];
    let mut copied = 0;
    loop {
        let read = body
            .read(&mut chunk)
            .map_err(|error| refused(format!("{shown} cannot be read to its end: {error}")))?;
        if read == 0 {
            return Ok(copied);
        }
        room.take(read as u64)?;
        file.write_all(chunk.get(..read).unwrap_or_default())
            .map_err(disk)?;
        copied += read as u64;
    }
}

fn tls() -> TlsConfig {
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::Specific(TRUSTED.clone()))
        .build()
}

fn refused(problem: String) -> ServiceError {
    ServiceError::bad_request(format!("Failed to download the snapshot: {problem}"))
}

fn unreachable_source(source: &Source, error: &Error) -> ServiceError {
    let shown = source.shown();
    if matches!(error, Error::Timeout(_)) {
        return ServiceError::new(
            ErrorKind::Timeout,
            format!("downloading {shown} took too long: {error}"),
        );
    }
    // These repeat the URL, or the one that it led to.
    if matches!(
        error,
        Error::BadUri(_) | Error::Http(_) | Error::RequireHttpsOnly(_)
    ) {
        return refused(format!("{shown}: it cannot be asked for"));
    }
    refused(format!("{shown}: {error}"))
}

#[cfg(test)]
mod tests;
