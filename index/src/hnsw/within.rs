//! A filter over rows as one over the places of a partition.

use crate::rowset::RowFilter;

/// Which places of a partition, whose rows ascend, may be results. What the filter estimates and lists is taken to be among
/// those rows.
pub(crate) struct Within<'a, F: ?Sized> {
    pub(crate) filter: &'a F,
    pub(crate) rows: &'a [u32],
}

impl<F: RowFilter + ?Sized> RowFilter for Within<'_, F> {
    #[inline]
    fn contains(&self, place: u32) -> bool {
        let row = self.rows.get(place as usize);
        row.is_some_and(|&row| self.filter.contains(row))
    }

    fn estimate(&self) -> Option<u64> {
        self.filter.estimate()
    }

    fn is_slow(&self) -> bool {
        self.filter.is_slow()
    }

    fn list(&self, places: &mut Vec<u32>) -> bool {
        let start = places.len();
        if !self.filter.list(places) {
            return false;
        }
        let (mut kept, mut from) = (start, 0);
        for at in start..places.len() {
            let row = places[at];
            from += ahead(self.rows.get(from..).unwrap_or_default(), row);
            if self.rows.get(from) == Some(&row) {
                places[kept] = from as u32;
                kept += 1;
            }
        }
        places.truncate(kept);
        true
    }
}

/// How many of `rows`, which ascend, are below `row`: by steps that double, since it is mostly one of the next.
fn ahead(rows: &[u32], row: u32) -> usize {
    let mut step = 1;
    while rows.get(step).is_some_and(|&next| next < row) {
        step *= 2;
    }
    rows[..rows.len().min(step + 1)].partition_point(|&before| before < row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rowset::RowBits;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn places_are_those_of_the_rows_that_match(
            rows in prop::collection::btree_set(0u32..200, 1..100),
            matching in prop::collection::btree_set(0u32..200, 0..100),
        ) {
            let rows: Vec<u32> = rows.into_iter().collect();
            let bits = RowBits::from_rows(200, matching.iter().copied());
            let within = Within { filter: &bits, rows: &rows };
            let wanted: Vec<u32> = (0..).zip(&rows).filter(|(_, row)| matching.contains(row)).map(|(at, _)| at).collect();
            let mut listed = vec![7];
            prop_assert!(within.list(&mut listed));
            prop_assert_eq!(&listed[1..], &wanted);
            let contained: Vec<u32> = (0..rows.len() as u32 + 5).filter(|&place| within.contains(place)).collect();
            prop_assert_eq!(contained, wanted);
        }
    }
}
