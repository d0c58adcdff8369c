//! Collects problems and counts bytes, collection by collection.

use vdb_index::Control;
use vdb_storage::SegmentFile;
use vdb_storage::manifest::{Catalog, CollectionManifest, ManifestRecord, ManifestStore};
use vdb_vfs::DynDisk;

use super::catalog_store;
use super::files;
use super::report::{Problem, Severity, VerifyReport};
use crate::damage::describe;
use crate::directory;
use crate::error::{Error, Result};
use crate::layout::LOG_DIR;
use crate::meter::Meter;
use crate::schema::Schema;

/// How often a collection that changes under our eyes is looked at.
const ATTEMPTS: usize = 4;

/// Where the files of a collection are read, and where they are as far as people are concerned.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) dir: String,
    /// `dir` as errors show it.
    shown: String,
    /// What people are shown in its place.
    real: String,
    pub(super) linked: bool,
}

impl Place {
    /// The files are read where they are.
    pub(super) fn real(disk: &DynDisk, dir: &str) -> Place {
        let shown = disk.display(dir);
        Place {
            dir: dir.to_owned(),
            real: shown.clone(),
            shown,
            linked: false,
        }
    }

    /// `dir` holds links to the files in `real`.
    pub(super) fn linked(disk: &DynDisk, dir: &str, real: &str) -> Place {
        Place {
            dir: dir.to_owned(),
            shown: disk.display(dir),
            real: disk.display(real),
            linked: true,
        }
    }

    fn tell(&self, path: &str) -> String {
        path.strip_prefix(&self.shown)
            .map_or_else(|| path.to_owned(), |rest| format!("{}{rest}", self.real))
    }
}

/// A collection whose manifest has been read.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) id: u32,
    name: Option<String>,
    pub(super) place: Place,
    pub(super) manifest: CollectionManifest,
    schema: Schema,
}

/// A check under way.
#[derive(Debug)]
pub(super) struct Audit<'a> {
    pub(super) disk: DynDisk,
    pub(super) meter: Meter<'a>,
    pub(super) log_bytes: u64,
    pub(super) report: VerifyReport,
    /// The name of the collection that is being looked at.
    collection: Option<String>,
}

impl<'a> Audit<'a> {
    pub(super) fn new(disk: DynDisk, control: &Control<'a>) -> Self {
        Audit {
            disk,
            meter: Meter::new(control, 0),
            log_bytes: 0,
            report: VerifyReport::default(),
            collection: None,
        }
    }

    pub(super) fn finish(self) -> VerifyReport {
        self.report
    }

    /// Counts the files of a manifest among those to come.
    pub(super) fn expect_segments(&mut self, manifest: &CollectionManifest) {
        let lens = manifest
            .segments
            .iter()
            .flat_map(|s| &s.components)
            .map(|c| c.len);
        self.meter.expect(lens.fold(0, u64::saturating_add));
    }

    /// Counts the log among the files to come.
    pub(super) fn expect_log(&mut self) -> Result<()> {
        for name in directory::list(&self.disk, LOG_DIR)? {
            self.log_bytes += directory::len_of(&self.disk, &format!("{LOG_DIR}/{name}"));
        }
        self.meter.expect(self.log_bytes);
        Ok(())
    }

    pub(super) fn read(&mut self, files: u64, bytes: u64) {
        self.report.files += files;
        self.report.bytes += bytes;
    }

    /// Notes a problem. The file is the one that the error names, or else `file`. What a build of other formats has written is
    /// no damage, whatever it is.
    pub(super) fn problem(
        &mut self,
        file: &str,
        error: &Error,
        severity: Severity,
        advice: impl Into<String>,
    ) {
        let (path, offset, what) = describe(error);
        let file = path.unwrap_or_else(|| file.to_owned());
        let (severity, advice) = match error.is_version() {
            true if error.is_newer_format() => (Severity::OtherVersion, NEWER.to_owned()),
            // It is made again from what is not derived, which is read.
            true if severity == Severity::Derived => (severity, advice.into()),
            true => (Severity::OtherVersion, OLDER.to_owned()),
            false => (severity, advice.into()),
        };
        self.report.problems.push(Problem {
            collection: self.collection.clone(),
            file,
            offset,
            what,
            severity,
            advice,
        });
    }

