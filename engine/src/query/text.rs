//! The points whose texts say most of what a query says, by BM25.
//!
//! Okapi BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009): each token of the query
//! counts with `ln(1 + (n - df + 0.5) / (df + 0.5))`, where `df` of the `n` points with tokens have it, times
//! `tf (k1 + 1) / (tf + k1 (1 - b + b len / avg))`, where a point has it `tf` times among its `len` tokens, and `avg` is what
//! `len` is on average. All of that is of the points that the reader sees, whatever the filter.
//!
//! Segments with an index are asked for the rows of each token; points of other tables are read. Which ones have an index
//! makes no difference to a score: a point's sum goes over the tokens in the order of their bytes.

use std::collections::HashMap;
use std::sync::Arc;

use vdb_index::postings::{Class, Key, PostingsFile};
use vdb_storage::PointId;
use vdb_storage::payload::ObjectRef;

use crate::error::{Error, Result, within};
use crate::filter::{CompiledFilter, PayloadPath, TextAnalysis};
use crate::limits::MAX_TEXT_TOKENS;
use crate::memtable::Memtable;
use crate::query::allowance::Allowance;
use crate::query::matching::{Horizon, memtable_row_matches};
use crate::query::nearest::Hit;
use crate::query::rows::SegmentRows;
use crate::schema::Schema;
use crate::segment::Segment;
use crate::tables::{Located, View};

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextQuery<'a> {
    /// The payload path, which has an index of texts.
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
    /// How much a token counts that is there again.
    pub(crate) k1: f64,
    /// How much a long text is held against a point.
    pub(crate) b: f64,
}

/// Which points count: those that match a filter, and if there are others before them, are among those.
#[derive(Clone, Copy)]
pub(crate) struct Eligible<'a> {
    pub(crate) filter: Option<&'a CompiledFilter>,
    pub(crate) among: Option<&'a HashMap<PointId, Located>>,
}

/// A query made ready.
struct Prepared<'a> {
    number: u16,
    path: PayloadPath,
    analysis: &'a Arc<TextAnalysis>,
    /// Different ones, ascending.
    tokens: Vec<String>,
    k1: f64,
    b: f64,
}

/// What the points of all tables have together.
#[derive(Default)]
struct Totals {
    /// Points with tokens.
    points: u64,
    tokens: u64,
    /// Points with each token of the query.
    points_with: Vec<u64>,
}

/// A point that was read, if it has a token of the query.
struct ReadRow {
    row: u32,
    length: u32,
    /// How often it has each token of the query.
    counts: Box<[u32]>,
}

/// Why a table was not gone through.
enum Failure {
    /// The index of a segment is damaged. It is derived data: the segment's payloads say the same.
    Index,
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Other(error)
    }
}

impl From<vdb_index::Error> for Failure {
    fn from(_: vdb_index::Error) -> Self {
        Failure::Index
    }
}

/// The best `want` points with a token of the query, in order.
pub(crate) fn best(
    view: &View,
    query: TextQuery<'_>,
    eligible: Eligible<'_>,
    want: usize,
    allowance: &Allowance<'_>,
) -> Result<Vec<Hit>> {
    let query = prepare(&view.tables.schema, query)?;
    if query.tokens.is_empty() {
        return Ok(Vec::new());
    }
    loop {
        if let Some(found) = attempt(view, &query, eligible, want, allowance)? {
            return Ok(found);
        }
        // An index turned out damaged, and is not asked again.
    }
}

fn prepare<'a>(schema: &'a Schema, query: TextQuery<'_>) -> Result<Prepared<'a>> {
    let path = PayloadPath::parse(query.path)?;
    let text = path.to_string();
    let of_texts = || {
        schema
            .payload_indexes
            .iter()
            .filter_map(|index| Some((index, index.analysis.as_ref()?)))
    };
    let Some((index, analysis)) = of_texts().find(|(index, _)| index.path == text) else {
        let known: Vec<String> = of_texts().map(|(index, _)| format!("{:?}", index.path)).collect();
        return Err(Error::InvalidRequest(format!(
            "a query by text needs an index of the kind text on the payload path that `using` names: there is none on {text:?}; \
             indexes of texts: {}",
            if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            }
        )));
    };
    let tokens = analysis.query_tokens(query.text);
    within("different tokens in a query by text", MAX_TEXT_TOKENS, tokens.len())?;
    Ok(Prepared {
        number: index.number,
        path,
        analysis,
        tokens,
        k1: query.k1,
        b: query.b,
    })
}

