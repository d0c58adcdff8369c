//! Directories as sources of an import: which collections of them, under which names, and what is left.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::harness::{Place, is_untouched, npy};

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
    // The collection itself may get the name of its alias.
    let other = ["import", &store, "none", "--collection", "named_two"];
    let other = [&other[..], &["--rename", "named_two=two", "--dry-run"]].concat();
    assert_eq!(place.json(&other)["aliases"], json!([]));
    // The alias is there already, of another collection.
    let dry = [&one[..], &rename, &["--dry-run"]].concat();
    assert_eq!(place.json(&dry)["aliases"], json!([]));
    let told = place.vdb(&dry).succeeded().stderr;
    assert!(
        told.contains("the alias two of second would not be made: it is one of named_two"),
        "{told}"
    );
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
    for name in ["more", "_points"] {
        place.vdb(&["load", "db", name, &more]).succeeded();
    }
    for format in ["backup", "faiss", "jsonl"] {
        let ids: &[&str] = if format == "faiss" {
            &["--id-key", "key"]
        } else {
            &[]
        };
        let out = format!("out-{format}");
        let export = ["export", "db", "--all", &out, "--format", format];
        place.vdb(&[&export[..], ids].concat()).succeeded();
        place.file(&format!("{out}/_SUCCESS"), "");
        let again = format!("db-{format}");
        let import = ["import", &out, &again, "--all"];
        let import = [&import[..], ids].concat();
        let dry = place.json(&[&import[..], &["--dry-run"]].concat());
        assert_eq!(dry["collections"].as_array().unwrap().len(), 3, "{dry}");
        let ended = place.vdb(&import).succeeded();
        assert!(!ended.stderr.contains("passed over"), "{}", ended.stderr);
        for (name, points) in [("points", 4), ("more", 2), ("_points", 2)] {
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
    assert!(message.contains("passed over: _points.jsonl\n"), "{message}");
    assert!(is_untouched(&place.path("other")));
}

#[test]
fn of_several_collections_of_rows_all_are_checked_before_one_is_loaded() {
    let place = Place::new();
    fs::create_dir(place.path("rows")).unwrap();
    let good = "{\"id\": 1, \"vector\": [1, 2]}\n";
    place.file("rows/a.jsonl", good);
    let import = ["import", "rows", "db", "--all"];
    for (bad, option, part) in [
        ("{\"id\": 2, \"vector\": [1]}\n", &[][..], "nothing was imported"),
        (
            "{\"id\": 2}\n",
            &["--require-vectors"][..],
            "--require-vectors asks",
        ),
    ] {
        place.file("rows/b.jsonl", [good, bad].concat());
        let message = place.vdb(&[&import[..], option].concat()).failed_with(1);
        assert!(message.contains(part), "{message}");
        assert!(is_untouched(&place.path("db")), "{message}");
    }
    // What an option is for is looked at as well.
    place.file("rows/b.npy", npy(&[&[1.0, 2.0]]));
    fs::remove_file(place.path("rows/b.jsonl")).unwrap();
    let message = place.vdb(&[&import[..], &["--lossy"]].concat()).failed_with(2);
    assert!(message.contains("--lossy is for payloads"), "{message}");
    assert!(is_untouched(&place.path("db")));
    place.vdb(&import).succeeded();
    for name in ["a", "b"] {
        assert_eq!(place.json(&["count", "db", name]), json!({"count": 1}));
    }
}

#[test]
fn rows_that_take_the_places_of_others_are_told() {
    let place = Place::new();
    fs::create_dir(place.path("rows")).unwrap();
    for name in ["a", "b", "c"] {
        place.file(&format!("rows/{name}.jsonl"), "{\"id\": 1, \"vector\": [1, 2]}\n");
    }
    let told = |more: &[&str]| {
        let import = [&["import", "rows", "db"][..], more].concat();
        place.vdb(&import).succeeded().stderr
    };
    let all = told(&[]);
    assert!(
        all.contains("rows: 2 rows had the ids of others") && all.contains("with --all each file"),
        "{all}"
    );
    // The name is that of one file, and all go there.
    let one = told(&["--collection", "b"]);
    assert!(one.contains("all 3 files become the collection b"), "{one}");
    assert!(one.contains("b: 2 rows had the ids of others"), "{one}");
    // What was begun is meant to take its own places.
    let again = told(&["--resume"]);
    assert!(!again.contains("had the ids"), "{again}");
    fs::remove_dir_all(place.path("db")).unwrap();
    let each = told(&["--all"]);
    assert!(!each.contains("had the ids"), "{each}");
    let help = place.vdb(&["import", "--help"]).succeeded().stdout;
    let help: Vec<&str> = help.split_whitespace().collect();
    assert!(
        help.join(" ")
            .contains("of a directory of rows the name for all of them")
    );
}

#[test]
fn what_is_in_a_directory_counts_before_its_name_and_what_lies_around() {
    let place = Place::four_points();
    place
        .vdb(&["export", "db", "points", "p.backup", "--format", "backup"])
        .succeeded();
    fs::create_dir(place.path("monday.snapshot")).unwrap();
    for (source, to) in [("monday.snapshot", "to-1"), ("db", "to-2")] {
        fs::copy(place.path("p.backup"), place.path(source).join("pts.backup")).unwrap();
        place.vdb(&["import", source, to]).succeeded();
        assert_eq!(place.json(&["count", to, "pts"]), json!({"count": 4}), "{source}");
    }
    // A directory beside rows is no part of them.
    copied("faiss/flatip_8", &place.path("rows/index"));
    place.file("rows/part-0.jsonl", r#"{"id": 1, "vector": [1, 2]}"#);
    let ended = place.vdb(&["import", "rows", "to-3"]).succeeded();
    assert!(
        ended.stderr.contains("rows: passed over: index\n"),
        "{}",
        ended.stderr
    );
    assert_eq!(place.json(&["count", "to-3", "rows"]), json!({"count": 1}));
    // Nor is what lies beside an index and its metadata.
    copied("faiss/flatip_8", &place.path("store"));
    fs::copy(fixture("faiss/flatl2_8.faiss"), place.path("store/other.faiss")).unwrap();
    fs::copy(place.path("p.backup"), place.path("store/pts.backup")).unwrap();
    let ended = place.vdb(&["import", "store", "to-4"]).succeeded();
    assert!(
        ended
            .stderr
            .contains("store: passed over: other.faiss, pts.backup\n"),
        "{}",
        ended.stderr
    );
    assert_eq!(place.json(&["count", "to-4", "store"]), json!({"count": 12}));
}

#[test]
fn names_with_signs_of_the_command_line_get_others() {
    let place = Place::four_points();
    for name in ["a=b", "my posts"] {
        place.vdb(&["load", "db", name, "rows.jsonl"]).succeeded();
    }
    let export = ["export", "db", "--all", "out", "--format", "backup"];
    place.vdb(&export).succeeded();
    let import = ["import", "out", "again", "--all"];
    let message = place
        .vdb(&[&import[..], &["--rename", "points="]].concat())
        .failed_with(2);
    assert!(message.contains("OLD=NEW"), "{message}");
    assert!(is_untouched(&place.path("again")));
    place
        .vdb(&[&import[..], &["--rename", "a=b=c"]].concat())
        .succeeded();
    assert_eq!(place.json(&["count", "again", "c"]), json!({"count": 4}));
    let message = place
        .vdb(&["import", "out", "again", "--collection", "my posts"])
        .failed_with(1);
    assert!(message.contains("--rename 'my posts=NAME'"), "{message}");
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
    assert!(
        message.contains("it is no regular file: save what comes out of it"),
        "{message}"
    );
}
