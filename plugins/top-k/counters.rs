//! Counters of items: Space-Saving, and how two of its summaries become one (Agarwal and others:
//! Mergeable Summaries, PODS 2012).
use crate::aggregate::Accumulator;

/// A count is at least what an item has, and by at most its error more.
#[derive(Clone, Default)]
pub struct Counter {
    pub item: Vec<u8>,
    pub count: f64,
    pub error: f64,
}

/// Sorted by item. What has no counter has at most as much as the smallest, if no room is left.
#[derive(Default)]
pub struct Counters(Vec<Counter>);

impl Counters {
    fn find(&self, item: &[u8]) -> Result<usize, usize> {
        self.0.binary_search_by(|c| c.item.as_slice().cmp(item))
    }

    /// Adds to the count of an item, which takes the smallest counter if it has none.
    pub fn add(&mut self, item: &[u8], weight: f64, room: usize) {
        let at = match self.find(item) {
            Ok(at) => return self.0[at].count += weight,
            Err(at) => at,
        };
        let mut new = Counter { item: item.to_vec(), count: weight, error: 0.0 };
        if self.0.len() < room {
            return self.0.insert(at, new);
        }
        let smallest = (0..self.0.len()).min_by(|&a, &b| self.0[a].count.total_cmp(&self.0[b].count)).unwrap();
        new.error = self.0.remove(smallest).count;
        new.count += new.error;
        self.0.insert(at - (smallest < at) as usize, new);
    }

    /// The most that an item without a counter may have.
    fn unknown(&self, room: usize) -> f64 {
        let smallest = self.0.iter().map(|c| c.count).min_by(f64::total_cmp);
        smallest.filter(|_| self.0.len() >= room).unwrap_or(0.0)
    }

    /// Adds all of the others.
    pub fn merge(&mut self, others: &Counters, room: usize) {
        let (here, there) = (self.unknown(room), others.unknown(room));
        for c in &mut self.0 {
            let other = others.find(&c.item).map(|at| others.0[at].clone());
            let other = other.unwrap_or(Counter { count: there, error: there, ..Default::default() });
            c.count += other.count;
            c.error += other.error;
        }
        for c in &others.0 {
            if let Err(at) = self.find(&c.item) {
                self.0.insert(at, Counter { item: c.item.clone(), count: c.count + here, error: c.error + here });
            }
        }
        if self.0.len() > room {
            self.0 = self.largest(room);
            self.0.sort_by(|a, b| a.item.cmp(&b.item));
        }
    }

    /// The k largest, the largest first.
    pub fn largest(&self, k: usize) -> Vec<Counter> {
        let mut all = self.0.clone();
        all.sort_by(|a, b| b.count.total_cmp(&a.count)); // of equal ones the one that sorts first
        all.truncate(k);
        all
    }
}

impl Accumulator for Counters {
    fn decode(&mut self, mut bytes: &[u8]) {
        self.0.clear();
        while !bytes.is_empty() {
            let number = |at: usize| f64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
            let end = 24 + number(16) as usize;
            self.0.push(Counter { count: number(0), error: number(8), item: bytes[24..end].to_vec() });
            bytes = &bytes[end..];
        }
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        for c in &self.0 {
            for number in [c.count, c.error, c.item.len() as f64] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            bytes.extend_from_slice(&c.item);
        }
    }
}