/// One go at it; `None` when an index is damaged.
fn attempt(
    view: &View,
    query: &Prepared<'_>,
    eligible: Eligible<'_>,
    want: usize,
    allowance: &Allowance<'_>,
) -> Result<Option<Vec<Hit>>> {
    let mut totals = Totals {
        points_with: vec![0; query.tokens.len()],
        ..Totals::default()
    };
    let mut held = 0;
    let mut in_memory = Vec::new();
    for table in view.tables.memtables() {
        let rows = read_memtable(view, query, table, &mut totals, &mut held, allowance)?;
        in_memory.push((table, rows));
    }
    let mut of_segments = Vec::new();
    for segment in &view.tables.segments {
        allowance.check()?;
        let rows = match segment.index(query.number) {
            Some(index) => match count_in_index(view, query, segment, index, &mut totals, allowance) {
                Ok(()) => None,
                Err(Failure::Other(error)) => return Err(error),
                Err(Failure::Index) => {
                    segment.set_index_damaged();
                    allowance.give(held);
                    return Ok(None);
                }
            },
            None => Some(read_segment(view, query, segment, &mut totals, &mut held, allowance)?),
        };
        of_segments.push((segment, rows));
    }

    let weights = Weights::new(query, &totals);
    let mut best = Best::new(want, allowance);
    let schema = &view.tables.schema;
    for (table, rows) in in_memory {
        for read in rows {
            let Some(row) = table.row(read.row) else { continue };
            let score = weights.score(read.length, read.terms());
            best.offer(score, row.id, eligible, |at: &mut dyn FnMut(Located)| {
                let matches = memtable_row_matches(schema, row, eligible.filter)?;
                if matches {
                    at(Located::Memtable(table.clone(), read.row));
                }
                Ok(())
            })?;
        }
    }
    for (segment, rows) in of_segments {
        let horizon = Horizon::At(view.lsn);
        let matching = SegmentRows::new(schema, segment, horizon, eligible.filter, allowance)?;
        let mut offer = |row: u32, score: f32| {
            let Some(id) = segment.points.id(row) else {
                return Ok(());
            };
            best.offer(score, id, eligible, |at| {
                if matching.contains(row)? {
                    at(Located::Segment(segment.clone(), row));
                }
                Ok(())
            })
        };
        match rows {
            Some(rows) => {
                for read in rows {
                    offer(read.row, weights.score(read.length, read.terms()))?;
                }
            }
            None => match score_index(query, segment, &weights, allowance, &mut offer) {
                Ok(()) => {}
                Err(Failure::Other(error)) => return Err(error),
                Err(Failure::Index) => {
                    segment.set_index_damaged();
                    allowance.give(held);
                    best.give_up();
                    return Ok(None);
                }
            },
        }
    }
    allowance.give(held);
    Ok(Some(best.finish()))
}

impl ReadRow {
    /// The tokens that it has, by number, and how often.
    fn terms(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        let counts = self.counts.iter().copied().enumerate();
        counts.filter(|(_, count)| *count > 0)
    }
}

/// Reads one payload: adds to the totals, and returns the row if it has a token of the query.
fn read_row(
    query: &Prepared<'_>,
    row: u32,
    payload: &[u8],
    counts: &mut Vec<u32>,
    totals: &mut Totals,
) -> Result<Option<ReadRow>> {
    counts.clear();
    counts.resize(query.tokens.len(), 0);
    let payload = ObjectRef::from_payload(payload)?;
    let length = query
        .analysis
        .count(payload, query.path.steps(), &query.tokens, counts)?;
    totals.points += u64::from(length > 0);
    totals.tokens += u64::from(length);
    let mut has_some = false;
    for (with, &count) in totals.points_with.iter_mut().zip(counts.iter()) {
        *with += u64::from(count > 0);
        has_some |= count > 0;
    }
    Ok(has_some.then(|| ReadRow {
        row,
        length,
        counts: counts.as_slice().into(),
    }))
}

