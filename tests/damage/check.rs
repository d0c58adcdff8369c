//! What is asked of a damaged database: that it opens or says why not, that `verify` finds it, that `repair` keeps the
//! rest.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde_json::json;
use vdb::disk::DynDisk;
use vdb::{
    Condition, Control, Database, Error, Filter, PointId, Query, QueryRequest, RepairReport, ScrollRequest,
    SearchRequest, Select, Severity, SparseVector, VerifyReport, repair_disk, verify_disk,
};
use vdb_tests::files::{self, Files};
use vdb_tests::oracle::{CollectionDump, Dump};
use vdb_vfs::MemDisk;

use super::store::{self, Store};

/// What is to be asked.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ask<'a> {
    /// The file that `verify` must name.
    pub(crate) found: Option<&'a str>,
    /// Neither open nor repair it where `verify` says this: that has been done for many alike.
    pub(crate) alike: Option<&'a Verdict>,
    /// The log has lost its end. That looks as if a power cut had come before these writes were synced, so nobody can
    /// tell that they were.
    pub(crate) log_cut: bool,
}

/// Asks everything, and returns what `verify` says; a panic says where it came from.
pub(crate) fn check(store: &Store, files: &Files, what: &str, ask: Ask<'_>) -> Verdict {
    let asked = AssertUnwindSafe(|| {
        let verified = verify(files, ask.found);
        let verdict = Verdict::of(verified.as_ref());
        if ask.alike != Some(&verdict) {
            open_twice(store, files, verified.as_ref(), ask.log_cut);
            repair(store, files, ask.log_cut);
        }
        verdict
    });
    catch_unwind(asked).unwrap_or_else(|panic| panic!("{what}: {}", said(&*panic)))
}

/// What is damaged, where, and how, numbers such as checksums aside: the same of most bytes that one checksum guards. None
/// where nothing says that it is a database.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict(Option<Vec<Found>>);

/// File, offset, how bad, and what.
type Found = (String, Option<u64>, Severity, String);

impl Verdict {
    fn of(report: Option<&VerifyReport>) -> Verdict {
        let words = |text: &str| {
            let bare = |word: &&str| !word.contains(|letter: char| letter.is_ascii_digit());
            text.split(' ').filter(bare).collect::<Vec<_>>().join(" ")
        };
        let problems = report.map(|report| {
            let problems = report.problems.iter();
            problems
                .map(|p| (p.file.clone(), p.offset, p.severity, words(&p.what)))
                .collect()
        });
        Verdict(problems)
    }
}

/// The message of a panic.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default()
}

/// Reads everything as it is; the file `found` must be among those with problems.
fn verify(files: &Files, found: Option<&str>) -> Option<VerifyReport> {
    let disk = files::disk(files);
    let report = match verify_disk(disk.clone(), &Control::none()) {
        Ok(report) => report,
        Err(Error::NotADatabase { .. }) => return None,
        Err(error) => panic!("verify fails: {error}"),
    };
    assert_eq!(&files::read(&*disk), files, "verify has changed something");
    if let Some(file) = found {
        let shown = disk.display(file);
        let named = report.problems.iter().any(|problem| problem.file == shown);
        assert!(named, "verify does not find it: {:?}", report.problems);
    }
    Some(report)
}

/// What one opening shows: the answers of each collection, or why there are none.
#[derive(Debug, PartialEq)]
enum Shown {
    Refused(String),
    Collections(Vec<(String, Result<String, String>)>),
}

/// Opens, reads, closes; and once more, which must not find less than before.
fn open_twice(store: &Store, files: &Files, verified: Option<&VerifyReport>, log_cut: bool) {
    let disk = files::disk(files);
    let lost = verified.is_none_or(VerifyReport::has_lost_data);
    let first = show(store, &disk, lost, log_cut);
    let second = show(store, &disk, lost, log_cut);
    assert_eq!(first, second, "the second opening is another");
}

