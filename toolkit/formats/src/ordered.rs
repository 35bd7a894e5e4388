//! Blocks worked on by several threads, handed on in their order.
//!
//! Enters: a producer of blocks and what is to be done with each. Leaves: what the work did when its turn came, block
//! after block, the same for any number of threads. Refuses: to go on behind the first block that fails. Memory: two
//! blocks more than there are threads.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

struct State<B> {
    queue: VecDeque<B>,
    /// The producer has ended.
    closed: bool,
    /// A block failed: nothing behind it counts.
    stopped: bool,
    /// Blocks that were taken.
    taken: u64,
    /// The block whose turn it is; and whose second turn.
    turn: u64,
    second: u64,
}

struct Shared<B> {
    state: Mutex<State<B>>,
    /// There is a block to take, or none will come.
    filled: Condvar,
    /// There is room for a block.
    emptied: Condvar,
    /// A turn was passed on, or a work ended.
    passed: Condvar,
    room: usize,
}

impl<B> Shared<B> {
    fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn wait_while(
        &self,
        change: &Condvar,
        mut busy: impl FnMut(&State<B>) -> bool,
    ) -> MutexGuard<'_, State<B>> {
        change
            .wait_while(self.lock(), |state| !state.stopped && busy(state))
            .unwrap_or_else(PoisonError::into_inner)
    }
    /// Waits for a turn; false: nothing counts any more.
    fn turn(&self, busy: impl FnMut(&State<B>) -> bool) -> bool {
        !self.wait_while(&self.passed, busy).stopped
    }
    /// Turns change.
    fn pass(&self, f: impl FnOnce(&mut State<B>)) {
        f(&mut self.lock());
        self.passed.notify_all();
    }
    /// The end, for everybody.
    fn end(&self, f: impl FnOnce(&mut State<B>)) {
        f(&mut self.lock());
        for change in [&self.filled, &self.emptied, &self.passed] {
            change.notify_all();
        }
    }
    fn push(&self, block: B) -> bool {
        let mut state = self.wait_while(&self.emptied, |state| state.queue.len() >= self.room);
        if state.stopped {
            return false;
        }
        state.queue.push_back(block);
        drop(state);
        self.filled.notify_one();
        true
    }
    fn take(&self) -> Option<(u64, B)> {
        let empty = |state: &State<B>| state.queue.is_empty() && !state.closed;
        let mut state = self.wait_while(&self.filled, empty);
        if state.stopped {
            return None;
        }
        let block = state.queue.pop_front()?;
        let number = state.taken;
        state.taken += 1;
        drop(state);
        self.emptied.notify_one();
        Some((number, block))
    }
}

/// A block's place in the order: one turn, and a second one for who passes on the first while work is left to do.
pub struct Turn<'s> {
    wait: &'s dyn Fn() -> bool,
    pass: &'s dyn Fn() -> bool,
}

impl std::fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Turn")
    }
}

impl Turn<'_> {
    /// Waits until every block before this one has passed on its turn, or its work has ended. False: one of them failed, and
    /// nothing of this block may be handed on.
    #[must_use]
    pub fn wait(&self) -> bool {
        (self.wait)()
    }
    /// Lets the next block have its turn, and waits until the work on every block before this one has ended. False: as
    /// [`Self::wait`].
    #[must_use]
    pub fn pass(&self) -> bool {
        (self.pass)()
    }
}

/// Ends a role of the work even if its thread panics.
struct Ends<F: FnMut()>(F);

