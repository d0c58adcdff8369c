//! What systems are asked besides the nearest dense vectors: counts under every kind of condition, sparse vectors of texts,
//! and both vectors together.
//!
//! ```text
//! Dataset with WordNet's payloads -> Corpus -> (Performer::make, open) -> measure_tasks: in turns -> vdb_measure::Line
//! ```
//!
//! One database serves all of it: rows with the dense vector `dense`, the gloss as the sparse vector `words` by BM25 (the
//! modifier `idf`), and a payload with an index on every field that is asked about.

use std::collections::HashMap;

use clap::ValueEnum;
use serde_json::{Map, Value};
use vdb::SparseVector;
use vdb_measure::{Line, Measured, Plan, rounded};

use crate::conditions::{Case, cases, payloads};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::race::{Runner, Truth, race};
use crate::texts::{Inverted, Scored, Texts, as_good};

/// The name of the dense vectors.
pub const DENSE: &str = "dense";
/// The name of the sparse vectors.
pub const WORDS: &str = "words";
/// Points asked for.
pub const LIMIT: usize = 10;
/// Points that each of the two searches gives to be fused, but where it is [`LIMIT`].
const PREFETCH: usize = 20;
/// The constant of reciprocal rank fusion, for all systems.
pub const RRF_K: u32 = 2;
/// What the search for the [`PREFETCH`] nearest is called.
const DENSE_CANDIDATES: &str = "dense, as many as are fused";
/// What fusing no more than [`LIMIT`] of each search is called: so many a prefetch gives where none says how many.
const FEW_CANDIDATES: &str = "dense + bm25, rrf, ten of each";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TaskKind {
    /// Points that match a filter, counted exactly: every kind of condition, with an index
    Counts,
    /// The ten best texts by BM25, over sparse vectors
    Sparse,
    /// Dense vectors alone, texts alone, and both fused by their ranks
    Hybrid,
}

impl TaskKind {
    /// As lines and command lines have it.
    pub fn name(self) -> &'static str {
        match self {
            TaskKind::Counts => "counts",
            TaskKind::Sparse => "sparse",
            TaskKind::Hybrid => "hybrid",
        }
    }
}

