//! Filters to measure, from nearly all rows to one in a thousand, independent of the vectors or not.

use serde_json::{Map, Value, json};
use vdb_measure::uniform;

use crate::dataset::Dataset;

/// Tags drawn at random: name, and the share of the rows that carry it. Tag number i is drawn with seed 1 + i.
const TAGS: [(&str, f64); 4] = [("t50", 0.5), ("t10", 0.1), ("t1", 0.01), ("t01", 0.001)];
/// Keywords and numbers of WordNet's payloads, which go with the vectors.
const POS: [&str; 3] = ["noun", "verb", "adv"];
const LEXFILES: [i64; 4] = [18, 5, 40, 22];

/// A filter, and the rows that match it.
#[derive(Clone, Debug)]
pub struct Cell {
    /// `key=value`.
    pub name: String,
    /// In Qdrant's JSON.
    pub filter: Value,
    /// For every row whether it matches.
    pub among: Vec<bool>,
}

impl Cell {
    /// Share of the rows that match.
    pub fn share(&self) -> f64 {
        self.matching() as f64 / self.among.len().max(1) as f64
    }

    /// How many rows match.
    pub fn matching(&self) -> usize {
        self.among.iter().filter(|matches| **matches).count()
    }
}

/// Payload fields that are indexed, with the kind of index as Qdrant calls it.
pub const INDEXES: [(&str, &str); 3] = [("pos", "keyword"), ("lexfile", "integer"), ("tags", "keyword")];

/// The payloads that a filtered measurement stores, and its filters: `tags` for any data, `pos` and `lexfile` where the
/// data has them. Filters that no row matches are left out.
#[derive(Clone, Debug)]
pub struct Cells {
    /// The payload of each row.
    pub payloads: Vec<Map<String, Value>>,
    /// The filters.
    pub cells: Vec<Cell>,
}

impl Cells {
    /// Those of a data set.
    pub fn of(set: &Dataset) -> Cells {
        let tags: Vec<(&str, Vec<bool>)> = (1_u32..)
            .zip(TAGS)
            .map(|(seed, (name, share))| {
                let drawn = uniform(seed, set.len());
                (name, drawn.into_iter().map(|number| number < share).collect())
            })
            .collect();
        let payloads: Vec<Map<String, Value>> = (0..set.len())
            .map(|row| {
                let mut payload = Map::new();
                let own = set.payloads.get(row);
                for key in ["pos", "lexfile"] {
                    if let Some(value) = own.and_then(|own| own.get(key)) {
                        payload.insert(key.to_owned(), value.clone());
                    }
                }
                let of_row = tags.iter().filter(|(_, drawn)| drawn[row]);
                payload.insert("tags".to_owned(), of_row.map(|(name, _)| *name).collect());
                payload
            })
            .collect();
        let random = tags.into_iter().map(|(name, among)| ("tags", json!(name), among));
        let own = POS.map(|value| ("pos", json!(value)));
        let own = own
            .into_iter()
            .chain(LEXFILES.map(|value| ("lexfile", json!(value))));
        let own = own.map(|(key, value)| {
            let among = payloads.iter().map(|payload| payload.get(key) == Some(&value));
            (key, value.clone(), among.collect())
        });
        let cells = random.chain(own).map(|(key, value, among)| {
            let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Cell {
                name: format!("{key}={shown}"),
                filter: json!({"must": [{"key": key, "match": {"value": value}}]}),
                among,
            }
        });
        let cells = cells.filter(|cell| cell.matching() > 0).collect();
        Cells { payloads, cells }
    }
}

#[cfg(test)]
mod tests;
