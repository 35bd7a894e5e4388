//! Plans as bytes. What a function instance holds is sealed; everything else is the engine's own form.

use std::{fmt, sync::Arc};

use arrow::{
    datatypes::{Schema, SchemaRef},
    ipc::{reader::StreamReader, writer::StreamWriter},
};
use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use datafusion::{
    catalog::TableProvider,
    common::{Result, TableReference, exec_datafusion_err, exec_err},
    datasource::{MemTable, file_format::FileFormatFactory},
    error::DataFusionError,
    execution::TaskContext,
    logical_expr::{AggregateUDF, Extension, HigherOrderUDF, LogicalPlan, ScalarUDF, WindowUDF},
    physical_plan::ExecutionPlan,
};
use datafusion_proto::{
    logical_plan::LogicalExtensionCodec,
    physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension},
};
use kiban_kernel::{Entropy as _, OsEntropy};
use zeroize::Zeroizing;

use super::ClusterKey;
use crate::{
    KeyError,
    functions::state::{Instances, state_of},
};

/// Seals and opens what function instances hold.
pub(super) struct Functions {
    key: LessSafeKey,
    instances: Instances,
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Functions(…)")
    }
}

/// First byte of a sealed state; another codec's bytes begin otherwise.
const SEALED: u8 = 0xf1;

fn failed(act: &'static str) -> DataFusionError {
    exec_datafusion_err!("{act}")
}

impl Functions {
    pub(super) fn new(key: &ClusterKey) -> Result<Arc<Self>, KeyError> {
        let key = key.derive("function state").aead()?;
        Ok(Arc::new(Self { key, instances: Instances::default() }))
    }

    fn aad(name: &str) -> Aad<Vec<u8>> {
        Aad::from([b"kiban function v1\0", name.as_bytes()].concat())
    }

    /// Writes the state of a function of ours; `false` if it is not ours.
    fn encode(&self, function: &ScalarUDF, out: &mut Vec<u8>) -> Result<bool> {
        let Some(mut state) = state_of(function) else { return Ok(false) };
        if state.is_empty() {
            return Ok(true);
        }
        let mut nonce = [0; NONCE_LEN];
        OsEntropy.fill(&mut nonce).map_err(|_| failed("no random numbers"))?;
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Self::aad(function.name()),
                &mut state,
            )
            .map_err(|_| failed("the cipher failed"))?;
        out.push(SEALED);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&state);
        out.extend_from_slice(tag.as_ref());
        Ok(true)
    }

    /// The function of a sealed state; `None` if the bytes are none.
    fn decode(&self, name: &str, bytes: &[u8]) -> Option<Result<Arc<ScalarUDF>>> {
        let [SEALED, rest @ ..] = bytes else { return None };
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let mut state = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        Some(match self.key.open_in_place(nonce, Self::aad(name), &mut state) {
            Ok(plain) => self.instances.restore(name, plain),
            Err(_) => Err(failed("a function's state is sealed for another cluster or build")),
        })
    }
}

/// First byte of rows that a plan holds in memory.
const MEMORY: u8 = 0xf2;
/// Rows in memory that a plan may take along: tables that are larger belong into the lake.
const MEMORY_BYTES: usize = 64 << 20;

/// Rows of a table in memory, as an Arrow IPC stream. Connections are sealed: rows are not sealed once more.
fn write_rows(table: &MemTable, schema: &Schema, out: &mut Vec<u8>) -> Result<()> {
    out.push(MEMORY);
    let mut writer = StreamWriter::try_new(out, schema)?;
    for partition in &table.batches {
        let Ok(batches) = partition.try_read() else {
            return exec_err!("a table in memory is being written");
        };
        for batch in batches.iter() {
            writer.write(batch)?;
            if writer.get_ref().len() > MEMORY_BYTES {
                return exec_err!("a table in memory is too large to be sent");
            }
        }
    }
    Ok(writer.finish()?)
}

fn read_rows(bytes: &[u8], schema: SchemaRef) -> Result<MemTable> {
    let batches = StreamReader::try_new(bytes, None)?.collect::<Result<Vec<_>, _>>()?;
    MemTable::try_new(schema, vec![batches])
}

/// Another codec, and the states of our functions.
#[derive(Debug)]
pub(super) struct Logical {
    pub(super) inner: Arc<dyn LogicalExtensionCodec>,
    pub(super) functions: Arc<Functions>,
}

