use serde_json::json;

use super::super::token::signed;
use super::*;

fn access(keys: &Keys, shown: Option<&str>) -> Option<Access> {
    let caller = keys.identify_at(shown, 1_000).ok()?;
    Some(caller.access().clone())
}

#[test]
fn without_keys_everybody_may_do_everything() {
    let keys = Keys::none().full("").read_only("").tokens();
    assert!(!keys.are_required() && !keys.can_sign());
    assert_eq!(access(&keys, None), Some(Access::Manage));
}

#[test]
fn a_key_gives_what_it_is_for() {
    let keys = Keys::none().full("a").full("b").read_only("r");
    assert_eq!(access(&keys, Some("b")), Some(Access::Manage));
    assert_eq!(access(&keys, Some("r")), Some(Access::Read));
    for unknown in [None, Some(""), Some("x")] {
        assert_eq!(access(&keys, unknown), None, "{unknown:?}");
    }
}

#[test]
fn a_token_counts_where_tokens_do_and_a_full_key_signed_it() {
    let keys = Keys::none().full("a").full("b").read_only("r");
    let token = |key| signed(key, &json!({"access": "r", "subject": "owl"}));
    assert_eq!(access(&keys, Some(&token("a"))), None, "tokens are off");
    let keys = keys.tokens();
    for key in ["a", "b"] {
        assert_eq!(access(&keys, Some(&token(key))), Some(Access::Read), "{key}");
    }
    assert_eq!(
        access(&keys, Some(&token("r"))),
        None,
        "a key for reading signs nothing"
    );
    let caller = keys.identify_at(Some(&token("a")), 0).unwrap();
    assert_eq!(caller.subject(), Some("owl"));
    let problem = keys.identify_at(Some("a.b.c"), 0).unwrap_err();
    assert_eq!(problem.kind, ErrorKind::Unauthorized);
    assert!(problem.message.starts_with(UNKNOWN), "{problem}");
}

#[test]
fn nothing_shows_a_key() {
    let shown = format!("{:?}", Keys::none().full("secret").tokens());
    assert_eq!(shown, "Keys(1 full, 0 read only, and tokens)");
}
