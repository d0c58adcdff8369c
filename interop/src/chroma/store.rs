//! Which collections there are, and what they are like.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value as Json};
use vdb::{CollectionConfig, Distance, VectorParams};

use super::hnsw;
use super::log::sqlite;
use super::records::{ChromaPoints, refused};
use super::tables::entry;
use crate::error::{Problem, RowError, quoted};
use crate::misfit::{self, Lossy, Misfit};
use crate::qdrant::{Described, ImportOptions};
use crate::row::{At, Place};
use crate::sqlite::{self, Stamp};

const FILE: &str = "chroma.sqlite3";

/// A directory of Chroma.
#[derive(Debug)]
pub struct ChromaStore {
    dir: PathBuf,
    file: Arc<str>,
    collections: Vec<Listed>,
}

/// A collection of the tables.
#[derive(Clone, Debug)]
struct Listed {
    name: String,
    id: String,
    dimension: Option<i64>,
    config: Option<String>,
    schema: Option<String>,
}

/// What the tables say of a collection's two segments.
#[derive(Clone, Debug)]
pub(super) struct Segments {
    pub(super) collection: String,
    pub(super) vector: String,
    pub(super) metadata: String,
    /// How far each has followed the log, as far as the tables say it.
    pub(super) vector_seq: Option<i64>,
    pub(super) metadata_seq: i64,
    pub(super) is_cosine: bool,
    /// What the file was like when its reading began.
    pub(super) stamp: Option<Stamp>,
}

/// One collection of a directory, read to its end and sound.
#[derive(Debug)]
pub struct ChromaCollection {
    dir: PathBuf,
    file: Arc<str>,
    segments: Segments,
    dim: Option<usize>,
    options: ImportOptions,
    described: Described,
    points: u64,
    with_vectors: u64,
}

impl ChromaStore {
    /// Whether a directory looks like one of Chroma.
    pub fn is_at(dir: &Path) -> bool {
        dir.join(FILE).is_file()
    }

    /// Reads which collections there are. Collections of several tenants or databases that share a name get that of their
    /// database before it.
    ///
    /// # Errors
    /// When the SQLite file cannot be read, is in the middle of a write, or is none of Chroma.
    pub fn open(dir: &Path) -> Result<ChromaStore, RowError> {
        let path = dir.join(FILE);
        let file: Arc<str> = path.display().to_string().into();
        let connection = sqlite::open(&path, &file, ImportOptions::default().limits.value_bytes)?;
        let collections = list(&connection).map_err(|problem| RowError::new(whole(&file), problem))?;
        Ok(ChromaStore {
            dir: dir.to_owned(),
            file,
            collections,
        })
    }

    /// The names of its collections.
    pub fn names(&self) -> Vec<&str> {
        self.collections
            .iter()
            .map(|listed| listed.name.as_str())
            .collect()
    }

    /// Reads all of a collection and checks it. `report` is told how many points are read, of how many in all, and answers
    /// whether to go on.
    ///
    /// # Errors
    /// What is wrong with the tables, the folder or a record, and where; [`std::io::ErrorKind::Interrupted`] when `report`
    /// says so.
    pub fn collection(
        &self,
        name: &str,
        options: ImportOptions,
        report: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<ChromaCollection, RowError> {
        let fail = |problem| RowError::new(whole(&self.file), problem);
        let wrong = |why: &str| fail(Problem::Collection(format!("collection {}: {why}", quoted(name))));
        let listed = self.collections.iter().find(|listed| listed.name == name);
        let listed = listed.ok_or_else(|| wrong("there is none of this name"))?;
        let path = self.dir.join(FILE);
        let stamp = Stamp::of(&path);
        let connection = sqlite::open(&path, &self.file, options.limits.value_bytes)?;
        let mut segments = segments(&connection, &listed.id).map_err(fail)?;
        segments.stamp = stamp;
        let distance = distance(&connection, listed, &segments).map_err(|problem| {
            if let Problem::Collection(why) = problem {
                wrong(&why)
            } else {
                fail(problem)
            }
        })?;
        segments.is_cosine = distance == Distance::Cosine;
        let dim = match listed.dimension {
            None => None,
            Some(dim) => {
                let dim = hnsw::is_dimension(dim);
                Some(dim.ok_or_else(|| wrong("its dimension is none from 1 to 65536"))?)
            }
        };
        let mut described = Described::default();
        match dim {
            Some(dim) => described.config = CollectionConfig::new(VectorParams::new(dim, distance)),
            None => described.warnings.push(
                "it never had a record, so its vectors have no dimension: it will have none".to_owned(),
            ),
        }
        let mut lossy = Lossy {
            is_allowed: options.lossy,
            changed: 0,
        };
        described.config.metadata = metadata(&connection, &listed.id, &mut lossy)
            .map_err(|misfit| refused(whole(&self.file), misfit))?;
        let mut collection = ChromaCollection {
            dir: self.dir.clone(),
            file: self.file.clone(),
            segments,
            dim,
            options,
            described,
            points: 0,
            with_vectors: 0,
        };
        let mut points = collection.clone_points()?;
        let total = points.progress().1;
        for point in points.by_ref() {
            collection.points += 1;
            collection.with_vectors += u64::from(!point?.vectors.0.is_empty());
            if collection.points.is_multiple_of(256) && !report(collection.points, total) {
                return Err(fail(Problem::Io(std::io::ErrorKind::Interrupted.into())));
            }
        }
        let changed = misfit::told(lossy.changed + points.changed());
        let warnings = &mut collection.described.warnings;
        warnings.extend(changed.into_iter().chain(points.warnings()));
        let missing = collection.points - collection.with_vectors;
        if missing > 0 {
            let warning = format!("{missing} of its {} records have no vector", collection.points);
            collection.described.warnings.push(warning);
        }
        Ok(collection)
    }
}

impl ChromaCollection {
    /// What the collection is like, and warnings.
    pub fn described(&self) -> &Described {
        &self.described
    }