fn show(store: &Store, disk: &DynDisk, lost: bool, log_cut: bool) -> Shown {
    let db = match store::open(disk) {
        Ok(db) => db,
        Err(error) => {
            assert!(
                lost,
                "verify says that nothing is lost, and it does not open: {error}"
            );
            assert!(error.to_string().len() > 20, "{error}");
            return Shown::Refused(error.to_string());
        }
    };
    let mut shown = Vec::new();
    for name in db.collections() {
        let answer = ask(&db, &name).map_err(|error| error.to_string());
        if !lost {
            if let Err(error) = &answer {
                panic!("{name}: no answer though nothing is said to be lost: {error}");
            }
            let dump = CollectionDump::read(&db.collection(&name).unwrap()).unwrap();
            let is_same = dump == store.dump.collections[&name];
            assert!(
                is_same || log_cut,
                "{name}: another answer though nothing is said to be lost: {dump:?}"
            );
        }
        shown.push((name, answer));
    }
    db.close().unwrap();
    Shown::Collections(shown)
}

/// Reads a collection in every way.
fn ask(db: &Database, name: &str) -> Result<String, Error> {
    let c = db.collection(name)?;
    let all = c.scroll(&ScrollRequest::new().limit(1_000).select(Select::all()))?;
    let filter = Filter::from_json(&json!({"must": [{"key": "mod", "match": {"value": "m3"}}]})).unwrap();
    c.count(Some(&filter))?;
    let dim = c.config().vectors[0].1.size;
    for exact in [true, false] {
        let request = SearchRequest::new(vec![0.5; dim])
            .limit(5)
            .exact(exact)
            .with_payload(true);
        c.search(&request)?;
        c.search(&request.filter(filter.clone()))?;
    }
    if c.config().vectors.iter().any(|(name, _)| name == "tokens") {
        let tokens = SearchRequest::new(vec![vec![0.5, 1.0], vec![-1.0, 0.25]]).using("tokens");
        c.search(&tokens.filter(filter.clone()))?;
        let words = SearchRequest::new(SparseVector::new([0, 9, 11], [1.0, 0.5, -2.0])).using("words");
        for exact in [true, false] {
            c.search(&words.clone().exact(exact))?;
            c.search(&words.clone().exact(exact).filter(filter.clone()))?;
        }
    }
    let indexes = c.info()?.payload_indexes;
    let mut said = Vec::new();
    if indexes.iter().any(|(path, _)| path == "say") {
        let phrase = Filter::must([Condition::phrase("say", "owl an")]);
        let request = QueryRequest::new(Query::text("an owl")).using("say");
        said = c.query(&request.filter(phrase))?;
    }
    Ok(format!("{all:?} {said:?}"))
}

/// Salvages; what is kept is what was there, and what is not is told.
fn repair(store: &Store, files: &Files, log_cut: bool) {
    let (source, target): (DynDisk, DynDisk) = (files::disk(files), Arc::new(MemDisk::new()));
    let report = match repair_disk(&source, &target, &Control::none()) {
        Ok(report) => report,
        Err(Error::NotADatabase { .. }) => return,
        Err(error) => panic!("repair fails: {error}"),
    };
    assert_eq!(&files::read(&*source), files, "repair has changed something");
    let sound = verify_disk(target.clone(), &Control::none()).unwrap();
    assert_eq!(sound.problems, [], "the repaired database is damaged");
    let db = store::open(&target).unwrap();
    let kept = Dump::read(&db).unwrap();
    db.close().unwrap();
    assert_eq!(
        kept.collections.len(),
        report
            .collections
            .iter()
            .filter(|c| kept.collections.contains_key(&c.name))
            .count()
    );
    for (number, name) in &store.names {
        let now = report.collections.iter().find(|c| c.number == *number);
        let new = now.map(|c| c.name.as_str());
        compare(
            &report,
            name,
            new,
            &store.dump.collections[name],
            new.and_then(|new| kept.collections.get(new)),
            log_cut,
        );
        if let (Some(now), Some(kept)) = (now, new.and_then(|new| kept.collections.get(new))) {
            assert_eq!(now.points, kept.points.len() as u64, "{name}");
        }
    }
    if report.is_complete() {
        for (number, name) in &store.names {
            let new = &report
                .collections
                .iter()
                .find(|c| c.number == *number)
                .unwrap()
                .name;
            assert!(
                kept.collections.contains_key(new),
                "{name} is not there: {report:?}"
            );
        }
    }
}

