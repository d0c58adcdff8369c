//! Attaches nodes that nothing leads to.

use crate::codes::QueryCode;
use crate::control::Control;
use crate::error::{Error, Result};
use crate::hnsw::links::{FREE, Links};
use crate::hnsw::pairs::Pairs;
use crate::hnsw::walk::Walker;

/// Makes every node reachable from `entry` along `links`, which are blocks of `degree`.
///
/// An unreachable node is linked from a reachable one near it. Where every near one is full, the nearest gives
/// up its last link to the node, which takes over that link: what was reachable stays so.
pub(crate) fn connect<P: Pairs>(
    pairs: &P,
    links: &mut [u32],
    degree: usize,
    entry: u32,
    ef: usize,
    control: &Control<'_>,
) -> Result<()> {
    let nodes = (links.len() / degree) as u32;
    let mut reached = vec![false; nodes as usize];
    let mut stack = Vec::new();
    reach(links, degree, entry, &mut reached, &mut stack);
    let (mut walker, mut code) = (Walker::default(), QueryCode::default());
    for node in 0..nodes {
        if reached[node as usize] {
            continue;
        }
        if control.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let score = pairs.near(node, &mut code);
        walker.walk(
            Links {
                blocks: links,
                degree,
            },
            &score,
            [entry],
            ef,
        );
        let has_room = |row: u32| links[(row as usize + 1) * degree - 1] == FREE;
        let Some((_, nearest)) = walker.results().next() else {
            continue;
        };
        let roomy = walker.results().map(|(_, row)| row).find(|&row| has_room(row));
        let from = roomy.unwrap_or(nearest);
        let block = &mut links[from as usize * degree..][..degree];
        match block.iter_mut().find(|link| **link == FREE) {
            Some(free) => *free = node,
            None => {
                let handed_on = std::mem::replace(&mut block[degree - 1], node);
                let own = &mut links[node as usize * degree..][..degree];
                if !own.contains(&handed_on) {
                    let at = own.iter().position(|&link| link == FREE).unwrap_or(degree - 1);
                    own[at] = handed_on;
                }
            }
        }
        reach(links, degree, node, &mut reached, &mut stack);
    }
    Ok(())
}

/// Marks everything that can be reached from `start`.
fn reach(links: &[u32], degree: usize, start: u32, reached: &mut [bool], stack: &mut Vec<u32>) {
    reached[start as usize] = true;
    stack.push(start);
    let all = Links {
        blocks: links,
        degree,
    };
    while let Some(node) = stack.pop() {
        for next in all.of(node) {
            if !std::mem::replace(&mut reached[next as usize], true) {
                stack.push(next);
            }
        }
    }
}
