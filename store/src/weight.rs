//! How much of a transaction a write takes.

/// Rows and bytes that a write adds or changes, roughly.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weight {
    rows: usize,
    bytes: usize,
}

impl Weight {
    /// A group ends at 5,000 rows or 4 MiB; a larger request goes alone.
    const GROUP: Self = Self { rows: 5_000, bytes: 4 << 20 };

    pub(crate) fn of(rows: usize, bytes: usize) -> Self {
        Self { rows, bytes }
    }

    pub(crate) fn rows(self) -> usize {
        self.rows
    }

    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, bytes: self.bytes + other.bytes }
    }

    /// Both together, if one group can hold them.
    pub(crate) fn and(self, other: Self) -> Option<Self> {
        let sum = self.plus(other);
        (sum.rows <= Self::GROUP.rows && sum.bytes <= Self::GROUP.bytes).then_some(sum)
    }
}
