//! Do sparse vectors and multivectors go everywhere that dense ones do, and do named vectors come and go?
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use serde_json::json;
use vdb::disk::{DynDisk, MemDisk};
use vdb::{
    Collection, CollectionConfig, ContextPair, Control, Database, Distance, Error, Filter, Fusion, Idf,
    MatrixRequest, Modifier, MultiVectorComparator, Point, PointId, Prefetch, Query, QueryRequest,
    RecommendStrategy, RestoreMode, SearchRequest, Select, SparseVector, SparseVectorParams, Vector,
    VectorInput, VectorParams, VectorSelector, Vectors, repair_disk, verify_disk,
};
use vdb_tests::Numbers;

const POINTS: u64 = 240;

fn builder() -> vdb::DatabaseBuilder {
    Database::builder().background(false).threads(1)
}

fn config() -> CollectionConfig {
    let several = VectorParams::new(3, Distance::Dot).multivector(MultiVectorComparator::MaxSim);
    let mut config = CollectionConfig::new(VectorParams::new(2, Distance::Dot))
        .vector("tokens", several)
        .sparse_vector("words", SparseVectorParams::new())
        .sparse_vector("rare", SparseVectorParams::new().modifier(Modifier::Idf));
    config.optimizer.index_min_rows = 50;
    config
}

fn sparse(numbers: &mut Numbers) -> SparseVector {
    let mut pairs: Vec<(u32, f32)> = (0..30u32)
        .filter(|_| numbers.one_in(6))
        .map(|index| (index * 1_000, 0.0))
        .collect();
    for (_, value) in &mut pairs {
        *value = numbers.below(40) as f32 / 8.0 - 1.0;
    }
    pairs.into()
}

fn several(numbers: &mut Numbers) -> Vec<Vec<f32>> {
    let rows = 1 + numbers.below(4);
    let row = |numbers: &mut Numbers| (0..3).map(|_| numbers.below(32) as f32 / 8.0 - 2.0).collect();
    (0..rows).map(|_| row(numbers)).collect()
}

/// Points of which some lack a vector, and what they are.
fn fill(c: &Collection) -> Vec<Point> {
    let numbers = &mut Numbers::new(7);
    let mut all = Vec::new();
    for part in 0..4u64 {
        let ids = part * POINTS / 4..(part + 1) * POINTS / 4;
        let points: Vec<Point> = ids
            .map(|id| {
                let mut vectors = Vectors::from([id as f32, 1.0]);
                if !numbers.one_in(5) {
                    let words = sparse(numbers);
                    vectors = vectors.with("words", words.clone()).with("rare", words);
                }
                if !numbers.one_in(5) {
                    vectors = vectors.with("tokens", several(numbers));
                }
                Point::new(id, vectors).payload(json!({"n": id % 7})).unwrap()
            })
            .collect();
        c.upsert(points.clone()).unwrap();
        all.extend(points);
        match part {
            0 => c.flush().unwrap(),
            1 => c.optimize(&Control::none()).unwrap(),
            2 => c.flush().unwrap(),
            _ => {}
        }
    }
    let dead = |id: &PointId| matches!(id, PointId::Num(n) if n % 9 == 4);
    let doomed: Vec<PointId> = all.iter().map(|point| point.id).filter(dead).collect();
    c.delete(doomed).unwrap();
    all.retain(|point| !dead(&point.id));
    all
}

fn dot(a: &SparseVector, b: &SparseVector) -> Option<f64> {
    let of = |index: &u32| {
        b.indices
            .iter()
            .position(|other| other == index)
            .map(|at| b.values[at])
    };
    let pairs = a.indices.iter().zip(&a.values);
    let products: Vec<f64> = pairs
        .filter_map(|(index, x)| Some(f64::from(*x) * f64::from(of(index)?)))
        .collect();
    (!products.is_empty()).then(|| products.iter().sum())
}

fn maxsim(query: &[Vec<f32>], row: &[Vec<f32>]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum::<f64>()
    };
    let best = |a: &Vec<f32>| row.iter().map(|b| dot(a, b)).fold(f64::NEG_INFINITY, f64::max);
    query.iter().map(best).sum()
}

