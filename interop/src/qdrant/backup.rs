//! `NAME.backup`: a pickle of `{'points': [Record, ...], 'collection_info': CollectionInfo}`.
//!
//! A file is read three times. First for its opcodes alone, which finds truncation, foreign classes, and what of the memo
//! is needed; then for its content, all of which is checked; then its points are handed out. What the collection is like
//! stands after the points, and memory holds one point at a time.

use std::fmt;
use std::io::{Read, Seek};
use std::sync::Arc;

use serde_json::Value as Json;
use vdb::{Point, PointId};

use super::classes;
use super::config::{self, Described};
use super::point;
use super::shapes::Shapes;
use crate::error::{Problem, RowError};
use crate::misfit::{self, Lossy};
use crate::pickle::{Event, Limits, Machine, PickleError, References, Value};
use crate::python;
use crate::row::{At, Place};

/// The key of the points, and of what the collection is like.
const POINTS: &str = "points";
const INFO: &str = "collection_info";

/// What the caller of an importer may choose.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportOptions {
    /// Change what payloads cannot hold to the nearest that they can, instead of refusing the file.
    pub lossy: bool,
    /// How much a pickle may ask for.
    pub limits: Limits,
}

/// A backup that was read to its end and is sound.
///
/// ```no_run
/// use vdb_interop::qdrant::{Backup, ImportOptions};
///
/// let file = std::fs::File::open("posts.backup")?;
/// let backup = Backup::read(file, "posts.backup", ImportOptions::default(), &mut |_, _| true)?;
/// println!("{} points of {:?}", backup.points(), backup.described().config);
/// for point in backup.into_points()? {
///     println!("{}", point?.id);
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Backup<R> {
    reader: R,
    file: Arc<str>,
    options: ImportOptions,
    references: Arc<References>,
    described: Described,
    points: u64,
    with_vectors: u64,
}

impl<R: Read + Seek> Backup<R> {
    /// Reads all of `reader` and checks it; `name` stands in messages. `report` is told how many bytes are read, of how
    /// many in all, and answers whether to go on.
    ///
    /// # Errors
    /// What is wrong with the pickle, its collection or a point, and where; [`std::io::ErrorKind::Interrupted`] when
    /// `report` says so.
    pub fn read(
        reader: R,
        name: &str,
        options: ImportOptions,
        report: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<Self, RowError> {
        let file: Arc<str> = name.into();
        let whole = |problem| RowError::new(whole_file(&file), problem);
        let pickle = |error| whole(Problem::Pickle(error));
        let (references, reader) = References::scan(reader, &options.limits).map_err(pickle)?;
        let references = Arc::new(references);
        let mut lossy = Lossy {
            is_allowed: options.lossy,
            changed: 0,
        };
        let mut shapes = Shapes::default();
        let mut order = Order::default();
        let mut sharded = 0;
        let mut machine = start(reader, &references, &options.limits).map_err(pickle)?;
        let end = loop {
            match machine.advance().map_err(pickle)? {
                // None is asked for.
                Event::Entry(..) => {}
                Event::End(value) => break value,
                Event::Item(value) => {
                    let point = point::read(&value, &file, shapes.points, &mut lossy)?;
                    sharded += u64::from(point::has_shard_key(&value));
                    shapes
                        .note(&point)
                        .map_err(|why| whole(Problem::Collection(why)))?;
                    order.note(point.id);
                    let (read, total) = machine.progress();
                    if shapes.points.is_multiple_of(256) && !report(read, total) {
                        return Err(whole(Problem::Io(std::io::ErrorKind::Interrupted.into())));
                    }
                }
            }
        };
        let info = info(&end, machine.has_streamed()).map_err(|why| whole(Problem::Collection(why)))?;
        let mut described = config::of_backup(&info.config)
            .map_err(|why| whole(Problem::Collection(format!("collection_info: {why}"))))?;
        described.indexes(&info.payload_schema);
        shapes.check(&described, &file)?;
        let mut reader = machine.into_inner();
        let mut double = None;
        if order.is_broken {
            (double, reader) = twice(reader, &references, &options, &file)?;
        }
        if let Some(id) = double {
            let place = Place {
                file: file.clone(),
                at: At::Point(id),
            };
            return Err(RowError::in_field(
                place,
                "id",
                Problem::Collection("it is in the file twice".to_owned()),
            ));
        }
        if sharded > 0 {
            let told = format!("{sharded} points have a shard key, which is not kept");
            described.warnings.push(told);
        }
        warn(&mut described, &shapes, info.points, lossy.changed);
        Ok(Backup {
            reader,
            references,
            options,
            described,
            points: shapes.points,
            with_vectors: shapes.with_vectors,
            file,
        })
    }

    /// What the collection is like, and warnings.
    pub fn described(&self) -> &Described {
        &self.described
    }

    /// Points of the file.
    pub fn points(&self) -> u64 {
        self.points
    }

    /// Points that have a vector.
    pub fn with_vectors(&self) -> u64 {
        self.with_vectors
    }

    /// The points in their order, read once more from the start.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn into_points(self) -> Result<BackupPoints<R>, RowError> {
        let machine = start(self.reader, &self.references, &self.options.limits)
            .map_err(|error| RowError::new(whole_file(&self.file), Problem::Pickle(error)))?;
        Ok(BackupPoints {
            machine,
            number: 0,
            lossy: Lossy {
                is_allowed: self.options.lossy,
                changed: 0,
            },
            file: self.file,
            ended: false,
        })
    }
}

fn start<R: Read + Seek>(
    reader: R,
    references: &Arc<References>,
    limits: &Limits,
) -> Result<Machine<R>, PickleError> {
    Machine::new(reader, classes::ALL, references.clone(), Some(POINTS), *limits)
}

