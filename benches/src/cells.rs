//! Filters to measure, from nearly all rows to one in a thousand, independent of the vectors or not.

use serde_json::{Map, Value, json};
use vdb_measure::uniform;

use crate::dataset::Dataset;

/// Tags drawn at random: name, and the share of the rows that carry it. Tag number i is drawn with seed 1 + i.
const TAGS: [(&str, f64); 4] = [("t50", 0.5), ("t10", 0.1), ("t1", 0.01), ("t01", 0.001)];
/// Fields of WordNet's payloads that filters ask for; the first two are indexed.
const FIELDS: [&str; 3] = ["pos", "lexfile", "lemmas"];

/// What one field of a payload must be.
#[derive(Clone, Debug)]
struct Condition {
    key: &'static str,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    /// This value, or a list with it.
    Is(Value),
    AtLeast(i64),
}

fn is(key: &'static str, value: impl Into<Value>) -> Condition {
    let test = Test::Is(value.into());
    Condition { key, test }
}

impl Condition {
    fn name(&self) -> String {
        match &self.test {
            Test::Is(Value::String(text)) => format!("{}={text}", self.key),
            Test::Is(value) => format!("{}={value}", self.key),
            Test::AtLeast(least) => format!("{}>={least}", self.key),
        }
    }

    fn json(&self) -> Value {
        match &self.test {
            Test::Is(value) => json!({"key": self.key, "match": {"value": value}}),
            Test::AtLeast(least) => json!({"key": self.key, "range": {"gte": least}}),
        }
    }

    fn holds(&self, payload: &Map<String, Value>) -> bool {
        match (payload.get(self.key), &self.test) {
            (Some(Value::Array(all)), Test::Is(value)) => all.contains(value),
            (Some(own), Test::Is(value)) => own == value,
            (Some(own), Test::AtLeast(least)) => own.as_i64().is_some_and(|own| own >= *least),
            (None, _) => false,
        }
    }
}

/// What all rows are asked: the conditions that must hold, or one that must not.
#[derive(Clone, Debug)]
enum Asked {
    All(Vec<Condition>),
    Not(Condition),
}

impl Asked {
    fn cell(&self, usual: bool, payloads: &[Map<String, Value>]) -> Cell {
        let (name, filter) = match self {
            Asked::All(all) => {
                let names: Vec<String> = all.iter().map(Condition::name).collect();
                let must: Vec<Value> = all.iter().map(Condition::json).collect();
                (names.join("+"), json!({ "must": must }))
            }
            Asked::Not(one) => (format!("not {}", one.name()), json!({"must_not": [one.json()]})),
        };
        let matches = |payload: &Map<String, Value>| match self {
            Asked::All(all) => all.iter().all(|one| one.holds(payload)),
            Asked::Not(one) => !one.holds(payload),
        };
        Cell {
            name,
            filter,
            among: payloads.iter().map(matches).collect(),
            usual,
        }
    }
}

/// The filters that are measured unless others are named: one indexed field each.
fn usual() -> Vec<Asked> {
    let tags = TAGS.map(|(tag, _)| is("tags", tag));
    let pos = ["noun", "verb", "adv"].map(|value| is("pos", value));
    // The last three are rare: .7, .7 and .07 % of all rows.
    let lexfiles = [18, 5, 40, 22, 43].map(|value| is("lexfile", value));
    let all = tags.into_iter().chain(pos).chain(lexfiles);
    all.map(|one| Asked::All(vec![one])).collect()
}

/// Further ones: other values, a field without an index (`lemmas`: most rows, some, few), two conditions, a negation.
fn further() -> Vec<Asked> {
    let six = Condition {
        key: "lemmas",
        test: Test::AtLeast(6),
    };
    let all = [
        vec![is("pos", "adj")],
        vec![is("lexfile", 30)],
        vec![is("lexfile", 3)],
        vec![is("lemmas", 1)],
        vec![is("lemmas", 3)],
        vec![six],
        vec![is("pos", "noun"), is("tags", "t50")],
        vec![is("pos", "verb"), is("tags", "t10")],
        vec![is("pos", "noun"), is("lemmas", 2)],
        vec![is("pos", "verb"), is("lemmas", 1)],
        vec![is("tags", "t10"), is("lemmas", 1)],
    ];
    let all = all.into_iter().map(Asked::All);
    all.chain([Asked::Not(is("pos", "noun"))]).collect()
}

/// A filter, and the rows that match it.
#[derive(Clone, Debug)]
pub struct Cell {
    /// `key=value`, several joined by `+`.
    pub name: String,
    /// In Qdrant's JSON.
    pub filter: Value,
    /// For every row whether it matches.
    pub among: Vec<bool>,
    usual: bool,
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

/// The payloads that a filtered measurement stores, and its filters: `tags` for any data, others where the data has
/// WordNet's fields. Filters that no row matches, or every row, are left out.
#[derive(Clone, Debug)]
pub struct Cells {
    /// The payload of each row.
    pub payloads: Vec<Map<String, Value>>,
    cells: Vec<Cell>,
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
                for key in FIELDS {
                    if let Some(value) = own.and_then(|own| own.get(key)) {
                        payload.insert(key.to_owned(), value.clone());
                    }
                }
                let of_row = tags.iter().filter(|(_, drawn)| drawn[row]);
                payload.insert("tags".to_owned(), of_row.map(|(name, _)| *name).collect());
                payload
            })
            .collect();
        let usual = usual().into_iter().map(|asked| (asked, true));
        let cells = usual.chain(further().into_iter().map(|asked| (asked, false)));
        let cells = cells.map(|(asked, usual)| asked.cell(usual, &payloads));
        let cells = cells.filter(|cell| (1..set.len()).contains(&cell.matching()));
        Cells {
            cells: cells.collect(),
            payloads,
        }
    }

    /// The filters whose name contains one of these; the usual ones where none is named.
    pub fn named(&self, names: &[String]) -> Vec<&Cell> {
        let wanted = |cell: &&Cell| match names {
            [] => cell.usual,
            _ => names.iter().any(|name| cell.name.contains(name.as_str())),
        };
        self.cells.iter().filter(wanted).collect()
    }
}

#[cfg(test)]
mod tests;