fn read_memtable(
    view: &View,
    query: &Prepared<'_>,
    table: &Memtable,
    totals: &mut Totals,
    held: &mut usize,
    allowance: &Allowance<'_>,
) -> Result<Vec<ReadRow>> {
    let (mut found, mut counts) = (Vec::new(), Vec::new());
    for (at, row) in table.rows() {
        allowance.beat()?;
        if row.visible(view.lsn) {
            let read = read_row(query, at, &row.payload, &mut counts, totals)?;
            keep(read, &mut found, held, allowance)?;
        }
    }
    Ok(found)
}

/// For a segment whose index is not built yet.
fn read_segment(
    view: &View,
    query: &Prepared<'_>,
    segment: &Segment,
    totals: &mut Totals,
    held: &mut usize,
    allowance: &Allowance<'_>,
) -> Result<Vec<ReadRow>> {
    let (mut found, mut counts) = (Vec::new(), Vec::new());
    for row in 0..segment.rows() {
        allowance.beat()?;
        if segment.deletions.is_live(row, view.lsn) {
            let read = read_row(query, row, segment.payload.get(row)?, &mut counts, totals)?;
            keep(read, &mut found, held, allowance)?;
        }
    }
    Ok(found)
}

fn keep(
    read: Option<ReadRow>,
    found: &mut Vec<ReadRow>,
    held: &mut usize,
    allowance: &Allowance<'_>,
) -> Result<()> {
    if let Some(read) = read {
        let bytes = size_of::<ReadRow>() + size_of_val::<[u32]>(&read.counts);
        allowance.take(bytes)?;
        *held += bytes;
        found.push(read);
    }
    Ok(())
}

/// Adds what the index of a segment knows to the totals, without the rows that are dead.
fn count_in_index(
    view: &View,
    query: &Prepared<'_>,
    segment: &Segment,
    index: &PostingsFile,
    totals: &mut Totals,
    allowance: &Allowance<'_>,
) -> Result<(), Failure> {
    let mut points = u64::from(index.class_len(Class::Present));
    let mut tokens = index.text_info().map_or(0, |info| info.tokens);
    let dead: Vec<u32> = segment
        .deletions
        .iter()
        .filter(|(_, lsn)| *lsn <= view.lsn)
        .map(|(row, _)| row)
        .collect();
    for &row in &dead {
        let length = index.text_length(row);
        points = points.saturating_sub(u64::from(length > 0));
        tokens = tokens.saturating_sub(u64::from(length));
    }
    totals.points += points;
    totals.tokens = totals.tokens.saturating_add(tokens);
    for (token, with) in query.tokens.iter().zip(&mut totals.points_with) {
        allowance.check()?;
        let key = Key::Term(token);
        *with += if dead.is_empty() {
            index.estimate_equals(key)?.expected
        } else {
            let rows = index.equals(key)?;
            let dead = dead.iter().filter(|row| rows.contains(**row)).count();
            rows.len() - dead as u64
        };
    }
    Ok(())
}

/// A row, the number of a token that it has, how often.
type Posting = (u32, u32, u32);

