mod few;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use vdb_sys::sparse::SparseView;
use vdb_vfs::frame::{Frame, FrameWriter};
use vdb_vfs::{Disk, MemDisk};

use super::format::{FILE, SECTIONS};
use super::*;
use crate::fixture::{Random, Unlisted, pool};
use crate::{Control, Error, Result, RowBits, RowFilter, RowSet, TopK};

const PATH: &str = "index";

/// The vectors of a segment; some rows have none.
#[derive(Clone, Debug, Default)]
struct Rows(Vec<Option<(Vec<u32>, Vec<f32>)>>);

impl SparseVectors for Rows {
    fn sparse(&self, row: u32) -> Result<Option<SparseView<'_>>> {
        let found = self.0.get(row as usize).and_then(Option::as_ref);
        Ok(found.map(|(dimensions, values)| SparseView::new(dimensions, values).unwrap()))
    }
}

impl Rows {
    fn of<const N: usize>(rows: [Option<&[(u32, f32)]>; N]) -> Self {
        let rows = rows.map(|row| row.map(|row| row.iter().copied().unzip()));
        Self(rows.to_vec())
    }

    fn len(&self) -> u32 {
        self.0.len() as u32
    }

    fn iter(&self) -> impl Iterator<Item = Result<(u32, SparseView<'_>)>> {
        (0..self.len()).filter_map(|row| Some(Ok((row, self.sparse(row).unwrap()?))))
    }

    fn write(&self, threads: usize) -> MemDisk {
        let disk = MemDisk::new();
        write(
            &disk,
            PATH,
            self.len(),
            || self.iter(),
            &pool(threads),
            &Control::none(),
        )
        .unwrap();
        disk
    }

    fn index(&self) -> SparseIndex {
        SparseIndex::open(&self.write(2), PATH, self.len()).unwrap()
    }

    fn memory(&self) -> SparseRows {
        let mut memory = SparseRows::new();
        for found in self.iter() {
            let (row, vector) = found.unwrap();
            memory.push(row, vector).unwrap();
        }
        memory
    }

    /// The answer by code of its own: every product, then a sort.
    fn naive(&self, query: &[(u32, f32)], k: usize, matches: impl Fn(u32) -> bool) -> Vec<(u32, u32)> {
        let query: BTreeMap<u32, f32> = query.iter().copied().collect();
        let mut all = Vec::new();
        for (row, vector) in (0..).zip(&self.0) {
            let Some((dimensions, values)) = vector else {
                continue;
            };
            let products: Vec<f64> = dimensions
                .iter()
                .zip(values)
                .filter_map(|(at, &value)| Some(f64::from(*query.get(at)?) * f64::from(value)))
                .collect();
            if !products.is_empty() && matches(row) {
                let sum: f64 = products.iter().fold(0.0, |sum, product| sum + product);
                // Zero has one sign.
                all.push(((sum as f32).clamp(-f32::MAX, f32::MAX) + 0.0, row));
            }
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all.truncate(k);
        all.into_iter()
            .map(|(score, row)| (score.to_bits(), row))
            .collect()
    }
}

/// What values look like.
#[derive(Clone, Copy, Debug)]
enum Values {
    Positive,
    Signed,
    /// Few different ones, so that many scores are equal.
    Small,
    /// Products that no `f32` holds.
    Huge,
}

impl Values {
    fn draw(self, random: &mut Random) -> f32 {
        match self {
            Values::Positive => 0.05 + 3.0 * random.unit() * random.unit(),
            Values::Signed => random.normal(),
            Values::Small => random.below(4) as f32 - 1.0,
            Values::Huge => random.normal() * 1e37,
        }
    }
}

/// Dimensions as words are: the n-th most frequent about 1/n as often as the first.
fn zipf(random: &mut Random, dimensions: u32) -> u32 {
    let rank = (f64::from(dimensions)).powf(f64::from(random.unit()));
    // Spread over all numbers, the last one included.
    u32::MAX - (rank as u32 - 1) * (u32::MAX / dimensions)
}

fn vector(random: &mut Random, dimensions: u32, len: u32, values: Values) -> (Vec<u32>, Vec<f32>) {
    let vector: BTreeMap<u32, f32> = (0..len)
        .map(|_| (zipf(random, dimensions), values.draw(random)))
        .collect();
    vector.into_iter().unzip()
}

fn draw(random: &mut Random, rows: u32, dimensions: u32, len: u32, values: Values) -> Rows {
    let rows = (0..rows).map(|_| {
        let len = random.below(2 * len + 1);
        (random.below(9) > 0).then(|| vector(random, dimensions, len, values))
    });
    Rows(rows.collect())
}

fn query_of(vector: &(Vec<u32>, Vec<f32>)) -> SparseView<'_> {
    SparseView::new(&vector.0, &vector.1).unwrap()
}

