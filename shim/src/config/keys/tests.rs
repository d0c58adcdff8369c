use serde_json::json;

use super::*;

#[test]
fn every_key_is_in_the_manual() {
    let manual = include_str!("../../../../docs/settings.md");
    for key in KEYS {
        let effect = match key.effect {
            Effect::Used => "used",
            Effect::Unused => "no effect",
            Effect::Refused => "refused",
        };
        let row = format!("| `{}` | {effect} | {} |", key.name, key.note);
        assert!(manual.contains(&row), "docs/settings.md has no line {row}");
    }
    let rows = manual.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, KEYS.len(), "docs/settings.md has keys that are not there");
}

#[test]
fn keys_are_looked_at_one_by_one() {
    let value = json!({
        "service": {"http_port": 1, "htp_port": 2, "hide_jwt_dashboard": true},
        "storage": {"wal": {"wal_capacity_mb": 1}, "performance": null, "optimizers": null, "quotas": {"enabld": true}},
        "cluster": {"enabled": false, "p2p": {"port": 6335}},
        "tls": null,
        "nonsense": {"a": {"b": 1}},
        "empty": null,
    });
    let found = look(&value).unwrap();
    assert_eq!(
        found.unknown,
        [
            "empty",
            "nonsense.a.b",
            "service.htp_port",
            "storage.quotas.enabld"
        ]
    );
    assert_eq!(
        found.unused,
        [
            "cluster.p2p.port",
            "service.hide_jwt_dashboard",
            "storage.wal.wal_capacity_mb"
        ]
    );
}

#[test]
fn what_turns_something_on_that_there_is_not_is_refused() {
    for (key, on) in [
        ("enabled", json!(true)),
        ("enabled", json!("1")),
        ("enabled", json!("yes")),
    ] {
        let refused = look(&json!({"cluster": {key: on}})).unwrap_err().to_string();
        assert!(
            refused.contains("cluster.enabled") && refused.contains("one node"),
            "{refused}"
        );
    }
    for off in [json!(false), json!(null), json!("0"), json!("False"), json!("")] {
        assert!(look(&json!({"audit": {"enabled": off}})).is_ok());
    }
}
