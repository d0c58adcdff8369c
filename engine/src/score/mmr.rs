//! Which results to show when they should differ.

/// Maximal marginal relevance (Carbonell and Goldstein, 1998): the places of at most `limit` candidates in the order in which
/// they are chosen. The first is the most similar to the query; each next one has the greatest `relevance * (similarity to the
/// query) - (1 - relevance) * (greatest similarity to one chosen)`, and of equal ones the first.
///
/// Asks for about `limit` times as many similarities as there are candidates.
pub(crate) fn diverse<E>(
    to_query: &[f32],
    relevance: f32,
    limit: usize,
    mut similarity: impl FnMut(usize, usize) -> Result<f32, E>,
) -> Result<Vec<usize>, E> {
    let relevance = f64::from(relevance);
    let mut left: Vec<(usize, f64)> = (0..to_query.len()).map(|at| (at, f64::NEG_INFINITY)).collect();
    let mut chosen: Vec<usize> = Vec::new();
    while chosen.len() < limit && !left.is_empty() {
        let worth = |&(at, to_chosen): &(usize, f64)| {
            let to_query = f64::from(to_query[at]);
            if chosen.is_empty() {
                to_query
            } else {
                relevance * to_query - (1.0 - relevance) * to_chosen
            }
        };
        let mut best = (0, f64::NEG_INFINITY);
        for (place, candidate) in left.iter().enumerate() {
            let worth = worth(candidate);
            if worth > best.1 {
                best = (place, worth);
            }
        }
        // What is left stays in its order: ties are told by it.
        let (next, _) = left.remove(best.0);
        chosen.push(next);
        if chosen.len() < limit {
            for (at, to_chosen) in &mut left {
                *to_chosen = to_chosen.max(f64::from(similarity(*at, next)?));
            }
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests;
