use super::*;

#[test]
fn a_write_that_waits_for_its_sync_holds_back_those_behind_it() {
    let visibility = Visibility::new(10);
    visibility.applied(11, true);
    visibility.applied(12, false);
    assert_eq!(visibility.get(), 10);
    visibility.synced(11);
    assert_eq!(visibility.get(), 12);
}

#[test]
fn one_sync_shows_all_that_it_covers() {
    let visibility = Visibility::new(0);
    for lsn in 1..=5 {
        visibility.applied(lsn, true);
    }
    visibility.synced(3);
    assert_eq!(visibility.get(), 3);
    visibility.synced(2);
    assert_eq!(visibility.get(), 3);
    visibility.synced(9);
    assert_eq!(visibility.get(), 5);
}

#[test]
fn those_who_wait_for_what_will_never_come_are_told() {
    let visibility = std::sync::Arc::new(Visibility::new(0));
    visibility.applied(1, true);
    let waiting = {
        let visibility = visibility.clone();
        std::thread::spawn(move || visibility.wait(1))
    };
    visibility.poison("the disk is gone");
    assert!(matches!(waiting.join().unwrap(), Err(Error::Poisoned(why)) if why == "the disk is gone"));
    assert!(visibility.wait(0).is_ok());
}
