//! What must not be used, or is less than nothing, goes out: the dual simplex method.
//!
//! Every column first costs at least what it is worth, so that what comes in for what goes out makes nothing else worth it. The
//! row is chosen by how far it is off in parts of the length of its row of the inverse (Forrest and Goldfarb 1992).

use super::{Program, REFRESH, hair};

/// Amounts may be wrong by so much.
const WRONG: f64 = 1e-7;
/// The least share of a column that is looked at.
const LEAST: f64 = 1e-9;
/// The least share of a column that comes in.
const FIRM: f64 = 1e-6;

impl Program {
    /// What the solution costs at least when what must not be used goes out, after so many steps.
    pub fn outlook(&mut self, most: u32) -> f64 {
        self.shift(true);
        self.put_out(most, &mut 0);
        self.cost()
    }

    /// Puts out what must not be used or is less than nothing; whether that came to an end.
    pub(super) fn put_out(&mut self, most: u32, steps: &mut u32) -> bool {
        let mut norms = self.norms();
        for _ in 0..most {
            let Some(out) = self.wrongest(&norms) else { return true };
            *steps += 1;
            if !self.push_out(out, &mut norms) {
                return false;
            }
            if self.since >= REFRESH {
                self.refresh();
                norms = self.norms();
            }
        }
        !self.is_wrong()
    }

    /// Makes every column cost at least what it is worth, and a hair more; or takes that back.
    pub(super) fn shift(&mut self, on: bool) {
        let (prices, entries) = (&self.prices, &self.entries);
        for (at, column) in (0_u64..).zip(&mut self.columns) {
            column.shift = 0.0;
            if on && column.basic.is_none() && !column.barred {
                let rows = &entries[column.entries.0 as usize..column.entries.1 as usize];
                let reduced = rows.iter().fold(column.cost, |sum, (of, by)| sum - prices[*of as usize] * by);
                column.shift = (-reduced).max(0.0) + hair(at) * 1e-5;
            }
        }
    }

    /// How far the column of a row is from what it may be.
    fn off(&self, row: usize) -> f64 {
        let amount = self.amounts[row];
        if self.columns[self.basis[row] as usize].barred { amount.abs() } else { -amount }
    }

    /// Whether anything is used that must not be, or less than nothing.
    pub(super) fn is_wrong(&self) -> bool {
        (0..self.rows.len()).any(|row| self.off(row) > WRONG)
    }

    /// Starts from slacks alone.
    pub(super) fn reset(&mut self) {
        self.start((0..self.rows.len()).filter_map(|row| u32::try_from(2 * row).ok()).collect());
    }

    /// The squares of the lengths of the rows of the inverse.
    fn norms(&self) -> Vec<f64> {
        let many = self.rows.len();
        let mut norms = vec![0.0; many];
        for column in self.inverse.chunks_exact(many.max(1)) {
            norms.iter_mut().zip(column).for_each(|(norm, inverse)| *norm += inverse * inverse);
        }
        norms
    }

    /// The row of the basis that is the furthest from what it may be, as lengths go.
    fn wrongest(&self, norms: &[f64]) -> Option<usize> {
        let mut worst = None;
        let mut most = 0.0;
        for (row, norm) in norms.iter().enumerate() {
            let off = self.off(row);
            if off > WRONG && off * off > most * norm.max(1e-9) {
                most = off * off / norm.max(1e-9);
                worst = Some(row);
            }
        }
        worst
    }

    /// Takes the column of a row out of the basis.
    fn push_out(&mut self, out: usize, norms: &mut [f64]) -> bool {
        let many = self.rows.len();
        let sign = if self.amounts[out] > 0.0 { 1.0 } else { -1.0 };
        let row: Vec<f64> = (0..many).map(|column| self.inverse[column * many + out] * sign).collect();
        let mut ways: Vec<(u32, f64, f64)> = Vec::new();
        let mut least = f64::INFINITY;
        for (at, column) in (0_u32..).zip(&self.columns) {
            if column.basic.is_some() || column.barred {
                continue;
            }
            let share = self.of(column).iter().fold(0.0, |sum, (of, by)| sum + row[*of as usize] * by);
            if share > LEAST {
                let cost = column.cost + column.shift;
                let reduced = self.of(column).iter().fold(cost, |sum, (of, by)| sum - self.prices[*of as usize] * by);
                least = least.min((reduced.max(0.0) + 1e-6) / share);
                ways.push((at, share, reduced));
            }
        }
        let mut best: Option<(u32, f64, f64)> = None;
        for way in ways {
            if way.2.max(0.0) / way.1 <= least && best.is_none_or(|best| way.1 > best.1) {
                best = Some(way);
            }
        }
        let Some((enters, _, reduced)) = best.filter(|best| best.1 > FIRM) else { return false };
        let change = self.change(enters);
        let mut along = vec![0.0; many];
        for (column, by) in self.inverse.chunks_exact(many.max(1)).zip(&row) {
            if *by != 0.0 {
                along.iter_mut().zip(column).for_each(|(along, inverse)| *along += by * sign * inverse);
            }
        }
        let (pivot, own) = (change[out], norms[out]);
        for (norm, (change, along)) in norms.iter_mut().zip(change.iter().zip(&along)) {
            let share = change / pivot;
            *norm = (*norm - 2.0 * share * along + share * share * own).max(1e-9);
        }
        norms[out] = own / (pivot * pivot);
        self.pivot(out, enters, reduced, &change);
        true
    }
}
