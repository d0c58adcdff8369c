use super::*;

#[test]
fn a_lock_file_says_who_holds_it() {
    let me = Holder::this_process();
    assert!(!me.program.is_empty() && me.to_text().len() <= MAX_TEXT);
    assert_eq!(Holder::parse(me.to_text().as_bytes()), Some(me.clone()));
    assert_eq!(
        me.to_string(),
        format!("another handle of this process ({})", me.pid)
    );

    let other = Holder::parse(b"4000000000\nloader\n").unwrap();
    assert_eq!(other.to_string(), "process 4000000000 (loader)");
    assert_eq!(
        Holder::parse(b"4000000000\n").unwrap().to_string(),
        "process 4000000000"
    );
    assert_eq!(Holder::parse(b"7\n\x1b[2Jx\n").unwrap().program, "[2Jx");
    for nothing in [&b""[..], b"\n", b"loader\n", b"\xff\xff", b"99999999999\n"] {
        assert_eq!(Holder::parse(nothing), None);
    }
}
