use super::*;

#[test]
fn without_keys_everybody_may_do_everything() {
    let keys = Keys::none().full("").read_only("");
    assert!(!keys.are_required());
    assert_eq!(keys.access(None), Some(Access::Full));
}

#[test]
fn a_key_gives_what_it_is_for() {
    let keys = Keys::none().full("a").full("b").read_only("r");
    assert_eq!(keys.access(Some("b")), Some(Access::Full));
    assert_eq!(keys.access(Some("r")), Some(Access::ReadOnly));
    assert_eq!(keys.access(Some("x")), None);
    assert_eq!(keys.access(None), None);
}
