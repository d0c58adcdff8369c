//! Searches of which only a part of the database's files can stay in memory.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use vdb::{Collection, Database, PointId, SearchRequest};
use vdb_measure::{Line, MappedFiles, Measured, MemoryGroup, Plan, read_bytes, rounded};

use super::database::COLLECTION;
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::{interrupt, open};

/// Memory that a group is allowed beside the files: what answers and the system's own tables take meanwhile.
const OWN_BYTES: u64 = 8 << 20;
/// Slow disks make two passes long enough; fast ones are asked for longer.
pub(super) const PLAN: Plan = Plan {
    warm_up: 0,
    passes: 2,
    time: Duration::from_secs(4),
};

/// How files are held to their share of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum By {
    /// A memory control group where one can be made, else by dropping.
    Auto,
    /// A memory control group: the system lets go of what it thinks least useful.
    Group,
    /// All is dropped from memory whenever more than the share is in it.
    Drop,
}

/// Queries between two looks at what is in memory, unless pages have to be dropped: to look goes through the system's tables of
/// all pages, and the next query takes twice as long for what that has pushed out of the caches.
const QUERIES_A_LOOK: usize = 250;

/// How often, and how far apart, it is looked whether reading ahead has come to its end.
const SETTLE_LOOKS: u32 = 100;
const SETTLE_LOOK: Duration = Duration::from_millis(10);

/// Reads a share in percent: from above 0 to 100.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let percent = text
        .parse()
        .ok()
        .filter(|percent: &f64| *percent > 0.0 && *percent <= 100.0);
    let percent = percent.ok_or_else(|| format!("{text}: expected a percentage above 0, at most 100"))?;
    Ok(percent / 100.0)
}

/// Questions with their answers.
#[derive(Clone, Copy)]
pub(super) struct Questions<'a> {
    pub(super) requests: &'a [SearchRequest],
    /// The true neighbours of each.
    pub(super) truth: &'a [Vec<PointId>],
}

/// A database that is searched while only a part of it can be in memory. It must not be open meanwhile.
pub(super) struct Cold<'a> {
    dir: &'a Path,
    open: &'a dyn Fn() -> Outcome<Database>,
    /// Its files that searches read.
    files: MappedFiles,
}

impl<'a> Cold<'a> {
    /// Finds the files by asking `first`: requests that between them need every file that searches read.
    pub(super) fn new(
        dir: &'a Path,
        open: &'a dyn Fn() -> Outcome<Database>,
        first: &[SearchRequest],
    ) -> Outcome<Cold<'a>> {
        let db = open()?;
        let collection = open::collection(&db, COLLECTION)?;
        // A file is mapped when it is first needed.
        for request in first {
            collection.search(request)?;
        }
        let files = MappedFiles::below(dir).map_err(|e| unreadable(dir, &e))?;
        drop(collection);
        db.close()?;
        if files.bytes() == 0 {
            return Err(Failure::failed(format!(
                "{}: searches read no file through a mapping, so there is nothing that --cached could measure",
                dir.display()
            )));
        }
        Ok(Cold { dir, open, files })
    }

    /// Asks while `share` of the mapped bytes can be in memory; `known` with what it came to. An error where the share
    /// cannot be kept.
    pub(super) fn measure(
        &self,
        share: f64,
        by: By,
        questions: Questions<'_>,
        plan: &Plan,
        known: Line,
        out: &Out,
    ) -> Outcome<Line> {
        let mut kept = Kept {
            cold: self,
            limit: (self.files.bytes() as f64 * share) as u64,
            keeper: Keeper::Nothing,
            open: None,
            most: 0,
            drops: 0,
            aside: 0,
        };
        kept.forget()?;
        if share < 1.0 {
            kept.keeper = kept.keeper(by, out)?;
        }
        kept.open()?;
        // So that what is in memory when the clock starts is what searches leave there.
        for (asked, request) in questions.requests.iter().enumerate() {
            kept.look_after(asked)?;
            kept.collection()?.search(request)?;
        }
        (kept.drops, kept.aside) = (0, 0);
        let (mut times, mut hits, mut passes) = (Vec::new(), 0, 0);
        let (started, read_before) = (Instant::now(), read_bytes());
        while passes < plan.passes || started.elapsed() < plan.time {
            for (request, truth) in questions.requests.iter().zip(questions.truth) {
                kept.look_after(times.len())?;
                let collection = kept.collection()?;
                let asked = Instant::now();
                let found = collection.search(request)?;
                times.push(asked.elapsed().as_secs_f64() * 1e6);
                if passes == 0 {
                    hits += found.iter().filter(|point| truth.contains(&point.id)).count();
                }
            }
            passes += 1;
        }
        kept.look()?;
        let read = read_bytes().zip(read_before).map(|(now, before)| now - before);
        let read_kb = read.map(|bytes| bytes.saturating_sub(kept.aside) as f64 / times.len() as f64 / 1e3);
        let wanted = questions.truth.iter().map(Vec::len).sum::<usize>();
        let recall = hits as f64 / wanted.max(1) as f64;
        let megabytes = |bytes: u64| Some(rounded(bytes as f64 / 1e6, 1));
        let known = Line {
            cached: Some(share),
            cached_by: Some(kept.keeper.name().to_owned()),
            mapped_mb: megabytes(self.files.bytes()),
            resident_mb: megabytes(kept.most),
            read_kb: read_kb.map(|kb| rounded(kb, 2)),
            drops: Some(kept.drops),
            ..known
        };
        Ok(known.measured(Measured::of(times, recall, passes)))
    }
}

