use super::*;

#[test]
fn a_view_stays_what_it_was_when_the_file_is_written_to() {
    let disk = MemDisk::new();
    let file = disk.create("f").unwrap();
    file.write_all_at(b"before", 0).unwrap();
    let view = disk.map("f").unwrap();
    file.write_all_at(b"after!", 0).unwrap();
    file.set_len(1).unwrap();
    assert_eq!(&*view, b"before");
    assert_eq!(&*disk.map("f").unwrap(), b"a");
    assert!(!view.is_mapped());
}

#[test]
fn views_of_an_unchanged_file_share_its_bytes() {
    let disk = MemDisk::new();
    disk.create("f").unwrap().write_all_at(&[1; 1000], 0).unwrap();
    let (a, b) = (disk.map("f").unwrap(), disk.map("f").unwrap());
    assert_eq!(a.as_ptr(), b.as_ptr());
}
