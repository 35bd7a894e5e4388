//! Blocks worked on by several threads, handed on in their order.
//!
//! Enters: a producer of blocks and what is to be done with each: what needs no order, then a first turn and a second one in
//! the order of the blocks. Leaves: what was done, the same for any number of threads. Refuses: to go on behind the first
//! block that fails. Memory: some blocks more than there are threads.
//!
//! No thread waits for the turn of its block: it leaves the block where it is and takes up whatever else can be done, what is
//! nearest to its end first. As many threads as processors are then enough, and none stands idle beside work.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

/// Blocks of the producer that may wait to be taken.
const WAITING: usize = 4;
/// Blocks, beyond one for each thread, that may be on their way.
const ON_THEIR_WAY: usize = 6;

struct State<B, P, E> {
    /// The producer's blocks, not yet taken.
    queue: VecDeque<B>,
    /// The producer has ended.
    closed: bool,
    /// Blocks that were taken and wait for their first turn, in order; none while one is being prepared.
    prepared: VecDeque<Option<P>>,
    /// The number of the first of these.
    first: u64,
    /// Blocks that wait for their second turn.
    judged: VecDeque<P>,
    /// Is somebody at the first turn, at the second?
    in_first: bool,
    in_second: bool,
    /// The failure that counts, and whether work on the blocks before it has ended too.
    failed: Option<E>,
    stopped: bool,
    /// Threads that wait.
    asleep: usize,
}

/// What a thread can do next.
enum Next<B, P> {
    Second(P),
    First(P),
    Prepare(u64, B),
    Wait,
    End,
}

impl<B, P, E> State<B, P, E> {
    fn next(&mut self, limit: usize) -> Next<B, P> {
        if self.stopped {
            return Next::End;
        }
        if !self.in_second
            && let Some(block) = self.judged.pop_front()
        {
            self.in_second = true;
            return Next::Second(block);
        }
        if self.failed.is_some() {
            // Nothing behind the failure counts; what stands before it has had its first turn.
            let over = !self.in_second;
            self.stopped |= over;
            return if over { Next::End } else { Next::Wait };
        }
        if !self.in_first
            && let Some(ready) = self.prepared.front_mut()
            && let Some(block) = ready.take()
        {
            self.prepared.pop_front();
            self.first += 1;
            self.in_first = true;
            return Next::First(block);
        }
        let on_their_way = self.on_their_way();
        if on_their_way < limit
            && let Some(block) = self.queue.pop_front()
        {
            self.prepared.push_back(None);
            return Next::Prepare(self.first + self.prepared.len() as u64 - 1, block);
        }
        let over = self.closed && self.queue.is_empty() && on_their_way == 0;
        if over { Next::End } else { Next::Wait }
    }
    fn on_their_way(&self) -> usize {
        self.prepared.len()
            + self.judged.len()
            + usize::from(self.in_first)
            + usize::from(self.in_second)
    }
    /// Would [`State::next`] find something to do?
    fn has_more(&self, limit: usize) -> bool {
        let second = !self.in_second && !self.judged.is_empty();
        let first = !self.in_first && matches!(self.prepared.front(), Some(Some(_)));
        let prepare = !self.queue.is_empty() && self.on_their_way() < limit;
        self.stopped || second || self.failed.is_none() && (first || prepare)
    }
    fn place(&mut self, number: u64, block: P) {
        if let Some(place) = self.prepared.get_mut((number - self.first) as usize) {
            *place = Some(block);
        }
    }
}

struct Shared<B, P, E> {
    state: Mutex<State<B, P, E>>,
    /// There is something to do, or nothing will come.
    changed: Condvar,
    /// There is room for blocks.
    emptied: Condvar,
    limit: usize,
}