    /// Notes a problem that no error tells of.
    pub(super) fn note(&mut self, file: String, what: String, severity: Severity, advice: &str) {
        self.report.problems.push(Problem {
            collection: self.collection.clone(),
            file,
            offset: None,
            what,
            severity,
            advice: advice.to_owned(),
        });
    }

    /// Every generation of a manifest; the newest, if it can be read. `None` too where there is none.
    fn generations<T: ManifestRecord>(
        &mut self,
        store: &ManifestStore<T>,
        place: &Place,
    ) -> Result<Option<T>> {
        let generations = match store.generations() {
            Ok(generations) => generations,
            Err(error) => {
                self.problem(&place.real, &error.into(), Severity::Primary, RESTORE);
                return Ok(None);
            }
        };
        let spares = store.spares()?;
        for generation in spares {
            match store.load_spare(generation) {
                Ok(_) => self.read(1, 0),
                Err(error) => self.problem_at(place, &error.into(), Severity::Spare, SPARE),
            }
        }
        let mut newest = None;
        for (at, &generation) in generations.iter().enumerate() {
            let last = at + 1 == generations.len();
            match store.load_generation(generation) {
                Ok(record) => {
                    self.read(1, 0);
                    newest = last.then_some(record);
                }
                Err(error) => {
                    let (severity, advice) = match last {
                        true => (Severity::Primary, RESTORE),
                        false => (Severity::Spare, SPARE),
                    };
                    self.problem_at(place, &error.into(), severity, advice);
                }
            }
        }
        Ok(newest)
    }

    /// Notes an error about something in a place.
    fn problem_at(&mut self, place: &Place, error: &Error, severity: Severity, advice: &str) {
        let first = self.report.problems.len();
        self.problem(&place.real, error, severity, advice);
        self.tell_from(first, place);
    }

    /// Shows the problems from `first` on where the files really are.
    fn tell_from(&mut self, first: usize, place: &Place) {
        for problem in self.report.problems.iter_mut().skip(first) {
            problem.file = place.tell(&problem.file);
        }
    }

    /// Notes that no generation is there that counts: only a spare, or none at all.
    fn none_counts<T: ManifestRecord>(&mut self, store: &ManifestStore<T>, place: &Place, none: &str) {
        match store.load() {
            Err(error) => self.problem_at(place, &error.into(), Severity::Primary, RESTORE),
            Ok(_) => self.note(place.real.clone(), none.to_owned(), Severity::Primary, RESTORE),
        }
    }

    /// The newest catalog, if it can be read.
    pub(super) fn catalog(&mut self) -> Result<Option<Catalog>> {
        let (store, place) = (
            catalog_store(&self.disk),
            Place::real(&self.disk, crate::layout::CATALOG_DIR),
        );
        let before = self.report.problems.len();
        let catalog = self.generations(&store, &place)?;
        if catalog.is_none() && self.report.problems.len() == before {
            self.none_counts(&store, &place, "no generation of the catalog is there");
        }
        Ok(catalog)
    }

    /// Reads the manifests of a collection; `None` when they do not say what its files are.
    pub(super) fn plan(&mut self, id: u32, name: Option<String>, place: Place) -> Result<Option<Plan>> {
        self.report.collections += 1;
        self.about(name.clone(), |audit| audit.read_plan(id, name, place))
    }

    /// Looks at something of a collection.
    pub(super) fn about<T>(&mut self, name: Option<String>, look: impl FnOnce(&mut Self) -> T) -> T {
        self.collection = name;
        let out = look(self);
        self.collection = None;
        out
    }

    fn read_plan(&mut self, id: u32, name: Option<String>, place: Place) -> Result<Option<Plan>> {
        let store = ManifestStore::new(self.disk.clone(), place.dir.clone());
        let before = self.report.problems.len();
        let manifest: Option<CollectionManifest> = self.generations(&store, &place)?;
        let Some(manifest) = manifest else {
            if self.report.problems.len() == before {
                self.none_counts(&store, &place, "the manifest is missing");
            }
            return Ok(None);
        };
        if manifest.collection_id != id {
            let what = format!(
                "the manifest is that of collection {}, expected {id}",
                manifest.collection_id
            );
            self.note(place.real, what, Severity::Primary, RESTORE);
            return Ok(None);
        }
        match Schema::from_record(&manifest.schema, &place.real) {
            Ok(schema) => Ok(Some(Plan {
                id,
                name,
                place,
                manifest,
                schema,
            })),
            Err(error) => {
                self.problem(&place.real, &error, Severity::Primary, RESTORE);
                Ok(None)
            }
        }
    }

