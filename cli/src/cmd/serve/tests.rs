use clap::Parser as _;

use super::*;

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

/// Where the database and its snapshots are, for a directory on the command line and these settings.
fn places(db: Option<&str>, settings: &str) -> (PathBuf, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yaml");
    std::fs::write(&file, settings).unwrap();
    let named = ["serve", "--config-path", file.to_str().unwrap()];
    let args = Line::parse_from(named.into_iter().chain(db)).args;
    args.places(&args.config().unwrap())
}

#[test]
fn snapshots_are_beside_the_database_that_is_named() {
    for (db, settings, expected) in [
        (None, "", ("./storage", "./snapshots")),
        (Some("my.db"), "", ("my.db", "my.db.snapshots")),
        (
            None,
            "storage: {storage_path: /data/db/}",
            ("/data/db/", "/data/db.snapshots"),
        ),
        (
            Some("my.db"),
            "storage: {storage_path: /data/db}",
            ("my.db", "my.db.snapshots"),
        ),
        (
            None,
            "storage: {storage_path: /data/db, snapshots_path: /backups}",
            ("/data/db", "/backups"),
        ),
        (
            None,
            "storage: {snapshots_path: /backups}",
            ("./storage", "/backups"),
        ),
        (
            None,
            "storage: {storage_path: '', snapshots_path: ''}",
            ("./storage", "./snapshots"),
        ),
    ] {
        let (db, snapshots) = places(db, settings);
        let found = (db.to_str().unwrap(), snapshots.to_str().unwrap());
        assert_eq!(found, expected, "{settings}");
    }
}
