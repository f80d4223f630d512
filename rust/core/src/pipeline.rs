//! One driver for all work on lines: read in order, work in parallel, deliver in order.
//!
//! Every thread takes the next block (reading happens under a lock, so in order), does pure work on it, and puts the
//! result back; the caller's thread takes the results in order and works on a block itself where none is ready. What needs
//! the results in order but no particular thread is folded by whichever thread comes by. So the result never depends on
//! the number of threads, and no core waits while another has two things to do.

use std::collections::VecDeque;
use std::io::Read;
use std::panic::resume_unwind;
use std::sync::{Condvar, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use crate::input::{Block, BlockReader, Next};
use crate::{Code, Error, Result};

/// Bytes of input between reader and sink; one block more may be of any size.
const MAX_BYTES: usize = 8 << 20;

/// How long the caller's thread waits for the others before it calls `tick` again.
const NAP: Duration = Duration::from_millis(40);

/// Run `work` over all blocks of `reader` on `jobs` threads, this one included, and `sink` over the results in order.
///
/// `sink` and `tick` are called on this thread only; `tick` gets the bytes of input that the sink has seen, after every
/// block and at least every 40 ms while waiting. The first error in the order of the input is the one that is returned.
/// An input of one block starts no thread.
pub fn run<R, S, T>(
    reader: &mut BlockReader<'_, R>,
    jobs: usize,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, Block) -> T + Sync,
    sink: impl FnMut(T) -> Result<()>,
    tick: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<()>
where
    R: Read + Send,
    T: Send,
{
    run_folding(reader, jobs, scratch, work, |_| {}, sink, tick)
}

/// The same with a `fold` that sees every result before the sink: in order, one at a time, on any thread.
pub fn run_folding<R, S, T>(
    reader: &mut BlockReader<'_, R>,
    jobs: usize,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, Block) -> T + Sync,
    mut fold: impl FnMut(&mut T) + Send,
    mut sink: impl FnMut(T) -> Result<()>,
    tick: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<()>
where
    R: Read + Send,
    T: Send,
{
    let mut mine = scratch();
    let mut done = 0;
    // The first block is done here: most inputs have no other.
    loop {
        let next = reader.next()?;
        let last = match next {
            Next::Block(block) => {
                let (bytes, last) = (block.len as u64, block.last);
                let mut result = work(&mut mine, block);
                fold(&mut result);
                sink(result)?;
                done += bytes;
                last
            }
            Next::Pending => false,
            Next::End => true,
        };
        tick(done)?;
        if last {
            return Ok(());
        }
        if jobs > 1 && done > 0 {
            break;
        }
    }
    let line = Line::new(reader, jobs, fold);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..jobs)
            .map(|_| {
                scope.spawn(|| {
                    let _guard = Guard { line: &line, caller: false };
                    let mut scratch = scratch();
                    while line.wait_to_read() {
                        line.work_on_one(|block| work(&mut scratch, block));
                        line.fold_if_free();
                    }
                })
            })
            .collect();
        let result = {
            let _guard = Guard { line: &line, caller: true };
            deliver(&line, &mut mine, &work, &mut sink, tick, done)
        };
        for worker in workers {
            if let Err(panic) = worker.join() {
                resume_unwind(panic);
            }
        }
        result
    })
}

/// The caller's part: results in order, a block of its own where none is ready.
fn deliver<R: Read, S, T, F: FnMut(&mut T)>(
    line: &Line<'_, '_, R, T, F>,
    scratch: &mut S,
    work: &(impl Fn(&mut S, Block) -> T + Sync),
    sink: &mut impl FnMut(T) -> Result<()>,
    tick: &mut dyn FnMut(u64) -> Result<()>,
    mut done: u64,
) -> Result<()> {
    loop {
        match line.take() {
            Taken::Result(bytes, result) => {
                sink(result?)?;
                line.delivered(bytes);
                done += bytes as u64;
            }
            Taken::End => return Ok(()),
            Taken::Unfolded => line.fold(),
            Taken::Nothing { may_read } => {
                if !may_read || !line.try_work_on_one(|block| work(scratch, block)) {
                    line.nap()?;
                }
            }
        }
        tick(done)?;
    }
}

