use futures_util::stream;

use super::*;

fn bodies(max: usize, held_bytes: usize) -> Bodies {
    let limits = Limits {
        held_bytes,
        patience: Duration::from_secs(10),
        bytes_a_second: 100,
        ..Limits::default()
    };
    Bodies::new(max, &limits)
}

/// A body in parts of these lengths, each of which comes after so many seconds.
fn slow(parts: &'static [(u64, usize)]) -> Body {
    Body::from_stream(stream::iter(parts).then(|&(seconds, len)| async move {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok::<_, BoxError>(vec![b'x'; len])
    }))
}

#[tokio::test(start_paused = true)]
async fn a_body_is_taken_in_whole_or_refused() {
    let bodies = bodies(300, 0);
    let whole = bodies.gather(slow(&[(0, 100), (0, 200)])).await.unwrap();
    assert_eq!(whole.bytes.len(), 300);
    drop(whole);
    let refused = bodies.gather(slow(&[(0, 100), (0, 201)])).await.unwrap_err();
    assert!(matches!(refused, BodyProblem::TooLarge { limit: 300 }));
    // One that says how long it is need not come at all.
    let refused = bodies.gather(Body::from(vec![0; 301])).await.unwrap_err();
    assert!(matches!(refused, BodyProblem::TooLarge { .. }));
    assert!(bodies.gather(Body::empty()).await.unwrap().bytes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn time_is_bought_with_bytes() {
    let bodies = bodies(10_000, 0);
    assert!(matches!(
        bodies.gather(slow(&[(11, 1)])).await,
        Err(BodyProblem::Late)
    ));
    // A byte now and then buys nothing.
    let drops = bodies.gather(slow(&[(4, 1), (4, 1), (4, 1)])).await;
    assert!(matches!(drops, Err(BodyProblem::Late)));
    assert!(bodies.gather(slow(&[(9, 500), (5, 1)])).await.is_ok());
    let silent = bodies.paced(slow(&[(9, 1), (9, 1), (11, 1)])).0;
    assert!(axum::body::to_bytes(silent, usize::MAX).await.is_err());
    let steady = bodies.paced(slow(&[(9, 1), (9, 1), (9, 1)])).0;
    assert_eq!(axum::body::to_bytes(steady, usize::MAX).await.unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn bodies_wait_for_room() {
    let bodies = bodies(4 * UNIT, 6 * UNIT);
    let body = || Body::from(vec![0; 4 * UNIT]);
    let first = bodies.gather(body()).await.unwrap();
    assert!(matches!(bodies.gather(body()).await, Err(BodyProblem::NoRoom)));
    let (second, ()) = tokio::join!(bodies.gather(body()), async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        drop(first);
    });
    let mut second = second.unwrap();
    // What a packed body may become has its room, too, as far as there is any at all.
    assert!(bodies.make_room(&mut second.room, 100 * UNIT).await.is_ok());
    assert_eq!(second.room.units(), 4);
}

#[tokio::test(start_paused = true)]
async fn who_says_how_long_he_is_takes_all_his_room_at_once() {
    let bodies = bodies(4 * UNIT, 6 * UNIT);
    let says: fn(&[u8]) -> Option<usize> = |bytes| (!bytes.is_empty()).then_some(4 * UNIT);
    let slow = || slow(&[(0, UNIT), (5, 3 * UNIT)]);
    // Neither holds what the other needs: the second one begins when the first one is done.
    let gather = || async {
        let max = 4 * UNIT;
        bodies
            .gather_at_most(slow(), max, says)
            .await
            .map(|gathered| gathered.bytes.len())
    };
    let (first, second) = tokio::join!(gather(), gather());
    assert_eq!((first.unwrap(), second.unwrap()), (4 * UNIT, 4 * UNIT));
    let larger = bodies.gather_at_most(slow(), 2 * UNIT, says).await;
    assert!(matches!(larger, Err(BodyProblem::TooLarge { limit }) if limit == 2 * UNIT));
}
