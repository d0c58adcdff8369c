//! TLS, of both wires.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use qdrant_client::qdrant::ListCollectionsRequest;
use qdrant_client::qdrant::collections_client::CollectionsClient;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};
use vdb::Database;
use vdb_qdrant::rest::RestOptions;
use vdb_qdrant::server::{ServeOptions, serve};
use vdb_qdrant::service::{Service, ServiceOptions};
use vdb_qdrant::tls::{Certificates, TlsOptions};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key in PEM.
struct Shown {
    cert: String,
    key: String,
}

fn signed_by(authority: &Authority) -> Shown {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let cert = params.signed_by(&key, &**authority).unwrap();
    Shown {
        cert: cert.pem(),
        key: key.serialize_pem(),
    }
}

fn write(directory: &Path, shown: &Shown) {
    std::fs::write(directory.join("cert.pem"), &shown.cert).unwrap();
    std::fs::write(directory.join("key.pem"), &shown.key).unwrap();
}

/// A server with certificates of an authority.
struct Secured {
    rest: SocketAddr,
    grpc: SocketAddr,
    directory: tempfile::TempDir,
    _stop: oneshot::Sender<()>,
}

impl Secured {
    async fn start(authority: &Authority, clients: Option<&Authority>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), &signed_by(authority));
        let client_ca = clients.map(|clients| {
            let path = directory.path().join("ca.pem");
            std::fs::write(&path, clients.pem()).unwrap();
            path
        });
        let certificates = Certificates::load(TlsOptions {
            cert: directory.path().join("cert.pem"),
            key: directory.path().join("key.pem"),
            client_ca,
            ttl: Some(Duration::from_millis(20)),
        })
        .unwrap();
        let service = Service::new(
            Database::builder().open_in_memory().unwrap(),
            ServiceOptions::new(directory.path().join("snapshots")),
        );
        let (rest, grpc) = (bound().await, bound().await);
        let (rest_address, grpc_address) = (rest.local_addr().unwrap(), grpc.local_addr().unwrap());
        let options = ServeOptions {
            rest: RestOptions::default(),
            tls: Some(certificates),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(serve(rest, Some(grpc), options, service, async move {
            drop(stopped.await);
        }));
        Secured {
            rest: rest_address,
            grpc: grpc_address,
            directory,
            _stop: stop,
        }
    }
}

async fn bound() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// Asks over HTTPS, trusting an authority, and showing a certificate if there is one.
async fn https(address: SocketAddr, authority: &Authority, shown: Option<&Shown>) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match shown {
        None => builder.with_no_client_auth(),
        Some(shown) => {
            let cert = CertificateDer::from_pem_slice(shown.cert.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![cert], key).unwrap()
        }
    };
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let ask = "GET /collections HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(ask.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Lists collections over gRPC.
async fn listed(address: SocketAddr, authority: &Authority, shown: Option<&Shown>) -> Result<usize, String> {
    let mut tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(authority.pem()))
        .domain_name("localhost");
    if let Some(shown) = shown {
        tls = tls.identity(Identity::from_pem(&shown.cert, &shown.key));
    }
    let channel = Channel::from_shared(format!("https://{address}"))
        .unwrap()
        .tls_config(tls)
        .map_err(|error| error.to_string())?;
    let channel = channel.connect().await.map_err(|error| error.to_string())?;
    let answer = CollectionsClient::new(channel)
        .list(ListCollectionsRequest {})
        .await;
    answer
        .map(|answer| answer.into_inner().collections.len())
        .map_err(|status| status.to_string())
}

#[tokio::test]
async fn both_wires_are_encrypted() {
    let authority = authority();
    let server = Secured::start(&authority, None).await;
    let answer = https(server.rest, &authority, None).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(listed(server.grpc, &authority, None).await, Ok(0));
    // Who trusts another authority does not talk to it, and it does not talk in the clear.
    let other = self::authority();
    assert!(https(server.rest, &other, None).await.is_err());
    assert!(listed(server.grpc, &other, None).await.is_err());
    let mut clear = TcpStream::connect(server.rest).await.unwrap();
    clear
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = clear.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn callers_show_a_certificate_where_they_have_to() {
    let (authority, clients) = (authority(), authority());
    let server = Secured::start(&authority, Some(&clients)).await;
    let known = signed_by(&clients);
    let answer = https(server.rest, &authority, Some(&known)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(listed(server.grpc, &authority, Some(&known)).await, Ok(0));
    let stranger = signed_by(&self::authority());
    for shown in [None, Some(&stranger)] {
        assert!(https(server.rest, &authority, shown).await.is_err());
        assert!(listed(server.grpc, &authority, shown).await.is_err());
    }
}

#[tokio::test]
async fn renewed_certificates_are_taken_up_and_connections_stay() {
    let (before, after) = (authority(), authority());
    let server = Secured::start(&before, None).await;
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(before.pem()))
        .domain_name("localhost");
    let endpoint = Channel::from_shared(format!("https://{}", server.grpc)).unwrap();
    let kept = endpoint.tls_config(tls).unwrap().connect().await.unwrap();
    let mut kept = CollectionsClient::new(kept);
    kept.list(ListCollectionsRequest {}).await.unwrap();
    // One that is written by halves changes nothing.
    std::fs::write(server.directory.path().join("cert.pem"), "").unwrap();
    assert!(https(server.rest, &before, None).await.is_ok());
    write(server.directory.path(), &signed_by(&after));
    while https(server.rest, &after, None).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert!(https(server.rest, &before, None).await.is_err());
    assert_eq!(listed(server.grpc, &after, None).await, Ok(0));
    kept.list(ListCollectionsRequest {}).await.unwrap();
}
