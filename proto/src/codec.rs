//! Protobuf on the wire, as `tonic-prost` has it, but a message that cannot be read is the sender's fault.

use std::marker::PhantomData;

use prost::Message;
use tonic::{
    Code, Status,
    codec::{BufferSettings, Codec as Wire, DecodeBuf, Decoder},
};
use tonic_prost::ProstCodec;

/// The codec of all services: bytes that are no message are refused as `INVALID_ARGUMENT`, not as `INTERNAL`.
#[derive(Debug, Clone, Copy)]
pub struct Codec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for Codec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Wire for Codec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = <ProstCodec<T, U> as Wire>::Encoder;
    type Decoder = Reader<<ProstCodec<T, U> as Wire>::Decoder>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        Reader(ProstCodec::<T, U>::default().decoder())
    }
}

/// Reads messages.
#[derive(Debug, Clone, Default)]
pub struct Reader<D>(D);

impl<D: Decoder<Error = Status>> Decoder for Reader<D> {
    type Item = D::Item;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<D::Item>, Status> {
        self.0.decode(bytes).map_err(|status| match status.code() {
            Code::Internal => {
                Status::invalid_argument(format!("the message cannot be read: {}", status.message()))
            }
            _ => status,
        })
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.0.buffer_settings()
    }
}
