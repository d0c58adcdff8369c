//! Directories of `QdrantClient(path=...)`: `meta.json`, and a SQLite file a collection with a pickle a point.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value as Json;
use vdb::Point;

use super::backup::ImportOptions;
use super::config::{self, Described};
use super::shapes::Shapes;
use super::{classes, point};
use crate::error::{Problem, RowError, quoted};
use crate::misfit::Lossy;
use crate::pickle::{Event, Machine, PickleError, References};
use crate::row::{At, Place};
use crate::sqlite::{self, Stamp};

/// The file that says which collections there are, and its greatest length.
const META: &str = "meta.json";
const META_BYTES: u64 = 64 << 20;

/// A directory of the local mode.
#[derive(Debug)]
pub struct LocalStore {
    dir: PathBuf,
    collections: serde_json::Map<String, Json>,
    aliases: BTreeMap<String, String>,
}

/// One collection of a directory, read to its end and sound.
#[derive(Debug)]
pub struct LocalCollection {
    path: PathBuf,
    file: Arc<str>,
    /// What the file was like when its reading began.
    stamp: Option<Stamp>,
    options: ImportOptions,
    described: Described,
    points: u64,
    with_vectors: u64,
}

impl LocalStore {
    /// Whether a directory looks like one of the local mode.
    pub fn is_at(dir: &Path) -> bool {
        dir.join(META).is_file()
    }

    /// Reads which collections there are.
    ///
    /// # Errors
    /// When `meta.json` cannot be read or is not what the client writes.
    pub fn open(dir: &Path) -> Result<LocalStore, RowError> {
        let path = dir.join(META);
        let file: Arc<str> = path.display().to_string().into();
        let fail = |problem| RowError::new(place(&file, At::File), problem);
        let mut text = Vec::new();
        let opened = File::open(&path).map_err(|error| fail(Problem::Io(error)))?;
        opened
            .take(META_BYTES + 1)
            .read_to_end(&mut text)
            .map_err(|error| fail(Problem::Io(error)))?;
        if text.len() as u64 > META_BYTES {
            return Err(fail(Problem::Collection(format!(
                "it is longer than {META_BYTES} bytes"
            ))));
        }
        let wrong = |why: &str| {
            fail(Problem::Collection(format!(
                "this is no directory of qdrant-client: {why}"
            )))
        };
        let mut meta: Json = serde_json::from_slice(&text).map_err(|error| wrong(&error.to_string()))?;
        let Some(Json::Object(collections)) = meta.get_mut("collections").map(Json::take) else {
            return Err(wrong("there are no \"collections\" in it"));
        };
        let mut aliases = BTreeMap::new();
        for (alias, of) in meta
            .get("aliases")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
        {
            let of = of.as_str().ok_or_else(|| wrong("an alias is of no collection"))?;
            aliases.insert(alias.clone(), of.to_owned());
        }
        Ok(LocalStore {
            dir: dir.to_owned(),
            collections,
            aliases,
        })
    }

    /// The names of its collections.
    pub fn names(&self) -> Vec<&str> {
        self.collections.keys().map(String::as_str).collect()
    }

    /// Its aliases, and the collections that they are of.
    pub fn aliases(&self) -> &BTreeMap<String, String> {
        &self.aliases
    }

    /// Reads all of a collection and checks it. `report` is told how many points are read, of how many in all, and answers
    /// whether to go on.
    ///
    /// # Errors
    /// What is wrong with its configuration, its file or a point, and where; [`std::io::ErrorKind::Interrupted`] when
    /// `report` says so.
    pub fn collection(
        &self,
        name: &str,
        options: ImportOptions,
        report: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<LocalCollection, RowError> {
        let meta: Arc<str> = self.dir.join(META).display().to_string().into();
        let wrong = |why: String| {
            let why = format!("collection {}: {why}", quoted(name));
            RowError::new(place(&meta, At::File), Problem::Collection(why))
        };
        // The name becomes part of a path.
        if name.is_empty() || matches!(name, "." | "..") || name.contains(['/', '\\', '\0']) {
            return Err(wrong("the name is no name of a folder".to_owned()));
        }
        let config = self.collections.get(name).and_then(Json::as_object);
        let config = config.ok_or_else(|| wrong("it has no configuration".to_owned()))?;
        let mut described = config::of_creation(config).map_err(&wrong)?;
        let path = self.dir.join("collection").join(name).join("storage.sqlite");
        let file: Arc<str> = path.display().to_string().into();
        let stamp = Stamp::of(&path);
        let mut points = LocalPoints::open(&path, &file, stamp.clone(), options)?;
        let total = points.total;
        let mut shapes = Shapes::default();
        for point in points.by_ref() {
            shapes
                .note(&point?)
                .map_err(|why| RowError::new(place(&file, At::File), Problem::Collection(why)))?;
            if shapes.points.is_multiple_of(256) && !report(shapes.points, total) {
                let stop = Problem::Io(io::ErrorKind::Interrupted.into());
                return Err(RowError::new(place(&file, At::File), stop));
            }
        }
        shapes.check(&described, &file)?;
        super::backup::warn(&mut described, &shapes, None, points.lossy.changed);
        Ok(LocalCollection {
            path,
            file,
            stamp,
            options,
            described,
            points: shapes.points,
            with_vectors: shapes.with_vectors,
        })
    }
}

impl LocalCollection {
    /// What the collection is like, and warnings.
    pub fn described(&self) -> &Described {
        &self.described
    }

