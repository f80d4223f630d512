//! A list that keeps its first and its last entries and counts what it left out between them.

use std::collections::VecDeque;

#[derive(Debug)]
pub struct Ends<T> {
    head: Vec<T>,
    tail: VecDeque<T>,
    limits: (usize, usize),
    pushed: u64,
}

impl<T> Ends<T> {
    pub fn new(limits: (usize, usize)) -> Ends<T> {
        Ends { head: Vec::new(), tail: VecDeque::new(), limits, pushed: 0 }
    }

    /// Add an entry; its number finds it again as long as it is kept.
    pub fn push(&mut self, entry: T) -> u64 {
        let number = self.pushed;
        self.pushed += 1;
        if self.head.len() < self.limits.0 {
            self.head.push(entry);
        } else {
            if self.tail.len() == self.limits.1 {
                self.tail.pop_front();
            }
            self.tail.push_back(entry);
        }
        number
    }

    pub fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        if (number as usize) < self.head.len() {
            return self.head.get_mut(number as usize);
        }
        let first = self.pushed - self.tail.len() as u64;
        self.tail.get_mut(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    /// The entries that are kept, with their numbers, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &T)> {
        let first = self.pushed - self.tail.len() as u64;
        let head = self.head.iter().enumerate().map(|(n, entry)| (n as u64, entry));
        head.chain(self.tail.iter().enumerate().map(move |(n, entry)| (first + n as u64, entry)))
    }

    /// Move the entries that are kept to `out`.
    pub fn drain(&mut self, out: &mut Vec<T>) {
        out.append(&mut self.head);
        out.extend(self.tail.drain(..));
    }

    /// How many are not kept.
    pub fn omitted(&self) -> u64 {
        self.pushed - self.head.len() as u64 - self.tail.len() as u64
    }

    /// How many there were.
    pub fn pushed(&self) -> u64 {
        self.pushed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_are_kept_and_found_by_number() {
        let mut list = Ends::new((2, 3));
        for k in 0..10u64 {
            assert_eq!(list.push(k * 10), k);
        }
        let kept: Vec<(u64, u64)> = list.iter().map(|(n, v)| (n, *v)).collect();
        assert_eq!(kept, [(0, 0), (1, 10), (7, 70), (8, 80), (9, 90)]);
        assert_eq!(list.omitted(), 5);
        assert_eq!(list.get_mut(8).copied(), Some(80));
        assert_eq!(list.get_mut(1).copied(), Some(10));
        assert!(list.get_mut(4).is_none() && list.get_mut(10).is_none());
    }

    #[test]
    fn a_short_list_is_whole() {
        let mut list = Ends::new((2, 3));
        (0..4u64).for_each(|k| {
            list.push(k);
        });
        assert_eq!(list.iter().map(|(_, v)| *v).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(list.omitted(), 0);
    }
}
