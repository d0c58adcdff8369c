//! Calls end soon after their caller wants them to, and take no more memory than they may.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use vdb_index::Control;

use crate::collection::Collection;
use crate::compose::aggregate::AggregateRequest;
use crate::compose::facet::FacetRequest;
use crate::compose::groups::GroupRequest;
use crate::compose::kind::{OrderBy, Query};
use crate::compose::request::{Prefetch, QueryRequest};
use crate::compose::sort::{SortKey, SortRequest};
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::Database;
use crate::error::{Error, Result};
use crate::filter::{Condition, Filter, GeoPoint};
use crate::formula::{Expression, Formula};
use crate::payload::PayloadIndexKind;
use crate::point::{Point, Select, Vectors};
use crate::query::allowance::Allowance;
use crate::query::nearest::search_batch;
use crate::query::scroll::ScrollRequest;
use crate::query::search::SearchRequest;
use crate::query::workers::Workers;
use crate::write::batch::{Operation, WriteBatch};

const ROWS: u64 = 6_000;

fn filled(db: &Database) -> Collection {
    let config = CollectionConfig::new(VectorParams::new(64, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    let point = |id: u64| {
        Point::new(id, vec![(id % 97) as f32; 64])
            .payload(json!({"text": format!("owl {id}"), "n": id}))
            .unwrap()
    };
    c.upsert((0..ROWS / 2).map(point).collect()).unwrap();
    c.optimize(&Control::none()).unwrap();
    c.create_payload_index("n", PayloadIndexKind::Integer).unwrap();
    c.upsert((ROWS / 2..ROWS).map(point).collect()).unwrap();
    c
}

/// Of no index's help.
fn slow() -> Filter {
    Filter::must([Condition::text("text", "owl 5")])
}

type Call = (&'static str, fn(&Collection, &Control<'_>) -> Result<()>);

/// Every call that a control may stop while it looks at rows.
fn calls() -> Vec<Call> {
    fn query() -> SearchRequest {
        SearchRequest::new(vec![1.0; 64])
    }
    vec![
        ("counting", |c, control| {
            c.count_with(Some(&slow()), control).map(drop)
        }),
        ("scrolling", |c, control| {
            c.scroll_with(&ScrollRequest::new().filter(slow()).limit(5_000), control)
                .map(drop)
        }),
        ("fetching points", |c, control| {
            let ids: Vec<_> = (0..ROWS).map(Into::into).collect();
            c.get_with(&ids, &Select::payload(), control).map(drop)
        }),
        ("searching", |c, control| {
            c.search_with(&query().filter(slow()).limit(5_000), control)
                .map(drop)
        }),
        ("searching", |c, control| {
            c.search_with(&query().exact(true), control).map(drop)
        }),
        ("searching", |c, control| {
            c.search_with(&query().limit(300).ef(2_000), control).map(drop)
        }),
        ("searching", |c, control| {
            c.search_batch_with(&vec![query().exact(true); 40], control)
                .map(drop)
        }),
        ("estimating", |c, control| {
            c.estimate_with(&slow(), control).map(drop)
        }),
        ("explaining", |c, control| {
            c.explain_with(&slow(), control).map(drop)
        }),
        ("explaining", |c, control| {
            c.explain_counted(&slow(), control).map(drop)
        }),
        ("finding the points of a write", |c, control| {
            let target = slow().into();
            c.apply_with(Operation::Delete { target }, control).map(drop)
        }),
    ]
}

#[test]
fn every_call_stops_when_its_caller_says_so_and_changes_nothing() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = filled(&db);
    let reads = calls().len() - 1;
    for (at, (_, call)) in calls().into_iter().enumerate() {
        // Looks at the probe until the end of an undisturbed call.
        let looks = AtomicU64::new(0);
        let watched = || {
            looks.fetch_add(1, Ordering::Relaxed);
            false
        };
        if at < reads {
            call(&c, &Control::cancelled_by(&watched)).unwrap();
            assert!(looks.load(Ordering::Relaxed) > 1, "call {at}");
        }
        // Once only: a call that goes on after it would answer.
        let asked = AtomicU64::new(0);
        let second = || asked.fetch_add(1, Ordering::Relaxed) == 1;
        let outcome = call(&c, &Control::cancelled_by(&second));
        assert!(matches!(outcome, Err(Error::Cancelled)), "call {at}: {outcome:?}");
    }
    assert_eq!(c.count(None).unwrap(), ROWS);
}

