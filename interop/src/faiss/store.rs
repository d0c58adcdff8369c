//! An index file and the metadata beside it, as a whole collection.
//!
//! A common wrapper keeps two files in a directory: `index.faiss` and `metadata.pkl`. An index file alone is a collection without
//! payloads. LangChain keeps an `index.pkl` beside its `index.faiss`.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use vdb::{CollectionConfig, Distance, Payload, Point, PointId, VectorParams};

use super::documents::Documents;
use super::layout::FaissMetric;
use super::metadata::{Entries, Metadata};
use super::rows::FaissRows;
use crate::error::{Problem, RowError};
use crate::id;
use crate::options::ReadOptions;
use crate::qdrant::{Described, ImportOptions};
use crate::row::{At, Place};

/// The files of a directory of the wrapper.
pub(super) const INDEX: &str = "index.faiss";
pub(super) const METADATA: &str = "metadata.pkl";
/// The other file of a directory of LangChain.
const DOCUMENTS: &str = "index.pkl";

/// What the caller may choose.
#[derive(Debug, Clone, Default)]
pub struct FaissOptions {
    /// As for other collections.
    pub import: ImportOptions,
    /// The key of the metadata that holds the ids of the points: numbers, or UUIDs as text. Without, an id is that of the
    /// index, or the position in it.
    pub id_key: Option<String>,
    /// How the collection compares; without, as the index does. An index by inner product over vectors of length 1 is
    /// what cosine distance is.
    pub distance: Option<Distance>,
}

/// A collection of FAISS that was read to its end and is sound.
#[derive(Debug)]
pub struct FaissCollection {
    index: PathBuf,
    described: Described,
    payloads: Payloads,
    options: FaissOptions,
    points: u64,
}

/// Where payloads come from.
#[derive(Debug)]
enum Payloads {
    None,
    /// Entries and vectors have one order, so that both are read beside each other.
    Beside(Metadata),
    /// All are held.
    Held(Metadata),
    /// Those of LangChain.
    Documents(Arc<Documents>),
}

impl FaissCollection {
    /// What the index of a directory is called.
    pub const INDEX: &'static str = INDEX;

    /// Whether a directory has an index where the wrapper keeps it.
    pub fn is_at(dir: &Path) -> bool {
        dir.join(INDEX).is_file()
    }

    /// Reads all of an index file, or of a directory of the wrapper, and checks it. `report` is told how many vectors are
    /// read, of how many in all, and answers whether to go on.
    ///
    /// # Errors
    /// What is wrong with the index, a vector or the metadata, and where; [`std::io::ErrorKind::Interrupted`] when `report`
    /// says so.
    pub fn read(
        path: &Path,
        options: &FaissOptions,
        report: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<FaissCollection, RowError> {
        let is_directory = path.is_dir();
        let index = if is_directory {
            path.join(INDEX)
        } else {
            path.to_owned()
        };
        let mut rows = FaissRows::open(&index, &ReadOptions::default())?;
        let layout = rows.layout().clone();
        let distance = options.distance.unwrap_or(match layout.metric {
            FaissMetric::InnerProduct => Distance::Dot,
            FaissMetric::L2 => Distance::Euclid,
            FaissMetric::L1 => Distance::Manhattan,
        });
        let mut described = Described {
            config: CollectionConfig::new(VectorParams::new(layout.dim, distance)),
            ..Described::default()
        };
        let file: Arc<str> = index.display().to_string().into();
        let fail = |problem| RowError::new(whole(&file), problem);
        let ids_ascend = rows.ids_ascend()?;
        let pickle = path.join(METADATA);
        let has_metadata = is_directory && pickle.is_file();
        if options.id_key.is_some() && (layout.ids || !has_metadata) {
            let why = "ids are to come from metadata (--id-key)";
            let but = if layout.ids {
                "the index has ids of its own"
            } else {
                "there is no metadata.pkl beside the index"
            };
            return Err(fail(Problem::Collection(format!("{why}, and {but}"))));
        }
        let (mut payloads, mut entries) = (Payloads::None, 0);
        if has_metadata {
            let checked = check_metadata(&pickle, options, layout.dim, layout.rows, &mut described)?;
            entries = checked.entries;
            payloads = if checked.ascends && ids_ascend {
                Payloads::Beside(checked.metadata)
            } else {
                Payloads::Held(checked.metadata)
            };
        }
        if is_directory && !has_metadata && path.join(DOCUMENTS).is_file() {
            if layout.ids {
                let why = "index.pkl is by position, and the index has ids of its own: LangChain makes no such pair".to_owned();
                return Err(fail(Problem::Collection(why)));
            }
            let documents = documents(&path.join(DOCUMENTS), options, &mut described)?;
            entries = documents.len();
            payloads = Payloads::Documents(Arc::new(documents));
        } else if let Some(other) = is_directory.then(|| other_pickle(path)).flatten() {
            described.warnings.push(format!(
                "{other} beside the index is not read, only {METADATA} and {DOCUMENTS} are: what it says of the vectors is left behind"
            ));
        }
        if !is_directory {
            described.warnings.extend(left_beside(path));
        }
        let mut collection = FaissCollection {
            index,
            described,
            payloads,
            options: options.clone(),
            points: 0,
        };
        let mut points = collection.open_points()?;
        // Ids that ascend are different ones.
        let are_own = options.id_key.is_some() || matches!(collection.payloads, Payloads::Documents(_));
        let mut seen = (!ids_ascend || are_own).then(HashSet::new);
        for point in points.by_ref() {
            let point = point?;
            if seen.as_mut().is_some_and(|seen| !seen.insert(point.id)) {
                let place = Place {
                    file: file.clone(),
                    at: At::Point(point.id),
                };
                let twice = Problem::Collection("it is in the file twice".to_owned());
                return Err(RowError::in_field(place, "id", twice));
            }
            collection.points += 1;
            if collection.points.is_multiple_of(1024) && !report(collection.points, layout.rows) {
                return Err(fail(Problem::Io(std::io::ErrorKind::Interrupted.into())));
            }
        }
        let beyond = entries.saturating_sub(points.matched);
        if beyond > 0 {
            let by = if layout.ids {
                " (it is by position and the index has ids: it goes to the points whose ids are those positions)"
            } else {
                ""
            };
            collection.described.warnings.push(format!(
                "{beyond} entries of {} are of no vector of the index{by}",
                if has_metadata { METADATA } else { DOCUMENTS }
            ));
        }
        Ok(collection)
    }

    /// What the collection is like, and warnings.
    pub fn described(&self) -> &Described {
        &self.described
    }

    /// Its vectors.
    pub fn points(&self) -> u64 {
        self.points
    }

    /// All of them: an index holds nothing else.
    pub fn with_vectors(&self) -> u64 {
        self.points
    }

    /// The vectors as points.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn into_points(self) -> Result<FaissPoints, RowError> {
        self.open_points()
    }

