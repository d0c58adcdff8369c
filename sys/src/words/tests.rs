use super::*;

#[test]
fn bytes_are_what_they_were_and_aligned() {
    let bytes: Vec<u8> = (0..=255).collect();
    for start in 0..8 {
        for len in 0..=40 {
            let given = &bytes[start..start + len];
            let words = Words::from(given);
            assert_eq!(&*words, given);
            assert_eq!(words.as_ptr() as usize % 4, 0);
        }
    }
}