/// The points by a score, best first, ties by id.
fn ranked(points: &[Point], name: &str, score: impl Fn(&Vector) -> Option<f64>) -> Vec<(PointId, f64)> {
    let scored = points
        .iter()
        .filter_map(|point| Some((point.id, score(point.vectors.get(name)?)?)));
    let mut ranked: Vec<(PointId, f64)> = scored.collect();
    // Negative zero and zero are one score.
    ranked.sort_by(|a, b| {
        (b.1 as f32 + 0.0)
            .total_cmp(&(a.1 as f32 + 0.0))
            .then(a.0.cmp(&b.0))
    });
    ranked
}

/// Asks for all of the ranking.
fn check(c: &Collection, request: QueryRequest, expected: &[(PointId, f64)]) {
    let found = c.query(&request.clone().limit(POINTS as usize)).unwrap();
    assert_eq!(found.len(), expected.len(), "{request:?}");
    for (hit, (id, score)) in found.iter().zip(expected) {
        let near = (f64::from(hit.score) - score).abs() <= 1e-5 * score.abs().max(1.0);
        assert!(
            near,
            "{request:?}: {} with {} for {id} with {score}",
            hit.id, hit.score
        );
    }
    let ids: Vec<PointId> = found.iter().map(|hit| hit.id).collect();
    let wanted: Vec<PointId> = expected.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, wanted, "{request:?}");
}

fn about(name: &str, query: Query) -> QueryRequest {
    QueryRequest::new(query).using(name)
}

#[test]
fn sparse_vectors_are_searched_recommended_and_rescored() {
    let db = builder().open_in_memory().unwrap();
    let c = db.create_collection("c", config()).unwrap();
    let points = fill(&c);
    let numbers = &mut Numbers::new(3);
    let (a, b) = (sparse(numbers), sparse(numbers));
    let of = |vector: &Vector| vector.as_sparse().unwrap().clone();
    let nearest = ranked(&points, "words", |v| dot(&a, &of(v)));
    for exact in [true, false] {
        check(
            &c,
            about("words", Query::nearest(a.clone())).exact(exact),
            &nearest,
        );
    }
    // A page of the best, by the index and without.
    let best = |exact| {
        let search = SearchRequest::new(a.clone())
            .using("words")
            .limit(5)
            .offset(2)
            .exact(exact);
        c.search(&search).unwrap()
    };
    assert_eq!(best(true), best(false));
    assert_eq!(best(true)[0].id, nearest[2].0);
    let filter = Filter::from_json(&json!({"must": [{"key": "n", "match": {"value": 3}}]})).unwrap();
    let kept = nearest
        .iter()
        .filter(|(id, _)| matches!(id, PointId::Num(n) if n % 7 == 3));
    let kept: Vec<_> = kept.copied().collect();
    check(
        &c,
        about("words", Query::nearest(a.clone())).filter(filter),
        &kept,
    );
    // The mean of two, away from a third.
    let example = points
        .iter()
        .find(|point| point.vectors.get("words").is_some())
        .unwrap();
    let third = of(example.vectors.get("words").unwrap());
    let mut sums = std::collections::BTreeMap::<u32, f64>::new();
    for (vector, weight) in [(&a, 1.0), (&b, 1.0), (&third, -1.0)] {
        for (index, value) in vector.indices.iter().zip(&vector.values) {
            *sums.entry(*index).or_default() += f64::from(*value) * weight;
        }
    }
    let average: Vec<(u32, f32)> = sums.into_iter().map(|(index, sum)| (index, sum as f32)).collect();
    let mut expected = ranked(&points, "words", |v| dot(&average.clone().into(), &of(v)));
    expected.retain(|(id, _)| *id != example.id);
    let recommend = |strategy| Query::Recommend {
        positive: vec![a.clone().into(), b.clone().into()],
        negative: vec![VectorInput::Id(example.id)],
        strategy,
    };
    check(
        &c,
        about("words", recommend(RecommendStrategy::AverageVector)),
        &expected,
    );
    // By sums every point with the vector counts, also one that shares nothing.
    let zero = |v: Option<f64>| v.unwrap_or(0.0);
    let mut expected = ranked(&points, "words", |v| {
        Some(zero(dot(&a, &of(v))) + zero(dot(&b, &of(v))) - zero(dot(&third, &of(v))))
    });
    expected.retain(|(id, _)| *id != example.id);
    check(
        &c,
        about("words", recommend(RecommendStrategy::SumScores)),
        &expected,
    );
    // What a prefetch has found is scored anew, and fused.
    let prefetch = || Prefetch::new(Query::nearest([0.0, 1.0])).limit(POINTS as usize);
    check(
        &c,
        about("words", Query::nearest(a.clone())).prefetch(prefetch()),
        &nearest,
    );
    let words = Prefetch::new(Query::nearest(a.clone())).using("words").limit(10);
    let fused = QueryRequest::new(Query::Fusion(Fusion::rrf()))
        .prefetch(prefetch())
        .prefetch(words);
    assert!(c.query(&fused).unwrap().len() == 10);
    for kind in [
        Query::Mmr {
            target: a.clone().into(),
            diversity: 0.5,
            candidates: Some(20),
        },
        Query::Context(vec![ContextPair {
            positive: a.clone().into(),
            negative: b.clone().into(),
        }]),
    ] {
        assert_eq!(c.query(&about("words", kind)).unwrap().len(), 10);
    }
    let matrix = c
        .distance_matrix(&MatrixRequest::new().using("words").sample(30).seed(1))
        .unwrap();
    assert!(matrix.rows.iter().any(|row| !row.is_empty()));
}

