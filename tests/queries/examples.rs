//! Queries by examples: recommendation, discovery, context, feedback, and results that differ from each other.

use std::collections::{BTreeMap, BTreeSet};

use vdb::{
    ContextPair, FeedbackExample, PointId, Prefetch, Query, QueryRequest, RecommendStrategy, VectorInput,
};

use super::both::{Both, ROUNDS, agree, ids_of, page, request};

fn g(x: f64) -> f64 {
    0.5 * (x / (1.0 + x.abs()) + 1.0)
}

#[test]
fn examples_score_every_point_as_their_formulas_say() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        let filter = both.filter();
        let name = ["", "other"][seed as usize % 2];
        let inputs: Vec<VectorInput> = (0..5).map(|_| both.input(name)).collect();
        let without = ids_of(&inputs.iter().collect::<Vec<_>>());
        let vectors: Vec<Vec<f32>> = inputs.iter().map(|input| both.numbers_of(input, name)).collect();
        let pair = |positive: usize, negative: usize| ContextPair {
            positive: inputs[positive].clone(),
            negative: inputs[negative].clone(),
        };
        let scores = [3.0f32, 1.0, 1.0, 2.5];
        let example = |at: usize| FeedbackExample {
            example: inputs[at + 1].clone(),
            score: scores[at],
        };
        let recommend = |strategy| Query::Recommend {
            positive: inputs[..3].to_vec(),
            negative: inputs[3..].to_vec(),
            strategy,
        };
        let kinds = [
            recommend(RecommendStrategy::BestScore),
            recommend(RecommendStrategy::SumScores),
            Query::Discover {
                target: inputs[0].clone(),
                context: vec![pair(1, 2), pair(3, 4)],
            },
            Query::Context(vec![pair(0, 1), pair(1, 2), pair(3, 4)]),
            Query::Feedback {
                target: inputs[0].clone(),
                examples: (0..4).map(example).collect(),
                a: 0.7,
                b: 1.5,
                c: 0.3,
            },
        ];
        let max = |some: &[f64]| some.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for (kind, query) in kinds.into_iter().enumerate() {
            let naive = |row: &[f32]| {
                let s: Vec<f64> = vectors
                    .iter()
                    .map(|example| both.similarity(example, row))
                    .collect();
                match kind {
                    0 => {
                        let (p, n) = (max(&s[..3]), max(&s[3..]));
                        if p > n { g(p) } else { -g(n) }
                    }
                    1 => s[..3].iter().sum::<f64>() - s[3..].iter().sum::<f64>(),
                    2 => {
                        let side = |p: f64, n: f64| f64::from(u8::from(p > n)) - f64::from(u8::from(p < n));
                        side(s[1], s[2]) + side(s[3], s[4]) + g(s[0])
                    }
                    3 => [(0, 1), (1, 2), (3, 4)]
                        .map(|(p, n)| (s[p] - s[n] - f64::from(f32::EPSILON)).min(0.0))
                        .map(|x| x / (1.0 + x.abs()))
                        .iter()
                        .sum(),
                    _ => {
                        let (a, b, c) = (f64::from(0.7f32), f64::from(1.5f32), f64::from(0.3f32));
                        let mut sum = a * s[0];
                        for i in 0..4 {
                            for j in 0..4 {
                                let gap = f64::from(scores[i] - scores[j]);
                                if gap > 0.0 {
                                    sum += gap.powf(b) * c * (s[i + 1] - s[j + 1]);
                                }
                            }
                        }
                        sum
                    }
                }
            };
            let ranked = both.ranked(name, (filter.as_ref(), &without), naive);
            let asked = request(query.clone(), name, filter.as_ref()).limit(15).offset(2);
            let found = both.c.query(&asked).unwrap();
            if kind == 4 {
                // Sums in another order round in another way: ties may be told apart.
                let wanted = page(&ranked, 2, 15);
                assert_eq!(found.len(), wanted.len());
                let all: BTreeMap<PointId, f64> = ranked.iter().copied().collect();
                for (hit, (_, at)) in found.iter().zip(wanted) {
                    let own = all[&hit.id];
                    assert!((f64::from(hit.score) - own).abs() <= 1e-5 * own.abs().max(1.0));
                    assert!((own - at).abs() <= 1e-5 * own.abs().max(1.0));
                }
                continue;
            }
            agree(&found, &page(&ranked, 2, 15), &format!("{query:?}"));
            let median = ranked[ranked.len() / 2].1 as f32;
            // Above the best, and below all: over distances the one keeps everything, the other nothing.
            for bar in [
                median,
                ranked[0].1 as f32 + 1.0,
                ranked[ranked.len() - 1].1 as f32 - 1.0,
            ] {
                let kept = ranked.iter().take_while(|(_, score)| {
                    if both.distance.larger_is_nearer() {
                        *score as f32 > bar
                    } else {
                        (*score as f32) < bar
                    }
                });
                let kept: Vec<_> = kept.copied().collect();
                let found = both
                    .c
                    .query(&asked.clone().offset(0).limit(1000).score_threshold(bar))
                    .unwrap();
                agree(&found, &kept, "threshold");
            }
            // The same among what other queries found.
            let prefetched = asked
                .clone()
                .prefetch(Prefetch::new(None).limit(60))
                .prefetch(Prefetch::new(Query::Sample { seed: Some(seed) }).limit(60));
            let lists = [
                both.c
                    .query(&QueryRequest {
                        query: None,
                        using: String::new(),
                        limit: 60,
                        offset: 0,
                        ..asked.clone()
                    })
                    .unwrap(),
                both.c
                    .query(&QueryRequest {
                        query: Some(Query::Sample { seed: Some(seed) }),
                        using: String::new(),
                        limit: 60,
                        offset: 0,
                        ..asked.clone()
                    })
                    .unwrap(),
            ];
            // As prefetches neither of them has the examples.
            let found = both.c.query(&prefetched.limit(1000).offset(0)).unwrap();
            let among: BTreeSet<PointId> = lists.iter().flatten().map(|hit| hit.id).collect();
            let found_ids: BTreeSet<PointId> = found.iter().map(|hit| hit.id).collect();
            let kept: Vec<_> = ranked
                .iter()
                .filter(|(id, _)| found_ids.contains(id))
                .copied()
                .collect();
            agree(&found, &kept, "among prefetched");
            let missing = ranked
                .iter()
                .filter(|(id, _)| among.contains(id) && !found_ids.contains(id));
            assert_eq!(missing.count(), 0);
        }
    }
}

