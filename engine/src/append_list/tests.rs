use std::sync::Arc;

use super::*;

#[test]
fn places_are_dense_and_chunks_double() {
    assert_eq!(place(0), (0, 0));
    assert_eq!(place(FIRST - 1), (0, 31));
    assert_eq!(place(FIRST), (1, 0));
    assert_eq!(place(3 * FIRST), (2, 0));
    assert_eq!(place(u32::MAX).0, CHUNKS - 1);
}

#[test]
fn readers_see_every_item_up_to_the_length_while_it_grows() {
    let list = Arc::new(AppendList::new());
    let reader = {
        let list = list.clone();
        std::thread::spawn(move || {
            let mut longest = 0;
            while longest < 10_000 {
                let len = list.len();
                assert!(len >= longest);
                longest = len;
                assert!((0..len).all(|i| list.get(i) == Some(&(i * 3))));
            }
        })
    };
    for i in 0..10_000 {
        assert_eq!(list.push(i * 3), i);
    }
    reader.join().unwrap();
    assert_eq!(list.get(10_000), None);
    assert_eq!(list.iter().count(), 10_000);
}
