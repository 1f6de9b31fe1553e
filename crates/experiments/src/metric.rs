//! Metrics: what an experiment observes of a run.

/// How often a metric is observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cadence {
    /// At every observation point.
    Every,
    /// At every tenth observation point, the first and the last.
    Tenth,
    /// At the last step only.
    Final,
}

/// How a metric is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// One number.
    Scalar,
    /// A list of numbers.
    Vector,
    /// Row 0: bin edges (n + 1); row 1: counts (n) and a closing 0. Shape (2, n + 1).
    Histogram,
    /// Rows and columns of numbers.
    Matrix,
    /// Images, shape (n, rows, cols).
    Tiles,
    /// Events: row 0 times in ms, row 1 units. Shape (2, n).
    Raster,
    /// Rows that are compared bar by bar, such as actual and learned, shape (rows, n).
    Bars,
}

impl ValueKind {
    /// As users read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "vector",
            Self::Histogram => "histogram",
            Self::Matrix => "matrix",
            Self::Tiles => "tiles",
            Self::Raster => "raster",
            Self::Bars => "bars",
        }
    }
}

/// Declares a metric.
#[derive(Debug, Clone, Copy)]
pub struct MetricSpec {
    /// `[a-z][a-z0-9_]{0,63}`.
    pub name: &'static str,
    /// Unit; `1` for pure numbers.
    pub unit: &'static str,
    /// How it is drawn.
    pub kind: ValueKind,
    /// How often.
    pub cadence: Cadence,
    /// What it means, in a sentence.
    pub meaning: &'static str,
}

/// A line of a table of metrics: name, unit, kind, cadence, meaning.
pub(crate) const fn spec(
    name: &'static str,
    unit: &'static str,
    kind: ValueKind,
    cadence: Cadence,
    meaning: &'static str,
) -> MetricSpec {
    MetricSpec { name, unit, kind, cadence, meaning }
}

/// One observed value.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its declared name.
    pub name: &'static str,
    /// The step it was observed at.
    pub step: u64,
    /// The value.
    pub value: Value,
}

/// One number, or an array.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// One number.
    Scalar(f64),
    /// Many numbers.
    Array(Array),
}

/// Numbers in C order, little-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// How to draw it.
    pub kind: ValueKind,
    /// What each number is.
    pub dtype: Dtype,
    /// Size along each dimension.
    pub shape: Vec<u32>,
    /// The bytes.
    pub data: Vec<u8>,
}

/// Type of an array's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE single.
    F32,
    /// IEEE double.
    F64,
    /// Byte.
    U8,
    /// 32-bit unsigned.
    U32,
}

impl Value {
    /// Whether every number is finite. Bytes and counts always are.
    pub fn is_finite(&self) -> bool {
        match self {
            Self::Scalar(x) => x.is_finite(),
            Self::Array(Array { dtype: Dtype::F32, data, .. }) => {
                data.as_chunks::<4>().0.iter().all(|x| f32::from_le_bytes(*x).is_finite())
            }
            Self::Array(Array { dtype: Dtype::F64, data, .. }) => {
                data.as_chunks::<8>().0.iter().all(|x| f64::from_le_bytes(*x).is_finite())
            }
            Self::Array(_) => true,
        }
    }
}

/// Collects the metrics of one observation point and knows what is due there.
#[derive(Debug)]
pub struct Metrics {
    step: u64,
    point: u64,
    last: bool,
    specs: &'static [MetricSpec],
    values: Vec<Option<Value>>,
}

impl Metrics {
    /// `point` is the number of the observation point, from 0; `last` says that the run ends here.
    pub(crate) fn new(specs: &'static [MetricSpec], step: u64, point: u64, last: bool) -> Self {
        Self { step, point, last, specs, values: vec![None; specs.len()] }
    }

    /// The step that is observed.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Whether the run ends at this step.
    pub fn is_last(&self) -> bool {
        self.last
    }

    /// Whether a metric is due: ask before computing what is expensive.
    pub fn wants(&self, name: &str) -> bool {
        self.specs.iter().any(|spec| spec.name == name && self.is_due(spec.cadence))
    }

    fn is_due(&self, cadence: Cadence) -> bool {
        match cadence {
            Cadence::Every => true,
            Cadence::Tenth => self.last || self.point.is_multiple_of(10),
            Cadence::Final => self.last,
        }
    }

    /// One number.
    pub fn scalar(&mut self, name: &'static str, value: f64) {
        self.put(name, ValueKind::Scalar, Value::Scalar(value));
    }

    /// A list of numbers.
    pub fn vector(&mut self, name: &'static str, values: &[f32]) {
        self.put_f32(name, ValueKind::Vector, vec![values.len() as u32], values);
    }