    /// Its records.
    pub fn points(&self) -> u64 {
        self.points
    }

    /// Records that have a vector.
    pub fn with_vectors(&self) -> u64 {
        self.with_vectors
    }

    /// The records as points.
    ///
    /// # Errors
    /// When a file cannot be read any more. That the tables were written to meanwhile is an error after the last point.
    pub fn into_points(self) -> Result<ChromaPoints, RowError> {
        self.clone_points()
    }

    fn clone_points(&self) -> Result<ChromaPoints, RowError> {
        let path = self.dir.join(FILE);
        let connection = sqlite::open(&path, &self.file, self.options.limits.value_bytes)?;
        ChromaPoints::open(
            connection,
            path,
            self.file.clone(),
            self.segments.clone(),
            self.dim,
            self.options,
        )
    }
}

pub(super) fn whole(file: &Arc<str>) -> Place {
    Place {
        file: file.clone(),
        at: At::File,
    }
}

/// Whether a table has a column of that name.
pub(super) fn has_column(connection: &Connection, table: &str, column: &str) -> Result<bool, Problem> {
    let select = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2";
    let found: i64 = connection
        .query_row(select, (table, column), |row| row.get(0))
        .map_err(sqlite)?;
    Ok(found > 0)
}

/// How the booleans of a table of metadata are selected: older versions had none.
pub(super) fn flag_of(connection: &Connection, table: &str) -> Result<&'static str, Problem> {
    Ok(if has_column(connection, table, "bool_value")? {
        "bool_value"
    } else {
        "NULL"
    })
}

fn list(connection: &Connection) -> Result<Vec<Listed>, Problem> {
    let column = |name: &'static str| match has_column(connection, "collections", name) {
        Ok(true) => Ok(format!("c.{name}")),
        Ok(false) => Ok("NULL".to_owned()),
        Err(problem) => Err(problem),
    };
    let (config, schema) = (column("config_json_str")?, column("schema_str")?);
    // Versions before 0.4.15 have one database, and no table of them.
    let (database, databases) = if has_column(connection, "collections", "database_id")? {
        ("d.name", "LEFT JOIN databases d ON d.id = c.database_id")
    } else {
        ("NULL", "")
    };
    let select = format!(
        "SELECT c.name, c.id, c.dimension, {config}, {schema}, {database} FROM collections c {databases} \
         ORDER BY c.name, 6, c.id"
    );
    let mut statement = connection.prepare(&select).map_err(sqlite)?;
    let rows = statement
        .query_map([], |row| {
            let listed = Listed {
                name: row.get(0)?,
                id: row.get(1)?,
                dimension: row.get(2)?,
                config: row.get(3)?,
                schema: row.get(4)?,
            };
            Ok((listed, row.get::<_, Option<String>>(5)?.unwrap_or_default()))
        })
        .map_err(sqlite)?;
    let found: Vec<(Listed, String)> = rows.collect::<rusqlite::Result<_>>().map_err(sqlite)?;
    let is_shared = |name: &str| found.iter().filter(|(listed, _)| listed.name == name).count() > 1;
    let named = found.iter().map(|(listed, database)| {
        let mut listed = listed.clone();
        if is_shared(&listed.name) {
            listed.name = format!("{database}.{}", listed.name);
        }
        listed
    });
    Ok(named.collect())
}