struct State<T> {
    /// Results of the blocks from number `next` on; `None` while one is being worked on or folded.
    results: VecDeque<Option<(usize, Result<T>)>>,
    next: u64,
    /// Number of the first block whose result is not folded.
    unfolded: u64,
    blocks: usize,
    bytes: usize,
    ended: bool,
    /// The caller is gone, or a thread panicked.
    stop: bool,
    failed: bool,
}

impl<T> State<T> {
    fn may_read(&self, most: usize) -> bool {
        !self.ended && !self.stop && (self.blocks == 0 || (self.blocks < most && self.bytes < MAX_BYTES))
    }

    fn put(&mut self, seq: u64, bytes: usize, result: Result<T>) {
        let at = (seq - self.next) as usize;
        while self.results.len() <= at {
            self.results.push_back(None);
        }
        self.results[at] = Some((bytes, result));
    }
}

enum Taken<T> {
    Result(usize, Result<T>),
    /// The next result waits to be folded.
    Unfolded,
    Nothing {
        may_read: bool,
    },
    End,
}

/// What the threads share. Locks are taken in the order reader or fold, state.
struct Line<'r, 't, R, T, F> {
    reader: Mutex<&'r mut BlockReader<'t, R>>,
    fold: Mutex<F>,
    state: Mutex<State<T>>,
    changed: Condvar,
    most: usize,
}

