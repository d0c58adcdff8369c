//! Is a text found by its tokens, and worth what BM25 says, wherever its point lies?
//!
//! Random texts are written, changed and deleted, indexed in several ways, flushed, merged and opened anew. After each step
//! conditions and queries are compared with plain ones that cut and count the texts of all points.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use vdb::{
    Collection, CollectionConfig, Control, Database, Distance, Filter, Fusion, PayloadIndexParams, Point,
    PointId, Prefetch, Query, QueryRequest, ScrollRequest, ServedBy, VectorParams,
};
use vdb_tests::Numbers;

const WORDS: [&str; 14] = [
    "owl", "Owl", "owls", "snowy", "night", "the", "a", "É", "é", "Straße", "naïve", "42", "Ωmega", "wren",
];
const STOPWORD: &str = "the";

/// How the index in a step makes tokens, as far as the plain model knows how.
#[derive(Clone, Copy, Debug)]
struct Rules {
    prefix: bool,
    lowercase: bool,
    stopword: bool,
    min: usize,
}

impl Rules {
    fn pick(numbers: &mut Numbers) -> Self {
        Rules {
            prefix: numbers.one_in(4),
            lowercase: !numbers.one_in(4),
            stopword: numbers.one_in(2),
            min: 1 + numbers.below(3) as usize,
        }
    }

    fn params(self, positions: bool) -> PayloadIndexParams {
        let json = json!({
            "type": "text", "tokenizer": if self.prefix { "prefix" } else { "word" }, "lowercase": self.lowercase,
            "stopwords": self.stopword.then(|| json!({"custom": [STOPWORD]})), "min_token_len": self.min,
            "phrase_matching": positions,
        });
        PayloadIndexParams::from_json(&json).unwrap()
    }

    /// The words that are kept, in their order.
    fn words(self, text: &str) -> Vec<String> {
        let words = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty());
        let cased = words.map(|word| {
            if self.lowercase {
                word.to_lowercase()
            } else {
                word.to_owned()
            }
        });
        let kept = cased.filter(|word| !(self.stopword && word == STOPWORD));
        kept.filter(|word| word.chars().count() >= self.min).collect()
    }

    /// The tokens of a stored text, each word's together.
    fn tokens(self, text: &str) -> Vec<Vec<String>> {
        let beginnings = |word: &String| {
            let ends = word
                .char_indices()
                .map(|(at, c)| at + c.len_utf8())
                .skip(self.min - 1);
            ends.map(|end| word[..end].to_owned()).collect()
        };
        let words = self.words(text);
        if self.prefix {
            words.iter().map(beginnings).collect()
        } else {
            words.into_iter().map(|word| vec![word]).collect()
        }
    }
}

fn text(numbers: &mut Numbers, most: u64) -> String {
    let words = (0..numbers.below(most))
        .map(|_| *numbers.pick(&WORDS))
        .collect::<Vec<_>>();
    let gap = *numbers.pick(&[" ", ", ", "-", "  "]);
    words.join(gap)
}

/// Texts, lists of them, and what is none.
fn payload(numbers: &mut Numbers) -> Value {
    let value = match numbers.below(8) {
        0 => return json!({"n": numbers.below(4)}),
        1 => Value::Null,
        2 => json!(numbers.below(9)),
        3 | 4 => {
            let item = |numbers: &mut Numbers| match numbers.below(5) {
                0 => Value::Null,
                1 => json!(["owl"]),
                _ => text(numbers, 4).into(),
            };
            (0..numbers.below(4)).map(|_| item(numbers)).collect()
        }
        _ => text(numbers, 9).into(),
    };
    json!({"t": value, "n": numbers.below(4)})
}

/// The texts at `t`.
fn texts(payload: &Value) -> Vec<&str> {
    let value = &payload["t"];
    match value.as_array() {
        Some(items) => items.iter().filter_map(Value::as_str).collect(),
        None => value.as_str().into_iter().collect(),
    }
}

struct Both {
    dir: tempfile::TempDir,
    db: Option<(Database, Collection)>,
    points: BTreeMap<u64, Value>,
    rules: Option<Rules>,
    numbers: Numbers,
}

fn open(dir: &std::path::Path) -> (Database, Collection) {
    let db = Database::builder()
        .background(false)
        .open(dir.join("db"))
        .unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let c = db
        .collection("c")
        .or_else(|_| db.create_collection("c", config))
        .unwrap();
    (db, c)
}