#[test]
fn rare_dimensions_count_more_among_all_or_among_a_corpus() {
    let db = builder().open_in_memory().unwrap();
    let c = db.create_collection("c", config()).unwrap();
    let points = fill(&c);
    let query = sparse(&mut Numbers::new(5));
    let expected = |corpus: &dyn Fn(u64) -> bool| {
        let is_in = |point: &&Point| matches!(point.id, PointId::Num(n) if corpus(n));
        let having: Vec<&SparseVector> = points
            .iter()
            .filter(is_in)
            .filter_map(|point| point.vectors.get("rare")?.as_sparse())
            .collect();
        let n = having.len() as f64;
        let weigh = |(index, weight): (&u32, &f32)| {
            let df = having.iter().filter(|v| v.indices.contains(index)).count() as f64;
            (
                *index,
                (f64::from(*weight) * ((n - df + 0.5) / (df + 0.5) + 1.0).ln()) as f32,
            )
        };
        let weighed: Vec<(u32, f32)> = query.indices.iter().zip(&query.values).map(weigh).collect();
        ranked(&points, "rare", |v| {
            dot(&weighed.clone().into(), v.as_sparse().unwrap())
        })
    };
    let request = || about("rare", Query::nearest(query.clone()));
    check(&c, request(), &expected(&|_| true));
    check(&c, request().idf(Idf::Global).exact(true), &expected(&|_| true));
    let filter = Filter::from_json(&json!({"must": [{"key": "n", "match": {"any": [1, 2]}}]})).unwrap();
    check(
        &c,
        request().idf(Idf::Corpus(filter)),
        &expected(&|n| [1, 2].contains(&(n % 7))),
    );
    c.optimize(&Control::none()).unwrap();
    check(&c, request(), &expected(&|_| true));
    // In a matrix each point is a search for its own vector.
    let sample = MatrixRequest::new()
        .using("rare")
        .sample(POINTS as usize)
        .limit(5);
    let matrix = c.distance_matrix(&sample).unwrap();
    assert!(matrix.ids.len() > 100);
    for (id, row) in matrix.ids.iter().zip(&matrix.rows) {
        let nearest = about("rare", Query::Nearest((*id).into())).limit(5);
        let found: Vec<(PointId, f32)> = c
            .query(&nearest)
            .unwrap()
            .iter()
            .map(|hit| (hit.id, hit.score))
            .collect();
        let row: Vec<(PointId, f32)> = row.iter().map(|&(at, score)| (matrix.ids[at], score)).collect();
        assert_eq!(row, found, "{id}");
    }
    for name in ["words", "tokens"] {
        let vector: Vector = if name == "words" {
            query.clone().into()
        } else {
            [1.0; 3].into()
        };
        let refused = c.search(&SearchRequest::new(vector).using(name).idf(Idf::Global));
        assert!(matches!(refused, Err(Error::InvalidRequest(_))), "{refused:?}");
    }
}

