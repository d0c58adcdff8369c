use super::*;

#[test]
fn lists_and_groups_that_cannot_be_are_refused_before_they_are_decoded() {
    // An empty structure.
    assert_eq!(walk(&[0]), Ok(()));
    // Field 1, a list of 2^28 structures.
    assert_eq!(
        walk(&[0x19, 0xfc, 0x80, 0x80, 0x80, 0x80, 0x01, 0]),
        Err("has a list that is longer than the metadata")
    );
    // Structures within structures.
    assert_eq!(walk(&[0x1c; 1000]), Err("nests too deeply"));
    // Field 2, a list of columns of which each is a group of one.
    let column = [0x55, 0x02, 0];
    let mut deep = vec![0x29, 0xfc, 70];
    (0..70).for_each(|_| deep.extend(column));
    deep.push(0);
    assert!(walk(&deep).unwrap_err().contains("groups of columns"));
    // The same columns beside each other.
    let mut flat = vec![0x29, 0xfc, 70];
    (0..70).for_each(|_| flat.push(0));
    flat.push(0);
    assert_eq!(walk(&flat), Ok(()));
    assert_eq!(walk(&[]), Err(ENDS));
    assert_eq!(walk(&[0x18, 0x05, 1]), Err(ENDS));
}
