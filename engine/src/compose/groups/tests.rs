use std::sync::Arc;

use serde_json::json;
use vdb_index::Control;

use super::{ENTRY, Found, Group, GroupId, GroupRequest, Groups, SEEN};
use crate::collection::Collection;
use crate::compose::kind::{OrderBy, Query};
use crate::compose::request::QueryRequest;
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::Database;
use crate::filter::{Condition, Filter};
use crate::limits::{MAX_FILTER_VALUES, MAX_LIMIT};
use crate::memtable::Memtable;
use crate::point::{OrderValue, Point, PointId};
use crate::query::allowance::Allowance;
use crate::schema::Schema;
use crate::tables::Located;

/// Pages on a line: the first twenty of one book, then every tenth of another.
fn pages() -> (Database, Collection) {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Euclid));
    let c = db.create_collection("pages", config).unwrap();
    let book = |id: u64| if id < 20 || !id.is_multiple_of(10) { 1 } else { 2 };
    let page = |id: u64| Point::new(id, [id as f32]).payload(json!({"book": book(id), "n": id}));
    c.upsert((0..200).map(page).collect::<Result<_, _>>().unwrap())
        .unwrap();
    (db, c)
}

fn ids(group: &Group) -> Vec<PointId> {
    group.hits.iter().map(|hit| hit.id).collect()
}

#[test]
fn groups_are_filled_whatever_room_a_filter_has() {
    let (_db, c) = pages();
    let values: Vec<i64> = (0..MAX_FILTER_VALUES as i64).collect();
    let full = Filter::must([Condition::matches_any("n", values)]);
    for filter in [Filter::default(), full] {
        let nearest = QueryRequest::new(Query::nearest([0.0])).filter(filter).limit(2);
        let groups = c.query_groups(&GroupRequest::new(nearest, "book")).unwrap();
        assert_eq!(groups.len(), 2);
        assert_eq!(ids(&groups[0]), [0u64, 1, 2].map(PointId::from));
        assert_eq!(ids(&groups[1]), [20u64, 30, 40].map(PointId::from));
    }
}

#[test]
fn a_point_counts_once_in_a_group_however_often_it_comes() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    let point = |id: u64| {
        let payload = json!({"tags": ["b", "a", "b", 1, "a"], "n": [id, id + 5, id + 9]});
        Point::new(id, [id as f32]).payload(payload)
    };
    c.upsert((0..4).map(point).collect::<Result<_, _>>().unwrap())
        .unwrap();
    for query in [Query::OrderBy(OrderBy::new("n")), Query::nearest([-1.0])] {
        let request = GroupRequest::new(QueryRequest::new(query).limit(5), "tags").group_size(3);
        let groups = c.query_groups(&request).unwrap();
        let names: Vec<&GroupId> = groups.iter().map(|group| &group.id).collect();
        // In the order in which the first point has them.
        assert_eq!(names, [&"b".into(), &"a".into(), &1.into()]);
        for group in &groups {
            assert_eq!(ids(group), [0u64, 1, 2].map(PointId::from));
        }
    }
}

#[test]
fn what_a_later_walk_misses_is_put_back_in_its_place() {
    let schema = Schema::new(CollectionConfig::new(VectorParams::new(1, Distance::Dot))).unwrap();
    let table = Arc::new(Memtable::new(&schema));
    let found = |id: u64, score: f32| Found {
        id: id.into(),
        at: Located::Memtable(table.clone(), 0),
        score,
        order: None,
    };
    let allowance = Allowance::unlimited();
    let mut groups = Groups::new(2, 3, &allowance);
    for (group, id, score) in [
        (1, 1, 9.0),
        (1, 2, 7.0),
        (2, 3, 6.0),
        (2, 4, 6.0),
        (2, 5, 5.0),
        (2, 6, 4.0),
    ] {
        groups.add(GroupId::from(group), &found(id, score)).unwrap();
    }
    let earlier = groups.take_lacking();
    for (id, score) in [(1, 9.0), (7, 8.0), (8, 7.0), (9, 1.0)] {
        groups.add(GroupId::from(1), &found(id, score)).unwrap();
    }
    groups.put_back(earlier, |a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    let members = |place: usize| -> Vec<PointId> { groups.all[place].1.iter().map(|one| one.id).collect() };
    assert_eq!(members(0), [1u64, 7, 2].map(PointId::from));
    assert_eq!(members(1), [3u64, 4, 5].map(PointId::from));
    // What is held is counted, and what is not is not.
    assert_eq!(groups.held, 2 * ENTRY + 6 * size_of::<Found>());
    groups.clear();
    assert_eq!(groups.held, 0);
}

#[test]
fn who_was_seen_in_an_order_is_counted_until_it_is_forgotten() {
    let schema = Schema::new(CollectionConfig::new(VectorParams::new(1, Distance::Dot))).unwrap();
    let table = Arc::new(Memtable::new(&schema));
    let found = |id: u64| Found {
        id: id.into(),
        at: Located::Memtable(table.clone(), 0),
        score: 1.0,
        order: Some(OrderValue::Integer(0)),
    };
    let allowance = Allowance::unlimited();
    let mut groups = Groups::new(1, 4, &allowance);
    // One of them comes twice.
    for id in [1, 2, 1] {
        groups.add(GroupId::from(7), &found(id)).unwrap();
    }
    assert_eq!(groups.held, ENTRY + 2 * (size_of::<Found>() + SEEN));
    let earlier = groups.take_lacking();
    groups.add(GroupId::from(7), &found(3)).unwrap();
    groups.put_back(earlier, |a, b| a.id.cmp(&b.id));
    assert_eq!(groups.held, ENTRY + size_of::<Found>() + SEEN);
    groups.clear();
    assert_eq!(groups.held, 0);
}

/// Points are in groups as often as they have values: a few can fill the memory.
#[test]
fn groups_are_refused_before_they_fill_the_memory() {
    let schema = Schema::new(CollectionConfig::new(VectorParams::new(1, Distance::Dot))).unwrap();
    let table = Arc::new(Memtable::new(&schema));
    let found = Found {
        id: 1.into(),
        at: Located::Memtable(table, 0),
        score: 1.0,
        order: None,
    };
    let most = 100_000;
    let allowance = Allowance::new(Control::none(), "searching", most);
    let mut groups = Groups::new(MAX_LIMIT, MAX_LIMIT, &allowance);
    let added = (0..).map(|group: i64| groups.add(group.into(), &found));
    let added = added.take(10_000).take_while(|added| added.is_ok()).count();
    assert!((most / 400..most / 64).contains(&added), "{added}");
}
