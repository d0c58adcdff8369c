//! Answers that are not lists of points: groups, counts of values, distances among a sample.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use vdb::{
    Control, FacetRequest, FacetValue, GroupId, GroupRequest, MatrixRequest, PayloadIndexKind, PointId, Query,
};
use vdb_tests::oracle::op::parse_filter;
use vdb_tests::oracle::path;

use super::both::{Both, ROUNDS, agree, ids_of, page, request};

#[test]
fn groups_hold_the_best_of_each_value() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        if seed % 3 == 1 {
            both.c
                .create_payload_index("tag", PayloadIndexKind::Keyword)
                .unwrap();
        }
        let filter = both.filter();
        let target = both.input("");
        let numbers = both.numbers_of(&target, "");
        let without = ids_of(&[&target]);
        let ranked = both.ranked("", (filter.as_ref(), &without), |row| {
            both.similarity(&numbers, row)
        });
        for (limit, size) in [(3, 2), (5, 30), (50, 4)] {
            let mut wanted: Vec<(GroupId, Vec<(PointId, f64)>)> = Vec::new();
            for &(id, s) in &ranked {
                let mut seen = Vec::new();
                for value in path::values(&both.oracle.points[&id].payload, "tag") {
                    let group = match value {
                        Value::Number(number) => GroupId::Integer(number.as_i64().unwrap()),
                        Value::String(text) => GroupId::String(text.clone()),
                        _ => continue,
                    };
                    if seen.contains(&group) {
                        continue;
                    }
                    seen.push(group.clone());
                    let hit = (id, both.public(s));
                    match wanted.iter().position(|(known, _)| *known == group) {
                        Some(at) if wanted[at].1.len() < size => wanted[at].1.push(hit),
                        None if wanted.len() < limit => wanted.push((group, vec![hit])),
                        Some(_) | None => {}
                    }
                }
            }
            let asked = request(Query::Nearest(target.clone()), "", filter.as_ref()).limit(limit);
            let found = both
                .c
                .query_groups(&GroupRequest::new(asked, "tag").group_size(size))
                .unwrap();
            assert_eq!(found.len(), wanted.len());
            for (group, (id, hits)) in found.iter().zip(&wanted) {
                assert_eq!(&group.id, id);
                agree(&group.hits, hits, "group");
            }
        }
    }
}

#[test]
fn facets_count_every_point_once_a_value() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        let filter = both.filter();
        for kind in [
            None,
            Some(PayloadIndexKind::Keyword),
            Some(PayloadIndexKind::Integer),
        ] {
            if let Some(kind) = kind {
                both.c.create_payload_index("tag", kind).unwrap();
                both.c.optimize(&Control::none()).unwrap();
            }
            let mut counts: BTreeMap<FacetValue, u64> = BTreeMap::new();
            for id in both.oracle.matching(filter.as_ref()) {
                let values = path::values(&both.oracle.points[&id].payload, "tag");
                let values: BTreeSet<FacetValue> = values
                    .into_iter()
                    .filter_map(|value| match value {
                        Value::String(text) => Some(FacetValue::String(text.clone())),
                        Value::Number(number) => Some(FacetValue::Integer(number.as_i64()?)),
                        Value::Bool(truth) => Some(FacetValue::Bool(*truth)),
                        _ => None,
                    })
                    .filter(|value| match kind {
                        None => true,
                        Some(PayloadIndexKind::Keyword) => matches!(value, FacetValue::String(_)),
                        Some(_) => matches!(value, FacetValue::Integer(_)),
                    })
                    .collect();
                for value in values {
                    *counts.entry(value).or_default() += 1;
                }
            }
            let mut wanted: Vec<(FacetValue, u64)> = counts.into_iter().collect();
            wanted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
            for limit in [3, 100] {
                let mut asked = FacetRequest::new("tag").limit(limit);
                asked.filter = filter.as_ref().map(parse_filter);
                let found = both.c.facet(&asked).unwrap().into_iter();
                let found: Vec<_> = found.map(|hit| (hit.value, hit.count)).collect();
                assert_eq!(found, page(&wanted, 0, limit), "{kind:?}");
            }
        }
    }
}

#[test]
fn a_matrix_has_the_nearest_of_its_sample() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        let filter = both.filter();
        let mut asked = MatrixRequest::new().sample(15).limit(4).using("other").seed(seed);
        asked.filter = filter.as_ref().map(parse_filter);
        let matrix = both.c.distance_matrix(&asked).unwrap();
        let matching = both.oracle.matching(filter.as_ref());
        let having = matching
            .iter()
            .filter(|id| both.oracle.points[*id].vectors.contains_key("other"));
        assert_eq!(matrix.ids.len(), having.count().min(15));
        assert!(matrix.ids.is_sorted_by(|a, b| a < b));
        let row = |id: &PointId| both.oracle.points[id].vectors["other"].as_dense().unwrap();
        let mut wanted = Vec::new();
        for a in &matrix.ids {
            let others = matrix.ids.iter().filter(|b| *b != a);
            let mut scored: Vec<(PointId, f64)> =
                others.map(|b| (*b, both.similarity(row(a), row(b)))).collect();
            scored.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
            wanted.extend(
                scored
                    .into_iter()
                    .take(4)
                    .map(|(b, s)| (*a, b, both.public(s) as f32)),
            );
        }
        assert_eq!(matrix.pairs().collect::<Vec<_>>(), wanted);
        let (rows, columns, scores) = matrix.offsets();
        let offsets = rows.iter().zip(&columns).zip(&scores);
        let pairs = offsets.map(|((&row, &column), &score)| (matrix.ids[row], matrix.ids[column], score));
        assert_eq!(pairs.collect::<Vec<_>>(), wanted);
    }
}