fn unreadable(dir: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!(
        "{}: cannot tell which of its pages are in memory, so --cached measures nothing here: {error}",
        dir.display()
    ))
}

/// What holds files to their share.
enum Keeper {
    Nothing,
    Group(MemoryGroup),
    Drop,
}

impl Keeper {
    fn name(&self) -> &'static str {
        match self {
            Keeper::Nothing => "nothing",
            Keeper::Group(group) => group.name(),
            Keeper::Drop => "dropped when full",
        }
    }
}

/// A database of which only a part may be in memory.
struct Kept<'a> {
    cold: &'a Cold<'a>,
    /// Bytes of the files that may be in memory.
    limit: u64,
    // Handles go before the database they are handles of, and both before the group they are in.
    open: Option<(Collection, Database)>,
    keeper: Keeper,
    /// Most bytes of the files that were seen in memory.
    most: u64,
    /// How often everything was dropped.
    drops: u64,
    /// Bytes that were read while opening anew.
    aside: u64,
}

impl Kept<'_> {
    fn keeper(&self, by: By, out: &Out) -> Outcome<Keeper> {
        if by == By::Drop {
            return Ok(Keeper::Drop);
        }
        match MemoryGroup::enter(self.limit + OWN_BYTES) {
            Ok(group) => Ok(Keeper::Group(group)),
            Err(why) if by == By::Auto => {
                out.note(format_args!(
                    "no memory control group ({why}); dropping pages instead"
                ));
                Ok(Keeper::Drop)
            }
            Err(why) => Err(Failure::failed(format!(
                "no memory control group can be made: {why}; try --cached-by drop"
            ))),
        }
    }

    fn collection(&self) -> Outcome<&Collection> {
        let open = self.open.as_ref().map(|(collection, _)| collection);
        open.ok_or_else(|| Failure::failed("the database is not open"))
    }

    fn open(&mut self) -> Outcome {
        let db = (self.cold.open)()?;
        self.open = Some((open::collection(&db, COLLECTION)?, db));
        if matches!(self.keeper, Keeper::Drop) {
            self.settle()?;
        }
        let resident = self.resident()?;
        self.most = self.most.max(resident);
        self.check(resident, "once it is opened")
    }

    /// Puts out of memory what the system was asked to read ahead when the database was opened, which goes on for a while:
    /// nobody has read these pages through a mapping yet.
    fn settle(&self) -> Outcome {
        for _ in 0..SETTLE_LOOKS {
            self.cold
                .files
                .forget()
                .map_err(|e| unreadable(self.cold.dir, &e))?;
            if self.resident()? <= self.limit {
                return Ok(());
            }
            std::thread::sleep(SETTLE_LOOK);
        }
        Ok(())
    }

    /// Puts all of the files out of memory; the database must not be open.
    fn forget(&mut self) -> Outcome {
        self.cold
            .files
            .forget()
            .map_err(|e| unreadable(self.cold.dir, &e))?;
        self.check(self.resident()?, "whatever is asked of the system")
    }

    /// [Looks](Self::look) between two queries: each time where pages have to be dropped, else now and then.
    fn look_after(&mut self, queries: usize) -> Outcome {
        if matches!(self.keeper, Keeper::Drop) || queries.is_multiple_of(QUERIES_A_LOOK) {
            return self.look();
        }
        Ok(())
    }

    /// Sees to it, between two queries, that no more than the share is in memory.
    fn look(&mut self) -> Outcome {
        interrupt::check()?;
        let resident = self.resident()?;
        self.most = self.most.max(resident);
        match self.keeper {
            Keeper::Nothing => Ok(()),
            Keeper::Group(_) => self.check(
                resident.saturating_sub(OWN_BYTES),
                "in spite of the group's limit",
            ),
            Keeper::Drop if resident <= self.limit => Ok(()),
            Keeper::Drop => {
                // A query that brings in far more than fits, by what is read ahead, was not asked under the share.
                self.check(resident.saturating_sub(self.limit / 4), "after a single query")?;
                let read = read_bytes();
                if let Some((collection, db)) = self.open.take() {
                    drop(collection);
                    db.close()?;
                }
                self.forget()?;
                self.open()?;
                self.drops += 1;
                self.aside += read_bytes().zip(read).map_or(0, |(now, before)| now - before);
                Ok(())
            }
        }
    }

    fn resident(&self) -> Outcome<u64> {
        let resident = self.cold.files.resident_bytes();
        resident.map_err(|e| unreadable(self.cold.dir, &e))
    }

    fn check(&self, resident: u64, when: &str) -> Outcome {
        if resident <= self.limit || matches!(self.keeper, Keeper::Nothing) && self.open.is_some() {
            return Ok(());
        }
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        Err(Failure::failed(format!(
            "{}: {:.1} of {:.1} MB stay in memory {when}, where {:.1} MB may: this share cannot be measured here",
            self.cold.dir.display(),
            megabytes(resident),
            megabytes(self.cold.files.bytes()),
            megabytes(self.limit)
        )))
    }
}