impl<F: FnMut()> Drop for Ends<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Works on the blocks of a producer on so many threads, and one for the producer.
///
/// `produce` hands its blocks to the function it is given; `false` means that nobody wants more. `work` does what needs no
/// order, asks its [`Turn`] to wait, and does the rest, in one turn or in two. The first error in the order of the blocks is returned; one of
/// `produce` comes behind all its blocks.
///
/// # Errors
/// That error.
///
/// # Panics
/// If `produce` or `work` does.
pub fn ordered<B: Send, E: Send>(
    threads: usize,
    produce: impl FnOnce(&mut dyn FnMut(B) -> bool) -> Result<(), E> + Send,
    work: impl Fn(B, &Turn<'_>) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let shared = Shared {
        state: Mutex::new(State {
            queue: VecDeque::new(),
            closed: false,
            stopped: false,
            taken: 0,
            turn: 0,
            second: 0,
        }),
        filled: Condvar::new(),
        emptied: Condvar::new(),
        passed: Condvar::new(),
        room: 2,
    };
    let failed: Mutex<Option<E>> = Mutex::new(None);
    let fail = |e: E| {
        failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(e);
        shared.end(|state| state.stopped = true);
    };
    let worker = || {
        while let Some((number, block)) = shared.take() {
            let _unless_done = Ends(|| {
                if thread::panicking() {
                    shared.end(|state| state.stopped = true);
                }
            });
            let wait = || shared.turn(|state| state.turn != number);
            let ends = || shared.turn(|state| state.second != number);
            let pass = || {
                shared.pass(|state| state.turn = number + 1);
                ends()
            };
            let done = work(block, &Turn { wait: &wait, pass: &pass });
            if !ends() {
                return;
            }
            match done {
                Ok(()) => {
                    shared.pass(|state| (state.turn, state.second) = (number + 1, number + 1));
                }
                Err(e) => fail(e),
            }
        }
    };
    let produced = thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(worker);
        }
        let _closes = Ends(|| shared.end(|state| state.closed = true));
        produce(&mut |block| shared.push(block))
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(e) => Err(e),
        None => produced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(
        threads: usize,
        fails: Option<u64>,
        ends: Result<(), u64>,
    ) -> (Result<(), u64>, Vec<u64>) {
        let seen = Mutex::new(Vec::new());
        let done = ordered(
            threads,
            |hand| {
                for n in 0..200u64 {
                    if !hand(n) {
                        return Ok(());
                    }
                }
                ends
            },
            |n, turn| {
                // Blocks take different times.
                std::hint::black_box((0..(n * 7919) % 1000).fold(n, |a, b| a.wrapping_mul(31) ^ b));
                if fails.is_some_and(|f| n >= f) {
                    return Err(n);
                }
                if turn.wait() {
                    seen.lock().unwrap().push(n);
                }
                Ok(())
            },
        );
        (done, seen.into_inner().unwrap())
    }

    #[test]
    fn both_turns_come_in_order_and_the_first_failure_ends_them() {
        for (threads, fails) in [(1, None), (4, None), (4, Some(42)), (1, Some(42))] {
            let (first, second) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
            let done = ordered(
                threads,
                |hand| {
                    let _ = (0..200u64).all(&mut *hand);
                    Ok(())
                },
                |n, turn| {
                    std::hint::black_box(
                        (0..(n * 7919) % 1000).fold(n, |a, b| a.wrapping_mul(31) ^ b),
                    );
                    if !turn.wait() {
                        return Ok(());
                    }
                    first.lock().unwrap().push(n);
                    if fails == Some(n) {
                        return Err(n);
                    }
                    if turn.pass() {
                        second.lock().unwrap().push(n);
                    }
                    Ok(())
                },
            );
            let until = |end: u64| (0..end).collect::<Vec<_>>();
            assert_eq!(done, fails.map_or(Ok(()), Err));
            assert_eq!(first.into_inner().unwrap(), until(fails.map_or(200, |n| n + 1)));
            assert_eq!(second.into_inner().unwrap(), until(fails.unwrap_or(200)));
        }
    }

    #[test]
    fn results_come_in_order_and_the_first_failure_ends_them() {
        for threads in [1, 2, 5] {
            let all: Vec<u64> = (0..200).collect();
            assert_eq!(run(threads, None, Ok(())), (Ok(()), all.clone()));
            assert_eq!(run(threads, None, Err(999)), (Err(999), all.clone()));
            assert_eq!(run(threads, Some(42), Err(999)), (Err(42), all[..42].to_vec()));
        }
    }
}