/// What the user noted with a collection.
fn metadata(
    connection: &Connection,
    collection: &str,
    lossy: &mut Lossy,
) -> Result<Map<String, Json>, Misfit> {
    const TABLE: &str = "collection_metadata";
    let flag = flag_of(connection, TABLE)?;
    let select = format!(
        "SELECT key, str_value, int_value, float_value, {flag} FROM {TABLE} WHERE collection_id = ?1 ORDER BY key"
    );
    let mut statement = connection.prepare(&select).map_err(sqlite)?;
    let mut rows = statement.query([collection]).map_err(sqlite)?;
    let mut metadata = Map::new();
    while let Some(row) = rows.next().map_err(sqlite)? {
        let (key, value) = entry(row, lossy)?;
        metadata.insert(key, value);
    }
    Ok(metadata)
}

fn segments(connection: &Connection, collection: &str) -> Result<Segments, Problem> {
    let of = |scope: &str| -> Result<String, Problem> {
        let select = "SELECT id FROM segments WHERE collection = ?1 AND scope = ?2";
        let found = connection
            .query_row(select, (collection, scope), |row| row.get(0))
            .optional()
            .map_err(sqlite)?;
        found.ok_or_else(|| {
            Problem::Collection(format!("collection {collection} has no segment of scope {scope}"))
        })
    };
    let (vector, metadata) = (of("VECTOR")?, of("METADATA")?);
    Ok(Segments {
        collection: collection.to_owned(),
        vector_seq: followed(connection, &vector)?,
        metadata_seq: followed(connection, &metadata)?.unwrap_or(0),
        vector,
        metadata,
        is_cosine: false,
        stamp: None,
    })
}

/// How far a segment has followed the log: an integer, or in stores of versions before 1.0 eight bytes, big endian. Versions before 0.5
/// have none for vectors.
fn followed(connection: &Connection, segment: &str) -> Result<Option<i64>, Problem> {
    let select = "SELECT seq_id FROM max_seq_id WHERE segment_id = ?1";
    let read = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Option<i64>> {
        Ok(match row.get_ref(0)? {
            ValueRef::Null => Some(0),
            ValueRef::Integer(seq) => Some(seq),
            ValueRef::Blob(bytes) => bytes.try_into().ok().map(i64::from_be_bytes),
            ValueRef::Real(_) | ValueRef::Text(_) => None,
        })
    };
    let found = connection
        .query_row(select, [segment], read)
        .optional()
        .map_err(sqlite)?;
    match found {
        None => Ok(None),
        Some(Some(seq)) => Ok(Some(seq)),
        Some(None) => Err(Problem::Collection(format!(
            "segment {segment} followed the log to no number"
        ))),
    }
}

/// The distance: each version keeps it elsewhere, and versions before 1.0 also keep a wrong one.
fn distance(connection: &Connection, listed: &Listed, segments: &Segments) -> Result<Distance, Problem> {
    let json = |text: &Option<String>| -> Result<Json, Problem> {
        let parsed = text.as_deref().map(serde_json::from_str).transpose();
        parsed
            .map(Option::unwrap_or_default)
            .map_err(|error| Problem::Collection(format!("its configuration: {error}")))
    };
    let schema = json(&listed.schema)?;
    let config = json(&listed.config)?;
    let select = "SELECT str_value FROM segment_metadata WHERE segment_id = ?1 AND key = 'hnsw:space'";
    let of_segment: Option<Option<String>> = connection
        .query_row(select, [&segments.vector], |row| row.get(0))
        .optional()
        .map_err(sqlite)?;
    let text = |json: &Json, path: &str| json.pointer(path).and_then(Json::as_str).map(str::to_owned);
    let of_config = text(&config, "/vector_index/hnsw/space");
    // What wrote this key wrote the same distance into every configuration.
    let is_old = config.get("_type").is_some();
    let of_segment = of_segment.flatten();
    let configured = if is_old {
        of_segment
    } else {
        of_config.or(of_segment)
    };
    let space = text(&schema, "/keys/#embedding/float_list/vector_index/config/space").or(configured);
    match space.as_deref() {
        None | Some("l2") => Ok(Distance::Euclid),
        Some("ip") => Ok(Distance::Dot),
        Some("cosine") => Ok(Distance::Cosine),
        Some(other) => Err(Problem::Collection(format!(
            "there is no space {other:?}, only l2, ip and cosine"
        ))),
    }
}
