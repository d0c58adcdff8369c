use std::sync::LazyLock;

use proptest::prelude::*;
use vdb_sys::element::Element;
use vdb_sys::kernel::{Kernel, Metric};
use vdb_vfs::{Disk, MemDisk};

use super::*;
use crate::control::Control;
use crate::error::Error;
use crate::fixture::{Data, PAIRS, Random, pool, recall};
use crate::hnsw::{self, Found, Graph, HnswParams, Scratch, SearchParams, search, search_within};
use crate::quant::Quantization;
use crate::rowset::{RowBits, RowFilter};

const PATH: &str = "partitions";

fn graph(data: &Data, metric: Metric, params: &HnswParams) -> Graph {
    hnsw::build(&data.matrix(), metric, params, &pool(2), &Control::none()).expect("not cancelled")
}

fn partition(graph: &Graph, data: &Data, rows: Vec<u32>, params: &HnswParams) -> Partition {
    let (matrix, control) = (data.matrix(), Control::none());
    build(graph.view(), &matrix, rows, params, &pool(2), &control).expect("not cancelled")
}

fn find(
    graph: &Graph,
    part: PartitionView<'_>,
    data: &Data,
    (query, params): (&[u8], &SearchParams),
    filter: Option<&dyn RowFilter>,
) -> Found {
    let kernel = Kernel::new(graph.view().metric(), data.element);
    let among = (filter, &Control::none());
    let within = (graph.view(), part);
    search_within(
        within,
        &data.matrix(),
        &kernel,
        query,
        params,
        among,
        &mut Scratch::default(),
    )
}

/// Rows nearer to the first query than the others are, and rows at random: a share of about `1 / times`.
fn following(data: &Data, metric: Metric, times: u32) -> Vec<u32> {
    let rows = data.matrix().len();
    let near = data.brute(metric, &data.queries[0], (rows / times) as usize, None);
    let mut rows: Vec<u32> = near.into_iter().map(|(_, row)| row).collect();
    rows.sort_unstable();
    rows
}

fn at_random(rows: u32, times: u32) -> Vec<u32> {
    let mut random = Random::new(5);
    (0..rows).filter(|_| random.below(times) == 0).collect()
}

#[test]
fn walks_among_the_rows_of_a_value_find_the_nearest_of_them_for_every_metric_and_element() {
    for (metric, element) in PAIRS {
        let data = Data::clustered(4_000, 24, 30, metric, element, 11);
        let graph = graph(&data, metric, &HnswParams::default());
        for rows in [following(&data, metric, 5), at_random(4_000, 5)] {
            let part = partition(&graph, &data, rows.clone(), &HnswParams::default());
            assert!(part.view().check().is_sound());
            let bits = RowBits::from_rows(4_000, rows);
            let each = data.queries.iter().map(|query| {
                let found = find(&graph, part.view(), &data, (query, &SearchParams::new(10)), None);
                assert!(!found.damaged);
                recall(&found.hits, &data.brute(metric, query, 10, Some(&bits)))
            });
            let mean = each.sum::<f64>() / data.queries.len() as f64;
            assert!(mean >= 0.95, "{metric:?} over {element:?}: {mean}");
        }
    }
}

#[test]
fn rows_that_keep_together_are_found_by_queries_that_are_far_from_them() {
    let metric = Metric::Dot;
    let data = Data::clustered(16_000, 64, 100, metric, Element::F32, 15);
    let graph = graph(&data, metric, &HnswParams::default());
    let params = HnswParams {
        ef_construct: 100,
        ..HnswParams::default()
    };
    for (rows, width) in [(following(&data, metric, 4), 96), (at_random(16_000, 4), 48)] {
        let part = partition(&graph, &data, rows.clone(), &params);
        assert_eq!(part.view().width(48), width);
        let bits = RowBits::from_rows(16_000, rows);
        let each = data.queries.iter().map(|query| {
            let found = find(
                &graph,
                part.view(),
                &data,
                (query, &SearchParams::new(10).ef(48)),
                None,
            );
            recall(&found.hits, &data.brute(metric, query, 10, Some(&bits)))
        });
        let mean = each.sum::<f64>() / data.queries.len() as f64;
        assert!(mean >= 0.97, "{width}: {mean}");
    }
}

