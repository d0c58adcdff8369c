use serde_json::json;

use super::*;
use crate::service::access::Access;

fn with_variables(mut value: Value, variables: &[(&str, &str)]) -> Result<ServerConfig, ConfigError> {
    for (name, text) in variables {
        layers::merge_variable(&mut value, name, text);
    }
    ServerConfig::from_value(value)
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, ConfigError>) -> String {
    outcome.unwrap_err().to_string()
}

#[test]
fn the_environment_comes_before_files() {
    let file = yaml::parse(
        "service:\n  http_port: 7000\n  api_key: 123\nstorage:\n  storage_path: /data\nother: 1\n",
    );
    let variables = [
        ("QDRANT__SERVICE__HTTP_PORT", "7001"),
        ("HOME", "/root"),
        ("QDRANT__", "x"),
    ];
    let config = with_variables(file.unwrap(), &variables).unwrap();
    assert_eq!(config.http_port().unwrap(), 7001);
    assert_eq!(config.storage.storage_path.as_deref(), Some(Path::new("/data")));
    // A key of digits is a text all the same.
    let caller = config.keys().unwrap().identify(Some("123")).unwrap();
    assert_eq!(caller.access(), &Access::Manage);
    assert_eq!(config.unknown, ["other"]);
}

#[test]
fn nothing_said_is_this_machine_only() {
    let config = with_variables(yaml::parse("").unwrap(), &[]).unwrap();
    assert!(config.address().unwrap().is_loopback());
    assert_eq!(config.http_port().unwrap(), 6333);
    assert!(!config.keys().unwrap().are_required());
    assert_eq!(config.tls().unwrap(), None);
    assert_eq!(config.limits().unwrap(), Limits::default());
    assert_eq!(config.quotas().unwrap(), QuotaLimits::default());
}

#[test]
fn what_there_is_not_is_refused() {
    for (name, text) in [
        ("QDRANT__CLUSTER__ENABLED", "true"),
        ("QDRANT__AUDIT__ENABLED", "1"),
        ("QDRANT__STORAGE__SNAPSHOTS_CONFIG__SNAPSHOTS_STORAGE", "s3"),
        ("QDRANT__SERVICE__HTTP_PORT", "many"),
    ] {
        assert!(with_variables(json!({}), &[(name, text)]).is_err(), "{name}");
    }
    for (name, text) in [
        ("QDRANT__CLUSTER__ENABLED", "false"),
        ("QDRANT__STORAGE__SNAPSHOTS_CONFIG__SNAPSHOTS_STORAGE", "local"),
    ] {
        assert!(with_variables(json!({}), &[(name, text)]).is_ok(), "{name}");
    }
    let nowhere = with_variables(json!({"service": {"host": "nowhere"}}), &[]).unwrap();
    assert!(nowhere.address().is_err());
    assert!(yaml::parse("a: [").is_err());
    assert!(yaml::parse("1: 2").is_err());
}

#[test]
fn null_turns_grpc_off_and_an_empty_variable_says_nothing() {
    let port = |text: &str, variables: &[(&str, &str)]| {
        let config = with_variables(yaml::parse(text).unwrap(), variables).unwrap();
        config.grpc_port().unwrap()
    };
    assert_eq!(port("", &[]), Some(6334));
    assert_eq!(port("service:\n  grpc_port: null\n", &[]), None);
    assert_eq!(port("service:\n  grpc_port: 1\n", &[]), Some(1));
    let variable = "QDRANT__SERVICE__GRPC_PORT";
    assert_eq!(port("", &[(variable, "")]), Some(6334));
    assert_eq!(port("service:\n  grpc_port: null\n", &[(variable, "7")]), Some(7));
    assert_eq!(
        port("service:\nstorage:\n  performance:\n  quotas:\ntls:\n", &[]),
        Some(6334)
    );
}

#[test]
fn tokens_need_a_key_that_signs_them() {
    let keys = |service: Value| with_variables(json!({ "service": service }), &[]).unwrap().keys();
    assert!(
        keys(json!({"jwt_rbac": true, "api_key": "a"}))
            .unwrap()
            .take_tokens()
    );
    assert!(
        !keys(json!({"jwt_rbac": false, "api_key": "a"}))
            .unwrap()
            .take_tokens()
    );
    let refused = refusal(keys(json!({"jwt_rbac": true, "read_only_api_key": "a"})));
    assert!(refused.contains("service.api_key"), "{refused}");
}

#[test]
fn tls_needs_its_files() {
    let tls = |service: Value, tls: Value| {
        with_variables(json!({ "service": service, "tls": tls }), &[])
            .unwrap()
            .tls()
    };
    let files = json!({"cert": "c.pem", "key": "k.pem", "ca_cert": "ca.pem"});
    let options = tls(json!({"enable_tls": true}), files.clone()).unwrap().unwrap();
    assert_eq!(
        options.client_ca, None,
        "it is for clients only when they are to be asked"
    );
    assert_eq!(options.ttl, Some(Duration::from_secs(3_600)));
    let both = json!({"enable_tls": "1", "verify_https_client_certificate": "true"});
    let options = tls(both.clone(), files.clone()).unwrap().unwrap();
    assert_eq!(options.client_ca.as_deref(), Some(Path::new("ca.pem")));
    let never = json!({"cert": "c.pem", "key": "k.pem", "cert_ttl": null});
    assert_eq!(
        tls(json!({"enable_tls": true}), never.clone())
            .unwrap()
            .unwrap()
            .ttl,
        None
    );
    assert!(refusal(tls(both, never)).contains("tls.ca_cert"));
    assert!(refusal(tls(json!({"enable_tls": true}), json!({"cert": "c.pem"}))).contains("tls.key"));
    assert_eq!(tls(json!({}), files.clone()).unwrap(), None);
    let unsafe_ = tls(json!({"verify_https_client_certificate": true}), files);
    assert!(refusal(unsafe_).contains("enable_tls"));
}

