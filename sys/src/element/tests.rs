use super::{Element, MatrixView, decode_to_f32, encode_f32};
use crate::aligned::AlignedBuf;
use half::f16;
use proptest::prelude::*;

#[test]
fn codes_and_types_correspond() {
    for element in Element::ALL {
        assert_eq!(Element::from_code(element.code()), Some(element));
    }
    assert_eq!(Element::from_code(3), None);
}

#[test]
fn u8_truncates_and_saturates() {
    let mut out = Vec::new();
    encode_f32(&[-1.0, 0.9, 1.5, 255.0, 300.0, f32::NAN], Element::U8, &mut out);
    assert_eq!(out, [0, 0, 1, 255, 255, 0]);
}

#[test]
fn f16_rounds_to_nearest_even() {
    let ulp = f32::from(f16::EPSILON);
    let values = [1.0 + 0.5 * ulp, 1.0 + 0.75 * ulp, 1.0 + 1.5 * ulp, 70_000.0];
    let mut out = Vec::new();
    encode_f32(&values, Element::F16, &mut out);
    let mut back = [0.0; 4];
    decode_to_f32(&out, Element::F16, &mut back);
    assert_eq!(back, [1.0, 1.0 + ulp, 1.0 + 2.0 * ulp, f32::INFINITY]);
}

proptest! {
    #[test]
    fn decoding_agrees_with_the_element_type_at_any_alignment(
        values in proptest::collection::vec(-300.0f32..300.0, 0..600),
        shift in 0usize..4,
    ) {
        for element in Element::ALL {
            let mut bytes = vec![0; shift];
            encode_f32(&values, element, &mut bytes);
            let mut back = vec![0.0; values.len()];
            decode_to_f32(&bytes[shift..], element, &mut back);
            for (&value, &back) in values.iter().zip(&back) {
                let expected = match element {
                    Element::F32 => value,
                    Element::F16 => f16::from_f32(value).to_f32(),
                    Element::U8 => f32::from(value as u8),
                };
                prop_assert_eq!(expected.to_bits(), back.to_bits());
            }
        }
    }
}

#[test]
fn a_matrix_checks_shape_and_alignment() {
    let buf = AlignedBuf::zeroed(121);
    assert!(MatrixView::new(Element::F32, 3, &buf[..120]).is_some());
    assert!(MatrixView::new(Element::F32, 3, &buf[1..121]).is_none());
    assert!(MatrixView::new(Element::F32, 3, &buf[..119]).is_none());
    assert!(MatrixView::new(Element::F32, 0, &buf[..0]).is_none());
    assert!(MatrixView::new(Element::F32, usize::MAX / 2, &buf[..0]).is_none());
    assert!(MatrixView::new(Element::F16, 3, &[]).is_some_and(|view| view.is_empty()));
}

#[test]
fn rows_of_a_matrix_lie_back_to_back() {
    let bytes: Vec<u8> = (0..30).collect();
    let buf = AlignedBuf::from_slice(&bytes);
    let view = MatrixView::new(Element::F16, 3, &buf).unwrap();
    assert_eq!((view.len(), view.row_bytes(), view.dim()), (5, 6, 3));
    assert_eq!(view.row(1), Some(&[6, 7, 8, 9, 10, 11][..]));
    assert_eq!(view.row(5), None);
    assert_eq!(view.rows(1..3), Some(&bytes[6..18]));
    assert_eq!(view.rows(5..5), Some(&[][..]));
    assert_eq!(view.rows(4..6), None);
    #[expect(clippy::reversed_empty_ranges, reason = "the case under test")]
    let reversed = view.rows(3..2);
    assert_eq!(reversed, None);
}
