//! How far a migration has come, for the next run: a small file of JSON with a checksum, replaced as a whole.
//!
//! It may be behind what is at the target, never ahead of it: a batch is in it only once the target has acknowledged it. What is
//! written again is there once, because points go by their ids.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use vdb::PointId;

use crate::endpoint::Endpoint;
use crate::error::{MigrateError, Result};

/// The version of the file.
const FORMAT: u64 = 2;
/// The largest file that is read: thousands of collections of hundreds of slices.
const MOST_BYTES: u64 = 64 << 20;
/// How much work may have to be done again after a crash, at most.
const EVERY: Duration = Duration::from_secs(1);
/// What follows the name of a directory in that of its journal.
const SUFFIX: &str = ".migration";

/// How far a collection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// Points are being copied.
    Copying,
    /// All are; they are not compared yet, or not the same.
    Copied,
    /// Done.
    Done,
}

/// How far a slice is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Slice {
    /// The last point that the target has acknowledged, with all before it.
    pub(crate) last: Option<PointId>,
    /// How many these are.
    pub(crate) points: u64,
    /// Of these, those with a number that may have lost its last digits on the way.
    pub(crate) rounded: u64,
    /// Whether that is all.
    pub(crate) done: bool,
}

/// What is kept of a collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Its name at the target.
    pub(crate) target: String,
    /// What its vectors were.
    pub(crate) schema: BTreeMap<String, String>,
    /// Whether this migration made it there, and so sets it up at the end.
    pub(crate) created: bool,
    /// Whether it was there before and was added to, so that it may have more points than the source.
    pub(crate) added_to: bool,
    /// Whether graphs wait for the end.
    pub(crate) deferred: bool,
    pub(crate) stage: Stage,
    pub(crate) slices: Vec<Slice>,
}

impl Entry {
    /// Points that the target has acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.slices.iter().map(|slice| slice.points).sum()
    }

    /// Of these, those with a number that may have lost its last digits on the way.
    pub(crate) fn rounded(&self) -> u64 {
        self.slices.iter().map(|slice| slice.rounded).sum()
    }

    /// Whether no slice has more to be copied.
    pub(crate) fn is_copied(&self) -> bool {
        self.slices.iter().all(|slice| slice.done)
    }

    /// All points are to be copied again.
    pub(crate) fn begin_again(&mut self) {
        self.stage = Stage::Copying;
        self.slices.fill(Slice::default());
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    from: String,
    to: String,
    collections: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    format: u64,
    checksum: String,
    migration: Value,
}

/// The journal of one migration. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    path: Option<PathBuf>,
    state: Arc<Mutex<State>>,
}

struct State {
    body: Body,
    saved: Instant,
}

/// Where the journal of a migration is unless somebody says otherwise: beside the directory that takes part, the target's before
/// the source's; between servers, in the directory that the program was started in.
pub fn default_state(from: &Endpoint, to: &Endpoint) -> PathBuf {
    for endpoint in [to, from] {
        if let Some(directory) = endpoint.directory() {
            // A trailing slash would put it inside.
            let mut name = directory.components().as_path().as_os_str().to_owned();
            name.push(SUFFIX);
            return name.into();
        }
    }
    let digest = Sha256::digest(format!("{from}\n{to}"));
    let short: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("vdb-{short}{SUFFIX}").into()
}

impl Journal {
    /// One that is gone with the process.
    pub fn in_memory(from: impl Into<String>, to: impl Into<String>) -> Self {
        Journal::with(None, from.into(), to.into(), BTreeMap::new())
    }

    /// That of a migration from one place to another: the one that is in the file, or a new one where there is no file.
    ///
    /// # Errors
    /// When the file is damaged, of another version, or that of another migration.
    pub fn open(path: impl Into<PathBuf>, from: impl Into<String>, to: impl Into<String>) -> Result<Self> {
        let (path, from, to) = (path.into(), from.into(), to.into());
        let collections = match read(&path) {
            Ok(None) => BTreeMap::new(),
            Ok(Some(body)) if body.from == from && body.to == to => body.collections,
            Ok(Some(body)) => {
                return Err(MigrateError::Journal {
                    path,
                    problem: format!(
                        "this is the state of a migration from {} to {}, not from {from} to {to}: name another file with \
                         --state, or remove this one if that migration is over",
                        body.from, body.to
                    ),
                });
            }
            Err(problem) => return Err(MigrateError::Journal { path, problem }),
        };
        Ok(Journal::with(Some(path), from, to, collections))
    }

