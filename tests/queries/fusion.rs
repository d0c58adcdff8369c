//! Lists of several queries as one: fusions and formulas.

use std::collections::BTreeMap;

use serde_json::json;
use vdb::{Decay, Expression, Formula, Fusion, PointId, Prefetch, Query};
use vdb_tests::oracle::op::parse_filter;
use vdb_tests::oracle::path;

use super::both::{Both, ROUNDS, agree, ids_of, page, request};

#[test]
fn lists_are_fused_and_scored_by_formulas() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        let (root, own) = (both.filter(), both.filter());
        let targets = [both.input(""), both.input("other")];
        let without = ids_of(&targets.iter().collect::<Vec<_>>());
        let mut lists = Vec::new();
        let mut prefetches = Vec::new();
        for (target, name) in targets.iter().zip(["", "other"]) {
            let numbers = both.numbers_of(target, name);
            let ranked = both.ranked(name, (root.as_ref(), &without), |row| {
                both.similarity(&numbers, row)
            });
            let kept = ranked
                .into_iter()
                .filter(|(id, _)| own.as_ref().is_none_or(|own| both.oracle.matches(*id, own)));
            let list: Vec<_> = kept.map(|(id, s)| (id, both.public(s))).take(25).collect();
            lists.push(list);
            let mut prefetch = Prefetch::new(Query::Nearest(target.clone()))
                .using(name)
                .limit(25)
                .exact(true);
            prefetch.filter = own.as_ref().map(parse_filter);
            prefetches.push(prefetch);
        }
        let ask = |query: Query| {
            let mut asked = request(query, "", root.as_ref()).limit(30).offset(1);
            asked.prefetch = prefetches.clone();
            both.c.query(&asked).unwrap()
        };
        let ranked = |scores: BTreeMap<PointId, f64>| {
            let mut ranked: Vec<(PointId, f64)> = scores.into_iter().collect();
            ranked.sort_by(|a, b| (b.1 as f32).total_cmp(&(a.1 as f32)).then(a.0.cmp(&b.0)));
            page(&ranked, 1, 30)
        };

        let mut sums: BTreeMap<PointId, f64> = BTreeMap::new();
        for (list, weight) in lists.iter().zip([3.0, 0.5]) {
            for (rank, (id, _)) in list.iter().enumerate() {
                *sums.entry(*id).or_default() += 1.0 / ((rank as f64 + 1.0) / weight + 7.0 - 1.0);
            }
        }
        let weights = Some(vec![3.0, 0.5]);
        agree(
            &ask(Query::Fusion(Fusion::Rrf { k: 7, weights })),
            &ranked(sums),
            "rrf",
        );

        let mut sums: BTreeMap<PointId, f64> = BTreeMap::new();
        for list in &lists {
            let count = list.len() as f64;
            let mean = list.iter().map(|(_, s)| s).sum::<f64>() / count;
            let deviation =
                (list.iter().map(|(_, s)| (s - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
            for (id, s) in list {
                let share = if deviation > 0.0 {
                    (s - mean + 3.0 * deviation) / (6.0 * deviation)
                } else {
                    0.5
                };
                *sums.entry(*id).or_default() += share;
            }
        }
        let found = ask(Query::Fusion(Fusion::Dbsf));
        for hit in &found {
            assert!((f64::from(hit.score) - sums[&hit.id]).abs() < 1e-4);
        }
        assert!(found.is_sorted_by(|a, b| (b.score, a.id) <= (a.score, b.id)));

        let formula = Expression::variable("$score[1]") * 0.5.into()
            + Expression::variable("n").decay(Decay::Gaussian, 3.0, 5.0)
            + Expression::from(vdb::Condition::matches("tag", "t2"));
        let mut scores: BTreeMap<PointId, f64> = BTreeMap::new();
        for (id, _) in lists.iter().flatten() {
            let point = &both.oracle.points[id];
            let of_second = lists[1].iter().find(|(other, _)| other == id);
            let n = point.payload["n"].as_f64().unwrap();
            let has_tag = path::values(&point.payload, "tag").contains(&&json!("t2"));
            let near = 0.5f64.powf((n - 3.0).powi(2) / 25.0);
            let score = of_second.map_or(0.25, |(_, s)| f64::from(*s as f32)) * 0.5
                + near
                + f64::from(u8::from(has_tag));
            scores.insert(*id, score);
        }
        let formula = Formula::new(formula).default_value("$score[1]", 0.25);
        let found = ask(Query::Formula(formula));
        let wanted = ranked(scores.clone());
        assert_eq!(found.len(), wanted.len());
        for (hit, (_, at)) in found.iter().zip(&wanted) {
            assert!((f64::from(hit.score) - scores[&hit.id]).abs() < 1e-5);
            assert!((f64::from(hit.score) - at).abs() < 1e-5);
        }
    }
}
