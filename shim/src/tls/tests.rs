use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::*;

fn written(directory: &std::path::Path) -> TlsOptions {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let options = TlsOptions {
        cert: directory.join("cert.pem"),
        key: directory.join("key.pem"),
        client_ca: None,
        ttl: None,
    };
    std::fs::write(&options.cert, cert.pem()).unwrap();
    std::fs::write(&options.key, signing_key.serialize_pem()).unwrap();
    options
}

#[test]
fn bad_files_are_told_by_their_setting_and_path() {
    let directory = tempfile::tempdir().unwrap();
    let good = written(directory.path());
    Certificates::load(good.clone()).unwrap();
    let told = |options: TlsOptions| Certificates::load(options).unwrap_err().to_string();
    let missing = told(TlsOptions {
        key: directory.path().join("none.pem"),
        ..good.clone()
    });
    assert!(
        missing.starts_with("tls.key: ") && missing.contains("none.pem"),
        "{missing}"
    );
    let swapped = told(TlsOptions {
        cert: good.key.clone(),
        key: good.cert.clone(),
        ..good.clone()
    });
    assert!(
        swapped.starts_with("tls.cert: ") && swapped.contains("no certificate"),
        "{swapped}"
    );
    let no_key = told(TlsOptions {
        key: good.cert.clone(),
        ..good.clone()
    });
    assert!(
        no_key.starts_with("tls.key: ") && no_key.contains("no private key"),
        "{no_key}"
    );
    let other = tempfile::tempdir().unwrap();
    let stranger = told(TlsOptions {
        key: written(other.path()).key,
        ..good.clone()
    });
    assert!(stranger.starts_with("tls.key: "), "{stranger}");
    let empty = directory.path().join("empty.pem");
    std::fs::write(&empty, "nothing here").unwrap();
    let no_ca = told(TlsOptions {
        client_ca: Some(empty),
        ..good.clone()
    });
    assert!(no_ca.starts_with("tls.ca_cert: "), "{no_ca}");
    assert!(
        told(TlsOptions {
            cert: directory.path().to_owned(),
            ..good
        })
        .contains("is no file")
    );
}

#[test]
fn files_are_read_again_and_bad_ones_change_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let options = written(directory.path());
    let certificates = Certificates::load(options.clone()).unwrap();
    let now = || certificates.0.current.read().any.clone();
    let first = now();
    std::fs::write(&options.cert, "").unwrap();
    assert!(certificates.reload().is_err());
    assert!(Arc::ptr_eq(&first, &now()));
    written(directory.path());
    certificates.reload().unwrap();
    assert!(!Arc::ptr_eq(&first, &now()));
}