impl LogicalExtensionCodec for Logical {
    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[LogicalPlan],
        ctx: &TaskContext,
    ) -> Result<Extension> {
        self.inner.try_decode(buf, inputs, ctx)
    }
    fn try_encode(&self, node: &Extension, buf: &mut Vec<u8>) -> Result<()> {
        self.inner.try_encode(node, buf)
    }
    fn try_decode_table_provider(
        &self,
        buf: &[u8],
        table_ref: &TableReference,
        schema: SchemaRef,
        ctx: &TaskContext,
    ) -> Result<Arc<dyn TableProvider>> {
        match buf {
            [MEMORY, rows @ ..] => Ok(Arc::new(read_rows(rows, schema)?)),
            _ => self.inner.try_decode_table_provider(buf, table_ref, schema, ctx),
        }
    }
    fn try_encode_table_provider(
        &self,
        table_ref: &TableReference,
        node: Arc<dyn TableProvider>,
        buf: &mut Vec<u8>,
    ) -> Result<()> {
        match node.downcast_ref::<MemTable>() {
            Some(table) => write_rows(table, node.schema().as_ref(), buf),
            None => self.inner.try_encode_table_provider(table_ref, node, buf),
        }
    }
    fn try_decode_file_format(
        &self,
        buf: &[u8],
        ctx: &TaskContext,
    ) -> Result<Arc<dyn FileFormatFactory>> {
        self.inner.try_decode_file_format(buf, ctx)
    }
    fn try_encode_file_format(
        &self,
        buf: &mut Vec<u8>,
        node: Arc<dyn FileFormatFactory>,
    ) -> Result<()> {
        self.inner.try_encode_file_format(buf, node)
    }
    fn try_decode_udf(&self, name: &str, buf: &[u8]) -> Result<Arc<ScalarUDF>> {
        self.functions.decode(name, buf).unwrap_or_else(|| self.inner.try_decode_udf(name, buf))
    }
    fn try_encode_udf(&self, node: &ScalarUDF, buf: &mut Vec<u8>) -> Result<()> {
        if self.functions.encode(node, buf)? {
            return Ok(());
        }
        self.inner.try_encode_udf(node, buf)
    }
    fn try_decode_higher_order_function(
        &self,
        name: &str,
        buf: &[u8],
    ) -> Result<Arc<HigherOrderUDF>> {
        self.inner.try_decode_higher_order_function(name, buf)
    }
    fn try_encode_higher_order_function(
        &self,
        node: &HigherOrderUDF,
        buf: &mut Vec<u8>,
    ) -> Result<()> {
        self.inner.try_encode_higher_order_function(node, buf)
    }
    fn try_decode_udaf(&self, name: &str, buf: &[u8]) -> Result<Arc<AggregateUDF>> {
        self.inner.try_decode_udaf(name, buf)
    }
    fn try_encode_udaf(&self, node: &AggregateUDF, buf: &mut Vec<u8>) -> Result<()> {
        self.inner.try_encode_udaf(node, buf)
    }
    fn try_decode_udwf(&self, name: &str, buf: &[u8]) -> Result<Arc<WindowUDF>> {
        self.inner.try_decode_udwf(name, buf)
    }
    fn try_encode_udwf(&self, node: &WindowUDF, buf: &mut Vec<u8>) -> Result<()> {
        self.inner.try_encode_udwf(node, buf)
    }
}

/// As [`Logical`], for the plans that workers get.
#[derive(Debug)]
pub(super) struct Physical {
    pub(super) inner: Arc<dyn PhysicalExtensionCodec>,
    pub(super) functions: Arc<Functions>,
}

impl PhysicalExtensionCodec for Physical {
    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        ctx: &TaskContext,
        proto_converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.inner.try_decode(buf, inputs, ctx, proto_converter)
    }
    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        proto_converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        self.inner.try_encode(node, buf, proto_converter)
    }
    fn try_decode_udf(&self, name: &str, buf: &[u8]) -> Result<Arc<ScalarUDF>> {
        self.functions.decode(name, buf).unwrap_or_else(|| self.inner.try_decode_udf(name, buf))
    }
    fn try_encode_udf(&self, node: &ScalarUDF, buf: &mut Vec<u8>) -> Result<()> {
        if self.functions.encode(node, buf)? {
            return Ok(());
        }
        self.inner.try_encode_udf(node, buf)
    }
    fn try_decode_higher_order_function(
        &self,
        name: &str,
        buf: &[u8],
    ) -> Result<Arc<HigherOrderUDF>> {
        self.inner.try_decode_higher_order_function(name, buf)
    }
    fn try_encode_higher_order_function(
        &self,
        node: &HigherOrderUDF,
        buf: &mut Vec<u8>,
    ) -> Result<()> {
        self.inner.try_encode_higher_order_function(node, buf)
    }
    fn try_decode_udaf(&self, name: &str, buf: &[u8]) -> Result<Arc<AggregateUDF>> {
        self.inner.try_decode_udaf(name, buf)
    }
    fn try_encode_udaf(&self, node: &AggregateUDF, buf: &mut Vec<u8>) -> Result<()> {
        self.inner.try_encode_udaf(node, buf)
    }
    fn try_decode_udwf(&self, name: &str, buf: &[u8]) -> Result<Arc<WindowUDF>> {
        self.inner.try_decode_udwf(name, buf)
    }
    fn try_encode_udwf(&self, node: &WindowUDF, buf: &mut Vec<u8>) -> Result<()> {
        self.inner.try_encode_udwf(node, buf)
    }
}

#[cfg(test)]
mod tests;
