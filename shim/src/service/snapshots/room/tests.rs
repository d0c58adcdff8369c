use super::*;

fn room(free: fn(&Path) -> Option<u64>) -> Room {
    Room {
        free,
        ..Room::new(Path::new("/snapshots"))
    }
}

#[test]
fn a_file_leaves_the_reserve_alone() {
    let room = room(|_| Some(RESERVE + 100));
    assert_eq!(room.expect(100), Ok(()));
    let error = room.expect(101).unwrap_err();
    assert_eq!(error.kind, ErrorKind::OutOfStorage);
    assert!(error.message.contains("101 more bytes"), "{error}");
    assert!(!error.message.contains("/snapshots"), "{error}");
    assert!(room.expect(u64::MAX).is_err());
}

#[test]
fn what_is_written_is_watched() {
    // Less than a step is left: every write is looked at.
    let mut little = room(|_| Some(RESERVE + 100));
    assert_eq!(little.take(100), Ok(()));
    let mut none = room(|_| Some(RESERVE));
    assert!(none.take(1).is_err());
}

#[test]
fn where_the_system_does_not_tell_there_is_room() {
    let mut room = room(|_| None);
    assert_eq!(room.expect(u64::MAX), Ok(()));
    assert_eq!(room.take(1), Ok(()));
}

#[cfg(unix)]
#[test]
fn the_system_tells_of_directories() {
    assert!(free(&std::env::temp_dir()).is_some());
    assert_eq!(free(Path::new("/no/such/directory")), None);
}