fn bits(hits: &[(f32, u32)]) -> Vec<(u32, u32)> {
    hits.iter().map(|&(score, row)| (score.to_bits(), row)).collect()
}

/// Asks of index, rows in memory and plain scan; they have to agree.
fn ask(
    index: &SparseIndex,
    memory: &SparseRows,
    rows: &Rows,
    query: &SparseQuery<'_>,
    scratch: &mut Scratch,
) -> (Vec<(u32, u32)>, Counters) {
    // What is there stays.
    let mut hits = vec![(7.0, 7)];
    let counters = index
        .search(rows, query, &Control::none(), scratch, &mut hits)
        .unwrap();
    let found = bits(&hits[1..]);
    let mut hits = Vec::new();
    memory
        .search(query, &Control::none(), scratch, &mut hits)
        .unwrap();
    assert_eq!(bits(&hits), found, "rows in memory");
    let mut top = TopK::new(query.k);
    scan_rows(
        rows,
        query.vector,
        0..rows.len(),
        query.filter,
        &Control::none(),
        &mut top,
    )
    .unwrap();
    assert_eq!(bits(&top.into_sorted()), found, "plain scan");
    (found, counters)
}

/// A filter that takes longer than scoring, and lists more than match.
struct Slow(RowBits);

impl RowFilter for Slow {
    fn contains(&self, row: u32) -> bool {
        self.0.contains(row)
    }