/// Scores the rows of a segment by its index, and offers each.
fn score_index(
    query: &Prepared<'_>,
    segment: &Segment,
    weights: &Weights,
    allowance: &Allowance<'_>,
    offer: &mut dyn FnMut(u32, f32) -> Result<()>,
) -> Result<(), Failure> {
    // Another reader may have found it damaged in between.
    let index = segment.index(query.number).ok_or(Failure::Index)?;
    let mut postings: Vec<Posting> = Vec::new();
    for (number, token) in (0_u32..).zip(&query.tokens) {
        allowance.check()?;
        let rows = index.occurrences(token)?;
        allowance.take(rows.len() * size_of::<Posting>())?;
        postings.extend(rows.into_iter().map(|(row, count)| (row, number, count)));
    }
    // Runs of rows, one a token: the sort merges them.
    postings.sort();
    for of_row in postings.chunk_by(|(a, ..), (b, ..)| a == b) {
        allowance.beat()?;
        let Some(&(row, ..)) = of_row.first() else { continue };
        let terms = of_row.iter().map(|(_, number, count)| (*number as usize, *count));
        offer(row, weights.score(index.text_length(row), terms))?;
    }
    allowance.give(postings.len() * size_of::<Posting>());
    Ok(())
}

/// What makes a score of counts.
struct Weights {
    /// Of each token.
    rarity: Vec<f64>,
    k1: f64,
    b: f64,
    average: f64,
}

impl Weights {
    fn new(query: &Prepared<'_>, totals: &Totals) -> Self {
        let points = totals.points as f64;
        let rarity = |with: &u64| {
            let with = *with as f64;
            (1.0 + (points - with + 0.5).max(0.5) / (with + 0.5)).ln()
        };
        Self {
            rarity: totals.points_with.iter().map(rarity).collect(),
            k1: query.k1,
            b: query.b,
            average: totals.tokens as f64 / points.max(1.0),
        }
    }

    /// The score of a point of so many tokens that has those of the query, by ascending number, so often.
    fn score(&self, length: u32, terms: impl Iterator<Item = (usize, u32)>) -> f32 {
        let relative = f64::from(length) / self.average.max(f64::MIN_POSITIVE);
        let damping = self.k1 * (1.0 - self.b + self.b * relative);
        let worth = |(number, count): (usize, u32)| {
            let frequency = f64::from(count);
            let rarity = self.rarity.get(number).copied().unwrap_or_default();
            rarity * frequency * (self.k1 + 1.0) / (frequency + damping)
        };
        terms.map(worth).sum::<f64>() as f32
    }
}

/// The best points, as far as they have been seen.
struct Best<'a> {
    want: usize,
    hits: Vec<Hit>,
    /// What a score must reach to be among them, once there are enough.
    bar: f32,
    allowance: &'a Allowance<'a>,
}

impl<'a> Best<'a> {
    /// Hits that are kept beyond those wanted, so that not each one that comes is put in its place.
    const SLACK: usize = 1024;

    fn new(want: usize, allowance: &'a Allowance<'a>) -> Self {
        Best {
            want,
            hits: Vec::new(),
            bar: f32::NEG_INFINITY,
            allowance,
        }
    }

    /// Takes a point if it is good enough and eligible. `locate` gives its place if the filter lets it pass, and is asked
    /// only then.
    fn offer(
        &mut self,
        score: f32,
        id: PointId,
        eligible: Eligible<'_>,
        locate: impl FnOnce(&mut dyn FnMut(Located)) -> Result<()>,
    ) -> Result<()> {
        if score < self.bar || eligible.among.is_some_and(|points| !points.contains_key(&id)) {
            return Ok(());
        }
        let mut place = None;
        locate(&mut |at| place = Some(at))?;
        let Some(at) = place else { return Ok(()) };
        self.allowance.take(size_of::<Hit>())?;
        self.hits.push(Hit { score, id, at });
        if self.hits.len() >= self.want.saturating_mul(2).max(Self::SLACK) {
            self.cut();
        }
        Ok(())
    }

    fn cut(&mut self) {
        self.hits.sort_unstable_by(Hit::order);
        let more = self.hits.len().saturating_sub(self.want);
        self.allowance.give(more * size_of::<Hit>());
        self.hits.truncate(self.want);
        if self.hits.len() == self.want {
            self.bar = self.hits.last().map_or(f32::INFINITY, |last| last.score);
        }
    }

    fn give_up(self) {
        self.allowance.give(self.hits.len() * size_of::<Hit>());
    }

    fn finish(mut self) -> Vec<Hit> {
        self.cut();
        self.hits
    }
}