#[test]
fn a_call_that_runs_out_of_time_says_what_it_did_and_what_it_was_given() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = filled(&db);
    let start = Instant::now();
    for (at, (what, call)) in calls().into_iter().enumerate() {
        // A clock that goes on by a millisecond whenever it is looked at: it is looked at often enough.
        let passed = AtomicU64::new(0);
        let clock = || start + Duration::from_millis(passed.fetch_add(1, Ordering::Relaxed));
        let limit = Duration::from_millis(2);
        let control = Control::none().clock(&clock).timeout(limit);
        let outcome = call(&c, &control);
        assert!(
            matches!(&outcome, Err(Error::Timeout { doing, limit: told }) if *doing == what && *told == limit),
            "call {at}: {outcome:?}"
        );
        assert!(outcome.unwrap_err().to_string().contains("longer than the 2ms"));
    }
    assert_eq!(c.count(None).unwrap(), ROWS);
}

/// Looks at the probe while the points of a filter are counted; once the fourth one says so, there is no answer.
fn looks_of(c: &Collection, filter: &Filter) -> u64 {
    let looks = AtomicU64::new(0);
    let watched = || {
        looks.fetch_add(1, Ordering::Relaxed);
        false
    };
    assert_eq!(
        c.count_with(Some(filter), &Control::cancelled_by(&watched))
            .unwrap(),
        0
    );
    let asked = AtomicU64::new(0);
    let fourth = || asked.fetch_add(1, Ordering::Relaxed) == 3;
    let outcome = c.count_with(Some(filter), &Control::cancelled_by(&fourth));
    assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
    looks.into_inner()
}

#[test]
fn a_single_point_that_is_much_to_look_at_is_left_when_the_caller_says_so() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = db.create_collection("c", CollectionConfig::default()).unwrap();
    let objects: Vec<_> = (0..20_000).map(|n| json!({"n": n})).collect();
    let text = "owl ".repeat(20_000);
    // None of them has a value at `numbers[].n`: that takes stepping over all.
    let numbers = vec![7; 100_000];
    let payload = json!({"objects": objects, "text": text, "numbers": numbers});
    c.upsert(vec![Point::new(1, Vectors::default()).payload(payload).unwrap()])
        .unwrap();
    let steps = Filter::must([Condition::from(Filter::should(
        (0..50).map(|n| Condition::matches("numbers[].n", n)),
    ))]);
    let lacking = (0..3_200).map(|n| Condition::has_vector(format!("v{n}")));
    let lacking = Filter::must([Condition::from(Filter::should(lacking))]);
    let pieces: Vec<String> = (0..100).map(|n| format!("wren{n}")).collect();
    let nested = Filter::must([Condition::matches("n", -1), Condition::matches("n", -2)]);
    for in_memory in [true, false] {
        if !in_memory {
            c.flush().unwrap();
        }
        // Values, objects, pieces that a long text may contain, nothing at all, and what an index knows by itself.
        for (filter, least) in [
            (Filter::must([Condition::matches("objects[].n", -1)]), 20_000 / 32),
            (Filter::must([Condition::is_null("objects[].n")]), 20_000 / 32),
            (
                Filter::must([Condition::nested("objects", nested.clone())]),
                60_000 / 32,
            ),
            (Filter::must([Condition::text_any("text", pieces.join(" "))]), 100),
            (steps.clone(), 50),
            (lacking.clone(), 3_200 / 32),
        ] {
            let looks = looks_of(&c, &filter);
            assert!(looks >= least, "{looks} looks: {}", filter.to_json());
        }
    }
}