fn compare(
    report: &RepairReport,
    name: &str,
    new: Option<&str>,
    was: &CollectionDump,
    kept: Option<&CollectionDump>,
    log_cut: bool,
) {
    let mine = |c: &Option<String>| c.is_none() || c.as_deref() == new || c.as_deref() == Some(name);
    let losses: Vec<_> = report
        .losses
        .iter()
        .filter(|loss| mine(&loss.collection))
        .collect();
    let lost: BTreeSet<PointId> = losses.iter().flat_map(|loss| loss.ids.iter().copied()).collect();
    let unnamed = losses.iter().any(|loss| loss.unnamed != Some(0));
    let says = |text: &str| losses.iter().any(|loss| loss.what.contains(text));
    let log_damaged = log_cut
        || losses
            .iter()
            .any(|loss| loss.file.contains("wal") && !loss.is_harmless());
    let empty = CollectionDump {
        points: Default::default(),
        vectors: Default::default(),
        indexes: Default::default(),
        settings: Default::default(),
    };
    let kept = kept.unwrap_or(&empty);
    for (id, point) in &was.points {
        match kept.points.get(id) {
            None => assert!(
                lost.contains(id) || unnamed || log_cut,
                "{name}: point {id} is gone without a word: {losses:?}"
            ),
            Some(found) => {
                let mut found = found.clone();
                if found.version != point.version && says("versions of") {
                    found.version = point.version;
                }
                // What a record that is lost has changed is as it was before it.
                let before = log_damaged && found.version < point.version;
                assert!(
                    &found == point || before,
                    "{name}: point {id}: {found:?}, was {point:?}: {losses:?}"
                );
                assert!(
                    !lost.contains(id) || before,
                    "{name}: point {id} is lost and kept: {losses:?}"
                );
            }
        }
    }
    for id in kept.points.keys().filter(|id| !was.points.contains_key(id)) {
        let back = says("may come back") || log_damaged;
        assert!(back, "{name}: point {id} is back from the dead: {losses:?}");
    }
    if losses.is_empty() && !log_cut {
        assert_eq!(kept, was, "{name}");
    }
}

/// Asks everything of files that are beyond knowing: nothing panics, and what is made of them is sound.
pub(crate) fn survives(files: &Files, what: &str) {
    let asked = AssertUnwindSafe(|| {
        let _ = verify_disk(files::disk(files), &Control::none());
        let disk = files::disk(files);
        for _ in 0..2 {
            if let Ok(db) = store::open(&disk) {
                for name in db.collections() {
                    let _ = ask(&db, &name);
                }
            }
        }
        let target: DynDisk = Arc::new(MemDisk::new());
        match repair_disk(&files::disk(files), &target, &Control::none()) {
            Ok(report) => {
                assert_eq!(
                    verify_disk(target.clone(), &Control::none()).unwrap().problems,
                    []
                );
                let db = store::open(&target).unwrap();
                let points: usize = Dump::read(&db)
                    .unwrap()
                    .collections
                    .values()
                    .map(|c| c.points.len())
                    .sum();
                assert_eq!(report.points(), points as u64);
            }
            Err(error) => assert!(matches!(error, Error::NotADatabase { .. }), "{error}"),
        }
    });
    if let Err(panic) = catch_unwind(asked) {
        panic!("{what}: {}", said(&*panic));
    }
}