/// One question.
#[derive(Clone, Copy, Debug)]
pub enum Task<'a> {
    /// How many points match this filter, in Qdrant's JSON: the answer is that number alone.
    Count(&'a Value),
    /// So many nearest by [`DENSE`].
    Dense(&'a [f32], usize),
    /// The [`LIMIT`] best by [`WORDS`].
    Sparse(&'a SparseVector),
    /// The [`LIMIT`] best of both lists of so many, fused by reciprocal ranks with [`RRF_K`].
    Hybrid(&'a [f32], &'a SparseVector, usize),
}

/// What a database for these tasks holds.
#[derive(Clone, Debug)]
pub struct Corpus<'a> {
    /// Rows and queries.
    pub set: &'a Dataset,
    /// The payload of each row.
    pub payloads: Vec<Map<String, Value>>,
    /// Texts of rows and queries.
    pub texts: Texts,
}

impl<'a> Corpus<'a> {
    /// That of a data set with WordNet's payloads.
    ///
    /// # Errors
    /// When rows or queries have none.
    pub fn of(set: &'a Dataset) -> Result<Self> {
        let have = |payloads: &[Map<String, Value>], rows: usize| {
            payloads.len() == rows && payloads.iter().any(|payload| payload.contains_key("gloss"))
        };
        if !have(&set.payloads, set.len()) || !have(&set.asked, set.queries.len()) {
            let message = "counts, sparse and hybrid searches need WordNet's payloads: add --payload";
            return Err(Error::Program(message.to_owned()));
        }
        Ok(Corpus {
            set,
            payloads: payloads(set),
            texts: Texts::of(set)?,
        })
    }
}

/// A system in this process, loaded and indexed.
pub trait Performer {
    /// A question as the system takes it.
    type Request: Clone;

    /// As tables show it.
    fn name(&self) -> &str;

    /// Makes a question ready; not timed.
    fn request(&self, task: Task<'_>) -> Result<Self::Request>;

    /// The ids of the points, or their number; timed.
    fn perform(&self, request: Self::Request) -> Result<Vec<u64>>;
}

/// A [`Performer`] whatever its questions are.
pub trait Contender {
    /// As tables show it.
    fn system(&self) -> &str;

    /// One answer.
    fn answer(&self, task: Task<'_>) -> Result<Vec<u64>>;

    /// Asked all of these in turns with others.
    fn runner<'a>(&'a self, tasks: &[Task<'_>], truth: Truth<'a>, plan: &Plan) -> Result<Runner<'a>>;
}

impl<P: Performer> Contender for P {
    fn system(&self) -> &str {
        self.name()
    }

    fn answer(&self, task: Task<'_>) -> Result<Vec<u64>> {
        self.perform(self.request(task)?)
    }

    fn runner<'a>(&'a self, tasks: &[Task<'_>], truth: Truth<'a>, plan: &Plan) -> Result<Runner<'a>> {
        let requests = tasks.iter().map(|task| self.request(*task));
        Runner::asking(
            requests.collect::<Result<_>>()?,
            move |request| self.perform(request),
            truth,
            plan,
        )
    }
}

/// Where lines go.
pub type Tell<'a> = &'a mut dyn FnMut(Line) -> Result<()>;

/// Asks all systems in turns.
///
/// # Errors
/// What a system or `tell` says; and, when everything is measured, that two systems do not count the same.
pub fn measure_tasks(
    corpus: &Corpus<'_>,
    kinds: &[TaskKind],
    contenders: &[&dyn Contender],
    plan: &Plan,
    tell: Tell<'_>,
) -> Result<()> {
    let mut differences = Vec::new();
    for kind in kinds {
        match kind {
            TaskKind::Counts => counts(corpus, contenders, plan, tell, &mut differences)?,
            TaskKind::Sparse => sparse(corpus, contenders, plan, tell)?,
            TaskKind::Hybrid => hybrid(corpus, contenders, plan, tell)?,
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(Error::Program(format!(
        "counts differ: {}",
        differences.join("; ")
    )))
}

fn line(corpus: &Corpus<'_>, kind: TaskKind, setting: &str, system: &str, measured: Measured) -> Line {
    let line = Line {
        system: system.to_owned(),
        task: Some(kind.name().to_owned()),
        setting: setting.to_owned(),
        rows: Some(corpus.set.len() as u64),
        data: Some(corpus.set.name.clone()),
        ..Line::default()
    };
    line.measured(measured)
}

/// One filter is a single question: it is asked often, and the median of all calls counts.
fn counts(
    corpus: &Corpus<'_>,
    contenders: &[&dyn Contender],
    plan: &Plan,
    tell: Tell<'_>,
    differences: &mut Vec<String>,
) -> Result<()> {
    let often = Plan {
        warm_up: 1,
        passes: plan.passes * 25,
        time: plan.time / 20,
    };
    for case in cases(corpus.set.len()) {
        let Case {
            name,
            filter,
            ours_only,
        } = &case;
        let asked = match ours_only {
            true => contenders.get(..1).unwrap_or_default(),
            false => contenders,
        };
        let task = [Task::Count(filter)];
        let mut expected: Option<Vec<u64>> = None;
        for contender in asked {
            let counted = contender.answer(task[0])?;
            let first = expected.get_or_insert_with(|| counted.clone());
            if *first != counted {
                differences.push(format!(
                    "{name}: {} {counted:?}, the first {first:?}",
                    contender.system()
                ));
            }
        }
        let answers = [expected.unwrap_or_default()];
        let truth = Truth {
            answers: &answers,
            wanted: 1,
        };
        let runners = asked
            .iter()
            .map(|contender| contender.runner(&task, truth, &often));
        let measured = race(runners.collect::<Result<_>>()?, &often)?;
        for (contender, mut watched) in asked.iter().zip(measured) {
            let raw = std::mem::take(&mut watched.raw_us);
            let all = Measured::of(raw, watched.recall, watched.passes);
            let matching = answers[0].first().copied().unwrap_or_default();
            tell(Line {
                filter: Some((*name).to_owned()),
                share: Some(rounded(matching as f64 / corpus.set.len().max(1) as f64, 5)),
                queries: Some(1),
                ..line(corpus, TaskKind::Counts, "exact", contender.system(), all)
            })?;
        }
    }
    Ok(())
}

/// All systems asked the same questions in turns; a line each.
fn in_turns(
    contenders: &[&dyn Contender],
    tasks: &[Task<'_>],
    truth: Truth<'_>,
    plan: &Plan,
    tell: &mut dyn FnMut(&str, Measured) -> Result<()>,
) -> Result<()> {
    let runners = contenders
        .iter()
        .map(|contender| contender.runner(tasks, truth, plan));
    let measured = race(runners.collect::<Result<_>>()?, plan)?;
    for (contender, watched) in contenders.iter().zip(measured) {
        let quiet = Measured {
            raw_us: Vec::new(),
            ..watched
        };
        tell(contender.system(), quiet)?;
    }
    Ok(())
}

fn sparse(corpus: &Corpus<'_>, contenders: &[&dyn Contender], plan: &Plan, tell: Tell<'_>) -> Result<()> {
    let inverted = Inverted::of(&corpus.texts.documents);
    for (setting, questions) in [("glosses", &corpus.texts.glosses), ("words", &corpus.texts.words)] {
        let ranked = questions.iter().map(|question| inverted.ranked(question));
        // Who asks for nothing that a document has is told nothing.
        let asked = questions
            .iter()
            .zip(ranked)
            .filter(|(_, ranked)| !ranked.is_empty());
        let (tasks, ranked): (Vec<Task<'_>>, Vec<Vec<Scored>>) = asked
            .map(|(question, ranked)| (Task::Sparse(question), ranked))
            .unzip();
        let answers: Vec<Vec<u64>> = ranked.iter().map(|ranked| as_good(ranked, LIMIT)).collect();
        let truth = Truth {
            answers: &answers,
            wanted: ranked.iter().map(|ranked| ranked.len().min(LIMIT)).sum(),
        };
        in_turns(contenders, &tasks, truth, plan, &mut |system: &str, measured| {
            tell(Line {
                queries: Some(tasks.len()),
                ..line(corpus, TaskKind::Sparse, setting, system, measured)
            })
        })?;
    }
    Ok(())
}

/// Both lists by their ranks, best first.
fn fused(lists: [&[u64]; 2]) -> Vec<Scored> {
    let mut scores: HashMap<u64, f64> = HashMap::new();
    for list in lists {
        for (rank, id) in list.iter().enumerate() {
            *scores.entry(*id).or_default() += 1.0 / (rank as f64 + f64::from(RRF_K));
        }
    }
    let mut all: Vec<Scored> = scores.into_iter().collect();
    all.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all
}

fn hybrid(corpus: &Corpus<'_>, contenders: &[&dyn Contender], plan: &Plan, tell: Tell<'_>) -> Result<()> {
    let inverted = Inverted::of(&corpus.texts.documents);
    let ids = |ranked: &[Scored]| ranked.iter().map(|(row, _)| *row).collect::<Vec<u64>>();
    let near = corpus.set.nearest(&corpus.set.queries, PREFETCH, None);
    let mut asked = Vec::new();
    for ((vector, question), near) in corpus.set.queries.iter().zip(&corpus.texts.glosses).zip(&near) {
        let ranked = inverted.ranked(question);
        if !ranked.is_empty() {
            let both = [PREFETCH, LIMIT].map(|each| {
                let texts = ids(&ranked[..ranked.len().min(each)]);
                as_good(&fused([&near[..near.len().min(each)], &texts]), LIMIT)
            });
            asked.push((vector, question, near, as_good(&ranked, LIMIT), both));
        }
    }
    let dense = |limit| asked.iter().map(move |one| Task::Dense(one.0, limit)).collect();
    let [ten, candidates]: [Vec<Task<'_>>; 2] = [LIMIT, PREFETCH].map(dense);
    let texts: Vec<Task<'_>> = asked.iter().map(|one| Task::Sparse(one.1)).collect();
    let hybrid = |each| {
        asked
            .iter()
            .map(move |one| Task::Hybrid(one.0, one.1, each))
            .collect()
    };
    let [both, few]: [Vec<Task<'_>>; 2] = [PREFETCH, LIMIT].map(hybrid);
    let first = |limit| {
        asked
            .iter()
            .map(move |one| one.2.iter().take(limit).copied().collect())
            .collect()
    };
    let [nearest, near]: [Vec<Vec<u64>>; 2] = [LIMIT, PREFETCH].map(first);
    let best: Vec<Vec<u64>> = asked.iter().map(|one| one.3.clone()).collect();
    let of_both = |which: usize| asked.iter().map(move |one| one.4[which].clone()).collect();
    let [fused, fused_few]: [Vec<Vec<u64>>; 2] = [0, 1].map(of_both);
    let all = [
        ("dense", &ten, &nearest, LIMIT),
        (DENSE_CANDIDATES, &candidates, &near, PREFETCH),
        ("bm25", &texts, &best, LIMIT),
        ("dense + bm25, rrf", &both, &fused, LIMIT),
        (FEW_CANDIDATES, &few, &fused_few, LIMIT),
    ];
    for (setting, tasks, answers, limit) in all {
        let truth = Truth {
            answers,
            wanted: answers.iter().map(|answers| answers.len().min(limit)).sum(),
        };
        in_turns(contenders, tasks, truth, plan, &mut |system: &str, measured| {
            tell(Line {
                queries: Some(tasks.len()),
                ..line(corpus, TaskKind::Hybrid, setting, system, measured)
            })
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