    fn estimate(&self) -> Option<u64> {
        self.0.estimate()
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn list(&self, rows: &mut Vec<u32>) -> bool {
        rows.extend(self.0.iter().flat_map(|row| [row, row + 1]));
        rows.sort_unstable();
        rows.dedup();
        true
    }
}

fn values() -> impl Strategy<Value = Values> {
    prop_oneof![
        Just(Values::Positive),
        Just(Values::Signed),
        Just(Values::Small),
        Just(Values::Huge)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_search_agrees_with_a_plain_product(
        seed: u64,
        count in prop_oneof![0u32..40, 2040u32..2060, 4000u32..9000],
        dimensions in prop_oneof![1u32..8, 20u32..2000],
        len in 1u32..12,
        (values, asked) in (values(), values()),
        share in prop_oneof![Just(1.0f32), Just(0.5), Just(0.03), Just(0.001)],
    ) {
        let mut random = Random::new(seed);
        let rows = draw(&mut random, count, dimensions, len, values);
        let (index, memory) = (rows.index(), rows.memory());
        prop_assert_eq!(index.rows_with_vector(), memory.rows_with_vector());
        let mut scratch = Scratch::default();
        for k in [0, 1, 10, 100, count as usize + 5, usize::MAX] {
            let len = random.below(14);
            let asked = vector(&mut random, dimensions, len, asked);
            let pairs: Vec<(u32, f32)> = query_of(&asked).iter().collect();
            let mut query = SparseQuery { vector: query_of(&asked), k, filter: None };
            let (found, counters) = ask(&index, &memory, &rows, &query, &mut scratch);
            prop_assert_eq!(&found, &rows.naive(&pairs, k, |_| true));
            let mut postings = 0;
            for &dimension in &asked.0 {
                prop_assert_eq!(index.df(dimension).unwrap(), memory.df(dimension));
                postings += u64::from(memory.df(dimension));
            }
            prop_assert!(counters.postings_scored + counters.postings_skipped >= postings);

            // Rows that died are rows that no filter lets through.
            let kept = RowBits::from_rows(count, (0..count).filter(|_| random.unit() < share));
            let expected = rows.naive(&pairs, k, |row| kept.contains(row));
            let few: RowSet = kept.iter().collect();
            let (unlisted, slow) = (Unlisted(kept.clone()), Slow(kept.clone()));
            for filter in [&kept as &dyn RowFilter, &few, &unlisted, &slow] {
                query.filter = Some(filter);
                prop_assert_eq!(&ask(&index, &memory, &rows, &query, &mut scratch).0, &expected);
            }
        }
    }

    #[test]
    fn what_is_not_what_a_writer_makes_does_not_panic(
        seed: u64,
        edits in prop::collection::vec((0usize..=SECTIONS as usize, any::<u16>(), any::<u64>(), 1usize..9), 1..4),
    ) {
        let mut random = Random::new(seed);
        let rows = draw(&mut random, 300, 20, 6, Values::Signed);
        let disk = rows.write(1);
        let frame = Frame::open(&disk, PATH, FILE, 1..=1).unwrap();
        let mut parts: Vec<Vec<u8>> = (0..SECTIONS).map(|at| frame.section(at).unwrap().to_vec()).collect();
        parts.push(frame.meta().to_vec());
        for (part, at, value, len) in edits {
            let part = &mut parts[part];
            let at = usize::from(at) % part.len().max(1);
            part.iter_mut().skip(at).zip(value.to_le_bytes()).take(len).for_each(|(byte, new)| *byte = new);
        }
        let mut writer = FrameWriter::create(&disk, PATH, FILE, &parts[SECTIONS as usize]).unwrap();
        for part in &parts[..SECTIONS as usize] {
            writer.begin_section().unwrap();
            writer.write(part).unwrap();
        }
        writer.finish().unwrap();
        if let Ok(index) = SparseIndex::open(&disk, PATH, rows.len()) {
            exercise(&index, &rows);
            let _ = index.verify(&disk);
        }
    }
}

/// Asks a damaged index; rows exist and occur once, whatever else is wrong.
fn exercise(index: &SparseIndex, rows: &Rows) {
    let mut scratch = Scratch::default();
    let few = RowSet::List(vec![1, 2, 7]);
    let most = Unlisted(RowBits::full(rows.len()));
    for seed in 0..4 {
        let asked = vector(&mut Random::new(seed), 20, 9, Values::Signed);
        for filter in [None, Some(&few as &dyn RowFilter), Some(&most)] {
            for k in [1, 5, 1000] {
                let query = SparseQuery {
                    vector: query_of(&asked),
                    k,
                    filter,
                };
                let mut hits = Vec::new();
                let _ = index.search(rows, &query, &Control::none(), &mut scratch, &mut hits);
                let mut found: Vec<u32> = hits.iter().map(|hit| hit.1).collect();
                found.sort_unstable();
                assert!(found.is_sorted_by(|a, b| a < b) && found.last().is_none_or(|&row| row < rows.len()));
            }
        }
        asked.0.iter().for_each(|&dimension| drop(index.df(dimension)));
    }
}

/// Small, with lists of one block and of several, so that every bit of it can be flipped.
fn small() -> Rows {
    let rows = (0..300u32).map(|row| {
        let mut vector = vec![(3, 1.0 + row as f32)];
        if row % 40 == 0 {
            vector.extend([(9, -2.0), (u32::MAX, 0.5)]);
        }
        (row % 7 > 0).then(|| vector.into_iter().unzip())
    });
    Rows(rows.collect())
}

#[test]
fn a_flipped_bit_anywhere_never_panics_and_verification_finds_it() {
    let rows = small();
    let bytes = rows.write(1).map(PATH).unwrap().to_vec();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        let disk = MemDisk::new();
        disk.create(PATH).unwrap().write_all_at(&damaged, 0).unwrap();
        if let Ok(index) = SparseIndex::open(&disk, PATH, rows.len()) {
            exercise(&index, &rows);
            assert!(index.verify(&disk).is_err(), "byte {at}");
        }
    }
    for len in 0..bytes.len() {
        let disk = MemDisk::new();
        disk.create(PATH).unwrap().write_all_at(&bytes[..len], 0).unwrap();
        assert!(
            SparseIndex::open(&disk, PATH, rows.len()).is_err(),
            "cut to {len} bytes"
        );
    }
}

#[test]
fn a_sound_file_is_verified_and_one_of_another_segment_refused() {
    let rows = small();
    let disk = rows.write(1);
    let index = SparseIndex::open(&disk, PATH, rows.len()).unwrap();
    index.verify(&disk).unwrap();
    assert_eq!((index.rows(), index.dimensions()), (300, 3));
    assert_eq!(index.nonzeros(), 257 + 2 * 6);
    let error = SparseIndex::open(&disk, PATH, 301).unwrap_err().to_string();
    assert!(error.contains("of 300 rows, expected 301"), "{error}");
    let nothing = Rows::default();
    let disk = nothing.write(1);
    let index = SparseIndex::open(&disk, PATH, 0).unwrap();
    index.verify(&disk).unwrap();
    assert_eq!((index.dimensions(), index.df(3).unwrap()), (0, 0));
}

#[test]
fn only_rows_that_share_a_dimension_are_hits_whatever_they_score() {
    let rows = Rows::of([
        Some(&[(1, 2.0), (5, 0.0)]),
        Some(&[]),
        None,
        Some(&[(5, 1.0)]),
        Some(&[(2, 9.0)]),
        Some(&[(1, -1.0), (u32::MAX, 2.0)]),
    ]);
    let (index, memory) = (rows.index(), rows.memory());
    assert_eq!(index.rows_with_vector(), 5);
    let hits = |at: &[u32], values: &[f32]| {
        let query = SparseQuery {
            vector: SparseView::new(at, values).unwrap(),
            k: 10,
            filter: None,
        };
        ask(&index, &memory, &rows, &query, &mut Scratch::default()).0
    };
    let of = |hits: &[(f32, u32)]| bits(hits);
    assert_eq!(hits(&[1], &[1.0]), of(&[(2.0, 0), (-1.0, 5)]));
    assert_eq!(hits(&[5], &[3.0]), of(&[(3.0, 3), (0.0, 0)]));
    assert_eq!(hits(&[5], &[0.0]), of(&[(0.0, 0), (0.0, 3)]));
    assert_eq!(hits(&[1, u32::MAX], &[2.0, 1.0]), of(&[(4.0, 0), (0.0, 5)]));
    assert_eq!(hits(&[], &[]), of(&[]));
    assert_eq!(hits(&[3], &[1.0]), of(&[]));
}

#[test]
fn most_postings_are_never_scored() {
    let mut random = Random::new(4);
    let rows = draw(&mut random, 20_000, 3000, 20, Values::Positive);
    let (index, memory) = (rows.index(), rows.memory());
    let (mut scored, mut skipped) = (0, 0);
    for _ in 0..20 {
        let mut asked = vector(&mut random, 3000, 8, Values::Positive);
        let mut frequencies = Frequencies::new(&asked.0);
        frequencies.add(&index).unwrap();
        let all = frequencies.rows_with_vector() as f32;
        for (weight, (_, rows)) in asked.1.iter_mut().zip(frequencies.iter()) {
            *weight *= (1.0 + all / (1.0 + rows as f32)).ln();
        }
        let query = SparseQuery {
            vector: query_of(&asked),
            k: 10,
            filter: None,
        };
        let (_, counters) = ask(&index, &memory, &rows, &query, &mut Scratch::default());
        scored += counters.postings_scored;
        skipped += counters.postings_skipped;
    }
    assert!(scored * 2 < skipped, "{scored} scored, {skipped} skipped");
}

#[test]
fn few_matching_rows_are_scored_one_by_one() {
    let mut random = Random::new(5);
    let rows = draw(&mut random, 5000, 50, 10, Values::Signed);
    let (index, memory) = (rows.index(), rows.memory());
    let few = RowSet::List(vec![3, 999, 1000, 4999, 5000, u32::MAX]);
    let present = few
        .iter()
        .filter(|&row| rows.sparse(row).unwrap().is_some())
        .count();
    let asked = vector(&mut random, 50, 12, Values::Signed);
    let query = SparseQuery {
        vector: query_of(&asked),
        k: 10,
        filter: Some(&few),
    };
    let (_, counters) = ask(&index, &memory, &rows, &query, &mut Scratch::default());
    assert_eq!(counters.postings_scored, 0);
    assert_eq!(counters.rows_scored, present as u64);
}

#[test]
fn a_query_of_very_many_dimensions_is_answered() {
    let mut random = Random::new(6);
    let rows = draw(&mut random, 3000, 4000, 30, Values::Signed);
    let (index, memory) = (rows.index(), rows.memory());
    let asked = vector(&mut random, 4000, 8000, Values::Signed);
    assert!(asked.0.len() > 1100, "{}", asked.0.len());
    let odd = Unlisted(RowBits::from_rows(3000, (1..3000).step_by(2)));
    for filter in [None, Some(&odd as &dyn RowFilter)] {
        let query = SparseQuery {
            vector: query_of(&asked),
            k: 20,
            filter,
        };
        let pairs: Vec<(u32, f32)> = query.vector.iter().collect();
        let (found, _) = ask(&index, &memory, &rows, &query, &mut Scratch::default());
        assert_eq!(
            found,
            rows.naive(&pairs, 20, |row| filter.is_none_or(|f| f.contains(row)))
        );
    }
}

#[test]
fn the_same_vectors_give_the_same_bytes_whatever_the_threads() {
    let rows = draw(&mut Random::new(7), 9000, 300, 20, Values::Signed);
    let bytes = |threads| rows.write(threads).map(PATH).unwrap().to_vec();
    assert_eq!(bytes(1), bytes(3));
}

#[test]
fn frequencies_of_segments_and_memory_add_up() {
    let a = Rows::of([Some(&[(1, 1.0), (2, 1.0)]), None, Some(&[(2, 1.0)])]);
    let b = Rows::of([Some(&[(2, 1.0), (9, 1.0)]), Some(&[])]);
    let mut frequencies = Frequencies::new(&[1, 2, 7, 9]);
    frequencies.add(&a.index()).unwrap();
    frequencies.add_rows(&b.memory());
    assert_eq!(frequencies.rows_with_vector(), 4);
    assert_eq!(
        frequencies.iter().collect::<Vec<_>>(),
        [(1, 1), (2, 3), (7, 0), (9, 1)]
    );
}

#[test]
fn misuse_is_refused() {
    let disk = MemDisk::new();
    let built = |rows, vectors: &[(u32, &'static [u32], &'static [f32])]| {
        let view = |&(row, at, values): &(u32, &'static [u32], &'static [f32])| {
            Ok((row, SparseView::new(at, values).unwrap()))
        };
        let built = write(
            &disk,
            PATH,
            rows,
            || vectors.iter().map(view),
            &pool(1),
            &Control::none(),
        );
        built.map(drop).map_err(|error| error.to_string())
    };
    let one: (&'static [u32], &'static [f32]) = (&[1], &[1.0]);
    built(3, &[(0, one.0, one.1), (2, one.0, one.1)]).unwrap();
    for vectors in [
        [(0, one.0, one.1), (3, one.0, one.1)],
        [(1, one.0, one.1), (1, one.0, one.1)],
        [(1, one.0, one.1), (0, one.0, one.1)],
    ] {
        assert!(built(3, &vectors).unwrap_err().contains("row is"));
    }
    assert!(
        built(3, &[(0, &[2, 2], &[1.0, 1.0])])
            .unwrap_err()
            .contains("place 1")
    );
    let mut memory = SparseRows::new();
    let view = |at, values| SparseView::new(at, values).unwrap();
    memory.push(4, view(&[1], &[1.0])).unwrap();
    assert!(memory.push(4, view(&[1], &[1.0])).is_err());
    assert!(memory.push(5, view(&[2, 1], &[1.0, 1.0])).is_err());
    assert_eq!(memory.rows_with_vector(), 1);
    let rows = small();
    let query = SparseQuery {
        vector: view(&[1, 2], &[1.0, f32::NAN]),
        k: 1,
        filter: None,
    };
    let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
    let asked = rows
        .index()
        .search(&rows, &query, &Control::none(), &mut scratch, &mut hits);
    assert!(matches!(asked, Err(Error::SparseVector { at: 1 })));
    let asked = memory.search(&query, &Control::none(), &mut scratch, &mut hits);
    assert!(matches!(asked, Err(Error::SparseVector { at: 1 })));
}

#[test]
fn work_that_is_called_off_ends_and_leaves_the_scratch_usable() {
    let rows = draw(&mut Random::new(8), 9000, 30, 10, Values::Signed);
    let (index, memory) = (rows.index(), rows.memory());
    let asked = vector(&mut Random::new(9), 30, 6, Values::Signed);
    let query = SparseQuery {
        vector: query_of(&asked),
        k: 10,
        filter: None,
    };
    let mut scratch = Scratch::default();
    let mut hits = Vec::new();
    let looks = AtomicU32::new(0);
    let third = || looks.fetch_add(1, Ordering::Relaxed) == 2;
    let control = Control::cancelled_by(&third);
    let called_off = |result: Result<Counters>| assert!(matches!(result, Err(Error::Cancelled)));
    called_off(index.search(&rows, &query, &control, &mut scratch, &mut hits));
    looks.store(0, Ordering::Relaxed);
    called_off(memory.search(&query, &control, &mut scratch, &mut hits));
    assert!(hits.is_empty());
    let pairs: Vec<(u32, f32)> = query.vector.iter().collect();
    assert_eq!(
        ask(&index, &memory, &rows, &query, &mut scratch).0,
        rows.naive(&pairs, 10, |_| true)
    );
    let built = write(
        &MemDisk::new(),
        PATH,
        rows.len(),
        || rows.iter(),
        &pool(1),
        &Control::cancelled_by(&|| true),
    );
    assert!(matches!(built, Err(Error::Cancelled)));
}