impl<'r, 't, R: Read, T, F: FnMut(&mut T)> Line<'r, 't, R, T, F> {
    fn new(reader: &'r mut BlockReader<'t, R>, jobs: usize, fold: F) -> Line<'r, 't, R, T, F> {
        let next = reader.seq();
        let state = State {
            results: VecDeque::new(),
            next,
            unfolded: next,
            blocks: 0,
            bytes: 0,
            ended: false,
            stop: false,
            failed: false,
        };
        Line {
            reader: Mutex::new(reader),
            fold: Mutex::new(fold),
            state: Mutex::new(state),
            changed: Condvar::new(),
            most: 2 * jobs + 2,
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // A poisoned lock means that a thread panicked, and then `stop` ends all others; the state stays consistent.
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Wait until a block may be read; false when there is no more to do.
    fn wait_to_read(&self) -> bool {
        let mut state = self.state();
        let mut most = self.most;
        while !state.ended && !state.stop && !state.may_read(most) {
            // Who has to wait at all waits for some room more: going to sleep costs as much as a good part of a block.
            most = self.most / 2;
            state = self.changed.wait(state).unwrap_or_else(|e| e.into_inner());
        }
        !state.ended && !state.stop
    }

    fn work_on_one(&self, work: impl FnOnce(Block) -> T) {
        if let Ok(reader) = self.reader.lock() {
            self.read_and_work(reader, work);
        }
    }

    /// The same, unless another thread is reading.
    fn try_work_on_one(&self, work: impl FnOnce(Block) -> T) -> bool {
        match self.reader.try_lock() {
            Ok(reader) => {
                self.read_and_work(reader, work);
                true
            }
            Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => false,
        }
    }

    fn read_and_work(&self, mut reader: MutexGuard<'_, &'r mut BlockReader<'t, R>>, work: impl FnOnce(Block) -> T) {
        // Others may have read since the permission was given.
        if !self.state().may_read(self.most) {
            return;
        }
        let seq = reader.seq();
        let next = reader.next();
        let mut state = self.state();
        match next {
            Ok(Next::Pending) => {}
            Ok(Next::End) => {
                state.ended = true;
                self.changed.notify_all();
            }
            Err(e) => {
                state.ended = true;
                state.put(seq, 0, Err(e));
                self.changed.notify_all();
            }
            Ok(Next::Block(block)) => {
                let bytes = block.len;
                state.blocks += 1;
                state.bytes += bytes;
                state.ended |= block.last;
                drop(state);
                drop(reader);
                // The caller may have gone to sleep because nobody else could read.
                self.changed.notify_all();
                let result = work(block);
                self.state().put(seq, bytes, Ok(result));
                self.changed.notify_all();
            }
        }
    }

    /// Fold what is ready, unless another thread is at it: that one, or the caller, comes by again.
    fn fold_if_free(&self) {
        if let Ok(mut fold) = self.fold.try_lock() {
            self.fold_ready(&mut fold);
        }
    }

    fn fold(&self) {
        // A thread that panicked while it folded has kept the result that is next: nothing more is folded.
        self.fold_ready(&mut self.fold.lock().unwrap_or_else(|e| e.into_inner()));
    }

    fn fold_ready(&self, fold: &mut F) {
        loop {
            let mut state = self.state();
            let at = (state.unfolded - state.next) as usize;
            let Some((bytes, mut result)) = state.results.get_mut(at).and_then(Option::take) else { return };
            drop(state);
            if let Ok(result) = &mut result {
                fold(result);
            }
            let mut state = self.state();
            let seq = state.unfolded;
            state.put(seq, bytes, result);
            state.unfolded += 1;
            drop(state);
            self.changed.notify_all();
        }
    }

    fn take(&self) -> Taken<T> {
        let mut state = self.state();
        if state.unfolded == state.next {
            return match state.results.front() {
                Some(Some(_)) => Taken::Unfolded,
                None if state.ended && state.blocks == 0 => Taken::End,
                _ => Taken::Nothing { may_read: state.may_read(self.most) },
            };
        }
        match state.results.pop_front() {
            Some(Some((bytes, result))) => {
                state.next += 1;
                Taken::Result(bytes, result)
            }
            // What is folded stays in its place until it is taken.
            _ => Taken::End,
        }
    }

    fn delivered(&self, bytes: usize) {
        let mut state = self.state();
        state.blocks -= 1;
        state.bytes -= bytes;
        drop(state);
        self.changed.notify_all();
    }

    /// Wait for another thread to finish something, but not for long.
    fn nap(&self) -> Result<()> {
        let state = self.state();
        if state.failed {
            return Err(Error::new(Code::Internal, "a worker thread failed"));
        }
        let ready = matches!(state.results.front(), Some(Some(_))) || (state.ended && state.blocks == 0);
        if !ready {
            drop(self.changed.wait_timeout(state, NAP));
        }
        Ok(())
    }
}

/// Ends the other threads: when the caller leaves, in whatever way, and when any of them panics.
struct Guard<'l, 'r, 't, R: Read, T, F: FnMut(&mut T)> {
    line: &'l Line<'r, 't, R, T, F>,
    caller: bool,
}

impl<R: Read, T, F: FnMut(&mut T)> Drop for Guard<'_, '_, '_, R, T, F> {
    fn drop(&mut self) {
        let panicking = std::thread::panicking();
        let mut state = self.line.state();
        state.failed |= panicking;
        state.stop |= panicking || self.caller;
        drop(state);
        self.line.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, jobs: usize, block: usize) -> Result<Vec<String>> {
        let mut reader = BlockReader::new(text.as_bytes()).block_size(block);
        let mut out = Vec::new();
        run(
            &mut reader,
            jobs,
            || 0u64,
            |_, block| String::from_utf8(block.text().to_vec()).unwrap(),
            |s| {
                out.extend(s.lines().map(str::to_owned));
                Ok(())
            },
            &mut |_| Ok(()),
        )?;
        Ok(out)
    }

    fn text(n: usize) -> String {
        (0..n).map(|k| format!("line {k} {}\n", "x".repeat(k % 37))).collect()
    }

    #[test]
    fn results_come_in_order_for_every_number_of_threads() {
        let text = text(2000);
        let want: Vec<String> = text.lines().map(str::to_owned).collect();
        for jobs in 1..=5 {
            for block in [1, 10, 1000, 1 << 20] {
                assert_eq!(lines(&text, jobs, block).unwrap(), want, "{jobs} threads, blocks of {block}");
            }
        }
    }