#[test]
fn multivectors_are_searched_recommended_and_rescored() {
    let db = builder().open_in_memory().unwrap();
    let c = db.create_collection("c", config()).unwrap();
    let points = fill(&c);
    let numbers = &mut Numbers::new(11);
    let (a, b) = (several(numbers), several(numbers));
    let of = |vector: &Vector| vector.as_multi().unwrap().to_vec();
    let nearest = ranked(&points, "tokens", |v| Some(maxsim(&a, &of(v))));
    check(&c, about("tokens", Query::nearest(a.clone())), &nearest);
    // A dense vector is one of one.
    let one = ranked(&points, "tokens", |v| Some(maxsim(&a[..1], &of(v))));
    check(&c, about("tokens", Query::nearest(a[0].clone())), &one);
    let negated = b.iter().map(|row| row.iter().map(|x| -x).collect());
    let both: Vec<Vec<f32>> = a.iter().cloned().chain(negated).collect();
    let average = ranked(&points, "tokens", |v| Some(maxsim(&both, &of(v))));
    let recommend = |strategy| Query::Recommend {
        positive: vec![a.clone().into()],
        negative: vec![b.clone().into()],
        strategy,
    };
    check(
        &c,
        about("tokens", recommend(RecommendStrategy::AverageVector)),
        &average,
    );
    let sums = ranked(&points, "tokens", |v| {
        Some(maxsim(&a, &of(v)) - maxsim(&b, &of(v)))
    });
    check(
        &c,
        about("tokens", recommend(RecommendStrategy::SumScores)),
        &sums,
    );
    let prefetch = Prefetch::new(Query::nearest([0.0, 1.0])).limit(POINTS as usize);
    check(
        &c,
        about("tokens", Query::nearest(a.clone())).prefetch(prefetch),
        &nearest,
    );
    let matrix = c
        .distance_matrix(&MatrixRequest::new().using("tokens").sample(10).seed(1))
        .unwrap();
    assert!(matrix.rows.iter().all(|row| row.len() == 3));
}

/// The vectors of all points, by id.
fn dump(c: &Collection) -> Vec<(PointId, Vectors)> {
    let ids: Vec<PointId> = (0..POINTS).map(PointId::from).collect();
    let records = c.get(&ids, &Select::all()).unwrap();
    records
        .into_iter()
        .map(|record| (record.id, record.vectors.unwrap()))
        .collect()
}