#[test]
fn what_a_point_with_many_values_comes_to_is_left_when_the_caller_says_so() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = db.create_collection("c", CollectionConfig::default()).unwrap();
    let many: Vec<u64> = (0..2_000).collect();
    let words: Vec<String> = (0..2_000).map(|n| format!("w{n}")).collect();
    c.upsert(vec![
        Point::new(1, Vectors::default())
            .payload(json!({"n": many, "w": words}))
            .unwrap(),
    ])
    .unwrap();
    let (looks, stop) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
    let probe = || looks.fetch_add(1, Ordering::Relaxed) >= stop.load(Ordering::Relaxed);
    let control = Control::cancelled_by(&probe);
    // Of each value all values.
    let request = AggregateRequest::new("n").group_by("n");
    // A number and a place, which no word is.
    let score = Expression::variable("w")
        + Expression::GeoDistance {
            origin: GeoPoint { lon: 1.0, lat: 2.0 },
            to: "w[]".to_owned(),
        };
    let formula = Formula::new(score)
        .default_value("w", 3)
        .default_value("w[]", json!({"lon": 0, "lat": 0}));
    let scored = QueryRequest::new(Query::Formula(formula)).prefetch(Prefetch::new(None));
    let sorted = SortRequest::new([SortKey::new("w")]);
    let grouped = GroupRequest::new(QueryRequest::new(None), "w");
    let calls: [(&dyn Fn() -> Result<()>, u64); 6] = [
        (
            &|| c.aggregate_with(&request, &control).map(drop),
            2_000 * 2_000 / 32,
        ),
        (
            &|| c.facet_with(&FacetRequest::new("n"), &control).map(drop),
            2_000 * 2 / 32,
        ),
        (&|| c.query_with(&scored, &control).map(drop), 2_000 * 2 / 32),
        (&|| c.sort_with(&sorted, &control).map(drop), 2_000 / 32),
        (&|| c.query_groups_with(&grouped, &control).map(drop), 2_000 / 32),
        (
            &|| {
                let order = Query::OrderBy(OrderBy::new("n"));
                c.query_with(&QueryRequest::new(order), &control).map(drop)
            },
            2_000 * 2 / 32,
        ),
    ];
    for (at, (call, least)) in calls.into_iter().enumerate() {
        looks.store(0, Ordering::Relaxed);
        call().unwrap();
        assert!(looks.load(Ordering::Relaxed) >= least, "call {at}");
        looks.store(0, Ordering::Relaxed);
        stop.store(least - 1, Ordering::Relaxed);
        let outcome = call();
        assert!(matches!(outcome, Err(Error::Cancelled)), "call {at}: {outcome:?}");
        stop.store(u64::MAX, Ordering::Relaxed);
    }
}

/// What one point has so many of is held while it is put in order.
#[test]
fn the_values_of_a_point_count_with_the_memory_of_the_answer() {
    let bytes = 200 << 10;
    let db = Database::builder()
        .background(false)
        .answer_bytes(bytes)
        .open_in_memory()
        .unwrap();
    let c = db.create_collection("c", CollectionConfig::default()).unwrap();
    let many: Vec<u64> = (0..20_000).collect();
    let payload = json!({"n": many, "one": 1});
    c.upsert(vec![Point::new(1, Vectors::default()).payload(payload).unwrap()])
        .unwrap();
    let outcomes = |path: &str| {
        let order = QueryRequest::new(Query::OrderBy(OrderBy::new(path))).limit(1);
        let groups = GroupRequest::new(QueryRequest::new(None).limit(1), path);
        [
            c.query(&order).map(drop),
            c.query_groups(&groups).map(drop),
            c.aggregate(&AggregateRequest::new(path)).map(drop),
            c.facet(&FacetRequest::new(path)).map(drop),
        ]
    };
    for (at, outcome) in outcomes("n").into_iter().enumerate() {
        assert!(
            matches!(&outcome, Err(Error::Limit { limit, .. }) if *limit == bytes),
            "{at}: {outcome:?}"
        );
    }
    for (at, outcome) in outcomes("one").into_iter().enumerate() {
        assert!(outcome.is_ok(), "{at}: {outcome:?}");
    }
}

#[test]
fn the_database_limits_reads_that_do_not_limit_themselves() {
    let db = Database::builder()
        .background(false)
        .read_timeout(Duration::ZERO)
        .open_in_memory()
        .unwrap();
    let c = filled(&db);
    let (query, page) = (SearchRequest::new(vec![1.0; 64]), ScrollRequest::new());
    let patient = Duration::from_secs(3600);
    let outcomes = [
        c.count(None).map(drop),
        c.estimate(&slow()).map(drop),
        c.get(&[1.into()], &Select::payload()).map(drop),
        c.scroll(&page).map(drop),
        c.search(&query).map(drop),
        // The shortest of all.
        c.search_batch(&[query.clone().timeout(patient), query.clone()])
            .map(drop),
        c.search(&query.clone().timeout(patient).timeout(Duration::ZERO))
            .map(drop),
    ];
    for (at, outcome) in outcomes.into_iter().enumerate() {
        assert!(matches!(outcome, Err(Error::Timeout { .. })), "{at}: {outcome:?}");
    }
    assert_eq!(c.search(&query.clone().timeout(patient)).unwrap().len(), 10);
    assert_eq!(c.scroll(&page.timeout(patient)).unwrap().points.len(), 10);
    assert_eq!(c.search_batch(&[query.timeout(patient)]).unwrap().len(), 1);
    // Writes are not reads.
    db.write(WriteBatch::new().delete("c", slow())).unwrap();
    assert!(c.info().unwrap().points < ROWS);
}