    /// Checks the files of a collection. Returns the derived ones that are damaged.
    pub(super) fn collection(&mut self, plan: &mut Plan) -> Result<Vec<SegmentFile>> {
        self.about(plan.name.clone(), |audit| audit.files(plan))
    }

    fn files(&mut self, plan: &mut Plan) -> Result<Vec<SegmentFile>> {
        let first = self.report.problems.len();
        for _ in 1..ATTEMPTS {
            let damaged = self.segments(plan)?;
            if self.report.problems.len() == first || !self.has_moved_on(plan) {
                return Ok(damaged);
            }
            // Somebody has the database open: what was missing may have been merged away.
            self.report.problems.truncate(first);
        }
        self.segments(plan)
    }

    /// True when there is a newer manifest than the one in the plan, which it then holds.
    fn has_moved_on(&self, plan: &mut Plan) -> bool {
        if plan.place.linked {
            return false;
        }
        let store = ManifestStore::<CollectionManifest>::new(self.disk.clone(), plan.place.dir.clone());
        let Ok(Some(manifest)) = store.load() else {
            return false;
        };
        let Ok(schema) = Schema::from_record(&manifest.schema, &plan.place.real) else {
            return false;
        };
        let newer = manifest.generation > plan.manifest.generation;
        (plan.manifest, plan.schema) = (manifest, schema);
        newer
    }

    fn segments(&mut self, plan: &Plan) -> Result<Vec<SegmentFile>> {
        let mut derived = Vec::new();
        let (place, first) = (&plan.place, self.report.problems.len());
        for segment in &plan.manifest.segments {
            self.report.rows += u64::from(segment.rows);
            if let Some(what) = files::contradiction(&plan.manifest, segment) {
                self.note(
                    format!("{}: manifest", place.real),
                    what,
                    Severity::Primary,
                    RESTORE,
                );
            }
            for record in &segment.components {
                let Some(file) = files::file_of(segment, record) else {
                    continue;
                };
                match files::check(&*self.disk, &place.dir, &plan.schema, segment, &file, record) {
                    Ok(()) => self.read(1, record.len),
                    Err(error) => {
                        let shown = self.disk.display(&file.path(&place.dir));
                        if !file.component.is_derived() {
                            let rows = segment.rows;
                            let advice = format!("the {rows} rows of the segment are at stake; {RESTORE}");
                            self.problem(&shown, &error, Severity::Primary, advice);
                        } else if describe(&error).0.is_none_or(|path| path == shown) {
                            derived.push(file);
                            let is_made_again = is_missing(&error) || error.is_version() || place.linked;
                            let advice = match is_made_again {
                                true => "it is made again in the background while the database is open",
                                false => "remove the file while the database is closed: it is made again",
                            };
                            self.problem(&shown, &error, Severity::Derived, advice);
                        }
                        // Else it is the vectors that a graph is over: they have a turn of their own.
                    }
                }
                self.meter.tick(record.len)?;
            }
        }
        self.tell_from(first, place);
        Ok(derived)
    }
}

fn is_missing(error: &Error) -> bool {
    use vdb_vfs::Error::NotFound;
    matches!(
        error,
        Error::Disk(NotFound { .. })
            | Error::Storage(vdb_storage::Error::Disk(NotFound { .. }))
            | Error::Index(vdb_index::Error::Disk(NotFound { .. }))
    )
}

/// What to do about a file of a version that this build cannot read.
const NEWER: &str = "open it with a newer vdb";
const OLDER: &str = "open it with the older vdb that wrote it";

/// What to do about a damaged manifest that does not count.
const SPARE: &str = "it is kept as a spare; the next commit removes it";

/// What helps where data is gone.
pub(super) const RESTORE: &str = "restore it from a snapshot, or let `vdb repair` keep what can be read";
