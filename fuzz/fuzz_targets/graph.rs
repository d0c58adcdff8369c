//! Graph files: whatever links and codes they hold, a search ends, finds rows that exist, and scores them with the
//! canonical kernel; the check ends too.
#![no_main]

use std::cell::RefCell;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vdb_fuzz::{Input, bytes_of, damage_frame, disk_with};
use vdb_index::hnsw::{GraphFile, HnswParams, Scratch, SearchParams, build, search};
use vdb_index::{Control, Quantization, RowFilter};
use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::{Element, MatrixView, encode_f32};
use vdb_sys::kernel::{Kernel, Metric};
use vdb_vfs::MemDisk;

const PATH: &str = "file";
const ROWS: u32 = 300;
const DIM: usize = 8;
const METRICS: [Metric; 3] = [Metric::Dot, Metric::L2, Metric::L1];

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

static SOUND: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let file = |metric| {
        let params = HnswParams {
            m: 4,
            ef_construct: 20,
            // With a map to a subspace, too.
            quantization: if metric == Metric::L2 { Quantization::Int4 } else { Quantization::Auto },
            ..HnswParams::default()
        };
        let disk = MemDisk::new();
        let graph = build(&matrix(), metric, &params, &pool, &Control::none()).unwrap();
        graph.write(&disk, PATH).unwrap();
        bytes_of(&disk, PATH)
    };
    METRICS.map(file).to_vec()
});

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

fn matrix() -> MatrixView<'static> {
    MatrixView::new(Element::F32, DIM, &ROWS_F32).unwrap()
}

/// Lets every fifth row through.
struct Fifths;

impl RowFilter for Fifths {
    fn contains(&self, row: u32) -> bool {
        row % 5 == 0
    }

    fn estimate(&self) -> Option<u64> {
        Some(u64::from(ROWS) / 5)
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let which = usize::from(input.byte()) % METRICS.len();
    let disk = disk_with(PATH, &damage_frame(&SOUND[which], &mut input));
    let (matrix, kernel) = (matrix(), Kernel::new(METRICS[which], Element::F32));
    let Ok(file) = GraphFile::open(&disk, PATH, ROWS, DIM, &kernel) else {
        return;
    };
    let _ = file.verify(&disk);
    let _ = file.view().check().is_sound();
    SCRATCH.with_borrow_mut(|scratch| {
        for (row, filter) in [(0, None), (150, Some(&Fifths as &dyn RowFilter)), (299, None)] {
            let query = matrix.row(row).unwrap();
            let params = SearchParams::new(10).ef(30);
            let found = search(file.view(), &matrix, &kernel, query, &params, filter, scratch);
            assert!(found.hits.len() <= 10);
            for &(score, row) in &found.hits {
                let vector = matrix.row(row).expect("a row that exists");
                assert_eq!(score, kernel.score(query, vector));
                assert!(filter.is_none_or(|filter| filter.contains(row)));
            }
            let rows: std::collections::BTreeSet<u32> = found.hits.iter().map(|hit| hit.1).collect();
            assert_eq!(rows.len(), found.hits.len(), "a row found twice");
        }
    });
});
