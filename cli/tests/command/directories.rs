//! Directories as sources of an import: which collections of them, under which names, and what is left.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::harness::{Place, is_untouched};

fn fixture(name: &str) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/interop")).join(name);
    path.display().to_string()
}

fn copied(name: &str, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(fixture(name)).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn collections_of_a_directory_get_other_names() {
    let place = Place::new();
    let store = fixture("qdrant_local/store_client-1.16.2_pydantic-2.14.3");
    let one = ["import", &store, "db", "--collection", "named_two"];
    // A dry run tells what would become of its aliases.
    let rename = ["--rename", "named_two=second"];
    let dry = place.json(&[&one[..], &rename, &["--dry-run"]].concat());
    assert_eq!(
        (&dry["collections"][0]["name"], &dry["aliases"]),
        (&json!("second"), &json!(["two"]))
    );
    place.vdb(&one).succeeded();
    let message = place.vdb(&one).failed_with(1);
    assert!(message.contains("--rename named_two=NAME"), "{message}");
    // The alias is there already, of another collection.
    let ended = place.vdb(&[&one[..], &rename].concat()).succeeded();
    assert!(
        ended.stderr.contains("the alias two of second was not made"),
        "{}",
        ended.stderr
    );
    assert_eq!(
        place.json(&["count", "db", "second"]),
        place.json(&["count", "db", "named_two"])
    );
    for (rename, part) in [
        ("stones=second", "stones is renamed and not imported"),
        ("named_two=a/b", "not allowed"),
    ] {
        let message = place.vdb(&[&one[..], &["--rename", rename]].concat());
        assert!(message.stderr.contains(part), "{}", message.stderr);
        assert_ne!(message.code, 0);
    }
    let chroma = fixture("chroma/store");
    let both = [
        "import",
        &chroma,
        "db2",
        "--all",
        "--rename",
        "posts=posts_ip_synced",
    ];
    let message = place.vdb(&both).failed_with(2);
    assert!(message.contains("would both become posts_ip_synced"), "{message}");
    assert!(is_untouched(&place.path("db2")));
}

#[test]
fn the_directory_that_one_is_in_has_a_name_as_well() {
    let place = Place::new();
    let dir = place.path("posts");
    copied("faiss/flatip_8", &dir);
    let mut command = place.command(&["import", ".", "../db"]);
    let ended = command.current_dir(&dir).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(place.json(&["count", "db", "posts"]), json!({"count": 12}));
    // The index alone has no payloads, and that is told.
    let index = dir.join("index.faiss").display().to_string();
    let ended = place
        .vdb(&["import", &index, "db", "--collection", "bare", "--quiet"])
        .succeeded();
    assert!(
        ended.stderr.contains("metadata.pkl beside it is not read"),
        "{}",
        ended.stderr
    );
}

#[test]
fn nothing_of_a_directory_stays_behind_unseen() {
    let place = Place::four_points();
    let rename = ["collections", "rename", "db", "points", "_points"];
    place.vdb(&rename).succeeded();
    place
        .vdb(&["collections", "alias", "db", "current", "_points"])
        .succeeded();
    let export = ["export", "db", "--all", "out", "--format", "backup"];
    let ended = place.vdb(&export).succeeded();
    assert!(
        ended
            .stderr
            .contains("_points: a backup has no place for aliases: current"),
        "{}",
        ended.stderr
    );
    place.file("out/more.jsonl", r#"{"id": 1, "vector": [1, 2]}"#);
    place.file("out/notes.txt", "some words");
    place.file("out/.hidden.backup", "");
    let ended = place
        .vdb(&["import", "out", "again", "--all", "--quiet"])
        .succeeded();
    assert!(
        ended
            .stderr
            .contains("out: passed over: .hidden.backup, more.jsonl, notes.txt"),
        "{}",
        ended.stderr
    );
    assert_eq!(place.json(&["count", "again", "_points"]), json!({"count": 4}));
    // Of rows notes of other programs are none.
    fs::create_dir(place.path("rows")).unwrap();
    place.file("rows/part-0.jsonl", r#"{"id": 1, "vector": [1, 2]}"#);
    place.file("rows/part-1.jsonl.tmp", "");
    place.file("rows/_SUCCESS", "");
    let ended = place.vdb(&["import", "rows", "db"]).succeeded();
    assert!(
        ended.stderr.contains("passed over: part-1.jsonl.tmp\n"),
        "{}",
        ended.stderr
    );
}

#[test]
fn whatever_format_all_collections_go_out_in_they_come_back_as_several() {
    let place = Place::four_points();
    let more = place.file(
        "more.jsonl",
        "{\"id\": 0, \"vector\": [5, 6]}\n{\"id\": 1, \"vector\": [7, 8]}\n",
    );
    place.vdb(&["load", "db", "more", &more]).succeeded();
    for format in ["backup", "faiss", "jsonl"] {
        let ids: &[&str] = if format == "faiss" {
            &["--id-key", "key"]
        } else {
            &[]
        };
        let out = format!("out-{format}");
        let export = ["export", "db", "--all", &out, "--format", format];
        place.vdb(&[&export[..], ids].concat()).succeeded();
        let again = format!("db-{format}");
        let import = ["import", &out, &again, "--all"];
        let import = [&import[..], ids].concat();
        let dry = place.json(&[&import[..], &["--dry-run"]].concat());
        assert_eq!(dry["collections"].as_array().unwrap().len(), 2, "{dry}");
        place.vdb(&import).succeeded();
        for (name, points) in [("points", 4), ("more", 2)] {
            assert_eq!(
                place.json(&["count", &again, name]),
                json!({"count": points}),
                "{format}"
            );
        }
    }
    // Two files of one name would be one collection.
    place.file("out-jsonl/more.csv", "id,v0,v1\n1,2,3\n");
    let message = place
        .vdb(&["import", "out-jsonl", "other", "--all"])
        .failed_with(1);
    assert!(message.contains("would be the collection \"more\""), "{message}");
    let message = place.vdb(&["import", "out-jsonl", "other"]).failed_with(1);
    assert!(message.contains("--all"), "{message}");
    assert!(is_untouched(&place.path("other")));
}

#[test]
fn a_dry_run_tells_points_without_vectors_and_indexes() {
    let place = Place::four_points();
    place
        .vdb_with_stdin(
            &["load", "db", "points", "-"],
            br#"{"id": 9, "payload": {"name": "none"}}"#,
        )
        .succeeded();
    place.vdb(&["index", "db", "points", "name"]).succeeded();
    place
        .vdb(&["export", "db", "points", "p.backup", "--format", "backup"])
        .succeeded();
    let told = place
        .vdb(&["import", "p.backup", "other", "--dry-run"])
        .succeeded()
        .stderr;
    for part in [
        "5 points, 1 without vectors; 2 f32 numbers, cosine",
        "indexes of name (keyword)",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn what_another_command_takes_is_told() {
    let place = Place::four_points();
    place.vdb(&["snapshot", "db", "monday"]).succeeded();
    place.file("birds.snapshot", "tar");
    fs::create_dir(place.path("storage")).unwrap();
    place.file("storage/raft_state.json", "{}");
    let pickle = fixture("faiss/flatip_8/metadata.pkl");
    for (source, part) in [
        ("db", "`vdb migrate --from DIR"),
        ("monday", "`vdb restore`"),
        ("birds.snapshot", "recover it there"),
        ("storage", "start the server"),
        (pickle.as_str(), "the directory with both is the source"),
    ] {
        let message = place.vdb(&["import", source, "other"]).failed_with(1);
        assert!(message.contains(part), "{source}: {message}");
        assert!(is_untouched(&place.path("other")), "{source}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_directory_of_another_program_is_not_waited_at() {
    let place = Place::new();
    let dir = place.path("store/collection/one_point");
    fs::create_dir_all(&dir).unwrap();
    fs::copy(
        fixture("qdrant_local/store/meta.json"),
        place.path("store/meta.json"),
    )
    .unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(dir.join("storage.sqlite"))
        .status();
    assert!(pipe.unwrap().success());
    let message = place
        .vdb(&["import", "store", "db", "--collection", "one_point"])
        .failed_with(1);
    assert!(message.contains("it is no regular file"), "{message}");
}
