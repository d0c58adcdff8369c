//! Runs the built binary the way a script does.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The commands that answer with JSON.
pub(crate) const COMMANDS: [&str; 23] = [
    "create",
    "load",
    "import",
    "export",
    "migrate",
    "query",
    "get",
    "scroll",
    "sort",
    "count",
    "aggregate",
    "delete",
    "ttl",
    "info",
    "collections",
    "config",
    "index",
    "compact",
    "verify",
    "repair",
    "snapshot",
    "restore",
    "demo",
];

/// A directory of its own, with the database `db` in it.
pub(crate) struct Place {
    dir: TempDir,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file and returns its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// Runs `vdb` in the directory.
    pub(crate) fn vdb(&self, arguments: &[&str]) -> Ended {
        self.vdb_with_stdin(arguments, b"")
    }

    pub(crate) fn vdb_with_stdin(&self, arguments: &[&str], stdin: &[u8]) -> Ended {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        // A command that needs no input may end before it is handed over.
        let _ = input.write_all(stdin);
        drop(input);
        Ended::from(child.wait_with_output().unwrap())
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vdb"));
        command.args(arguments).current_dir(self.dir.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `vdb`, which has to succeed, and reads its one JSON value.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.push("--json");
        let ended = self.vdb(&all).succeeded();
        serde_json::from_str(&ended.stdout).unwrap_or_else(|e| panic!("{e}: {}", ended.stdout))
    }

    /// A collection of four points in the plane: `db`, `points`.
    pub(crate) fn four_points() -> Place {
        let place = Place::new();
        let rows = concat!(
            r#"{"id": 1, "vector": [1, 0], "payload": {"name": "east", "n": 1, "warm": true}}"#,
            "\n",
            r#"{"id": 2, "vector": [0, 1], "payload": {"name": "north", "n": 2, "warm": false}}"#,
            "\n",
            r#"{"id": 3, "vector": [1, 1], "payload": {"name": "north-east", "n": 3}}"#,
            "\n",
            r#"{"id": "6f1b8f86-58a0-4c3a-9d7e-0a1b2c3d4e5f", "vector": [-1, 0], "payload": {"name": "west"}}"#,
            "\n",
        );
        let file = place.file("rows.jsonl", rows);
        place.vdb(&["load", "db", "points", &file]).succeeded();
        place
    }
}

impl Ended {
    fn from(output: Output) -> Ended {
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Itself, if the exit code is 0.
    pub(crate) fn succeeded(self) -> Ended {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// The message on standard error, if the exit code is `code`.
    pub(crate) fn failed_with(self, code: i32) -> String {
        assert_eq!(
            self.code, code,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self.stderr
    }
}

/// A version 1.0 `.npy` file of little-endian `f32`.
pub(crate) fn npy(rows: &[&[f32]]) -> Vec<u8> {
    let dim = rows.first().map_or(0, |row| row.len());
    let mut header = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {dim}), }}",
        rows.len()
    );
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(
        rows.iter()
            .flat_map(|row| row.iter())
            .flat_map(|number| number.to_le_bytes()),
    );
    file
}

/// The ids of an answer, as text.
pub(crate) fn ids(answer: &Value) -> Vec<String> {
    let id = |point: &Value| {
        point["id"]
            .as_str()
            .map_or(point["id"].to_string(), str::to_owned)
    };
    answer["points"].as_array().unwrap().iter().map(id).collect()
}

/// Names in a directory, sorted.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Whether nothing was made at this path.
pub(crate) fn is_untouched(dir: &Path) -> bool {
    !dir.exists()
}
