//! Files of graphs among the rows of single values: whatever they hold, a search ends; rows exist, are those of the value,
//! pass the filter, occur once, and are scored with the canonical kernel.
#![no_main]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vdb_fuzz::{Input, bytes_of, damage_frame, disk_with};
use vdb_index::hnsw::{
    Graph, HnswParams, PartitionsFile, PartitionsWriter, Scratch, SearchParams, build, partitions,
    search_within,
};
use vdb_index::{Control, RowFilter};
use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::{Element, MatrixView, encode_f32};
use vdb_sys::kernel::{Kernel, Metric};
use vdb_vfs::MemDisk;

const PATH: &str = "file";
const ROWS: u32 = 300;
const DIM: usize = 8;
const LABELS: [&[u8]; 3] = [b"halves", b"a half", b"few"];

/// Rows on a few lines through space: near neighbours, and ties.
static ROWS_F32: LazyLock<AlignedBuf> = LazyLock::new(|| {
    let mut bytes = Vec::new();
    for row in 0..ROWS {
        let vector: [f32; DIM] =
            std::array::from_fn(|at| ((row % 7) * (at as u32 + 1) + row / 7) as f32 % 13.0 - 6.0);
        encode_f32(&vector, Element::F32, &mut bytes);
    }
    AlignedBuf::from_slice(&bytes)
});

/// The graph of all rows, and a file of three values of which two have the same rows.
static SOUND: LazyLock<(Graph, Vec<u8>)> = LazyLock::new(|| {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let params = HnswParams { m: 4, ef_construct: 20, ..HnswParams::default() };
    let graph = build(&matrix(), Metric::L2, &params, &pool, &Control::none()).unwrap();
    let disk = MemDisk::new();
    let mut writer = PartitionsWriter::create(&disk, PATH, ROWS, &params).unwrap();
    let mut add = |rows: Vec<u32>, labels: &[&[u8]]| {
        let made = partitions::build(graph.view(), &matrix(), rows, &params, &pool, &Control::none());
        let number = writer.add(made.unwrap().view()).unwrap();
        labels.iter().for_each(|label| writer.name(label.to_vec(), number));
    };
    add((0..ROWS).step_by(2).collect(), &LABELS[..2]);
    add(vec![3, 50, 299], &LABELS[2..]);
    writer.finish(&[1, 4]).unwrap();
    (graph, bytes_of(&disk, PATH))
});

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

fn matrix() -> MatrixView<'static> {
    MatrixView::new(Element::F32, DIM, &ROWS_F32).unwrap()
}

/// Lets every third row through.
struct Thirds;

impl RowFilter for Thirds {
    fn contains(&self, row: u32) -> bool {
        row % 3 == 0
    }
}

fuzz_target!(|bytes: &[u8]| {
    let (graph, sound) = &*SOUND;
    let mut input = Input(bytes);
    let disk = disk_with(PATH, &damage_frame(sound, &mut input));
    let (matrix, kernel) = (matrix(), Kernel::new(Metric::L2, Element::F32));
    let Ok(file) = PartitionsFile::open(&disk, PATH, ROWS) else {
        return;
    };
    let _ = file.verify(&disk);
    let _ = file.covered().count();
    SCRATCH.with_borrow_mut(|scratch| {
        for label in LABELS {
            let Ok(Some(part)) = file.find(label) else {
                continue;
            };
            for filter in [None, Some(&Thirds as &dyn RowFilter)] {
                let query = matrix.row(150).unwrap();
                let params = SearchParams::new(10).ef(30);
                let (within, among) = ((graph.view(), part), (filter, &Control::none()));
                let found = search_within(within, &matrix, &kernel, query, &params, among, scratch);
                assert!(found.hits.len() <= 10);
                for &(score, row) in &found.hits {
                    let vector = matrix.row(row).expect("a row that exists");
                    assert_eq!(score, kernel.score(query, vector));
                    assert!(part.rows().contains(&row));
                    assert!(filter.is_none_or(|filter| filter.contains(row)));
                }
                let rows: BTreeSet<u32> = found.hits.iter().map(|hit| hit.1).collect();
                assert_eq!(rows.len(), found.hits.len(), "a row found twice");
            }
        }
    });
});