#[test]
fn a_walk_costs_far_less_than_one_by_two_hops() {
    let metric = Metric::Dot;
    let data = Data::clustered(20_000, 32, 60, metric, Element::F32, 12);
    let graph = graph(&data, metric, &HnswParams::default());
    let rows = following(&data, metric, 8);
    let part = partition(&graph, &data, rows.clone(), &HnswParams::default());
    let bits = RowBits::from_rows(20_000, rows);
    let params = SearchParams::new(10);
    let kernel = Kernel::new(metric, data.element);
    let mut scratch = Scratch::default();
    let (mut within, mut over) = (0, 0);
    for query in &data.queries {
        within += find(&graph, part.view(), &data, (query, &params), None).scored;
        let (view, matrix) = (graph.view(), data.matrix());
        over += search(view, &matrix, &kernel, query, &params, Some(&bits), &mut scratch).scored;
    }
    assert!(
        within * 3 < over * 2,
        "{within} rows scored within, {over} over all"
    );
}

#[test]
fn a_partition_depends_on_nothing_but_its_input() {
    let data = Data::clustered(3_000, 16, 10, Metric::L2, Element::F32, 13);
    let graph = graph(&data, Metric::L2, &HnswParams::default());
    let rows = at_random(3_000, 4);
    let make = |threads| {
        let (matrix, params, control) = (data.matrix(), HnswParams::default(), Control::none());
        let part = build(
            graph.view(),
            &matrix,
            rows.clone(),
            &params,
            &pool(threads),
            &control,
        );
        let part = part.expect("not cancelled");
        (part.base, part.upper.rows, part.upper.links)
    };
    assert_eq!(make(1), make(4));
}

#[test]
fn graphs_without_codes_and_codes_of_every_width_have_partitions() {
    for quantization in [
        Quantization::Off,
        Quantization::Int8,
        Quantization::Int4,
        Quantization::Binary,
    ] {
        let params = HnswParams {
            quantization,
            ..HnswParams::default()
        };
        let data = Data::clustered(2_000, 96, 10, Metric::Dot, Element::F32, 14);
        let graph = graph(&data, Metric::Dot, &params);
        let rows = at_random(2_000, 3);
        let part = partition(&graph, &data, rows.clone(), &params);
        let bits = RowBits::from_rows(2_000, rows);
        for codes in [true, false] {
            let search = SearchParams {
                codes,
                ..SearchParams::new(10).ef(100)
            };
            let each = data.queries.iter().map(|query| {
                let found = find(&graph, part.view(), &data, (query, &search), None);
                recall(&found.hits, &data.brute(Metric::Dot, query, 10, Some(&bits)))
            });
            let mean = each.sum::<f64>() / data.queries.len() as f64;
            assert!(mean >= 0.95, "{quantization:?}: {mean}");
        }
    }
}

#[test]
fn equal_rows_are_all_found() {
    let data = Data::of(&vec![vec![1.0; 8]; 300], 8, Element::F32);
    let graph = graph(&data, Metric::L2, &HnswParams::default());
    let rows: Vec<u32> = (0..300).step_by(2).collect();
    let part = partition(&graph, &data, rows.clone(), &HnswParams::default());
    assert!(part.view().check().is_sound());
    let query = data.encode(&[1.0; 8]);
    let found = find(
        &graph,
        part.view(),
        &data,
        (&query, &SearchParams::new(150)),
        None,
    );
    let found: Vec<u32> = found.hits.iter().map(|hit| hit.1).collect();
    assert_eq!(found, rows);
}

