use super::*;
use crate::control::Control;
use crate::fixture::{Data, PAIRS, Random, Unlisted, pool};
use crate::hnsw::{HnswParams, Scratch, SearchParams, build, search};
use crate::rowset::RowBits;
use vdb_sys::element::Element;
use vdb_sys::kernel::{Kernel, Metric};
use vdb_vfs::MemDisk;

fn written(data: &Data, metric: Metric, disk: &MemDisk) -> Graph {
    let params = HnswParams {
        m: 6,
        ef_construct: 30,
        ef_refine: 30,
        ..HnswParams::default()
    };
    let graph = build(&data.matrix(), metric, &params, &pool(2), &Control::none()).expect("not cancelled");
    let info = graph.write(disk, "graph").expect("memory is writable");
    let file = GraphFile::open(
        disk,
        "graph",
        data.matrix().len(),
        data.dim,
        &Kernel::new(metric, data.element),
    )
    .expect("just written");
    assert_eq!(file.info(), info);
    graph
}

fn answers(view: GraphView<'_>, data: &Data, metric: Metric) -> Vec<crate::hnsw::Found> {
    let kernel = Kernel::new(metric, data.element);
    let mut scratch = Scratch::default();
    let filter = Unlisted(RowBits::from_rows(
        view.len(),
        (0..view.len()).filter(|row| row % 3 == 0),
    ));
    let params = SearchParams::new(5).ef(20);
    data.queries
        .iter()
        .flat_map(|query| {
            let mut find = |filter| {
                search(
                    view,
                    &data.matrix(),
                    &kernel,
                    query,
                    &params,
                    filter,
                    &mut scratch,
                )
            };
            [find(None), find(Some(&filter))]
        })
        .collect()
}

#[test]
fn a_file_answers_like_the_graph_it_was_written_from() {
    for (rows, (metric, element)) in [0, 1, 2, 7, 40, 300, 301, 302, 303, 304].into_iter().zip(PAIRS) {
        let data = Data::clustered(rows, 11, 3, metric, element, 20);
        let disk = MemDisk::new();
        let graph = written(&data, metric, &disk);
        let file =
            GraphFile::open(&disk, "graph", rows, 11, &Kernel::new(metric, element)).expect("just written");
        file.verify(&disk).expect("just written");
        assert!(file.view().check().is_sound());
        assert_eq!(file.view().metric(), metric);
        assert_eq!(
            answers(file.view(), &data, metric),
            answers(graph.view(), &data, metric)
        );
    }
}

#[test]
fn a_graph_over_another_matrix_is_refused() {
    let data = Data::clustered(50, 8, 2, Metric::L2, Element::F32, 21);
    let disk = MemDisk::new();
    written(&data, Metric::L2, &disk);
    for (rows, dim) in [(49, 8), (51, 8), (50, 7), (50, 9)] {
        let kernel = Kernel::new(Metric::L2, Element::F32);
        let error = GraphFile::open(&disk, "graph", rows, dim, &kernel).expect_err("another matrix");
        assert!(error.to_string().contains("50 x 8"), "{error}");
    }
    for (metric, element) in [(Metric::Dot, Element::F32), (Metric::L2, Element::U8)] {
        let error = GraphFile::open(&disk, "graph", 50, 8, &Kernel::new(metric, element))
            .expect_err("another kernel");
        assert!(error.to_string().contains("L2, F32"), "{error}");
    }
}

#[test]
fn flipped_bits_are_found_by_verify_and_harm_no_search() {
    for (metric, element) in [(Metric::Dot, Element::F32), (Metric::L1, Element::F16)] {
        let data = Data::clustered(400, 9, 3, metric, element, 22);
        let disk = MemDisk::new();
        written(&data, metric, &disk);
        let original = disk.map("graph").expect("just written").to_vec();
        let mut random = Random::new(23);
        for round in 0..400 {
            let mut bytes = original.clone();
            for _ in 0..=round % 40 {
                let at = random.below(bytes.len() as u32) as usize;
                bytes[at] ^= 1 << random.below(8);
            }
            let changed = bytes != original;
            disk.create("flipped")
                .expect("memory")
                .write_all_at(&bytes, 0)
                .expect("memory");
            let Ok(file) = GraphFile::open(&disk, "flipped", 400, 9, &Kernel::new(metric, element)) else {
                continue;
            };
            assert_eq!(file.verify(&disk).is_err(), changed);
            for found in answers(file.view(), &data, metric) {
                assert!(found.hits.iter().all(|&(_, row)| row < 400));
            }
            let _ = file.view().check();
        }
    }
}

#[test]
fn links_of_noise_are_reported_as_damage() {
    let data = Data::clustered(300, 8, 3, Metric::L2, Element::F32, 24);
    let disk = MemDisk::new();
    let mut graph = written(&data, Metric::L2, &disk);
    let mut random = Random::new(25);
    graph
        .base
        .iter_mut()
        .chain(&mut graph.upper.links)
        .for_each(|link| *link = random.next() as u32);
    graph
        .upper
        .rows
        .iter_mut()
        .for_each(|row| *row = random.next() as u32);
    graph.write(&disk, "noise").expect("memory");
    let file = GraphFile::open(&disk, "noise", 300, 8, &Kernel::new(Metric::L2, Element::F32))
        .expect("the frame is sound");
    let answers = answers(file.view(), &data, Metric::L2);
    assert!(answers.iter().all(|found| found.damaged));
    assert!(!file.view().check().is_sound());
}
