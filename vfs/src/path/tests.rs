use super::*;

#[test]
fn paths_that_could_leave_the_root_are_refused() {
    for bad in [
        "/", "/etc", "..", "a/..", "../a", "a/../b", ".", "a/./b", "a//b", "a/", "\0", "a\0b", "a\nb", "C:",
        "a\\b",
    ] {
        assert!(matches!(check(bad), Err(Error::InvalidPath { .. })), "{bad:?}");
        assert!(check_dir(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn overlong_names_and_paths_are_refused() {
    assert!(check(&"n".repeat(255)).is_ok());
    assert!(check(&"n".repeat(256)).is_err());
    assert!(check(&vec!["abc"; 1000].join("/")).is_err());
}

#[test]
fn ordinary_names_are_accepted_and_only_directories_may_be_the_root() {
    for good in ["a", "a/b", "..a", "a..", ".lock", "wal/00000001.log", "größe"] {
        assert!(check(good).is_ok(), "{good:?}");
    }
    assert!(check("").is_err());
    assert!(check_dir("").is_ok());
}

#[test]
fn split_undoes_join() {
    assert_eq!(split(&join("a/b", "c")), ("a/b", "c"));
    assert_eq!(split(&join("", "c")), ("", "c"));
}