#[test]
fn every_kind_is_copied_verified_and_repaired() {
    let disk: DynDisk = Arc::new(MemDisk::new());
    let db = builder().open_disk(disk.clone()).unwrap();
    let c = db.create_collection("c", config()).unwrap();
    let points = fill(&c);
    let expected: Vec<_> = points
        .into_iter()
        .map(|point| (point.id, point.vectors))
        .collect();
    assert_eq!(dump(&c), expected);
    let only = Select {
        vectors: VectorSelector::Names(vec!["words".to_owned()]),
        ..Select::default()
    };
    let some = c.get(&[expected[0].0], &only).unwrap().remove(0).vectors.unwrap();
    assert!(some.0.keys().all(|name| name == "words"));
    let has = Filter::from_json(&json!({"must": [{"has_vector": "words"}]})).unwrap();
    let having = expected
        .iter()
        .filter(|(_, vectors)| vectors.get("words").is_some());
    assert_eq!(c.count(Some(&has)).unwrap(), having.count() as u64);

    let dir = tempfile::tempdir().unwrap();
    c.snapshot_to_tar(dir.path().join("c.tar"), &Control::none())
        .unwrap();
    db.restore_collection(
        dir.path().join("c.tar"),
        "copy",
        RestoreMode::New,
        &Control::none(),
    )
    .unwrap();
    assert_eq!(dump(&db.collection("copy").unwrap()), expected);
    // Beside the writer.
    let reader = Database::builder().open_disk_read_only(disk.clone()).unwrap();
    let read = reader.collection("c").unwrap();
    assert_eq!(dump(&read), expected);
    assert!(c.create_vector("more", SparseVectorParams::new()).unwrap());
    let more = SparseVector::new([3], [1.0]);
    c.update_vectors(vec![(
        expected[0].0,
        Vectors::default().with("more", more.clone()),
    )])
    .unwrap();
    reader.refresh().unwrap();
    assert_eq!(dump(&read)[0].1.get("more"), Some(&more.into()));
    assert!(c.delete_vector("more").unwrap());
    reader.refresh().unwrap();
    assert_eq!(dump(&read), expected);
    reader.close().unwrap();

    db.close().unwrap();
    assert_eq!(verify_disk(disk.clone(), &Control::none()).unwrap().problems, []);
    let target: DynDisk = Arc::new(MemDisk::new());
    assert!(
        repair_disk(&disk, &target, &Control::none())
            .unwrap()
            .is_complete()
    );
    let db = builder().open_disk(target).unwrap();
    assert_eq!(dump(&db.collection("c").unwrap()), expected);
}

#[test]
fn a_vector_that_comes_back_begins_empty() {
    let disk: DynDisk = Arc::new(MemDisk::new());
    let mut db = builder().open_disk(disk.clone()).unwrap();
    let c = db.create_collection("c", config()).unwrap();
    fill(&c);
    let params = SparseVectorParams::new();
    assert!(!c.create_vector("words", params).unwrap(), "it is there");
    let other = c.create_vector("words", params.modifier(Modifier::Idf));
    assert!(matches!(other, Err(Error::InvalidRequest(_))), "{other:?}");
    let other = c.create_vector("words", VectorParams::new(2, Distance::Dot));
    assert!(matches!(other, Err(Error::InvalidRequest(_))), "{other:?}");
    assert!(c.create_vector("", SparseVectorParams::new()).is_err());
    let search = SearchRequest::new(SparseVector::new([0, 1_000], [1.0, 1.0])).using("words");
    assert!(!c.search(&search).unwrap().is_empty());
    assert!(c.delete_vector("words").unwrap());
    assert!(!c.delete_vector("words").unwrap());
    for restart in [false, true] {
        if restart {
            db.close().unwrap();
            db = builder().open_disk(disk.clone()).unwrap();
        }
        let c = db.collection("c").unwrap();
        let gone = c.search(&search);
        assert!(matches!(gone, Err(Error::UnknownVector { .. })), "{gone:?}");
        assert!(dump(&c).iter().all(|(_, vectors)| vectors.get("words").is_none()));
        let refused = c.upsert(vec![Point::new(
            1,
            Vectors::default().with("words", SparseVector::default()),
        )]);
        assert!(matches!(refused, Err(Error::UnknownVector { .. })), "{refused:?}");
    }
    // Of another kind this time.
    let c = db.collection("c").unwrap();
    assert!(
        c.create_vector("words", VectorParams::new(1, Distance::Dot))
            .unwrap()
    );
    let search = SearchRequest::new([2.0]).using("words");
    assert!(c.search(&search).unwrap().is_empty());
    c.update_vectors(vec![(1.into(), Vectors::default().with("words", [4.0]))])
        .unwrap();
    for restart in [false, true] {
        if restart {
            db.close().unwrap();
            db = builder().open_disk(disk.clone()).unwrap();
        }
        let c = db.collection("c").unwrap();
        let found = c.search(&search).unwrap();
        assert_eq!((found.len(), found[0].id, found[0].score), (1, 1.into(), 8.0));
        c.optimize(&Control::none()).unwrap();
    }
    db.close().unwrap();
    assert_eq!(verify_disk(disk, &Control::none()).unwrap().problems, []);
}
