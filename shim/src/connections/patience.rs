//! Patience with the other end of a connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Bytes of a greeting: those by which the second version of HTTP is told from the first, which nothing else waits for with a
/// limit of its own.
const GREETING: usize = 24;

/// A connection that ends when the other end does not greet in time, or takes none of what it asked for.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    patience: Duration,
    greeted: usize,
    greeting: Option<Pin<Box<Sleep>>>,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Patient {
            stream,
            patience,
            greeted: 0,
            greeting: Some(Box::pin(sleep(patience))),
            stalled: None,
        }
    }

    /// A write that waits does so for as long as there is patience.
    fn written<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(late("nothing is taken of the answer"))),
            Poll::Pending => Poll::Pending,
        }
    }
}

fn late(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let Some(greeting) = &mut self.greeting else {
            return polled;
        };
        if polled.is_pending() && greeting.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(late("nobody has said what the connection is for")));
        }
        self.greeted += buffer.filled().len() - before;
        if self.greeted >= GREETING {
            self.greeting = None;
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.written(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.written(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(context);
        self.written(context, polled)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_greeting_comes_in_time_or_the_connection_ends() {
        let (mut there, here) = duplex(64);
        let mut here = Patient::new(here, PATIENCE);
        there.write_all(b"GET").await.unwrap();
        let mut bytes = [0; 64];
        assert_eq!(here.read(&mut bytes).await.unwrap(), 3);
        let silent = here.read(&mut bytes).await.unwrap_err();
        assert_eq!(silent.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_greeted_may_be_silent() {
        let (mut there, here) = duplex(64);
        let mut here = Patient::new(here, PATIENCE);
        there.write_all(&[b'x'; GREETING]).await.unwrap();
        let mut bytes = [0; GREETING];
        here.read_exact(&mut bytes).await.unwrap();
        let (read, ()) = tokio::join!(here.read(&mut bytes), async {
            sleep(10 * PATIENCE).await;
            there.write_all(b"y").await.unwrap();
        });
        assert_eq!(read.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_taken_or_the_connection_ends() {
        let (mut there, here) = duplex(4);
        let mut here = Patient::new(here, PATIENCE);
        let ((), ()) = tokio::join!(async { here.write_all(b"12345678").await.unwrap() }, async {
            sleep(PATIENCE / 2).await;
            there.read_exact(&mut [0; 8]).await.unwrap();
        });
        here.write_all(b"1234").await.unwrap();
        let stalled = here.write_all(b"5").await.unwrap_err();
        assert_eq!(stalled.kind(), io::ErrorKind::TimedOut);
    }
}
