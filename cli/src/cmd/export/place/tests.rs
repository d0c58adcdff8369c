use super::*;

/// A directory with one file of this text, in `parent`.
fn directory(parent: &Path, text: &str) -> TempDir {
    let dir = TempDir::with_prefix_in(PREFIX, parent).unwrap();
    fs::write(dir.path().join("file"), text).unwrap();
    dir
}

#[test]
fn a_directory_takes_the_place_of_another_and_leaves_nothing_beside_it() {
    for put in [move_directory, move_aside] {
        let parent = tempfile::tempdir().unwrap();
        let to = parent.path().join("store");
        move_directory(directory(parent.path(), "old"), &to).unwrap();
        put(directory(parent.path(), "new"), &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("file")).unwrap(), "new");
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }
}

#[test]
fn what_is_there_stays_where_the_new_one_cannot_have_its_name() {
    let parent = tempfile::tempdir().unwrap();
    let to = parent.path().join("store");
    move_directory(directory(parent.path(), "old"), &to).unwrap();
    for put in [move_directory, move_aside] {
        let gone = directory(parent.path(), "new");
        fs::remove_dir_all(gone.path()).unwrap();
        put(gone, &to).unwrap_err();
        assert_eq!(fs::read_to_string(to.join("file")).unwrap(), "old");
    }
}
