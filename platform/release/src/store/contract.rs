//! SQL of contracts.

use kiban_audit::sqlx::{self, Row as _};
use kiban_govern::Actor;
use kiban_kernel::{Id, Timestamp, kinds};

use super::{Conn, Result, parse, read, write};
use crate::{
    ActError,
    contract::{self, Contract, Terms},
};

pub(crate) async fn add_contract(
    conn: Conn<'_>,
    id: Id<kinds::Contract>,
    terms: &Terms,
) -> Result<()> {
    sqlx::query("INSERT INTO release_contract (contract, application, terms, digest) VALUES ($1, $2, $3, $4)")
        .bind(id.to_string())
        .bind(terms.application.to_string())
        .bind(write("release_contract", terms)?)
        .bind(terms.digest().to_string())
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn add_contract_step(
    conn: Conn<'_>,
    id: Id<kinds::Contract>,
    seq: i64,
    at: Timestamp,
    actor: &Actor,
    step: contract::Step,
) -> Result<()> {
    sqlx::query("INSERT INTO release_contract_step (contract, seq, at, actor, step) VALUES ($1, $2, $3, $4, $5)")
        .bind(id.to_string())
        .bind(seq)
        .bind(at.to_string())
        .bind(write("release_contract_step", actor)?)
        .bind(write("release_contract_step", &step)?)
        .execute(conn)
        .await?;
    Ok(())
}

/// A contract, its state folded from its steps.
///
/// # Errors
/// Not found, damaged, or the database fails.
pub async fn contract(conn: Conn<'_>, id: Id<kinds::Contract>) -> Result<Contract> {
    const TABLE: &str = "release_contract_step";
    let terms: String =
        sqlx::query_scalar("SELECT terms FROM release_contract WHERE contract = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *conn)
            .await?
            .ok_or(ActError::NotFound { what: "contract" })?;
    let terms: Terms = read("release_contract", &terms)?;
    let steps = sqlx::query(
        "SELECT at, actor, step FROM release_contract_step WHERE contract = $1 ORDER BY seq",
    )
    .bind(id.to_string())
    .fetch_all(conn)
    .await?;
    let (mut state, mut bound) = (None, true);
    for row in &steps {
        let at = parse(TABLE, &row.try_get::<String, _>(0)?)?;
        let actor: Actor = read(TABLE, &row.try_get::<String, _>(1)?)?;
        let step: contract::Step = read(TABLE, &row.try_get::<String, _>(2)?)?;
        if let contract::Step::Accept { terms: signed } | contract::Step::Sign { terms: signed } =
            step
        {
            bound &= signed == terms.digest();
        }
        state = Some(
            contract::State::after(state.as_ref(), &step, &actor, at)
                .map_err(|_| ActError::Damaged { table: TABLE })?,
        );
    }
    let state = state.ok_or(ActError::Damaged { table: TABLE })?;
    Ok(Contract { id, terms, state, bound, steps: steps.len() as i64 })
}

/// The contracts of an application.
///
/// # Errors
/// Damaged, or the database fails.
pub async fn contracts(
    conn: Conn<'_>,
    application: Id<kinds::Application>,
) -> Result<Vec<Contract>> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT contract FROM release_contract WHERE application = $1 ORDER BY contract",
    )
    .bind(application.to_string())
    .fetch_all(&mut *conn)
    .await?;
    let mut out = Vec::with_capacity(ids.len());
    for id in ids {
        out.push(contract(&mut *conn, parse("release_contract", &id)?).await?);
    }
    Ok(out)
}
