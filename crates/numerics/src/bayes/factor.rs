//! Tables over a few variables, as elimination multiplies and sums them.

/// A table over variables; the last is fastest.
#[derive(Debug, Clone)]
pub(super) struct Factor {
    /// Ascending.
    pub(super) variables: Vec<usize>,
    /// Values of each.
    pub(super) values: Vec<usize>,
    pub(super) table: Vec<f64>,
}

impl Factor {
    /// A table of ones; `values` is asked for the number of values of each variable.
    pub(super) fn ones(variables: Vec<usize>, values: impl Fn(usize) -> usize) -> Self {
        let values: Vec<usize> = variables.iter().map(|&at| values(at)).collect();
        let cells = values.iter().product::<usize>();
        Self { variables, values, table: vec![1.0; cells] }
    }

    /// Multiplies by a table over some of its variables.
    pub(super) fn multiply(&mut self, inner: &Self) {
        let Self { variables, values, table } = self;
        walk((variables, values), inner, |cell, at| table[cell] *= inner.table[at]);
    }

    /// Sums out all variables but `keep`, which are ascending and among these.
    pub(super) fn sum_to(&self, keep: &[usize]) -> Self {
        let values = |at: usize| self.values[self.variables.binary_search(&at).expect("it is among these")];
        let shape = Self::ones(keep.to_vec(), values);
        let mut table = vec![0.0; shape.table.len()];
        walk((&self.variables, &self.values), &shape, |cell, at| table[at] += self.table[cell]);
        Self { table, ..shape }
    }

    /// Divides all by their sum, which is returned; leaves zeros as they are.
    pub(super) fn normalise(&mut self) -> f64 {
        let total = self.table.iter().fold(0.0, |sum, p| sum + p);
        if total > 0.0 {
            self.table.iter_mut().for_each(|p| *p /= total);
        }
        total
    }
}

/// For each cell of a table over the outer variables, with these numbers of values, the cell of `inner`, whose variables are
/// among them.
fn walk((variables, values): (&[usize], &[usize]), inner: &Factor, mut visit: impl FnMut(usize, usize)) {
    let mut strides = vec![0; variables.len()];
    let mut stride = 1;
    for (variable, n) in inner.variables.iter().zip(&inner.values).rev() {
        let place = variables.binary_search(variable).expect("its variables are among these");
        strides[place] = stride;
        stride *= n;
    }
    let mut digits = vec![0; variables.len()];
    let mut at = 0;
    for cell in 0..values.iter().product::<usize>() {
        visit(cell, at);
        for place in (0..digits.len()).rev() {
            digits[place] += 1;
            at += strides[place];
            if digits[place] < values[place] {
                break;
            }
            at -= strides[place] * digits[place];
            digits[place] = 0;
        }
    }
}
