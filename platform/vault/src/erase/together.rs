//! Many stops at once: one pass over a store's files, and for each stop the counts of its own persons.

use std::{
    collections::{HashMap, HashSet},
    sync::atomic::Ordering,
};

use kiban_audit::Tx;
use kiban_kernel::Bases;
use kiban_register::{Ack, EraseError, ErasureOrder};
use serde_json::json;

use super::{Part, Person, VaultStore, erase_error};

/// Erases what the store holds of the persons of all orders that name both regimes. No answer is given for an order of
/// one regime of which the store holds something: what the other regime keeps is written anew for each alone.
///
/// What belongs to no single stop, such as the sealed bytes that files shrank by, stands in the event, as the note
/// `together`.
pub(super) async fn erase(
    store: &VaultStore,
    orders: &[ErasureOrder],
    tx: &mut Tx,
) -> Result<Vec<Option<Ack>>, EraseError> {
    let (whole, part): (Vec<&ErasureOrder>, Vec<&ErasureOrder>) =
        orders.iter().partition(|o| o.regimes == Bases::BOTH);
    let known = known(store, &union(&part)).await?;
    let alone = |o: &ErasureOrder| {
        o.regimes != Bases::BOTH && o.persons.iter().any(|p| known.contains(&p.to_string()))
    };
    let persons = union(&whole);
    let (tables, keys) = (store.part.tables(), store.part == Part::Source);
    let staged = store.lake.stage_erasure_in(&tables, &persons, keys).await?;
    if staged.rows() == 0 {
        return Ok(orders.iter().map(|o| (!alone(o)).then(Ack::default)).collect());
    }
    let shredded =
        if keys { store.shredded(&persons).await.map_err(erase_error)? } else { HashMap::new() };
    let held: Vec<Vec<(Person, kiban_lake::Held)>> =
        orders.iter().map(|o| o.persons.iter().map(|p| (*p, staged.held(*p))).collect()).collect();
    store.garbage.store(true, Ordering::SeqCst);
    let erased = store.lake.erase(tx, staged).await?;
    tx.note(
        "together",
        json!({
            "rows": erased.rows,
            "files": erased.files,
            "bytes": erased.bytes,
            "keys": erased.keys(),
            "containers": erased.containers,
        }),
    );
    // A person of two stops is counted for the first that was received.
    let mut counted = HashSet::new();
    let mut out = Vec::with_capacity(orders.len());
    for (order, held) in orders.iter().zip(held) {
        if order.regimes != Bases::BOTH {
            out.push((!alone(order)).then(Ack::default));
            continue;
        }
        let (mut rows, mut files, mut gone, mut bytes) = (0, 0, 0, 0);
        for (person, held) in held {
            if held.rows > 0 && counted.insert(person) {
                rows += held.rows;
                files += held.files;
                gone += erased.keys_of.get(&person).copied().unwrap_or_default();
                bytes += shredded.get(&person.to_string()).copied().unwrap_or_default();
            }
        }
        let mut ack = Ack::default();
        if rows > 0 {
            ack = ack.with("rows", rows).with("files", files);
            if keys {
                ack = ack.with("keys", gone).with("source_bytes", bytes);
            }
        }
        out.push(Some(ack));
    }
    Ok(out)
}

/// The persons of orders, each once.
fn union(orders: &[&ErasureOrder]) -> Vec<Person> {
    let mut persons: Vec<Person> = orders.iter().flat_map(|o| o.persons.iter().copied()).collect();
    persons.sort_unstable();
    persons.dedup();
    persons
}

/// Of some persons, those of whom any snapshot of the store has a row.
async fn known(store: &VaultStore, persons: &[Person]) -> Result<HashSet<String>, EraseError> {
    let mut out = HashSet::new();
    if persons.is_empty() {
        return Ok(out);
    }
    for table in store.part.tables() {
        for batch in store.lake.scan_persons_ever(table, persons).await? {
            let column =
                super::remains::text(&batch, "canonical", "person_source").map_err(erase_error)?;
            out.extend(column.iter().flatten().map(str::to_owned));
        }
    }
    Ok(out)
}
