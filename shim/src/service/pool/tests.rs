use super::*;

#[tokio::test]
async fn a_panic_is_an_error_and_gives_its_place_back() {
    let pool = Pool::new(1);
    let failed = pool.read(|_| -> Result<()> { panic!("as it may") }).await;
    assert!(failed.unwrap_err().message.contains("unexpectedly"));
    assert_eq!(pool.read(|_| Ok(7)).await, Ok(7));
}

#[tokio::test]
async fn work_is_told_that_its_caller_has_gone() {
    let pool = Pool::new(1);
    let (told, tell) = std::sync::mpsc::channel();
    let mut read = Box::pin(pool.read(move |abandoned| {
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
