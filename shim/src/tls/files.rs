//! Files of certificates and keys.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::{TlsError, TlsOptions};

/// Bytes of the largest file that is read.
const MAX_BYTES: u64 = 16 << 20;

const CERT: &str = "tls.cert";
const KEY: &str = "tls.key";
const CA_CERT: &str = "tls.ca_cert";

/// What tells that files have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp(Vec<Option<(SystemTime, u64)>>);

impl Stamp {
    pub(super) fn of(options: &TlsOptions) -> Self {
        let files = [
            Some(&options.cert),
            Some(&options.key),
            options.client_ca.as_ref(),
        ];
        let stamp = |path| {
            let about = std::fs::metadata(path).ok()?;
            Some((about.modified().ok()?, about.len()))
        };
        Stamp(files.into_iter().flatten().map(stamp).collect())
    }
}

pub(super) fn config(options: &TlsOptions) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(default_provider());
    let chain = certificates(CERT, &options.cert)?;
    let key = read(KEY, &options.key)?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|error| wrong(KEY, &options.key, format_args!("no private key in PEM: {error}")))?;
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(CERT, &options.cert, error))?;
    let builder = match &options.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(CA_CERT, path)? {
                roots
                    .add(certificate)
                    .map_err(|error| wrong(CA_CERT, path, error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| wrong(CA_CERT, path, error))?)
        }
    };
    // Says, too, that a key is not that of the certificate.
    builder
        .with_single_cert(chain, key)
        .map_err(|error| wrong(KEY, &options.key, error))
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(key, path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| wrong(key, path, format_args!("no certificates in PEM: {error}")))?;
    if found.is_empty() {
        return Err(wrong(key, path, "there is no certificate in PEM in it"));
    }
    Ok(found)
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::Read {
        key,
        path: path.to_owned(),
        source,
    };
    let about = std::fs::metadata(path).map_err(failed)?;
    if !about.is_file() || about.len() > MAX_BYTES {
        return Err(wrong(
            key,
            path,
            format_args!("is no file of at most {MAX_BYTES} bytes"),
        ));
    }
    std::fs::read(path).map_err(failed)
}

fn wrong(key: &'static str, path: &Path, problem: impl Display) -> TlsError {
    TlsError::Content {
        key,
        path: path.to_owned(),
        problem: problem.to_string(),
    }
}
