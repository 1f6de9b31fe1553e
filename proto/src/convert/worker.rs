//! What a worker says of itself.

use jobs::{Capability, Millis, WorkerInfo};

use super::{ConvertError, id};
use crate::v1;

impl From<Capability> for v1::Capability {
    fn from(capability: Capability) -> Self {
        let Capability { experiment, version } = capability;
        Self { experiment, version }
    }
}

impl From<v1::Capability> for Capability {
    fn from(capability: v1::Capability) -> Self {
        let v1::Capability { experiment, version } = capability;
        Self { experiment, version }
    }
}

impl From<WorkerInfo> for v1::RegisterRequest {
    fn from(info: WorkerInfo) -> Self {
        Self {
            worker_id: info.id.to_string(),
            name: info.name,
            build: info.build,
            catalogue: info.catalogue.into_iter().map(Into::into).collect(),
            slots: info.slots,
            memory_bytes: info.memory_bytes,
            labels: info.labels.into_iter().collect(),
        }
    }
}

/// A worker as it registered, heard of at `seen_at` on the server's clock.
///
/// # Errors
/// If its id is none, or it has no slot.
pub fn worker_info(request: v1::RegisterRequest, seen_at: Millis) -> Result<WorkerInfo, ConvertError> {
    if request.slots == 0 {
        return Err(ConvertError::new("slots", 0, "it must be at least 1"));
    }
    Ok(WorkerInfo {
        id: id("worker_id", &request.worker_id)?,
        name: request.name,
        build: request.build,
        catalogue: request.catalogue.into_iter().map(Into::into).collect(),
        slots: request.slots,
        memory_bytes: request.memory_bytes,
        labels: request.labels.into_iter().collect(),
        seen_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_survives_the_wire_but_for_when_it_was_seen() {
        let info = WorkerInfo {
            id: jobs::WorkerId(uuid::Uuid::from_u128(5)),
            name: "node-7:4711".into(),
            build: "0.1.0".into(),
            catalogue: vec![Capability { experiment: "rbm".into(), version: 2 }],
            slots: 4,
            memory_bytes: 8 << 30,
            labels: [("gpu".to_owned(), "none".to_owned())].into(),
            seen_at: 99,
        };
        let wire = v1::RegisterRequest::from(info.clone());
        assert_eq!(worker_info(wire.clone(), 99), Ok(info));
        let nameless = v1::RegisterRequest { worker_id: String::new(), ..wire.clone() };
        assert_eq!(worker_info(nameless, 0).expect_err("must be refused").field, "worker_id");
        assert_eq!(
            worker_info(v1::RegisterRequest { slots: 0, ..wire }, 0).expect_err("must be refused").field,
            "slots"
        );
    }
}
