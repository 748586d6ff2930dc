//! Work in a task of its own that ends with whoever waits for it.
//!
//! When something wakes a request, actix polls the request's whole connection: all layers of the service, and a look
//! for the next request in the read buffer each time (about 3,000 instructions). A walk is woken several times, so it
//! runs apart and wakes its connection once, when there is something to send.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::{JoinError, JoinHandle};

/// A task on the current thread; aborted when this is dropped.
#[derive(Debug)]
pub struct Apart<T>(JoinHandle<T>);

/// Starts `work` on the current thread.
pub fn apart<T: 'static>(work: impl Future<Output = T> + 'static) -> Apart<T> {
    Apart(actix_rt::spawn(work))
}

impl<T> Future for Apart<T> {
    /// An error means that the work panicked.
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T> Drop for Apart<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[actix_rt::test]
    async fn gives_what_the_work_gives() {
        assert_eq!(apart(async { 7 }).await.unwrap(), 7);
        assert!(apart(async { panic!("on purpose") }).await.is_err());
    }

    #[actix_rt::test]
    async fn ends_the_work_with_whoever_waits() {
        struct Ends(Rc<Cell<bool>>);
        impl Drop for Ends {
            fn drop(&mut self) {
                self.0.set(true);
            }
        }
        let ended = Rc::new(Cell::new(false));
        let guard = Ends(Rc::clone(&ended));
        let work = apart(async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        assert!(!ended.get());
        drop(work);
        tokio::task::yield_now().await;
        assert!(ended.get());
    }
}
