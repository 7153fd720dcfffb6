//! A small linear program that grows column by column: the revised simplex method with a dense inverse.
//!
//! # Method
//! Primal simplex in floating point (additions, products, quotients and comparisons alone, so that it is the same on every
//! machine). Every row has a slack of either sign, which costs a lot where it stands for something that may not be: any basis is
//! one to go on from. Columns can be barred; those of the basis then go out by the dual simplex method. Right sides are
//! moved by a hair, which keeps steps from standing still. A step costs O(rows²) and a look at some of the columns. Nothing here
//! has to be trusted: the prices are rounded, and what they prove is computed again in whole numbers ([`super::pricing`]).
//! Bounded: so many steps, and the inverse is computed anew now and then and where amounts do not add up.

mod inverse;
mod out;

/// Below this a number counts as none.
const TINY: f64 = 1e-7;
/// Room for what is not quite used up.
const ROOM: f64 = 1e-11;
/// Steps in which what must go has to be out; after that everything starts anew.
const MOST_OUT: u32 = 500;
/// How much a column must win to come in.
const WORTH: f64 = 1e-7;
/// Columns that are looked at again and again before all are.
const FEW: usize = 32;
/// Steps between two computations of the inverse from nothing.
const REFRESH: u32 = 400;

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
        if self.is_wrong() {
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
                if self.is_wrong() {
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
