use serde_json::json;

use super::*;

fn written(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("config")).unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn variable(name: &str, text: &str) -> (OsString, OsString) {
    (name.into(), text.into())
}

#[test]
fn each_layer_comes_before_those_before_it() {
    let directory = written(&[
        (
            "config/config.yaml",
            "service: {host: 1.1.1.1, http_port: 1, api_key: a, grpc_port: 1}\nlog_level: WARN\n",
        ),
        (
            "config/production.toml",
            "[service]\nhttp_port = 2\napi_key = \"b\"\ngrpc_port = 2\n[storage.quotas]\nenabled = true\n",
        ),
        (
            "config/local.json",
            r#"{"service": {"api_key": "c", "grpc_port": 3}}"#,
        ),
        ("config/staging.yaml", "log_level: never read\n"),
        ("own.toml", "service.grpc_port = 4\n"),
    ]);
    let variables = [
        variable("QDRANT__SERVICE__GRPC_PORT", "5"),
        variable("HOME", "/root"),
        variable("QDRANT__", "x"),
    ];
    let own = directory.path().join("own.toml");
    let gathered = gather(directory.path(), "production", Some(&own), variables.into_iter()).unwrap();
    assert_eq!(
        gathered.value,
        json!({
            "service": {"host": "1.1.1.1", "http_port": 2, "api_key": "c", "grpc_port": "5"},
            "log_level": "WARN",
            "storage": {"quotas": {"enabled": true}},
        })
    );
    assert_eq!(gathered.files.len(), 4);
    assert_eq!(gathered.nameless, ["QDRANT__"]);
}

#[test]
fn variables_that_name_no_key_are_told() {
    let nameless = [
        "QDRANT__SERVICE____API_KEY",
        "QDRANT__SERVICE__",
        "qdrant____API_KEY",
        "QDRANT__A__B__C__D__E__F__G__H__I",
    ];
    let fine = ["QDRANT__A__B__C__D__E__F__G__H", "QDRANT_A__", "HOME__"];
    let variables = nameless.into_iter().chain(fine).map(|name| variable(name, "x"));
    let directory = tempfile::tempdir().unwrap();
    let gathered = gather(directory.path(), "development", None, variables).unwrap();
    assert_eq!(gathered.nameless, nameless);
    assert_eq!(
        gathered.value.as_object().map(Map::len),
        Some(1),
        "{}",
        gathered.value
    );
}

#[test]
fn files_that_cannot_be_read_are_told_by_name() {
    let told = |name: &str, text: &str| {
        let directory = written(&[(name, text)]);
        let path = directory.path().join(name);
        gather(directory.path(), "x", Some(&path), std::iter::empty())
            .unwrap_err()
            .to_string()
    };
    let toml = told("own.toml", "[service\n");
    assert!(toml.contains("own.toml") && toml.contains("line 1"), "{toml}");
    let yaml = told("own.yaml", "a: [");
    assert!(yaml.contains("own.yaml"), "{yaml}");
    let ini = told("own.ini", "[service]\n");
    assert!(ini.contains("own.ini") && ini.contains("TOML"), "{ini}");
    // One of the usual places counts as much.
    assert!(told("config/config.ini", "").contains("config.ini"));
    let missing = gather(
        Path::new(""),
        "x",
        Some(Path::new("/nowhere.yaml")),
        std::iter::empty(),
    );
    assert!(missing.unwrap_err().to_string().contains("/nowhere.yaml"));
}

#[test]
fn lines_of_a_broken_file_are_not_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, "[service]\napi_key = \"secret\" x\n").unwrap();
    let told = read(&path).unwrap_err().to_string();
    assert!(
        told.contains("line 2, column ") && !told.contains("secret"),
        "{told}"
    );
}
