//! Sums that do not depend on the order of their terms.

/// Bits of a limb that count; the rest of it takes carries.
const BITS: usize = 32;
const MASK: i64 = (1 << BITS) - 1;
/// The place of 1: limbs count units of 2^-1074, the least float there is.
const ONE: usize = 1074;
/// Enough for the greatest float and the carries of 2^64 of them.
const LIMBS: usize = 68;
/// After so many terms carries are taken up: a limb holds less than 2^63.
const TERMS: u32 = 1 << 29;

/// The exact sum of floats, kept as one long number in fixed point; rounded once, when it is read.
///
/// R. M. Neal, "Fast Exact Summation Using Small and Large Superaccumulators", 2015: the small one.
#[derive(Clone, Debug)]
pub(super) struct ExactSum {
    limbs: [i64; LIMBS],
    terms: u32,
}

impl ExactSum {
    pub(super) fn new() -> Self {
        ExactSum {
            limbs: [0; LIMBS],
            terms: 0,
        }
    }

    /// Adds a finite number.
    pub(super) fn add(&mut self, term: f64) {
        let bits = term.to_bits();
        let (exponent, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
        let (mantissa, place) = match exponent {
            0 => (fraction, 0),
            _ => (fraction | (1 << 52), exponent as usize - 1),
        };
        self.add_at(mantissa, place, term.is_sign_negative());
    }

    /// Adds an integer.
    pub(super) fn add_integer(&mut self, term: i128) {
        let magnitude = term.unsigned_abs();
        self.add_at(magnitude as u64, ONE, term < 0);
        self.add_at((magnitude >> 64) as u64, ONE + 64, term < 0);
    }

    /// Adds `term` units of 2^place.
    fn add_at(&mut self, term: u64, place: usize, negative: bool) {
        let mut rest = u128::from(term) << (place % BITS);
        for limb in self.limbs.iter_mut().skip(place / BITS) {
            if rest == 0 {
                break;
            }
            let part = rest as i64 & MASK;
            *limb += if negative { -part } else { part };
            rest >>= BITS;
        }
        self.terms += 1;
        if self.terms == TERMS {
            self.carry();
        }
    }

    /// Brings all limbs but the last into their bits.
    fn carry(&mut self) {
        let mut carry = 0;
        let (last, limbs) = match self.limbs.split_last_mut() {
            Some(split) => split,
            None => return,
        };
        for limb in limbs {
            let sum = *limb + carry;
            *limb = sum & MASK;
            carry = sum >> BITS;
        }
        *last += carry;
        self.terms = 0;
    }

    /// The nearest float, the even one of two; infinite beyond them.
    pub(super) fn rounded(&self) -> f64 {
        let mut sum = self.clone();
        sum.carry();
        let negative = sum.limbs.last().is_some_and(|last| *last < 0);
        if negative {
            sum.limbs.iter_mut().for_each(|limb| *limb = -*limb);
            sum.carry();
        }
        let Some(top) = sum.limbs.iter().rposition(|limb| *limb != 0) else {
            return 0.0;
        };
        // 65 to 96 bits, with one that stands for all below them: more than rounding looks at.
        let low = top.saturating_sub(2);
        let shown = sum.limbs[low..=top].iter().rev();
        let mut head = shown.fold(0u128, |head, limb| (head << BITS) | *limb as u128);
        if sum.limbs[..low].iter().any(|limb| *limb != 0) {
            head |= 1;
        }
        // What lies below the normal floats has no bit to round away: both steps are exact there.
        let exponent = (low * BITS) as i32 - ONE as i32;
        let first = exponent.max(-1000);
        let magnitude = head as f64 * 2f64.powi(first) * 2f64.powi(exponent - first);
        if negative { -magnitude } else { magnitude }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ExactSum;

    fn sum(terms: &[f64]) -> f64 {
        let mut sum = ExactSum::new();
        terms.iter().for_each(|term| sum.add(*term));
        sum.rounded()
    }

    #[test]
    fn sums_are_rounded_once() {
        assert_eq!(sum(&[]), 0.0);
        assert_eq!(sum(&[1e300, 1.0, -1e300]), 1.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(sum(&[-f64::MAX, -f64::MAX]), f64::NEG_INFINITY);
        assert_eq!(sum(&[5e-324, 5e-324]), 1e-323);
        assert_eq!(sum(&[-5e-324]), -5e-324);
        assert_eq!(sum(&[f64::MIN_POSITIVE, -5e-324]), f64::MIN_POSITIVE - 5e-324);
        // Half of the last bit goes to the even side, and a little more beyond it.
        let half = 2f64.powi(-53);
        assert_eq!(sum(&[1.0, half]), 1.0);
        assert_eq!(sum(&[1.0, half, 5e-324]), 1.0 + f64::EPSILON);
        assert_eq!(sum(&[1.0 + f64::EPSILON, half]), 1.0 + 2.0 * f64::EPSILON);
    }

    #[test]
    fn integers_count_in_full() {
        let mut sum = ExactSum::new();
        sum.add_integer(i128::from(u64::MAX) * 3);
        sum.add(0.5);
        sum.add_integer(-i128::from(u64::MAX) * 3 + 7);
        assert_eq!(sum.rounded(), 7.5);
        sum.add_integer(-(1 << 100));
        assert_eq!(sum.rounded(), -(2f64.powi(100)));
    }

    proptest! {
        #[test]
        fn the_order_of_terms_makes_no_difference(
            mut terms in prop::collection::vec(any::<f64>().prop_filter("finite", |x| x.is_finite()), 0..20)
        ) {
            let one = sum(&terms);
            terms.reverse();
            prop_assert_eq!(one.to_bits(), sum(&terms).to_bits());
            terms.sort_by(f64::total_cmp);
            prop_assert_eq!(one.to_bits(), sum(&terms).to_bits());
        }

        #[test]
        fn few_bits_sum_as_integers_do(terms in prop::collection::vec((any::<i32>(), -6i32..40), 0..40)) {
            let floats: Vec<f64> = terms.iter().map(|(m, e)| f64::from(*m) * 2f64.powi(*e)).collect();
            let exact: i128 = terms.iter().map(|(m, e)| i128::from(*m) << (e + 6)).sum();
            prop_assert_eq!(sum(&floats), exact as f64 / 64.0);
        }
    }
}