fn whole_file(file: &Arc<str>) -> Place {
    Place {
        file: file.clone(),
        at: At::File,
    }
}

type Fields = serde_json::Map<String, Json>;

/// What `collection_info` says.
struct Info {
    config: Fields,
    payload_schema: Fields,
    /// Points that the collection had.
    points: Option<u64>,
}

/// Reads `collection_info`.
fn info(end: &Value, has_points: bool) -> Result<Info, String> {
    let Value::Dict(end) = end else {
        return Err(format!("the pickle is {}, and a backup is a dict", end.kind()));
    };
    match end.get(POINTS) {
        Some(Value::List(_)) if has_points => {}
        Some(other) => {
            return Err(format!(
                "{POINTS:?} is {}, and not a list of its own",
                other.kind()
            ));
        }
        None => {
            return Err(format!(
                "there are no {POINTS:?} in it: this is a pickle, and no backup"
            ));
        }
    }
    let info = match end.get(INFO) {
        Some(Value::Object(info)) if info.class().name == "CollectionInfo" => info,
        Some(other) => return Err(format!("{INFO:?} is {}, and not a CollectionInfo", other.kind())),
        None => {
            return Err(format!(
                "there is no {INFO:?} in it: this is a pickle, and no backup"
            ));
        }
    };
    // Metadata of a collection may hold anything, and is not kept.
    let mut lossy = Lossy {
        is_allowed: true,
        changed: 0,
    };
    let config = match info.field("config") {
        Some(value @ Value::Object(config)) if config.class().name == "CollectionConfig" => {
            python::json(value, &mut lossy)
        }
        _ => return Err(format!("{INFO:?} has no configuration")),
    };
    let config = match config {
        Ok(Json::Object(config)) => config,
        Ok(_) => return Err(format!("{INFO:?} has no configuration")),
        Err(misfit) => return Err(format!("{INFO:?}: config{}: {}", misfit.path, misfit.problem)),
    };
    let payload_schema = match info.field("payload_schema") {
        Some(schema @ Value::Dict(_)) => python::json(schema, &mut lossy),
        _ => Ok(Json::Null),
    };
    let payload_schema = match payload_schema {
        Ok(Json::Object(schema)) => schema,
        Ok(_) => Fields::new(),
        Err(misfit) => {
            return Err(format!(
                "{INFO:?}: payload_schema{}: {}",
                misfit.path, misfit.problem
            ));
        }
    };
    let points = match info.field("points_count") {
        Some(Value::Int(count)) => u64::try_from(*count).ok(),
        _ => None,
    };
    Ok(Info {
        config,
        payload_schema,
        points,
    })
}

pub(super) fn warn(described: &mut Described, shapes: &Shapes, stated: Option<u64>, changed: u64) {
    let Shapes {
        points, with_vectors, ..
    } = *shapes;
    let mut say = |text: String| described.warnings.insert(0, text);
    if let Some(told) = misfit::told(changed) {
        say(told);
    }
    if let Some(stated) = stated.filter(|stated| *stated > points) {
        say(format!(
            "the collection had {stated} points when it was saved, and the backup holds {points}: the others are lost"
        ));
    }
    if points > 0 && with_vectors == 0 {
        say("the backup has NO VECTORS, only ids and payloads: searches will find nothing until vectors are added".to_owned());
    }
}

/// Whether ids come in ascending order, as clients write them: then none is there twice.
#[derive(Debug, Default)]
struct Order {
    last: Option<PointId>,
    is_broken: bool,
}

impl Order {
    fn note(&mut self, id: PointId) {
        self.is_broken |= self.last.is_some_and(|last| last >= id);
        self.last = Some(id);
    }
}

/// The id that is there twice, if one is. Takes 24 bytes a point.
fn twice<R: Read + Seek>(
    reader: R,
    references: &Arc<References>,
    options: &ImportOptions,
    file: &Arc<str>,
) -> Result<(Option<PointId>, R), RowError> {
    let pickle = |error| RowError::new(whole_file(file), Problem::Pickle(error));
    let mut lossy = Lossy {
        is_allowed: options.lossy,
        changed: 0,
    };
    let mut ids = Vec::new();
    let mut machine = start(reader, references, &options.limits).map_err(pickle)?;
    while let Event::Item(value) = machine.advance().map_err(pickle)? {
        ids.push(point::read(&value, file, ids.len() as u64, &mut lossy)?.id);
    }
    ids.sort_unstable();
    let twice = ids.windows(2).find(|pair| pair.first() == pair.last());
    Ok((twice.and_then(|pair| pair.first().copied()), machine.into_inner()))
}

/// The points of a backup.
#[derive(Debug)]
pub struct BackupPoints<R> {
    machine: Machine<R>,
    file: Arc<str>,
    number: u64,
    lossy: Lossy,
    ended: bool,
}

impl<R: Read> BackupPoints<R> {
    /// Bytes read so far, and in all.
    pub fn progress(&self) -> (u64, u64) {
        self.machine.progress()
    }
}

impl<R: Read> Iterator for BackupPoints<R> {
    type Item = Result<Point, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let point = match self.machine.advance() {
            Ok(Event::End(_)) => {
                self.ended = true;
                return None;
            }
            Ok(Event::Item(value) | Event::Entry(_, value)) => {
                point::read(&value, &self.file, self.number, &mut self.lossy)
            }
            Err(error) => Err(RowError::new(whole_file(&self.file), Problem::Pickle(error))),
        };
        self.number += 1;
        self.ended = point.is_err();
        Some(point)
    }
}

impl<R> fmt::Debug for Backup<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backup")
            .field("file", &self.file)
            .field("points", &self.points)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
