use super::*;

const MOUNTS: &str = "30 23 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
                      31 23 0:27 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n\
                      32 23 0:28 / /sys/fs/cgroup/unified rw,relatime shared:4 - cgroup2 cgroup2 rw\n";

#[test]
fn groups_of_both_versions_are_found_version_2_first() {
    let groups = "4:memory:/jobs/7\n1:cpu:/\n0::/user.slice\n";
    let expected = vec![
        (Version::V2, PathBuf::from("/sys/fs/cgroup/unified/user.slice")),
        (Version::V1, PathBuf::from("/sys/fs/cgroup/memory/jobs/7")),
    ];
    assert_eq!(homes(groups, MOUNTS), expected);
    assert_eq!(homes("1:cpu:/\n", MOUNTS), []);
}

#[test]
fn a_part_of_a_hierarchy_is_mounted_as_its_root() {
    let mounts = "32 23 0:28 /box/1 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    let expected = vec![(Version::V2, PathBuf::from("/sys/fs/cgroup/inner"))];
    assert_eq!(homes("0::/box/1/inner\n", mounts), expected);
}

#[test]
fn where_memory_is_not_counted_nothing_is_left_behind() {
    let dir = tempfile::tempdir().unwrap();
    let error = MemoryGroup::below(dir.path(), dir.path(), Version::V2, 1 << 20).unwrap_err();
    assert!(error.to_string().contains("not counted"), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