    /// Rows of its table. Of two with one id, which old clients could write, the later counts.
    pub fn points(&self) -> u64 {
        self.points
    }

    /// Points that have a vector.
    pub fn with_vectors(&self) -> u64 {
        self.with_vectors
    }

    /// The points in the order they were written.
    ///
    /// # Errors
    /// When the file cannot be read any more. That it was written to meanwhile is an error after the last point.
    pub fn into_points(self) -> Result<LocalPoints, RowError> {
        LocalPoints::open(&self.path, &self.file, self.stamp, self.options)
    }
}

fn place(file: &Arc<str>, at: At) -> Place {
    Place {
        file: file.clone(),
        at,
    }
}

/// The points of a collection.
#[derive(Debug)]
pub struct LocalPoints {
    connection: Connection,
    path: PathBuf,
    file: Arc<str>,
    stamp: Option<Stamp>,
    options: ImportOptions,
    lossy: Lossy,
    /// Rows that the file has, and that were read.
    total: u64,
    number: u64,
    /// The last row read.
    after: i64,
    ended: bool,
}

impl LocalPoints {
    fn open(
        path: &Path,
        file: &Arc<str>,
        stamp: Option<Stamp>,
        options: ImportOptions,
    ) -> Result<LocalPoints, RowError> {
        let fail = |problem| RowError::new(place(file, At::File), problem);
        let connection = sqlite::open(path, file, options.limits.value_bytes)?;
        let total = connection.query_row("SELECT count(*) FROM points", [], |row| row.get::<_, i64>(0));
        let total = total.map_err(|error| fail(Problem::Sqlite(error.to_string())))?;
        let total = u64::try_from(total).unwrap_or(0);
        let is_plain = "SELECT count(*) FROM pragma_table_xinfo('points') WHERE hidden <> 0";
        let hidden: rusqlite::Result<i64> = connection.query_row(is_plain, [], |row| row.get(0));
        if hidden.map_err(|error| fail(Problem::Sqlite(error.to_string())))? != 0 {
            let why = "its table has computed columns, which no client makes".to_owned();
            return Err(fail(Problem::Sqlite(why)));
        }
        Ok(LocalPoints {
            connection,
            path: path.to_owned(),
            file: file.clone(),
            stamp,
            lossy: Lossy {
                is_allowed: options.lossy,
                changed: 0,
            },
            options,
            total,
            number: 0,
            after: i64::MIN,
            ended: false,
        })
    }

    /// Rows read so far, and in all.
    pub fn progress(&self) -> (u64, u64) {
        (self.number, self.total)
    }

    /// The next row: where it is, and its pickle.
    fn row(&self) -> rusqlite::Result<Option<(i64, Option<Vec<u8>>)>> {
        let next =
            "SELECT rowid, point FROM points WHERE rowid > ?1 OR (?2 AND rowid = ?1) ORDER BY rowid LIMIT 1";
        let mut statement = self.connection.prepare_cached(next)?;
        let is_first = self.number == 0;
        statement
            .query_row((self.after, is_first), |row| {
                let blob = match row.get_ref(1)? {
                    ValueRef::Blob(blob) => Some(blob.to_vec()),
                    ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) => None,
                };
                Ok((row.get(0)?, blob))
            })
            .optional()
    }

    fn point(&mut self, pickle: Option<Vec<u8>>) -> Result<Point, RowError> {
        let here = place(&self.file, At::Row(self.number));
        let Some(pickle) = pickle else {
            let problem = Problem::Value {
                expected: "a pickle",
                found: "what the column \"point\" has".to_owned(),
            };
            return Err(RowError::new(here, problem));
        };
        let limits = self.options.limits;
        let read = || -> Result<Event, PickleError> {
            let (references, pickle) = References::scan(Cursor::new(pickle), &limits)?;
            Machine::new(pickle, classes::ALL, Arc::new(references), None, limits)?.advance()
        };
        match read().map_err(|error| RowError::new(here, Problem::Pickle(error)))? {
            Event::Item(value) | Event::Entry(_, value) | Event::End(value) => {
                point::read(&value, &self.file, self.number, &mut self.lossy)
            }
        }
    }
}

impl Iterator for LocalPoints {
    type Item = Result<Point, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let point = match self.row() {
            Ok(None) => {
                self.ended = true;
                let changed = Stamp::changed(self.stamp.as_ref(), &self.path)?;
                return Some(Err(RowError::new(place(&self.file, At::File), changed)));
            }
            Ok(Some((row, pickle))) => {
                self.after = row;
                self.point(pickle)
            }
            Err(error) => {
                let problem = Problem::Sqlite(error.to_string());
                Err(RowError::new(place(&self.file, At::Row(self.number)), problem))
            }
        };
        self.number += 1;
        self.ended = point.is_err();
        Some(point)
    }
}

#[cfg(test)]
mod tests;