#[test]
fn building_can_be_called_off() {
    let data = Data::clustered(2_000, 8, 4, Metric::L2, Element::F32, 15);
    let graph = graph(&data, Metric::L2, &HnswParams::default());
    let cancelled = || true;
    let control = Control::cancelled_by(&cancelled);
    let (matrix, params) = (data.matrix(), HnswParams::default());
    let built = build(
        graph.view(),
        &matrix,
        (0..900).collect(),
        &params,
        &pool(2),
        &control,
    );
    assert!(matches!(built, Err(Error::Cancelled)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// With and without a filter, on every way that a search goes: rows of the partition that match, each once, with their
    /// canonical scores, and as many as there are or were asked for.
    #[test]
    fn answers_are_rows_of_the_partition_that_match(
        seed in any::<u64>(),
        rows in 2u32..400,
        times in 1u32..6,
        matching in 1u32..8,
        k in 1usize..60,
        ef in 1usize..80,
        filtered: bool,
    ) {
        let metric = Metric::L2;
        let data = Data::clustered(rows, 8, 4, metric, Element::F32, seed);
        let params = HnswParams { m: 6, ef_construct: 40, ..HnswParams::default() };
        let graph = graph(&data, metric, &params);
        let mut members = at_random(rows, times);
        if members.is_empty() {
            members.push(rows - 1);
        }
        let part = partition(&graph, &data, members.clone(), &params);
        let allowed = members.iter().copied().filter(|row| row % matching == 0);
        let bits = RowBits::from_rows(rows, if filtered { allowed.collect() } else { members.clone() });
        let filter = filtered.then_some(&bits as &dyn RowFilter);
        let search = SearchParams::new(k).ef(ef);
        let query = &data.queries[0];
        let found = find(&graph, part.view(), &data, (query, &search), filter);
        prop_assert!(!found.damaged);
        prop_assert_eq!(found.hits.len(), k.min(bits.count() as usize));
        let truth = data.brute(metric, query, rows as usize, Some(&bits));
        let mut last = None;
        for hit in &found.hits {
            prop_assert!(truth.contains(hit), "{:?}", hit);
            prop_assert!(last.is_none_or(|last: (f32, u32)| (-last.0, last.1) < (-hit.0, hit.1)));
            last = Some(*hit);
        }
    }
}

/// Three values, of which two share their rows.
fn written(disk: &MemDisk) -> (Data, Graph, HnswParams) {
    let data = Data::clustered(900, 8, 4, Metric::L2, Element::F32, 20);
    let params = HnswParams {
        m: 6,
        ef_construct: 40,
        ef_refine: 20,
        seed: 77,
        ..HnswParams::default()
    };
    let graph = graph(&data, Metric::L2, &params);
    let mut writer = PartitionsWriter::create(disk, PATH, 900, &params).expect("memory");
    let thirds = partition(&graph, &data, (0..900).step_by(3).collect(), &params);
    let few = partition(&graph, &data, vec![1, 5, 899], &params);
    let first = writer.add(thirds.view()).expect("memory");
    let second = writer.add(few.view()).expect("memory");
    writer.name(b"thirds".to_vec(), first);
    writer.name(b"few".to_vec(), second);
    writer.name(b"a third".to_vec(), first);
    let info = writer.finish(&[9, 3]).expect("memory");
    let file = PartitionsFile::open(disk, PATH, 900).expect("just written");
    assert_eq!(file.info(), info);
    (data, graph, params)
}

/// The bytes of that file, and what it is about.
static SOUND: LazyLock<(Vec<u8>, Data, Graph)> = LazyLock::new(|| {
    let disk = MemDisk::new();
    let (data, graph, _) = written(&disk);
    let bytes = disk.map(PATH).expect("written").to_vec();
    (bytes, data, graph)
});

#[test]
fn a_file_gives_back_what_was_written() {
    let disk = MemDisk::new();
    let (data, graph, params) = written(&disk);
    let file = PartitionsFile::open(&disk, PATH, 900).expect("just written");
    file.verify(&disk).expect("just written");
    assert_eq!(file.params(), params);
    assert_eq!(file.covered().collect::<Vec<_>>(), [3, 9]);
    assert_eq!((file.values(), file.partitions()), (3, 2));
    let labels: Vec<&[u8]> = (0..3)
        .map(|number| file.value(number).expect("sound").0)
        .collect();
    assert_eq!(labels, [b"a third".as_slice(), b"few", b"thirds"]);
    assert!(file.find(b"none").expect("sound").is_none());
    assert!(file.value(3).is_err() && file.partition(2).is_err());
    for (label, rows) in [
        (b"thirds".as_slice(), (0..900).step_by(3).collect::<Vec<u32>>()),
        (b"a third", (0..900).step_by(3).collect()),
        (b"few", vec![1, 5, 899]),
    ] {
        let part = file.find(label).expect("sound").expect("there");
        assert_eq!(part.rows(), rows);
        let built = partition(&graph, &data, rows, &params);
        let query = (data.queries[0].as_slice(), &SearchParams::new(7));
        let answers = [part, built.view()].map(|part| find(&graph, part, &data, query, None));
        assert_eq!(answers[0], answers[1]);
    }
}

#[test]
fn partitions_of_another_graph_or_of_other_links_are_refused() {
    let disk = MemDisk::new();
    let (data, graph, params) = written(&disk);
    let error = PartitionsFile::open(&disk, PATH, 901).expect_err("another graph");
    assert!(error.to_string().contains("900 rows, expected 901"), "{error}");
    let mut writer = PartitionsWriter::create(&disk, "other", 900, &HnswParams::default()).expect("memory");
    let other = partition(&graph, &data, vec![1, 2], &params);
    assert!(matches!(
        writer.add(other.view()),
        Err(Error::BadParameter { .. })
    ));
}

#[test]
fn rows_that_do_not_ascend_are_found_out_before_they_are_used() {
    let data = Data::clustered(900, 8, 4, Metric::L2, Element::F32, 20);
    let params = HnswParams::default();
    let graph = graph(&data, Metric::L2, &params);
    for last in [2, 5, 900] {
        let disk = MemDisk::new();
        let mut part = partition(&graph, &data, vec![4, 5, 8], &params);
        part.rows = vec![4, 5, last];
        let mut writer = PartitionsWriter::create(&disk, PATH, 900, &params).expect("memory");
        let number = writer.add(part.view()).expect("memory");
        writer.name(b"x".to_vec(), number);
        writer.finish(&[]).expect("memory");
        let file = PartitionsFile::open(&disk, PATH, 900).expect("its ends are sound");
        for _ in 0..2 {
            let error = file.find(b"x").expect_err("no rows");
            assert!(error.to_string().contains("do not ascend"), "{error}");
        }
        assert!(file.verify(&disk).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever a byte says, nothing panics, and what is found exists.
    #[test]
    fn damaged_files_give_errors_or_rows_that_exist(
        at in any::<prop::sample::Index>(), byte: u8, cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (bytes, data, graph) = &*SOUND;
        let mut bytes = bytes.clone();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let disk = MemDisk::new();
        let file = disk.create(PATH).expect("memory");
        file.write_all_at(&bytes, 0).expect("memory");
        file.sync_all().expect("memory");
        drop(file);
        let Ok(file) = PartitionsFile::open(&disk, PATH, 900) else { return Ok(()) };
        let _ = file.verify(&disk);
        let kernel = Kernel::new(Metric::L2, Element::F32);
        for label in [b"thirds".as_slice(), b"few", b"x"] {
            let Ok(Some(part)) = file.find(label) else { continue };
            let _ = part.check();
            let query = data.queries[0].as_slice();
            let found = find(graph, part, data, (query, &SearchParams::new(10)), None);
            for (score, row) in found.hits {
                let vector = data.matrix().row(row).expect("a row that exists").to_vec();
                prop_assert_eq!(score, kernel.score(query, &vector));
                prop_assert!(part.rows().contains(&row));
            }
        }
    }
}