impl Both {
    fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Some(open(dir.path()));
        Both {
            dir,
            db,
            points: BTreeMap::new(),
            rules: None,
            numbers: Numbers::new(seed),
        }
    }

    fn c(&self) -> &Collection {
        &self.db.as_ref().unwrap().1
    }

    fn step(&mut self) {
        match self.numbers.below(12) {
            0..=3 => {
                let count = self.numbers.below(30);
                let points: Vec<(u64, Value)> = (0..count)
                    .map(|_| (self.numbers.below(150), payload(&mut self.numbers)))
                    .collect();
                self.points.extend(points.iter().cloned());
                let last: BTreeMap<u64, Value> = points.into_iter().collect();
                let point = |(id, payload)| Point::new(id, [1.0]).payload(payload).unwrap();
                self.c().upsert(last.into_iter().map(point).collect()).unwrap();
            }
            4 => {
                let ids: BTreeSet<u64> = (0..self.numbers.below(20))
                    .map(|_| self.numbers.below(150))
                    .collect();
                self.points.retain(|id, _| !ids.contains(id));
                let ids: Vec<PointId> = ids.into_iter().map(PointId::from).collect();
                self.c().delete(ids).unwrap();
            }
            5 | 6 => self.c().flush().unwrap(),
            7 => self.c().optimize(&Control::none()).unwrap(),
            8 | 9 => {
                let rules = Rules::pick(&mut self.numbers);
                let params = rules.params(self.numbers.one_in(2));
                // Stopped, it counts all the same, and segments lack it.
                let stopped = self.numbers.one_in(3);
                let stop = || stopped;
                match self
                    .c()
                    .create_payload_index_with("t", params, &Control::cancelled_by(&stop))
                {
                    Ok(()) => {}
                    Err(error) => assert!(stopped && matches!(error, vdb::Error::Cancelled), "{error}"),
                }
                self.rules = Some(rules);
            }
            10 => {
                self.c().drop_payload_index("t").unwrap();
                self.rules = None;
            }
            _ => {
                let (db, c) = self.db.take().unwrap();
                drop(c);
                db.close().unwrap();
                self.db = Some(open(self.dir.path()));
            }
        }
    }

    /// Whether a condition holds, cut and compared the plain way.
    fn holds(&self, payload: &Value, kind: &str, query: &str) -> bool {
        let texts = texts(payload);
        let Some(rules) = self.rules else {
            return match kind {
                "text_any" => query
                    .split_whitespace()
                    .any(|piece| texts.iter().any(|text| text.contains(piece))),
                _ => texts.iter().any(|text| text.contains(query)),
            };
        };
        let wanted = rules.words(query);
        let cut: Vec<Vec<Vec<String>>> = texts.iter().map(|text| rules.tokens(text)).collect();
        let has = |word: &String| cut.iter().flatten().flatten().any(|token| token == word);
        let starts = |text: &[Vec<String>]| {
            let pairs = text.iter().zip(&wanted);
            text.len() >= wanted.len() && pairs.into_iter().all(|(tokens, word)| tokens.contains(word))
        };
        !wanted.is_empty()
            && match kind {
                "text" => wanted.iter().all(has),
                "text_any" => wanted.iter().any(has),
                _ => cut
                    .iter()
                    .any(|text| (0..text.len()).any(|from| starts(&text[from..]))),
            }
    }

    fn ids(&self, filter: &Value) -> Vec<u64> {
        let request = ScrollRequest::new()
            .filter(Filter::from_json(filter).unwrap())
            .limit(1000);
        let page = self.c().scroll(&request).unwrap();
        page.points
            .iter()
            .map(|point| point.id.to_string().parse().unwrap())
            .collect()
    }

    fn check_condition(&mut self) {
        let kind = *self.numbers.pick(&["text", "text_any", "phrase"]);
        let query = text(&mut self.numbers, 4);
        let n = self.numbers.below(4);
        let condition = json!({"key": "t", "match": {kind: query}});
        let number = json!({"key": "n", "match": {"value": n}});
        let (filter, wanted): (_, fn(bool, bool) -> bool) = match self.numbers.below(4) {
            0 => (json!({"must": [condition, number]}), |text, number| {
                text && number
            }),
            1 => (json!({"must_not": [condition]}), |text, _| !text),
            2 => (json!({"should": [condition, number]}), |text, number| {
                text || number
            }),
            _ => (json!({"must": [condition]}), |text, _| text),
        };
        let expected: Vec<u64> = self
            .points
            .iter()
            .filter(|(_, payload)| wanted(self.holds(payload, kind, &query), payload["n"] == json!(n)))
            .map(|(id, _)| *id)
            .collect();
        assert_eq!(self.ids(&filter), expected, "{filter} {:?}", self.rules);
        let filter = Filter::from_json(&filter).unwrap();
        let estimate = self.c().estimate(&filter).unwrap();
        let count = self.c().count(Some(&filter)).unwrap();
        assert_eq!(count, expected.len() as u64);
        assert!(
            (estimate.min..=estimate.max).contains(&count),
            "{estimate:?} {count}"
        );
    }

    /// Points by BM25, cut and counted the plain way; best first.
    fn ranked(&self, rules: Rules, query: &str, (k1, b): (f64, f64), n: Option<u64>) -> Vec<(u64, f64)> {
        let tokens_of = |payload: &Value| -> Vec<String> {
            let cut = texts(payload).into_iter().flat_map(|text| rules.tokens(text));
            cut.flatten().collect()
        };
        let all: Vec<(u64, Vec<String>, bool)> = self
            .points
            .iter()
            .map(|(id, payload)| {
                (
                    *id,
                    tokens_of(payload),
                    n.is_none_or(|n| payload["n"] == json!(n)),
                )
            })
            .filter(|(_, tokens, _)| !tokens.is_empty())
            .collect();
        let average =
            all.iter().map(|(_, tokens, _)| tokens.len()).sum::<usize>() as f64 / all.len().max(1) as f64;
        let wanted: BTreeSet<String> = rules.words(query).into_iter().collect();
        let score = |tokens: &[String]| -> f64 {
            let worth = |word: &String| {
                let with = all.iter().filter(|(_, tokens, _)| tokens.contains(word)).count() as f64;
                let rarity = (1.0 + (all.len() as f64 - with + 0.5) / (with + 0.5)).ln();
                let count = tokens.iter().filter(|token| *token == word).count() as f64;
                let damping = k1 * (1.0 - b + b * tokens.len() as f64 / average);
                if count == 0.0 {
                    0.0
                } else {
                    rarity * count * (k1 + 1.0) / (count + damping)
                }
            };
            wanted.iter().map(worth).sum()
        };
        let has_some = |tokens: &[String]| tokens.iter().any(|token| wanted.contains(token));
        let found = all
            .iter()
            .filter(|(_, tokens, eligible)| *eligible && has_some(tokens));
        let mut ranked: Vec<(u64, f64)> = found.map(|(id, tokens, _)| (*id, score(tokens))).collect();
        ranked.sort_by(|a, b| (b.1 as f32).total_cmp(&(a.1 as f32)).then(a.0.cmp(&b.0)));
        ranked
    }

    fn check_query(&mut self) {
        let query = text(&mut self.numbers, 5);
        let (k1, b) = (
            self.numbers.below(30) as f64 / 10.0,
            self.numbers.below(11) as f64 / 10.0,
        );
        let n = self.numbers.one_in(3).then(|| self.numbers.below(4));
        let limit = 1 + self.numbers.below(20) as usize;
        let kind = Query::Text {
            text: query.clone(),
            k1,
            b,
        };
        let filter = n.map(|n| Filter::must([vdb::Condition::matches("n", n as i64)]));
        let mut request = QueryRequest::new(kind.clone()).using("t").limit(limit);
        request.filter = filter;
        let Some(rules) = self.rules else {
            let error = self.c().query(&request).unwrap_err().to_string();
            assert!(error.contains("needs an index of the kind text"), "{error}");
            return;
        };
        let expected = self.ranked(rules, &query, (k1, b), n);
        let found = self.c().query(&request).unwrap();
        let ids = |found: &[vdb::ScoredPoint]| -> Vec<u64> {
            found
                .iter()
                .map(|hit| hit.id.to_string().parse().unwrap())
                .collect()
        };
        // Sums in another order may differ in their last bits, and change places.
        assert_eq!(found.len(), expected.len().min(limit), "{query:?} {rules:?}");
        for (hit, (_, score)) in found.iter().zip(&expected) {
            assert!(
                (f64::from(hit.score) - score).abs() < 1e-4 * score.max(1.0),
                "{hit:?} {score}"
            );
        }
        let scores: BTreeMap<u64, f64> = expected.iter().copied().collect();
        for (hit, id) in found.iter().zip(ids(&found)) {
            assert!((scores[&id] - f64::from(hit.score)).abs() < 1e-4 * scores[&id].max(1.0));
        }
        if let Some(bar) = found.get(found.len() / 2).map(|hit| hit.score) {
            let above = self
                .c()
                .query(&QueryRequest {
                    score_threshold: Some(bar),
                    ..request.clone()
                })
                .unwrap();
            assert_eq!(
                ids(&above),
                ids(&found[..found.partition_point(|hit| hit.score > bar)])
            );
        }
        // As a prefetch it is the same list; of a prefetch it scores what that has found.
        let mut fused = QueryRequest::new(Query::Fusion(Fusion::rrf())).limit(limit);
        fused.prefetch = vec![Prefetch::new(kind).using("t").limit(limit)];
        fused.filter.clone_from(&request.filter);
        assert_eq!(ids(&self.c().query(&fused).unwrap()), ids(&found));
        let mut among = request.clone();
        among.prefetch = vec![Prefetch::new(None).limit(1000)];
        assert_eq!(self.c().query(&among).unwrap(), found);
    }
}

