use super::*;

#[tokio::test]
async fn a_panic_is_an_error_and_gives_its_place_back() {
    let pool = Pool::new(1);
    let failed = pool.read(None, |_| -> Result<()> { panic!("as it may") }).await;
    assert!(failed.unwrap_err().message.contains("unexpectedly"));
    assert_eq!(pool.read(None, |_| Ok(7)).await, Ok(7));
}

#[tokio::test]
async fn work_is_told_that_its_caller_has_gone() {
    let pool = Pool::new(1);
    let (told, tell) = std::sync::mpsc::channel();
    let mut read = Box::pin(pool.read(None, move |abandoned| {
        while !abandoned.is_set() {
            std::thread::yield_now();
        }
        told.send(()).unwrap();
        Ok(())
    }));
    // Started, then dropped.
    tokio::select! {
        biased;
        _ = &mut read => unreachable!("it waits to be abandoned"),
        () = tokio::task::yield_now() => {}
    }
    drop(read);
    tell.recv().unwrap();
}

#[tokio::test]
async fn a_turn_is_waited_for_until_the_deadline() {
    let pool = Arc::new(Pool::new(1));
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let (begin, begun) = tokio::sync::oneshot::channel();
    let busy = tokio::spawn({
        let pool = pool.clone();
        async move {
            pool.read(None, move |_| {
                begin.send(()).unwrap();
                ended.recv().unwrap();
                Ok(())
            })
            .await
        }
    });
    begun.await.unwrap();
    let late = pool.read(Some(Instant::now()), |_| Ok(())).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Timeout);
    // What only looks at collections has turns of its own.
    assert_eq!(pool.glance(None, |_| Ok(7)).await, Ok(7));
    end.send(()).unwrap();
    busy.await.unwrap().unwrap();
}
