//! A small linear program that grows column by column: the revised simplex method with a dense inverse.
//!
//! # Method
//! Primal simplex in floating point (additions, products, quotients and comparisons alone, so that it is the same on every
//! machine). Every row has a slack of either sign; what may not be used costs a lot instead of being forbidden, so that any
//! basis stays one to go on from when costs change. Right sides are moved by a hair, which keeps steps from standing still.
//! A step costs O(rows²) and a look at all columns. Nothing here has to be trusted: the prices are rounded, and what they prove
//! is computed again in whole numbers ([`super::pricing`]).

/// Below this a number counts as none.
const TINY: f64 = 1e-7;
/// Room for what is not quite used up.
const ROOM: f64 = 1e-11;
/// The least share of a column that goes out by itself.
const LEAST: f64 = 1e-9;
/// Steps in which what must go has to be out; after that everything starts anew.
const MOST_OUT: u32 = 500;
/// How much a column must win to come in.
const WORTH: f64 = 1e-7;
/// Columns that are looked at again and again before all are.
const FEW: usize = 32;
/// Steps between two computations of the inverse from nothing.
const REFRESH: u32 = 400;
/// Amounts may be wrong by so much.
const WRONG: f64 = 1e-7;

/// A row.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What its columns come to, or at most come to.
    pub right: f64,
    /// Whether less is allowed.
    pub less: bool,
    /// What a unit beyond costs.
    pub penalty: f64,
}

/// A column.
#[derive(Debug, Clone)]
struct Column {
    /// Its entries: the first, and the one after the last.
    entries: (u32, u32),
    cost: f64,
    /// What is added to the cost while others go out.
    shift: f64,
    /// Whether it must not be used.
    barred: bool,
    /// Its row in the basis.
    basic: Option<u32>,
}

/// The program and where its solution stands.
#[derive(Debug, Clone)]
pub struct Program {
    rows: Vec<Row>,
    /// Two slacks a row, of either sign, and then the columns.
    columns: Vec<Column>,
    /// The rows of all columns, one after the other, and how much of each.
    entries: Vec<(u32, f64)>,
    basis: Vec<u32>,
    /// Column by column.
    inverse: Vec<f64>,
    /// The amount of each column in the basis.
    amounts: Vec<f64>,
    prices: Vec<f64>,
    /// Columns that may be worth it.
    few: Vec<u32>,
    since: u32,
    /// Steps so far.
    pub steps: u64,
}

impl Program {
    /// Without columns.
    pub fn new(rows: Vec<Row>) -> Self {
        let many = rows.len();
        let mut columns = Vec::with_capacity(2 * many);
        let mut entries = Vec::with_capacity(2 * many);
        let mut basis = Vec::with_capacity(many);
        for (at, row) in (0_u32..).zip(&rows) {
            let below = row.right < 0.0;
            for sign in [1.0, -1.0] {
                let cost = if sign > 0.0 && row.less { 0.0 } else { row.penalty };
                let basic = (below == (sign < 0.0)).then_some(at);
                if basic.is_some() {
                    basis.push(2 * at + u32::from(below));
                }
                columns.push(Column { entries: extend(&mut entries, [(at, sign)]), cost, shift: 0.0, barred: false, basic });
            }
        }
        let mut program = Self {
            rows,
            columns,
            entries,
            basis,
            inverse: vec![0.0; many * many],
            amounts: vec![0.0; many],
            prices: vec![0.0; many],
            few: Vec::new(),
            since: 0,
            steps: 0,
        };
        program.refresh();
        program
    }

    /// Adds a column; its number.
    pub fn add(&mut self, cost: f64, rows: impl IntoIterator<Item = (u32, f64)>) -> u32 {
        let entries = extend(&mut self.entries, rows);
        self.columns.push(Column { entries, cost, shift: 0.0, barred: false, basic: None });
        u32::try_from(self.columns.len() - 1).unwrap_or(u32::MAX)
    }

    /// Starts from a basis; what does not fit into it stays out.
    pub fn start(&mut self, basis: Vec<u32>) {
        for column in &self.basis {
            self.columns[*column as usize].basic = None;
        }
        self.basis = basis;
        self.refresh();
    }