#[test]
fn what_counts_with_tls_alone_is_told_without_it() {
    let unused = |service: Value| {
        let files = json!({"cert": "c.pem", "key": "k.pem", "ca_cert": "ca.pem", "cert_ttl": 60});
        let config = with_variables(json!({ "service": service, "tls": files }), &[]);
        config.unwrap().unused
    };
    let all = ["tls.ca_cert", "tls.cert", "tls.cert_ttl", "tls.key"];
    assert_eq!(unused(json!({})), all);
    assert_eq!(unused(json!({"enable_tls": false})), all);
    assert_eq!(unused(json!({"enable_tls": true})), ["tls.ca_cert"]);
    let both = json!({"enable_tls": true, "verify_https_client_certificate": true});
    assert!(unused(both).is_empty());
    // What is there and empty says nothing.
    let empty = with_variables(json!({"tls": {"key": null}}), &[("QDRANT__TLS__CERT", "")]);
    assert!(empty.unwrap().unused.is_empty());
}

#[test]
fn a_path_that_is_empty_says_nothing() {
    let variables = [
        ("QDRANT__STORAGE__STORAGE_PATH", ""),
        ("QDRANT__STORAGE__SNAPSHOTS_PATH", ""),
    ];
    let storage = with_variables(json!({}), &variables).unwrap().storage;
    assert_eq!((storage.storage_path, storage.snapshots_path), (None, None));
    let said = with_variables(json!({}), &[("QDRANT__STORAGE__STORAGE_PATH", "/data")]).unwrap();
    assert_eq!(said.storage.storage_path.as_deref(), Some(Path::new("/data")));
}

#[test]
fn limits_and_quotas_are_read_and_checked() {
    let with = |name: &str, text: &str| with_variables(json!({}), &[(name, text)]).unwrap();
    let limits = with("QDRANT__SERVICE__MAX_REQUEST_SIZE_MB", "3")
        .limits()
        .unwrap();
    assert_eq!(limits.body_bytes, 3 << 20);
    for wrong in ["0", "18446744073709551615"] {
        assert!(
            with("QDRANT__SERVICE__MAX_REQUEST_SIZE_MB", wrong)
                .limits()
                .is_err(),
            "{wrong}"
        );
    }
    let disk = "QDRANT__STORAGE__QUOTAS__MAX_DISK_USAGE_PERCENT";
    assert_eq!(
        with(disk, "90").quotas().unwrap().max_disk_usage_percent,
        Some(90)
    );
    for wrong in ["0", "101", "300"] {
        assert!(
            refusal(with(disk, wrong).quotas()).contains("max_disk_usage_percent"),
            "{wrong}"
        );
    }
}

#[test]
fn metrics_and_slow_calls_are_as_they_are_said_to_be() {
    let with = |variables: &[(&str, &str)]| with_variables(json!({}), variables).unwrap();
    let nothing = with(&[]);
    assert_eq!(nothing.metrics_port().unwrap(), None);
    assert_eq!(nothing.metrics_prefix().unwrap(), "");
    assert_eq!(nothing.service.slow_query_secs, None);
    let said = with(&[
        ("QDRANT__SERVICE__METRICS_PORT", "9100"),
        ("QDRANT__SERVICE__METRICS_PREFIX", "our_"),
        ("QDRANT__SERVICE__SLOW_QUERY_SECS", "0.25"),
    ]);
    assert_eq!(said.metrics_port().unwrap(), Some(9100));
    assert_eq!(said.metrics_prefix().unwrap(), "our_");
    assert_eq!(said.service.slow_query_secs, Some(Duration::from_millis(250)));
    for (name, text) in [
        ("METRICS_PORT", "70000"),
        ("METRICS_PREFIX", "1x"),
        ("METRICS_PREFIX", "a-b"),
    ] {
        let config = with(&[(&format!("QDRANT__SERVICE__{name}"), text)]);
        assert!(
            config.metrics_port().is_err() || config.metrics_prefix().is_err(),
            "{name} {text}"
        );
    }
    for text in ["-1", "long", "1e400"] {
        assert!(
            with_variables(json!({}), &[("QDRANT__SERVICE__SLOW_QUERY_SECS", text)]).is_err(),
            "{text}"
        );
    }
}

#[test]
fn sections_of_storage_say_what_new_collections_are() {
    let variables = [
        ("QDRANT__STORAGE__HNSW_INDEX__M", "24"),
        ("QDRANT__STORAGE__HNSW_INDEX__N", "24"),
        ("QDRANT__STORAGE__COLLECTION__VECTORS__ON_DISK", "true"),
    ];
    let config = with_variables(json!({"storage": {"optimizers": null}}), &variables).unwrap();
    assert_eq!(config.collections.hnsw.m, Some(24));
    assert_eq!(config.collections.vectors_on_disk, Some(true));
    assert_eq!(config.unknown, ["storage.hnsw_index.n"]);
}
