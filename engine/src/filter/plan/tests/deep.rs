//! What filters deep within others cost to plan.

use std::cell::Cell;

use serde_json::{Value, json};
use vdb_index::RowSet;
use vdb_index::postings::{Kind, PostingsFile};
use vdb_storage::PointId;

use super::{Candidates, IndexLookup, Segment, candidates, compiled};

/// Counts how often an index is asked for.
struct Counting<'a> {
    segment: &'a Segment,
    asked: Cell<usize>,
}

impl IndexLookup for Counting<'_> {
    fn rows(&self) -> u32 {
        self.segment.rows()
    }

    fn postings(&self, path: &str) -> Option<&PostingsFile> {
        self.asked.set(self.asked.get() + 1);
        self.segment.postings(path)
    }

    fn row_of(&self, id: &PointId) -> Option<u32> {
        self.segment.row_of(id)
    }
}

#[test]
fn a_condition_is_looked_up_as_often_however_deep_it_stands() {
    let payloads: Vec<Value> = (0..200).map(|n| json!({"n": n})).collect();
    let segment = Segment::new(&payloads, &[("n", Kind::Integer)]);
    let asked = |depth: i64| {
        let mut filter = json!({"must": [{"key": "n", "range": {"gte": 50}}]});
        for level in 0..depth {
            let own = json!({"key": "n", "range": {"lt": 199 - level}});
            filter = if level % 2 == 0 {
                json!({"must": [own, filter]})
            } else {
                json!({"must": [own], "must_not": [{"must_not": [filter]}]})
            };
        }
        let counting = Counting {
            segment: &segment,
            asked: Cell::new(0),
        };
        let expected: RowSet = (50..200 - depth as u32).collect();
        let found = candidates(&compiled(&filter), &counting).unwrap();
        assert_eq!(found, Candidates::Exact(expected));
        counting.asked.get()
    };
    let (few, many) = (asked(10), asked(40));
    assert!(many <= few * 4, "{few} and {many} look-ups");
}