    /// The columns of the solution.
    pub fn basis(&self) -> &[u32] {
        &self.basis
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Says whether a column must not be used.
    pub fn bar(&mut self, column: u32, barred: bool) {
        self.columns[column as usize].barred = barred;
    }

    /// How much of a column the solution has.
    pub fn amount(&self, column: u32) -> f64 {
        self.columns[column as usize].basic.map_or(0.0, |row| self.amounts[row as usize].max(0.0))
    }

    /// What a unit of each row is worth.
    pub fn prices(&self) -> &[f64] {
        &self.prices
    }

    /// What the solution costs.
    pub fn cost(&self) -> f64 {
        self.basis.iter().zip(&self.amounts).map(|(column, amount)| self.columns[*column as usize].cost * amount).sum()
    }

    fn of(&self, column: &Column) -> &[(u32, f64)] {
        &self.entries[column.entries.0 as usize..column.entries.1 as usize]
    }

    /// How much dearer a column is than what it replaces.
    pub fn reduced(&self, column: u32) -> f64 {
        let column = &self.columns[column as usize];
        self.of(column).iter().fold(column.cost, |sum, (row, by)| sum - self.prices[*row as usize] * by)
    }

    /// Right sides moved by a hair.
    fn right(&self, row: usize) -> f64 {
        self.rows[row].right + hair(row as u64) * 1e-8
    }

    /// Goes on to the best solution, at most so many steps; whether it was reached.
    ///
    /// What must not be used or is less than nothing goes out first, for what it makes dearer by the least (the dual simplex
    /// method, where what is worth it already counts as neither dear nor cheap); then what is worth it comes in.
    pub fn solve(&mut self, most: u32) -> bool {
        if self.since >= REFRESH || !self.adds_up() {
            self.refresh();
        }
        self.reprice();
        let mut steps = 0;
        if self.wrong().is_some() {
            self.shift(true);
            if !self.put_out(MOST_OUT, &mut steps) {
                self.reset();
            }
            self.shift(false);
            self.reprice();
        }
        self.few.clear();
        while steps < most {
            if self.since >= REFRESH || (self.since % 64 == 63 && !self.adds_up()) {
                self.refresh();
                if self.wrong().is_some() {
                    return self.solve(most - steps);
                }
            }
            let Some((enters, worth)) = self.entering() else { return true };
            steps += 1;
            if !self.let_in(enters, worth) {
                return false;
            }
        }
        false
    }

    /// What the solution costs at least when what must not be used goes out, after so many steps.
    pub fn outlook(&mut self, most: u32) -> f64 {
        self.shift(true);
        self.put_out(most, &mut 0);
        self.cost()
    }

    /// Puts out what must not be used or is less than nothing; whether that came to an end.
    fn put_out(&mut self, most: u32, steps: &mut u32) -> bool {
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
        self.wrong().is_none()
    }

    /// Makes every column cost at least what it is worth, and a hair more; or takes that back.
    fn shift(&mut self, on: bool) {
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

    /// Whether the amounts add up to the right sides.
    fn adds_up(&self) -> bool {
        let mut left: Vec<f64> = (0..self.rows.len()).map(|row| self.right(row)).collect();
        for (column, amount) in self.basis.iter().zip(&self.amounts) {
            for (row, by) in self.of(&self.columns[*column as usize]) {
                left[*row as usize] -= by * amount;
            }
        }
        left.iter().all(|left| left.abs() < 1e-6)
    }

    /// The row of the basis that is the furthest from what it may be.
    fn wrong(&self) -> Option<usize> {
        let mut worst = None;
        let mut most = WRONG;
        for (row, (column, amount)) in self.basis.iter().zip(&self.amounts).enumerate() {
            let wrong = if self.columns[*column as usize].barred { amount.abs() } else { -amount };
            if wrong > most {
                most = wrong;
                worst = Some(row);
            }
        }
        worst
    }

    /// Starts from slacks alone.
    fn reset(&mut self) {
        self.start((0..self.rows.len()).filter_map(|row| u32::try_from(2 * row).ok()).collect());
    }

    /// The squares of the lengths of the rows of the inverse.
    fn norms(&self) -> Vec<f64> {
        let many = self.rows.len();
        let mut norms = vec![0.0; many];
        for column in self.inverse.chunks_exact(many) {
            norms.iter_mut().zip(column).for_each(|(norm, inverse)| *norm += inverse * inverse);
        }
        norms
    }

    /// The row of the basis that is the furthest from what it may be, as lengths go.
    fn wrongest(&self, norms: &[f64]) -> Option<usize> {
        let mut worst = None;
        let mut most = 0.0;
        for (row, (column, amount)) in self.basis.iter().zip(&self.amounts).enumerate() {
            let wrong = if self.columns[*column as usize].barred { amount.abs() } else { -amount };
            if wrong > WRONG && wrong * wrong > most * norms[row].max(1e-9) {
                most = wrong * wrong / norms[row].max(1e-9);
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
        let Some((enters, _, reduced)) = best.filter(|best| best.1 > 1e-6) else { return false };
        let change = self.change(enters);
        let mut along = vec![0.0; many];
        for (column, by) in self.inverse.chunks_exact(many).zip(&row) {
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

    /// The column that is worth the most of those that were at the last look at all of them.
    fn entering(&mut self) -> Option<(u32, f64)> {
        for again in [false, true] {
            if again {
                self.look();
            }
            let mut best = None;
            let mut least = -WORTH;
            let mut few = std::mem::take(&mut self.few);
            few.retain(|at| {
                let column = &self.columns[*at as usize];
                if column.basic.is_some() || column.barred {
                    return false;
                }
                let reduced = self.reduced(*at);
                if reduced < least {
                    least = reduced;
                    best = Some((*at, reduced));
                }
                reduced < -WORTH
            });
            self.few = few;
            if best.is_some() {
                return best;
            }
        }
        None
    }

    /// Looks for the columns that are worth the most.
    fn look(&mut self) {
        let mut all: Vec<(f64, u32)> = Vec::new();
        for (at, column) in (0_u32..).zip(&self.columns) {
            if column.basic.is_none() && !column.barred {
                let reduced = self.reduced(at);
                if reduced < -WORTH {
                    all.push((reduced, at));
                }
            }
        }
        if all.len() > FEW {
            all.select_nth_unstable_by(FEW, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            all.truncate(FEW);
        }
        self.few = all.into_iter().map(|(_, at)| at).collect();
    }

    /// What a unit of a column takes of the columns of the basis.
    fn change(&self, column: u32) -> Vec<f64> {
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

    /// Lets a column into the basis.
    fn let_in(&mut self, enters: u32, worth: f64) -> bool {
        let change = self.change(enters);
        // How far until the first is used up, with a little room; of those then the one with the largest share.
        let barred = |row: usize| self.columns[self.basis[row] as usize].barred;
        let mut far = f64::INFINITY;
        for (row, (change, amount)) in change.iter().zip(&self.amounts).enumerate() {
            if *change > TINY {
                far = far.min((amount.max(0.0) + ROOM) / change);
            } else if *change < -TINY && barred(row) {
                far = far.min(ROOM / -change);
            }
        }
        let mut leaves: Option<(usize, f64)> = None;
        for (row, (change, amount)) in change.iter().zip(&self.amounts).enumerate() {
            let fits = (*change > TINY && amount.max(0.0) / change <= far) || (*change < -TINY && barred(row));
            if fits && leaves.is_none_or(|(_, most)| change.abs() > most) {
                leaves = Some((row, change.abs()));
            }
        }
        let Some((out, _)) = leaves else { return false };
        self.amounts[out] = self.amounts[out].max(0.0);
        if change[out] < 0.0 {
            self.amounts[out] = 0.0;
        }
        self.pivot(out, enters, worth, &change);
        true
    }

    /// A column comes into the basis for that of a row.
    fn pivot(&mut self, out: usize, enters: u32, worth: f64, change: &[f64]) {
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

    fn reprice(&mut self) {
        let many = self.rows.len();
        for row in 0..many {
            let inverse = &self.inverse[row * many..][..many];
            let costs = self.basis.iter().map(|column| &self.columns[*column as usize]).map(|column| column.cost + column.shift);
            self.prices[row] = costs.zip(inverse).map(|(cost, inverse)| cost * inverse).sum();
        }
    }

    /// The inverse from nothing: one column of the basis after the other comes in for a slack; what does not fit stays out.
    fn refresh(&mut self) {
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

fn extend(entries: &mut Vec<(u32, f64)>, rows: impl IntoIterator<Item = (u32, f64)>) -> (u32, u32) {
    let at = |entries: &Vec<(u32, f64)>| u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let from = at(entries);
    entries.extend(rows);
    (from, at(entries))
}

/// Something between one and two that looks like chance.
fn hair(number: u64) -> f64 {
    1.0 + (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44) as f64 / (1_u64 << 20) as f64
}