#[test]
fn texts_are_found_and_ranked_wherever_they_lie() {
    for seed in 0..12 {
        let mut both = Both::new(seed);
        for _ in 0..40 {
            both.step();
            for _ in 0..4 {
                both.check_condition();
            }
            both.check_query();
        }
    }
}

/// A collection of texts in two segments and the log's table, with an index.
fn birds(options: &Value) -> (Database, Collection) {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = db
        .create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))
        .unwrap();
    c.create_payload_index("text", PayloadIndexParams::from_json(options).unwrap())
        .unwrap();
    let texts = [
        "The owls hunt at night",
        "An owl is hunting mice",
        "Wrens sing",
        "Night, owl, night",
    ];
    for (id, text) in (0u64..).zip(texts) {
        let payload = json!({"text": text, "day": id % 2});
        c.upsert(vec![Point::new(id, [id as f32]).payload(payload).unwrap()])
            .unwrap();
        if id < 3 {
            c.flush().unwrap();
        }
    }
    (db, c)
}

fn english() -> Value {
    json!({"type": "text", "stopwords": "english", "stemmer": {"type": "snowball", "language": "english"}})
}

#[test]
fn an_index_answers_phrases_by_itself_whatever_its_options() {
    for asked_for in [true, false] {
        let mut options = english();
        options["phrase_matching"] = asked_for.into();
        let (_db, c) = birds(&options);
        let filter = Filter::from_json(&json!({"must": [{"key": "text", "match": {"phrase": "owl hunts"}}]}));
        let filter = filter.unwrap();
        assert_eq!(
            c.count(Some(&filter)).unwrap(),
            2,
            "the owls hunt, an owl is hunting"
        );
        let explained = c.explain(&filter).unwrap();
        for segment in &explained.segments {
            let condition = &segment.conditions[0];
            assert_eq!(condition.served_by, ServedBy::Index(vdb::PayloadIndexKind::Text));
            assert!(condition.exact, "{condition:?}");
        }
    }
}

