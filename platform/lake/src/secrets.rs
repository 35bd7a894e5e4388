//! Named secrets, wrapped, in the governance database: made in the transaction of what first needs
//! them, destroyed by deleting their row.

use sqlx::AnyConnection;

use crate::{DataClass, KeyError, KeyRing, Secret};

const FIND: &str = "SELECT key_id, wrapped FROM lake_secret WHERE name = $1";
const ADD: &str = "INSERT INTO lake_secret (name, key_id, wrapped) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
const DESTROY: &str = "DELETE FROM lake_secret WHERE name = $1";

impl KeyRing {
    /// The secret of this name (`pseudonym/project/prj_…`, `person_source`), made when there is none.
    /// Give the connection of the transaction: a secret that is not committed never existed.
    ///
    /// # Errors
    /// The database failed, or the secret belongs to another key ring.
    pub async fn secret(&self, conn: &mut AnyConnection, name: &str) -> Result<Secret, KeyError> {
        if let Some(found) = self.find_secret(&mut *conn, name).await? {
            return Ok(found);
        }
        let (key_id, key) = self.wrapping(DataClass::Custody)?;
        let wrapped = key.wrap(&secret_name(name), &Secret::random()?)?;
        let query = sqlx::query(ADD).bind(name).bind(key_id).bind(wrapped);
        query.execute(&mut *conn).await.map_err(KeyError::Database)?;
        // Read back: where two made it at once, both must use the one that stayed.
        self.find_secret(conn, name).await?.ok_or(KeyError::Missing)
    }

    /// The secret of this name, if there is one.
    ///
    /// # Errors
    /// The database failed, or the secret belongs to another key ring.
    pub async fn find_secret(
        &self,
        conn: &mut AnyConnection,
        name: &str,
    ) -> Result<Option<Secret>, KeyError> {
        let query = sqlx::query_as::<_, (String, String)>(FIND).bind(name);
        let row = query.fetch_optional(conn).await.map_err(KeyError::Database)?;
        row.map(|(id, wrapped)| {
            self.unwrapping(DataClass::Custody, &id)?.unwrap(&secret_name(name), &wrapped)
        })
        .transpose()
    }

    /// Destroy the secret of this name; was there one?
    ///
    /// # Errors
    /// The database failed.
    pub async fn destroy_secret(
        &self,
        conn: &mut AnyConnection,
        name: &str,
    ) -> Result<bool, KeyError> {
        let done =
            sqlx::query(DESTROY).bind(name).execute(conn).await.map_err(KeyError::Database)?;
        Ok(done.rows_affected() > 0)
    }
}

fn secret_name(name: &str) -> String {
    format!("secret/{name}")
}