#[test]
fn diverse_results_are_chosen_one_by_one() {
    for seed in 0..ROUNDS {
        let mut both = Both::new(seed);
        let filter = both.filter();
        let target = both.input("");
        let numbers = both.numbers_of(&target, "");
        let without = ids_of(&[&target]);
        let ranked = both.ranked("", (filter.as_ref(), &without), |row| {
            both.similarity(&numbers, row)
        });
        let mut left = page(&ranked, 0, 30);
        let mut chosen: Vec<(PointId, f64)> = Vec::new();
        let relevance = f64::from(1.0 - 0.4f32);
        while chosen.len() < 10 && !left.is_empty() {
            let worth = |&(id, near): &(PointId, f64)| {
                let row = |id: PointId| both.oracle.points[&id].vectors[""].as_dense().unwrap();
                let most = chosen.iter().map(|&(one, _)| both.similarity(row(id), row(one)));
                most.reduce(f64::max)
                    .map_or(near, |most| relevance * near - (1.0 - relevance) * most)
            };
            let worths: Vec<f64> = left.iter().map(worth).collect();
            let best = (0..left.len()).reduce(|a, b| if worths[b] > worths[a] { b } else { a });
            chosen.push(left.remove(best.unwrap()));
        }
        let chosen: Vec<_> = chosen.iter().map(|&(id, s)| (id, both.public(s))).collect();
        let query = Query::Mmr {
            target,
            diversity: 0.4,
            candidates: Some(30),
        };
        let asked = request(query, "", filter.as_ref());
        agree(&both.c.query(&asked.clone().limit(10)).unwrap(), &chosen, "mmr");
        // The offset shortens the page.
        agree(
            &both.c.query(&asked.limit(10).offset(4)).unwrap(),
            &page(&chosen, 4, 10),
            "mmr page",
        );
    }
}
