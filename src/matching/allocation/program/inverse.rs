//! The inverse of the basis, column by column.

use super::Program;

impl Program {
    /// Whether the amounts add up to the right sides.
    pub(super) fn adds_up(&self) -> bool {
        let mut left: Vec<f64> = (0..self.rows.len()).map(|row| self.right(row)).collect();
        for (column, amount) in self.basis.iter().zip(&self.amounts) {
            for (row, by) in self.of(&self.columns[*column as usize]) {
                left[*row as usize] -= by * amount;
            }
        }
        left.iter().all(|left| left.abs() < 1e-6)
    }

    /// What a unit of a column takes of the columns of the basis.
    pub(super) fn change(&self, column: u32) -> Vec<f64> {
        let many = self.rows.len();
        let mut change = vec![0.0; many];
        for (row, by) in self.of(&self.columns[column as usize]) {
            let inverse = &self.inverse[*row as usize * many..][..many];
            for (change, inverse) in change.iter_mut().zip(inverse) {
                *change += by * inverse;
            }
        }
        change.iter_mut().filter(|change| change.abs() < 1e-12).for_each(|change| *change = 0.0);
        change
    }

    /// A column comes into the basis for that of a row.
    pub(super) fn pivot(&mut self, out: usize, enters: u32, worth: f64, change: &[f64]) {
        let many = self.rows.len();
        let pivot = change[out];
        let far = self.amounts[out] / pivot;
        for (amount, change) in self.amounts.iter_mut().zip(change) {
            *amount -= far * change;
        }
        self.amounts[out] = far;
        let touched: Vec<u32> = (0_u32..).zip(change).filter(|(_, change)| **change != 0.0).map(|(row, _)| row).collect();
        let few = touched.len() * 2 < many;
        for column in 0..many {
            let inverse = &mut self.inverse[column * many..][..many];
            if inverse[out] != 0.0 {
                let share = inverse[out] / pivot;
                self.prices[column] += worth * share;
                if few {
                    touched.iter().for_each(|row| inverse[*row as usize] -= share * change[*row as usize]);
                } else {
                    for (inverse, change) in inverse.iter_mut().zip(change) {
                        *inverse -= share * change;
                    }
                }
                inverse[out] = share;
            }
        }
        self.columns[self.basis[out] as usize].basic = None;
        self.columns[enters as usize].basic = u32::try_from(out).ok();
        self.basis[out] = enters;
        self.since += 1;
        self.steps += 1;
    }

    pub(super) fn reprice(&mut self) {
        let many = self.rows.len();
        for row in 0..many {
            let inverse = &self.inverse[row * many..][..many];
            let costs = self.basis.iter().map(|column| &self.columns[*column as usize]).map(|column| column.cost + column.shift);
            self.prices[row] = costs.zip(inverse).map(|(cost, inverse)| cost * inverse).sum();
        }
    }

    /// The inverse from nothing: one column of the basis after the other comes in for a slack; what does not fit stays out.
    pub(super) fn refresh(&mut self) {
        let many = self.rows.len();
        self.since = 0;
        let wanted = std::mem::take(&mut self.basis);
        self.inverse.fill(0.0);
        for row in 0..many {
            self.inverse[row * many + row] = 1.0;
        }
        // Slacks stay in their own rows.
        self.basis = vec![u32::MAX; many];
        let mut rest = Vec::new();
        for column in wanted {
            self.columns[column as usize].basic = None;
            let row = (column / 2) as usize;
            if row < many && self.basis[row] == u32::MAX {
                self.basis[row] = column;
                if column % 2 == 1 {
                    self.inverse[row * many + row] = -1.0;
                }
            } else if row >= many {
                rest.push(column);
            }
        }
        rest.sort_by_key(|column| (self.of(&self.columns[*column as usize]).len(), *column));
        for column in rest {
            let change = self.change(column);
            let mut place: Option<(usize, f64)> = None;
            for (row, change) in change.iter().enumerate() {
                if self.basis[row] == u32::MAX && change.abs() > place.map_or(1e-7, |(_, most)| most) {
                    place = Some((row, change.abs()));
                }
            }
            let Some((out, _)) = place else { continue };
            let pivot = change[out];
            for at in 0..many {
                let inverse = &mut self.inverse[at * many..][..many];
                if inverse[out] != 0.0 {
                    let share = inverse[out] / pivot;
                    for (inverse, change) in inverse.iter_mut().zip(&change) {
                        *inverse -= share * change;
                    }
                    inverse[out] = share;
                }
            }
            self.basis[out] = column;
        }
        for row in 0..many {
            if self.basis[row] == u32::MAX {
                self.basis[row] = u32::try_from(2 * row).unwrap_or(0);
            }
        }
        for row in 0..many {
            self.columns[self.basis[row] as usize].basic = u32::try_from(row).ok();
        }
        self.amounts.fill(0.0);
        for row in 0..many {
            let right = self.right(row);
            let inverse = &self.inverse[row * many..][..many];
            for (amount, inverse) in self.amounts.iter_mut().zip(inverse) {
                *amount += right * inverse;
            }
        }
        for row in 0..many {
            if self.amounts[row] < -1e-7 && self.basis[row] as usize / 2 == row {
                // The other slack takes its place.
                self.flip(row);
            }
        }
        self.reprice();
    }

    /// Puts the slack of the other sign into the basis.
    fn flip(&mut self, row: usize) {
        let many = self.rows.len();
        let other = self.basis[row] ^ 1;
        self.columns[self.basis[row] as usize].basic = None;
        self.columns[other as usize].basic = u32::try_from(row).ok();
        self.basis[row] = other;
        self.amounts[row] = -self.amounts[row];
        for column in 0..many {
            let at = column * many + row;
            self.inverse[at] = -self.inverse[at];
        }
    }
}
