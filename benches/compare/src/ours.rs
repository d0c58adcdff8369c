//! Our database, measured in this process.

use std::path::Path;
use std::time::Instant;

use vdb_benches::{Cells, Dataset, Error, Ours, Questions, Result, Runner, System, race};
use vdb_measure::{Line, Memory, Plan, Setting, directory_bytes, rounded};

/// Neighbours asked for.
const LIMIT: usize = 10;

/// What is measured, and for how long.
pub(crate) struct Course {
    /// Settings of searches without a filter.
    pub(crate) plain: Vec<Setting>,
    /// Settings of searches with one; none leaves them out.
    pub(crate) filtered: Vec<Setting>,
    /// How many of the queries are asked with a filter.
    pub(crate) filtered_queries: usize,
    /// Names of filters; none for the usual ones.
    pub(crate) cells: Vec<String>,
    pub(crate) plan: Plan,
}

/// Makes a database in a temporary folder and asks it everything.
pub(crate) fn measure(set: &Dataset, course: &Course, tell: &mut dyn FnMut(Line)) -> Result<()> {
    let scratch = tempfile::tempdir().map_err(Error::file(&std::env::temp_dir()))?;
    if !course.plain.is_empty() {
        let truth = set.truth(LIMIT);
        let questions = Questions {
            vectors: &set.queries,
            truth: &truth,
            limit: LIMIT,
            filter: None,
        };
        let bench = Bench::make(&scratch.path().join("plain"), set, None)?;
        for setting in &course.plain {
            tell(bench.ask(*setting, questions, &course.plan)?);
        }
    }
    if !course.filtered.is_empty() {
        let cells = Cells::of(set);
        let bench = Bench::make(&scratch.path().join("filtered"), set, Some(&cells))?;
        let asked = &set.queries[..course.filtered_queries.min(set.queries.len())];
        for cell in cells.named(&course.cells) {
            let truth = set.nearest(asked, LIMIT, Some(&cell.among));
            let questions = Questions {
                vectors: asked,
                truth: &truth,
                limit: LIMIT,
                filter: Some(&cell.filter),
            };
            for setting in &course.filtered {
                let line = bench.ask(*setting, questions, &course.plan)?;
                tell(Line {
                    filter: Some(cell.name.clone()),
                    share: Some(rounded(cell.share(), 5)),
                    ..line
                });
            }
        }
    }
    Ok(())
}

/// A database, and what was known before it was asked.
struct Bench {
    ours: Ours,
    before: Option<Memory>,
    known: Line,
}

impl Bench {
    fn make(dir: &Path, set: &Dataset, cells: Option<&Cells>) -> Result<Bench> {
        let before = Memory::now();
        let made = Ours::make(dir, set, cells.map(|cells| cells.payloads.as_slice()), 0)?;
        let started = Instant::now();
        let ours = Ours::open(dir)?;
        let open_ms = started.elapsed().as_secs_f64() * 1e3;
        let known = Line {
            system: ours.name().to_owned(),
            disk_mb: Some(rounded(directory_bytes(dir) as f64 / 1e6, 1)),
            open_ms: Some(rounded(open_ms, 2)),
            rows: Some(set.len() as u64),
            data: Some(set.name.clone()),
            ..made.line()
        };
        Ok(Bench { ours, before, known })
    }

    fn ask(&self, setting: Setting, questions: Questions<'_>, plan: &Plan) -> Result<Line> {
        let runner = Runner::new(&self.ours, setting, questions, plan)?;
        let known = Line {
            setting: setting.to_string(),
            queries: Some(questions.vectors.len()),
            ..self.known.clone()
        };
        // One runner comes to one measurement.
        let measured = race(vec![runner], plan)?.into_iter();
        let line = measured.fold(known, Line::measured);
        Ok(line.grown(Memory::now(), self.before))
    }
}
