use super::{Advice, Map};
use std::io::{ErrorKind, Write};

fn file_of(bytes: &[u8]) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

#[test]
fn a_mapping_shows_the_first_bytes_of_the_file() {
    let file = file_of(b"hello, map");
    assert_eq!(&*Map::new(&file, 10).unwrap(), b"hello, map");
    assert_eq!(&*Map::new(&file, 5).unwrap(), b"hello");
}

#[test]
fn an_empty_mapping_is_an_empty_slice() {
    let map = Map::new(&file_of(b""), 0).unwrap();
    assert!(map.is_empty());
    map.advise(Advice::WillNeed);
}

#[test]
fn a_mapping_longer_than_the_file_is_refused() {
    let error = Map::new(&file_of(b"abc"), 4).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_mapping_starts_on_a_page() {
    let map = Map::new(&file_of(&[7; 100]), 100).unwrap();
    assert_eq!(map.as_ptr().addr() % 4096, 0);
}

#[test]
fn advice_never_fails_and_never_changes_bytes() {
    let bytes: Vec<u8> = (0..20_000u32).map(|i| (i % 251) as u8).collect();
    let map = Map::new(&file_of(&bytes), bytes.len()).unwrap();
    for advice in [
        Advice::Normal,
        Advice::Random,
        Advice::Sequential,
        Advice::WillNeed,
    ] {
        map.advise(advice);
        map.advise_range(5000..9000, advice);
        map.advise_range(19_999..usize::MAX, advice);
        map.advise_range(usize::MAX - 1..usize::MAX, advice);
    }
    assert_eq!(&*map, &bytes[..]);
}

#[test]
fn bringing_bytes_in_changes_none_and_reads_all() {
    let bytes: Vec<u8> = (0..9_000_000u32).map(|i| (i % 251) as u8).collect();
    let map = Map::new(&file_of(&bytes), bytes.len()).unwrap();
    map.bring_in();
    assert_eq!(&*map, &bytes[..]);
    #[cfg(target_os = "linux")]
    assert!(map.resident_bytes().unwrap() >= bytes.len() as u64);
    Map::new(&file_of(b""), 0).unwrap().bring_in();
}

#[test]
#[cfg(target_os = "linux")]
fn bytes_just_written_are_resident_in_whole_pages() {
    let map = Map::new(&file_of(&[7; 10_000]), 10_000).unwrap();
    let resident = map.resident_bytes().unwrap();
    assert!(
        resident >= 10_000 && resident.is_multiple_of(4096),
        "{resident} bytes"
    );
    assert_eq!(Map::new(&file_of(b""), 0).unwrap().resident_bytes().unwrap(), 0);
}