impl<B, P, E> Shared<B, P, E> {
    fn lock(&self) -> MutexGuard<'_, State<B, P, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The end, for everybody.
    fn end(&self, f: impl FnOnce(&mut State<B, P, E>)) {
        f(&mut self.lock());
        self.changed.notify_all();
        self.emptied.notify_all();
    }
    fn push(&self, block: B) -> bool {
        let full = |state: &mut State<B, P, E>| {
            state.queue.len() >= WAITING && state.failed.is_none() && !state.stopped
        };
        let waited = self.emptied.wait_while(self.lock(), full);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.failed.is_some() || state.stopped {
            return false;
        }
        state.queue.push_back(block);
        self.wake(&state);
        true
    }
    /// Whoever takes something up wakes another if there is more.
    fn wake(&self, state: &State<B, P, E>) {
        if state.asleep > 0 && state.has_more(self.limit) {
            self.changed.notify_one();
        }
    }
    /// Does what can be done until nothing is left.
    fn work(
        &self,
        prepare: &impl Fn(B) -> P,
        first: &Mutex<impl FnMut(&mut P) -> Result<(), E>>,
        second: &Mutex<impl FnMut(P) -> Result<(), E>>,
    ) {
        let mut state = self.lock();
        loop {
            let next = state.next(self.limit);
            self.wake(&state);
            match next {
                Next::Second(block) => {
                    drop(state);
                    let done = (*lock(second))(block);
                    state = self.lock();
                    state.in_second = false;
                    if let Err(e) = done {
                        // It stands before whatever failed in its first turn.
                        state.failed = Some(e);
                        state.stopped = true;
                    }
                }
                Next::First(mut block) => {
                    drop(state);
                    let done = (*lock(first))(&mut block);
                    state = self.lock();
                    state.in_first = false;
                    match done {
                        Ok(()) => state.judged.push_back(block),
                        Err(e) => {
                            state.failed.get_or_insert(e);
                        }
                    }
                }
                Next::Prepare(number, block) => {
                    if state.queue.len() <= WAITING / 2 {
                        self.emptied.notify_one();
                    }
                    drop(state);
                    let block = prepare(block);
                    state = self.lock();
                    state.place(number, block);
                }
                Next::Wait => {
                    state.asleep += 1;
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.asleep -= 1;
                }
                Next::End => {
                    drop(state);
                    return self.end(|_| {});
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
/// `produce` hands its blocks to the function it is given; `false` means that nobody wants more. `prepare` makes something of
/// each, several at a time. `first` and `second` see that in the order of the blocks, each one block at a time, both at the
/// same time: `second` what `first` has seen. The first error in the order of the blocks is returned; `second` has then
/// seen all blocks before the one that failed. One of `produce` comes behind all its blocks.
///
/// # Errors
/// That error.
///
/// # Panics
/// If one of the functions does.
pub fn ordered<B: Send, P: Send, E: Send>(
    threads: usize,
    produce: impl FnOnce(&mut dyn FnMut(B) -> bool) -> Result<(), E> + Send,
    prepare: impl Fn(B) -> P + Sync,
    first: impl FnMut(&mut P) -> Result<(), E> + Send,
    second: impl FnMut(P) -> Result<(), E> + Send,
) -> Result<(), E> {
    let threads = threads.max(1);
    let shared = Shared {
        state: Mutex::new(State {
            queue: VecDeque::new(),
            closed: false,
            prepared: VecDeque::new(),
            first: 0,
            judged: VecDeque::new(),
            in_first: false,
            in_second: false,
            failed: None,
            stopped: false,
            asleep: 0,
        }),
        changed: Condvar::new(),
        emptied: Condvar::new(),
        limit: threads + ON_THEIR_WAY,
    };
    let (first, second) = (Mutex::new(first), Mutex::new(second));
    let produced = thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let _unless_done = Ends(|| {
                    if thread::panicking() {
                        shared.end(|state| state.stopped = true);
                    }
                });
                shared.work(&prepare, &first, &second);
            });
        }
        let _closes = Ends(|| shared.end(|state| state.closed = true));
        produce(&mut |block| shared.push(block))
    });
    match shared.state.into_inner().unwrap_or_else(PoisonError::into_inner).failed {
        Some(e) => Err(e),
        None => produced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What of 200 blocks had its first and its second turn, and how it ended.
    fn run(
        threads: usize,
        fails_first: Option<u64>,
        fails_second: Option<u64>,
        ends: Result<(), u64>,
    ) -> (Result<(), u64>, Vec<u64>, Vec<u64>) {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let done = ordered(
            threads,
            |hand| if (0..200u64).all(&mut *hand) { ends } else { Ok(()) },
            |n| {
                // Blocks take different times.
                std::hint::black_box((0..(n * 7919) % 1000).fold(n, |a, b| a.wrapping_mul(31) ^ b));
                n
            },
            |n| {
                first.push(*n);
                if fails_first == Some(*n) { Err(*n) } else { Ok(()) }
            },
            |n| {
                if fails_second == Some(n) {
                    return Err(1000 + n);
                }
                second.push(n);
                Ok(())
            },
        );
        (done, first, second)
    }

    #[test]
    fn both_turns_come_in_order_and_the_first_failure_ends_them() {
        let until = |end: u64| (0..end).collect::<Vec<_>>();
        for threads in [1, 2, 5] {
            assert_eq!(run(threads, None, None, Ok(())), (Ok(()), until(200), until(200)));
            assert_eq!(run(threads, None, None, Err(999)), (Err(999), until(200), until(200)));
            for ends in [Ok(()), Err(999)] {
                assert_eq!(run(threads, Some(42), None, ends), (Err(42), until(43), until(42)));
                // The second turn of a block before the one that failed may still fail.
                let (done, first, second) = run(threads, Some(42), Some(41), ends);
                assert_eq!((done, second), (Err(1041), until(41)));
                assert!(first.len() >= 42 && first == until(first.len() as u64));
                let (done, first, second) = run(threads, None, Some(42), ends);
                assert_eq!((done, second), (Err(1042), until(42)));
                assert!(first.len() >= 43 && first == until(first.len() as u64));
            }
        }
    }

    #[test]
    fn a_panic_ends_all_threads() {
        for turn in 0..3 {
            let panics = |at: i32, n: u64| assert!(at != turn || n < 42, "as the test wants");
            let done = std::panic::catch_unwind(|| {
                ordered(
                    2,
                    |hand| {
                        let _ = (0..200u64).all(&mut *hand);
                        Ok::<(), ()>(())
                    },
                    |n| {
                        panics(0, n);
                        n
                    },
                    |n| {
                        panics(1, *n);
                        Ok(())
                    },
                    |n| {
                        panics(2, n);
                        Ok(())
                    },
                )
            });
            assert!(done.is_err(), "{turn}");
        }
    }
}