#[test]
fn other_tokens_are_another_index_and_other_hints_are_not() {
    let (_db, c) = birds(&english());
    let count = |text: &str| {
        let filter = Filter::must([vdb::Condition::text("text", text)]);
        c.count(Some(&filter)).unwrap()
    };
    assert_eq!((count("hunts"), count("the")), (2, 0));
    let mut hinted = english();
    hinted["memory"] = "cold".into();
    let before = c.info().unwrap().disk_bytes;
    c.create_payload_index("text", PayloadIndexParams::from_json(&hinted).unwrap())
        .unwrap();
    let info = c.info().unwrap();
    assert_eq!(
        (info.disk_bytes, info.payload_indexes[0].1.to_json()),
        (before, hinted)
    );
    c.create_payload_index("text", vdb::PayloadIndexKind::Text)
        .unwrap();
    assert_eq!((count("hunts"), count("hunt"), count("the")), (0, 1, 1));
    assert!(c.drop_payload_index("text").unwrap());
    assert_eq!((count("Owl"), count("owl"), count("")), (0, 3, 4));
}

#[test]
fn deletes_and_updates_by_filter_go_by_tokens() {
    let (_db, c) = birds(&english());
    c.delete(Filter::must([vdb::Condition::text("text", "hunt night")]))
        .unwrap();
    assert_eq!(c.count(None).unwrap(), 3);
    // Not counted any more: "night" is in one point of three now.
    let hits = c
        .query(&QueryRequest::new(Query::text("night")).using("text"))
        .unwrap();
    let expected = (1.0_f64 + 2.5 / 1.5).ln() * 2.0 * 2.2 / (2.0 + 1.2 * (0.25 + 0.75 * 3.0 / (8.0 / 3.0)));
    assert_eq!(hits.len(), 1);
    assert!(
        (f64::from(hits[0].score) - expected).abs() < 1e-5,
        "{} {expected}",
        hits[0].score
    );
}