#[test]
fn an_answer_takes_no_more_memory_than_it_may() {
    let bytes = 200 << 10;
    let db = Database::builder()
        .background(false)
        .answer_bytes(bytes)
        .open_in_memory()
        .unwrap();
    let c = filled(&db);
    let ids: Vec<_> = (0..ROWS).map(Into::into).collect();
    let query = SearchRequest::new(vec![1.0; 64]);
    let many = query.clone().limit(400).with_payload(true);
    let outcomes = [
        c.get(&ids, &Select::payload()).map(drop),
        c.get(&ids, &Select::default()).map(drop),
        c.scroll(&ScrollRequest::new().limit(5_000)).map(drop),
        c.search(&query.clone().limit(6_000)).map(drop),
        c.search(&query.clone().limit(1_000).with_vectors(true)).map(drop),
        // Each alone would do.
        c.search_batch(&vec![many.clone(); 10]).map(drop),
    ];
    for (at, outcome) in outcomes.into_iter().enumerate() {
        assert!(
            matches!(&outcome, Err(Error::Limit { limit, found, .. }) if *limit == bytes && found > limit),
            "{at}: {outcome:?}"
        );
        assert!(outcome.unwrap_err().to_string().contains("answer_bytes"));
    }
    assert_eq!(c.search(&many).unwrap().len(), 400);
    assert_eq!(c.search_batch(&vec![query; 40]).unwrap().len(), 40);
}

#[test]
fn each_search_of_a_batch_has_its_own_time() {
    let db = Database::builder()
        .background(false)
        .threads(1)
        .open_in_memory()
        .unwrap();
    let c = filled(&db);
    let start = Instant::now();
    // A clock that goes on by a millisecond whenever it is looked at.
    let run = |requests: &[SearchRequest]| {
        let passed = AtomicU64::new(0);
        let clock = || start + Duration::from_millis(passed.fetch_add(1, Ordering::Relaxed));
        let outcome = c.search_batch_with(requests, &Control::none().clock(&clock));
        (outcome, Duration::from_millis(passed.into_inner()))
    };
    let hour = Duration::from_secs(3_600);
    let query = SearchRequest::new(vec![1.0; 64]);
    let long = query.clone().filter(slow()).limit(5_000).timeout(hour);
    let (answers, took) = run(&[long.clone(), query.clone().timeout(hour)]);
    answers.unwrap();
    // Time enough for the short one alone, which is answered first.
    let limit = took / 2;
    let (answers, took) = run(&[long.clone(), query.clone().timeout(limit)]);
    assert_eq!(answers.unwrap()[1].len(), 10);
    assert!(took > limit, "{took:?}");
    // And the time that is told is that of the one that was late.
    let (refused, _) = run(&[query.timeout(hour), long.timeout(limit)]);
    assert!(
        matches!(refused, Err(Error::Timeout { limit: told, .. }) if told == limit),
        "{refused:?}"
    );
}

#[test]
fn whether_a_batch_is_too_large_does_not_depend_on_threads() {
    let query = SearchRequest::new(vec![1.0; 64]);
    // Deep ones, which hold much on the way to a small answer; filtered ones, which are groups of their own.
    let requests: Vec<SearchRequest> = (0..60usize)
        .map(|at| match at % 3 {
            0 => query
                .clone()
                .exact(true)
                .filter(Filter::must([Condition::range("n", ..(at as f64 * 90.0))])),
            1 => query.clone().limit(100 + at).with_payload(true),
            _ => query.clone().exact(true).limit(5).offset(50 * at),
        })
        .collect();
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = filled(&db);
    let view = c.core().view(&db.shared().visibility);
    let is_taken = |threads: &Workers, bytes: usize| {
        let allowance = Allowance::new(Control::none(), "searching", bytes);
        match search_batch(&view, &requests, None, threads, &allowance) {
            Ok(_) => true,
            Err(Error::Limit { limit, found, .. }) => {
                assert!(limit == bytes && found > limit);
                false
            }
            Err(other) => panic!("{other}"),
        }
    };
    // The least bound that one thread keeps...
    let one = Workers::new(1);
    let (mut refused, mut taken) = (1 << 10, 1 << 30);
    while taken - refused > 1 {
        let between = usize::midpoint(refused, taken);
        if is_taken(&one, between) {
            taken = between;
        } else {
            refused = between;
        }
    }
    // ...is to the byte the least that several keep, however they share the work.
    let several = Workers::new(4);
    for _ in 0..12 {
        assert!(is_taken(&several, taken) && !is_taken(&several, refused));
    }
}
