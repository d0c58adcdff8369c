//! Certificates: what the server shows, and what it asks callers to show.
//!
//! The files are read again when they have changed and every so often, so that certificates are renewed without a restart:
//! connections that are there go on with what they began with, later ones begin with what there is then.

mod files;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use files::Stamp;

/// How often it is looked whether files have changed, where they are to be read again at all.
const LOOK: Duration = Duration::from_secs(10);

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read.
    #[error("{key}: {path}: cannot be read: {source}")]
    Read {
        /// The setting that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that does not hold what it should.
    #[error("{key}: {path}: {problem}")]
    Content {
        /// The setting that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

/// Where certificates are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsOptions {
    /// The certificate of the server in PEM, followed by those that vouch for it.
    pub cert: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
    /// Certificates in PEM of which one has to vouch for each caller. Without, callers show none.
    pub client_ca: Option<PathBuf>,
    /// How often the files are read again; never without.
    pub ttl: Option<Duration>,
}

/// Certificates in use.
#[derive(Clone, Debug)]
pub struct Certificates(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: TlsOptions,
    current: RwLock<Configs>,
    stamp: Mutex<Stamp>,
}

/// The same certificates for callers that speak HTTP of any version, and of the second alone.
#[derive(Clone, Debug)]
struct Configs {
    any: Arc<ServerConfig>,
    second: Arc<ServerConfig>,
}

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// When one cannot be read, holds no certificate or key, or the key is not that of the certificate.
    pub fn load(options: TlsOptions) -> Result<Self, TlsError> {
        // Taken first: what changes while it is read is seen as changed later.
        let stamp = Stamp::of(&options);
        let current = configs(&options)?;
        Ok(Certificates(Arc::new(Shared {
            options,
            current: RwLock::new(current),
            stamp: Mutex::new(stamp),
        })))
    }

    /// Reads the files again. What is in use stays in use when they cannot be.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn reload(&self) -> Result<(), TlsError> {
        let stamp = Stamp::of(&self.0.options);
        *self.0.stamp.lock() = stamp;
        let fresh = configs(&self.0.options)?;
        *self.0.current.write() = fresh;
        Ok(())
    }

    /// Reads files again as often as the options say, for as long as it is polled.
    pub(crate) async fn keep_fresh(&self) {
        let Some(ttl) = self.0.options.ttl else {
            return std::future::pending().await;
        };
        let mut age = Duration::ZERO;
        loop {
            let pause = LOOK.min(ttl).max(Duration::from_millis(10));
            tokio::time::sleep(pause).await;
            age += pause;
            let (this, due) = (self.clone(), age >= ttl);
            let read = tokio::task::spawn_blocking(move || {
                let changed = Stamp::of(&this.0.options) != *this.0.stamp.lock();
                (due || changed).then(|| this.reload())
            });
            match read.await {
                Ok(None) | Err(_) => continue,
                Ok(Some(Ok(()))) => tracing::debug!("certificates were read again"),
                Ok(Some(Err(error))) => {
                    tracing::error!(%error, "certificates cannot be read again: those before stay in use");
                }
            }
            age = Duration::ZERO;
        }
    }

    /// Takes connections that speak HTTP: of any version, or only of the second.
    pub(crate) fn acceptor(&self, only_second: bool) -> TlsAcceptor {
        let current = self.0.current.read();
        let config = if only_second {
            &current.second
        } else {
            &current.any
        };
        TlsAcceptor::from(config.clone())
    }
}

fn configs(options: &TlsOptions) -> Result<Configs, TlsError> {
    let mut any = files::config(options)?;
    let mut second = any.clone();
    any.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    second.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Configs {
        any: Arc::new(any),
        second: Arc::new(second),
    })
}

#[cfg(test)]
mod tests;