    fn with(path: Option<PathBuf>, from: String, to: String, collections: BTreeMap<String, Entry>) -> Self {
        let body = Body {
            from,
            to,
            collections,
        };
        let saved = Instant::now();
        Journal {
            path,
            state: Arc::new(Mutex::new(State { body, saved })),
        }
    }

    /// Its file.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What is kept of a collection.
    pub(crate) fn entry(&self, collection: &str) -> Option<Entry> {
        self.state.lock().body.collections.get(collection).cloned()
    }

    /// Keeps something of a collection, at once.
    pub(crate) fn keep(&self, collection: &str, entry: Entry) -> Result<()> {
        let mut state = self.state.lock();
        state.body.collections.insert(collection.to_owned(), entry);
        self.save(&mut state)
    }

    /// Forgets a collection, at once.
    pub(crate) fn forget(&self, collection: &str) -> Result<()> {
        let mut state = self.state.lock();
        state.body.collections.remove(collection);
        self.save(&mut state)
    }

    /// Changes what is kept of a collection, and writes it if `now` says so or it has not been written for a while.
    pub(crate) fn change(&self, collection: &str, now: bool, change: impl FnOnce(&mut Entry)) -> Result<()> {
        let mut state = self.state.lock();
        if let Some(entry) = state.body.collections.get_mut(collection) {
            change(entry);
        }
        if now || state.saved.elapsed() >= EVERY {
            return self.save(&mut state);
        }
        Ok(())
    }

    /// Writes what is not written yet.
    pub(crate) fn flush(&self) -> Result<()> {
        self.save(&mut self.state.lock())
    }

    /// The migration is over: the file goes.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(crate) fn finish(&self) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(MigrateError::Journal {
                path: path.clone(),
                problem: format!("the migration is done, and its state cannot be removed: {error}"),
            }),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn save(&self, state: &mut State) -> Result<()> {
        state.saved = Instant::now();
        let Some(path) = &self.path else { return Ok(()) };
        write(path, &state.body).map_err(|error| MigrateError::Journal {
            path: path.clone(),
            problem: format!("how far the migration is cannot be written: {error}"),
        })
    }
}

fn checksum(migration: &Value) -> String {
    let digest = Sha256::digest(migration.to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write(path: &Path, body: &Body) -> io::Result<()> {
    let migration = serde_json::to_value(body)?;
    let envelope = Envelope {
        format: FORMAT,
        checksum: checksum(&migration),
        migration,
    };
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    serde_json::to_writer_pretty(&mut file, &envelope)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The name is durable once its directory is.
    File::open(directory)?.sync_all()
}

/// What is in the file, if there is one.
fn read(path: &Path) -> std::result::Result<Option<Body>, String> {
    let damaged = |what: &str| {
        format!(
            "{what}: it says how far a migration is and is of no use any more; remove it, and go on with --existing append \
             or --existing sync"
        )
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    let mut text = String::new();
    let read = file.take(MOST_BYTES + 1).read_to_string(&mut text);
    read.map_err(|error| damaged(&format!("this is no text ({error})")))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(damaged("this is larger than any state of a migration"));
    }
    let value: Value =
        serde_json::from_str(&text).map_err(|error| damaged(&format!("this is no JSON ({error})")))?;
    match value.get("format").and_then(Value::as_u64) {
        Some(FORMAT) => {}
        Some(format) => {
            return Err(format!(
                "this has format {format}, and this program knows format {FORMAT}: go on with the version that wrote it"
            ));
        }
        None => return Err(damaged("this is no state of a migration")),
    }
    let envelope: Envelope = serde_json::from_value(value).map_err(|error| damaged(&error.to_string()))?;
    if checksum(&envelope.migration) != envelope.checksum {
        return Err(damaged("the checksum is wrong"));
    }
    let body = serde_json::from_value(envelope.migration).map_err(|error| damaged(&error.to_string()))?;
    Ok(Some(body))
}

#[cfg(test)]
mod tests;