    fn open_points(&self) -> Result<FaissPoints, RowError> {
        let lossy = self.options.import.lossy;
        let (mut beside, mut held) = (None, HashMap::new());
        match &self.payloads {
            Payloads::None | Payloads::Documents(_) => {}
            Payloads::Beside(metadata) => beside = Some(metadata.entries(lossy)?),
            Payloads::Held(metadata) => {
                held = hold(metadata.entries(lossy)?, self.options.import.limits.value_bytes)?;
            }
        }
        Ok(FaissPoints {
            rows: FaissRows::open(&self.index, &ReadOptions::default())?,
            beside,
            ahead: None,
            held,
            documents: match &self.payloads {
                Payloads::Documents(documents) => Some(documents.clone()),
                Payloads::None | Payloads::Beside(_) | Payloads::Held(_) => None,
            },
            matched: 0,
            id_key: self.options.id_key.clone(),
            ended: false,
        })
    }
}

/// Reads the documents of LangChain.
fn documents(path: &Path, options: &FaissOptions, described: &mut Described) -> Result<Documents, RowError> {
    let documents = Documents::read(path, options.import.limits, options.import.lossy)?;
    let mut warn = |warning: String| described.warnings.push(warning);
    if !documents.gives_ids {
        warn("ids of documents are neither numbers nor UUIDs: points have their positions, and each id is under langchain_id".to_owned());
    }
    if documents.changed > 0 {
        let changed = documents.changed;
        warn(format!(
            "{changed} values were changed to what JSON can hold (--lossy)"
        ));
    }
    Ok(documents)
}

/// A pickle of some other wrapper, by its name.
fn other_pickle(dir: &Path) -> Option<String> {
    let is_other = |name: &String| {
        let ending = Path::new(name).extension();
        ending.is_some_and(|ending| ending == "pkl" || ending == "pickle") && name != METADATA
    };
    let entries = std::fs::read_dir(dir).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(is_other).min()
}

/// What to say of payloads beside an index file that was named without its directory.
fn left_beside(index: &Path) -> Option<String> {
    let name = index.file_name()?;
    let there = |name: &str| index.with_file_name(name).is_file();
    if name == INDEX {
        let found = [METADATA, DOCUMENTS].into_iter().find(|name| there(name))?;
        return Some(format!(
            "{found} beside it is not read, and payloads are left behind: with the directory as the source both are read"
        ));
    }
    // As LangChain names them where the caller chose the name.
    let found = format!("{}.pkl", index.file_stem()?.to_str()?);
    there(&found).then(|| {
        format!(
            "{found} beside it is not read, and payloads are left behind: in a directory, called {INDEX} and {DOCUMENTS}, both \
             are read"
        )
    })
}