    #[test]
    fn every_result_is_folded_once_and_in_order_before_the_sink_sees_it() {
        let text = text(3000);
        for jobs in 1..=5 {
            let mut reader = BlockReader::new(text.as_bytes()).block_size(100);
            let (mut folded, mut seen) = (0, 0);
            let fold = |result: &mut (u64, u64)| {
                folded += 1;
                result.1 = folded;
            };
            let sink = |(seq, nth)| {
                assert_eq!((seq, nth), (seen, seen + 1), "{jobs} threads");
                seen += 1;
                Ok(())
            };
            run_folding(&mut reader, jobs, || (), |_, block| (block.seq, 0), fold, sink, &mut |_| Ok(())).unwrap();
            assert!(seen > 100);
            assert_eq!(folded, seen, "{jobs} threads");
        }
    }

    #[test]
    fn a_panic_while_folding_reaches_the_caller() {
        let text = text(1000);
        for jobs in 1..=4 {
            let caught = std::panic::catch_unwind(|| {
                let mut reader = BlockReader::new(text.as_bytes()).block_size(64);
                let fold = |seq: &mut u64| assert!(*seq != 77, "block 77");
                run_folding(&mut reader, jobs, || (), |_, b| b.seq, fold, |_| Ok(()), &mut |_| Ok(())).ok();
            });
            assert!(caught.is_err(), "{jobs} threads");
        }
    }

    #[test]
    fn an_error_of_the_sink_ends_all_threads() {
        for jobs in 1..=4 {
            let text = text(3000);
            let mut reader = BlockReader::new(text.as_bytes()).block_size(100);
            let mut n = 0;
            let result = run(
                &mut reader,
                jobs,
                || (),
                |_, b| b.seq,
                |seq| {
                    assert_eq!(seq, n);
                    n += 1;
                    if n == 50 {
                        Err(Error::new(Code::Internal, "stop"))
                    } else {
                        Ok(())
                    }
                },
                &mut |_| Ok(()),
            );
            assert_eq!(result.unwrap_err().code, Code::Internal);
            assert_eq!(n, 50);
        }
    }

    #[test]
    fn an_interrupt_from_the_tick_ends_all_threads() {
        for jobs in 1..=4 {
            let text = text(3000);
            let mut reader = BlockReader::new(text.as_bytes()).block_size(100);
            let mut tick =
                |done| if done > 20_000 { Err(Error::new(Code::Interrupted, "interrupted")) } else { Ok(()) };
            let result = run(&mut reader, jobs, || (), |_, _| (), |()| Ok(()), &mut tick);
            assert_eq!(result.unwrap_err().code, Code::Interrupted);
        }
    }

    #[test]
    fn a_read_error_comes_after_the_results_before_it() {
        let text = format!("{}{}\n", text(1000), "y".repeat(500));
        for jobs in 1..=3 {
            let mut reader = BlockReader::new(text.as_bytes()).block_size(64).max_line(100);
            let mut seen = 0;
            let result = run(
                &mut reader,
                jobs,
                || (),
                |_, b| b.text().len(),
                |n| {
                    seen += n;
                    Ok(())
                },
                &mut |_| Ok(()),
            );
            let error = result.unwrap_err();
            assert_eq!((error.code, error.line), (Code::LineTooLong, Some(1001)));
            assert!(seen >= text.len() - 501 - 64 && seen < text.len());
        }
    }

    #[test]
    fn a_panic_in_a_worker_reaches_the_caller() {
        for jobs in 1..=3 {
            let text = text(1000);
            let caught = std::panic::catch_unwind(|| {
                let mut reader = BlockReader::new(text.as_bytes()).block_size(64);
                let work = |_: &mut (), b: Block| assert!(b.seq != 77, "block 77");
                run(&mut reader, jobs, || (), work, |()| Ok(()), &mut |_| Ok(())).ok();
            });
            assert!(caught.is_err(), "{jobs} threads");
        }
    }
}