    /// Rows of `cols` numbers each.
    pub fn matrix(&mut self, name: &'static str, cols: u32, values: &[f32]) {
        self.put_f32(name, ValueKind::Matrix, vec![values.len() as u32 / cols, cols], values);
    }

    /// Counts between edges; `edges.len() = counts.len() + 1`.
    pub fn histogram(&mut self, name: &'static str, edges: &[f64], counts: &[u64]) {
        assert_eq!(edges.len(), counts.len() + 1, "a histogram has one more edge than bins");
        let counts = counts.iter().map(|&n| n as f64).chain([0.0]);
        let data = edges.iter().copied().chain(counts).flat_map(f64::to_le_bytes).collect();
        let shape = vec![2, edges.len() as u32];
        let array = Array { kind: ValueKind::Histogram, dtype: Dtype::F64, shape, data };
        self.put(name, ValueKind::Histogram, Value::Array(array));
    }

    /// Images: `values` holds `values.len() / (rows · cols)` of them.
    pub fn tiles(&mut self, name: &'static str, rows: u32, cols: u32, values: &[f32]) {
        let n = values.len() as u32 / (rows * cols);
        self.put_f32(name, ValueKind::Tiles, vec![n, rows, cols], values);
    }

    /// Events, such as spikes, each with a time in ms and the unit it belongs to.
    pub fn raster(&mut self, name: &'static str, events: impl Iterator<Item = (f64, u32)> + Clone) {
        let times = events.clone().map(|(ms, _)| ms as f32);
        let values: Vec<f32> = times.chain(events.map(|(_, unit)| unit as f32)).collect();
        self.put_f32(name, ValueKind::Raster, vec![2, values.len() as u32 / 2], &values);
    }

    /// Rows of `cols` bars each, that are compared bar by bar.
    pub fn bars(&mut self, name: &'static str, cols: u32, values: &[f32]) {
        self.put_f32(name, ValueKind::Bars, vec![values.len() as u32 / cols, cols], values);
    }

    fn put_f32(&mut self, name: &'static str, kind: ValueKind, shape: Vec<u32>, values: &[f32]) {
        let size: u64 = shape.iter().map(|&n| u64::from(n)).product();
        assert_eq!(size, values.len() as u64, "metric `{name}`: the shape must hold every value");
        let data = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.put(name, kind, Value::Array(Array { kind, dtype: Dtype::F32, shape, data }));
    }

    /// Takes a value that is due; drops one that is not, so that `observe` need not ask for cheap ones.
    fn put(&mut self, name: &'static str, kind: ValueKind, value: Value) {
        let i = self.specs.iter().position(|spec| spec.name == name);
        let i = i.unwrap_or_else(|| panic!("metric `{name}` is observed but not declared in METRICS"));
        assert_eq!(self.specs[i].kind, kind, "metric `{name}` is declared as another kind");
        if self.is_due(self.specs[i].cadence) {
            self.values[i] = Some(value);
        }
    }

    /// Everything observed, in the order of the declarations.
    pub(crate) fn finish(self) -> Vec<Metric> {
        let step = self.step;
        let pairs = self.specs.iter().zip(self.values);
        pairs.filter_map(|(spec, value)| value.map(|value| Metric { name: spec.name, step, value })).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: [MetricSpec; 2] = [
        MetricSpec {
            name: "spikes",
            unit: "1",
            kind: ValueKind::Raster,
            cadence: Cadence::Every,
            meaning: "",
        },
        MetricSpec { name: "joint", unit: "1", kind: ValueKind::Bars, cadence: Cadence::Every, meaning: "" },
    ];

    #[test]
    fn events_are_times_over_units_and_bars_are_rows_of_equal_length() {
        let mut metrics = Metrics::new(&SPECS, 0, 0, true);
        metrics.raster("spikes", [(1.5, 7), (2.5, 0), (4.0, 7)].into_iter());
        metrics.bars("joint", 2, &[0.25, 0.75, 0.5, 0.5]);
        let found: Vec<(Vec<u32>, Vec<f32>)> = (metrics.finish().into_iter())
            .map(|metric| match metric.value {
                Value::Array(array) => {
                    let numbers =
                        array.data.as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect();
                    (array.shape, numbers)
                }
                Value::Scalar(_) => panic!("`{}` is an array", metric.name),
            })
            .collect();
        let spikes = (vec![2, 3], vec![1.5, 2.5, 4.0, 7.0, 0.0, 7.0]);
        assert_eq!(found, [spikes, (vec![2, 2], vec![0.25, 0.75, 0.5, 0.5])]);
    }
}
