//! Texts as sparse vectors: documents and questions by BM25, and the true answers to them by code of its own.

use std::collections::HashMap;

use serde_json::{Map, Value};
use vdb::SparseVector;
use vdb::bm25::{Bm25, Options, TokenWeights};

use crate::dataset::Dataset;
use crate::error::Result;

/// Scores as near as this to each other, relative to the larger, are the same: systems add up in orders of their own.
const SAME: f64 = 1e-5;

/// The glosses of all rows, and two questions for each query of the data set.
#[derive(Clone, Debug)]
pub struct Texts {
    /// The vector of each row's gloss; empty where it has no token.
    pub documents: Vec<SparseVector>,
    /// The query's gloss, a dozen words; one a query, empty where it has no token.
    pub glosses: Vec<SparseVector>,
    /// The words that the query is a gloss of, one or a few.
    pub words: Vec<SparseVector>,
}

fn vector(tokens: TokenWeights) -> SparseVector {
    SparseVector::new(tokens.indices, tokens.values)
}

fn gloss(payload: &Map<String, Value>) -> &str {
    payload.get("gloss").and_then(Value::as_str).unwrap_or_default()
}

fn words(payload: &Map<String, Value>) -> String {
    let words = payload.get("words").and_then(Value::as_array);
    let words = words.into_iter().flatten().filter_map(Value::as_str);
    words.collect::<Vec<_>>().join(" ")
}

impl Texts {
    /// Those of a data set with WordNet's fields.
    pub(crate) fn of(set: &Dataset) -> Result<Texts> {
        let bm25 = Bm25::new(&Options::default())?;
        let document = |payload: &Map<String, Value>| vector(bm25.document(gloss(payload)));
        let asked = |text: &str| vector(bm25.query(text));
        Ok(Texts {
            documents: set.payloads.iter().map(document).collect(),
            glosses: set.asked.iter().map(|payload| asked(gloss(payload))).collect(),
            words: set.asked.iter().map(|payload| asked(&words(payload))).collect(),
        })
    }
}

/// A row and its score.
pub(crate) type Scored = (u64, f64);

/// Documents by token, with every sum made anew for each question.
pub(crate) struct Inverted {
    rows: HashMap<u32, Vec<(usize, f32)>>,
    /// Documents that have a token.
    all: usize,
}

impl Inverted {
    pub(crate) fn of(documents: &[SparseVector]) -> Self {
        let mut rows: HashMap<u32, Vec<(usize, f32)>> = HashMap::new();
        for (row, document) in documents.iter().enumerate() {
            for (token, weight) in document.indices.iter().zip(&document.values) {
                rows.entry(*token).or_default().push((row, *weight));
            }
        }
        let all = documents
            .iter()
            .filter(|document| !document.indices.is_empty())
            .count();
        Inverted { rows, all }
    }

    /// All rows with a token of the question, best first, by the dot product with the weights of the question times how
    /// rare their tokens are.
    pub(crate) fn ranked(&self, question: &SparseVector) -> Vec<Scored> {
        let all = self.all as f64;
        let mut scores: HashMap<usize, f64> = HashMap::new();
        for (token, weight) in question.indices.iter().zip(&question.values) {
            let rows = self.rows.get(token).map_or(&[][..], Vec::as_slice);
            let holding = rows.len() as f64;
            let rare = ((all - holding + 0.5) / (holding + 0.5) + 1.0).ln();
            for (row, own) in rows {
                *scores.entry(*row).or_default() += f64::from(*own) * f64::from(*weight) * rare;
            }
        }
        let mut ranked: Vec<Scored> = scores
            .into_iter()
            .map(|(row, score)| (row as u64, score))
            .collect();
        ranked.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked
    }
}

/// The first `limit` of a ranking and those that are as good as the last of them.
pub(crate) fn as_good(ranked: &[Scored], limit: usize) -> Vec<u64> {
    let least = ranked
        .get(limit.saturating_sub(1))
        .map_or(f64::NEG_INFINITY, |(_, score)| score - score.abs() * SAME);
    let good = ranked.iter().take_while(|(_, score)| *score >= least);
    good.map(|(row, _)| *row).collect()
}

#[cfg(test)]
mod tests;