#[test]
fn a_text_query_is_grouped_and_refused_like_others() {
    let (_db, c) = birds(&english());
    let request = QueryRequest::new(Query::text("owl")).using("text").limit(3);
    let groups = c.query_groups(&vdb::GroupRequest::new(request, "day")).unwrap();
    assert_eq!(groups.len(), 2);
    let refused = |request: QueryRequest| c.query(&request).unwrap_err().to_string();
    let other = refused(QueryRequest::new(Query::text("owl")).using("day"));
    assert!(
        other.contains("there is none on \"day\"; indexes of texts: \"text\""),
        "{other}"
    );
    let wild = Query::Text {
        text: "owl".to_owned(),
        k1: -1.0,
        b: 0.5,
    };
    assert!(refused(QueryRequest::new(wild).using("text")).contains("k1 of a query by text"));
    assert!(
        c.query(&QueryRequest::new(Query::text("the")).using("text"))
            .unwrap()
            .is_empty()
    );
}

/// Frequent words stand side by side in many texts, and at the end of one and the start of the next in others.
#[test]
fn phrases_of_frequent_words_are_found_in_one_text_of_a_point() {
    const FREQUENT: [&str; 3] = ["of", "the", "owl"];
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let c = db.create_collection("texts", config).unwrap();
    let index = PayloadIndexParams::from_json(&json!({"type": "text", "stopwords": {"custom": ["and"]}}));
    c.create_payload_index("texts", index.unwrap()).unwrap();
    let mut numbers = Numbers::new(11);
    let mut texts: BTreeMap<u64, Vec<Vec<&str>>> = BTreeMap::new();
    let write = |texts: &BTreeMap<u64, Vec<Vec<&str>>>, ids: std::ops::Range<u64>| {
        let point = |(&id, texts): (&u64, &Vec<Vec<&str>>)| {
            let texts: Vec<String> = texts.iter().map(|words| words.join(" ")).collect();
            Point::new(id, [1.0]).payload(json!({"texts": texts})).unwrap()
        };
        c.upsert(texts.range(ids).map(point).collect()).unwrap();
    };
    for id in 0..900 {
        let words = |numbers: &mut Numbers| {
            let count = numbers.below(4);
            let mut word = |_| *numbers.pick(&["of", "the", "owl", "of", "the", "and", "rare"]);
            (0..count).map(&mut word).collect()
        };
        texts.insert(id, (0..numbers.below(4)).map(|_| words(&mut numbers)).collect());
    }
    // Words that are left out take no place.
    fn kept<'a>(words: &[&'a str]) -> Vec<&'a str> {
        words.iter().copied().filter(|word| *word != "and").collect()
    }
    let check = |texts: &BTreeMap<u64, Vec<Vec<&str>>>| {
        let phrases = FREQUENT.iter().flat_map(|a| FREQUENT.map(|b| vec![*a, b]));
        let longer = [
            vec!["of", "the", "owl"],
            vec!["the", "and", "of"],
            vec!["rare", "of", "the"],
            vec!["rare", "rare"],
        ];
        for phrase in phrases.chain(longer) {
            let filter = Filter::must([vdb::Condition::phrase("texts", phrase.join(" "))]);
            let wanted = kept(&phrase);
            let stands = |text: &Vec<&str>| kept(text).windows(wanted.len()).any(|words| words == wanted);
            let expected = texts.values().filter(|texts| texts.iter().any(stands)).count();
            assert_eq!(c.count(Some(&filter)).unwrap(), expected as u64, "{phrase:?}");
        }
    };
    write(&texts, 0..500);
    c.flush().unwrap();
    write(&texts, 500..900);
    check(&texts);
    c.flush().unwrap();
    check(&texts);
    texts.retain(|id, _| id % 7 != 3);
    c.delete(
        (0..900)
            .filter(|id| id % 7 == 3)
            .map(PointId::from)
            .collect::<Vec<_>>(),
    )
    .unwrap();
    check(&texts);
    c.optimize(&Control::none()).unwrap();
    check(&texts);
    let both = Filter::must([vdb::Condition::phrase("texts", "of the")]);
    let plan = c.explain(&both).unwrap();
    let rows = plan.segments[0].conditions[0].rows;
    assert_eq!(
        (rows.min, rows.expected),
        (rows.max, rows.max),
        "known before it is looked for: {rows:?}"
    );
}
