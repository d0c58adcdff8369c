use serde_json::json;

use super::*;
use crate::service::Access;

fn with_variables(mut value: Value, variables: &[(&str, &str)]) -> Result<ServerConfig, ConfigError> {
    for (name, text) in variables {
        merge_variable(&mut value, name, text);
    }
    ServerConfig::from_value(value)
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
    assert_eq!(config.keys().access(Some("123")), Some(Access::Full));
}

#[test]
fn nothing_said_is_this_machine_only() {
    let config = with_variables(yaml::parse("").unwrap(), &[]).unwrap();
    assert!(config.address().unwrap().is_loopback());
    assert_eq!(config.http_port().unwrap(), 6333);
    assert!(!config.keys().are_required());
}

#[test]
fn what_there_is_not_is_refused() {
    for (name, text) in [
        ("QDRANT__SERVICE__ENABLE_TLS", "true"),
        ("QDRANT__SERVICE__JWT_RBAC", "1"),
        ("QDRANT__CLUSTER__ENABLED", "true"),
        ("QDRANT__SERVICE__HTTP_PORT", "many"),
    ] {
        assert!(with_variables(json!({}), &[(name, text)]).is_err(), "{name}");
    }
    assert!(
        with_variables(json!({"service": {"host": "nowhere"}}), &[])
            .unwrap()
            .address()
            .is_err()
    );
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
    assert_eq!(port("service:\nstorage:\n  performance:\n", &[]), Some(6334));
}

#[test]
fn files_of_other_kinds_are_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("own.toml");
    std::fs::write(&path, "[service]\n").unwrap();
    let error = ServerConfig::load(Some(&path)).unwrap_err().to_string();
    assert!(error.contains("own.toml") && error.contains("TOML"), "{error}");
}
