use serde_json::json;

use super::super::rights::CollectionAccess;
use super::*;

const NOW: i64 = 1_000_000;

fn with(key: &str, claims: &Value) -> Result<Claims, Problem> {
    read(&signed(key, claims), &[Signer::new("secret").unwrap()], NOW)
}

fn raw(token: &str) -> Problem {
    read(token, &[Signer::new("secret").unwrap()], NOW).unwrap_err()
}

/// A token with this header that is signed as one should be.
fn headed(header: &str, claims: &str) -> String {
    let body = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let mut code = Signer::new("secret").unwrap().0;
    code.update(body.as_bytes());
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(code.finalize().into_bytes()))
}

#[test]
fn a_published_token_is_read() {
    // The example of RFC 7515, A.1, whose key is no text.
    let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let signer = Signer(Hmac::new_from_slice(&URL_SAFE_NO_PAD.decode(key).unwrap()).unwrap());
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leG\
                 FtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert!(read(token, std::slice::from_ref(&signer), 1_300_819_380).is_ok());
    assert_eq!(read(token, &[signer], 1_300_819_411), Err(Problem::Expired));
}

#[test]
fn access_is_what_the_claim_says() {
    let access = |claims: Value| with("secret", &claims).map(|claims| claims.access);
    assert_eq!(access(json!({})), Ok(Access::Manage));
    assert_eq!(
        access(json!({"access": "m", "iat": 1, "other": [1]})),
        Ok(Access::Manage)
    );
    assert_eq!(access(json!({"access": "r"})), Ok(Access::Read));
    assert_eq!(access(json!({"access": []})), Ok(Access::nothing()));
    let rule = Rule {
        collection: "c".to_owned(),
        access: CollectionAccess::Write,
    };
    assert_eq!(
        access(json!({"access": [{"collection": "c", "access": "rw"}]})),
        Ok(Access::Collections(vec![rule]))
    );
    for wrong in [
        json!(null),
        json!("rw"),
        json!(1),
        json!({"collection": "c"}),
        json!([{"collection": "c"}]),
        json!([{"collection": "c", "access": "m"}]),
        json!([{"collection": "c", "access": "r", "payload": {"user": 1}}]),
        json!(["c"]),
    ] {
        let refused = access(json!({"access": wrong}));
        assert!(matches!(refused, Err(Problem::Claims(_))), "{wrong}: {refused:?}");
    }
}

#[test]
fn times_have_a_leeway() {
    let outcome = |claims: Value| with("secret", &claims).map(drop);
    for (claims, expected) in [
        (json!({"exp": NOW - 30}), Ok(())),
        (json!({"exp": NOW - 31}), Err(Problem::Expired)),
        (json!({"exp": 0}), Err(Problem::Expired)),
        (json!({"exp": -1e300}), Err(Problem::Expired)),
        (json!({"exp": 1e300}), Ok(())),
        (json!({"nbf": NOW + 30}), Ok(())),
        (json!({"nbf": NOW + 31}), Err(Problem::Early)),
    ] {
        assert_eq!(outcome(claims.clone()), expected, "{claims}");
    }
    // A time of another kind is not taken for none.
    for claims in [json!({"exp": "1"}), json!({"exp": [1]}), json!({"nbf": true})] {
        assert!(
            matches!(outcome(claims.clone()), Err(Problem::Claims(_))),
            "{claims}"
        );
    }
}

#[test]
fn a_condition_names_a_collection_and_values() {
    let claims = |matches: Value| json!({"value_exists": {"collection": "users", "matches": matches}});
    let read = with("secret", &claims(json!([{"key": "id", "value": 7}]))).unwrap();
    let condition = read.value_exists.unwrap();
    assert_eq!(
        (condition.collection.as_str(), condition.matches.len()),
        ("users", 1)
    );
    for wrong in [
        json!([]),
        json!([{"key": "id"}]),
        json!([{"key": "id", "value": 1.5}]),
        json!([{"key": "id", "value": null}]),
    ] {
        assert!(with("secret", &claims(wrong.clone())).is_err(), "{wrong}");
    }
}

#[test]
fn hostile_tokens_are_refused() {
    assert_eq!(with("other", &json!({})).unwrap_err(), Problem::Signature);
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None","typ":"JWT"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
    ] {
        assert_eq!(raw(&headed(header, "{}")), Problem::Algorithm, "{header}");
    }
    let good = signed("secret", &json!({"access": "r"}));
    let (body, signature) = good.rsplit_once('.').unwrap();
    assert_eq!(raw(&format!("{body}.")), Problem::Signature);
    assert_eq!(raw(&format!("{body}.{}", &signature[..20])), Problem::Signature);
    let claims = URL_SAFE_NO_PAD.encode(r#"{"access":"m"}"#);
    let (header, _) = body.split_once('.').unwrap();
    assert_eq!(raw(&format!("{header}.{claims}.{signature}")), Problem::Signature);
    for text in [
        "",
        ".",
        "..",
        "a.b.c",
        "a.b.c.d",
        &format!("{good}.x"),
        "\u{1f989}.b.c",
        &"x".repeat(1 << 20),
    ] {
        assert_eq!(raw(text), Problem::NoToken, "{}", text.len());
    }
    let deep = format!("{}{}", "[".repeat(4_000), "]".repeat(4_000));
    let nested = headed(r#"{"alg":"HS256"}"#, &format!(r#"{{"access":{deep}}}"#));
    assert!(matches!(raw(&nested), Problem::Claims(_)));
    assert_eq!(raw(&headed(&deep, "{}")), Problem::NoToken);
}

#[test]
fn a_subject_may_have_both_names() {
    let subject = |claims: Value| with("secret", &claims).unwrap().subject;
    assert_eq!(subject(json!({"sub": "a"})).as_deref(), Some("a"));
    assert_eq!(subject(json!({"subject": "b"})).as_deref(), Some("b"));
    assert_eq!(subject(json!({"sub": "a", "subject": "b"})).as_deref(), Some("b"));
}