/// All payloads by position, of so many bytes in all.
fn hold(mut entries: Entries, limit: u64) -> Result<HashMap<u64, Payload>, RowError> {
    let (mut held, mut bytes) = (HashMap::new(), 0u64);
    while let Some((position, payload)) = entries.advance()? {
        bytes = bytes.saturating_add(entries.bytes());
        if bytes > limit {
            let what = format!(
                "its entries are in another order than the vectors, and take more than {limit} bytes, which is the most that \
                 is then held in memory: write them in the order of their keys"
            );
            return Err(RowError::new(entries.place(), Problem::Collection(what)));
        }
        held.insert(position, payload);
    }
    Ok(held)
}

/// What a first reading of the metadata tells.
struct Checked {
    metadata: Metadata,
    /// Each key is greater than the one before it.
    ascends: bool,
    entries: u64,
}

/// Reads all of the metadata. What it says of the index is compared with the index.
fn check_metadata(
    path: &Path,
    options: &FaissOptions,
    dim: usize,
    vectors: u64,
    described: &mut Described,
) -> Result<Checked, RowError> {
    let metadata = Metadata::open(path, options.import.limits)?;
    let mut entries = metadata.entries(options.import.lossy)?;
    let (mut last, mut ascends, mut count) = (None, true, 0);
    while let Some((position, _)) = entries.advance()? {
        ascends &= last.is_none_or(|last| last < position);
        last = Some(position);
        count += 1;
    }
    let mut warn = |warning: String| described.warnings.push(warning);
    if let Some(counter) = entries.said().counter.filter(|counter| *counter != vectors) {
        warn(format!(
            "metadata.pkl counts {counter} vectors and the index has {vectors}: one of the files is older"
        ));
    }
    if let Some(other) = entries.said().dimension.filter(|other| *other != dim as u64) {
        warn(format!(
            "metadata.pkl says {other} dimensions and the index has {dim}"
        ));
    }
    if entries.changed() > 0 {
        let changed = entries.changed();
        warn(format!(
            "{changed} values were changed to what JSON can hold (--lossy)"
        ));
    }
    Ok(Checked {
        metadata,
        ascends,
        entries: count,
    })
}

/// The points of a collection of FAISS.
#[derive(Debug)]
pub struct FaissPoints {
    rows: FaissRows,
    /// Entries in the order of the rows, and the one that was read and is of a later row.
    beside: Option<Entries>,
    ahead: Option<(u64, Payload)>,
    held: HashMap<u64, Payload>,
    documents: Option<Arc<Documents>>,
    /// Rows that had an entry.
    matched: u64,
    id_key: Option<String>,
    ended: bool,
}

impl FaissPoints {
    /// The payload of a position.
    fn payload(&mut self, position: u64) -> Result<Payload, RowError> {
        let found = match &mut self.beside {
            None => self.held.remove(&position),
            Some(entries) => loop {
                match self.ahead.take() {
                    Some((at, payload)) if at == position => break Some(payload),
                    Some(later) if later.0 > position => {
                        self.ahead = Some(later);
                        break None;
                    }
                    Some(_) | None => {}
                }
                self.ahead = entries.advance()?;
                if self.ahead.is_none() {
                    break None;
                }
            },
        };
        self.matched += u64::from(found.is_some());
        Ok(found.unwrap_or_default())
    }

    fn point(&mut self) -> Result<Option<Point>, RowError> {
        let Some(row) = self.rows.next().transpose()? else {
            return Ok(None);
        };
        if let (Some(documents), PointId::Num(position)) = (&self.documents, row.id) {
            let (id, payload) = documents.at(position).ok_or_else(|| {
                let none = Problem::Collection(format!("{DOCUMENTS} has no document of this vector"));
                RowError::new(row.place, none)
            })?;
            self.matched += 1;
            return Ok(Some(Point {
                id: *id,
                vectors: row.vectors,
                payload: payload.clone(),
            }));
        }
        let mut payload = match row.id {
            PointId::Num(position) => self.payload(position)?,
            PointId::Uuid(_) => Payload::new(),
        };
        let mut id = row.id;
        if let Some(key) = &self.id_key {
            let given = payload.shift_remove(key);
            id = given_id(given.as_ref())
                .map_err(|problem| RowError::in_field(row.place, format!("metadata.{key}"), problem))?;
        }
        Ok(Some(Point {
            id,
            vectors: row.vectors,
            payload,
        }))
    }
}

/// An id that metadata holds.
fn given_id(value: Option<&Json>) -> Result<PointId, Problem> {
    value.and_then(id::of_json).ok_or_else(|| Problem::Value {
        expected: "an id, which is a number from 0 on or a UUID",
        found: value.map_or_else(|| "nothing".to_owned(), Json::to_string),
    })
}

impl Iterator for FaissPoints {
    type Item = Result<Point, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let point = self.point().transpose();
        self.ended = !matches!(point, Some(Ok(_)));
        point
    }
}

fn whole(file: &Arc<str>) -> Place {
    Place {
        file: file.clone(),
        at: At::File,
    }
}
