use super::*;

const ROWS: [f32; 8] = [0.0, 0.0, 3.0, 4.0, 0.0, 1.0, 0.0, -1.0];

fn asked(distance: Distance, query: [f32; 2], among: Option<&[bool]>) -> Vec<u64> {
    let rows = Rows {
        distance,
        dim: 2,
        vectors: &ROWS,
    };
    nearest(rows, &[query.to_vec()], 2, among).remove(0)
}

#[test]
fn each_distance_has_its_own_neighbours_and_ties_go_by_number() {
    assert_eq!(asked(Distance::Euclid, [0.0, 0.0], None), [0, 2]);
    assert_eq!(asked(Distance::Manhattan, [0.0, 0.0], None), [0, 2]);
    assert_eq!(asked(Distance::Dot, [1.0, 1.0], None), [1, 2]);
}

#[test]
fn only_rows_that_match_are_neighbours() {
    assert_eq!(
        asked(Distance::Euclid, [0.0, 0.0], Some(&[false, true, false, true])),
        [3, 1]
    );
    assert_eq!(
        asked(Distance::Euclid, [0.0, 0.0], Some(&[false, true, false, false])),
        [1]
    );
}

#[test]
fn sums_take_what_is_left_beside_the_lanes() {
    let (a, b): (Vec<f32>, Vec<f32>) = ((0..35).map(|x| x as f32).collect(), vec![2.0; 35]);
    assert_eq!(sum(&a, &b, |x, y| x * y), 35.0 * 34.0);
}
